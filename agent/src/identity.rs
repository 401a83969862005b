//! The agent's key: made on the device, never leaving it.
//!
//! The key is the identity; certificates come and go. Only its public half travels, inside a certificate request that
//! proves possession. Neither logs nor errors ever show it.

use cartable_common::{pem::encode as to_pem, protocol::CertificateGrant};
use data_encoding::BASE64;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer,
    pem::{self, PemObject as _},
};

use crate::csr;

/// A P-256 private key.
pub struct Key {
    pkcs8: PrivatePkcs8KeyDer<'static>,
    pair: EcdsaKeyPair,
}

/// A key, a certificate or a request that could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A key that is none, or another kind's.
    #[error("the key could not be used ({0}); remove the state directory and enrol again")]
    Key(String),
    /// The system gave no randomness for a key or a signature.
    #[error("the operating system gives no randomness; without it no key can be made")]
    Randomness,
    /// A PEM text without a certificate, or with something else in it.
    #[error("no certificate could be read ({0}); a PEM file begins with -----BEGIN CERTIFICATE-----")]
    Certificate(String),
}

impl Key {
    /// Makes a new key with the system's randomness.
    pub fn generate() -> Result<Self, IdentityError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let document = made.map_err(|_| IdentityError::Randomness)?;
        Self::from_pkcs8(document.as_ref().to_vec().into())
    }

    /// Reads a key that [`Key::to_pem`] wrote.
    pub fn from_pem(pem: &str) -> Result<Self, IdentityError> {
        let pkcs8 = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        Self::from_pkcs8(pkcs8.map_err(|error| IdentityError::Key(error.to_string()))?)
    }

    fn from_pkcs8(pkcs8: PrivatePkcs8KeyDer<'static>) -> Result<Self, IdentityError> {
        let (algorithm, bytes) = (&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.secret_pkcs8_der());
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, bytes, &SystemRandom::new());
        let pair = pair.map_err(|rejected| IdentityError::Key(rejected.to_string()))?;
        Ok(Self { pkcs8, pair })
    }

    /// The private key in PEM, for the state directory alone.
    pub fn to_pem(&self) -> String {
        to_pem("PRIVATE KEY", self.pkcs8.secret_pkcs8_der())
    }

    /// A certificate request in PEM. It names nothing: the server writes every field of a certificate itself.
    pub fn request_pem(&self) -> Result<String, IdentityError> {
        let to_be_signed = csr::to_be_signed(self.public_key());
        let signature = self.pair.sign(&SystemRandom::new(), &to_be_signed).map_err(|_| IdentityError::Randomness)?;
        Ok(to_pem("CERTIFICATE REQUEST", &csr::signed(&to_be_signed, signature.as_ref())))
    }

    /// The public key as the server registers it: its SubjectPublicKeyInfo in DER, base64.
    pub fn public_key_base64(&self) -> String {
        BASE64.encode(&csr::subject_public_key_info(self.public_key()))
    }

    /// This key's signature of `message`: ECDSA with SHA-256, in DER, base64.
    pub fn sign_base64(&self, message: &[u8]) -> Result<String, IdentityError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| IdentityError::Randomness)?;
        Ok(BASE64.encode(signature.as_ref()))
    }

    /// The public key (raw point), to recognise it.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn to_rustls(&self) -> PrivateKeyDer<'static> {
        self.pkcs8.clone_key().into()
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
        // Reading it checks the proof of possession.
        let read = rcgen::CertificateSigningRequestParams::from_pem(&request).unwrap();
        assert_eq!(rcgen::PublicKeyData::der_bytes(&read.public_key), key.public_key());
        assert_eq!(read.params.distinguished_name, rcgen::DistinguishedName::new());
        assert!(read.params.subject_alt_names.is_empty());
        let forged = Key::generate().unwrap().request_pem().unwrap();
        let swapped = request.lines().take(2).chain(forged.lines().skip(2)).collect::<Vec<_>>().join("\n");
        assert!(rcgen::CertificateSigningRequestParams::from_pem(&swapped).is_err(), "another's signature");
    }

    #[test]
    fn the_public_key_is_written_as_the_certificate_request_writes_it() {
        let key = Key::generate().unwrap();
        let pair = rcgen::KeyPair::from_pem(&key.to_pem()).unwrap();
        let expected = BASE64.encode(&rcgen::PublicKeyData::subject_public_key_info(&pair));
        assert_eq!(key.public_key_base64(), expected);
        let signature = BASE64.decode(key.sign_base64(b"nonce").unwrap().as_bytes()).unwrap();
        let public =
            ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, key.public_key());
        public.verify(b"nonce", &signature).unwrap();
        assert!(public.verify(b"another", &signature).is_err());
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let certificate = to_pem("CERTIFICATE", &[0x30, 0]);
        for bad in ["", "no PEM", certificate.as_str(), to_pem("PRIVATE KEY", &[0x30, 0]).as_str()] {
            assert!(matches!(Key::from_pem(bad), Err(IdentityError::Key(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        assert!(certificates("").is_err());
        assert!(certificates(&Key::generate().unwrap().to_pem()).is_err());
    }
}
