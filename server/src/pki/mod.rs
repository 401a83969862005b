//! The device certificate authority: a root that can be kept off the server, an intermediate that signs device
//! certificates, another that signs the gateway's, and the gateway's certificate itself.
//!
//! Identity is the public key registered in the database; a certificate is only a lease on it. So every field of a
//! certificate is built here from a template, and of a certificate request nothing but its public key is used.
//! Private keys are encrypted at rest with a key that never lies beside them.

mod action_signer;
mod authority;
mod csr;
mod files;
mod gateway_certificate;
mod issuer;
mod made_key;
mod manifest;
mod master_key;
mod nonce;
pub mod openpgp;
mod presented_key;
mod rotation;
mod sealed;
mod standing;
mod template;
pub mod update_signer;

pub use action_signer::ActionSigner;
pub use authority::Authority;
pub use csr::{InvalidCsr, ProvenKey};
pub use files::write_private;
pub use gateway_certificate::GatewayCertificate;
pub use issuer::DeviceIssuer;
pub use made_key::MadeKey;
pub use manifest::is_chain;
pub use master_key::{KeyError, MasterKey};
pub use nonce::{Nonce, Nonces};
pub use presented_key::{InvalidKey, PresentedKey};
pub use rotation::Rotation;
pub(crate) use sealed::{open as open_sealed, seal};
pub use standing::{RootInfo, RootRole, Standing};

use std::path::PathBuf;

/// Why the authority could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The key for the keys at rest is missing or useless.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// The key at hand is not the one that sealed the file.
    #[error(
        "{}: the key at hand does not open it. Give the key that `cartable-server init` used: CARTABLE_KEY, --key-file \
         or the service's credential", path.display()
    )]
    WrongKey {
        /// Which file.
        path: PathBuf,
    },
    /// There is an authority already.
    #[error("{}: there is a certificate authority already; it is never replaced", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The private key of a root is elsewhere.
    #[error(
        "{}: the private key of the root `{name}` is not here. Bring the medium it was moved to, and give --root-key FILE",
        path.display()
    )]
    NoRootKey {
        /// Which root.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file given for a root's private key holds another.
    #[error(
        "{}: this is not the private key of the root `{name}`, but another root's, or none. Give --root-key the file of that root",
        path.display()
    )]
    OtherRootKey {
        /// Which root.
        name: String,
        /// Which file.
        path: PathBuf,
    },
    /// A step of a rotation that is not its turn.
    #[error("{why}; `cartable-server authority status` says how it stands")]
    Step {
        /// What comes first.
        why: &'static str,
    },
    /// The cryptographic library refused.
    #[error("certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A key that was made just now is not one that certificates are given for.
    #[error("the key that was made is of no use: {0}")]
    MadeKey(#[from] InvalidCsr),
    /// Encryption failed.
    #[error("encryption of a private key failed")]
    Sealing,
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] crate::random::NoRandomness),
}
