//! Signs what people order of agents. Its certificate comes directly from the root and is good for nothing else, so that
//! neither the gateway's key nor the intermediates' can order anything.

use cartable_common::action::{SignedAction, SignedActions, signed_message};
use data_encoding::BASE64;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use rustls_pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;

use super::PkiError;

/// Signs orders.
#[derive(Debug)]
pub struct ActionSigner {
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

impl ActionSigner {
    /// The signer of that certificate; none where the key is another's.
    pub(super) fn new(certificate: CertificateDer<'static>, key: KeyPair) -> Option<Self> {
        let fits = {
            let (_, parsed) = parse_x509_certificate(&certificate).ok()?;
            parsed.public_key().raw == key.subject_public_key_info()
        };
        fits.then_some(Self { key, certificate })
    }

    /// These texts, each signed.
    pub fn sign(&self, texts: Vec<String>) -> Result<SignedActions, PkiError> {
        let sign = |text: String| -> Result<SignedAction, PkiError> {
            let signature = BASE64.encode(&self.key.sign(&signed_message(&text))?);
            Ok(SignedAction { text, signature })
        };
        let orders = texts.into_iter().map(sign).collect::<Result<_, _>>()?;
        Ok(SignedActions { certificate: BASE64.encode(&self.certificate), orders })
    }
}
