//! The agent's key: made on the device, never leaving it.
//!
//! The key is the identity; certificates come and go. Only its public half travels, inside a certificate request that
//! proves possession. Neither logs nor errors ever show it.

use cartable_common::protocol::CertificateGrant;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer,
    pem::{self, PemObject as _},
};

/// A P-256 private key.
pub struct Key(KeyPair);

/// A key, a certificate or a request that could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The cryptographic library refused.
    #[error("the key could not be used ({0}); remove the state directory and enrol again")]
    Key(#[from] rcgen::Error),
    /// A PEM text without a certificate, or with something else in it.
    #[error("no certificate could be read ({0}); a PEM file begins with -----BEGIN CERTIFICATE-----")]
    Certificate(String),
}

impl Key {
    /// Makes a new key with the system's randomness.
    pub fn generate() -> Result<Self, IdentityError> {
        Ok(Self(KeyPair::generate()?))
    }

    /// Reads a key that [`Key::to_pem`] wrote.
    pub fn from_pem(pem: &str) -> Result<Self, IdentityError> {
        Ok(Self(KeyPair::from_pem(pem)?))
    }

    /// The private key in PEM, for the state directory alone.
    pub fn to_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// A certificate request in PEM. It names nothing: the server writes every field of a certificate itself.
    pub fn request_pem(&self) -> Result<String, IdentityError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        Ok(params.serialize_request(&self.0)?.pem()?)
    }

    /// The public key (raw point), to recognise it.
    pub fn public_key(&self) -> &[u8] {
        self.0.public_key_raw()
    }

    pub(crate) fn to_rustls(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.serialize_der()).into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// The certificates in `pem`, at least one.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| IdentityError::Certificate(error.to_string()))?;
    if found.is_empty() {
        return Err(IdentityError::Certificate("the text holds none".to_owned()));
    }
    Ok(found)
}

/// Whether what the server granted can be used: its chain holds certificates.
pub fn check_grant(grant: &CertificateGrant) -> Result<(), IdentityError> {
    certificates(&grant.certificate_chain_pem).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_file_and_is_never_shown() {
        let key = Key::generate().unwrap();
        let again = Key::from_pem(&key.to_pem()).unwrap();
        assert_eq!(key.public_key(), again.public_key());
        assert_eq!(format!("{key:?}"), "Key([redacted])");
        assert_ne!(Key::generate().unwrap().public_key(), key.public_key());
    }

    #[test]
    fn a_request_is_small_names_nothing_and_keeps_the_key_at_home() {
        let key = Key::generate().unwrap();
        let request = key.request_pem().unwrap();
        assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
        assert!(request.len() < cartable_common::limits::MAX_CSR_BYTES / 8, "{}", request.len());
        assert!(!request.contains("PRIVATE"));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        assert!(certificates("").is_err());
        assert!(certificates(&Key::generate().unwrap().to_pem()).is_err());
    }
}
