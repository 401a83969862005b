//! The demo's data directory: made once, kept between runs, used by one demo at a time.
//!
//! Holds the server's data directory, this computer's agent, the simulated fleet's keys, and the password and tokens
//! of the demonstration; readable for its owner alone, and never part of a commit (`target/`).

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use crate::harness::{Installation, installation::random_key};

/// The one person of the demonstration.
pub const LOGIN: &str = "demo";

/// What a demonstration remembers. Written last: without it the directory is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The key of the keys at rest.
    pub key: String,
    /// Where the database is, unless in the directory.
    pub database: Option<String>,
    /// The password of [`LOGIN`].
    pub password: String,
    /// An API token of [`LOGIN`].
    pub api_token: String,
    /// The console's port, used again where it is free.
    pub console_port: u16,
    /// The device port: agents know it, so it never changes.
    pub gateway_port: u16,
}

/// The directory, held for this process.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Released by the system when the process ends, however it ends.
    _lock: File,
}

impl Directory {
    /// Takes the directory at `path`, made where it is missing.
    pub fn take(path: &Path) -> anyhow::Result<Self> {
        make_private(path)?;
        let path = path.canonicalize()?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join("lock"))?;
        if lock.try_lock().is_err() {
            bail!("another `cargo demo` uses {}: stop it, or choose another directory with --data", path.display());
        }
        Ok(Self { path, _lock: lock })
    }

    /// The server's data directory.
    pub fn server(&self) -> PathBuf {
        self.path.join("server")
    }

    /// The state of this computer's agent.
    pub fn agent(&self) -> PathBuf {
        self.path.join("agent")
    }

    /// The pinned roots for agents.
    pub fn roots(&self) -> PathBuf {
        self.path.join("roots.pem")
    }

    /// The simulated fleet's keys.
    pub fn keyring(&self) -> PathBuf {
        self.path.join("fleet.jsonl")
    }

    /// What an earlier run left, if it came so far.
    pub fn remembered(&self) -> anyhow::Result<Option<Remembered>> {
        let path = self.path.join("demo.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        Ok(Some(serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?))
    }

    /// Keeps what the next run must know.
    pub fn remember(&self, remembered: &Remembered) -> anyhow::Result<()> {
        let new = self.path.join("demo.json.new");
        write_private(&new, &serde_json::to_string_pretty(remembered)?)?;
        Ok(fs::rename(new, self.path.join("demo.json"))?)
    }

    /// Removes what an interrupted first run left behind, and nothing else.
    pub fn clear(&self) -> anyhow::Result<()> {
        for directory in [self.server(), self.agent()] {
            if directory.exists() {
                fs::remove_dir_all(directory)?;
            }
        }
        for file in [self.roots(), self.keyring()] {
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    /// Makes the server's data directory, the person and the API token.
    pub fn set_up(&self, database: Option<&str>) -> anyhow::Result<(Installation, Remembered)> {
        self.clear()?;
        let key = random_key()?;
        let installation = Installation::at(&self.server(), &key, database)?;
        installation.init()?;
        let password = random_password()?;
        installation.create_user(LOGIN, "administrator", &password)?;
        let api_token = installation.create_api_token(LOGIN, "cargo demo")?;
        let database = database.map(ToOwned::to_owned);
        Ok((installation, Remembered { key, database, password, api_token, console_port: 0, gateway_port: 0 }))
    }
}

/// 20 letters and digits in groups: 100 random bits that can be typed.
fn random_password() -> anyhow::Result<String> {
    let mut bytes = [0; 13];
    getrandom::fill(&mut bytes).context("the system's random source")?;
    let text = BASE32_NOPAD.encode(&bytes).to_lowercase();
    Ok([&text[..5], &text[5..10], &text[10..15], &text[15..20]].join("-"))
}

/// Writes a file that only its owner reads.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("{}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

fn make_private(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| format!("{} could not be made", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_serves_one_demo_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let first = Directory::take(temporary.path()).unwrap();
        let error = Directory::take(temporary.path()).unwrap_err().to_string();
        assert!(error.contains("another `cargo demo`"), "{error}");
        drop(first);
        Directory::take(temporary.path()).unwrap();
    }

    #[test]
    fn passwords_differ_and_can_be_typed() {
        let password = random_password().unwrap();
        assert_eq!(password.len(), 23);
        assert_ne!(password, random_password().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::take(&temporary.path().join("demo")).unwrap();
        let remembered = Remembered {
            key: "k".to_owned(),
            database: None,
            password: "p".to_owned(),
            api_token: "t".to_owned(),
            console_port: 1,
            gateway_port: 2,
        };
        directory.remember(&remembered).unwrap();
        assert_eq!(directory.remembered().unwrap(), Some(remembered));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory.path), 0o700);
        assert_eq!(mode(&directory.path.join("demo.json")), 0o600);
    }
}
