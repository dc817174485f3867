//! The page of guarantees names tests: each of them has to be there.

use std::path::Path;

const PAGE: &str = include_str!("../../docs/guarantees.md");

/// What stands on the page as `` `file.rs::test` ``.
fn named() -> Vec<(&'static str, &'static str)> {
    PAGE.split('`').filter_map(|part| part.split_once(".rs::")).collect()
}

#[test]
fn each_test_that_a_guarantee_names_is_there() {
    let named = named();
    assert!(named.len() > 20, "the page names tests as `file.rs::test`: {named:?}");
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let is_there = |(file, test): &(&str, &str)| {
        let text = std::fs::read_to_string(top.join(format!("{file}.rs"))).unwrap_or_default();
        text.contains(&format!("fn {test}("))
    };
    let missing: Vec<_> = named.into_iter().filter(|named| !is_there(named)).collect();
    assert!(missing.is_empty(), "docs/guarantees.md names tests that are not there: {missing:?}");
}
