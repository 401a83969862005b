//! The arrows of docs/ARCHITECTURE.md: which part may know which other part, and which crate.
//!
//! Read from the source itself (paths in code, in `use` and inside macro calls) and from the manifests.

use std::collections::{BTreeMap, BTreeSet};

use cartable_tests::{
    source::{NamedPath, lines_before_tests, paths, test_modules},
    workspace::{files, metadata},
};

/// For each module of the server, the others that it may name. What is not listed here does not exist: a new module
/// takes its place in this table first.
const SERVER_ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &[]),
    ("fault", &[]),
    ("random", &[]),
    ("photo", &[]),
    ("store", &["domain", "fault"]),
    ("pki", &["domain", "random"]),
    ("config", &["domain", "pki"]),
    ("vault", &["domain", "pki"]),
    ("documents", &["domain", "store", "vault", "config"]),
    ("app", &["domain", "store", "vault", "documents"]),
    ("exchange", &["domain", "store", "vault", "clock", "random", "fault"]),
    ("auth", &["domain", "store", "app", "clock", "random"]),
    ("mail", &["domain", "config"]),
    ("webhook", &["domain", "config", "random"]),
    ("jobs", &["domain", "store", "pki", "clock", "vault", "mail", "webhook", "exchange", "fault"]),
    ("gateway", &["domain", "store", "exchange", "pki", "clock", "random", "config", "fault"]),
    ("api", &["domain", "store", "exchange", "auth", "app", "clock", "random", "vault", "documents", "fault"]),
    (
        "console",
        &["domain", "store", "auth", "app", "clock", "random", "vault", "documents", "exchange", "fault", "photo"],
    ),
    ("lifecycle", &[]),
    (
        "cli",
        &[
            "domain",
            "store",
            "pki",
            "vault",
            "auth",
            "app",
            "documents",
            "exchange",
            "clock",
            "random",
            "config",
            "lifecycle",
            "jobs",
            "mail",
            "webhook",
            "gateway",
            "api",
            "console",
        ],
    ),
];

