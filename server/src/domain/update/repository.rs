//! A Debian repository of one package: the texts that apt reads, as the same packages always give them.

use std::{collections::BTreeMap, fmt::Write as _};

use cartable_common::UtcMillis;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::control::PACKAGE;

/// Where the index of everything lies, below the repository's address.
pub const RELEASE: &str = "dists/stable/Release";
/// The same with its signature in it.
pub const IN_RELEASE: &str = "dists/stable/InRelease";
/// Its signature by itself.
pub const RELEASE_SIGNATURE: &str = "dists/stable/Release.gpg";
/// The key that signs it, as laptops keep it.
pub const KEY: &str = "cartable.asc";
/// Where packages lie.
pub const POOL: &str = "pool/";

const DISTRIBUTION: &str = "dists/stable/";
/// A package of this architecture is for all.
const ALL: &str = "all";

/// A package in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its control without what the index says ([`super::control::Control::text`]).
    pub control: String,
    /// As the package writes it.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Its size.
    pub bytes: u32,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl Listed {
    /// Where it lies below the repository's address.
    pub fn path(&self) -> String {
        format!("{POOL}{PACKAGE}_{}_{}.deb", self.version, self.architecture)
    }

    fn stanza(&self) -> String {
        let (path, sha256) = (self.path(), HEXLOWER.encode(&self.sha256));
        format!("{}Filename: {path}\nSize: {}\nSHA256: {sha256}\n\n", self.control, self.bytes)
    }
}

/// Version and architecture of the package whose place `path` is.
pub fn in_pool(path: &str) -> Option<(&str, &str)> {
    let named = path.strip_prefix(POOL)?.strip_prefix(PACKAGE)?.strip_prefix('_')?.strip_suffix(".deb")?;
    named.rsplit_once('_')
}

/// Whether `path` is one of the texts that apt asks for.
pub fn is_index(path: &str) -> bool {
    path == KEY || path.starts_with(DISTRIBUTION)
}

/// The index of each architecture, then the index of them all: text by path. It counts from `made_at` to `expires_at`.
pub fn texts(listed: &[Listed], made_at: UtcMillis, expires_at: UtcMillis) -> BTreeMap<String, String> {
    let mut indexes: BTreeMap<&str, String> = BTreeMap::new();
    for one in listed.iter().filter(|one| one.architecture != ALL) {
        indexes.entry(&one.architecture).or_default();
    }
    for (architecture, index) in &mut indexes {
        for one in listed.iter().filter(|one| [*architecture, ALL].contains(&one.architecture.as_str())) {
            index.push_str(&one.stanza());
        }
    }
    let mut release = head(indexes.keys().copied(), made_at, expires_at);
    let mut texts = BTreeMap::new();
    for (architecture, index) in indexes {
        let path = format!("main/binary-{architecture}/Packages");
        let _ = writeln!(release, " {} {} {path}", HEXLOWER.encode(&Sha256::digest(&index)), index.len());
        texts.insert(format!("{DISTRIBUTION}{path}"), index);
    }
    texts.insert(RELEASE.to_owned(), release);
    texts
}

/// The fields that every index of indexes has, to the one that lists the files.
fn head<'a>(architectures: impl Iterator<Item = &'a str>, made_at: UtcMillis, expires_at: UtcMillis) -> String {
    let architectures = architectures.collect::<Vec<_>>().join(" ");
    format!(
        "Origin: Cartable\nLabel: Cartable\nSuite: stable\nCodename: stable\nDate: {}\nValid-Until: {}\n\
         Architectures: {architectures}\nComponents: main\nDescription: The agent of Cartable\nSHA256:\n",
        date(made_at),
        date(expires_at)
    )
}

/// As RFC 2822 writes moments, in UTC: `Mon, 30 Nov 2026 12:00:00 UTC`.
fn date(moment: UtcMillis) -> String {
    let moment = Timestamp::from_millisecond(moment.get()).unwrap_or(Timestamp::MAX);
    moment.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(version: &str, architecture: &str) -> Listed {
        Listed {
            control: format!("Package: cartable-agent\nVersion: {version}\nArchitecture: {architecture}\n"),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            bytes: 1_000,
            sha256: [0xCD; 32],
        }
    }

    #[test]
    fn a_package_is_found_by_its_place() {
        assert_eq!(in_pool(&listed("0.2.0-1", "amd64").path()), Some(("0.2.0-1", "amd64")));
        for nowhere in ["pool/bash_1_amd64.deb", "pool/cartable-agent_1.deb", "cartable-agent_1_amd64.deb"] {
            assert_eq!(in_pool(nowhere), None, "{nowhere}");
        }
        assert!(is_index(KEY) && is_index(IN_RELEASE) && !is_index("windows/manifest.signed"));
    }

    #[test]
    fn apt_finds_what_there_is_for_its_architecture() {
        let made_at = UtcMillis::new(1_796_040_000_000).unwrap();
        let all = [listed("0.2.0-1", "amd64"), listed("0.2.0-1", "arm64"), listed("0.1.0-1", "all")];
        let texts = texts(&all, made_at, made_at.plus_days(30));
        let amd64 = &texts["dists/stable/main/binary-amd64/Packages"];
        assert_eq!(amd64.matches("Package: ").count(), 2);
        assert!(amd64.starts_with(&format!(
            "Package: cartable-agent\nVersion: 0.2.0-1\nArchitecture: amd64\n\
             Filename: pool/cartable-agent_0.2.0-1_amd64.deb\nSize: 1000\nSHA256: {}\n\n",
            "cd".repeat(32)
        )));
        let release = &texts[RELEASE];
        assert!(release.contains("Date: Mon, 30 Nov 2026 12:00:00 UTC\nValid-Until: Wed, 30 Dec 2026 12:00:00 UTC\n"));
        assert!(release.contains("Architectures: amd64 arm64\n"), "{release}");
        let hash = HEXLOWER.encode(&Sha256::digest(amd64));
        assert!(release.contains(&format!("\n {hash} {} main/binary-amd64/Packages\n", amd64.len())), "{release}");
        assert_eq!(texts.len(), 3);
    }
}
