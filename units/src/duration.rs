//! Durations as text: a whole number and a unit, `ms`, `s`, `m`, `h` or `d`.
//!
//! Use [`self`] with serde: `#[serde(with = "units::duration")]`, or [`option`] for an `Option`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The units, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: write a whole number and one of ms, s, m, h, d, such as \"30s\"")]
pub struct InvalidDuration(String);

/// Parses a duration such as `"500ms"`, `"30s"`, `"5m"`, `"12h"`, `"14d"`; milliseconds fit in 63 bits.
///
/// # Errors
/// [`InvalidDuration`] for anything else: no sign, fraction, blank or missing unit is taken.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.chars().take(40).collect());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| invalid())?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
    let millis = number.checked_mul(*factor).filter(|ms| i64::try_from(*ms).is_ok());
    millis.map(Duration::from_millis).ok_or_else(invalid)
}

/// Writes a duration in its largest whole unit: `60s` comes out as `"1m"`, zero as `"0s"`. What is
/// below a millisecond is cut off.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let whole = UNITS.iter().find(|(_, factor)| millis.is_multiple_of(*factor));
    let (unit, factor) = whole.unwrap_or(&("ms", 1));
    format!("{}{unit}", millis / factor)
}

/// Writes a duration as text.
///
/// # Errors
/// What the serializer says.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_duration(*duration))
}

/// Reads a duration from text.
///
/// # Errors
/// When it is not a text, or not a duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(D::Error::custom)
}

/// The same for an optional duration; unset is null. Use with `#[serde(default)]`.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes a duration as text, or null.
    ///
    /// # Errors
    /// What the serializer says.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a duration from text, or null.
    ///
    /// # Errors
    /// When it is neither null nor a duration's text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse_duration(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read_and_written_in_the_largest_whole_one() {
        for (text, written) in
            [("500ms", "500ms"), ("1000ms", "1s"), ("60s", "1m"), ("90s", "90s"), ("24h", "1d"), ("0m", "0s")]
        {
            assert_eq!(format_duration(parse_duration(text).unwrap()), written);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_text() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            " 1s",
            "1 s",
            "1S",
            "99999999999999999999s",
            "9223372036854775807d",
        ] {
            assert!(parse_duration(text).unwrap_err().to_string().contains("is not a duration"), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back_the_same(millis in 0_u64..=i64::MAX as u64) {
            let duration = Duration::from_millis(millis);
            proptest::prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
