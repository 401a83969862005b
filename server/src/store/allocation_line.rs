//! The lines of a proposal: pages by rank, each with what its device has become meanwhile.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    StoreError, Tx,
    allocation::{Explanation, LineState, in_stock},
    clause::Clause,
    page::{Cursor, CursorKey, Page, Total},
    value::{from_json, parsed},
};
use crate::domain::{
    allocation::{InStock, Unfit, serves, unfit},
    borrower::Level,
    policy::AllocationPolicy,
};

/// Rows on a page.
pub const PAGE_ROWS: usize = 50;

/// A device, as a line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineDevice {
    /// The device.
    pub id: Uuid,
    /// Serial number.
    pub serial: Option<String>,
    /// Label stuck on by staff.
    pub asset_tag: Option<String>,
    /// Model.
    pub model: Option<String>,
}

/// One need in a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// Its place, from 1.
    pub rank: i64,
    /// The need.
    pub need: Uuid,
    /// The site that asks.
    pub site: Uuid,
    /// Its UAI code.
    pub site_uai: String,
    /// Its name.
    pub site_name: String,
    /// The programme.
    pub programme: Uuid,
    /// The class level.
    pub level: Option<Level>,
    /// Where the line stands.
    pub state: LineState,
    /// The sum of its parts.
    pub score: i64,
    /// Why this rank, and why this device.
    pub explanation: Explanation,
    /// The device.
    pub device: Option<LineDevice>,
    /// Why there is none, or why it was refused: a code.
    pub cause: Option<String>,
    /// Why somebody changed the line.
    pub remark: Option<String>,
    /// The loan that was made.
    pub loan: Option<Uuid>,
    /// Why it could not be approved as it now is: a code. Only while it is proposed.
    pub stale: Option<&'static str>,
    /// Whether the need still waits.
    pub(super) need_open: bool,
    /// Whether its programme still lends.
    pub(super) programme_open: bool,
    /// For whom the need is.
    pub(super) borrower: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    rank: i64,
    need_id: Uuid,
    site_id: Uuid,
    uai: String,
    site_name: String,
    programme_id: Uuid,
    level: Option<String>,
    state: String,
    score: i64,
    explanation: String,
    device_id: Option<Uuid>,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    model: Option<String>,
    cause: Option<String>,
    remark: Option<String>,
    loan_id: Option<Uuid>,
    need_state: String,
    closed_at: Option<i64>,
    borrower_id: Option<Uuid>,
}

impl Raw {
    fn read(self) -> Result<LineRow, StoreError> {
        let (serial, asset_tag, model) = (self.serial_number, self.asset_tag, self.model);
        Ok(LineRow {
            rank: self.rank,
            need: self.need_id,
            site: self.site_id,
            site_uai: self.uai,
            site_name: self.site_name,
            programme: self.programme_id,
            level: self.level.map(|level| parsed("need.level", &level)).transpose()?,
            state: parsed("allocation_line.state", &self.state)?,
            score: self.score,
            explanation: from_json("allocation_line.explanation", &self.explanation)?,
            device: self.device_id.map(|id| LineDevice { id, serial, asset_tag, model }),
            cause: self.cause,
            remark: self.remark,
            loan: self.loan_id,
            stale: None,
            need_open: self.need_state == "open",
            programme_open: self.closed_at.is_none(),
            borrower: self.borrower_id,
        })
    }
}

const SELECT: &str = "SELECT l.rank, l.need_id, l.site_id, s.uai, s.name AS site_name, n.programme_id, n.level, l.state, \
     l.score, l.explanation, l.device_id, d.serial_number, d.asset_tag, d.model, l.cause, l.remark, l.loan_id, \
     n.state AS need_state, p.closed_at, n.borrower_id FROM allocation_line l JOIN need n ON n.id = l.need_id \
     JOIN programme p ON p.id = n.programme_id JOIN site s ON s.id = l.site_id \
     LEFT JOIN device d ON d.id = l.device_id WHERE l.allocation_id = ";

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineQuery {
    /// Only this state.
    pub state: Option<LineState>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

/// One page of a proposal's lines, by rank.
pub async fn list(
    tx: &mut Tx,
    id: Uuid,
    query: &LineQuery,
    policy: &AllocationPolicy,
) -> Result<Page<LineRow>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(SELECT);
    restrict(&mut clause, id, query);
    if let Some(Cursor { key: CursorKey::Number(rank), .. }) = &query.after {
        clause.sql(" AND l.rank > ").value(*rank);
    }
    clause.sql(" ORDER BY l.rank LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut rows: Vec<Raw> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| Cursor { key: CursorKey::Number(row.rank), id: row.need_id });
    let mut count = Clause::new("SELECT count(*) FROM allocation_line l WHERE l.allocation_id = ");
    restrict(&mut count, id, query);
    let total = Total::Exact(count.number(tx).await?);
    let mut rows = rows.into_iter().map(Raw::read).collect::<Result<Vec<_>, _>>()?;
    mark_stale(tx, &mut rows, policy).await?;
    Ok(Page { rows, next, total })
}

/// The first `limit` proposed lines, by rank, with what they have become.
pub(super) async fn proposed(
    tx: &mut Tx,
    id: Uuid,
    limit: i64,
    policy: &AllocationPolicy,
) -> Result<Vec<LineRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.value(id).sql(" AND l.state = 'proposed' ORDER BY l.rank LIMIT ").value(limit);
    let mut rows = clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read).collect::<Result<Vec<_>, StoreError>>()?;
    mark_stale(tx, &mut rows, policy).await?;
    Ok(rows)
}

