//! Forgets in time: what is kept how long, and how exactly, stands in [`crate::store::retention`].

use cartable_common::UtcMillis;
use tokio_util::sync::CancellationToken;

use crate::store::{
    Store, StoreError, Tx,
    audit::{self, NewAudit},
    lapse,
    partition::{self, History},
    retention::{self, Retained},
    sweep,
};

const ACTOR: &str = "job:retention";

/// Works through the whole fleet; stops early when `shutdown` is cancelled.
pub async fn run(store: &Store, now: UtcMillis, shutdown: &CancellationToken) -> Result<Retained, StoreError> {
    let mut retained = Retained::default();
    match months(store, now, shutdown).await {
        Ok(deleted) => retained.deleted += deleted,
        // Somebody reads for long. Below, the same rows go one by one.
        Err(error) => tracing::warn!(%error, "an expired month could not be dropped whole"),
    }
    match requests(store, now, shutdown).await {
        Ok(lapsed) => retained.deleted += lapsed,
        // Whatever holds one request back, the rest is forgotten.
        Err(error) => tracing::error!(%error, "requests to be let in that are past their time could not be ended"),
    }
    let mut after = None;
    while !shutdown.is_cancelled() {
        let mut tx = store.write().await?;
        let ids = sweep::ids_after(&mut tx, after).await?;
        let Some(last) = ids.last().copied() else {
            retained.deleted += retention::totals(&mut tx, now).await?;
            let newcomers = retention::newcomers(&mut tx, now).await?;
            retained.coarsened += newcomers;
            if newcomers > 0 {
                let done = Retained { coarsened: newcomers, deleted: 0 };
                record(&mut tx, done, ("newcomer", "all"), now).await?;
            }
            tx.commit().await?;
            break;
        };
        let done = retention::devices(&mut tx, &ids, now).await?;
        if done != Retained::default() {
            record(&mut tx, done, ("devices_up_to", &last.to_string()), now).await?;
        }
        tx.commit().await?;
        retained.coarsened += done.coarsened;
        retained.deleted += done.deleted;
        after = Some(last);
    }
    Ok(retained)
}

/// Drops the months of history that are past their time, each in a unit of work; how many rows went with them.
async fn months(store: &Store, now: UtcMillis, shutdown: &CancellationToken) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for history in History::ALL {
        let mut tx = store.read().await?;
        let expired = partition::expired(&mut tx, history, now).await?;
        drop(tx);
        for month in expired {
            if shutdown.is_cancelled() {
                return Ok(deleted);
            }
            let mut tx = store.write().await?;
            let Some(held) = partition::drop_month(&mut tx, history, month).await? else { continue };
            let entry = NewAudit {
                actor: ACTOR,
                action: "retention.drop_month",
                object_kind: history.table(),
                object_id: &month.to_string(),
                details: serde_json::json!({ "deleted": held }),
            };
            audit::append(&mut tx, entry, now).await?;
            tx.commit().await?;
            deleted += held;
        }
    }
    Ok(deleted)
}

/// Ends requests to be let in whose machines ask no more, so many in each unit of work; how many.
async fn requests(store: &Store, now: UtcMillis, shutdown: &CancellationToken) -> Result<u64, StoreError> {
    let mut lapsed = 0;
    while !shutdown.is_cancelled() {
        let mut tx = store.write().await?;
        let some = lapse::overdue(&mut tx, ACTOR, now).await?;
        tx.commit().await?;
        if some == 0 {
            break;
        }
        tracing::info!(requests = some, "requests to be let in that nobody decided about lapsed");
        lapsed += some;
    }
    Ok(lapsed)
}

/// Leaves an audit row about what was done to these: devices up to one, or all newcomers.
async fn record(
    tx: &mut Tx,
    done: Retained,
    (object_kind, object_id): (&str, &str),
    now: UtcMillis,
) -> Result<(), StoreError> {
    let details = serde_json::json!({ "coarsened": done.coarsened, "deleted": done.deleted });
    let entry = NewAudit { actor: ACTOR, action: "retention.apply", object_kind, object_id, details };
    audit::append(tx, entry, now).await.map(drop)
}
