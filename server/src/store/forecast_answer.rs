//! Answers a question about ready units: reads the state, then reckons beside the threads that serve requests.

use cartable_common::UtcMillis;
use tokio::sync::Semaphore;

use super::{Store, StoreError, forecast::snapshot};
use crate::domain::{
    forecast::{Forecast, Question, forecast},
    policy::Policy,
    scope::Scope,
};

/// One forecast at a time in this process: each takes a core for a second or two.
static TURN: Semaphore = Semaphore::const_new(1);

/// The answer to a question that makes sense.
pub async fn answer(
    store: &Store,
    scope: &Scope,
    policy: &Policy,
    question: Question,
    now: UtcMillis,
) -> Result<Forecast, StoreError> {
    let stopped = |why: String| StoreError::Corrupt { what: "forecast", why };
    let _turn = TURN.acquire().await.map_err(|error| stopped(error.to_string()))?;
    let mut tx = store.read().await?;
    let input = snapshot(&mut tx, scope, policy, now).await?;
    drop(tx);
    let policy = policy.clone();
    tokio::task::spawn_blocking(move || forecast(&input, &policy, question))
        .await
        .map_err(|error| stopped(error.to_string()))
}
