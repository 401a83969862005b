//! Lists of work orders: the board by stage, and pages for scripts.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    device_list::{COUNT_CAP, PAGE_ROWS},
    page::{Cursor, CursorKey, Page, Total},
    value::{moment, parsed},
    work_order,
};
use crate::domain::{
    grade::Grade,
    scope::Scope,
    work_order::{CLOSED, Position, Stage},
};

/// An order with the names of its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSummary {
    /// The order.
    pub id: Uuid,
    /// Where it is.
    pub position: Position,
    /// Since when.
    pub since: UtcMillis,
    /// When it was taken in.
    pub opened_at: UtcMillis,
    /// Its grade, from disposition on.
    pub grade: Option<Grade>,
    /// How often it was reopened.
    pub reopened: i64,
    /// The device.
    pub device: DeviceId,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// Its label.
    pub asset_tag: Option<String>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// National code of its site.
    pub site_uai: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    stage: String,
    disposition: Option<String>,
    since: i64,
    opened_at: i64,
    grade: Option<String>,
    reopened: i64,
    device_id: Uuid,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    site_uai: Option<String>,
}

impl Raw {
    fn read(self) -> Result<OrderSummary, StoreError> {
        Ok(OrderSummary {
            id: self.id,
            position: work_order::position(&self.stage, self.disposition.as_deref())?,
            since: moment("work_order.since", self.since)?,
            opened_at: moment("work_order.opened_at", self.opened_at)?,
            grade: self.grade.map(|text| parsed("work_order.grade", &text)).transpose()?,
            reopened: self.reopened,
            device: DeviceId(self.device_id),
            serial_number: self.serial_number,
            asset_tag: self.asset_tag,
            manufacturer: self.manufacturer,
            model: self.model,
            site_uai: self.site_uai,
        })
    }
}

const SELECT: &str = "SELECT w.id, w.stage, w.disposition, w.since, w.opened_at, w.grade, w.reopened, w.device_id, \
     d.serial_number, d.asset_tag, d.manufacturer, d.model, s.uai AS site_uai FROM work_order w \
     JOIN device d ON d.id = w.device_id LEFT JOIN site s ON s.id = d.site_id WHERE 1 = 1";

/// Orders of a stage that the board shows, oldest there first; of more it says how many.
pub const ON_BOARD: i64 = 30;

/// One column of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The stage.
    pub stage: Stage,
    /// Its orders, those that have been there longest first: at most [`ON_BOARD`].
    pub orders: Vec<OrderSummary>,
    /// How many there are.
    pub count: i64,
}

/// The open orders by stage.
pub async fn board(tx: &mut Tx, scope: &Scope) -> Result<Vec<Column>, StoreError> {
    let mut columns = Vec::with_capacity(Stage::ALL.len());
    for stage in Stage::ALL {
        let mut clause = Clause::new(SELECT);
        clause.sql(" AND w.stage = ").value(stage.as_str()).within("d.site_id", scope);
        clause.sql(" ORDER BY w.since, w.id LIMIT ").value(ON_BOARD);
        let orders: Vec<OrderSummary> =
            clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read).collect::<Result<_, _>>()?;
        let mut count = i64::try_from(orders.len()).unwrap_or(i64::MAX);
        if count == ON_BOARD {
            let mut clause =
                Clause::new("SELECT count(*) FROM work_order w JOIN device d ON d.id = w.device_id WHERE w.stage = ");
            clause.value(stage.as_str()).within("d.site_id", scope);
            count = clause.number(tx).await?;
        }
        columns.push(Column { stage: *stage, orders, count });
    }
    Ok(columns)
}

/// The orders that were closed last, newest first.
pub async fn closed_last(tx: &mut Tx, scope: &Scope, most: i64) -> Result<Vec<OrderSummary>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" AND w.stage = ").value(CLOSED).within("d.site_id", scope);
    clause.sql(" ORDER BY w.since DESC, w.id DESC LIMIT ").value(most);
    clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read).collect()
}

/// One order with the names of its unit, if `scope` covers it.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<OrderSummary>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" AND w.id = ").value(id).within("d.site_id", scope);
    clause.rows::<Raw>(tx).await?.pop().map(Raw::read).transpose()
}

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Only at this stage.
    pub stage: Option<Stage>,
    /// Only closed ones, or only open ones.
    pub closed: Option<bool>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

fn restrict(clause: &mut Clause, scope: &Scope, query: &OrderQuery) {
    clause.within("d.site_id", scope);
    if let Some(stage) = query.stage {
        clause.sql(" AND w.stage = ").value(stage.as_str());
    }
    if let Some(closed) = query.closed {
        clause.sql(if closed { " AND w.stage = " } else { " AND w.stage <> " }).value(CLOSED);
    }
}

/// A page of orders, newest first.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &OrderQuery) -> Result<Page<OrderSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(SELECT);
    restrict(&mut clause, scope, query);
    if let Some(Cursor { key: CursorKey::Number(number), id }) = &query.after {
        clause.sql(" AND (w.opened_at, w.id) < (").value(*number).sql(", ").value(*id).sql(")");
    }
    clause.sql(" ORDER BY w.opened_at DESC, w.id DESC LIMIT ");
    clause.value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut rows: Vec<Raw> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| Cursor { key: CursorKey::Number(row.opened_at), id: row.id });
    let total = if query.after.is_none() && !more {
        Total::Exact(i64::try_from(rows.len()).unwrap_or(i64::MAX))
    } else {
        total(tx, scope, query).await?
    };
    Ok(Page { rows: rows.into_iter().map(Raw::read).collect::<Result<_, _>>()?, next, total })
}

async fn total(tx: &mut Tx, scope: &Scope, query: &OrderQuery) -> Result<Total, StoreError> {
    let mut clause =
        Clause::new("SELECT count(*) FROM (SELECT 1 FROM work_order w JOIN device d ON d.id = w.device_id WHERE 1 = 1");
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}
