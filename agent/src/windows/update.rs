//! Updates by Windows Installer: the few acts that `update` leaves to the system.

use std::{
    fs, io,
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

/// Windows Installer.
struct Msi;

impl Installer for Msi {
    fn keep(&self, kept: &Path) -> io::Result<()> {
        fs::copy(std::env::current_exe()?, kept).map(drop)
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
        // A program that runs cannot be written over, but it can be renamed.
        let aside = own.with_extension("gone");
        fs::rename(&own, &aside)?;
        fs::copy(kept, &own).map(drop).inspect_err(|_| {
            // Better the one that does not work than none.
            let _ = fs::rename(&aside, &own);
        })
    }
}

/// Counts this start. An error ends the service: the program before this one was put back, and the recovery of the service
/// starts it.
pub(super) fn at_start(state: &StateDir) -> Result<(), ServiceError> {
    let Some(running) = update::running() else { return Ok(()) };
    settle(update::at_start(state, running, &Msi))
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
