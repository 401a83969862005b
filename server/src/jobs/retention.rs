//! Forgets in time: what is kept how long, and how exactly, stands in [`crate::store::retention`].

use std::time::Duration;

use cartable_common::UtcMillis;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::{
    Store, StoreError, Tx,
    audit::{self, NewAudit},
    retention::{self, Retained},
    sweep,
};

/// Between two runs.
pub const EVERY: Duration = Duration::from_hours(6);

/// Works through the whole fleet; stops early when `shutdown` is cancelled.
pub async fn run(store: &Store, now: UtcMillis, shutdown: &CancellationToken) -> Result<Retained, StoreError> {
    let mut retained = Retained::default();
    let mut after = None;
    while !shutdown.is_cancelled() {
        let mut tx = store.write().await?;
        let ids = sweep::ids_after(&mut tx, after).await?;
        let Some(last) = ids.last().copied() else {
            retained.deleted += retention::totals(&mut tx, now).await?;
            tx.commit().await?;
            break;
        };
        let done = retention::devices(&mut tx, &ids, now).await?;
        if done != Retained::default() {
            record(&mut tx, done, last, now).await?;
        }
        tx.commit().await?;
        retained.coarsened += done.coarsened;
        retained.deleted += done.deleted;
        after = Some(last);
    }
    Ok(retained)
}

/// Leaves an audit row about what was done up to the device `last`.
async fn record(tx: &mut Tx, done: Retained, last: Uuid, now: UtcMillis) -> Result<(), StoreError> {
    let last = last.to_string();
    let details = serde_json::json!({ "coarsened": done.coarsened, "deleted": done.deleted });
    let entry = NewAudit {
        actor: "job:retention",
        action: "retention.apply",
        object_kind: "devices_up_to",
        object_id: &last,
        details,
    };
    audit::append(tx, entry, now).await.map(drop)
}
