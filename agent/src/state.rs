//! What the agent keeps on disk: its enrolment with the key, what it learnt from the last contacts, the spool, a lock.
//!
//! The folder is 0700 and belongs to the agent's own user; anything else is refused, because whoever can write there is
//! this laptop for the server. Each file is written whole or not at all. The key stands in the same file as the
//! certificate granted for it, so that the two can never differ.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use cartable_common::{
    ContentHash, EnrolmentId, UtcMillis,
    protocol::{CertificateGrant, Disclosure},
    report::{Hardware, KeyProtection},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    access,
    actions::Kept,
    atomic,
    clock::TrustedClock,
    disclosure::Shown,
    identity::{IdentityError, Key},
    json, platform,
    reader::KeptDrives,
    schedule::Pace,
    server_url::ServerUrl,
    trouble::Trouble,
    update::Progress,
};

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

/// A state folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Others may enter it.
    #[error("the state folder {path} is open to others (mode {mode:04o}); run: chmod 700 {path}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error(
        "the state folder {path} belongs to user {owner}, this agent runs as user {user}; run it as the folder's owner (usually: sudo)"
    )]
    Foreign {
        /// Which.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who runs.
        user: u32,
    },
    /// On Windows: others may enter it, or own it.
    #[error(
        "the state folder {path} is open to others ({who}); as administrator, delete it and try again: the agent makes it anew, for itself"
    )]
    OpenTo {
        /// Which.
        path: PathBuf,
        /// The first of them, as Windows names them.
        who: String,
    },
    /// Another agent uses it.
    #[error(
        "another cartable-agent uses {0} (the service?); stop it first ({stop}), or ask it: cartable-agent status",
        stop = platform::STOP
    )]
    InUse(PathBuf),
    /// The disk failed.
    #[error(
        "{path} could not be used ({source}); check that the disk is there, not full, and that you are allowed ({rights})",
        rights = platform::PRIVILEGED
    )]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that holds something else.
    #[error("{path} is damaged ({reason}); move it away and enrol again")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// A granted enrolment: the key and the certificate that speaks for it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// The server.
    pub server: ServerUrl,
    /// The pinned authorities, PEM, below the number of their bundle.
    pub roots_pem: String,
    /// The request that was granted.
    pub request_id: Uuid,
    /// The private key, or what of it only its TPM can use.
    key_pem: String,
    /// What the server granted.
    pub grant: CertificateGrant,
    /// What the invitation said of who runs the agent.
    #[serde(default)]
    pub disclosure: Disclosure,
    /// The machine that enrolled, to notice that this folder was copied to another one. Absent: enrolled by an older agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Hardware>,
}

/// A new key that this machine asks for, because the one of its enrolment is on other machines too.
#[derive(Clone, Serialize, Deserialize)]
pub struct Healing {
    /// The enrolment whose key it replaces. Another one: this is over, or was copied from elsewhere.
    pub old: EnrolmentId,
    /// Repeated with each attempt, so that the server recognises it.
    pub request_id: Uuid,
    /// The new private key.
    key_pem: String,
}

/// An enrolment that was asked for and not yet granted.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The server.
    pub server: ServerUrl,
    /// The pinned authorities.
    pub roots_pem: String,
    /// Repeated with each attempt, so that the server recognises it.
    pub request_id: Uuid,
    /// The private key, or what of it only its TPM can use.
    key_pem: String,
    /// The enrolment token, forgotten once granted; empty where another key was lost.
    pub token: String,
    /// The public key of the enrolment whose place it is to take, because the TPM does not hold that key any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_key: Option<String>,
    /// Why it waits, as the server says; absent before the first answer.
    #[serde(default)]
    pub reason: Option<String>,
    /// What the invitation said of who runs the agent.
    #[serde(default)]
    pub disclosure: Disclosure,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolment({} [redacted])", self.server)
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({} [redacted])", self.server)
    }
}

impl std::fmt::Debug for Healing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Healing({} [redacted])", self.old)
    }
}

impl Healing {
    /// A request for `key` in the place of the key of `old`.
    pub fn new(old: EnrolmentId, key: &Key) -> Self {
        Self { old, request_id: Uuid::new_v4(), key_pem: key.to_pem() }
    }

    /// The new key.
    pub fn key(&self) -> Result<Key, IdentityError> {
        Key::from_pem(&self.key_pem)
    }
}

impl Enrolment {
    /// The key.
    pub fn key(&self) -> Result<Key, IdentityError> {
        Key::from_pem(&self.key_pem)
    }

    /// What keeps the key, where it can be read.
    pub fn key_protection(&self) -> Option<KeyProtection> {
        self.key().ok().map(|key| key.protection())
    }

    /// The same enrolment, which remembers the machine that it was made on.
    #[must_use]
    pub fn on(self, machine: Hardware) -> Self {
        Self { machine: Some(machine), ..self }
    }

    /// The enrolment of this machine's own key, with the same server.
    #[must_use]
    pub fn healed(&self, healing: Healing, grant: CertificateGrant, machine: Hardware) -> Self {
        let Healing { request_id, key_pem, .. } = healing;
        Self { request_id, key_pem, grant, machine: Some(machine), ..self.clone() }
    }

    /// The same enrolment with another certificate for the same key.
    #[must_use]
    pub fn renewed(&self, grant: CertificateGrant) -> Self {
        Self { grant, ..self.clone() }
    }

    /// The same enrolment with newer roots.
    #[must_use]
    pub fn trusting(&self, roots_pem: String) -> Self {
        Self { roots_pem, ..self.clone() }
    }
}

