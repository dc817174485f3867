//! Durations: what is taken, what it means, and that it is written in its largest whole unit.

use units::{format_duration, parse_duration};

const UNITS: [(&str, u128); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

pub(super) fn hold(text: &str) {
    let wanted = milliseconds(text);
    let read = parse_duration(text);
    assert_eq!(read.as_ref().ok().map(std::time::Duration::as_millis), wanted, "{text:?}");
    match read {
        Ok(duration) => {
            let written = format_duration(duration);
            assert_eq!(written, in_largest_unit(duration.as_millis()), "{text:?}");
            assert_eq!(parse_duration(&written), Ok(duration), "{text:?} was written as {written:?}");
        }
        Err(error) => assert!(error.to_string().contains("write a whole number and one of"), "{error}"),
    }
}

fn milliseconds(text: &str) -> Option<u128> {
    let (number, unit) = super::number_and_unit(text)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(number * factor).filter(|millis| *millis <= i64::MAX as u128)
}

fn in_largest_unit(millis: u128) -> String {
    let whole = UNITS.iter().rev().find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor));
    whole.map_or_else(|| "0s".to_owned(), |(unit, factor)| format!("{}{unit}", millis / factor))
}
