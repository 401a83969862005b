//! What units on the benches lack: parts that staff found them to need, of which no piece that fits is on the shelf.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    StoreError, Tx,
    forecast::{model_key, part_for},
    forecast_history, on,
    rows::Rows,
    value::{from_json, parsed},
};
use crate::domain::{forecast::Kinds, part::PartKind, work_order::checklist::Findings};

/// What these orders lack; none of an order that lacks nothing. Each looks at the shelf for itself: two that wait for the
/// last piece both find it there (`store::forecast::wanting_today` counts the pieces).
pub(super) async fn lacking(
    tx: &mut Tx,
    orders: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Kinds>, StoreError> {
    let rows = Rows::of_ids(orders);
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT w.id, w.findings, d.model FROM {rows} JOIN work_order w ON w.id = r.id \
               JOIN device d ON d.id = w.device_id WHERE w.findings IS NOT NULL";
    let inspected: Vec<(Uuid, String, Option<String>)> = rows.fetch(tx, sql).await?;
    let sql =
        "SELECT u.order_id, p.kind FROM {rows} JOIN part_use u ON u.order_id = r.id JOIN part p ON p.id = u.part_id";
    let mut used = forecast_history::of_orders(rows.fetch(tx, sql).await?)?;
    let shelf = shelf(tx).await?;
    let mut lacking = HashMap::new();
    for (order, findings, model) in inspected {
        let findings: Findings = from_json("work_order.findings", &findings)?;
        let done = used.remove(&order).unwrap_or_default();
        let lacks =
            |kind: &PartKind| !done.holds(*kind) && !shelf.iter().any(|piece| piece.fits(*kind, model.as_deref()));
        let kinds: Kinds = findings.faults().map(part_for).filter(lacks).collect();
        if !kinds.is_empty() {
            lacking.insert(order, kinds);
        }
    }
    Ok(lacking)
}

/// A kind of part that lies on the shelf, for one model or for any.
struct Piece {
    kind: PartKind,
    model: Option<String>,
}

impl Piece {
    fn fits(&self, kind: PartKind, model: Option<&str>) -> bool {
        let fits = |own: &str| model.is_some_and(|model| model_key(own) == model_key(model));
        self.kind == kind && self.model.as_deref().is_none_or(fits)
    }
}

async fn shelf(tx: &mut Tx) -> Result<Vec<Piece>, StoreError> {
    let sql = "SELECT DISTINCT p.kind, p.model FROM part p WHERE p.count > 0";
    let pieces: Vec<(String, Option<String>)> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    pieces.into_iter().map(|(kind, model)| Ok(Piece { kind: parsed("part.kind", &kind)?, model })).collect()
}
