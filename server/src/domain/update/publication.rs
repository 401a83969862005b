//! What is published at once: every text, made where the packages are, signed wherever the key is, brought back.
//!
//! One file goes to the machine with the key and comes back, so that the key need never be where the server is. What comes
//! back counts only if it says of the packages exactly what is here ([`Publication::same_packages`]) and the key that
//! signed the last publication signed this one too, or nobody has published yet.

use std::{collections::BTreeMap, fmt::Write as _};

use cartable_common::{
    UtcMillis,
    update::{MAX_RELEASES, Manifest, Release, UpdateKey},
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::repository::{self, Listed};

/// For how many days a publication counts unless said otherwise: a summer.
pub const VALID_DAYS: u16 = 90;
/// The longest that one may count.
pub const MAX_VALID_DAYS: u16 = 400;
/// Largest file of a publication in bytes.
pub const MAX_PUBLICATION_BYTES: u64 = 4 << 20;
/// The list for Windows, before it is signed.
pub const MANIFEST: &str = "windows/manifest";
/// The same with its signatures.
pub const SIGNED_MANIFEST: &str = "windows/manifest.signed";

/// What is published: texts by their path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Grows with each.
    pub number: u64,
    /// When it was made.
    pub made_at: UtcMillis,
    /// Until when it counts.
    pub expires_at: UtcMillis,
    /// The texts.
    pub files: BTreeMap<String, String>,
    /// Who signed all of it.
    #[serde(default)]
    pub signatures: Vec<Signed>,
}

/// A signature of [`Publication::to_sign`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Whose.
    pub key: UpdateKey,
    /// Ed25519, base64.
    pub signature: String,
}

/// Why a publication is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    /// Nobody signed it.
    #[error("it is not signed yet: cartable-server updates sign --key KEYFILE FILE")]
    Unsigned,
    /// A signature is wrong.
    #[error("a signature in it is wrong: it was changed since it was signed; sign it again")]
    WrongSignature,
    /// Another key than before.
    #[error(
        "the key of the last publication did not sign it, and laptops would refuse it. Sign it with both keys (--key OLD --key \
         NEW); if the old one is lost, --replace-key, and every laptop needs the new key by hand"
    )]
    OtherKey,
    /// Something newer is published.
    #[error("number {published} is published already; prepare again")]
    Older {
        /// The number.
        published: u64,
    },
    /// Packages came or went since.
    #[error("packages were added or halted since it was prepared; prepare and sign again")]
    OtherPackages,
    /// Its time is over.
    #[error("its time is over; prepare and sign again")]
    Expired,
}

impl Publication {
    /// What is to be signed for these packages, from `made_at` to `expires_at`: those of apt, and the releases for Windows.
    pub fn draft(
        number: u64,
        (made_at, expires_at): (UtcMillis, UtcMillis),
        listed: &[Listed],
        mut releases: Vec<Release>,
    ) -> Self {
        releases.sort_unstable_by_key(|release| std::cmp::Reverse(release.version));
        releases.truncate(MAX_RELEASES);
        let manifest = Manifest { number, expires_at, keys: Vec::new(), releases };
        let mut files = repository::texts(listed, made_at, expires_at);
        files.insert(MANIFEST.to_owned(), manifest.to_text());
        Self { number, made_at, expires_at, files, signatures: Vec::new() }
    }

    /// What its signatures are of: its number and times, and every text's path and hash.
    pub fn to_sign(&self) -> Vec<u8> {
        let (number, made_at, expires_at) = (self.number, self.made_at.get(), self.expires_at.get());
        let mut text = format!("cartable-publication 1\nnumber {number}\nmade {made_at}\nexpires {expires_at}\n");
        for (path, content) in &self.files {
            let _ = writeln!(text, "file {} {path:?}", HEXLOWER.encode(&Sha256::digest(content)));
        }
        text.into_bytes()
    }

    /// The releases for Windows in it.
    pub fn manifest(&self) -> Option<&str> {
        self.files.get(MANIFEST).map(String::as_str)
    }

    /// Whether what it says of packages is what `draft` says, which was made of those that are here now.
    pub fn same_packages(&self, draft: &Self) -> bool {
        draft.files.iter().all(|(path, text)| self.files.get(path) == Some(text))
    }

