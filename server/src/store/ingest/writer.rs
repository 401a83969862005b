//! The task that writes: takes what waits, makes it one unit of work, answers after the commit.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{IngestError, Receipt, batch, prepare::Prepared};
use crate::{
    domain::policy::LivePolicy,
    fault,
    store::{Store, StoreError, failure::Failure},
};

/// Most check-ins in one unit of work. Beyond a few hundred the rate no longer grows, only the wait.
const BATCH: usize = 300;
/// Most bytes of reports in one unit of work, so that a few huge spools do not make everybody wait.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How often a unit of work is repeated when another server process was in its way.
const ATTEMPTS: u32 = 6;
/// The first pause before repeating; it doubles.
const PAUSE: Duration = Duration::from_millis(3);

/// A check-in that waits for its answer.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) prepared: Prepared,
    pub(super) answer: oneshot::Sender<Result<Receipt, IngestError>>,
    /// Its share of the queue's memory, given back when it is answered.
    pub(super) _room: OwnedSemaphorePermit,
}

impl Job {
    fn answer(self, answer: Result<Receipt, IngestError>) {
        // Nobody listens any more when the agent hung up: what is stored stays stored.
        let _ = self.answer.send(answer);
    }
}

/// Writes check-ins.
#[derive(Debug)]
pub(super) struct Writer {
    store: Store,
    policy: LivePolicy,
}

impl Writer {
    pub(super) const fn new(store: Store, policy: LivePolicy) -> Self {
        Self { store, policy }
    }

    /// Writes until the queue is closed and empty.
    pub(super) async fn run(self, mut waiting: mpsc::Receiver<Job>, shutdown: CancellationToken) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            let taken = tokio::select! {
                taken = waiting.recv_many(&mut jobs, BATCH) => taken,
                () = shutdown.cancelled(), if !waiting.is_closed() => {
                    waiting.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            while !jobs.is_empty() {
                let mut bytes = 0;
                let fitting = jobs.iter().take_while(|job| {
                    bytes += job.prepared.bytes();
                    bytes <= BATCH_BYTES
                });
                let count = fitting.count().max(1);
                self.write(jobs.drain(..count).collect()).await;
            }
        }
    }

    /// Writes `jobs` and answers each. When one of them is at fault, halves are written instead, down to that one.
    async fn write(&self, jobs: Vec<Job>) {
        let mut parts = vec![jobs];
        while let Some(mut part) = parts.pop() {
            match self.attempts(&part).await {
                Ok(answers) => part.into_iter().zip(answers).for_each(|(job, answer)| job.answer(answer)),
                Err(error) if error.failure() == Failure::Content && part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
                Err(error) if error.failure() == Failure::Content => {
                    for job in part {
                        tracing::error!(device = %job.prepared.device, %error, "a check-in cannot be stored");
                        job.answer(Err(IngestError::Unstorable(error.to_string())));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the store is unavailable: check-ins are turned away until it is back");
                    for job in parts.drain(..).flatten().chain(part) {
                        job.answer(Err(IngestError::from(&error)));
                    }
                }
            }
        }
    }

    async fn attempts(&self, jobs: &[Job]) -> Result<Vec<Result<Receipt, IngestError>>, StoreError> {
        let batch: Vec<&Prepared> = jobs.iter().map(|job| &job.prepared).collect();
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(&batch).await {
                Err(error) if error.failure() == Failure::Collision => {
                    tracing::debug!(%error, "another server process was in the way");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        self.attempt(&batch).await
    }

    async fn attempt(&self, batch: &[&Prepared]) -> Result<Vec<Result<Receipt, IngestError>>, StoreError> {
        contained(async {
            let mut tx = self.store.write().await?;
            let answers = batch::write(&mut tx, &self.policy, batch).await?;
            tx.commit().await?;
            Ok(answers)
        })
        .await
    }
}

/// A unit of work that panics is rolled back, and something in it is to blame: the others are stored without it.
async fn contained<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let fault = || StoreError::Corrupt { what: "check-in", why: "a fault of this program".to_owned() };
    fault::contain("the writer of check-ins", work).await.unwrap_or_else(|| Err(fault()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_unit_of_work_that_panics_is_to_blame_and_the_next_is_written() {
        let failed: Result<(), StoreError> = contained(async { panic!("as intended") }).await;
        assert_eq!(failed.unwrap_err().failure(), Failure::Content);
        assert!(contained(async { Ok(()) }).await.is_ok());
    }
}
