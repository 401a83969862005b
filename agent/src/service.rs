//! The agent's life: wait, check in, wait. One thread, one timer, stops at once when told to.
//!
//! Decisions are `schedule`'s; this file reads the clock and the randomness for it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use cartable_common::{
    limits::{MAX_CHECK_IN_SECONDS, MIN_CHECK_IN_SECONDS},
    report::Hardware,
};

use crate::{
    actions::DesktopNotice,
    client::Proxy,
    clock,
    contact::{Agent, OpenError},
    disclosure::Shown,
    enrol::{self, EnrolError, Progress},
    fairness::{self, Because, Decision, Surroundings},
    invitation::{self, InvitationError},
    notify, platform,
    reader::{Occasion, Reader},
    schedule::{self, Outcome, Pace},
    sleep::sleep,
    state::{Enrolment, Memory, StateDir},
    surroundings,
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
    /// The file that invites this computer is wrong; only a person can change that.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// The server ordered this agent to remove itself, and that is done: nothing of it is left to run.
    #[error(
        "this computer has changed owner: the agent removed its key and its data; uninstall it ({disable}, then delete \
         the program)",
        disable = platform::DISABLE
    )]
    Released,
    /// An update did not work, and the program before it was put back.
    #[error("an update did not work; the version before it starts next")]
    PutBack,
    /// The system gave no signals or no randomness.
    #[error("the operating system refused: {0}")]
    System(String),
}

/// How the service lives.
#[derive(Clone, Debug)]
pub struct Life {
    /// Who reads the machine.
    pub reader: Reader,
    /// Below it lies `sys`, for what the laptop runs on.
    pub root: PathBuf,
    /// The first check-in happens within so many seconds.
    pub first_within_seconds: u32,
    /// The folder in which an invitation to enrol may lie.
    pub invitations: Option<PathBuf>,
    /// The folder in which everybody on the laptop may read what was sent.
    pub public: Option<PathBuf>,
}

/// Threads beside the runtime's own, at most. One looks names up, and ends at once afterwards. On Windows one more reads what
/// a program says: where it hangs in a driver that thread does not come back, for WMI and for each drive, and those must leave
/// one for the names.
const MOST_OTHER_THREADS: usize = if cfg!(windows) { 16 } else { 1 };

/// The runtime: one thread.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MOST_OTHER_THREADS)
        .thread_keep_alive(Duration::from_millis(1))
        .build()
}

/// Checks in for ever; returns when a signal says stop. The caller holds the state folder's lock.
pub async fn run(state: StateDir, life: Life) -> Result<(), ServiceError> {
    run_until(stop_signal(), state, life).await
}

/// Checks in until `stop` comes true. The caller holds the state folder's lock.
pub async fn run_until(
    stop: impl Future<Output = std::io::Result<()>>,
    state: StateDir,
    life: Life,
) -> Result<(), ServiceError> {
    #[cfg(windows)]
    let stopping = state.clone();
    tokio::select! {
        stopped = stop => stopped.map_err(|error| ServiceError::System(error.to_string()))?,
        failed = live(state, life) => return failed.map(|never| match never {}),
    }
    notify::stopping();
    tracing::info!("stopping");
    #[cfg(windows)]
    crate::windows::update::lives(&stopping)?;
    Ok(())
}

