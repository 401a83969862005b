//! The key that signs releases of the agent. It is apart from all others: it may, and should, be kept on a machine that the
//! server does not know, and is read only by the command that signs.
//!
//! The file names the moment when the key was made, because OpenPGP's name of a key is made from both.

use std::{fs, path::Path};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use cartable_common::{UtcMillis, update::UpdateKey};
use data_encoding::BASE64;

use super::files;
use crate::random;

const HEADER: &str = "cartable-update-key 1";

/// Signs releases.
pub struct UpdateSigner {
    pair: Ed25519KeyPair,
    public: UpdateKey,
    created_at: UtcMillis,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum UpdateKeyError {
    /// The file could not be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// Others may read it.
    #[error("others may read it; run: chmod 600 on it, and make another key if they did")]
    Exposed,
    /// It exists already.
    #[error("it exists; a key is never written over")]
    Exists,
    /// It holds something else.
    #[error("it is no file that `cartable-server updates new-key` wrote")]
    Form,
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] random::NoRandomness),
}

impl std::fmt::Debug for UpdateSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UpdateSigner({} [redacted])", self.public)
    }
}

impl UpdateSigner {
    /// Makes a key at `now` and writes it to `path`, where nothing may be, readable by its owner alone.
    pub fn make(path: &Path, now: UtcMillis) -> Result<Self, UpdateKeyError> {
        if path.exists() {
            return Err(UpdateKeyError::Exists);
        }
        let seed = random::bytes::<32>()?;
        // OpenPGP counts in seconds.
        let created_at = now.plus_millis(-(now.get() % 1000));
        let signer = Self::of(seed, created_at)?;
        let text = format!("{HEADER}\ncreated {}\nseed {}\n", created_at.get(), BASE64.encode(&seed));
        files::write_private(path, text.as_bytes())?;
        Ok(signer)
    }

    /// Reads the key in `path`.
    pub fn read(path: &Path) -> Result<Self, UpdateKeyError> {
        if files::is_exposed(path)? {
            return Err(UpdateKeyError::Exposed);
        }
        let text = fs::read_to_string(path)?;
        let (seed, created_at) = parse(&text).ok_or(UpdateKeyError::Form)?;
        Self::of(seed, created_at)
    }

    pub(super) fn of(seed: [u8; 32], created_at: UtcMillis) -> Result<Self, UpdateKeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| UpdateKeyError::Form)?;
        let bytes: &[u8] = pair.public_key().as_ref();
        let public = UpdateKey(bytes.try_into().map_err(|_| UpdateKeyError::Form)?);
        Ok(Self { pair, public, created_at })
    }

    /// Its public part.
    pub const fn public(&self) -> UpdateKey {
        self.public
    }

    /// When it was made, to the second.
    pub const fn created_at(&self) -> UtcMillis {
        self.created_at
    }

    /// Its signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }
}

/// Whether `key` made the signature, in base64, of `message`.
#[must_use]
pub fn has_signed(key: &UpdateKey, message: &[u8], signature: &str) -> bool {
    let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return false };
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, &signature).is_ok()
}

fn parse(text: &str) -> Option<([u8; 32], UtcMillis)> {
    let mut lines = text.lines();
    let header = lines.next()?;
    let created_at = UtcMillis::new(lines.next()?.strip_prefix("created ")?.parse().ok()?)?;
    let seed = BASE64.decode(lines.next()?.strip_prefix("seed ")?.as_bytes()).ok()?;
    (header == HEADER && lines.next().is_none()).then_some((seed.try_into().ok()?, created_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_for_its_owner_and_never_written_over() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("update.key");
        let now = UtcMillis::new(1_796_040_000_123).unwrap();
        let made = UpdateSigner::make(&path, now).unwrap();
        let read = UpdateSigner::read(&path).unwrap();
        assert_eq!((read.public(), read.created_at()), (made.public(), UtcMillis::new(1_796_040_000_000).unwrap()));
        assert!(matches!(UpdateSigner::make(&path, now), Err(UpdateKeyError::Exists)));
        let signature = BASE64.encode(&read.sign(b"text"));
        assert!(has_signed(&made.public(), b"text", &signature));
        assert!(!has_signed(&made.public(), b"another", &signature));
        assert!(!has_signed(&made.public(), b"text", "AAAA") && !has_signed(&made.public(), b"text", "no base64"));
        assert!(!format!("{read:?}").contains(&BASE64.encode(&[7; 8])));
        fs::write(&path, "cartable-update-key 1\ncreated x\n").unwrap();
        assert!(matches!(UpdateSigner::read(&path), Err(UpdateKeyError::Form)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            assert!(matches!(UpdateSigner::read(&path), Err(UpdateKeyError::Exposed)));
        }
    }
}