impl Pending {
    /// A request to `server` with `key`.
    pub fn new(server: ServerUrl, roots_pem: String, request_id: Uuid, key: &Key, token: String) -> Self {
        Self {
            server,
            roots_pem,
            request_id,
            key_pem: key.to_pem(),
            token,
            lost_key: None,
            reason: None,
            disclosure: Disclosure::default(),
        }
    }

    /// The key.
    pub fn key(&self) -> Result<Key, IdentityError> {
        Key::from_pem(&self.key_pem)
    }

    /// The same request, with newer roots.
    #[must_use]
    pub fn trusting(self, roots_pem: String) -> Self {
        Self { roots_pem, ..self }
    }

    /// The same request, with what the borrower may know.
    #[must_use]
    pub fn disclosing(self, disclosure: Disclosure) -> Self {
        Self { disclosure, ..self }
    }

    /// A request without a token, to take the place of `lost` with `key`.
    pub fn in_place_of(lost: &Enrolment, lost_key: String, request_id: Uuid, key: &Key) -> Self {
        let new = Self::new(lost.server.clone(), lost.roots_pem.clone(), request_id, key, String::new());
        Self { lost_key: Some(lost_key), ..new.disclosing(lost.disclosure.clone()) }
    }

    /// The same request with another key, which makes it another to the server.
    #[must_use]
    pub fn with_key(self, request_id: Uuid, key: &Key) -> Self {
        Self { request_id, key_pem: key.to_pem(), reason: None, ..self }
    }

    /// The same request, with the server's words on why it waits.
    #[must_use]
    pub fn waiting(self, reason: String) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// The enrolment it becomes when the server grants it.
    #[must_use]
    pub fn granted(self, grant: CertificateGrant) -> Enrolment {
        let Self { server, roots_pem, request_id, key_pem, disclosure, .. } = self;
        Enrolment { server, roots_pem, request_id, key_pem, grant, disclosure, machine: None }
    }
}

/// What was learnt from contacts. Losing it costs one needless report, nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Failures in a row and the planned next contact.
    pub pace: Pace,
    /// The last contact that went well, by this machine's clock.
    pub last_success_at: Option<UtcMillis>,
    /// The last one that failed.
    pub last_failure: Option<Failure>,
    /// The server's clock at the last contact that went well.
    pub server_time: Option<UtcMillis>,
    /// What the server holds of this machine.
    pub server_content: Option<ContentHash>,
    /// When a whole report was last acknowledged.
    pub last_full_at: Option<UtcMillis>,
    /// The end of an exam that the server announced, by this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exams_until: Option<UtcMillis>,
    /// Since when battery or network hold contacts back, by this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_since: Option<UtcMillis>,
    /// What the server said of who runs the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<Disclosure>,
}

/// A contact that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When, by this machine's clock.
    pub at: UtcMillis,
    /// Why.
    pub trouble: Trouble,
}

/// Held by the one process that uses a state folder; released when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

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

    /// Takes the lock and clears what a crash left.
    pub fn lock(&self) -> Result<Lock, StateError> {
        let path = self.0.join(LOCK);
        let failed = |source| StateError::Io { path: path.clone(), source };
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        let mut taken = file.try_lock();
        if matches!(taken, Err(fs::TryLockError::WouldBlock)) {
            // `status` looks at the lock for an instant; an agent keeps it.
            std::thread::sleep(Duration::from_millis(50));
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StateError::InUse(self.0.clone())),
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        atomic::remove_leftovers(&self.0).map_err(failed)?;
        Ok(Lock { _file: file })
    }

    /// Whether an agent is at work here now.
    pub fn is_in_use(&self) -> bool {
        let Ok(file) = File::open(self.0.join(LOCK)) else { return false };
        matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
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
        self.write(HEALING, healing)
    }

    /// Gives up a new key that the server will never grant.
    pub fn forget_healing(&self) -> Result<(), StateError> {
        self.forget(HEALING)
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

    /// Removes what an update brought and kept.
    pub fn clear_update_folder(&self) -> Result<(), StateError> {
        let path = self.0.join(UPDATE_FILES);
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StateError::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Keeps a granted enrolment; the request it came from is forgotten.
    pub fn keep_enrolment(&self, enrolment: &Enrolment) -> Result<(), StateError> {
        self.write(ENROLMENT, enrolment)?;
        self.forget(PENDING)?;
        self.forget(HEALING)
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
        self.write(PENDING, pending)
    }

    /// Keeps what was learnt.
    pub fn keep_memory(&self, memory: &Memory) -> Result<(), StateError> {
        self.write(MEMORY, memory)
    }

    /// Removes everything that is kept here, the key last: a removal that is cut off still has the key to be told again.
    /// The empty folder stays, because it is the service manager's. The caller holds the lock, which goes too.
    pub fn remove_everything(&self) -> Result<(), StateError> {
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

impl Memory {
    /// A clock that knows what the server told last.
    pub fn clock(&self) -> TrustedClock {
        let clock = TrustedClock::default();
        if let Some(server_time) = self.server_time {
            clock.learn(server_time);
        }
        clock
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

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
    fn one_agent_at_a_time() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        assert!(!state.is_in_use(), "before the first start");
        let lock = state.lock().unwrap();
        assert!(state.is_in_use());
        assert!(matches!(state.lock(), Err(StateError::InUse(_))));
        drop(lock);
        assert!(!state.is_in_use());
        state.lock().unwrap();
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
