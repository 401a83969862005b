//! Imports as they stand: what was asked, the sealed file, how far it came, the rows' outcomes, remembered mappings.
//!
//! A process that works on an import holds it for a while; each of its units of work asks whether it still does, so two
//! processes never write the same rows. One that died leaves it to run out.

mod pass;
mod rows;

use cartable_common::UtcMillis;
use uuid::Uuid;

pub use self::{
    pass::{Asked, Progress, advance, finish, release, start, take, waiting},
    rows::{RowReport, forget_rows, put_rows, rows},
};
use super::{
    StoreError, Tx,
    clause::Clause,
    on,
    page::{self, Cursor},
    value::{from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::import::{Blanks, Counts, ImportState, Kind, OnError, mapping::Mapping};

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

/// Records an import, whose columns are then looked at: with the file's hash, and its headings and examples, sealed.
pub async fn insert(tx: &mut Tx, import: &Import, content_hash: &[u8], sealed_preview: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO import (id, kind, file_name, content_hash, created_by, created_at, state, on_error, blanks, \
               mapping, total_rows, sealed_preview) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
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
            .bind(sealed_preview)
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

/// The sealed headings and examples of the file; none if the import is gone, or older than they are.
pub async fn preview(tx: &mut Tx, id: Uuid) -> Result<Option<String>, StoreError> {
    let sql = "SELECT sealed_preview FROM import WHERE id = $1";
    let found: Option<Option<String>> = on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?;
    Ok(found.flatten())
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
