//! The stock of parts: what there is, what it costs, and on which orders it was used. A use and its decrement are one
//! unit of work, and no count goes below zero.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    on,
    value::{moment, parsed},
};
use crate::domain::part::{NewPart, Origin, PartKind};

/// A part in stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRow {
    /// Never given to another.
    pub id: Uuid,
    /// What it is.
    pub kind: PartKind,
    /// The model it fits; none fits any.
    pub model: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// The order whose unit it was taken from.
    pub from_order: Option<Uuid>,
    /// The price of a piece, in cents.
    pub unit_cents: i64,
    /// How many there are.
    pub count: i64,
    /// When it came into stock.
    pub created_at: UtcMillis,
}

/// A part that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// When.
    pub at: UtcMillis,
    /// Who.
    pub actor: String,
    /// What.
    pub kind: PartKind,
    /// Where it came from.
    pub origin: Origin,
    /// How many.
    pub count: i64,
    /// The price of a piece then, in cents.
    pub unit_cents: i64,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    kind: String,
    model: Option<String>,
    origin: String,
    from_order_id: Option<Uuid>,
    unit_cents: i64,
    count: i64,
    created_at: i64,
}

impl Raw {
    fn read(self) -> Result<PartRow, StoreError> {
        Ok(PartRow {
            id: self.id,
            kind: parsed("part.kind", &self.kind)?,
            model: self.model,
            origin: parsed("part.origin", &self.origin)?,
            from_order: self.from_order_id,
            unit_cents: self.unit_cents,
            count: self.count,
            created_at: moment("part.created_at", self.created_at)?,
        })
    }
}

const SELECT: &str =
    "SELECT p.id, p.kind, p.model, p.origin, p.from_order_id, p.unit_cents, p.count, p.created_at FROM part p";

/// Most parts of a page: some screens.
pub const LISTED: usize = 500;

/// Most parts of a kind that are offered for a unit, those that have lain longest first.
const OFFERED_OF_A_KIND: i64 = 40;

/// A page of the stock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Its parts, by kind.
    pub parts: Vec<PartRow>,
    /// Where the next page begins: after this part; none on the last page.
    pub next: Option<Uuid>,
    /// What all that was asked for is worth, on every page, in cents.
    pub value_cents: i64,
}

/// A page of the stock by kind, after the part `after`; also what is used up where `used_up`.
pub async fn list(
    tx: &mut Tx,
    kind: Option<PartKind>,
    used_up: bool,
    after: Option<Uuid>,
) -> Result<Stock, StoreError> {
    let asked = |clause: &mut Clause| {
        clause.sql(" WHERE p.count >= ").value(i64::from(!used_up));
        if let Some(kind) = kind {
            clause.sql(" AND p.kind = ").value(kind.as_str());
        }
    };
    let mut clause = Clause::new("SELECT CAST(COALESCE(SUM(p.unit_cents * p.count), 0) AS BIGINT) FROM part p");
    asked(&mut clause);
    let value_cents = clause.number(tx).await?;
    let mut clause = Clause::new(SELECT);
    asked(&mut clause);
    if let Some(after) = after {
        clause.sql(" AND (p.kind, p.created_at, p.id) > (SELECT kind, created_at, id FROM part WHERE id = ");
        clause.value(after).sql(")");
    }
    clause.sql(" ORDER BY p.kind, p.created_at, p.id LIMIT ");
    clause.value(i64::try_from(LISTED + 1).unwrap_or(i64::MAX));
    let mut rows: Vec<Raw> = clause.rows(tx).await?;
    let more = rows.len() > LISTED;
    rows.truncate(LISTED);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok(Stock { parts: rows.into_iter().map(Raw::read).collect::<Result<_, _>>()?, next, value_cents })
}

