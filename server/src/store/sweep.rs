//! Judges the whole fleet in chunks: what time alone changes (silence, the end of a system's support), and what a new
//! policy changes. It also mends whatever an interrupted unit of work may have left.
//!
//! Each chunk is judged on a reading unit of work, which holds nobody up; only devices whose flags would change are
//! locked, judged again on what is then stored, and written.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    Store, StoreError, Tx,
    judgement::{self, Applied, Considered},
    on, review,
};
use crate::domain::policy::Policy;

/// Devices judged at once.
const CHUNK: i64 = 500;
/// Devices changed in one unit of work: on SQLite, check-ins wait for it.
const CHANGED_AT_ONCE: usize = 100;

/// Which rules a sweep considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// All: reads every report.
    All,
    /// Those of contact, clock and loan: reads narrow rows only.
    Contact,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Devices judged.
    pub devices: usize,
    /// Flags raised.
    pub raised: usize,
    /// Flags cleared.
    pub cleared: usize,
}

/// Judges the devices after `after`, a chunk of them; the last one's identifier, or `None` at the end of the fleet.
pub async fn chunk(
    store: &Store,
    after: Option<Uuid>,
    rules: Rules,
    policy: &Policy,
    now: UtcMillis,
    swept: &mut Swept,
) -> Result<Option<Uuid>, StoreError> {
    let considered = match rules {
        Rules::All => Considered::All,
        Rules::Contact => Considered::Standing,
    };
    let mut tx = store.read().await?;
    let ids = ids_after(&mut tx, after).await?;
    let judged: Vec<_> = review::stored(&mut tx, &ids, considered, policy, now)
        .await?
        .iter()
        .map(|one| one.judge(considered, policy, now))
        .collect();
    let changing = judgement::changing(&mut tx, &judged).await?;
    drop(tx);
    swept.devices += ids.len();
    for part in changing.chunks(CHANGED_AT_ONCE) {
        let mut tx = store.write().await?;
        let Applied { raised, cleared } = review::devices(&mut tx, part, considered, policy, now).await?;
        tx.commit().await?;
        swept.raised += raised;
        swept.cleared += cleared;
    }
    Ok(ids.last().copied())
}

/// Identifiers of a chunk of the fleet, in their order.
pub(crate) async fn ids_after(tx: &mut Tx, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT id FROM device WHERE id > $1 ORDER BY id LIMIT $2";
    let after = after.unwrap_or_default();
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(after).bind(CHUNK).fetch_all(c).await)?)
}

/// The mark under which everything was last judged by all rules, as [`set_last_full`] left it.
pub async fn last_full(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM setting WHERE name = 'swept'";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).fetch_optional(c).await)?)
}

/// Remembers that everything was judged, under `mark`.
pub async fn set_last_full(tx: &mut Tx, mark: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO setting (name, value) VALUES ('swept', $1) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    on!(tx, |c| sqlx::query(sql).bind(mark).execute(c).await.map(drop))?;
    Ok(())
}
