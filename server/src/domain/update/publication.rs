//! What is published at once: every text, made where the packages are, signed wherever the key is, brought back.
//!
//! One file goes to the machine with the key and comes back, so that the key need never be where the server is. Nothing is
//! signed on the file's word: who holds the key has the packages too, and the list must be what they give
//! ([`Publication::may_be_signed`]); a server in foreign hands would have anything signed otherwise. What comes
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
/// So many days the clock of the machine with the key, which has no network, may be behind the server's.
const CLOCKS_APART_DAYS: i64 = 2;
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
    #[error("it is not signed yet: cartable-server updates sign --key KEYFILE FILE PACKAGE...")]
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

/// Why a list is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// It is not what the packages give.
    #[error(
        "the list says something else than these packages give (in {path}). Give every package that is not halted, as \
         `updates list` names them, with the versions that `updates add` was given; if it is so then too, somebody changed the \
         list: look at the server"
    )]
    OtherPackages {
        /// The first text that differs.
        path: String,
    },
    /// Its number or its times lie too far ahead.
    #[error(
        "its number or its times lie further ahead than `updates prepare` ever writes them; see that both machines' clocks are \
         right, and prepare again"
    )]
    Ahead,
}

/// The number of the publication after `last` that is made at `now`: its moment in milliseconds, so that one which is made
/// after an older backup was restored is above what laptops have seen all the same.
pub fn next_number(last: Option<u64>, now: UtcMillis) -> u64 {
    let moment = u64::try_from(now.get()).unwrap_or(0);
    last.map_or(moment, |last| moment.max(last.saturating_add(1)))
}

impl Publication {
    /// What is to be signed for these packages, from `made_at` to `expires_at`: those of apt, and the releases for Windows.
    pub fn draft(
        number: u64,
        (made_at, expires_at): (UtcMillis, UtcMillis),
        listed: &[Listed],
        mut releases: Vec<Release>,
    ) -> Self {
        // Whoever makes it, of packages in whichever order, makes the same texts.
        let mut listed = listed.to_vec();
        listed.sort_unstable_by(|a, b| (&a.architecture, &a.version).cmp(&(&b.architecture, &b.version)));
        releases.sort_unstable_by_key(|release| std::cmp::Reverse(release.version));
        releases.truncate(MAX_RELEASES);
        let manifest = Manifest { number, expires_at, keys: Vec::new(), releases };
        let mut files = repository::texts(&listed, made_at, expires_at);
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

    /// Whether a key's holder, who has these packages, may sign it at `now`: only where it is to the byte what they give, with a
    /// number and times that the clock could have given. So whoever holds the server chooses nothing of what is signed but how
    /// soon it is over.
    pub fn may_be_signed(&self, listed: &[Listed], releases: Vec<Release>, now: UtcMillis) -> Result<(), NotSigned> {
        let own = Self::draft(self.number, (self.made_at, self.expires_at), listed, releases);
        let mut paths = own.files.keys().chain(self.files.keys());
        if let Some(path) = paths.find(|path| own.files.get(*path) != self.files.get(*path)) {
            return Err(NotSigned::OtherPackages { path: path.clone() });
        }
        let latest = now.plus_days(CLOCKS_APART_DAYS);
        let is_ahead = self.number > next_number(None, latest)
            || self.made_at > latest
            || self.expires_at > latest.plus_days(i64::from(MAX_VALID_DAYS));
        if is_ahead { Err(NotSigned::Ahead) } else { Ok(()) }
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

    fn listed(version: &str, sha256: u8) -> Listed {
        Listed {
            control: format!("Package: cartable-agent\nVersion: {version}\nArchitecture: amd64\n"),
            version: version.to_owned(),
            architecture: "amd64".to_owned(),
            bytes: 1_000,
            sha256: [sha256; 32],
        }
    }

    #[test]
    fn a_server_in_foreign_hands_has_nothing_signed_but_what_the_packages_give() {
        let (version, from) = (AgentVersion::new(0, 2, 0), AgentVersion::new(0, 1, 0));
        let one = Release { version, from, bytes: 5, sha256: [1; 32] };
        let debs = [listed("0.2.0-1", 1), listed("0.1.0-1", 2)];
        let good = Publication::draft(next_number(None, now()), (now(), now().plus_days(90)), &debs, vec![one.clone()]);
        let judged = |publication: &Publication| {
            let other_order = [debs[1].clone(), debs[0].clone()];
            publication.may_be_signed(&other_order, vec![one.clone()], now())
        };
        assert_eq!(judged(&good), Ok(()), "in whichever order the packages are given");
        let changed = |path: &str, change: &dyn Fn(&str) -> String| {
            let mut changed = good.clone();
            let text = changed.files.get(path).map(|text| change(text)).unwrap_or_default();
            changed.files.insert(path.to_owned(), text);
            judged(&changed)
        };
        let refused = |path: &str| -> Result<(), NotSigned> { Err(NotSigned::OtherPackages { path: path.to_owned() }) };
        // apt's index of indexes names another index than the one that is shown.
        let index = good.files["dists/stable/main/binary-amd64/Packages"].clone();
        let (hash, other) = (HEXLOWER.encode(&Sha256::digest(&index)), "ab".repeat(32));
        assert!(good.files[repository::RELEASE].contains(&hash));
        assert_eq!(changed(repository::RELEASE, &|text| text.replace(&hash, &other)), refused(repository::RELEASE));
        // A key of its own beside the releases, which would be pinned.
        let key = format!("key {NEW}\nrelease ");
        assert_eq!(changed(MANIFEST, &|text| text.replace("release ", &key)), refused(MANIFEST));
        let number = format!("number {}", good.number);
        assert_eq!(changed(MANIFEST, &|text| text.replace(&number, "number 9")), refused(MANIFEST));
        let path = "dists/stable/main/binary-amd64/Packages";
        assert_eq!(changed(path, &|text| text.replace("SHA256: 01", "sha256: 02")), refused(path));
        assert_eq!(changed("dists/stable/x", &|_| String::new()), refused("dists/stable/x"), "no other text");
        let older = good.may_be_signed(&debs[..1], vec![one.clone()], now());
        assert_eq!(older, refused(repository::RELEASE), "nor a package that the key's holder does not have");
        for (number, days) in [(u64::MAX, 90), (good.number, 500)] {
            let far = Publication::draft(number, (now(), now().plus_days(days)), &debs, vec![one.clone()]);
            assert_eq!(judged(&far), Err(NotSigned::Ahead), "{number} {days}");
        }
    }

    #[test]
    fn a_number_is_above_what_laptops_saw_before_a_restore_too() {
        let moment = u64::try_from(now().get()).unwrap();
        assert_eq!(next_number(None, now()), moment);
        assert_eq!(next_number(Some(7), now()), moment, "the backup knows no later one");
        assert_eq!(next_number(Some(moment + 5), now()), moment + 6, "it only grows, whatever the clock says");
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
