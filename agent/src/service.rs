//! The agent's life: wait, check in, wait. One thread, one timer, stops at once when told to.
//!
//! Decisions are `schedule`'s; this file reads the clock and the randomness for it.

use std::time::Duration;

use cartable_common::limits::{MAX_CHECK_IN_SECONDS, MIN_CHECK_IN_SECONDS};

use crate::{
    client::Proxy,
    clock,
    collect::{Sources, collect},
    contact::{Agent, OpenError},
    enrol::{self, EnrolError, Progress},
    platform,
    schedule::{self, Outcome, Pace},
    sleep::sleep,
    state::{Enrolment, StateDir},
    trouble::{Trouble, TroubleKind},
};

/// A service that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is nothing to do without an enrolment.
    #[error("this computer is not enrolled; run: cartable-agent enrol")]
    NotEnrolled,
    /// The agent cannot start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The enrolment cannot go on.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The server ordered this agent to remove itself, and that is done: nothing of it is left to run.
    #[error(
        "this computer has changed owner: the agent removed its key and its data; uninstall it ({disable}, then delete \
         the program)",
        disable = platform::DISABLE
    )]
    Released,
    /// The system gave no signals or no randomness.
    #[error("the operating system refused: {0}")]
    System(String),
}

/// The runtime: one thread. The only other one looks names up, and ends at once afterwards.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_millis(1))
        .build()
}

/// Checks in for ever; returns when a signal says stop. The caller holds the state folder's lock.
pub async fn run(state: StateDir, sources: Sources, first_within_seconds: u32) -> Result<(), ServiceError> {
    run_until(stop_signal(), state, sources, first_within_seconds).await
}

/// Checks in until `stop` comes true. The caller holds the state folder's lock.
pub async fn run_until(
    stop: impl Future<Output = std::io::Result<()>>,
    state: StateDir,
    sources: Sources,
    first_within_seconds: u32,
) -> Result<(), ServiceError> {
    tokio::select! {
        stopped = stop => stopped.map_err(|error| ServiceError::System(error.to_string()))?,
        failed = live(state, sources, first_within_seconds) => return failed.map(|never| match never {}),
    }
    tracing::info!("stopping");
    Ok(())
}

async fn live(
    state: StateDir,
    sources: Sources,
    first_within_seconds: u32,
) -> Result<std::convert::Infallible, ServiceError> {
    let wait = schedule::at_start(state.memory().pace, first_within_seconds, clock::now(), random()?);
    tracing::info!(version = %crate::version(), first_check_in_seconds = wait.as_secs(), "started");
    let enrolment = match state.enrolment().map_err(OpenError::from)? {
        Some(enrolment) => replaced(&state, &sources).await.unwrap_or(enrolment),
        None => await_approval(&state, &sources).await?,
    };
    let mut agent = Agent::open(state, enrolment, sources, Proxy::FromEnvironment)?;
    pause(wait).await?;
    loop {
        let Some(wait) = check_in(&mut agent).await? else {
            agent.remove().map_err(OpenError::from)?;
            return Err(ServiceError::Released);
        };
        pause(wait).await?;
    }
}

/// One check-in, its log line, and the wait after it; none once the server ordered this agent to remove itself.
async fn check_in(agent: &mut Agent) -> Result<Option<Duration>, ServiceError> {
    let result = agent.check_in().await;
    if result.as_ref().is_err_and(|trouble| trouble.kind == TroubleKind::Released) {
        return Ok(None);
    }
    let outcome = match &result {
        Ok(done) => Outcome::Success { next_check_in_seconds: done.next_check_in_seconds },
        Err(trouble) => Outcome::Failure(trouble),
    };
    let (pace, wait) = schedule::after(agent.memory().pace, outcome, clock::now(), random()?);
    agent.keep_pace(pace);
    match &result {
        Ok(done) => tracing::info!(
            acknowledged = done.acknowledged,
            spooled = done.spooled,
            next_seconds = wait.as_secs(),
            "checked in"
        ),
        Err(trouble) => log_trouble(trouble, pace, wait),
    }
    Ok(Some(wait))
}

/// A laptop without a network is daily life; a refusal needs a person.
fn log_trouble(trouble: &Trouble, pace: Pace, wait: Duration) {
    let (kind, detail, failures, next_seconds) = (trouble.kind, &trouble.detail, pace.failures, wait.as_secs());
    if trouble.kind == TroubleKind::Refused {
        tracing::error!(?kind, %detail, failures, next_seconds, "the server refuses this computer; see: cartable-agent status");
    } else {
        tracing::warn!(?kind, %detail, failures, next_seconds, "no contact; reports wait in the spool");
    }
}

/// The enrolment that was asked for beside an existing one, if it is granted by now: asked once per start, because the
/// existing one goes on serving.
async fn replaced(state: &StateDir, sources: &Sources) -> Option<Enrolment> {
    let pending = state.pending().ok().flatten()?;
    let hardware = collect(sources).await.hardware;
    match enrol::ask(state, pending, hardware, Proxy::FromEnvironment).await {
        Ok(Progress::Enrolled(enrolment)) => Some(*enrolment),
        Ok(Progress::Waiting { reason, .. }) => {
            tracing::info!(%reason, "the new enrolment waits for approval; the old one goes on");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the new enrolment is not granted; the old one goes on");
            None
        }
    }
}

/// Asks again until a person approved the enrolment.
async fn await_approval(state: &StateDir, sources: &Sources) -> Result<Enrolment, ServiceError> {
    let mut pace = Pace::default();
    loop {
        let pending = state.pending().map_err(OpenError::from)?.ok_or(ServiceError::NotEnrolled)?;
        let hardware = collect(sources).await.hardware;
        let wait = match enrol::ask(state, pending, hardware, Proxy::FromEnvironment).await {
            Ok(Progress::Enrolled(enrolment)) => {
                tracing::info!(device = %enrolment.grant.device_id, "enrolled");
                return Ok(*enrolment);
            }
            Ok(Progress::Waiting { retry_after_seconds, reason }) => {
                tracing::info!(%reason, "the enrolment waits for approval");
                let seconds = retry_after_seconds.clamp(MIN_CHECK_IN_SECONDS, MAX_CHECK_IN_SECONDS);
                Duration::from_secs(u64::from(seconds))
            }
            Err(EnrolError::Trouble(trouble)) => {
                let (next, wait) = schedule::after(pace, Outcome::Failure(&trouble), clock::now(), random()?);
                pace = next;
                log_trouble(&trouble, pace, wait);
                wait
            }
            Err(error) => return Err(error.into()),
        };
        pause(wait).await?;
    }
}

/// Waits; after a sleep of the machine a little longer, for its network.
async fn pause(wait: Duration) -> Result<(), ServiceError> {
    let overdue = sleep(wait).await;
    sleep(schedule::after_wake(overdue, random()?)).await;
    Ok(())
}

fn random() -> Result<u64, ServiceError> {
    getrandom::u64().map_err(|error| ServiceError::System(error.to_string()))
}

/// Returns when the service manager or a person says stop.
#[cfg(unix)]
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
