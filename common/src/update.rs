//! The releases that an agent may update itself to: a text that is signed on a machine of the administrator's choice.
//!
//! ```text
//! cartable-update 1
//! number 7
//! expires 1827576000000
//! key BASE64
//! release 0.2.0 3145728 SHA256 from 0.1.0
//! signature BASE64 BASE64
//! ```
//!
//! The server only hands it on: what it says counts because a key signed it that was pinned when the agent was installed.
//! Whose turn it is the server decides for each device, and says so with the answer to a check-in; so the worst that a
//! server in foreign hands can do is to offer a release that the key's holder made, once, upward. That needs a holder who signs
//! nothing on the server's word: `cartable-server updates sign` makes this text from the packages themselves.

use std::fmt::Write as _;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{units::UtcMillis, version::AgentVersion};

/// Path of the manifest.
pub const UPDATE_MANIFEST_PATH: &str = "/v1/update/manifest";
/// Path of the files; below it a release's SHA-256 in hexadecimal, and below that how many bytes the agent has already.
pub const UPDATE_FILES_PATH: &str = "/v1/update/files";
/// Bytes of a file in one answer: below what an agent reads of any answer ([`crate::limits::MAX_ANSWER_BYTES`]).
pub const UPDATE_PART_BYTES: usize = 48 * 1024;
/// Largest package in bytes. The agent's programs are about 3 MB.
pub const MAX_PACKAGE_BYTES: u32 = 32 << 20;
/// Longest manifest in bytes.
pub const MAX_MANIFEST_BYTES: usize = 16 * 1024;
/// Most releases in a manifest.
pub const MAX_RELEASES: usize = 32;
/// Most keys of a manifest: one, or two while one follows another.
pub const MAX_UPDATE_KEYS: usize = 4;

const HEADER: &str = "cartable-update 1";
const SIGNATURE: &str = "signature ";

/// The public key of whoever signs releases: Ed25519, written in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdateKey(pub [u8; 32]);

/// A text that is no [`UpdateKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key that updates are signed with is 44 characters of base64, as `cartable-server updates new-key` prints it"
)]
pub struct InvalidUpdateKey;

impl std::fmt::Display for UpdateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl std::str::FromStr for UpdateKey {
    type Err = InvalidUpdateKey;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| InvalidUpdateKey)?;
        bytes.try_into().map(Self).map_err(|_| InvalidUpdateKey)
    }
}

impl Serialize for UpdateKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UpdateKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A release for Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its version.
    pub version: AgentVersion,
    /// Size of its package in bytes, at most [`MAX_PACKAGE_BYTES`].
    pub bytes: u32,
    /// SHA-256 of its package.
    pub sha256: [u8; 32],
    /// The least version that can be updated to it at once.
    pub from: AgentVersion,
}

impl Release {
    /// SHA-256 of its package as it is written in addresses.
    pub fn sha256_hex(&self) -> String {
        HEXLOWER.encode(&self.sha256)
    }
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Grows with each publication: an agent that saw one believes no earlier one.
    pub number: u64,
    /// After this moment no update begins. The agent that runs goes on.
    pub expires_at: UtcMillis,
    /// The keys that count from now on; one that was not pinned before must have signed too. None: those before.
    pub keys: Vec<UpdateKey>,
    /// What there is.
    pub releases: Vec<Release>,
}

/// Why a manifest is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    /// None of the pinned keys signed it.
    #[error("it is signed by none of the keys that were pinned at the installation")]
    Unsigned,
    /// A key in it did not sign it, so that nobody proves to hold it.
    #[error("a new key in it did not sign it")]
    UnprovenKey,
    /// It has another form, or is too long.
    #[error("it is not a manifest of this version (line {line})")]
    Form {
        /// Which line, from 1.
        line: usize,
    },
}

