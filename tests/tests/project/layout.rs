//! The shape of the tree: what lies where, how long files are, and what must never be committed.

use std::collections::BTreeSet;

use cartable_tests::{
    source::{lines_before_tests, test_modules},
    workspace::{ProjectFile, files},
};

/// Everything that may lie at the top. A newcomer reads this list first: it stays short.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "DEVELOPERS.md",
    "LICENSE",
    "README.md",
    "agent",
    "clippy.toml",
    "common",
    "deny.toml",
    "docs",
    "packaging",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "server",
    "tests",
];

/// Longest file in lines, unit tests not counted.
const MAX_LINES: usize = 500;

/// Files that may be longer, each with its reason; one that no longer needs it must leave.
const LONGER: &[(&str, &str)] = &[];

fn rust_files(files: &[ProjectFile]) -> impl Iterator<Item = (&str, &str)> {
    files.iter().filter(|file| file.path.ends_with(".rs")).map(|file| (file.path.as_str(), text(file)))
}

fn text(file: &ProjectFile) -> &str {
    file.text.as_deref().unwrap_or_default()
}

#[test]
fn the_top_of_the_tree_is_short() {
    let files = files().unwrap();
    let top: BTreeSet<&str> = files.iter().filter_map(|file| file.path.split('/').next()).collect();
    let unexpected: Vec<&&str> = top.iter().filter(|entry| !TOP.contains(entry)).collect();
    assert!(unexpected.is_empty(), "not in the list of what lies at the top: {unexpected:?}");
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    let files = files().unwrap();
    let silent: Vec<&str> =
        rust_files(&files).filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "these do not open with `//!`: {silent:?}");
}

#[test]
fn files_stay_short() {
    let files = files().unwrap();
    let tests: BTreeSet<String> = rust_files(&files).flat_map(|(path, text)| test_modules(path, text)).collect();
    let long: BTreeSet<&str> = rust_files(&files)
        .filter(|(path, text)| !tests.contains(*path) && lines_before_tests(text) > MAX_LINES)
        .map(|(path, _)| path)
        .collect();
    let listed: BTreeSet<&str> = LONGER.iter().map(|(path, _)| *path).collect();
    assert_eq!(long, listed, "left: longer than {MAX_LINES} lines; right: those that may be");
}

#[test]
fn no_secret_and_no_path_of_a_machine_is_committed() {
    let files = files().unwrap();
    let mut found = vec![];
    for file in &files {
        for (number, line) in text(file).lines().enumerate() {
            if let Some(what) = improper(line) {
                found.push(format!("{}:{}: {what}", file.path, number + 1));
            }
        }
        if private_key(text(file)) {
            found.push(format!("{}: a private key", file.path));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What a line holds that only one machine, or nobody, should know.
fn improper(line: &str) -> Option<&'static str> {
    // Taken apart, so that this file passes its own test.
    const HOMES: [&str; 4] =
        [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("C:\\Us", "ers\\"), concat!("/Us", "ers/")];
    if HOMES.iter().any(|home| line.contains(home)) {
        return Some("an absolute path of one machine");
    }
    // A lock file of npm names, with `resolved`, where each package came from.
    let download = line.trim_start().starts_with(concat!("\"resol", "ved\":")) && line.contains("://");
    let mut hosts =
        line.split("://").skip(1).map(|rest| rest.split(['/', '"', ' ', ')', '>']).next().unwrap_or_default());
    let registry =
        hosts.any(|host| host.starts_with(concat!("regis", "try.")) || host.starts_with(concat!("ind", "ex.crates")));
    (download || registry).then_some("the address of a package registry")
}

/// Whether `text` holds a PEM private key with its content, not only the words.
fn private_key(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|block| {
        let Some((label, rest)) = block.split_once("-----") else { return false };
        let content: String = rest.chars().take_while(|&c| c != '-').filter(|c| !c.is_whitespace()).collect();
        label.ends_with("PRIVATE KEY") && content.len() > 40
    })
}

#[test]
fn an_improper_line_is_found() {
    for bad in [
        format!("cp {}home/x .", concat!("/wo", "rk/")),
        format!("\"{}\": \"https://packages.example/a.tgz\"", concat!("resol", "ved")),
        format!("https://{}.example.org/x", concat!("regis", "try")),
    ] {
        assert!(improper(&bad).is_some(), "{bad}");
    }
    assert_eq!(improper("https://docs.rs/axum and work/home"), None);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", "A".repeat(60));
    assert!(private_key(&key));
    assert!(!private_key("pem.contains(\"-----BEGIN PRIVATE KEY-----\")"));
}