async fn live(state: StateDir, life: Life) -> Result<std::convert::Infallible, ServiceError> {
    let wait = schedule::at_start(state.memory().pace, life.first_within_seconds, clock::now(), random()?);
    tracing::info!(version = %crate::version(), first_check_in_seconds = wait.as_secs(), "started");
    let before = state.enrolment().map_err(OpenError::from)?;
    let invited = accept_invitation(&state, before.as_ref(), life.invitations.as_deref())?;
    if before.is_none() && state.pending().map_err(OpenError::from)?.is_none() {
        return Err(ServiceError::NotEnrolled);
    }
    notify::ready();
    let enrolment = if let Some(enrolment) = before {
        enrolment
    } else {
        if invited {
            // A whole trolley of laptops from one image starts together.
            rest(wait, "Invited").await?;
        }
        await_approval(&state, &life).await?
    };
    if let Some(folder) = &life.invitations {
        invitation::forget(folder);
    }
    let mut agent = match Agent::open(state.clone(), enrolment, life.reader.clone(), Proxy::FromEnvironment) {
        // Its key or its certificate cannot be used; of two that can, each contact asks for the other.
        Err(OpenError::Client(error)) if state.pending().is_ok_and(|pending| pending.is_some()) => {
            tracing::error!(%error, "the enrolment cannot be used; the one that was asked for takes its place");
            let enrolment = await_approval(&state, &life).await?;
            Agent::open(state, enrolment, life.reader, Proxy::FromEnvironment)?
        }
        opened => opened?,
    };
    if life.public.is_some() {
        agent.publishes_notices();
    }
    #[cfg(windows)]
    crate::windows::notice::at_start(agent.notice(), life.public.as_deref());
    publish(&agent, life.public.as_deref());
    rest(wait, "Enrolled").await?;
    loop {
        let around = agent.surroundings(surroundings::power(&life.root), surroundings::network());
        let (wait, words) = match fairness::may_speak(&around, clock::now(), random()?) {
            Decision::Later { because, wait } => {
                #[cfg(windows)]
                crate::windows::update::lives(agent.state())?;
                (hold_back(&mut agent, &around, because, wait), because.words())
            }
            Decision::Now => {
                agent.keep_held(None);
                notify::working();
                let Some(done) = check_in(&mut agent, &around).await? else {
                    agent.remove().map_err(OpenError::from)?;
                    withdraw(life.public.as_deref());
                    return Err(ServiceError::Released);
                };
                publish(&agent, life.public.as_deref());
                done
            }
        };
        rest(wait, words).await?;
    }
}

/// Notes that a contact is held back, and since when; an exam has its own end.
fn hold_back(agent: &mut Agent, around: &Surroundings, because: Because, wait: Duration) -> Duration {
    if because != Because::Exams {
        agent.keep_held(Some(around.held_since.unwrap_or_else(clock::now)));
    }
    if because == Because::Exams || around.held_since.is_none() {
        tracing::info!(next_seconds = wait.as_secs(), "{}", because.words());
    }
    wait
}

/// Prepares the enrolment to which the image or the installer invites; says whether it did.
fn accept_invitation(
    state: &StateDir,
    before: Option<&Enrolment>,
    folder: Option<&Path>,
) -> Result<bool, ServiceError> {
    let Some(folder) = folder else { return Ok(false) };
    if before.is_some() {
        if invitation::lies_in(folder) {
            tracing::warn!("this computer is enrolled: the invitation is not followed and is removed");
        }
        return Ok(false);
    }
    let invitation = match invitation::read(folder) {
        Err(error) if state.pending().map_err(OpenError::from)?.is_some() => {
            tracing::error!(%error, "the request that waits already goes on");
            None
        }
        read => read?,
    };
    let Some(invitation) = invitation else { return Ok(false) };
    enrol::prepare(state, invitation, &Hardware::default())?;
    Ok(true)
}

/// Takes back what everybody on the laptop could read: it is another owner's now.
fn withdraw(folder: Option<&Path>) {
    let Some(folder) = folder else { return };
    if let Err(error) = Shown::withdraw(folder).and(DesktopNotice::withdraw(folder)) {
        tracing::warn!(%error, "what was sent is still to be read on this computer");
    }
}

/// Lets everybody on the laptop read what was sent, and the return notice while there is one. Failing costs the page its
/// freshness, not the contact.
fn publish(agent: &Agent, folder: Option<&Path>) {
    let Some(folder) = folder else { return };
    let published = agent.shown().map(|shown| {
        shown.publish(folder)?;
        // The Start menu's link opens a file; elsewhere a program writes the page when somebody wants it.
        #[cfg(windows)]
        shown.publish_page(folder, crate::language::Language::of_environment())?;
        Ok::<_, std::io::Error>(())
    });
    if let Some(Err(error)) = published {
        tracing::warn!(%error, "what was sent could not be published on this computer");
    }
    let noticed = agent.notice().map_or_else(|| DesktopNotice::withdraw(folder), |notice| lay_ready(notice, folder));
    if let Err(error) = noticed {
        tracing::warn!(%error, "the return notice could not be published on this computer");
    }
}

