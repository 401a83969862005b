//! The agent's key: made on the device, never leaving it; in the TPM where there is one, in the system's key store where that is
//! wanted, else in a file.
//!
//! The key is the identity; certificates come and go. Only its public half travels, inside a certificate request that
//! proves possession. Neither logs nor errors ever show it.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use cartable_common::{pem::encode as to_pem, protocol::CertificateGrant, report::KeyProtection};
use data_encoding::BASE64;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use rustls::{
    crypto::ring::sign,
    pki_types::{
        CertificateDer, PrivatePkcs8KeyDer,
        pem::{self, PemObject as _},
    },
    sign::SigningKey,
};

use crate::{
    csr,
    key_store::{StoreError, StoreKey},
    signing::{Held as _, HeldSigning},
    tpm::{self, TpmError, TpmKey},
};

/// What PEM calls a key that a TPM keeps, one in the system's key store, and one that is a file.
const TPM_LABEL: &str = "CARTABLE TPM KEY";
const STORE_LABEL: &str = "CARTABLE KEY STORE KEY";
const SOFTWARE_LABEL: &str = "PRIVATE KEY";

/// A P-256 private key.
pub enum Key {
    /// In a file of the state folder.
    Software(Box<SoftwareKey>),
    /// In the TPM; what lies in the state folder is of use to that TPM alone.
    Tpm(Arc<TpmKey>),
    /// In the system's key store; what lies in the state folder names it.
    Platform(Arc<StoreKey>),
}

/// A key in a file.
pub struct SoftwareKey {
    pkcs8: PrivatePkcs8KeyDer<'static>,
    pair: EcdsaKeyPair,
}

/// Where a new key is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// In a file.
    Software,
    /// In the TPM that answers here; in a file where none does.
    TpmOrSoftware(PathBuf),
    /// In the TPM that answers here, or nowhere.
    Tpm(PathBuf),
    /// In the system's key store; in a file where that makes none that works.
    PlatformOrSoftware,
}

/// Where a person wants a new key to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyPlace {
    /// In the TPM where there is one that can be used.
    #[default]
    Auto,
    /// In the TPM, or nowhere.
    Tpm,
    /// In a file: for machines whose TPM is slow or broken.
    Software,
}

/// A word that names no place for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is kept in one of: auto, tpm, software")]
pub struct InvalidKeyPlace;

impl FromStr for KeyPlace {
    type Err = InvalidKeyPlace;

    fn from_str(text: &str) -> Result<Self, InvalidKeyPlace> {
        match text {
            "auto" => Ok(Self::Auto),
            "tpm" => Ok(Self::Tpm),
            "software" => Ok(Self::Software),
            _ => Err(InvalidKeyPlace),
        }
    }
}

impl KeyPlace {
    /// Where the key is made on a machine whose TPM, if it has one, answers at `tpm`.
    #[must_use]
    pub fn with(self, tpm: Option<PathBuf>) -> Protection {
        match (self, tpm) {
            (Self::Software, _) | (Self::Auto, None) => Protection::Software,
            (Self::Auto, Some(tpm)) => Protection::TpmOrSoftware(tpm),
            (Self::Tpm, tpm) => Protection::Tpm(tpm.unwrap_or_else(|| tpm::DEVICE.into())),
        }
    }
}

/// A key, a certificate or a request that could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A key that is none, or another kind's.
    #[error("the key could not be used ({0}); remove the state directory and enrol again")]
    Key(String),
    /// The TPM did not make the key, or did not sign with it.
    #[error(transparent)]
    Tpm(#[from] TpmError),
    /// The system's key store did not make the key, or did not sign with it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no randomness for a key or a signature.
    #[error("the operating system gives no randomness; without it no key can be made")]
    Randomness,
    /// A PEM text without a certificate, or with something else in it.
    #[error("no certificate could be read ({0}); a PEM file begins with -----BEGIN CERTIFICATE-----")]
    Certificate(String),
}

