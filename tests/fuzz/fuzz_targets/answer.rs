//! What answers in the server's place, as the agent reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::answer(bytes));
