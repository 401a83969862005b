//! A public key that somebody names, and signatures that only its owner can make: how an agent whose certificate has
//! ended proves itself. That the key is registered is not known here.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use super::csr::{P256_SPKI_BYTES, P256_SPKI_PREFIX};

/// Longest signature in base64: an ECDSA signature on P-256 in DER has at most 72 bytes.
const MAX_SIGNATURE_CHARS: usize = 96;

/// A text that is no public key of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key is not the SubjectPublicKeyInfo of an ECDSA key on P-256, in DER and base64")]
pub struct InvalidKey;

/// A P-256 public key; whether the sender holds its private key is yet to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedKey {
    spki: [u8; P256_SPKI_BYTES],
    sha256: [u8; 32],
}

impl PresentedKey {
    /// Reads a SubjectPublicKeyInfo in DER, base64.
    pub fn from_base64(text: &str) -> Result<Self, InvalidKey> {
        if text.len() != P256_SPKI_BYTES.div_ceil(3) * 4 {
            return Err(InvalidKey);
        }
        let der = BASE64.decode(text.as_bytes()).map_err(|_| InvalidKey)?;
        let spki: [u8; P256_SPKI_BYTES] = der.try_into().map_err(|_| InvalidKey)?;
        if !spki.starts_with(P256_SPKI_PREFIX) {
            return Err(InvalidKey);
        }
        Ok(Self { spki, sha256: Sha256::digest(spki).into() })
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the identity that the database knows.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Whether this key's owner signed `message`: `signature` is ECDSA with SHA-256, in DER, base64. A point that lies on
    /// no curve has signed nothing.
    pub fn has_signed(&self, message: &[u8], signature: &str) -> bool {
        if signature.len() > MAX_SIGNATURE_CHARS {
            return false;
        }
        let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return false };
        // The prefix ends with the first byte of the point, which says that it is not compressed.
        let point = &self.spki[P256_SPKI_PREFIX.len() - 1..];
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PublicKeyData as _, SigningKey as _};

    use super::*;

    #[test]
    fn only_the_owner_of_the_key_has_signed_and_only_what_was_signed() {
        let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let presented = PresentedKey::from_base64(&BASE64.encode(&own.subject_public_key_info())).unwrap();
        assert_eq!(presented.sha256()[..], Sha256::digest(own.subject_public_key_info())[..]);
        let sign = |key: &KeyPair, message: &[u8]| BASE64.encode(&key.sign(message).unwrap());
        assert!(presented.has_signed(b"nonce", &sign(&own, b"nonce")));
        assert!(!presented.has_signed(b"nonce", &sign(&own, b"another")));
        assert!(!presented.has_signed(b"nonce", &sign(&other, b"nonce")));
        for nothing in ["", "AAAA", "no base64", "A".repeat(4096).as_str()] {
            assert!(!presented.has_signed(b"nonce", nothing), "{nothing}");
        }
    }

    #[test]
    fn other_keys_and_other_texts_are_refused() {
        let long = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let own = BASE64.encode(&KeyPair::generate().unwrap().subject_public_key_info());
        for text in ["", "AAAA", &BASE64.encode(&long.subject_public_key_info()), &own.replace('M', "N"), &own[4..]] {
            assert_eq!(PresentedKey::from_base64(text), Err(InvalidKey), "{text}");
        }
        // The right form and no point of the curve.
        let nowhere = [P256_SPKI_PREFIX, &[1; 64]].concat();
        let presented = PresentedKey::from_base64(&BASE64.encode(&nowhere)).unwrap();
        assert!(!presented.has_signed(b"nonce", "MAYCAQECAQE="));
    }
}
