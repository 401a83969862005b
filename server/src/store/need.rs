//! Needs: entered, imported, withdrawn, met; never deleted, for proposals name them.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    allocation::Explanation,
    on,
    rows::Rows,
    value::{from_json, moment, parsed, to_json},
};
use crate::domain::{
    borrower::Level,
    need::{Need, NeedState, Reasons},
    scope::Scope,
};

/// A need with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedRow {
    /// What the site asks.
    pub need: Need,
    /// What became of it.
    pub state: NeedState,
    /// Who entered it.
    pub entered_by: String,
    /// The loan that met it.
    pub loan: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
pub(super) struct Raw {
    pub(super) id: Uuid,
    pub(super) site_id: Uuid,
    programme_id: Uuid,
    level: Option<String>,
    reasons: String,
    borrower_id: Option<Uuid>,
    state: String,
    entered_by: String,
    pub(super) entered_at: i64,
    loan_id: Option<Uuid>,
}

/// The reasons as they are stored.
pub(super) fn reasons(json: &str) -> Result<Reasons, StoreError> {
    Reasons::new(from_json::<Vec<_>>("need.reasons", json)?)
        .map_err(|why| StoreError::Corrupt { what: "need.reasons", why: why.to_string() })
}

impl Raw {
    pub(super) fn read(self) -> Result<NeedRow, StoreError> {
        Ok(NeedRow {
            need: Need {
                id: self.id,
                site: self.site_id,
                programme: self.programme_id,
                level: self.level.map(|level| parsed("need.level", &level)).transpose()?,
                reasons: reasons(&self.reasons)?,
                borrower: self.borrower_id,
                entered_at: moment("need.entered_at", self.entered_at)?,
            },
            state: parsed("need.state", &self.state)?,
            entered_by: self.entered_by,
            loan: self.loan_id,
        })
    }
}

pub(super) const SELECT: &str = "SELECT id, site_id, programme_id, level, reasons, borrower_id, state, entered_by, \
     entered_at, loan_id FROM need";

/// Enters a need.
pub async fn insert(tx: &mut Tx, need: &Need, by: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO need (id, site_id, programme_id, level, reasons, borrower_id, state, entered_by, entered_at) \
               VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8)";
    let reasons = to_json("need.reasons", &need.reasons.codes())?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(need.id)
            .bind(need.site)
            .bind(need.programme)
            .bind(need.level.map(Level::as_str))
            .bind(reasons)
            .bind(need.borrower)
            .bind(by)
            .bind(need.entered_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The need with that id, if `scope` covers its site.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<NeedRow>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(Some(raw.site_id))).map(Raw::read).transpose()
}

/// The site no longer asks. False when the need is not open, or not of `scope`.
pub async fn withdraw(tx: &mut Tx, scope: &Scope, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    if find(tx, scope, id).await?.is_none() {
        return Ok(false);
    }
    let sql = "UPDATE need SET state = 'withdrawn', ended_at = $2 WHERE id = $1 AND state = 'open'";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Holds these needs until the unit of work ends: what is read of them afterwards stays true. PostgreSQL alone runs
/// units of work that write side by side.
pub(crate) async fn lock(tx: &mut Tx, ids: impl IntoIterator<Item = Uuid>) -> Result<(), StoreError> {
    if matches!(tx, Tx::Postgres(_)) {
        let sql = "SELECT n.id FROM need n WHERE n.id IN (SELECT r.id FROM {rows}) ORDER BY n.id FOR NO KEY UPDATE";
        let _: Vec<(Uuid,)> = Rows::of_ids(ids).fetch(tx, sql).await?;
    }
    Ok(())
}

/// A device is set aside for it. False when it is no longer open.
pub(crate) async fn meet(
    tx: &mut Tx,
    id: Uuid,
    (loan, borrower): (Uuid, Uuid),
    now: UtcMillis,
) -> Result<bool, StoreError> {
    let sql = "UPDATE need SET state = 'met', ended_at = $2, loan_id = $3, borrower_id = $4 \
               WHERE id = $1 AND state = 'open'";
    let rows = on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(now.get())
            .bind(loan)
            .bind(borrower)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Cuts what leads from a borrower to its needs' level and reasons. A need that still waits is anonymous from now on; of
/// those that ended neither stays, nor the parts of their scores in proposals. The scores themselves stay: the fairness
/// of a proposal is reckoned from them. The hash that names a need in an imported list goes too: it is made from the
/// school's number.
pub(crate) async fn forget_borrower(tx: &mut Tx, borrower: Uuid) -> Result<(), StoreError> {
    let sql = "SELECT l.allocation_id, l.rank, l.explanation FROM allocation_line l JOIN need n ON n.id = l.need_id \
               WHERE n.borrower_id = $1 AND n.state <> 'open'";
    let lines: Vec<(Uuid, i64, String)> = on!(tx, |c| sqlx::query_as(sql).bind(borrower).fetch_all(c).await)?;
    forget_parts(tx, lines).await?;
    let sql = "UPDATE need SET level = NULL, reasons = '[]', natural_key_hash = NULL \
               WHERE borrower_id = $1 AND state <> 'open'";
    on!(tx, |c| sqlx::query(sql).bind(borrower).execute(c).await.map(drop))?;
    let sql = "UPDATE need SET borrower_id = NULL, natural_key_hash = NULL WHERE borrower_id = $1 AND state = 'open'";
    on!(tx, |c| sqlx::query(sql).bind(borrower).execute(c).await.map(drop))?;
    Ok(())
}

/// Cuts what leads from the loans of these devices to a person through the needs that they met. Whoever is forgotten
/// later is looked for by the borrower that a need names, so nothing about a person stays in one that names nobody.
pub(crate) async fn forget_devices(tx: &mut Tx, devices: &[DeviceId]) -> Result<(), StoreError> {
    let rows = Rows::of_ids(devices.iter().map(|device| device.0));
    let sql = "SELECT a.allocation_id, a.rank, a.explanation FROM {rows} JOIN loan l ON l.device_id = r.id \
               JOIN need n ON n.loan_id = l.id JOIN allocation_line a ON a.need_id = n.id";
    let lines = rows.fetch(tx, sql).await?;
    forget_parts(tx, lines).await?;
    let sql = "UPDATE need SET borrower_id = NULL, level = NULL, reasons = '[]', natural_key_hash = NULL \
               WHERE loan_id IN (SELECT l.id FROM {rows} JOIN loan l ON l.device_id = r.id)";
    rows.execute(tx, sql).await.map(drop)
}

/// Takes the parts of the score out of these lines of proposals, each given with its explanation.
async fn forget_parts(tx: &mut Tx, lines: Vec<(Uuid, i64, String)>) -> Result<(), StoreError> {
    for (allocation, rank, explanation) in lines {
        let explanation: Explanation = from_json("allocation_line.explanation", &explanation)?;
        let kept = Explanation { parts: Vec::new(), ..explanation };
        let kept = to_json("allocation_line.explanation", &kept)?;
        let sql = "UPDATE allocation_line SET explanation = $3 WHERE allocation_id = $1 AND rank = $2";
        on!(tx, |c| sqlx::query(sql).bind(allocation).bind(rank).bind(kept).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The reservation that met a need was dropped: the site is still waiting.
pub(crate) async fn reopen_of_loan(tx: &mut Tx, loan: Uuid) -> Result<(), StoreError> {
    let sql = "UPDATE need SET state = 'open', ended_at = NULL, loan_id = NULL WHERE loan_id = $1 AND state = 'met'";
    on!(tx, |c| sqlx::query(sql).bind(loan).execute(c).await.map(drop))?;
    Ok(())
}
