//! Notes when the agent was built: no certificate is judged by a clock older than that.
//!
//! `SOURCE_DATE_EPOCH` takes precedence, so that a build can be repeated bit for bit.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let seconds = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
        .or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|age| age.as_secs()))
        .unwrap_or(0);
    println!("cargo::rustc-env=CARTABLE_BUILT_AT={seconds}");
}
