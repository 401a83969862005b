//! A key that something else holds, as rustls asks for it: what signs the handshake of each connection that does not resume an
//! earlier one.
//!
//! The signature is waited for where it is needed, on the agent's one thread: some tenths of a second, during which it has
//! nothing else to do.

use std::{fmt::Debug, sync::Arc};

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::{
    Error, OtherError, SignatureAlgorithm, SignatureScheme,
    pki_types::SubjectPublicKeyInfoDer,
    sign::{Signer, SigningKey},
};

use crate::{csr, identity::IdentityError};

/// The only signature that the device authority's certificates are for.
const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

/// A key that is asked for its signatures: its private half is not here.
pub(crate) trait Held: Debug + Send + Sync {
    /// The public key: an uncompressed point.
    fn point(&self) -> &[u8];

    /// ECDSA with SHA-256 of `message`, in DER.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError>;
}

/// Whether `signature` (in DER) is one of `message` by the key with this point: what makes a key is believed once it signs.
pub(crate) fn holds(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
}

/// Such a key for handshakes.
#[derive(Clone, Debug)]
pub(crate) struct HeldSigning(pub(crate) Arc<dyn Held>);

impl SigningKey for HeldSigning {
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

impl Signer for HeldSigning {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        // Kept as it is: whether the key is lost is read from it, far above.
        self.0.sign(message).map_err(|error| Error::Other(OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}
