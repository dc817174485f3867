//! See `properties::calls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::calls(bytes));
