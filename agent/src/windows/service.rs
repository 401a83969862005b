//! The service as Windows' service manager runs it: started, stopped within its time, woken with the machine, told who signs
//! in.
//!
//! The manager calls [`service_main`] in a thread of its own; there the agent's life runs until it is told to stop. A
//! failure ends with the exit code of the command line, which the manager takes for a crash and heals by its recovery
//! actions. An agent that is not enrolled ends well; one that removed itself
//! too, and no longer starts.

use std::{ffi::OsString, path::PathBuf, sync::OnceLock, time::Duration};

use anyhow::Context as _;
use tokio::sync::watch;
use tracing::level_filters::LevelFilter;
use windows_service::{
    define_windows_service,
    service::{
        PowerEventParam, ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus,
        ServiceType, SessionChangeReason,
    },
    service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle},
    service_dispatcher,
};

use super::{NAME, events, install, notice, update};
use crate::{
    cli,
    collect::Sources,
    log,
    reader::Reader,
    schedule,
    service::{self, Life, ServiceError},
    sleep,
    state::StateDir,
};

/// How long Windows waits for a start or a stop before it calls the service hung. Both take a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of the state, which the manager's call cannot carry.
static STATE: OnceLock<PathBuf> = OnceLock::new();

define_windows_service!(ffi_service_main, service_main);

/// Hands this process to the service manager until the service ends.
pub fn run(state: PathBuf, level: LevelFilter) -> anyhow::Result<()> {
    log::start_with(level, events::write);
    let _ = STATE.set(state);
    // A lesson comes first. Refused, the agent is merely less polite.
    if let Err(error) = cartable_windows::go_to_background() {
        tracing::debug!(%error, "Windows refused the background");
    }
    service_dispatcher::start(NAME, ffi_service_main).with_context(|| {
        format!("only Windows' service manager can start the service (sc start {NAME}); in a console use: cartable-agent run")
    })
}

fn service_main(_: Vec<OsString>) {
    let (stop, stopped) = watch::channel(false);
    let handler = move |control| on_control(&control, &stop);
    let Ok(status) = service_control_handler::register(NAME, handler) else {
        tracing::error!("the service manager does not listen");
        return;
    };
    tell(status, ServiceState::StartPending, 0);
    let ended = live(status, stopped);
    let code = ended.as_ref().map_or_else(cli::exit_code, |()| 0);
    if let Err(error) = ended {
        tracing::error!("{error:#}");
    }
    if let Some(state) = STATE.get().filter(|_| code == cli::RELEASED) {
        install::disable(state);
    }
    // Nothing is left to do, or nothing yet: only a person can change that, so it is no failure to recover from.
    let is_failure = code != cli::RELEASED && code != cli::NOT_ENROLLED;
    tell(status, ServiceState::Stopped, if is_failure { code } else { 0 });
}

fn live(status: ServiceStatusHandle, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
    let state = StateDir::open(STATE.get().context("the service was started without its state")?)?;
    let _lock = state.lock()?;
    update::at_start(&state)?;
    let runtime = service::runtime().map_err(|error| ServiceError::System(error.to_string()))?;
    let stop = async move {
        // The sender lives as long as the service.
        let _ = stopped.wait_for(|told| *told).await;
        tell(status, ServiceState::StopPending, 0);
        Ok(())
    };
    tell(status, ServiceState::Running, 0);
    let life = Life {
        reader: Reader::Own(Sources::this_machine()),
        root: PathBuf::from("/"),
        first_within_seconds: schedule::FIRST_WITHIN_SECONDS,
        invitations: None,
        public: super::public_folder(),
    };
    Ok(runtime.block_on(service::run_until(stop, state, life))?)
}

fn on_control(control: &ServiceControl, stop: &watch::Sender<bool>) -> ServiceControlHandlerResult {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the agent takes few of Windows' many controls")]
    match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            stop.send_replace(true);
        }
        ServiceControl::PowerEvent(PowerEventParam::ResumeAutomatic | PowerEventParam::ResumeSuspend) => {
            sleep::resumed()
        }
        ServiceControl::SessionChange(change) if change.reason == SessionChangeReason::SessionLogon => {
            notice::at_sign_in(change.notification.session_id);
        }
        // Nothing that a session does but its beginning concerns the agent.
        ServiceControl::SessionChange(_) | ServiceControl::PowerEvent(_) | ServiceControl::Interrogate => {}
        _ => return ServiceControlHandlerResult::NotImplemented,
    }
    ServiceControlHandlerResult::NoError
}

/// Tells the manager where the service stands; it has no other ear, so a failure to tell is not told.
fn tell(status: ServiceStatusHandle, current_state: ServiceState, code: u8) {
    let is_running = current_state == ServiceState::Running;
    let is_pending = matches!(current_state, ServiceState::StartPending | ServiceState::StopPending);
    let accepted = ServiceControlAccept::STOP
        | ServiceControlAccept::SHUTDOWN
        | ServiceControlAccept::POWER_EVENT
        | ServiceControlAccept::SESSION_CHANGE;
    let _ = status.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state,
        controls_accepted: if is_running { accepted } else { ServiceControlAccept::empty() },
        exit_code: if code == 0 { ServiceExitCode::Win32(0) } else { ServiceExitCode::ServiceSpecific(code.into()) },
        checkpoint: u32::from(is_pending),
        wait_hint: if is_pending { PATIENCE } else { Duration::ZERO },
        process_id: None,
    });
}