/// Lays the return notice ready for the next sign-in. On Windows whoever is signed in is shown a new one at once.
fn lay_ready(notice: &DesktopNotice, folder: &Path) -> std::io::Result<()> {
    #[cfg(windows)]
    let is_new = !notice.lies_in(folder);
    notice.publish(folder)?;
    #[cfg(windows)]
    if is_new {
        crate::windows::notice::at_console();
    }
    Ok(())
}

/// One check-in, its log line, and the wait after it; none once the server ordered this agent to remove itself.
async fn check_in(agent: &mut Agent, around: &Surroundings) -> Result<Option<(Duration, &'static str)>, ServiceError> {
    let result = agent.check_in(Occasion::Planned, around).await;
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
    #[cfg(windows)]
    crate::windows::update::after_contact(agent, around, &result).await?;
    let words = if result.is_ok() { "Checked in" } else { "No contact; see: cartable-agent status" };
    Ok(Some((wait, words)))
}

/// A laptop without a network is daily life; a refusal needs a person. Repeated, both are told ever more rarely.
fn log_trouble(trouble: &Trouble, pace: Pace, wait: Duration) {
    if !schedule::is_worth_a_line(pace.failures) {
        return;
    }
    let (kind, detail, failures, next_seconds) = (trouble.kind, &trouble.detail, pace.failures, wait.as_secs());
    if trouble.kind == TroubleKind::KeyCloned {
        tracing::error!(%detail, next_seconds, "the key of this computer is another machine's; see: cartable-agent status");
    } else if trouble.kind == TroubleKind::Refused {
        tracing::error!(?kind, %detail, failures, next_seconds, "the server refuses this computer; see: cartable-agent status");
    } else {
        tracing::warn!(?kind, %detail, failures, next_seconds, "no contact; reports wait in the spool");
    }
}

/// Asks again until a person approved the enrolment; as quietly as any contact.
async fn await_approval(state: &StateDir, life: &Life) -> Result<Enrolment, ServiceError> {
    let mut pace = Pace::default();
    loop {
        if let Some((wait, words)) = held_back_before_enrolment(state, life)? {
            rest(wait, words).await?;
            continue;
        }
        let pending = state.pending().map_err(OpenError::from)?.ok_or(ServiceError::NotEnrolled)?;
        let hardware = life.reader.hardware().await;
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
        rest(wait, "Waiting for an enrolment").await?;
        notify::working();
    }
}

/// For how long the battery or the network holds back the question for an enrolment, if it does.
fn held_back_before_enrolment(state: &StateDir, life: &Life) -> Result<Option<(Duration, &'static str)>, ServiceError> {
    let memory = state.memory();
    let (power, network) = (surroundings::power(&life.root), surroundings::network());
    let around = Surroundings { power, network, exams_until: None, held_since: memory.held_since };
    let (held_since, held) = match fairness::may_speak(&around, clock::now(), random()?) {
        Decision::Later { because, wait } => {
            if memory.held_since.is_none() {
                tracing::info!(next_seconds = wait.as_secs(), "{}", because.words());
            }
            (Some(memory.held_since.unwrap_or_else(clock::now)), Some((wait, because.words())))
        }
        Decision::Now => (None, None),
    };
    if memory.held_since != held_since
        && let Err(error) = state.keep_memory(&Memory { held_since, ..memory })
    {
        tracing::warn!(%error, "what was learnt could not be kept");
    }
    Ok(held)
}

/// Waits, and tells the service manager for how long; after a sleep of the machine a little longer, for its network.
async fn rest(wait: Duration, words: &str) -> Result<(), ServiceError> {
    notify::waiting(wait, words);
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
