//! Sizes: what is taken and what it means, as a text and as a number of JSON.

use units::Size;

const UNITS: [(&str, u32); 6] = [("", 0), ("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

pub(super) fn hold(text: &str) {
    let wanted = bytes(text);
    let read = text.parse::<Size>();
    assert_eq!(read.as_ref().ok().map(|size| u128::from(size.get())), wanted, "{text:?}");
    let json = serde_json::Value::from(text);
    assert_eq!(serde_json::from_value::<Size>(json).ok(), read.as_ref().ok().copied(), "{text:?}");
    match read {
        Ok(size) => {
            let written = size.to_string();
            assert_eq!(written.parse::<Size>(), Ok(size), "{text:?} was written as {written:?}");
            assert_eq!(serde_json::from_str::<Size>(&written).ok(), Some(size), "{written}");
        }
        Err(error) => assert!(error.to_string().contains("write whole bytes"), "{error}"),
    }
}

fn bytes(text: &str) -> Option<u128> {
    let (number, unit) = super::number_and_unit(text)?;
    let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes <= i64::MAX as u128)
}
