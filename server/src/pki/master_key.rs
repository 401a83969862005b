//! The key that encrypts private keys at rest: from the environment, a service credential, or a file.
//!
//! It never lies in the data directory, so that a copy of that directory alone signs nothing.

use std::{
    env,
    path::{Path, PathBuf},
};

use aws_lc_rs::hmac;
use data_encoding::BASE64;

use super::{files, sealed};

/// Environment variable that holds the key, in base64.
const VARIABLE: &str = "CARTABLE_KEY";
/// Name of the key among the credentials of a systemd service.
const CREDENTIAL: &str = "cartable-key";
const KEY_BYTES: usize = 32;

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// None was given.
    #[error(
        "no key for the private keys at rest: set CARTABLE_KEY (base64 of 32 bytes), give --key-file FILE, or pass the \
         systemd credential `cartable-key`"
    )]
    Missing,
    /// It is not base64 of 32 bytes.
    #[error("{origin}: a key is base64 of 32 bytes (44 characters)")]
    Form {
        /// Where it came from.
        origin: String,
    },
    /// The file cannot be read.
    #[error("key file {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("key file {}: others may read it; run `chmod 600` on it", path.display())]
    Exposed {
        /// Which one.
        path: PathBuf,
    },
    /// It would lie beside what it protects.
    #[error("key file {}: keep it outside the data directory, or every backup of that gives the keys away", path.display())]
    Beside {
        /// Which one.
        path: PathBuf,
    },
    /// No randomness to make one.
    #[error(transparent)]
    Randomness(#[from] crate::random::NoRandomness),
}

/// The key. Printing it through `Debug` shows nothing.
#[derive(Clone)]
pub struct MasterKey(pub(super) [u8; KEY_BYTES]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

impl MasterKey {
    /// Finds the key: the environment first, then the service's credential, then `file`, which is often root's and
    /// closed to the service itself.
    pub fn find(file: Option<&Path>) -> Result<Self, KeyError> {
        Self::choose(env::var(VARIABLE).ok().as_deref(), file, credential().as_deref())
    }

    fn choose(variable: Option<&str>, file: Option<&Path>, credential: Option<&Path>) -> Result<Self, KeyError> {
        if let Some(text) = variable {
            return Self::parse(text, VARIABLE);
        }
        match (credential, file) {
            // The service manager guards its credentials by access lists, which show as group bits.
            (Some(path), _) => Self::read(path),
            (None, Some(path)) => Self::read_guarded(path),
            (None, None) => Err(KeyError::Missing),
        }
    }

    /// Finds the key, or makes one in `file` where that does not exist yet. True if it was made now.
    pub fn find_or_create(file: Option<&Path>, data: &Path) -> Result<(Self, bool), KeyError> {
        let is_given = env::var_os(VARIABLE).is_some() || credential().is_some();
        match file.filter(|path| !path.exists() && !is_given) {
            Some(path) => Ok((Self::create(path, data)?, true)),
            None => Ok((Self::find(file)?, false)),
        }
    }

    fn create(path: &Path, data: &Path) -> Result<Self, KeyError> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        if inside(parent, data) {
            return Err(KeyError::Beside { path: path.to_owned() });
        }
        let key = Self(crate::random::bytes()?);
        files::write_private(path, format!("{}\n", BASE64.encode(&key.0)).as_bytes())
            .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Ok(key)
    }

    fn read_guarded(path: &Path) -> Result<Self, KeyError> {
        let exposed = files::is_exposed(path).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        if exposed { Err(KeyError::Exposed { path: path.to_owned() }) } else { Self::read(path) }
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(path).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, origin: &str) -> Result<Self, KeyError> {
        let bytes = BASE64.decode(text.trim().as_bytes()).ok();
        let key = bytes.and_then(|bytes| bytes.try_into().ok());
        key.map(Self).ok_or_else(|| KeyError::Form { origin: origin.to_owned() })
    }

    /// The key with these bytes: for tests, which keep nothing.
    pub fn of(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Another key, for one purpose only: it tells nothing of this one or of those for other purposes (RFC 5869, with
    /// HMAC-SHA256 as its expansion of one block).
    pub fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"cartable"), &self.0);
        let key = hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref());
        let block = hmac::sign(&key, &[purpose.as_bytes(), &[1]].concat());
        let mut derived = [0; KEY_BYTES];
        derived.copy_from_slice(block.as_ref());
        derived
    }

    /// Encrypts `plain` for the purpose that `name` states.
    pub(super) fn seal(&self, name: &str, plain: &[u8]) -> Result<String, super::PkiError> {
        sealed::seal(&self.0, name, plain).map_err(|_| super::PkiError::Sealing)
    }

    /// Decrypts what was sealed for that purpose; nothing where key, purpose or content differ.
    pub fn open(&self, name: &str, text: &str) -> Option<Vec<u8>> {
        sealed::open(&self.0, name, text)
    }
}

fn credential() -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
    path.exists().then_some(path)
}

/// Whether `parent` lies in `data`, links followed; what does not exist lies nowhere.
fn inside(parent: &Path, data: &Path) -> bool {
    match (parent.canonicalize(), data.canonicalize()) {
        (Ok(parent), Ok(data)) => parent.starts_with(data),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_never_made_beside_the_data() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let file = home.path().join("key");
        let first = MasterKey::create(&file, &data).unwrap();
        assert_eq!(first.0, MasterKey::choose(None, Some(&file), None).unwrap().0);
        assert!(matches!(MasterKey::create(&data.join("key"), &data), Err(KeyError::Beside { .. })));
        assert_eq!(format!("{first:?}"), "MasterKey([redacted])");
    }

    #[test]
    fn a_services_credential_wins_over_a_file_that_only_root_may_read() {
        let home = tempfile::tempdir().unwrap();
        let key = |name: &str, byte: u8| {
            let path = home.path().join(name);
            files::write_private(&path, BASE64.encode(&[byte; 32]).as_bytes()).unwrap();
            path
        };
        let (file, credential) = (key("file", 1), key("credential", 2));
        assert_eq!(MasterKey::choose(None, Some(&file), Some(&credential)).unwrap().0, [2; 32]);
        let closed = home.path().join("not-for-you");
        assert_eq!(MasterKey::choose(None, Some(&closed), Some(&credential)).unwrap().0, [2; 32]);
        let variable = BASE64.encode(&[3; 32]);
        assert_eq!(MasterKey::choose(Some(&variable), Some(&file), Some(&credential)).unwrap().0, [3; 32]);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("key");
        std::fs::write(&file, BASE64.encode(&[1; 32])).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(MasterKey::choose(None, Some(&file), None), Err(KeyError::Exposed { .. })));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        MasterKey::choose(None, Some(&file), None).unwrap();
        std::fs::write(&file, "short").unwrap();
        assert!(matches!(MasterKey::choose(None, Some(&file), None), Err(KeyError::Form { .. })));
    }
}
