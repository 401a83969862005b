//! What the kernel says of a power supply.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::uevent(bytes));
