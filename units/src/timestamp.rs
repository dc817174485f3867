//! Points in time: milliseconds since 1970 in UTC, written by RFC 3339 with milliseconds.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

/// A point in time, to the millisecond, from 1970 to the end of the year 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time from 1970 to 9999: write it by RFC 3339, such as \"2026-11-24T04:15:00.000Z\"")]
pub struct InvalidTimestamp(String);

impl Timestamp {
    /// The last millisecond of the year 9999: what RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// That many milliseconds after 1970 began, in UTC; what lies after [`Self::MAX`] becomes it.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// Milliseconds since 1970 began, in UTC.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The wall clock's time.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// This time and that much more; never beyond [`Self::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let invalid = || InvalidTimestamp(text.chars().take(40).collect());
        // The parser would take any byte between date and time.
        if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
            return Err(invalid());
        }
        let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| invalid())?;
        let millis = parsed.unix_timestamp_nanos().div_euclid(1_000_000);
        let millis = u64::try_from(millis).ok().filter(|millis| *millis <= Self::MAX.0);
        millis.map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let seconds = i64::try_from(self.0 / 1000).unwrap_or(i64::MAX);
        let time = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| fmt::Error)?;
        let time = time.to_offset(UtcOffset::UTC) + Duration::from_millis(self.0 % 1000);
        f.write_str(&time.format(FORMAT).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .examples([serde_json_example()])
            .build()
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

fn serde_json_example() -> &'static str {
    "2026-11-24T04:15:00.000Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let time: Timestamp = "2026-11-24T05:15:00.0009+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-24T04:15:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in ["", "now", "2026-11-24", "2026-11-24 04:15", "1969-12-31T23:59:59Z"] {
            assert!(text.parse::<Timestamp>().unwrap_err().to_string().contains("RFC 3339"), "{text}");
        }
    }

    #[test]
    fn only_a_t_stands_between_date_and_time() {
        assert!("2026-11-24t04:15:00z".parse::<Timestamp>().is_ok());
        for text in ["2026-11-24 04:15:00Z", "2026-11-24_04:15:00Z", "2026-11-24504:15:00Z"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_millisecond_before_1970_is_not_rounded_into_it() {
        assert!("1969-12-31T23:59:59.9999Z".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_time_that_is_after_9999_in_utc_is_refused_and_not_moved() {
        assert_eq!("9999-12-31T23:59:59.999+00:00".parse(), Ok(Timestamp::MAX));
        assert!("9999-12-31T23:59:59-00:01".parse::<Timestamp>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back_the_same(millis in 0..=Timestamp::MAX.as_millis()) {
            let time = Timestamp::from_millis(millis);
            proptest::prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
