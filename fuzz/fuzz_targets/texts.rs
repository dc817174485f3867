//! See `properties::texts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::texts(bytes));
