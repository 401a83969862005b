//! Updates of an agent that updates itself: on Windows. On Linux the distribution's package manager does it.
//!
//! The server offers a release with the answer to a check-in. What may be installed only a manifest says that a pinned key
//! signed ([`cartable_common::update`]); the package is fetched in parts while it is fair, verified before it is run, and
//! tried ([`progress`]). How a package is installed is the operating system's: [`Installer`].

pub mod progress;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use cartable_common::{
    AgentVersion,
    update::{InvalidManifest, InvalidUpdateKey, Manifest, Release, UpdateKey},
};
use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};

pub use progress::{Contact, Declined, Progress, Step, Trial};

use crate::{
    clock,
    contact::Agent,
    state::{StateDir, StateError},
    trouble::Trouble,
};

/// What arrived of a package so far.
const PART: &str = "part";
/// A package that is whole and verified.
const PACKAGE: &str = "agent.msi";
/// The program before.
const KEPT: &str = "previous";

/// What the operating system does with packages and programs.
pub trait Installer {
    /// Copies the program that runs to `kept`.
    fn keep(&self, kept: &Path) -> io::Result<()>;
    /// Begins the installation of `package`, which ends this process and starts the new program.
    fn install(&self, package: &Path) -> io::Result<()>;
    /// Puts the program in `kept` in the place of the installed one; the next start runs it. May be repeated.
    fn put_back(&self, kept: &Path) -> io::Result<()>;
    /// Removes what putting back left beside the program.
    fn sweep(&self) -> io::Result<()>;
}

/// An update that did not come about. The agent goes on as it is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The server, or the way to it.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The manifest is not believed.
    #[error("the list of releases is not believed: {0}")]
    Manifest(#[from] InvalidManifest),
    /// It is not for this agent now.
    #[error("the offered release is not installed: {0}")]
    Declined(#[from] Declined),
    /// What arrived is not what was signed.
    #[error("what arrived is not the package that was signed; it is fetched anew")]
    OtherContent,
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The disk or the installer.
    #[error("the package could not be kept or installed: {0}")]
    Io(#[from] io::Error),
}

/// Follows an offer: fetches, verifies, and begins the installation. Whether this moment is fair the caller has asked
/// ([`crate::fairness::may_burden`]). What arrived stays, so that a fetch that is cut off goes on later.
pub async fn follow(
    agent: &Agent,
    offered: AgentVersion,
    running: AgentVersion,
    installer: &impl Installer,
) -> Result<(), UpdateError> {
    let state = agent.state();
    let mut progress = state.update();
    progress.may_ask(offered, running)?;
    let text = agent.client().update_manifest().await?;
    let manifest = believed(&text, &progress.keys)?;
    let release = progress.choose(&manifest, offered, running, agent.clock().latest(clock::now()))?;
    progress.learn(&manifest);
    state.keep_update(&progress)?;
    let folder = state.update_folder()?;
    let package = fetch(agent, release, &folder).await?;
    installer.keep(&folder.join(KEPT))?;
    // Before it begins: whatever happens now is counted.
    let step = progress.begin(running, release.version);
    state.keep_update(&progress)?;
    if step != Step::GoOn {
        tracing::error!(to = %release.version, "an update was never installed and is not tried again");
        state.clear_update_folder()?;
        return Err(Declined::GivenUp.into());
    }
    tracing::info!(from = %running, to = %release.version, "an update begins");
    Ok(installer.install(&package)?)
}

/// The key that an installer was given; empty where it was given none.
pub fn given_key(text: &str) -> Result<Option<UpdateKey>, InvalidUpdateKey> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::parse::<UpdateKey>).transpose()
}

/// Keeps `key` as the one that releases must be signed with, in place of those before; without one, what was pinned. Whoever
/// calls holds the state's lock.
pub fn pin(state: &StateDir, key: Option<UpdateKey>) -> Result<(), StateError> {
    let Some(key) = key else { return Ok(()) };
    state.keep_update(&Progress { keys: vec![key], ..state.update() })
}

/// What a list of releases says, where one of the `pinned` keys signed it.
pub fn believed(text: &[u8], pinned: &[UpdateKey]) -> Result<Manifest, InvalidManifest> {
    Manifest::read(&String::from_utf8_lossy(text), pinned, has_signed)
}

/// What becomes of this process.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// It goes on.
    GoesOn,
    /// It ends: the program before it was put back, and the next start runs that one.
    Ends,
}

/// The version of this program, if it is one that can be compared.
pub fn running() -> Option<AgentVersion> {
    crate::version().as_str().parse().ok()
}

