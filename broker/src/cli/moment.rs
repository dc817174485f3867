//! Points in time as flags: by RFC 3339, or how long ago.

use units::{Timestamp, parse_duration};

/// Takes a time, or a duration before now, and gives it as the contract wants it.
///
/// # Errors
/// When it is neither.
pub(super) fn moment(text: &str) -> Result<String, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.to_string());
    }
    let ago = parse_duration(text).map_err(|_| {
        "is neither a time, such as 2026-11-24T04:15:00Z, nor how long ago, such as 30m, 2h or 7d".to_owned()
    })?;
    let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
    Ok(Timestamp::from_millis(Timestamp::now().as_millis().saturating_sub(ago)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_taken_as_it_is() {
        assert_eq!(moment("2026-11-24T04:15:00Z").unwrap(), "2026-11-24T04:15:00.000Z");
    }

    #[test]
    fn a_duration_is_that_long_ago() {
        let at: Timestamp = moment("1h").unwrap().parse().unwrap();
        let ago = Timestamp::now().since(at).as_secs();
        assert!((3600..3660).contains(&ago), "{ago}");
    }

    #[test]
    fn anything_else_is_refused_with_examples() {
        assert!(moment("yesterday").unwrap_err().contains("such as 2026-11-24T04:15:00Z"));
    }
}
