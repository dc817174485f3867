//! Settings and totals as they are shown, and values of flags that the contract wants as text.

use serde_json::{Map, Value};
use units::{Size, parse_duration};

use super::human::{count, size};

/// Names and values, one level deep: `backoff.initial`.
pub(super) fn facts(members: &Map<String, Value>) -> Vec<(String, String)> {
    members.iter().flat_map(|(name, value)| lines(name, value)).collect()
}

fn lines(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(parts) => {
            parts.iter().map(|(part, value)| (format!("{name}.{part}"), text(part, value))).collect()
        }
        value => vec![(name.to_owned(), text(name, value))],
    }
}

fn text(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(bytes) if name.ends_with("bytes") => size(bytes),
            Some(number) => count(number),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Takes a duration as it is written.
pub(super) fn duration(text: &str) -> Result<String, String> {
    parse_duration(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Takes a size as it is written.
pub(super) fn bytes(text: &str) -> Result<String, String> {
    text.parse::<Size>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_settings_and_unset_ones_are_shown_by_name() {
        let settings =
            json!({"backoff": {"factor": 2.5}, "ttl": null, "max_bytes": 1024, "max_messages": 1000});
        let shown: Vec<String> = facts(settings.as_object().unwrap())
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(shown, ["backoff.factor=2.5", "max_bytes=1.00 KiB", "max_messages=1,000", "ttl=none"]);
    }
}
