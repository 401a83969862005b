//! Periodic work, as reconcilers: each run looks at what is stored and makes it right, whatever ran or failed before.
//!
//! Several server processes may share a database: a lease lets one of them run a job at a time.

pub mod flag_sweep;
pub mod history_months;
pub mod identity_erasure;
pub mod imports;
pub mod retention;
pub mod school_calendar;

use std::time::Duration;

use cartable_common::UtcMillis;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    clock,
    domain::policy::LivePolicy,
    fault,
    store::{Store, StoreError, lease},
};

/// How long after the start the first run is made: the server answers devices first.
const FIRST_AFTER: Duration = Duration::from_secs(5);

/// A job and the process that may run it.
#[derive(Clone, Debug)]
struct Runner {
    store: Store,
    policy: LivePolicy,
    /// This process, in leases.
    holder: Uuid,
}

/// Which job.
#[derive(Clone, Copy, Debug)]
enum Job {
    FlagSweep,
    HistoryMonths,
    Retention,
    IdentityErasure,
}

impl Job {
    const fn name(self) -> &'static str {
        match self {
            Self::FlagSweep => "flag_sweep",
            Self::HistoryMonths => "history_months",
            Self::Retention => "retention",
            Self::IdentityErasure => "identity_erasure",
        }
    }

    const fn every(self) -> Duration {
        match self {
            Self::FlagSweep => flag_sweep::EVERY,
            Self::HistoryMonths => history_months::EVERY,
            Self::Retention => retention::EVERY,
            Self::IdentityErasure => identity_erasure::EVERY,
        }
    }
}

/// Starts all jobs in `tracker`. They end soon after `shutdown` is cancelled; a unit of work under way is finished.
pub fn start(store: &Store, policy: &LivePolicy, tracker: &TaskTracker, shutdown: &CancellationToken) {
    let runner = Runner { store: store.clone(), policy: policy.clone(), holder: Uuid::new_v4() };
    follow_calendar(store, policy, tracker, shutdown);
    for job in [Job::FlagSweep, Job::HistoryMonths, Job::Retention, Job::IdentityErasure] {
        let (runner, shutdown) = (runner.clone(), shutdown.clone());
        tracker.spawn(async move {
            let mut pause = FIRST_AFTER;
            while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                let done = fault::contain(job.name(), runner.run(job, &shutdown)).await;
                if let Some(Err(error)) = done {
                    tracing::error!(job = job.name(), %error, "a job failed; it is tried again at its next time");
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
    /// Runs `job` if no other process does.
    async fn run(&self, job: Job, shutdown: &CancellationToken) -> Result<(), StoreError> {
        let now = clock::now();
        // Long enough for a million devices; a process that dies leaves it to run out.
        let until = now.plus_millis(i64::try_from(job.every().as_millis()).unwrap_or(UtcMillis::DAY));
        let mut tx = self.store.write().await?;
        let mine = lease::take(&mut tx, job.name(), self.holder, now, until).await?;
        tx.commit().await?;
        if !mine {
            return Ok(());
        }
        let done = match job {
            Job::FlagSweep => flag_sweep::run(&self.store, &self.policy, now, shutdown).await.map(|done| {
                tracing::debug!(?done, "flags swept");
            }),
            Job::HistoryMonths => history_months::run(&self.store, now, shutdown).await.map(|made| {
                tracing::debug!(made, "months of history looked after");
            }),
            Job::Retention => retention::run(&self.store, now, shutdown).await.map(|done| {
                tracing::info!(?done, "old moments rounded to the day, past ones deleted");
            }),
            Job::IdentityErasure => {
                identity_erasure::run(&self.store, &self.policy, now, shutdown).await.map(|erased| {
                    tracing::info!(erased, "borrowers forgotten");
                })
            }
        };
        let mut tx = self.store.write().await?;
        lease::release(&mut tx, job.name(), self.holder, clock::now()).await?;
        tx.commit().await?;
        done
    }
}