/// The line with that rank.
pub(super) async fn one(tx: &mut Tx, id: Uuid, rank: i64) -> Result<Option<LineRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.value(id).sql(" AND l.rank = ").value(rank);
    clause.rows::<Raw>(tx).await?.pop().map(Raw::read).transpose()
}

fn restrict(clause: &mut Clause, id: Uuid, query: &LineQuery) {
    clause.value(id);
    if let Some(state) = query.state {
        clause.sql(" AND l.state = ").value(state.as_str());
    }
    if let Some(site) = query.site {
        clause.sql(" AND l.site_id = ").value(site);
    }
}

/// Says of each proposed line why it could not be approved now.
async fn mark_stale(tx: &mut Tx, rows: &mut [LineRow], policy: &AllocationPolicy) -> Result<(), StoreError> {
    let waiting = rows.iter().filter(|row| row.state == LineState::Proposed);
    let devices: Vec<Uuid> = waiting.filter_map(|row| row.device.as_ref().map(|device| device.id)).collect();
    let stock: BTreeMap<Uuid, InStock> =
        in_stock(tx, Some(&devices)).await?.into_iter().map(|one| (one.device.0, one)).collect();
    for row in rows.iter_mut().filter(|row| row.state == LineState::Proposed) {
        row.stale = stale(row, row.device.as_ref().and_then(|device| stock.get(&device.id)), policy);
    }
    Ok(())
}

fn stale(row: &LineRow, device: Option<&InStock>, policy: &AllocationPolicy) -> Option<&'static str> {
    if !row.need_open {
        return Some("need_closed");
    }
    if !row.programme_open {
        return Some("programme_closed");
    }
    let Some(device) = device else { return Some("not_in_stock") };
    if !serves(device, (row.site, row.programme), policy) {
        return Some("not_for_it");
    }
    unfit(device, policy).map(Unfit::as_str)
}

/// How many lines are in which state.
pub async fn counts(tx: &mut Tx, id: Uuid) -> Result<BTreeMap<LineState, i64>, StoreError> {
    let mut clause = Clause::new("SELECT state, count(*) AS value FROM allocation_line WHERE allocation_id = ");
    clause.value(id).sql(" GROUP BY state");
    let rows: Vec<(String, i64)> = clause.rows(tx).await?;
    rows.into_iter().map(|(state, count)| Ok((parsed("allocation_line.state", &state)?, count))).collect()
}

/// How many proposed lines wait for a device or a need that has moved on since.
pub async fn stale_count(tx: &mut Tx, id: Uuid, policy: &AllocationPolicy) -> Result<i64, StoreError> {
    let lines = proposed(tx, id, i64::MAX, policy).await?;
    Ok(i64::try_from(lines.iter().filter(|line| line.stale.is_some()).count()).unwrap_or(i64::MAX))
}

#[cfg(test)]
impl LineRow {
    /// A line in that state, for samples of pages, which cannot fill what only this module knows.
    pub(crate) fn sample(state: LineState) -> Self {
        Self {
            rank: 1,
            need: Uuid::from_u128(71),
            site: Uuid::from_u128(42),
            site_uai: String::new(),
            site_name: String::new(),
            programme: Uuid::from_u128(41),
            level: None,
            state,
            score: 0,
            explanation: Explanation::default(),
            device: None,
            cause: None,
            remark: None,
            loan: None,
            stale: None,
            need_open: true,
            programme_open: true,
            borrower: None,
        }
    }
}
