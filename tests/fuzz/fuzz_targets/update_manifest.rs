//! A list of releases, as it comes and signed by the pinned key.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::update_manifest(bytes));
