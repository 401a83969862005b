//! A key that lives in the operating system's own key store: on Windows that of its "Microsoft Platform Crypto Provider",
//! which keeps it in the TPM.
//!
//! What lies in the state folder is the key's name there and its public half. It is used only where a person wants it
//! ([`KeyStore::Platform`]), because nobody has seen it on a real TPM.
//!
//! What the key store says is taken at its word in one case only: that it has no such key ([`StoreError::is_lost`]).
//! Everything else may pass, and the key is kept.

mod system;

use std::str::FromStr;

use data_encoding::BASE64;
use uuid::Uuid;

use self::system::System;
use crate::{
    csr,
    identity::{IdentityError, Protection},
    signing::{self, Held},
};

/// Bytes of a coordinate, and of each half of a signature.
const COORDINATE_BYTES: usize = 32;
/// Bytes of an uncompressed point: 4, and two coordinates.
const POINT_BYTES: usize = 1 + 2 * COORDINATE_BYTES;

/// What an `ECCPUBLICBLOB` of P-256 begins with (bcrypt.h, `BCRYPT_ECCKEY_BLOB`): `BCRYPT_ECDSA_PUBLIC_P256_MAGIC`, and the
/// bytes of a coordinate.
const BLOB_HEAD: &[u8] = b"ECS1\x20\0\0\0";

/// What the names of the agent's keys begin with; a random number follows. No other key is ever opened or removed.
const NAME: &str = "cartable-agent-";
/// Digits of that number.
const DIGITS: usize = 32;

/// What a new key signs to show that its key store can be relied on.
const TRIAL: &[u8] = b"cartable-key-store-trial-1\n";

/// NTE_NO_KEY, NTE_NOT_FOUND, NTE_BAD_KEYSET (winerror.h): there is no such key.
const GONE: [u32; 3] = [0x8009_000d, 0x8009_0011, 0x8009_0016];
/// NTE_PERM, NTE_NOT_SUPPORTED, NTE_DEVICE_NOT_READY.
const NO_RIGHT: u32 = 0x8009_0010;
const NOT_SUPPORTED: u32 = 0x8009_0029;
const NOT_READY: u32 = 0x8009_0030;

/// Whether a person wants new keys in the key store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyStore {
    /// No: in a file.
    #[default]
    File,
    /// Yes, where it makes one that works.
    Platform,
}

/// A word that names no key store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keys are kept in one of: file, platform")]
pub struct InvalidKeyStore;

impl FromStr for KeyStore {
    type Err = InvalidKeyStore;

    fn from_str(text: &str) -> Result<Self, InvalidKeyStore> {
        match text {
            // An installer that was not told says nothing.
            "file" | "" => Ok(Self::File),
            "platform" => Ok(Self::Platform),
            _ => Err(InvalidKeyStore),
        }
    }
}

impl KeyStore {
    /// Where a new key is made, `otherwise` where no key store is wanted.
    #[must_use]
    pub fn or(self, otherwise: Protection) -> Protection {
        match self {
            Self::File => otherwise,
            Self::Platform => Protection::PlatformOrSoftware,
        }
    }
}

/// What a key store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To answer at all.
    Open,
    /// To begin a key.
    Begin,
    /// To make and keep it.
    Finish,
    /// To tell its public half.
    Public,
    /// To find a key by its name.
    Find,
    /// To sign.
    Sign,
    /// To remove it.
    Remove,
}

/// A key store that did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// This system has none.
    #[error("this system has no key store that the agent can use")]
    Absent,
    /// It refused.
    #[error("the system's key store refuses {step:?} ({code})")]
    Refused {
        /// What it was asked.
        step: Step,
        /// Why.
        code: Code,
    },
    /// It answered something else than is documented.
    #[error("the key store's answer to {0:?} makes no sense, or its signature does not hold")]
    Malformed(Step),
    /// The text is no key of the agent's in a key store.
    #[error("this is no key that a key store keeps")]
    NoKey,
}

