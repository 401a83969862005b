//! What rules ask about a device's lending: read beside the device, from its newest loan, narrowly.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    StoreError, Tx,
    rows::Rows,
    value::{day, moment, optional_moment, parsed},
    work_order, work_wanting,
};
use crate::domain::{
    facts::{LendingFacts, LoanFacts, ReleaseFacts, WorkFacts},
    forecast::Kinds,
};

/// The columns of [`RawLending`], of the device `d` and what [`JOIN`] adds.
pub(crate) const COLUMNS: &str = "d.lending_state, d.contact_expected, d.warranty_until, \
     CAST(CASE WHEN l.id IS NOT NULL OR EXISTS (SELECT 1 FROM programme p WHERE p.code = d.programme) THEN 1 ELSE 0 END \
     AS BIGINT) AS kept_here, l.state AS loan_state, l.handed_over_at, l.due_day, l.ended_at, b.left_site_day, \
     CASE WHEN d.lending_state = 'in_stock' THEN (SELECT MAX(e.at) FROM loan_event e WHERE e.loan_id = l.id) END \
     AS stocked_at, w.stage AS work_stage, w.disposition AS work_disposition, w.since AS work_since, \
     CASE WHEN w.stage IN ('erasure', 'repair') THEN w.id END AS wanting_order, CAST(CASE WHEN EXISTS (SELECT 1 \
     FROM donation_line n WHERE n.device_id = d.id AND n.state <> 'dropped') THEN 1 ELSE 0 END AS BIGINT) AS in_lot, \
     CASE WHEN d.lending_state = 'ceded' THEN (SELECT x.ordered_at FROM device_release x WHERE x.device_id = d.id) END \
     AS ordered_at, \
     CASE WHEN d.lending_state = 'ceded' THEN (SELECT x.told_at FROM device_release x WHERE x.device_id = d.id) END \
     AS told_at, \
     CASE WHEN d.lending_state = 'ceded' THEN (SELECT x.again_at FROM device_release x WHERE x.device_id = d.id) END \
     AS again_at";

/// Its newest loan that was not cancelled, the open one before all, and who holds it; and its newest work order.
pub(crate) const JOIN: &str = "LEFT JOIN loan l ON l.id = (SELECT n.id FROM loan n WHERE n.device_id = d.id \
     AND n.state <> 'cancelled' ORDER BY CASE WHEN n.ended_at IS NULL THEN 0 ELSE 1 END, n.reserved_at DESC, n.id DESC \
     LIMIT 1) LEFT JOIN borrower b ON b.id = l.borrower_id \
     LEFT JOIN work_order w ON w.id = (SELECT o.id FROM work_order o WHERE o.device_id = d.id \
     ORDER BY o.opened_at DESC, o.id DESC LIMIT 1)";

#[derive(sqlx::FromRow)]
pub(crate) struct RawLending {
    lending_state: String,
    contact_expected: String,
    warranty_until: Option<i64>,
    kept_here: i64,
    loan_state: Option<String>,
    handed_over_at: Option<i64>,
    due_day: Option<i64>,
    ended_at: Option<i64>,
    left_site_day: Option<i64>,
    stocked_at: Option<i64>,
    work_stage: Option<String>,
    work_disposition: Option<String>,
    work_since: Option<i64>,
    wanting_order: Option<Uuid>,
    in_lot: i64,
    ordered_at: Option<i64>,
    told_at: Option<i64>,
    again_at: Option<i64>,
}

impl RawLending {
    /// The order that may wait for a part.
    pub(crate) const fn wanting_order(&self) -> Option<Uuid> {
        self.wanting_order
    }

    /// The facts, beside what [`work_wanting::lacking`] knows.
    pub(crate) fn read(&self, lacking: &HashMap<Uuid, Kinds>) -> Result<LendingFacts, StoreError> {
        let loan = match &self.loan_state {
            None => None,
            Some(state) => Some(LoanFacts {
                state: parsed("loan.state", state)?,
                handed_over_at: optional_moment("loan.handed_over_at", self.handed_over_at)?,
                due: self.due_day.map(|number| day("loan.due_day", number)).transpose()?,
                ended_at: optional_moment("loan.ended_at", self.ended_at)?,
                borrower_left: self.left_site_day.map(|number| day("borrower.left_site_day", number)).transpose()?,
            }),
        };
        let work = match (&self.work_stage, self.work_since) {
            (Some(stage), Some(since)) => Some(WorkFacts {
                position: work_order::position(stage, self.work_disposition.as_deref())?,
                since: moment("work_order.since", since)?,
                lacking: self.wanting_order.and_then(|order| lacking.get(&order)).copied().unwrap_or_default(),
                in_lot: self.in_lot != 0,
            }),
            _ => None,
        };
        let release = match self.ordered_at {
            None => None,
            Some(ordered_at) => Some(ReleaseFacts {
                ordered_at: moment("device_release.ordered_at", ordered_at)?,
                told_at: optional_moment("device_release.told_at", self.told_at)?,
                again_at: optional_moment("device_release.again_at", self.again_at)?,
            }),
        };
        Ok(LendingFacts {
            state: parsed("device.lending_state", &self.lending_state)?,
            agent_expected: self.contact_expected == "agent",
            kept_here: self.kept_here != 0,
            stocked_at: optional_moment("loan_event.at", self.stocked_at)?,
            warranty_until: self.warranty_until.map(|number| day("device.warranty_until", number)).transpose()?,
            loan,
            work,
            release,
        })
    }
}

#[derive(sqlx::FromRow)]
struct RawOfDevice {
    id: Uuid,
    #[sqlx(flatten)]
    lending: RawLending,
}

/// The lending of some devices.
pub(crate) async fn of_devices(tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, LendingFacts>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT d.id, {COLUMNS} FROM {{rows}} JOIN device d ON d.id = r.id {JOIN}");
    let raw: Vec<RawOfDevice> = Rows::of_ids(ids.iter().copied()).fetch(tx, &sql).await?;
    let lacking = work_wanting::lacking(tx, raw.iter().filter_map(|raw| raw.lending.wanting_order)).await?;
    raw.into_iter().map(|raw| Ok((raw.id, raw.lending.read(&lacking)?))).collect()
}
