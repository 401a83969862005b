//! An inventory of FusionInventory.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartable_tests::foreign_text::inventory_xml(bytes));
