//! The cryptography that the agent speaks: TLS 1.3 and P-256, because the device authority issues nothing else.
//!
//! What is not here cannot be negotiated: no RSA, no TLS 1.2 suite. Nor does the program carry them, which is a
//! twentieth of its size.

use std::sync::Arc;

use rustls::{
    Error, SignatureScheme,
    crypto::{
        CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
        ring::{cipher_suite, kx_group, sign},
    },
    pki_types::PrivateKeyDer,
    sign::SigningKey,
};
use webpki::ring::ECDSA_P256_SHA256;

/// The signatures that count, in certificates and in handshakes.
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[ECDSA_P256_SHA256],
    mapping: &[(SignatureScheme::ECDSA_NISTP256_SHA256, &[ECDSA_P256_SHA256])],
};

/// What rustls may use.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &System,
        key_provider: &System,
    }
}

/// The operating system's randomness, and keys as the agent makes them.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(buffer).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for System {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        sign::any_ecdsa_type(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Key;

    #[test]
    fn nothing_older_than_tls_13_and_no_rsa_can_be_negotiated() {
        let provider = provider();
        assert!(provider.cipher_suites.iter().all(|suite| suite.tls13().is_some()));
        assert_eq!(SIGNATURES.supported_schemes(), [SignatureScheme::ECDSA_NISTP256_SHA256]);
        let key = Key::generate().unwrap().to_rustls().unwrap();
        assert!(key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).is_some());
    }
}
