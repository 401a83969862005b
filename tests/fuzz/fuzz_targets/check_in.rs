//! The body of a check-in, compressed or not.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::check_in(bytes));
