//! The passes over an import's file: who holds it, how far it came, how it ended.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::rows::forget_rows;
use crate::{
    domain::import::{Blanks, Counts, ImportState, OnError, mapping::Mapping},
    store::{StoreError, Tx, on, value::to_json},
};

/// Imports that wait for a process or whose process has died, oldest first.
pub async fn waiting(tx: &mut Tx, now: UtcMillis) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT id FROM import WHERE state IN ('checking', 'applying') \
               AND (held_until IS NULL OR held_until <= $1) ORDER BY created_at, id";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(now.get()).fetch_all(c).await)?)
}

/// Takes an import for `holder` until `until`; whether it got it.
pub async fn take(tx: &mut Tx, id: Uuid, holder: Uuid, now: UtcMillis, until: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE import SET holder = $2, held_until = $4 WHERE id = $1 AND state IN ('checking', 'applying') \
               AND (holder IS NULL OR holder = $2 OR held_until IS NULL OR held_until <= $3)";
    let (now, until) = (now.get(), until.get());
    let rows = on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(holder).bind(now).bind(until).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Gives an import back early, if `holder` has it.
pub async fn release(tx: &mut Tx, id: Uuid, holder: Uuid) -> Result<(), StoreError> {
    let sql = "UPDATE import SET holder = NULL, held_until = NULL WHERE id = $1 AND holder = $2";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(holder).execute(c).await.map(drop))?;
    Ok(())
}

/// What a person asks of an import: how its file is read, and what to do next.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// What its columns hold.
    pub mapping: &'a Mapping,
    /// What blank cells mean.
    pub blanks: Blanks,
    /// What happens with bad rows.
    pub on_error: OnError,
    /// `Checking` or `Applying`.
    pub state: ImportState,
}

/// Starts a pass over the file from its first row. False when a process works on it just now, or it was written.
pub async fn start(tx: &mut Tx, id: Uuid, asked: &Asked<'_>, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE import SET mapping = $2, blanks = $3, on_error = $4, state = $5, done_rows = 0, new_rows = 0, \
               changed_rows = 0, same_rows = 0, bad_rows = 0, failure = NULL, holder = NULL, held_until = NULL, \
               finished_at = NULL WHERE id = $1 AND state IN ('mapping', 'checked', 'refused', 'failed', 'checking') \
               AND (held_until IS NULL OR held_until <= $6)";
    let mapping = to_json("import.mapping", asked.mapping)?;
    let rows = on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(mapping)
            .bind(asked.blanks.as_str())
            .bind(asked.on_error.as_str())
            .bind(asked.state.as_str())
            .bind(now.get())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    if rows == 1 {
        forget_rows(tx, id).await?;
    }
    Ok(rows == 1)
}

/// How far a pass has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Rows that are done.
    pub done: i64,
    /// What they became.
    pub counts: Counts,
}

/// Writes how far the pass has come, in the unit of work that did it; false when `holder` has lost the import.
pub async fn advance(
    tx: &mut Tx,
    id: Uuid,
    holder: Uuid,
    progress: Progress,
    until: UtcMillis,
) -> Result<bool, StoreError> {
    let sql = "UPDATE import SET done_rows = $3, new_rows = $4, changed_rows = $5, same_rows = $6, bad_rows = $7, \
               held_until = $8 WHERE id = $1 AND holder = $2";
    let Progress { done, counts } = progress;
    let rows = on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(holder)
            .bind(done)
            .bind(counts.new)
            .bind(counts.changed)
            .bind(counts.same)
            .bind(counts.bad)
            .bind(until.get())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Ends a pass; false when `holder` has lost the import.
pub async fn finish(
    tx: &mut Tx,
    id: Uuid,
    holder: Uuid,
    (state, failure): (ImportState, Option<&str>),
    now: UtcMillis,
) -> Result<bool, StoreError> {
    let sql = "UPDATE import SET state = $3, failure = $4, finished_at = $5, holder = NULL, held_until = NULL \
               WHERE id = $1 AND holder = $2";
    let (state, now) = (state.as_str(), now.get());
    let rows = on!(tx, |c| {
        let ended = sqlx::query(sql).bind(id).bind(holder).bind(state).bind(failure).bind(now).execute(c).await;
        ended.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}
