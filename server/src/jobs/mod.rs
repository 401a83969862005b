//! Periodic work, as reconcilers: each run looks at what is stored and makes it right, whatever ran or failed before.
//!
//! Several server processes may share a database: a lease lets one of them run a job at a time, however long it works
//! ([`holding`]). Each run leaves its beginning and its end in the database, which shows when a job has stopped.

pub mod flag_sweep;
pub mod history_months;
pub mod holding;
pub mod identity_erasure;
pub mod imports;
pub mod notices;
pub mod retention;
pub mod school_calendar;
pub mod webhooks;

use std::{sync::Arc, time::Duration};

use cartable_common::UtcMillis;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use self::holding::{Held, Holding};
use crate::{
    clock,
    domain::{job::Job, policy::LivePolicy},
    fault,
    mail::smtp::Mailer,
    store::{Store, StoreError, job_run, lease},
    vault::Vault,
    webhook::Teller,
};

/// How long after the start the first run is made: the server answers devices first.
const FIRST_AFTER: Duration = Duration::from_secs(5);

/// What jobs work with.
#[derive(Clone, Debug)]
pub struct Jobs {
    /// The database.
    pub store: Store,
    /// The rules.
    pub policy: LivePolicy,
    /// Opens who borrowers are, and webhook secrets.
    pub vault: Vault,
    /// Hands letters over, where a mail server is configured.
    pub mailer: Option<Arc<Mailer>>,
    /// Tells other systems.
    pub teller: Arc<Teller>,
}

/// The jobs and the process that may run them.
#[derive(Clone, Debug)]
struct Runner {
    jobs: Jobs,
    /// This process, in leases.
    holder: Uuid,
}

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Notices(#[from] notices::NoticesError),
    #[error("another process took the lease over, or the database did not answer for as long as it lasts")]
    LeaseLost,
}

/// Starts all jobs in `tracker`. They end soon after `shutdown` is cancelled; a unit of work under way is finished.
pub fn start(jobs: Jobs, tracker: &TaskTracker, shutdown: &CancellationToken) {
    follow_calendar(&jobs.store, &jobs.policy, tracker, shutdown);
    let runner = Runner { jobs, holder: Uuid::new_v4() };
    for job in Job::ALL.iter().copied() {
        let (runner, shutdown) = (runner.clone(), shutdown.clone());
        tracker.spawn(async move {
            if let Err(error) = runner.expect(job).await {
                tracing::error!(job = job.as_str(), %error, "a job could not be made known");
            }
            let mut pause = FIRST_AFTER;
            while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                let done = fault::contain(job.as_str(), Box::pin(runner.run(job, &shutdown))).await;
                if let Some(Err(error)) = done {
                    tracing::error!(job = job.as_str(), %error, "a job failed; it is tried again at its next time");
                }
                pause = job.every();
            }
        });
    }
}

/// Looks for imported school calendars in this process, whichever process runs the jobs.
fn follow_calendar(store: &Store, policy: &LivePolicy, tracker: &TaskTracker, shutdown: &CancellationToken) {
    let (store, policy, shutdown) = (store.clone(), policy.clone(), shutdown.clone());
    tracker.spawn(async move {
        while shutdown.run_until_cancelled(tokio::time::sleep(school_calendar::EVERY)).await.is_some() {
            match school_calendar::run(&store, &policy).await {
                Ok(true) => tracing::info!("the school calendar changed"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the school calendar could not be read; the last one is kept"),
            }
        }
    });
}

impl Runner {
    /// Makes `job` known, so that it is missed if it never runs.
    async fn expect(&self, job: Job) -> Result<(), StoreError> {
        let mut tx = self.jobs.store.write().await?;
        job_run::expect(&mut tx, job.as_str(), clock::now()).await?;
        tx.commit().await
    }

    /// Runs `job` if no other process does.
    async fn run(&self, job: Job, shutdown: &CancellationToken) -> Result<(), JobError> {
        let now = clock::now();
        let store = &self.jobs.store;
        let holding = Holding { store, job: job.as_str(), holder: self.holder, lasts: holding::LASTS };
        let until = holding.until(now);
        let mut tx = store.write().await?;
        let mine = lease::take(&mut tx, job.as_str(), self.holder, now, until).await?;
        if mine {
            job_run::started(&mut tx, job.as_str(), now).await?;
        }
        tx.commit().await?;
        if !mine {
            return Ok(());
        }
        let work = |stop| async move { self.work(job, now, &stop).await };
        let (mut done, held) = holding.during(until, shutdown, work).await;
        if held == Held::Lost {
            done = done.and(Err(JobError::LeaseLost));
        }
        let (ended, error) = (clock::now(), done.as_ref().err().map(ToString::to_string));
        let mut tx = store.write().await?;
        job_run::finished(&mut tx, job.as_str(), error.as_deref(), ended).await?;
        lease::release(&mut tx, job.as_str(), self.holder, ended).await?;
        tx.commit().await?;
        done
    }

    async fn work(&self, job: Job, now: UtcMillis, shutdown: &CancellationToken) -> Result<(), JobError> {
        let Jobs { store, policy, vault, mailer, teller } = &self.jobs;
        match job {
            Job::FlagSweep => {
                let done = flag_sweep::run(store, policy, now, shutdown).await?;
                tracing::debug!(?done, "flags swept");
            }
            Job::HistoryMonths => {
                let made = history_months::run(store, now, shutdown).await?;
                tracing::debug!(made, "tables for the history of the months ahead");
            }
            Job::Retention => {
                let done = retention::run(store, now, shutdown).await?;
                tracing::info!(?done, "old moments rounded to the day, past ones deleted");
            }
            Job::IdentityErasure => {
                let erased = identity_erasure::run(store, policy, now, shutdown).await?;
                tracing::info!(erased, "borrowers forgotten");
            }
            Job::Notices => {
                let writing = notices::Writing { store, vault, mailer: mailer.as_deref(), policy, clock: &clock::now };
                let done = writing.run(shutdown).await?;
                tracing::debug!(?done, "notices written and sent");
            }
            Job::Webhooks => {
                let done = webhooks::Telling { store, vault, teller, clock: &clock::now }.run(shutdown).await?;
                tracing::debug!(?done, "events told");
            }
        }
        Ok(())
    }
}
