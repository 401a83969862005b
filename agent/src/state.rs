//! What the agent keeps on disk: its enrolment with the key, what it learnt from the last contacts, the spool, a lock.
//!
//! The folder is 0700 and belongs to the agent's own user; anything else is refused, because whoever can write there is
//! this laptop for the server. Each file is written whole or not at all. The key stands in the same file as the
//! certificate granted for it, so that the two can never differ.

mod damage;
mod enrolment;
mod error;
mod keys;
mod lock;
mod memory;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cartable_common::{UtcMillis, report::KeyProtection};
use serde::{Serialize, de::DeserializeOwned};

pub use enrolment::{Enrolment, Healing, Pending};
pub use error::StateError;
pub use lock::Lock;
pub use memory::{Failure, Memory};

use crate::{access, actions::Kept, atomic, disclosure::Shown, json, reader::KeptDrives, update::Progress};

const ENROLMENT: &str = "enrolment.json";
const PENDING: &str = "pending.json";
const HEALING: &str = "healing.json";
const MEMORY: &str = "memory.json";
const DRIVES: &str = "drives.json";
const SHOWN: &str = "shown.json";
const ACTIONS: &str = "actions.json";
const SPOOL: &str = "spool";
const LOCK: &str = "lock";
const UPDATE: &str = "update.json";
const UPDATE_FILES: &str = "update";