/// Crates and parts of the standard library that only some modules of the server may name, each with who may.
const SERVER_CRATES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("rustls", &["gateway", "pki", "cli", "webhook"]),
    ("tokio_rustls", &["gateway", "cli", "webhook"]),
    ("rcgen", &["pki"]),
    ("aws_lc_rs", &["pki", "vault", "auth", "gateway", "cli", "webhook"]),
    ("askama", &["console"]),
    ("image", &["photo"]),
    ("utoipa", &["api"]),
    ("argon2", &["auth"]),
    ("lettre", &["mail"]),
    ("axum", &["gateway", "console", "api", "auth", "cli"]),
    ("calamine", &["exchange"]),
    ("quick_xml", &["domain"]),
    ("csv", &["exchange"]),
    ("encoding_rs", &["exchange"]),
    ("flate2", &["exchange", "gateway"]),
    ("lzma_rust2", &["exchange"]),
    ("rust_xlsxwriter", &["exchange"]),
    ("zip", &["exchange"]),
    ("typst", &["documents"]),
    ("typst_assets", &["documents"]),
    ("typst_layout", &["documents"]),
    ("typst_pdf", &["documents"]),
    ("barcoders", &["documents"]),
    ("qrcode", &["documents"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
];

/// What a pure part never names: no input or output, no waiting, no clock, no chance, no log.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_util",
    "tokio_rustls",
    "rustls",
    "sqlx",
    "axum",
    "hyper",
    "hyper_util",
    "reqwest",
    "rcgen",
    "getrandom",
    "tracing",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// One Rust file of a crate's `src`.
struct Source {
    path: String,
    /// `["store", "flag"]` for `store/flag.rs`; empty for `lib.rs` and `main.rs`.
    module: Vec<String>,
    /// What it names outside its unit tests.
    named: Vec<NamedPath>,
}

impl Source {
    /// The part it belongs to: the first name of its module.
    fn part(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

fn sources(root: &str) -> Vec<Source> {
    let all = files().unwrap();
    let rust = all.iter().filter(|file| file.path.starts_with(root) && file.path.ends_with(".rs"));
    let texts: Vec<(&str, &str)> = rust.map(|file| (file.path.as_str(), file.text.as_deref().unwrap())).collect();
    let tests: BTreeSet<String> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let built = texts.iter().filter(|(path, _)| !tests.contains(*path));
    let found: Vec<Source> = built.map(|(path, text)| source(root, path, text)).collect();
    assert!(!found.is_empty(), "no Rust file below {root}");
    found
}

fn source(root: &str, path: &str, text: &str) -> Source {
    let inside = path[root.len()..].trim_end_matches(".rs");
    let mut module: Vec<String> = inside.split('/').map(ToOwned::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    let names: Vec<&str> = module.iter().map(String::as_str).collect();
    // Unit tests may build what they judge with anything.
    let tests_begin = lines_before_tests(text);
    let named = paths(text, &names).into_iter().filter(|path| path.line <= tests_begin).collect();
    Source { path: path.to_owned(), module, named }
}

/// What breaks the arrows between the server's parts.
fn server_violations(sources: &[Source]) -> Vec<String> {
    let arrows: BTreeMap<&str, &[&str]> = SERVER_ARROWS.iter().copied().collect();
    let mut broken = vec![];
    for source in sources.iter().filter(|source| !source.module.is_empty()) {
        let Some(allowed) = arrows.get(source.part()) else {
            broken.push(format!("{}: `{}` has no place in SERVER_ARROWS", source.path, source.part()));
            continue;
        };
        for path in &source.named {
            let [root, part, ..] = path.segments.as_slice() else { continue };
            // A macro of the crate's own lies at its root under its own name.
            let is_part = arrows.contains_key(part.as_str());
            if root == "crate" && is_part && part != source.part() && !allowed.contains(&part.as_str()) {
                broken.push(format!("{}:{}: `{}` may not name `{part}`", source.path, path.line, source.part()));
            }
        }
    }
    broken
}

/// What names a crate that another part owns.
fn crate_violations(sources: &[Source], owners: &[(&str, &[&str])]) -> Vec<String> {
    let mut broken = vec![];
    for source in sources.iter().filter(|source| !source.module.is_empty()) {
        for (name, parts) in owners {
            let foreign = source.named.iter().filter(|path| path.starts_with(name) && !parts.contains(&source.part()));
            broken
                .extend(foreign.map(|path| format!("{}:{}: only {parts:?} may name `{name}`", source.path, path.line)));
        }
    }
    broken
}

/// What a pure part names although it must not.
fn impurities<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<String> {
    let mut broken = vec![];
    for source in sources {
        for path in &source.named {
            if let Some(name) = IMPURE.iter().find(|name| path.starts_with(name)) {
                broken.push(format!("{}:{}: `{name}` in a pure part", source.path, path.line));
            }
        }
    }
    broken
}

#[test]
fn the_servers_parts_point_one_way() {
    let broken = server_violations(&sources("server/src/"));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_server_crate_stays_with_its_owner() {
    let broken = crate_violations(&sources("server/src/"), SERVER_CRATES);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    let all = sources("server/src/");
    let broken = impurities(all.iter().filter(|source| source.part() == "domain"));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn common_is_pure() {
    let broken = impurities(sources("common/src/").iter());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_the_edges_read_the_clock() {
    let all = sources("server/src/");
    let readers: BTreeSet<&str> = all
        .iter()
        .filter(|source| source.named.iter().any(|path| path.segments.ends_with(&["SystemTime".into(), "now".into()])))
        .map(|source| source.path.as_str())
        .collect();
    assert_eq!(readers, BTreeSet::from(["server/src/clock.rs"]));
}

#[test]
fn crates_depend_one_way() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::from([
        ("cartable-common", BTreeSet::new()),
        ("cartable-windows", BTreeSet::new()),
        ("cartable-agent", BTreeSet::from(["cartable-common", "cartable-windows"])),
        ("cartable-server", BTreeSet::from(["cartable-common"])),
        ("cartable-tests", BTreeSet::from(["cartable-common", "cartable-agent", "cartable-server"])),
    ]);
    let metadata = metadata().unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), allowed.len(), "a crate has no place in this test");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let ours: BTreeSet<&str> = dependencies
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| name.starts_with("cartable-"))
            .collect();
        assert!(ours.is_subset(&allowed[name]), "{name} may depend on {:?}, not on {ours:?}", allowed[name]);
    }
}

#[test]
fn a_broken_arrow_is_found() {
    let hidden = "fn f() { on!(tx, |c| crate::console::page(c)) }";
    let store = source("server/src/", "server/src/store/flag.rs", hidden);
    assert_eq!(server_violations(&[store]), ["server/src/store/flag.rs:1: `store` may not name `console`"]);
    let domain =
        source("server/src/", "server/src/domain/flag.rs", "use super::super::store::Tx;\nuse sqlx::Row as _;");
    assert_eq!(crate_violations(std::slice::from_ref(&domain), SERVER_CRATES).len(), 1);
    assert_eq!(impurities(std::iter::once(&domain)), ["server/src/domain/flag.rs:2: `sqlx` in a pure part"]);
    assert_eq!(server_violations(&[domain]), ["server/src/domain/flag.rs:1: `domain` may not name `store`"]);
    let unknown = source("server/src/", "server/src/misc.rs", "");
    assert_eq!(server_violations(&[unknown]).len(), 1);
}
