//! Receipts: what is one is written as it was read, so that each has exactly one text.

use broker::api::receipt;

pub(super) fn hold(text: &str) {
    let Some(receipt) = receipt::parse(text) else {
        assert!(!is_canonical(text), "{text:?} is a receipt's text");
        return;
    };
    let mut written = Vec::new();
    receipt::write(&mut written, receipt);
    assert_eq!(written, text.as_bytes(), "{receipt:?}");
}

/// Three numbers that fit, without leading zeros.
fn is_canonical(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let fits = |part: &str, max: u64| part.parse::<u64>().is_ok_and(|n| n <= max && n.to_string() == part);
    let maxima = [u64::from(u32::MAX), u64::MAX, u64::MAX];
    parts.len() == 3 && parts.iter().zip(maxima).all(|(part, max)| fits(part, max))
}
