//! Newer roots: how an agent follows the server's authority when its root is changed, however long it slept.
//!
//! The chain of trust bundles (`cartable_common::trust`) verifies itself from the roots that are held. So it is fetched from
//! whatever answers at the server's address, over a connection that proves nothing and on which nothing else is sent or
//! believed: not its time, not its words. What was verified replaces the roots in the one file that holds them, whole or not
//! at all; the certificate that it is for, and the key, stand beside it.

use cartable_common::trust::{TrustChain, Trusted, bundle_number};
use data_encoding::BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;

use crate::{
    client::{self, Connect},
    csr,
    identity::{self, IdentityError},
    trouble::{Trouble, TroubleKind},
};

/// Bytes of an uncompressed point of P-256.
const POINT_BYTES: usize = 65;
/// Bytes of the tag and the length before a `SubjectPublicKeyInfo`'s content.
const HEAD_BYTES: usize = 2;
/// Longest signature in base64: an ECDSA signature on P-256 in DER has at most 72 bytes.
const MAX_SIGNATURE_CHARS: usize = 96;

/// Whether `trouble` is what an agent meets whose roots the server has left behind. A clock that is wrong hides it: dates are
/// looked at first.
#[must_use]
pub fn may_be_behind(trouble: &Trouble) -> bool {
    matches!(trouble.kind, TroubleKind::UntrustedServer | TroubleKind::Clock)
}

/// The newest roots that follow from `roots_pem`, as a file of roots. None where there are none newer.
pub async fn newer(connect: &Connect, roots_pem: &str) -> Result<Option<String>, Trouble> {
    let held = held(roots_pem).map_err(|error| Trouble::local(&error))?;
    let chain = client::trust_chain(connect).await?;
    Ok(follow(&chain, &held).map(|trusted| trusted.to_pem()))
}

/// The newest of `chain` that whoever trusts `held` can verify, whatever gave it. None where there is none newer.
#[must_use]
pub fn follow(chain: &TrustChain, held: &Trusted) -> Option<Trusted> {
    chain.newest(held, is_signed)
}

/// What a file of roots holds.
pub fn held(roots_pem: &str) -> Result<Trusted, IdentityError> {
    let roots = identity::certificates(roots_pem)?;
    Ok(Trusted { number: bundle_number(roots_pem), roots: roots.iter().map(|root| root.to_vec()).collect() })
}

/// Whether the key of the certificate `root` has signed `message`. Keys are P-256, as everything of the authority.
fn is_signed(root: &[u8], message: &[u8], signature: &str) -> bool {
    let certificate = CertificateDer::from(root);
    let Ok(anchor) = webpki::anchor_from_trusted_cert(&certificate) else { return false };
    let key: &[u8] = anchor.subject_public_key_info.as_ref();
    let Some((_, point)) = key.split_last_chunk::<POINT_BYTES>() else { return false };
    // Another kind of key has another beginning.
    if csr::subject_public_key_info(point).get(HEAD_BYTES..) != Some(key) || signature.len() > MAX_SIGNATURE_CHARS {
        return false;
    }
    let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return false };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use cartable_common::{
        UtcMillis,
        trust::{TrustBundle, trust_message},
    };
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, SigningKey as _};

    use super::*;

    /// A root: its certificate and its key.
    fn root() -> (Vec<u8>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().der().to_vec(), key)
    }

    fn bundle(number: u32, roots: &[&Vec<u8>], signer: &KeyPair) -> TrustBundle {
        let der: Vec<Vec<u8>> = roots.iter().map(|root| (*root).clone()).collect();
        let message = trust_message(number, UtcMillis::default(), &der);
        TrustBundle {
            number,
            not_before: UtcMillis::default(),
            roots: der.iter().map(|root| BASE64.encode(root)).collect(),
            signature: BASE64.encode(&signer.sign(&message).unwrap()),
        }
    }

    #[test]
    fn a_file_of_roots_leads_through_the_chain_to_the_newest_one() {
        let ((old, old_key), (new, new_key)) = (root(), root());
        let chain = TrustChain { bundles: vec![bundle(2, &[&old, &new], &old_key), bundle(3, &[&new], &new_key)] };
        let first = Trusted { number: 1, roots: vec![old.clone()] }.to_pem();
        let newest = follow(&chain, &held(&first).unwrap()).unwrap();
        assert_eq!(newest, Trusted { number: 3, roots: vec![new.clone()] });
        // What is written down is what is read again.
        assert_eq!(held(&newest.to_pem()).unwrap(), newest);
        // Only by way of the second bundle does the old root's holder come to the third.
        let cut = TrustChain { bundles: chain.bundles[1..].to_vec() };
        assert_eq!(follow(&cut, &held(&first).unwrap()), None);
        // The retired root's key gives nothing to whoever has retired it.
        let revenge = TrustChain { bundles: vec![bundle(4, &[&old], &old_key)] };
        assert_eq!(follow(&revenge, &newest), None);
    }

    #[test]
    fn only_a_held_roots_own_signature_counts() {
        let ((own, key), (other, other_key)) = (root(), root());
        let signed = |key: &KeyPair, message: &[u8]| BASE64.encode(&key.sign(message).unwrap());
        assert!(is_signed(&own, b"message", &signed(&key, b"message")));
        assert!(!is_signed(&own, b"another", &signed(&key, b"message")));
        assert!(!is_signed(&own, b"message", &signed(&other_key, b"message")));
        assert!(!is_signed(&other, b"message", &signed(&key, b"message")));
        for nothing in ["", "AAAA", "no base64", "A".repeat(4096).as_str()] {
            assert!(!is_signed(&own, b"message", nothing), "{nothing}");
        }
        let long = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let der = CertificateParams::new(Vec::new()).unwrap().self_signed(&long).unwrap().der().to_vec();
        assert!(!is_signed(&der, b"message", &signed(&long, b"message")), "another kind of key");
        assert!(!is_signed(b"no certificate", b"message", &signed(&key, b"message")));
    }
}
