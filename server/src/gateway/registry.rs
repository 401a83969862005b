//! Which device a key speaks for and whether it may, read from the database for every request.
//!
//! Nothing is remembered between requests, so that a revocation counts from the next request on, whoever wrote it.
//! Requests that arrive while one read is under way share the next: the cost is spread, the answer never older than
//! the question.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::limits::LOOKUPS_AT_ONCE;
use crate::{
    fault,
    store::{
        Store, StoreError,
        enrolment::{self, KeyHash, Registered},
    },
};

/// Questions that wait at most; each belongs to one connection.
const QUEUE: usize = super::limits::MAX_CONNECTIONS;

/// Looks keys up. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Registry {
    questions: mpsc::Sender<Question>,
}

#[derive(Debug)]
struct Question {
    key: KeyHash,
    answer: oneshot::Sender<Result<Option<Registered>, Unanswered>>,
}

/// The database did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database does not answer")]
pub(super) struct Unanswered;

impl Registry {
    /// Starts the reader; it ends when the last clone is dropped.
    pub(super) fn start(store: Store, tasks: &TaskTracker) -> Self {
        let (questions, queue) = mpsc::channel(QUEUE);
        tasks.spawn(answer_all(store, queue));
        Self { questions }
    }

    /// What is registered under `key` now.
    pub(super) async fn look_up(&self, key: KeyHash) -> Result<Option<Registered>, Unanswered> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { key, answer }).await.map_err(|_| Unanswered)?;
        answered.await.map_err(|_| Unanswered)?
    }
}

async fn answer_all(store: Store, mut queue: mpsc::Receiver<Question>) {
    let mut questions = Vec::with_capacity(LOOKUPS_AT_ONCE);
    while queue.recv_many(&mut questions, LOOKUPS_AT_ONCE).await > 0 {
        let mut keys: Vec<KeyHash> = questions.iter().map(|question| question.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = match fault::contain("the reader of device keys", read(&store, &keys)).await {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                tracing::error!(%error, "device keys could not be read");
                Err(Unanswered)
            }
            None => Err(Unanswered),
        };
        for question in questions.drain(..) {
            let answer = found.as_ref().map(|found| found.get(&question.key).cloned()).map_err(|error| *error);
            // Whoever asked may be gone.
            let _ = question.answer.send(answer);
        }
    }
}

async fn read(store: &Store, keys: &[KeyHash]) -> Result<HashMap<KeyHash, Registered>, StoreError> {
    let mut tx = store.read().await?;
    let found = enrolment::of_keys(&mut tx, keys).await?;
    Ok(found.into_iter().map(|registered| (registered.key, registered)).collect())
}
