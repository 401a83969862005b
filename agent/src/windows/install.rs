//! Registers the service and removes it.
//!
//! Both may be repeated: installing brings an older registration up to date, removing what is gone is no failure. The
//! service runs as the system, because drives, BitLocker and the TPM answer nobody less.

use std::{
    ffi::OsString,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use cartable_common::update::UpdateKey;
use windows_service::{
    Error,
    service::{
        Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceFailureActions,
        ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState, ServiceType,
    },
    service_manager::{ServiceManager, ServiceManagerAccess},
};

use super::{NAME, events, update as program};
use crate::{actions::DesktopNotice, disclosure::Shown, language::Language, platform, state::StateDir, update};

/// The waits before a service that failed is started again; the last one repeats.
const RESTART_AFTER: [Duration; 3] = [Duration::from_mins(1), Duration::from_mins(5), Duration::from_hours(1)];
/// A day without failure begins the row anew.
const FORGIVEN_AFTER: Duration = Duration::from_hours(24);
/// Longest wait for a service to stop; it takes a fraction of a second.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// What Windows' error numbers say here.
const SERVICE_ALREADY_RUNS: i32 = 1056;
const SERVICE_DOES_NOT_EXIST: i32 = 1060;
const SERVICE_IS_STOPPED: i32 = 1062;
const SERVICE_IS_BEING_DELETED: i32 = 1072;

/// Registers the service for the state folder `path`, which is made if it is absent, and pins `update_key` unless it is empty;
/// starts the service if it has something to do.
pub fn install(path: &Path, start: bool, update_key: &str) -> anyhow::Result<()> {
    let state = StateDir::open(path)?;
    let update_key = update::given_key(update_key).context("the key of --update-key")?;
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let info = info(path, ServiceStartType::AutoStart)?;
    let access =
        ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::STOP | ServiceAccess::QUERY_STATUS;
    let service = match manager.open_service(NAME, access) {
        Ok(service) => service.change_config(&info).map(|()| service),
        Err(error) if code(&error) == Some(SERVICE_DOES_NOT_EXIST) => manager.create_service(&info, access),
        Err(error) => Err(error),
    };
    let service = service.context("the service could not be registered; run this as administrator")?;
    describe(&service);
    events::register().context("the source of events could not be registered; run this as administrator")?;
    publish_page(&state);
    let ran = service.query_status()?.current_state != ServiceState::Stopped;
    // One that ran goes on, also where its key could not be pinned.
    let pinned = if update_key.is_some() { pin(&service, &state, update_key) } else { Ok(()) };
    if (start || ran) && (state.enrolment()?.is_some() || state.pending()?.is_some()) {
        // It starts with the computer anyway: no reason to fail an installation.
        if let Err(error) = service.start::<OsString>(&[])
            && code(&error) != Some(SERVICE_ALREADY_RUNS)
        {
            tracing::warn!("the service could not be started: {:#}", anyhow::Error::from(error));
        }
    }
    pinned
}

/// Pins the key of updates while the service rests: one that runs keeps the same file.
fn pin(service: &Service, state: &StateDir, update_key: Option<UpdateKey>) -> anyhow::Result<()> {
    stop(service)?;
    let _lock = state.lock()?;
    Ok(update::pin(state, update_key)?)
}

/// Stops the service and removes its registration; with `erase` what it kept too.
pub fn uninstall(erase: Option<&Path>) -> anyhow::Result<()> {
    let manager = manager(ServiceManagerAccess::CONNECT)?;
    let access = ServiceAccess::STOP | ServiceAccess::QUERY_STATUS | ServiceAccess::DELETE;
    match manager.open_service(NAME, access) {
        Ok(service) => {
            stop(&service)?;
            match service.delete() {
                Err(error) if code(&error) != Some(SERVICE_IS_BEING_DELETED) => {
                    return Err(error).context("the service could not be removed; run this as administrator");
                }
                _ => {}
            }
        }
        Err(error) if code(&error) == Some(SERVICE_DOES_NOT_EXIST) => {}
        Err(error) => return Err(error).context("the service could not be opened; run this as administrator"),
    }
    if let Err(error) = events::unregister() {
        tracing::debug!(%error, "the source of events was not registered");
    }
    if let Err(error) = program::sweep() {
        tracing::debug!(%error, "what an update left beside the program could not be removed");
    }
    if let Err(error) = withdraw_page() {
        tracing::debug!(%error, "the page of what is sent could not be removed");
    }
    let Some(state) = erase.filter(|state| state.exists()) else { return Ok(()) };
    StateDir::existing(state)?.remove_everything()?;
    std::fs::remove_dir(state).with_context(|| format!("{} could not be removed", state.display()))
}

/// Keeps the service from starting with the computer: an agent that removed itself has nothing to do.
pub(super) fn disable(state: &Path) {
    let disabled = manager(ServiceManagerAccess::CONNECT).and_then(|manager| {
        let service = manager.open_service(NAME, ServiceAccess::CHANGE_CONFIG)?;
        Ok(service.change_config(&info(state, ServiceStartType::Disabled)?)?)
    });
    if let Err(error) = disabled {
        tracing::warn!("the service could not be disabled: {error:#}");
    }
}

fn manager(access: ServiceManagerAccess) -> anyhow::Result<ServiceManager> {
    ServiceManager::local_computer(None::<&str>, access)
        .context("Windows' service manager cannot be asked; run this as administrator")
}

fn info(state: &Path, start_type: ServiceStartType) -> anyhow::Result<ServiceInfo> {
    // Always said: a service's environment may name another place for ProgramData than this one's (Wine's does).
    let launch_arguments: Vec<OsString> = vec!["service".into(), "run".into(), "--state".into(), state.into()];
    Ok(ServiceInfo {
        name: NAME.into(),
        display_name: "Cartable agent".into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type,
        error_control: ServiceErrorControl::Normal,
        executable_path: std::env::current_exe().context("this program's own path")?,
        launch_arguments,
        dependencies: Vec::new(),
        account_name: None,
        account_password: None,
    })
}

/// Gives the Start menu's link its page, also before the first contact.
fn publish_page(state: &StateDir) {
    let Some(folder) = super::public_folder() else { return };
    let shown = state.shown().unwrap_or_else(Shown::nothing);
    if let Err(error) = shown.publish_page(&folder, Language::of_environment()) {
        tracing::warn!(%error, "the page of what is sent could not be written");
    }
}

/// Takes back what everybody could read.
fn withdraw_page() -> std::io::Result<()> {
    let folder = platform::public_folder();
    Shown::withdraw(&folder)?;
    DesktopNotice::withdraw(&folder)?;
    std::fs::remove_dir(folder)
}

/// What makes the service good company. None of it is worth failing an installation.
fn describe(service: &Service) {
    let description = Language::of_environment().pick(
        "Transmet l'état matériel de cet ordinateur prêté à son programme de prêt : ni fichiers, ni ce qu'on en fait.",
        "Reports this lent computer's hardware health to its lending programme: no files, not what it is used for.",
    );
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    let recovery = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FORGIVEN_AFTER),
        reboot_msg: None,
        command: None,
        actions: Some(RESTART_AFTER.map(restart).to_vec()),
    };
    let done = [
        ("the description", service.set_description(description)),
        ("the delayed start", service.set_delayed_auto_start(true)),
        ("the recovery actions", service.update_failure_actions(recovery)),
        ("recovery after a failure that is no crash", service.set_failure_actions_on_non_crash_failures(true)),
    ];
    for (what, result) in done {
        if let Err(error) = result {
            tracing::warn!("Windows refused {what}: {:#}", anyhow::Error::from(error));
        }
    }
}

fn stop(service: &Service) -> anyhow::Result<()> {
    match service.stop() {
        Err(error) if code(&error) != Some(SERVICE_IS_STOPPED) => {
            return Err(error).context("the service could not be stopped");
        }
        _ => {}
    }
    let start = Instant::now();
    while service.query_status()?.current_state != ServiceState::Stopped {
        anyhow::ensure!(
            start.elapsed() < STOP_LIMIT,
            "the service does not stop; end cartable-agent.exe, then try again"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Windows' number of an error.
fn code(error: &Error) -> Option<i32> {
    if let Error::Winapi(error) = error { error.raw_os_error() } else { None }
}
