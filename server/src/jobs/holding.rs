//! A job's lease, kept while the job works: taken, prolonged well before it runs out, given back.
//!
//! A run may take longer than any lease that a dead process should leave behind. Whoever loses the lease (the database
//! did not answer for as long as it lasts, or another process has it) tells the work to stop.

use std::time::Duration;

use cartable_common::UtcMillis;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    clock,
    store::{Store, StoreError, lease},
};

/// How long a lease lasts unless it is prolonged: so long a job rests after its process died.
pub const LASTS: Duration = Duration::from_mins(5);
/// How often within its time a lease is prolonged: some attempts may fail.
const RENEWALS: u32 = 5;

/// Who holds the lease of which job.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// The database.
    pub store: &'a Store,
    /// The job.
    pub job: &'a str,
    /// This process.
    pub holder: Uuid,
    /// How long the lease lasts each time, [`LASTS`].
    pub lasts: Duration,
}

/// Whether the lease was held until the end of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// All the time.
    Throughout,
    /// Not any more: another process may be at the same work.
    Lost,
}

impl Holding<'_> {
    /// When a lease that is taken at `now` runs out.
    pub fn until(&self, now: UtcMillis) -> UtcMillis {
        now.plus_millis(i64::try_from(self.lasts.as_millis()).unwrap_or(UtcMillis::DAY))
    }

    /// Works under the lease, which the caller has taken until `until`. `work` is given what tells it to stop: the end of
    /// the process, or the loss of the lease.
    pub async fn during<W: Future>(
        &self,
        until: UtcMillis,
        shutdown: &CancellationToken,
        work: impl FnOnce(CancellationToken) -> W,
    ) -> (W::Output, Held) {
        let stop = shutdown.child_token();
        let mut working = std::pin::pin!(work(stop.clone()));
        let done = tokio::select! {
            biased;
            done = &mut working => return (done, Held::Throughout),
            () = self.keep(until) => {
                tracing::error!(job = self.job, "a job's lease is lost; it stops");
                stop.cancel();
                working.await
            }
        };
        (done, Held::Lost)
    }

    /// Prolongs the lease for as long as that works; returns when it is lost.
    async fn keep(&self, mut until: UtcMillis) {
        loop {
            tokio::time::sleep(self.lasts / RENEWALS).await;
            let now = clock::now();
            if now >= until {
                return;
            }
            match self.prolong(now).await {
                Ok(true) => until = self.until(now),
                Ok(false) => return,
                Err(error) => tracing::warn!(job = self.job, %error, "a job's lease could not be prolonged yet"),
            }
        }
    }

    async fn prolong(&self, now: UtcMillis) -> Result<bool, StoreError> {
        let mut tx = self.store.write().await?;
        let mine = lease::take(&mut tx, self.job, self.holder, now, self.until(now)).await?;
        tx.commit().await?;
        Ok(mine)
    }
}
