//! Trust bundles: which roots an agent trusts, and how it learns of newer ones from whoever gives them.
//!
//! A bundle has a number and lists roots; it is signed by the key of a root that stands in the bundle before it. So whoever
//! holds bundle N verifies N + 1 by itself, then N + 2 by that, whatever brought the chain: it may come over a connection
//! whose other end is nobody. What somebody in between can do is to leave the end of the chain away, which an agent makes up
//! for the next time; an older bundle, or one that no held root has signed, changes nothing.
//!
//! The moment in a bundle says when it was made. It is signed, for people; agents do not judge by it, because their clocks may
//! be wrong by years.
//!
//! On disk and on paper a bundle is its roots in PEM below a line with its number, which every reader of PEM skips.

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::{
    limits::{MAX_ROOTS, MAX_TRUST_BUNDLES},
    pem,
    units::UtcMillis,
};

/// The bundle of an installation whose root was never changed, and of a file of roots that names no number.
pub const FIRST_BUNDLE: u32 = 1;

/// What stands before the number in a file of roots.
const NUMBER_LINE: &str = "Cartable-Trust-Bundle:";

/// One step of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustBundle {
    /// Its number: one more than that of the bundle before it.
    pub number: u32,
    /// When it was made.
    pub not_before: UtcMillis,
    /// The roots, in DER and base64.
    pub roots: Vec<String>,
    /// The signature of [`trust_message`] by the key of a root of the bundle before: ECDSA on P-256 with SHA-256, in DER,
    /// base64. Empty in the first bundle, which nobody vouches for: it is what a technician brings.
    pub signature: String,
}

/// The answer of `/v1/roots`: the bundles, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustChain {
    /// At most [`MAX_TRUST_BUNDLES`].
    pub bundles: Vec<TrustBundle>,
}

/// The roots that are trusted, and the number of their bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The bundle's number.
    pub number: u32,
    /// Certificates in DER.
    pub roots: Vec<Vec<u8>>,
}

/// What is signed of a bundle. The words before it set it apart from everything else that a root's key signs
/// (certificates).
#[must_use]
pub fn trust_message(number: u32, not_before: UtcMillis, roots: &[Vec<u8>]) -> Vec<u8> {
    let head = format!("cartable-trust-bundle-1\n{number}\n{}\n", not_before.get());
    let mut message = head.into_bytes();
    for root in roots {
        message.extend_from_slice(digest(&SHA256, root).as_ref());
    }
    message
}

impl TrustBundle {
    /// What it makes trusted; None where a root is not base64, or there are none or too many.
    #[must_use]
    pub fn trusted(&self) -> Option<Trusted> {
        if self.roots.is_empty() || self.roots.len() > MAX_ROOTS {
            return None;
        }
        let roots: Option<Vec<_>> = self.roots.iter().map(|root| BASE64.decode(root.as_bytes()).ok()).collect();
        Some(Trusted { number: self.number, roots: roots? })
    }
}

impl TrustChain {
    /// The newest bundle that whoever holds `held` can verify step by step; None where there is none newer than `held`.
    /// `is_signed` says whether the key of a root (in DER) has signed a message with this signature (base64).
    ///
    /// A step that no held root has signed is left out, not fatal: a file of roots may have lost its number.
    #[must_use]
    pub fn newest(&self, held: &Trusted, is_signed: impl Fn(&[u8], &[u8], &str) -> bool) -> Option<Trusted> {
        if self.bundles.len() > MAX_TRUST_BUNDLES {
            return None;
        }
        let mut newest = None;
        for bundle in &self.bundles {
            let present = newest.as_ref().unwrap_or(held);
            let Some(next) = bundle.trusted().filter(|next| next.number > present.number) else { continue };
            let message = trust_message(bundle.number, bundle.not_before, &next.roots);
            if present.roots.iter().any(|root| is_signed(root, &message, &bundle.signature)) {
                newest = Some(next);
            }
        }
        newest
    }
}

impl Trusted {
    /// The file of roots: certificates in PEM, below a line with the number unless it is the first.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let certificates: String = self.roots.iter().map(|root| pem::encode("CERTIFICATE", root)).collect();
        if self.number == FIRST_BUNDLE {
            certificates
        } else {
            format!("{NUMBER_LINE} {}\n{certificates}", self.number)
        }
    }
}

