//! Whatever a person brings of a machine.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::reading(bytes));
