//! A file of roots, and the chain of trust bundles.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::trust_chain(bytes));