impl IdentityError {
    /// Whether what held the key says definitely that it does not hold it any more.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Tpm(error) => error.is_lost(),
            Self::Store(error) => error.is_lost(),
            Self::Key(_) | Self::Randomness | Self::Certificate(_) => false,
        }
    }

    /// Whether it is of no use to try again: a key or a certificate that is none. A TPM or a key store may answer another time,
    /// and the system have randomness.
    pub const fn is_unusable(&self) -> bool {
        matches!(
            self,
            Self::Key(_) | Self::Certificate(_) | Self::Tpm(TpmError::NoKey) | Self::Store(StoreError::NoKey)
        )
    }
}

impl Key {
    /// Makes a new key in a file, with the system's randomness.
    pub fn generate() -> Result<Self, IdentityError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let document = made.map_err(|_| IdentityError::Randomness)?;
        Self::from_pkcs8(document.as_ref().to_vec().into())
    }

    /// Makes a new key where `protection` says.
    pub fn make(protection: &Protection) -> Result<Self, IdentityError> {
        match protection {
            Protection::Software => Self::generate(),
            Protection::Tpm(place) => Ok(Self::Tpm(Arc::new(TpmKey::create(place)?))),
            Protection::TpmOrSoftware(place) => match TpmKey::create(place) {
                Ok(key) => Ok(Self::Tpm(Arc::new(key))),
                Err(TpmError::Absent { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                    Self::generate()
                }
                Err(error) => {
                    tracing::warn!(%error, "the TPM is not used: the key is kept in a file");
                    Self::generate()
                }
            },
            Protection::PlatformOrSoftware => match StoreKey::create() {
                Ok(key) => Ok(Self::Platform(Arc::new(key))),
                Err(error) => {
                    tracing::warn!(%error, "the system's key store is not used: the key is kept in a file");
                    Self::generate()
                }
            },
        }
    }

    /// Another key, kept as this one is: in the same TPM or key store if that still makes one.
    pub fn successor(&self) -> Result<Self, IdentityError> {
        match self {
            Self::Software(_) => Self::generate(),
            Self::Tpm(key) => Self::make(&Protection::TpmOrSoftware(key.place().to_owned())),
            Self::Platform(_) => Self::make(&Protection::PlatformOrSoftware),
        }
    }

    /// Reads a key that [`Key::to_pem`] wrote.
    pub fn from_pem(pem: &str) -> Result<Self, IdentityError> {
        if let Some(kept) = content_of(pem, TPM_LABEL) {
            return Ok(Self::Tpm(Arc::new(TpmKey::from_kept(&kept)?)));
        }
        if let Some(kept) = content_of(pem, STORE_LABEL) {
            return Ok(Self::Platform(Arc::new(StoreKey::from_kept(&kept)?)));
        }
        let pkcs8 = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        Self::from_pkcs8(pkcs8.map_err(|error| IdentityError::Key(error.to_string()))?)
    }

    fn from_pkcs8(pkcs8: PrivatePkcs8KeyDer<'static>) -> Result<Self, IdentityError> {
        let (algorithm, bytes) = (&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.secret_pkcs8_der());
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, bytes, &SystemRandom::new());
        let pair = pair.map_err(|rejected| IdentityError::Key(rejected.to_string()))?;
        Ok(Self::Software(Box::new(SoftwareKey { pkcs8, pair })))
    }

    /// What keeps this key, as it is told to the server.
    pub const fn protection(&self) -> KeyProtection {
        match self {
            Self::Software(_) => KeyProtection::Software,
            Self::Tpm(_) => KeyProtection::Tpm,
            Self::Platform(_) => KeyProtection::Platform,
        }
    }

    /// The private key in PEM, for the state directory alone.
    pub fn to_pem(&self) -> String {
        match self {
            Self::Software(key) => to_pem(SOFTWARE_LABEL, key.pkcs8.secret_pkcs8_der()),
            Self::Tpm(key) => to_pem(TPM_LABEL, &key.kept()),
            Self::Platform(key) => to_pem(STORE_LABEL, &key.kept()),
        }
    }

    /// A certificate request in PEM. It names nothing: the server writes every field of a certificate itself.
    pub fn request_pem(&self) -> Result<String, IdentityError> {
        let to_be_signed = csr::to_be_signed(self.public_key());
        let signature = self.sign(&to_be_signed)?;
        Ok(to_pem("CERTIFICATE REQUEST", &csr::signed(&to_be_signed, &signature)))
    }

    /// The public key as the server registers it: its SubjectPublicKeyInfo in DER, base64.
    pub fn public_key_base64(&self) -> String {
        BASE64.encode(&csr::subject_public_key_info(self.public_key()))
    }

    /// This key's signature of `message`: ECDSA with SHA-256, in DER, base64.
    pub fn sign_base64(&self, message: &[u8]) -> Result<String, IdentityError> {
        Ok(BASE64.encode(&self.sign(message)?))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        match self {
            Self::Software(key) => {
                let signature = key.pair.sign(&SystemRandom::new(), message);
                Ok(signature.map_err(|_| IdentityError::Randomness)?.as_ref().to_vec())
            }
            Self::Tpm(key) => Ok(key.sign(message)?),
            Self::Platform(key) => key.sign(message),
        }
    }

    /// The public key (raw point), to recognise it.
    pub fn public_key(&self) -> &[u8] {
        match self {
            Self::Software(key) => key.pair.public_key().as_ref(),
            Self::Tpm(key) => key.point(),
            Self::Platform(key) => key.point(),
        }
    }

    /// The key as rustls signs handshakes with it.
    pub(crate) fn to_rustls(&self) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        match self {
            Self::Software(key) => sign::any_ecdsa_type(&key.pkcs8.clone_key().into()),
            Self::Tpm(key) => Ok(Arc::new(HeldSigning(key.clone()))),
            Self::Platform(key) => Ok(Arc::new(HeldSigning(key.clone()))),
        }
    }
}

