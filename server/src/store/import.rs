//! Imports as they stand: what was asked, the sealed file, how far it came, the rows' outcomes, remembered mappings.
//!
//! A process that works on an import holds it for a while; each of its units of work asks whether it still does, so two
//! processes never write the same rows. One that died leaves it to run out.

use cartable_common::UtcMillis;
use serde_json::Value;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    on,
    page::{self, Cursor},
    rows::{Rows, Type},
    value::{from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::import::{Blanks, Counts, ImportState, Kind, OnError, OutcomeName, mapping::Mapping};

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Which one.
    pub id: Uuid,
    /// What its file lists.
    pub kind: Kind,
    /// What the file was called.
    pub file_name: String,
    /// Who brought it.
    pub created_by: String,
    /// When.
    pub created_at: UtcMillis,
    /// Where it has come to.
    pub state: ImportState,
    /// What happens with bad rows.
    pub on_error: OnError,
    /// What blank cells mean.
    pub blanks: Blanks,
    /// What its columns hold.
    pub mapping: Mapping,
    /// Rows of the file.
    pub total: i64,
    /// Rows of the present pass that are committed.
    pub done: i64,
    /// What they became.
    pub counts: Counts,
    /// What failed.
    pub failure: Option<String>,
    /// When it came to an end.
    pub finished_at: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    kind: String,
    file_name: String,
    created_by: String,
    created_at: i64,
    state: String,
    on_error: String,
    blanks: String,
    mapping: String,
    total_rows: i64,
    done_rows: i64,
    new_rows: i64,
    changed_rows: i64,
    same_rows: i64,
    bad_rows: i64,
    failure: Option<String>,
    finished_at: Option<i64>,
}

impl Raw {
    fn read(self) -> Result<Import, StoreError> {
        Ok(Import {
            id: self.id,
            kind: parsed("import.kind", &self.kind)?,
            file_name: self.file_name,
            created_by: self.created_by,
            created_at: moment("import.created_at", self.created_at)?,
            state: parsed("import.state", &self.state)?,
            on_error: parsed("import.on_error", &self.on_error)?,
            blanks: parsed("import.blanks", &self.blanks)?,
            mapping: from_json("import.mapping", &self.mapping)?,
            total: self.total_rows,
            done: self.done_rows,
            counts: Counts { new: self.new_rows, changed: self.changed_rows, same: self.same_rows, bad: self.bad_rows },
            failure: self.failure,
            finished_at: optional_moment("import.finished_at", self.finished_at)?,
        })
    }
}

const SELECT: &str = "SELECT id, kind, file_name, created_by, created_at, state, on_error, blanks, mapping, total_rows, \
     done_rows, new_rows, changed_rows, same_rows, bad_rows, failure, finished_at FROM import";

/// Imports shown at once, newest first.
const SHOWN: usize = 50;

/// Records an import, whose columns are then looked at.
pub async fn insert(tx: &mut Tx, import: &Import, content_hash: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO import (id, kind, file_name, content_hash, created_by, created_at, state, on_error, blanks, \
               mapping, total_rows) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let mapping = to_json("import.mapping", &import.mapping)?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(import.id)
            .bind(import.kind.as_str())
            .bind(import.file_name.as_str())
            .bind(content_hash)
            .bind(import.created_by.as_str())
            .bind(import.created_at.get())
            .bind(import.state.as_str())
            .bind(import.on_error.as_str())
            .bind(import.blanks.as_str())
            .bind(mapping)
            .bind(import.total)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Stores one sealed piece of the file.
pub async fn insert_part(tx: &mut Tx, id: Uuid, number: i64, sealed: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO import_part (import_id, number, sealed) VALUES ($1, $2, $3)";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(number).bind(sealed).execute(c).await.map(drop))?;
    Ok(())
}

/// The sealed pieces of the file, in order; none once they were deleted.
pub async fn parts(tx: &mut Tx, id: Uuid) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT number, sealed FROM import_part WHERE import_id = $1 ORDER BY number";
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_all(c).await)?)
}

/// The import with that id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Import>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// The newest imports.
pub async fn newest(tx: &mut Tx) -> Result<Vec<Import>, StoreError> {
    Ok(page(tx, None, SHOWN).await?.0)
}

