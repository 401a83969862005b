//! Exams that were ordered: who made them, for which sites, and which of them count now.

use std::collections::BTreeSet;

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    device_list::{COUNT_CAP, PAGE_ROWS},
    on,
    page::{self, Cursor, CursorKey, Page, Total},
    value::moment,
};
use crate::domain::{
    exam::{AHEAD_MILLIS, Exam, ExamState, NewExam},
    scope::Scope,
};

/// How long past exams are listed, in days: the last school year's.
const LISTED_DAYS: i64 = 400;

/// An exam, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExamRow {
    /// Never given to another.
    pub id: Uuid,
    /// What people call it.
    pub label: String,
    /// When it is, and whose.
    pub exam: Exam,
    /// The name and the code of its site.
    pub site: Option<(String, String)>,
    /// Who ordered it.
    pub created_by: String,
}

#[derive(FromRow)]
struct Raw {
    id: Uuid,
    label: String,
    site_id: Option<Uuid>,
    site_name: Option<String>,
    site_uai: Option<String>,
    begins_at: i64,
    ends_at: i64,
    created_by: String,
}

impl TryFrom<Raw> for ExamRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            id: raw.id,
            label: raw.label,
            exam: exam((raw.site_id, raw.begins_at, raw.ends_at))?,
            site: raw.site_name.zip(raw.site_uai),
            created_by: raw.created_by,
        })
    }
}

type Times = (Option<Uuid>, i64, i64);

fn exam((site, begins_at, ends_at): Times) -> Result<Exam, StoreError> {
    let (begins_at, ends_at) = (moment("exam.begins_at", begins_at)?, moment("exam.ends_at", ends_at)?);
    Ok(Exam { site, begins_at, ends_at })
}

/// Leaves those that somebody with this scope sees: of its sites, and of the whole programme, which concern everybody.
fn seen_by(clause: &mut Clause, scope: &Scope) {
    if let Scope::Sites(sites) = scope {
        clause.sql(" AND (e.site_id IS NULL OR e.site_id IN ").values(sites.iter().copied()).sql(")");
    }
}

/// Orders an exam for each of `sites`; without a site it is the whole programme's. Gives those that were not
/// ordered before for the same time with the same label: a form that is sent twice, even at once, orders once.
pub async fn add(
    tx: &mut Tx,
    new: &NewExam,
    sites: &[Option<Uuid>],
    by: &str,
    now: UtcMillis,
) -> Result<Vec<(Uuid, Exam)>, StoreError> {
    const SQL: &str = "INSERT INTO exam (id, site_id, label, begins_at, ends_at, created_at, created_by) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    // In one order for everybody: of two forms at once neither waits for the other for ever.
    let sites: BTreeSet<Option<Uuid>> = sites.iter().copied().collect();
    let mut added = Vec::with_capacity(sites.len());
    for site in sites {
        let id = Uuid::now_v7();
        let inserted = on!(tx, |c| {
            sqlx::query(SQL)
                .bind(id)
                .bind(site)
                .bind(new.label())
                .bind(new.begins_at().get())
                .bind(new.ends_at().get())
                .bind(now.get())
                .bind(by)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        })?;
        if inserted > 0 {
            added.push((id, Exam { site, begins_at: new.begins_at(), ends_at: new.ends_at() }));
        }
    }
    Ok(added)
}

const SELECT: &str = "SELECT e.id, e.label, e.site_id, s.name AS site_name, s.uai AS site_uai, e.begins_at, e.ends_at, \
    e.created_by FROM exam e LEFT JOIN site s ON s.id = e.site_id WHERE ";

