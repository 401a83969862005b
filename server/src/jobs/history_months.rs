//! Makes the tables of the current month's history and of the months ahead, on PostgreSQL. How, and what SQLite does
//! instead, stands in [`crate::store::partition`].

use cartable_common::UtcMillis;
use tokio_util::sync::CancellationToken;

use crate::store::{
    Store, StoreError,
    partition::{self, History},
};

/// Makes what is missing, each in a unit of work of its own; how many were made. Stops early when `shutdown` is
/// cancelled.
pub async fn run(store: &Store, now: UtcMillis, shutdown: &CancellationToken) -> Result<usize, StoreError> {
    let mut made = 0;
    for month in partition::wanted(now) {
        for history in History::ALL {
            if shutdown.is_cancelled() {
                return Ok(made);
            }
            let mut tx = store.write().await?;
            if partition::ensure(&mut tx, history, month).await? {
                tx.commit().await?;
                made += 1;
            }
        }
    }
    Ok(made)
}