/// To be called when the agent starts.
pub fn at_start(state: &StateDir, running: AgentVersion, installer: &impl Installer) -> Result<Process, UpdateError> {
    let mut progress = state.update();
    if progress.trial.is_none() {
        // What arrived of a package stays for the next fetch. The rest belongs to a trial that is over.
        let is_left = |folder: PathBuf| [PACKAGE, KEPT].iter().any(|name| folder.join(name).exists());
        if state.update_folder_if_any().is_some_and(is_left) {
            clear(state, installer)?;
        }
        return Ok(Process::GoesOn);
    }
    let step = progress.started(running);
    state.keep_update(&progress)?;
    act(state, step, installer)
}

/// To be called after each contact, with what it says of the program.
pub fn after_contact(
    state: &StateDir,
    running: AgentVersion,
    contact: Contact,
    installer: &impl Installer,
) -> Result<Process, UpdateError> {
    let mut progress = state.update();
    if progress.trial.is_none() {
        return Ok(Process::GoesOn);
    }
    let before = progress.trial;
    let step = progress.contacted(running, contact);
    // One that is held back says the same again and again: nothing to write.
    if progress.trial != before {
        state.keep_update(&progress)?;
    }
    act(state, step, installer)
}

fn act(state: &StateDir, step: Step, installer: &impl Installer) -> Result<Process, UpdateError> {
    match step {
        Step::GoOn => {}
        Step::GivenUp => {
            tracing::info!("the version before an update runs again; that update is not tried any more");
            clear(state, installer)?;
        }
        Step::Healthy => {
            tracing::info!("the update works");
            clear(state, installer)?;
        }
        Step::PutBack => {
            // Noted before, and until the other program starts: what fails here is repeated.
            tracing::error!("the update does not work: the program before it is put back");
            installer.put_back(&state.update_folder()?.join(KEPT))?;
            return Ok(Process::Ends);
        }
    }
    Ok(Process::GoesOn)
}

/// Removes what an update kept and left. What is still in use (Windows Installer may be at its last steps, a program at its
/// end) stays, and goes at a later start: the folder last, by which that is known.
fn clear(state: &StateDir, installer: &impl Installer) -> Result<(), UpdateError> {
    installer.sweep()?;
    Ok(state.clear_update_folder()?)
}

fn has_signed(key: &UpdateKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

/// The package, whole and verified, in `folder`. Goes on where an earlier fetch was cut off.
async fn fetch(agent: &Agent, release: &Release, folder: &Path) -> Result<PathBuf, UpdateError> {
    let (package, part) = (folder.join(PACKAGE), folder.join(PART));
    if is_package(&package, release)? {
        return Ok(package);
    }
    let name = release.sha256_hex();
    let whole = u64::from(release.bytes);
    let mut arrived = fs::metadata(&part).map_or(0, |metadata| metadata.len());
    while arrived < whole {
        let content = agent.client().update_part(&name, arrived).await?;
        arrived += u64::try_from(content.len()).unwrap_or(u64::MAX);
        if content.is_empty() || arrived > whole {
            break;
        }
        let mut file = OpenOptions::new().append(true).create(true).open(&part)?;
        file.write_all(&content)?;
        file.sync_data()?;
    }
    // Another release's beginning, a changed byte, a wrong length: all of it goes.
    if !is_package(&part, release)? {
        return match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Err(UpdateError::OtherContent),
        };
    }
    fs::rename(&part, &package)?;
    Ok(package)
}

/// Whether the file at `path` is the release's package.
fn is_package(path: &Path, release: &Release) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() == u64::from(release.bytes) => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let hash = digest(&SHA256, &fs::read(path)?);
    let hash: &[u8] = hash.as_ref();
    Ok(hash == release.sha256.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_pinned_in_place_of_the_last_and_nothing_pins_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        let (old, new) = (UpdateKey([1; 32]), UpdateKey([2; 32]));
        let begun = Progress { keys: vec![old], number: 3, ..Progress::default() };
        state.keep_update(&begun).unwrap();
        for nothing in ["", " "] {
            pin(&state, given_key(nothing).unwrap()).unwrap();
            assert_eq!(state.update(), begun, "an installer without a key leaves what was pinned");
        }
        assert_eq!(given_key("no key"), Err(InvalidUpdateKey));
        pin(&state, given_key(&format!(" {new}\n")).unwrap()).unwrap();
        assert_eq!(state.update(), Progress { keys: vec![new], ..begun });
    }
}