/// Exams that the scope covers: on the first page all that are not over, those under way and then those to come; then
/// those of the last year, the last to end first, at most `limit` on a page ([`PAGE_ROWS`] when zero).
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    (after, limit): (Option<&Cursor>, usize),
    now: UtcMillis,
) -> Result<Page<ExamRow>, StoreError> {
    let limit = if limit == 0 { PAGE_ROWS } else { limit };
    let mut raw = if after.is_none() { not_over(tx, scope, now).await? } else { Vec::new() };
    let mut clause = Clause::new(SELECT);
    clause.sql("e.ends_at <= ").value(now.get()).sql(" AND e.ends_at > ").value(listed_since(now));
    seen_by(&mut clause, scope);
    page::older(&mut clause, " AND (e.ends_at, e.id) < (", after);
    clause.sql(" ORDER BY e.ends_at DESC, e.id DESC LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut past: Vec<Raw> = clause.rows(tx).await?;
    let next = page::cut(&mut past, limit, |row| Cursor { key: CursorKey::Number(row.ends_at), id: row.id });
    raw.extend(past);
    let total = if after.is_none() && next.is_none() {
        Total::Exact(i64::try_from(raw.len()).unwrap_or(i64::MAX))
    } else {
        count(tx, scope, now).await?
    };
    let rows = raw.into_iter().map(ExamRow::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { rows, next, total })
}

/// Those that are not over. What began before what is to come is under way: one order for both.
async fn not_over(tx: &mut Tx, scope: &Scope, now: UtcMillis) -> Result<Vec<Raw>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql("e.ends_at > ").value(now.get());
    seen_by(&mut clause, scope);
    clause.sql(" ORDER BY e.begins_at, s.sort_key, e.id").rows(tx).await
}

/// How many the list has, as far as it is worth counting.
async fn count(tx: &mut Tx, scope: &Scope, now: UtcMillis) -> Result<Total, StoreError> {
    let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM exam e WHERE e.ends_at > ");
    clause.value(listed_since(now));
    seen_by(&mut clause, scope);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

fn listed_since(now: UtcMillis) -> i64 {
    now.plus_days(-LISTED_DAYS).get()
}

/// The exam with that id, where the scope covers it.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<ExamRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql("e.id = ").value(id);
    seen_by(&mut clause, scope);
    let raw: Option<Raw> = clause.rows(tx).await?.pop();
    raw.map(ExamRow::try_from).transpose()
}

/// What the audit keeps of an exam: nothing of a person.
pub fn details(label: &str, exam: &Exam) -> Value {
    json!({ "label": label, "site": exam.site, "begins_at": exam.begins_at.get(), "ends_at": exam.ends_at.get() })
}

/// What became of an exam that was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledOff {
    /// It had begun: it ends now.
    Ended,
    /// It had not begun: it is gone.
    Removed,
    /// It was over, or somebody else called it off at the same moment: nothing changes.
    Over,
}

/// Ends the exam `row` now, or removes it where it has not begun.
pub async fn call_off(tx: &mut Tx, row: &ExamRow, now: UtcMillis) -> Result<CalledOff, StoreError> {
    // Ended at the very moment of its beginning it would have no length.
    let state = if row.exam.begins_at == now { ExamState::Coming } else { row.exam.state(now) };
    let (changed, done) = match state {
        ExamState::Past => return Ok(CalledOff::Over),
        ExamState::Current => {
            let sql = "UPDATE exam SET ends_at = $2, called_off_at = $2 WHERE id = $1 AND ends_at > $2";
            let changed = on!(tx, |c| {
                sqlx::query(sql).bind(row.id).bind(now.get()).execute(c).await.map(|done| done.rows_affected())
            });
            (changed?, CalledOff::Ended)
        }
        ExamState::Coming => {
            let sql = "DELETE FROM exam WHERE id = $1";
            let changed = on!(tx, |c| sqlx::query(sql).bind(row.id).execute(c).await.map(|done| done.rows_affected()));
            (changed?, CalledOff::Removed)
        }
    };
    Ok(if changed == 0 { CalledOff::Over } else { done })
}

/// The exams that an answer given at `now` has to heed, of all sites.
pub async fn near(tx: &mut Tx, now: UtcMillis) -> Result<Vec<Exam>, StoreError> {
    let sql = "SELECT site_id, begins_at, ends_at FROM exam WHERE ends_at > $1 AND begins_at < $2";
    let ahead = now.plus_millis(AHEAD_MILLIS).get();
    let rows: Vec<Times> = on!(tx, |c| sqlx::query_as(sql).bind(now.get()).bind(ahead).fetch_all(c).await)?;
    rows.into_iter().map(exam).collect()
}