impl Manifest {
    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\nnumber {}\nexpires {}\n", self.number, self.expires_at.get());
        for key in &self.keys {
            let _ = writeln!(text, "key {key}");
        }
        for one in &self.releases {
            let _ = writeln!(text, "release {} {} {} from {}", one.version, one.bytes, one.sha256_hex(), one.from);
        }
        text
    }

    /// The line that adds `key`'s signature of [`to_text`](Self::to_text).
    #[must_use]
    pub fn signature_line(key: &UpdateKey, signature: &[u8; 64]) -> String {
        format!("{SIGNATURE}{key} {}\n", BASE64.encode(signature))
    }

    /// Reads a signed manifest, if one of the `pinned` keys signed it. `has_signed` says whether a key made a signature of
    /// a message (Ed25519). The manifest's [`keys`](Self::keys) are the ones to pin from now on, never none.
    pub fn read(
        text: &str,
        pinned: &[UpdateKey],
        has_signed: impl Fn(&UpdateKey, &[u8], &[u8; 64]) -> bool,
    ) -> Result<Self, InvalidManifest> {
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(InvalidManifest::Form { line: 1 });
        }
        let end = text.find(&format!("\n{SIGNATURE}")).ok_or(InvalidManifest::Unsigned)? + 1;
        let (signed, signatures) = text.split_at(end);
        let signers: Vec<UpdateKey> = signatures
            .lines()
            .take(MAX_UPDATE_KEYS)
            .filter_map(signature)
            .filter(|(key, signature)| has_signed(key, signed.as_bytes(), signature))
            .map(|(key, _)| key)
            .collect();
        if !signers.iter().any(|key| pinned.contains(key)) {
            return Err(InvalidManifest::Unsigned);
        }
        let mut manifest = Self::parse(signed)?;
        if manifest.keys.is_empty() {
            manifest.keys = pinned.to_vec();
        }
        if manifest.keys.iter().any(|key| !pinned.contains(key) && !signers.contains(key)) {
            return Err(InvalidManifest::UnprovenKey);
        }
        Ok(manifest)
    }

    fn parse(signed: &str) -> Result<Self, InvalidManifest> {
        let mut lines = signed.lines().enumerate().map(|(at, line)| (at + 1, line));
        let mut next = |prefix: &str| {
            let (line, text) = lines.next().ok_or(InvalidManifest::Form { line: 1 })?;
            text.strip_prefix(prefix).ok_or(InvalidManifest::Form { line })
        };
        if !next(HEADER)?.is_empty() {
            return Err(InvalidManifest::Form { line: 1 });
        }
        let number = next("number ")?.parse().map_err(|_| InvalidManifest::Form { line: 2 })?;
        let expires_at = next("expires ")?.parse().ok().and_then(UtcMillis::new);
        let expires_at = expires_at.ok_or(InvalidManifest::Form { line: 3 })?;
        let mut manifest = Self { number, expires_at, keys: Vec::new(), releases: Vec::new() };
        for (line, text) in lines {
            manifest.take(text).ok_or(InvalidManifest::Form { line })?;
        }
        Ok(manifest)
    }

    /// Takes one of the lines after the third.
    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(key) = line.strip_prefix("key ") {
            self.keys.push(key.parse().ok()?);
        } else {
            self.releases.push(release(line.strip_prefix("release ")?)?);
        }
        (self.keys.len() <= MAX_UPDATE_KEYS && self.releases.len() <= MAX_RELEASES).then_some(())
    }
}

fn release(text: &str) -> Option<Release> {
    let mut words = text.split(' ');
    let version = words.next()?.parse().ok()?;
    let bytes = words.next()?.parse::<u32>().ok().filter(|bytes| (1..=MAX_PACKAGE_BYTES).contains(bytes))?;
    let sha256: [u8; 32] = HEXLOWER.decode(words.next()?.as_bytes()).ok()?.try_into().ok()?;
    let from = words.next().filter(|word| *word == "from").and_then(|_| words.next())?.parse().ok()?;
    words.next().is_none().then_some(Release { version, bytes, sha256, from })
}

