//! Works on imports that wait, and goes on with those whose process has died. Forgets old ones with their files.

use std::time::Duration;

use cartable_common::UtcMillis;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    clock,
    exchange::run::{GoOn, RunError, Runner},
    fault,
    store::{
        Store, StoreError,
        import::{self, Import},
    },
    vault::Vault,
};

/// How often waiting imports are looked for: a person watches the page.
const EVERY: Duration = Duration::from_secs(1);
/// The same while the store does not answer.
const EVERY_IN_TROUBLE: Duration = Duration::from_secs(15);
/// Days for which a file and its report are kept.
const KEPT_DAYS: i64 = 30;

/// Starts the work in `tracker`; it ends soon after `shutdown` is cancelled, between two chunks.
pub fn start(store: &Store, vault: &Vault, tracker: &TaskTracker, shutdown: &CancellationToken) {
    let (store, shutdown) = (store.clone(), shutdown.clone());
    let runner = Runner::new(store.clone(), vault.clone());
    tracker.spawn(async move {
        let mut pause = EVERY;
        while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            pause = match round(&store, &runner, clock::now(), &shutdown).await {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::error!(%error, "imports wait: the store failed");
                    EVERY_IN_TROUBLE
                }
            };
        }
    });
}

/// Works on one import. A panic ends it as failed, and nothing else.
pub async fn one(runner: &Runner, id: Uuid, told: impl FnMut(&Import) -> GoOn + Send) {
    // A unit of work that panics is rolled back when it is dropped.
    let ran = match fault::contain("imports", runner.run(id, told)).await {
        Some(ran) => ran.map(Some),
        None => runner.broke(id).await.map(|()| None),
    };
    match ran {
        Ok(Some(import)) => {
            tracing::info!(import = %id, kind = %import.kind, state = %import.state, rows = import.done, "import");
        }
        Ok(None) | Err(RunError::NotOurs) => {}
        Err(error) => tracing::error!(import = %id, %error, "an import failed"),
    }
}

/// Works on all that waits.
pub async fn round(
    store: &Store,
    runner: &Runner,
    now: UtcMillis,
    shutdown: &CancellationToken,
) -> Result<(), StoreError> {
    let mut tx = store.read().await?;
    let waiting = import::waiting(&mut tx, now).await?;
    let old = import::older_than(&mut tx, now.plus_days(-KEPT_DAYS)).await?;
    drop(tx);
    for id in old {
        let mut tx = store.write().await?;
        import::delete(&mut tx, id, now).await?;
        tx.commit().await?;
    }
    for id in waiting {
        one(runner, id, |_| if shutdown.is_cancelled() { GoOn::No } else { GoOn::Yes }).await;
        if shutdown.is_cancelled() {
            runner.release(id).await?;
            break;
        }
    }
    Ok(())
}