/// Windows' number of an error, an `HRESULT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hint = match self.0 {
            code if GONE.contains(&code) => ": it has no such key, or the TPM was cleared",
            NO_RIGHT => ": it wants an administrator, or the system itself",
            NOT_SUPPORTED => ": it makes no such keys",
            NOT_READY => ": the TPM is not ready",
            _ => "",
        };
        write!(f, "0x{:08x}{hint}", self.0)
    }
}

impl StoreError {
    /// Whether the key store says definitely that it has no such key. Nothing that may pass counts.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Refused { step: Step::Find | Step::Sign, code } if GONE.contains(&code.0))
    }
}

/// What a key store does for the agent, so that what follows from its answers is tested where there is none.
trait Store {
    /// Makes a key of that name and keeps it; gives its public half as an `ECCPUBLICBLOB`.
    fn make(&self, name: &str) -> Result<Vec<u8>, StoreError>;

    /// The signature of `message` (ECDSA with SHA-256) by the key of that name: two numbers, one after the other.
    fn sign(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Removes the key of that name.
    fn remove(&self, name: &str) -> Result<(), StoreError>;
}

/// A key in the key store.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreKey {
    name: String,
    point: [u8; POINT_BYTES],
}

impl StoreKey {
    /// Makes a key, and has it sign once: a key store that signs wrongly is none.
    pub fn create() -> Result<Self, StoreError> {
        Self::create_in(&System)
    }

    fn create_in(store: &impl Store) -> Result<Self, StoreError> {
        let name = format!("{NAME}{}", Uuid::new_v4().simple());
        let tried = Self::tried(store, &name);
        if tried.is_err() {
            // There may be nothing to remove.
            let _ = store.remove(&name);
        }
        tried
    }

    fn tried(store: &impl Store, name: &str) -> Result<Self, StoreError> {
        let point = read_public(&store.make(name)?).ok_or(StoreError::Malformed(Step::Public))?;
        let key = Self { name: name.to_owned(), point };
        let signature = key.sign_in(store, TRIAL)?;
        if signing::holds(&key.point, TRIAL, &signature) { Ok(key) } else { Err(StoreError::Malformed(Step::Sign)) }
    }

    fn sign_in(&self, store: &impl Store, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        let signature = store.sign(&self.name, message)?;
        if signature.len() != 2 * COORDINATE_BYTES {
            return Err(StoreError::Malformed(Step::Sign));
        }
        let (r, s) = signature.split_at(COORDINATE_BYTES);
        Ok(csr::signature(r, s))
    }

    /// Removes it from the key store; one that is not there is no failure.
    pub fn remove(&self) -> Result<(), StoreError> {
        System.remove(&self.name).or_else(|error| if error.is_lost() { Ok(()) } else { Err(error) })
    }

    /// What is kept of it: its public half, and its name.
    pub(crate) fn kept(&self) -> Vec<u8> {
        [self.point.as_slice(), self.name.as_bytes()].concat()
    }

    /// Reads what [`StoreKey::kept`] gave, in base64.
    pub(crate) fn from_kept(base64: &str) -> Result<Self, StoreError> {
        let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| StoreError::NoKey)?;
        let (point, name) = bytes.split_first_chunk::<POINT_BYTES>().ok_or(StoreError::NoKey)?;
        let name = std::str::from_utf8(name).ok().filter(|name| is_ours(name)).ok_or(StoreError::NoKey)?;
        Ok(Self { name: name.to_owned(), point: *point })
    }
}

impl Held for StoreKey {
    fn point(&self) -> &[u8] {
        &self.point
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        Ok(self.sign_in(&System, message)?)
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreKey({})", self.name)
    }
}

/// Whether a key of this name is the agent's.
fn is_ours(name: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix(NAME).is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(is_digit))
}

/// The point of an `ECCPUBLICBLOB`.
fn read_public(blob: &[u8]) -> Option<[u8; POINT_BYTES]> {
    let coordinates = blob.strip_prefix(BLOB_HEAD)?;
    let mut point = [4; POINT_BYTES];
    (coordinates.len() == POINT_BYTES - 1).then(|| {
        point[1..].copy_from_slice(coordinates);
        point
    })
}

#[cfg(test)]
mod tests;