/// What stands between the lines of PEM that name `label`, in one line.
fn content_of(pem: &str, label: &str) -> Option<String> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (content, _) = rest.split_once(&format!("-----END {label}-----"))?;
    Some(content.split_ascii_whitespace().collect())
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
    fn a_key_is_made_where_it_is_wanted_and_in_a_file_where_there_is_no_tpm() {
        let nowhere = Some(PathBuf::from("/nowhere/tpm"));
        for (place, tpm) in [("auto", None), ("auto", nowhere.clone()), ("software", nowhere.clone())] {
            let key = Key::make(&place.parse::<KeyPlace>().unwrap().with(tpm)).unwrap();
            assert_eq!(key.protection(), KeyProtection::Software, "{place}");
        }
        let wanted = Key::make(&"tpm".parse::<KeyPlace>().unwrap().with(nowhere));
        assert!(wanted.is_err_and(|error| !error.is_lost() && error.to_string().contains("/nowhere/tpm")));
        assert_eq!("TPM".parse::<KeyPlace>(), Err(InvalidKeyPlace));
    }

    #[cfg(not(windows))]
    #[test]
    fn a_key_is_a_file_where_no_key_store_makes_one() {
        let key = Key::make(&Protection::PlatformOrSoftware).unwrap();
        assert_eq!(key.protection(), KeyProtection::Software);
    }

    #[test]
    fn what_is_kept_of_a_key_in_the_key_store_names_it() {
        let point = Key::generate().unwrap().public_key().to_vec();
        let kept = [point.as_slice(), "cartable-agent-0123456789abcdef0123456789abcdef".as_bytes()].concat();
        let pem = to_pem("CARTABLE KEY STORE KEY", &kept);
        let key = Key::from_pem(&pem).unwrap();
        assert_eq!((key.protection(), key.public_key()), (KeyProtection::Platform, point.as_slice()));
        assert_eq!(key.to_pem(), pem);
        assert!(key.to_rustls().unwrap().public_key().unwrap().as_ref().ends_with(&point));
        let others = to_pem("CARTABLE KEY STORE KEY", &[point.as_slice(), "another program's".as_bytes()].concat());
        assert!(matches!(Key::from_pem(&others), Err(IdentityError::Store(StoreError::NoKey))));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        assert!(certificates("").is_err());
        assert!(certificates(&Key::generate().unwrap().to_pem()).is_err());
    }
}
