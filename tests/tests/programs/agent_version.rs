//! The version that the agent's program says of itself: servers and installers compare it, so that no build takes another word
//! for one.
//!
//! Runs the agent's build script alone, without Cargo.

use std::{path::Path, process::Command};

use cartable_tests::harness::binaries::workspace;

/// What the build script tells Cargo where `CARTABLE_AGENT_VERSION` is `asked`.
fn told(script: &Path, asked: &str) -> String {
    let run = Command::new(script)
        .env("CARTABLE_AGENT_VERSION", asked)
        .env("CARGO_PKG_VERSION", "1.2.3")
        .env("SOURCE_DATE_EPOCH", "0")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn an_agent_is_built_as_three_numbers_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("build-script");
    let built = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .args([&script, &workspace().join("agent/build.rs")])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    for (asked, version) in [("", "1.2.3"), ("99.0.0", "99.0.0"), ("0.10.200", "0.10.200")] {
        let told = told(&script, asked);
        assert!(told.contains(&format!("CARTABLE_VERSION={version}\n")), "{asked:?}: {told}");
        assert!(!told.contains("cargo::error"), "{asked:?}: {told}");
    }
    // 2^32 is more than what compares versions holds.
    for asked in ["main", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-rc1", "1..3", "+1.2.3", " 1.2.3", "4294967296.0.0"] {
        assert!(told(&script, asked).contains("cargo::error=CARTABLE_AGENT_VERSION"), "{asked:?}");
    }
}