/// A page of all imports, newest first, for what holds every one of them.
pub async fn page(
    tx: &mut Tx,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<(Vec<Import>, Option<Cursor>), StoreError> {
    let mut clause = Clause::new(SELECT);
    page::older(&mut clause, " WHERE (created_at, id) < (", after);
    clause.sql(" ORDER BY created_at DESC, id DESC LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read);
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    let next = page::cut(&mut rows, limit, |row| Cursor::newest(row.created_at, row.id));
    Ok((rows, next))
}

/// An import of the same file by the same person that was interrupted while it was written.
pub async fn interrupted(tx: &mut Tx, kind: Kind, content_hash: &[u8], by: &str) -> Result<Option<Import>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE state = 'applying' AND kind = $1 AND content_hash = $2 AND created_by = $3 \
         ORDER BY created_at DESC LIMIT 1"
    ));
    let kind = kind.as_str();
    let raw: Option<Raw> =
        on!(tx, |c| sqlx::query_as(sql).bind(kind).bind(content_hash).bind(by).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

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

/// Forgets the outcomes of a pass that did not write.
pub async fn forget_rows(tx: &mut Tx, id: Uuid) -> Result<(), StoreError> {
    let sql = "DELETE FROM import_row WHERE import_id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(drop))?;
    Ok(())
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

/// Ends a pass.
pub async fn finish(
    tx: &mut Tx,
    id: Uuid,
    state: ImportState,
    failure: Option<&str>,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "UPDATE import SET state = $2, failure = $3, finished_at = $4, holder = NULL, held_until = NULL \
               WHERE id = $1";
    let (state, now) = (state.as_str(), now.get());
    on!(tx, |c| sqlx::query(sql).bind(id).bind(state).bind(failure).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// One row's outcome, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowReport {
    /// Its line in the file.
    pub line: i64,
    /// What becomes of it.
    pub outcome: OutcomeName,
    /// Reasons or changes.
    pub details: Value,
}

/// Stores outcomes; `Same` is only counted.
pub async fn put_rows(tx: &mut Tx, id: Uuid, reports: &[RowReport]) -> Result<(), StoreError> {
    let mut rows =
        Rows::new([("import_id", Type::Uuid), ("line", Type::Int), ("outcome", Type::Text), ("details", Type::Text)]);
    for report in reports.iter().filter(|report| report.outcome != OutcomeName::Same) {
        rows.push([id.into(), report.line.into(), report.outcome.as_str().into(), report.details.to_string().into()]);
    }
    let sql = "INSERT INTO import_row (import_id, line, outcome, details) \
               SELECT import_id, line, outcome, details FROM {rows} WHERE true \
               ON CONFLICT (import_id, line) DO UPDATE SET outcome = excluded.outcome, details = excluded.details";
    rows.execute(tx, sql).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct RawRow {
    line: i64,
    outcome: String,
    details: String,
}

/// Outcomes after line `after`, in the file's order; of one kind, or of all.
pub async fn rows(
    tx: &mut Tx,
    id: Uuid,
    outcome: Option<OutcomeName>,
    after: i64,
    limit: i64,
) -> Result<Vec<RowReport>, StoreError> {
    let raw: Vec<RawRow> = if let Some(outcome) = outcome {
        let sql = "SELECT line, outcome, details FROM import_row WHERE import_id = $1 AND outcome = $2 AND line > $3 \
                   ORDER BY line LIMIT $4";
        let outcome = outcome.as_str();
        on!(tx, |c| sqlx::query_as(sql).bind(id).bind(outcome).bind(after).bind(limit).fetch_all(c).await)?
    } else {
        let sql = "SELECT line, outcome, details FROM import_row WHERE import_id = $1 AND line > $2 \
                   ORDER BY line LIMIT $3";
        on!(tx, |c| sqlx::query_as(sql).bind(id).bind(after).bind(limit).fetch_all(c).await)?
    };
    raw.into_iter()
        .map(|raw| {
            Ok(RowReport {
                line: raw.line,
                outcome: parsed("import_row.outcome", &raw.outcome)?,
                details: from_json("import_row.details", &raw.details)?,
            })
        })
        .collect()
}

/// What the columns with these headings were last taken for.
pub async fn remembered(tx: &mut Tx, kind: Kind, headings_hash: &[u8]) -> Result<Option<Mapping>, StoreError> {
    let sql = "SELECT mapping FROM import_mapping WHERE kind = $1 AND headings_hash = $2";
    let kind = kind.as_str();
    let json: Option<String> =
        on!(tx, |c| sqlx::query_scalar(sql).bind(kind).bind(headings_hash).fetch_optional(c).await)?;
    json.map(|json| from_json("import_mapping.mapping", &json)).transpose()
}

/// Remembers what the columns with these headings are taken for.
pub async fn remember(
    tx: &mut Tx,
    kind: Kind,
    headings_hash: &[u8],
    mapping: &Mapping,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO import_mapping (kind, headings_hash, mapping, updated_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (kind, headings_hash) DO UPDATE SET mapping = excluded.mapping, \
               updated_at = excluded.updated_at";
    let (kind, json, now) = (kind.as_str(), to_json("import_mapping.mapping", mapping)?, now.get());
    on!(tx, |c| sqlx::query(sql).bind(kind).bind(headings_hash).bind(json).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes an import with its file and outcomes; the audit keeps what it did. False when a process works on it.
pub async fn delete(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM import WHERE id = $1 AND (held_until IS NULL OR held_until <= $2)";
    let now = now.get();
    let free: Option<Uuid> = on!(tx, |c| sqlx::query_scalar(sql).bind(id).bind(now).fetch_optional(c).await)?;
    if free.is_none() {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM import_part WHERE import_id = $1",
        "DELETE FROM import_row WHERE import_id = $1",
        "DELETE FROM import WHERE id = $1",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(drop))?;
    }
    Ok(true)
}

/// Imports begun before `moment` on which nothing works: their files and outcomes are no longer needed.
pub async fn older_than(tx: &mut Tx, limit: UtcMillis) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT id FROM import WHERE created_at < $1 ORDER BY created_at, id LIMIT 100";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(limit.get()).fetch_all(c).await)?)
}
