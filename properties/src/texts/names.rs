//! Names of queues and topics, grants, and the patterns in them.

use broker::auth::{
    grant::{Grant, Role},
    pattern::Pattern,
};
use broker_core::identity::Name;

pub(super) fn hold(text: &str) {
    name(text);
    grant(text);
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    pattern(first, second);
}

fn name(text: &str) {
    let letter = |c: char| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9');
    let is_name = (1..=128).contains(&text.chars().count())
        && text.starts_with(letter)
        && text.chars().all(|c| letter(c) || matches!(c, '.' | '_' | '-'));
    let read = Name::parse(text);
    assert_eq!(read.is_ok(), is_name, "{text:?}");
    if let Ok(name) = read {
        assert_eq!(name.as_str(), text);
    }
}

fn grant(text: &str) {
    match Grant::parse(text) {
        Ok(grant) => {
            let written = grant.to_string();
            assert_eq!(Grant::parse(&written), Ok(grant.clone()), "{text:?} was written as {written:?}");
            let of_all =
                Role::ALL.iter().all(|role| grant.allows(*role, "a") && grant.allows(*role, "B.0_-"));
            assert!(of_all || !grant.is_admin_of_all(), "{written}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn pattern(text: &str, name: &str) {
    let Ok(pattern) = Pattern::parse(text) else { return };
    let written = pattern.to_string();
    assert_eq!(Pattern::parse(&written), Ok(pattern.clone()), "{text:?} was written as {written:?}");
    assert_eq!(pattern.matches(name), matches(text.as_bytes(), name.as_bytes()), "{text:?} on {name:?}");
    assert!(!pattern.is_all() || pattern.matches(name), "{text:?} on {name:?}");
}

/// Whether a pattern matches, by all ways in which its stars can be taken: which beginnings of the pattern
/// match each beginning of the name.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let mut fits: Vec<bool> =
        (0..=pattern.len()).map(|end| pattern[..end].iter().all(|b| *b == b'*')).collect();
    for byte in name {
        let before = fits.clone();
        fits[0] = false;
        for (place, wanted) in pattern.iter().enumerate() {
            fits[place + 1] = match wanted {
                b'*' => fits[place] || before[place + 1],
                wanted => before[place] && wanted == byte,
            };
        }
    }
    fits[pattern.len()]
}
