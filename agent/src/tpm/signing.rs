//! A TPM's key as rustls asks for it: what signs the handshake of each connection that does not resume an earlier one.
//!
//! The signature is waited for where it is needed, on the agent's one thread: some tenths of a second, during which it has
//! nothing else to do.

use std::sync::Arc;

use rustls::{
    Error, OtherError, SignatureAlgorithm, SignatureScheme,
    pki_types::SubjectPublicKeyInfoDer,
    sign::{Signer, SigningKey},
};

use super::TpmKey;
use crate::csr;

/// The only signature that the device authority's certificates are for.
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

/// A TPM's key for handshakes.
#[derive(Clone, Debug)]
pub(crate) struct TpmSigning(pub(crate) Arc<TpmKey>);

impl SigningKey for TpmSigning {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(csr::subject_public_key_info(self.0.point()).into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for TpmSigning {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        // Kept as it is: whether the key is lost is read from it, far above.
        self.0.sign(message).map_err(|error| Error::Other(OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}
