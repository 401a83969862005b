//! Forgets who borrowers were, some time after their last return: the policy's section `privacy` says when.

use cartable_common::UtcMillis;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::policy::Policy,
    store::{
        Store, StoreError,
        audit::{self, NewAudit},
        borrower,
        forgetting::{self, Terms},
    },
};

/// Borrowers of one unit of work: other writers of the audit wait for so many rows at most.
const AT_A_TIME: usize = 100;

/// Forgets everybody whose time is over, each with a row in the audit; gives how many. Stops early when `shutdown` is
/// cancelled.
pub async fn run(
    store: &Store,
    policy: &Policy,
    now: UtcMillis,
    shutdown: &CancellationToken,
) -> Result<u64, StoreError> {
    let terms = Terms {
        returned_before: now.plus_days(-i64::from(policy.privacy.identity_days)),
        entered_before: now.plus_days(-i64::from(policy.privacy.unused_identity_days)),
    };
    let mut tx = store.read().await?;
    let due = forgetting::due(&mut tx, terms).await?;
    drop(tx);
    let mut erased = 0;
    for part in due.chunks(AT_A_TIME) {
        if shutdown.is_cancelled() {
            break;
        }
        let mut tx = store.write().await?;
        let mut gone = Vec::new();
        for id in forgetting::hold(&mut tx, part, terms).await? {
            if borrower::erase_identity(&mut tx, id, now).await? {
                gone.push(id);
            }
        }
        // Last: from here on every other unit of work that changes something waits for this one.
        for id in &gone {
            let entry = NewAudit {
                actor: "job:identity_erasure",
                action: "borrower.erase_identity",
                object_kind: "borrower",
                object_id: &id.to_string(),
                details: serde_json::json!({ "days": policy.privacy.identity_days }),
            };
            audit::append(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        erased += u64::try_from(gone.len()).unwrap_or(u64::MAX);
    }
    Ok(erased)
}
