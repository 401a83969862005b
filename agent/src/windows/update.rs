//! Updates by Windows Installer: the few acts that `update` leaves to the system.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    clock,
    contact::{Agent, Done},
    fairness::{self, Surroundings},
    service::ServiceError,
    state::StateDir,
    trouble::Trouble,
    update::{self, Contact, Installer, Process, UpdateError},
};

/// Beside the program, the one before it while it is put back.
const ARRIVING: &str = "new";
/// Beside the program, the one that did not work, until the one before it has started.
const ASIDE: &str = "gone";

/// Windows Installer.
struct Msi;

impl Installer for Msi {
    fn keep(&self, kept: &Path) -> io::Result<()> {
        copy_durably(&std::env::current_exe()?, kept)
    }

    fn install(&self, package: &Path) -> io::Result<()> {
        // The installer stops this service, replaces the program and starts it again: it must outlive this process, and
        // nobody waits for it.
        let windows = std::env::var_os("SystemRoot").map_or_else(|| PathBuf::from(r"C:\Windows"), PathBuf::from);
        Command::new(windows.join("System32").join("msiexec.exe"))
            .arg("/i")
            .arg(package)
            .args(["/qn", "/norestart"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(drop)
    }

    fn put_back(&self, kept: &Path) -> io::Result<()> {
        let own = std::env::current_exe()?;
        // Whole and on the disk before anything is moved: a full disk or a power cut must not leave half a program.
        let new = own.with_extension(ARRIVING);
        copy_durably(kept, &new)?;
        // A program that runs cannot be written over, but it can be renamed.
        let aside = own.with_extension(ASIDE);
        fs::rename(&own, &aside)?;
        fs::rename(&new, &own).inspect_err(|_| {
            // Better the one that does not work than none.
            let _ = fs::rename(&aside, &own);
        })
    }

    fn sweep(&self) -> io::Result<()> {
        sweep()
    }
}

/// Removes what putting back left beside the program.
pub(super) fn sweep() -> io::Result<()> {
    let own = std::env::current_exe()?;
    for left in [ARRIVING, ASIDE] {
        match fs::remove_file(own.with_extension(left)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn copy_durably(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = File::create(to)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}

/// Counts this start. An error ends the service: the program before this one was put back, and the recovery of the service
/// starts it.
pub(super) fn at_start(state: &StateDir) -> Result<(), ServiceError> {
    let Some(running) = update::running() else { return Ok(()) };
    settle(update::at_start(state, running, &Msi))
}

/// Says that the program lives although there is no contact: it is held back, or told to stop. Starts that end so are no
/// crashes.
pub(crate) fn lives(state: &StateDir) -> Result<(), ServiceError> {
    let Some(running) = update::running() else { return Ok(()) };
    settle(update::after_contact(state, running, Contact::Elsewhere, &Msi))
}

/// Says what this contact tells of the program, and follows an offer where it is fair.
pub(crate) async fn after_contact(
    agent: &Agent,
    around: &Surroundings,
    result: &Result<Done, Trouble>,
) -> Result<(), ServiceError> {
    let Some(running) = update::running() else { return Ok(()) };
    let contact = result.as_ref().map_or_else(|trouble| Contact::failed(trouble.kind), |_| Contact::Success);
    settle(update::after_contact(agent.state(), running, contact, &Msi))?;
    let Some(offered) = result.as_ref().ok().and_then(|done| done.offered) else { return Ok(()) };
    // An exam may have been announced by this very contact.
    let around = agent.surroundings(around.power, around.network);
    if fairness::may_burden(&around, clock::now()) {
        match update::follow(agent, offered, running, &Msi).await {
            Ok(()) => {}
            // Said at each contact, and nothing to be done here.
            Err(UpdateError::Declined(why)) => tracing::debug!(%offered, %why, "an update is not installed"),
            Err(error) => tracing::warn!(%offered, %error, "an update did not come about; the agent goes on as it is"),
        }
    }
    Ok(())
}

fn settle(result: Result<Process, UpdateError>) -> Result<(), ServiceError> {
    match result {
        Ok(Process::GoesOn) => Ok(()),
        Ok(Process::Ends) => Err(ServiceError::PutBack),
        Err(error) => {
            tracing::warn!(%error, "an update could not be settled");
            Ok(())
        }
    }
}