/// The agent's folder.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Opens the folder, made if absent.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        if !path.exists() {
            access::make(path).map_err(|source| StateError::Io { path: path.to_owned(), source })?;
        }
        Self::existing(path)
    }

    /// The folder as it is, for commands that change nothing.
    pub fn existing(path: &Path) -> Result<Self, StateError> {
        access::check(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Where the spool lies.
    pub fn spool_folder(&self) -> PathBuf {
        self.0.join(SPOOL)
    }

    /// The enrolment, if there is one.
    pub fn enrolment(&self) -> Result<Option<Enrolment>, StateError> {
        self.read(ENROLMENT)
    }

    /// What keeps the key of the enrolment in the folder at `path`, for a command that uses nothing of it; nothing where there
    /// is none or where it may not be read.
    pub fn key_protection_at(path: &Path) -> Option<KeyProtection> {
        let enrolment: Enrolment = serde_json::from_slice(&fs::read(path.join(ENROLMENT)).ok()?).ok()?;
        enrolment.key_protection()
    }

    /// The enrolment that waits, if there is one.
    pub fn pending(&self) -> Result<Option<Pending>, StateError> {
        self.read(PENDING)
    }

    /// What was learnt; nothing when it was lost.
    pub fn memory(&self) -> Memory {
        self.read(MEMORY).ok().flatten().unwrap_or_default()
    }

    /// What the drives said last; nothing when it was lost.
    pub fn drives(&self) -> Option<KeptDrives> {
        self.read(DRIVES).ok().flatten()
    }

    /// Keeps what the drives said.
    pub fn keep_drives(&self, drives: &KeptDrives) -> Result<(), StateError> {
        self.write(DRIVES, drives)
    }

    /// What the borrower may read; nothing when it was lost.
    pub fn shown(&self) -> Option<Shown> {
        self.read(SHOWN).ok().flatten()
    }

    /// Keeps what the borrower may read.
    pub fn keep_shown(&self, shown: &Shown) -> Result<(), StateError> {
        self.write(SHOWN, shown)
    }

    /// The new key that this machine asks for, if it asks for one. A damaged one counts as none: it was never granted.
    pub fn healing(&self) -> Option<Healing> {
        self.read(HEALING).ok().flatten()
    }

    /// Keeps a new key before it is asked for.
    pub fn keep_healing(&self, healing: &Healing) -> Result<(), StateError> {
        self.letting_go(&|| self.write(HEALING, healing))
    }

    /// Gives up a new key that the server will never grant.
    pub fn forget_healing(&self) -> Result<(), StateError> {
        self.letting_go(&|| self.forget(HEALING))
    }

    /// What was done of orders. Where that is damaged, nothing that was ordered before `known` is done any more.
    pub fn actions(&self, known: UtcMillis) -> Kept {
        match self.read(ACTIONS) {
            Ok(kept) => kept.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "what was done of orders is lost: none of before is carried out");
                Kept::lost(known)
            }
        }
    }

    /// Keeps what was done of orders: before it is.
    pub fn keep_actions(&self, kept: &Kept) -> Result<(), StateError> {
        self.write(ACTIONS, kept)
    }

    /// How far an update is, and the keys that may sign one. Damaged, it counts as none: no key, no update.
    pub fn update(&self) -> Progress {
        self.read(UPDATE).ok().flatten().unwrap_or_default()
    }

    /// Keeps how far an update is.
    pub fn keep_update(&self, progress: &Progress) -> Result<(), StateError> {
        self.write(UPDATE, progress)
    }

    /// The folder of what an update brings and keeps, made if absent.
    pub fn update_folder(&self) -> Result<PathBuf, StateError> {
        let path = self.0.join(UPDATE_FILES);
        fs::create_dir_all(&path).map_err(|source| StateError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// The folder of what an update brings and keeps, if there is one.
    pub fn update_folder_if_any(&self) -> Option<PathBuf> {
        Some(self.0.join(UPDATE_FILES)).filter(|path| path.is_dir())
    }

    /// Removes what an update brought and kept.
    pub fn clear_update_folder(&self) -> Result<(), StateError> {
        let path = self.0.join(UPDATE_FILES);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StateError::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Forgets what was learnt from an earlier server.
    pub fn forget_memory(&self) -> Result<(), StateError> {
        self.forget(MEMORY)
    }

    /// Forgets what the borrower may read of another device.
    pub fn forget_shown(&self) -> Result<(), StateError> {
        self.forget(SHOWN)
    }

    /// Keeps a granted enrolment; the request it came from is forgotten.
    pub fn keep_enrolment(&self, enrolment: &Enrolment) -> Result<(), StateError> {
        self.letting_go(&|| {
            self.write(ENROLMENT, enrolment)?;
            self.forget(PENDING)?;
            self.forget(HEALING)
        })
    }

    fn forget(&self, name: &str) -> Result<(), StateError> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StateError::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Keeps another certificate for the key of the enrolment, or newer roots beside both. A new enrolment that waits beside it goes on waiting.
    pub fn keep_certificate(&self, enrolment: &Enrolment) -> Result<(), StateError> {
        self.write(ENROLMENT, enrolment)
    }

    /// Keeps a request before it is sent.
    pub fn keep_pending(&self, pending: &Pending) -> Result<(), StateError> {
        self.letting_go(&|| self.write(PENDING, pending))
    }

    /// Keeps what was learnt.
    pub fn keep_memory(&self, memory: &Memory) -> Result<(), StateError> {
        self.write(MEMORY, memory)
    }

    /// Removes everything that is kept here, the key last: a removal that is cut off still has the key to be told again.
    /// The empty folder stays, because it is the service manager's. The caller holds the lock, which goes too.
    pub fn remove_everything(&self) -> Result<(), StateError> {
        self.letting_go(&|| self.remove_files())
    }

    fn remove_files(&self) -> Result<(), StateError> {
        let gone = |path: PathBuf, result: io::Result<()>| match result {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StateError::Io { path, source }),
            _ => Ok(()),
        };
        let spool = self.spool_folder();
        gone(spool.clone(), fs::remove_dir_all(&spool))?;
        self.clear_update_folder()?;
        atomic::remove_leftovers(&self.0).map_err(|source| StateError::Io { path: self.0.clone(), source })?;
        for name in [DRIVES, SHOWN, ACTIONS, UPDATE, MEMORY, PENDING, HEALING, LOCK, ENROLMENT] {
            let path = self.0.join(name);
            gone(path.clone(), fs::remove_file(&path))?;
        }
        atomic::sync_folder(&self.0).map_err(|source| StateError::Io { path: self.0.clone(), source })
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        let path = self.0.join(name);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Io { path, source }),
        };
        // serde_json's words name positions, never values: no key can show in them.
        serde_json::from_slice(&content)
            .map(Some)
            .map_err(|error| StateError::Damaged { path, reason: error.to_string() })
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        let path = self.0.join(name);
        let content = json::spread(value)
            .map_err(|error| StateError::Damaged { path: path.clone(), reason: error.to_string() })?;
        atomic::write(&self.0, name, content.as_bytes()).map_err(|source| StateError::Io { path, source })
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use uuid::Uuid;

    use super::*;
    use crate::identity::Key;

    fn pending() -> Pending {
        let key = Key::generate().unwrap();
        Pending::new("https://a.example".parse().unwrap(), "roots".into(), Uuid::nil(), &key, "secret-token".into())
    }

    #[test]
    fn an_open_or_foreign_folder_is_refused_with_the_remedy() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("state");
        let state = StateDir::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        drop(state);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        let error = StateDir::open(&path).unwrap_err().to_string();
        assert!(error.contains("(mode 0750)") && error.contains("chmod 700"), "{error}");
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
            assert!(matches!(StateDir::open(&path), Err(StateError::Foreign { owner: 12345, user: 0, .. })));
        }
    }

    #[test]
    fn secrets_are_private_on_disk_and_never_shown() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("state");
        let state = StateDir::open(&path).unwrap();
        state.keep_pending(&pending()).unwrap();
        assert_eq!(fs::metadata(path.join(PENDING)).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{:?}", state.pending().unwrap().unwrap()).contains("secret"));
    }

    #[test]
    fn nothing_stays_after_a_removal_and_a_second_one_finds_nothing() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("state");
        let state = StateDir::open(&path).unwrap();
        let lock = state.lock().unwrap();
        state.keep_pending(&pending()).unwrap();
        state.keep_memory(&Memory::default()).unwrap();
        for name in [DRIVES, SHOWN, ACTIONS] {
            fs::write(path.join(name), "{}").unwrap();
        }
        fs::create_dir(state.spool_folder()).unwrap();
        fs::write(state.spool_folder().join("1"), "report").unwrap();
        fs::write(path.join(ENROLMENT), "key").unwrap();
        state.remove_everything().unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        state.remove_everything().unwrap();
        drop(lock);
    }

    #[test]
    fn a_damaged_memory_is_forgotten_and_a_damaged_enrolment_is_said() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("state");
        let state = StateDir::open(&path).unwrap();
        fs::write(path.join(MEMORY), "{").unwrap();
        fs::write(path.join(ENROLMENT), "{").unwrap();
        assert_eq!(state.memory(), Memory::default());
        assert!(state.enrolment().unwrap_err().to_string().contains("enrol again"));
    }
}
