//! The evidence of an erasure: logs, transcripts, certificates.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::erasure(bytes));