fn signature(line: &str) -> Option<(UpdateKey, [u8; 64])> {
    let (key, signature) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    Some((key.parse().ok()?, BASE64.decode(signature.as_bytes()).ok()?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: UpdateKey = UpdateKey([1; 32]);
    const NEW: UpdateKey = UpdateKey([2; 32]);
    const STRANGER: UpdateKey = UpdateKey([3; 32]);

    /// Stands for a signature: the key's first byte and the message's length.
    fn sign(key: &UpdateKey, message: &[u8]) -> [u8; 64] {
        let mut signature = [key.0[0]; 64];
        signature[0] = u8::try_from(message.len() % 251).unwrap();
        signature[1] = message.iter().fold(0, |sum: u8, byte| sum.wrapping_mul(31).wrapping_add(*byte));
        signature
    }

    fn has_signed(key: &UpdateKey, message: &[u8], signature: &[u8; 64]) -> bool {
        sign(key, message) == *signature
    }

    fn manifest(keys: &[UpdateKey]) -> Manifest {
        let release = Release {
            version: AgentVersion::new(0, 2, 0),
            bytes: 3_145_728,
            sha256: [0xAB; 32],
            from: AgentVersion::new(0, 1, 0),
        };
        let expires_at = UtcMillis::default().plus_days(20_000);
        Manifest { number: 7, expires_at, keys: keys.to_vec(), releases: vec![release] }
    }

    fn signed(manifest: &Manifest, by: &[UpdateKey]) -> String {
        let text = manifest.to_text();
        let lines = by.iter().map(|key| Manifest::signature_line(key, &sign(key, text.as_bytes())));
        lines.fold(text.clone(), |all, line| all + &line)
    }

    #[test]
    fn what_a_pinned_key_signed_is_read_as_it_was_written() {
        let read = Manifest::read(&signed(&manifest(&[]), &[OLD]), &[OLD], has_signed).unwrap();
        assert_eq!(read, manifest(&[OLD]), "the pinned keys go on");
        let two = signed(&manifest(&[]), &[STRANGER, OLD]);
        assert!(Manifest::read(&two, &[OLD], has_signed).is_ok(), "another's signature harms nothing");
        for by in [&[][..], &[STRANGER]] {
            let text = signed(&manifest(&[]), by);
            assert_eq!(Manifest::read(&text, &[OLD], has_signed), Err(InvalidManifest::Unsigned));
        }
        let none: &[UpdateKey] = &[];
        assert_eq!(
            Manifest::read(&signed(&manifest(&[]), &[OLD]), none, has_signed),
            Err(InvalidManifest::Unsigned),
            "an agent without a pinned key believes nobody"
        );
    }

    #[test]
    fn one_key_follows_another_where_both_signed() {
        let follows = manifest(&[NEW]);
        let both = signed(&follows, &[OLD, NEW]);
        assert_eq!(Manifest::read(&both, &[OLD], has_signed).unwrap().keys, [NEW]);
        assert_eq!(Manifest::read(&signed(&follows, &[OLD]), &[OLD], has_signed), Err(InvalidManifest::UnprovenKey));
        assert_eq!(Manifest::read(&signed(&follows, &[NEW]), &[OLD], has_signed), Err(InvalidManifest::Unsigned));
        assert!(Manifest::read(&signed(&follows, &[NEW]), &[NEW], has_signed).is_ok(), "afterwards it stands alone");
    }

    #[test]
    fn another_form_is_refused_with_its_line() {
        let good = manifest(&[]).to_text();
        let with = |from: &str, to: &str| good.replace(from, to);
        for (text, line) in [
            (with("update 1", "update 2"), 1),
            (with("number 7", "number -7"), 2),
            (with("expires 1", "expires x1"), 3),
            (with("release", "run"), 4),
            (with("3145728", "0"), 4),
            (with("3145728", "33554433"), 4),
            (with("abab", "ABAB"), 4),
            (with("from 0.1.0", "from 0.1.0 x"), 4),
            (good.clone() + "key AAAA\n", 5),
        ] {
            let text = text.clone() + &Manifest::signature_line(&OLD, &sign(&OLD, text.as_bytes()));
            assert_eq!(Manifest::read(&text, &[OLD], has_signed), Err(InvalidManifest::Form { line }), "{text}");
        }
        let long = signed(&manifest(&[]), &[OLD]) + &" ".repeat(MAX_MANIFEST_BYTES);
        assert_eq!(Manifest::read(&long, &[OLD], has_signed), Err(InvalidManifest::Form { line: 1 }));
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        assert_eq!(OLD.to_string().parse(), Ok(OLD));
        for odd in ["", "AAAA", "no base64", &"A".repeat(64)] {
            assert_eq!(odd.parse::<UpdateKey>(), Err(InvalidUpdateKey), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_believed_unsigned_or_breaks_the_reader(text in "\\PC{0,200}", at in any::<prop::sample::Index>()) {
            prop_assert!(Manifest::read(&text, &[OLD], has_signed).is_err());
            let mut good = signed(&manifest(&[]), &[OLD]);
            let at = at.index(good.len());
            good.replace_range(at..=at, "~");
            prop_assert!(Manifest::read(&good, &[OLD], has_signed).is_err(), "{good}");
        }
    }
}