    /// The key that signs from now on, if this may be published at `now` after the publication `last` (number and key).
    /// `has_signed` says whether a key made a signature, in base64, of a message.
    pub fn may_follow(
        &self,
        last: Option<(u64, UpdateKey)>,
        replaces_key: ReplacesKey,
        now: UtcMillis,
        has_signed: impl Fn(&UpdateKey, &[u8], &str) -> bool,
    ) -> Result<UpdateKey, NotPublished> {
        let to_sign = self.to_sign();
        if !self.signatures.iter().all(|one| has_signed(&one.key, &to_sign, &one.signature)) {
            return Err(NotPublished::WrongSignature);
        }
        let newest = self.signatures.last().ok_or(NotPublished::Unsigned)?.key;
        if self.expires_at <= now {
            return Err(NotPublished::Expired);
        }
        let Some((published, key)) = last else { return Ok(newest) };
        if self.number <= published {
            return Err(NotPublished::Older { published });
        }
        if replaces_key == ReplacesKey::No && !self.signatures.iter().any(|one| one.key == key) {
            return Err(NotPublished::OtherKey);
        }
        Ok(newest)
    }
}

/// Whether a publication may be signed by another key alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplacesKey {
    /// As a person said, because the old one is lost.
    Yes,
    /// No.
    No,
}

#[cfg(test)]
mod tests {
    use cartable_common::AgentVersion;

    use super::*;

    const OLD: UpdateKey = UpdateKey([1; 32]);
    const NEW: UpdateKey = UpdateKey([2; 32]);

    fn has_signed(key: &UpdateKey, message: &[u8], signature: &str) -> bool {
        signature == sign(key, message)
    }

    fn sign(key: &UpdateKey, message: &[u8]) -> String {
        HEXLOWER.encode(&Sha256::digest([&key.0[..], message].concat()))
    }

    fn now() -> UtcMillis {
        UtcMillis::default().plus_days(20_000)
    }

    fn signed(number: u64, by: &[UpdateKey]) -> Publication {
        let draft = Publication::draft(number, (now(), now().plus_days(90)), &[], Vec::new());
        let sign = |key: &UpdateKey| Signed { key: *key, signature: sign(key, &draft.to_sign()) };
        Publication { signatures: by.iter().map(sign).collect(), ..draft.clone() }
    }

    fn may(publication: &Publication, last: Option<(u64, UpdateKey)>) -> Result<UpdateKey, NotPublished> {
        publication.may_follow(last, ReplacesKey::No, now(), has_signed)
    }

    #[test]
    fn a_publication_follows_one_of_the_same_key() {
        assert_eq!(may(&signed(1, &[OLD]), None), Ok(OLD), "the first says which key it is");
        assert_eq!(may(&signed(2, &[OLD]), Some((1, OLD))), Ok(OLD));
        assert_eq!(may(&signed(2, &[NEW]), Some((1, OLD))), Err(NotPublished::OtherKey));
        assert_eq!(may(&signed(2, &[OLD, NEW]), Some((1, OLD))), Ok(NEW), "one follows the other");
        let lost = signed(2, &[NEW]).may_follow(Some((1, OLD)), ReplacesKey::Yes, now(), has_signed);
        assert_eq!(lost, Ok(NEW));
        assert_eq!(may(&signed(1, &[OLD]), Some((1, OLD))), Err(NotPublished::Older { published: 1 }));
        assert_eq!(may(&signed(1, &[]), None), Err(NotPublished::Unsigned));
        let late = signed(1, &[OLD]).may_follow(None, ReplacesKey::No, now().plus_days(90), has_signed);
        assert_eq!(late, Err(NotPublished::Expired));
    }

    #[test]
    fn no_byte_can_be_changed_after_signing() {
        let good = signed(1, &[OLD]);
        let mut other = good.clone();
        other.files.insert("dists/stable/Release".to_owned(), "Origin: Somebody\n".to_owned());
        let mut more = good.clone();
        more.files.insert("x".to_owned(), String::new());
        let mut longer = good.clone();
        longer.expires_at = longer.expires_at.plus_days(1);
        for changed in [other, more, longer] {
            assert_eq!(may(&changed, None), Err(NotPublished::WrongSignature));
        }
    }

    #[test]
    fn it_must_speak_of_the_packages_that_are_here() {
        let (version, from) = (AgentVersion::new(0, 2, 0), AgentVersion::new(0, 1, 0));
        let one = Release { version, from, bytes: 5, sha256: [1; 32] };
        let times = (now(), now().plus_days(90));
        let with = Publication::draft(1, times, &[], vec![one]);
        let mut signed = with.clone();
        signed.files.insert(SIGNED_MANIFEST.to_owned(), "signed".to_owned());
        assert!(signed.same_packages(&with), "what signing adds is no other package");
        assert!(!signed.same_packages(&Publication::draft(1, times, &[], Vec::new())));
        assert!(with.manifest().unwrap().contains("release 0.2.0 5 0101"));
    }
}
