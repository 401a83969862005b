//! Raises and clears the flags that time alone changes.
//!
//! Each run judges every device by the rules of contact, from narrow rows. Once a day, and after a change of the
//! policy, it judges by all rules, from the whole reports. Then it decides anew what those devices should become whose
//! evidence, policy or day changed since that was last decided, and counts what they should become.

use cartable_common::{ContentHash, UtcMillis};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::policy::Policy,
    store::{
        Store, StoreError, advice, advice_list,
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
    decide(store, policy, now, shutdown).await?;
    Ok(swept)
}

/// Devices decided about in one unit of work: on SQLite, check-ins wait for it.
const DECIDED_AT_ONCE: i64 = 100;

/// Brings the kept dispositions and their counts up to date; how many devices were decided about.
async fn decide(
    store: &Store,
    policy: &Policy,
    now: UtcMillis,
    shutdown: &CancellationToken,
) -> Result<usize, StoreError> {
    let (mut after, mut decided) = (Uuid::nil(), 0);
    while !shutdown.is_cancelled() {
        let mut tx = store.read().await?;
        let stale = advice::stale(&mut tx, after, policy, now, DECIDED_AT_ONCE).await?;
        drop(tx);
        let Some(last) = stale.last() else { break };
        after = *last;
        let mut tx = store.write().await?;
        advice::decide(&mut tx, &stale, policy, now).await?;
        tx.commit().await?;
        decided += stale.len();
    }
    if !shutdown.is_cancelled() {
        advice_list::recount(store).await?;
    }
    Ok(decided)
}
