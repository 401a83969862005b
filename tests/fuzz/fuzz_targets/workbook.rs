//! The sheet of a workbook.
#![no_main]

libfuzzer_sys::fuzz_target!(
    // calamine panics at some numbers, and the reader contains that; libFuzzer's own hook would end the program before.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| cartable_tests::foreign_text::workbook(bytes)
);
