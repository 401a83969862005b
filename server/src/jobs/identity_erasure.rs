//! Forgets who borrowers were, some time after their last return: the policy's section `privacy` says when.

use cartable_common::UtcMillis;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::policy::Policy,
    store::{
        Store, StoreError,
        audit::{self, NewAudit},
        borrower,
    },
};

/// Borrowers of one unit of work.
const AT_A_TIME: i64 = 100;

/// Forgets everybody whose time is over, each with a row in the audit; gives how many. Stops early when `shutdown` is
/// cancelled.
pub async fn run(
    store: &Store,
    policy: &Policy,
    now: UtcMillis,
    shutdown: &CancellationToken,
) -> Result<u64, StoreError> {
    let returned_before = now.plus_days(-i64::from(policy.privacy.identity_days));
    let entered_before = now.plus_days(-i64::from(policy.privacy.unused_identity_days));
    let mut erased = 0;
    while !shutdown.is_cancelled() {
        let mut tx = store.write().await?;
        let ids = borrower::forgettable(&mut tx, returned_before, entered_before, AT_A_TIME).await?;
        if ids.is_empty() {
            break;
        }
        for id in ids {
            // Something may have been lent since the list was read.
            if borrower::open_loans(&mut tx, id).await? == 0 && borrower::erase_identity(&mut tx, id, now).await? {
                erased += 1;
                let entry = NewAudit {
                    actor: "job:identity_erasure",
                    action: "borrower.erase_identity",
                    object_kind: "borrower",
                    object_id: &id.to_string(),
                    details: serde_json::json!({ "days": policy.privacy.identity_days }),
                };
                audit::append(&mut tx, entry, now).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(erased)
}
