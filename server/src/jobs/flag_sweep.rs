//! Raises and clears the flags that time alone changes.
//!
//! Each run judges every device by the rules of contact, from narrow rows. Once a day, and after a change of the
//! policy, it judges by all rules, from the whole reports.

use cartable_common::{ContentHash, UtcMillis};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::policy::Policy,
    store::{
        Store, StoreError,
        sweep::{self, Rules, Swept},
    },
};

/// Judges the whole fleet; stops early when `shutdown` is cancelled.
pub async fn run(
    store: &Store,
    policy: &Policy,
    now: UtcMillis,
    shutdown: &CancellationToken,
) -> Result<Swept, StoreError> {
    let mark = format!("{} {}", now.day_number(), ContentHash::of(format!("{policy:?}").as_bytes()));
    let mut tx = store.read().await?;
    let done = sweep::last_full(&mut tx).await?;
    drop(tx);
    let rules = if done.as_deref() == Some(&mark) { Rules::Contact } else { Rules::All };
    let mut swept = Swept::default();
    let mut after = None;
    while !shutdown.is_cancelled() {
        after = sweep::chunk(store, after, rules, policy, now, &mut swept).await?;
        if after.is_none() {
            if rules == Rules::All {
                let mut tx = store.write().await?;
                sweep::set_last_full(&mut tx, &mark).await?;
                tx.commit().await?;
            }
            break;
        }
    }
    Ok(swept)
}
