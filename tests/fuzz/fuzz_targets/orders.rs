//! Orders, as they come and signed by the right signer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::orders(bytes));