/// The number of the bundle in a file of roots.
#[must_use]
pub fn bundle_number(roots_pem: &str) -> u32 {
    let number = |line: &str| line.trim().strip_prefix(NUMBER_LINE)?.trim().parse().ok();
    roots_pem.lines().find_map(number).unwrap_or(FIRST_BUNDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature that this module cannot tell from a real one: the root and what it signed.
    fn sign(root: &[u8], message: &[u8]) -> String {
        BASE64.encode(&[root, message].concat())
    }

    fn is_signed(root: &[u8], message: &[u8], signature: &str) -> bool {
        sign(root, message) == signature
    }

    fn bundle(number: u32, roots: &[&[u8]], signer: &[u8]) -> TrustBundle {
        let not_before = UtcMillis::default().plus_days(i64::from(number));
        let der: Vec<Vec<u8>> = roots.iter().map(|root| root.to_vec()).collect();
        let signature = sign(signer, &trust_message(number, not_before, &der));
        TrustBundle { number, not_before, roots: roots.iter().map(|root| BASE64.encode(root)).collect(), signature }
    }

    fn held(number: u32, roots: &[&[u8]]) -> Trusted {
        Trusted { number, roots: roots.iter().map(|root| root.to_vec()).collect() }
    }

    /// Root a, then a and b, then b, then b and c, then c.
    fn chain() -> TrustChain {
        let bundles = vec![
            TrustBundle { signature: String::new(), ..bundle(1, &[b"a"], b"a") },
            bundle(2, &[b"a", b"b"], b"a"),
            bundle(3, &[b"b"], b"b"),
            bundle(4, &[b"b", b"c"], b"b"),
            bundle(5, &[b"c"], b"c"),
        ];
        TrustChain { bundles }
    }

    #[test]
    fn whoever_holds_any_bundle_reaches_the_newest_and_nobody_goes_back() {
        for held_before in [held(1, &[b"a"]), held(2, &[b"a", b"b"]), held(3, &[b"b"]), held(4, &[b"b", b"c"])] {
            assert_eq!(chain().newest(&held_before, is_signed), Some(held(5, &[b"c"])), "{held_before:?}");
        }
        assert_eq!(chain().newest(&held(5, &[b"c"]), is_signed), None);
        assert_eq!(chain().newest(&held(9, &[b"a"]), is_signed), None, "a number only goes up");
        // A file of roots whose line with the number was lost.
        assert_eq!(chain().newest(&held(1, &[b"b"]), is_signed), Some(held(5, &[b"c"])));
    }

    #[test]
    fn what_no_held_root_has_signed_changes_nothing() {
        assert_eq!(chain().newest(&held(1, &[b"x"]), is_signed), None);
        let mut forged = chain();
        for change in [
            |bundle: &mut TrustBundle| bundle.number = 7,
            |bundle: &mut TrustBundle| bundle.not_before = UtcMillis::default(),
            |bundle: &mut TrustBundle| bundle.roots.push(BASE64.encode(b"x")),
            |bundle: &mut TrustBundle| drop(bundle.roots.remove(0)),
            |bundle: &mut TrustBundle| bundle.roots.reverse(),
            |bundle: &mut TrustBundle| bundle.signature.clear(),
        ] {
            forged.bundles = vec![bundle(2, &[b"a", b"b"], b"a")];
            change(&mut forged.bundles[0]);
            assert_eq!(forged.newest(&held(1, &[b"a"]), is_signed), None, "{forged:?}");
        }
        // A retired root's key signs for nobody who knows that it is retired.
        forged.bundles = vec![bundle(4, &[b"x"], b"a")];
        assert_eq!(forged.newest(&held(3, &[b"b"]), is_signed), None);
    }

    #[test]
    fn a_chain_that_is_cut_off_leads_as_far_as_it_goes_and_one_without_its_middle_nowhere() {
        let mut cut = chain();
        cut.bundles.truncate(3);
        assert_eq!(cut.newest(&held(1, &[b"a"]), is_signed), Some(held(3, &[b"b"])));
        let mut holed = chain();
        holed.bundles.drain(1..3);
        assert_eq!(holed.newest(&held(1, &[b"a"]), is_signed), None);
        let endless = TrustChain { bundles: vec![bundle(2, &[b"b"], b"a"); MAX_TRUST_BUNDLES + 1] };
        assert_eq!(endless.newest(&held(1, &[b"a"]), is_signed), None);
        let crowded = TrustChain { bundles: vec![bundle(2, &[&b"b"[..]; MAX_ROOTS + 1], b"a")] };
        assert_eq!(crowded.newest(&held(1, &[b"a"]), is_signed), None);
        let empty = TrustChain { bundles: vec![bundle(2, &[], b"a")] };
        assert_eq!(empty.newest(&held(1, &[b"a"]), is_signed), None);
    }

    #[test]
    fn a_file_of_roots_keeps_its_number() {
        let first = held(1, &[b"a"]).to_pem();
        assert!(first.starts_with("-----BEGIN CERTIFICATE-----"), "{first}");
        assert_eq!(bundle_number(&first), 1);
        let later = held(12, &[b"a", b"b"]).to_pem();
        assert_eq!(bundle_number(&later), 12, "{later}");
        assert_eq!(later.matches("BEGIN CERTIFICATE").count(), 2);
        assert_eq!(bundle_number(&later.replace('\n', "\r\n")), 12);
    }
}
