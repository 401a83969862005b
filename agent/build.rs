//! Notes when the agent was built: no certificate is judged by a clock older than that. Says which version it is. Leaves the
//! unwind tables out of a Linux program that aborts on panic.
//!
//! `SOURCE_DATE_EPOCH` takes precedence, so that a build can be repeated bit for bit. `CARTABLE_AGENT_VERSION` makes a program
//! of another version than the package's: an update is from one program to another. It is three numbers, or the build fails:
//! servers and installers compare them.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let seconds = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
        .or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|age| age.as_secs()))
        .unwrap_or(0);
    println!("cargo::rustc-env=CARTABLE_BUILT_AT={seconds}");
    println!("cargo::rerun-if-env-changed=CARTABLE_AGENT_VERSION");
    let asked = std::env::var("CARTABLE_AGENT_VERSION").ok().filter(|version| !version.is_empty());
    if let Some(version) = asked.as_deref().filter(|version| !is_three_numbers(version)) {
        println!("cargo::error=CARTABLE_AGENT_VERSION: {version:?} is no version: three numbers, such as 1.4.2");
    }
    let version = asked.or_else(|| std::env::var("CARGO_PKG_VERSION").ok()).unwrap_or_default();
    println!("cargo::rustc-env=CARTABLE_VERSION={version}");
    without_unwind_tables();
}

fn is_three_numbers(version: &str) -> bool {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok();
    version.split('.').count() == 3 && version.split('.').all(is_number)
}

/// Nothing reads them when a panic aborts; a backtrace would, of a program without symbols. A build script is not told of
/// the panic strategy; the profile `agent` is known by its optimisation for size.
fn without_unwind_tables() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rerun-if-changed=no-unwind-tables.ld");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/no-unwind-tables.ld");
    }
}