/// What there is for a unit of this model: what fits it, and what fits any. Of each kind what has lain longest.
pub async fn fitting(tx: &mut Tx, model: Option<&str>) -> Result<Vec<PartRow>, StoreError> {
    let mut clause = Clause::new(
        "SELECT p.id, p.kind, p.model, p.origin, p.from_order_id, p.unit_cents, p.count, p.created_at FROM \
         (SELECT q.*, ROW_NUMBER() OVER (PARTITION BY q.kind ORDER BY q.created_at, q.id) AS place FROM part q \
         WHERE q.count > 0 AND (q.model IS NULL OR lower(q.model) = lower(",
    );
    clause.value(model.unwrap_or_default()).sql("))) p WHERE p.place <= ").value(OFFERED_OF_A_KIND);
    clause.sql(" ORDER BY p.kind, p.created_at, p.id");
    clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read).collect()
}

/// The part with that id. The stock is the workshop's: it belongs to no site.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<PartRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" WHERE p.id = ").value(id);
    clause.rows::<Raw>(tx).await?.pop().map(Raw::read).transpose()
}

/// Puts a part into stock, bought or taken from the unit of an order. The caller writes the audit.
pub async fn insert(
    tx: &mut Tx,
    id: Uuid,
    part: &NewPart,
    from_order: Option<Uuid>,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO part (id, kind, model, origin, from_order_id, unit_cents, count, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let origin = if from_order.is_some() { Origin::Harvested } else { Origin::Bought };
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(part.kind.as_str())
            .bind(part.model.as_deref())
            .bind(origin.as_str())
            .bind(from_order)
            .bind(part.unit_cents)
            .bind(part.count)
            .bind(now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Sets how many there are, as counted on the shelf; whether there is such a part. The caller writes the audit.
pub async fn set_count(tx: &mut Tx, id: Uuid, count: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE part SET count = $2 WHERE id = $1";
    let found = on!(tx, |c| sqlx::query(sql).bind(id).bind(count).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(found > 0)
}

/// Whether there is a use with that id.
pub(super) async fn is_used(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    let mut clause = Clause::new("SELECT count(*) FROM part_use WHERE id = ");
    clause.value(id);
    Ok(clause.number(tx).await? > 0)
}

/// Takes one piece out of stock for an order, as the use `new`; false where there is none left.
pub(super) async fn use_one(
    tx: &mut Tx,
    (new, part): (Uuid, &PartRow),
    order: Uuid,
    actor: &str,
    now: UtcMillis,
) -> Result<bool, StoreError> {
    let sql = "UPDATE part SET count = count - 1 WHERE id = $1 AND count >= 1";
    let taken = on!(tx, |c| sqlx::query(sql).bind(part.id).execute(c).await.map(|done| done.rows_affected()))?;
    if taken == 0 {
        return Ok(false);
    }
    let sql =
        "INSERT INTO part_use (id, part_id, order_id, at, actor, count, unit_cents) VALUES ($1, $2, $3, $4, $5, 1, $6)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(new)
            .bind(part.id)
            .bind(order)
            .bind(now.get())
            .bind(actor)
            .bind(part.unit_cents)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(true)
}

#[derive(sqlx::FromRow)]
struct RawUse {
    at: i64,
    actor: String,
    kind: String,
    origin: String,
    count: i64,
    unit_cents: i64,
}

/// What was used on an order, first to last. The caller has found the order within its scope.
pub async fn used_on(tx: &mut Tx, order: Uuid) -> Result<Vec<UseRow>, StoreError> {
    let sql = "SELECT u.at, u.actor, p.kind, p.origin, u.count, u.unit_cents FROM part_use u \
               JOIN part p ON p.id = u.part_id WHERE u.order_id = $1 ORDER BY u.at, u.id";
    let raw: Vec<RawUse> = on!(tx, |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            Ok(UseRow {
                at: moment("part_use.at", raw.at)?,
                actor: raw.actor,
                kind: parsed("part.kind", &raw.kind)?,
                origin: parsed("part.origin", &raw.origin)?,
                count: raw.count,
                unit_cents: raw.unit_cents,
            })
        })
        .collect()
}

/// How many parts were taken from an order's unit.
pub(super) async fn harvested_from(tx: &mut Tx, order: Uuid) -> Result<i64, StoreError> {
    let mut clause = Clause::new("SELECT count(*) FROM part WHERE from_order_id = ");
    clause.value(order);
    clause.number(tx).await
}
