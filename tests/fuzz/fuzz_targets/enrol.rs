//! The body of an enrolment, a renewal or a recovery.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::enrol(bytes));
