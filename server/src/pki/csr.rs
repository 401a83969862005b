//! Reads a certificate request: takes its public key after proof of possession, and nothing else of it.

use cartable_common::limits::MAX_CSR_BYTES;
use rcgen::{PublicKeyData as _, SubjectPublicKeyInfo};
use rustls_pki_types::{CertificateSigningRequestDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer as _};

/// How every P-256 public key in uncompressed form begins (RFC 5480), and how long it is.
pub(super) const P256_SPKI_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
pub(super) const P256_SPKI_BYTES: usize = P256_SPKI_PREFIX.len() + 64;

/// Why a certificate request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCsr {
    /// Too long.
    #[error("the certificate request is longer than {MAX_CSR_BYTES} bytes")]
    TooLong,
    /// Not a PKCS#10 request in PEM.
    #[error("the certificate request is not PKCS#10 in PEM")]
    Form,
    /// Another kind of key.
    #[error("the certificate request's key is not an ECDSA key on P-256")]
    Key,
    /// The sender has not shown that it holds the private key.
    #[error("the certificate request is not signed by its own key")]
    Possession,
}

/// A P-256 public key whose private key the sender holds.
#[derive(Clone, Debug)]
pub struct ProvenKey {
    spki: SubjectPublicKeyInfo,
    sha256: [u8; 32],
}

impl ProvenKey {
    /// The key of a certificate request. The kind of key is looked at before any signature is computed.
    pub fn from_csr_pem(pem: &str) -> Result<Self, InvalidCsr> {
        if pem.len() > MAX_CSR_BYTES {
            return Err(InvalidCsr::TooLong);
        }
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).map_err(|_| InvalidCsr::Form)?;
        let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| InvalidCsr::Form)?;
        let spki = request.certification_request_info.subject_pki.raw;
        if !rest.is_empty() {
            return Err(InvalidCsr::Form);
        }
        if spki.len() != P256_SPKI_BYTES || !spki.starts_with(P256_SPKI_PREFIX) {
            return Err(InvalidCsr::Key);
        }
        request.verify_signature().map_err(|_| InvalidCsr::Possession)?;
        let spki = SubjectPublicKeyInfo::from_der(spki).map_err(|_| InvalidCsr::Key)?;
        let sha256 = Sha256::digest(spki.subject_public_key_info()).into();
        Ok(Self { spki, sha256 })
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the identity that the database knows.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    pub(super) const fn spki(&self) -> &SubjectPublicKeyInfo {
        &self.spki
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    fn csr(key: &KeyPair) -> String {
        CertificateParams::new(vec!["a.example".to_owned()]).unwrap().serialize_request(key).unwrap().pem().unwrap()
    }

    #[test]
    fn the_key_is_taken_after_proof_of_possession() {
        let key = KeyPair::generate().unwrap();
        let proven = ProvenKey::from_csr_pem(&csr(&key)).unwrap();
        assert_eq!(proven.sha256()[..], Sha256::digest(key.subject_public_key_info())[..]);
    }

    #[test]
    fn other_keys_and_other_texts_are_refused() {
        for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            assert_eq!(ProvenKey::from_csr_pem(&csr(&key)).unwrap_err(), InvalidCsr::Key);
        }
        assert_eq!(ProvenKey::from_csr_pem("hello").unwrap_err(), InvalidCsr::Form);
        assert_eq!(ProvenKey::from_csr_pem(&"A".repeat(MAX_CSR_BYTES + 1)).unwrap_err(), InvalidCsr::TooLong);
    }

    /// RSA 2048, made once with `openssl req`.
    const RSA: &str = include_str!("../../tests/data/rsa2048.csr");

    #[test]
    fn an_rsa_key_is_refused_before_its_signature_is_computed() {
        assert_eq!(ProvenKey::from_csr_pem(RSA).unwrap_err(), InvalidCsr::Key);
    }

    #[test]
    fn another_keys_request_is_refused() {
        let key = KeyPair::generate().unwrap();
        let der = CertificateSigningRequestDer::from_pem_slice(csr(&key).as_bytes()).unwrap();
        let mut forged = der.to_vec();
        let other = KeyPair::generate().unwrap();
        let (mine, theirs) = (key.subject_public_key_info(), other.subject_public_key_info());
        let at = forged.windows(mine.len()).position(|window| window == mine).unwrap();
        forged[at..at + theirs.len()].copy_from_slice(&theirs);
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            data_encoding::BASE64.encode(&forged)
        );
        assert_eq!(ProvenKey::from_csr_pem(&pem).unwrap_err(), InvalidCsr::Possession);
    }
}
