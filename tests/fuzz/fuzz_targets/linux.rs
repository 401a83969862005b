//! Files of /proc, /sys and /etc.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::linux(bytes));
