//! What was seen before: loans and how they ended, orders and what became of their units, how long stages took.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    forecast::Models,
    value::{day, from_json, moment, optional_moment, parsed},
    work_inspection::Claims,
};
use crate::domain::{
    forecast::{Extended, Kinds, LoanEnd, PastLoan, PastOrder, StageTime, days_between},
    loan::LoanStateName,
    paris,
    policy::Policy,
    scope::Scope,
    verdict::Verdict,
};

/// Most loans and orders that are read: those of ten years of a département.
const MOST: i64 = 200_000;
const HOUR: i64 = 3_600_000;

fn since(policy: &Policy, now: UtcMillis) -> i64 {
    now.plus_days(-i64::from(policy.forecast.history_days)).get()
}

#[derive(sqlx::FromRow)]
struct OrderRow {
    id: Uuid,
    model: Option<String>,
    opened_at: i64,
    since: i64,
    disposition: Option<String>,
    begun: Option<i64>,
    claims: Option<String>,
}

/// The parts that were used on each order that is open or was closed lately.
pub(super) async fn used(
    tx: &mut Tx,
    scope: &Scope,
    policy: &Policy,
    now: UtcMillis,
) -> Result<HashMap<Uuid, Kinds>, StoreError> {
    let mut clause = Clause::new(
        "SELECT u.order_id, p.kind FROM part_use u JOIN part p ON p.id = u.part_id JOIN work_order w ON w.id = u.order_id \
         JOIN device d ON d.id = w.device_id WHERE (w.stage <> 'closed' OR w.since >= ",
    );
    clause.value(since(policy, now)).sql(")").within("d.site_id", scope);
    of_orders(clause.rows(tx).await?)
}

/// The kinds of parts of each order, from rows of an order and a kind.
pub(super) fn of_orders(rows: Vec<(Uuid, String)>) -> Result<HashMap<Uuid, Kinds>, StoreError> {
    let mut kinds: HashMap<Uuid, Kinds> = HashMap::new();
    for (order, kind) in rows {
        kinds.entry(order).or_default().add(parsed("part.kind", &kind)?);
    }
    Ok(kinds)
}

/// The orders that are open, and those that were closed lately; `used` are the parts that were used on them.
pub(super) async fn orders(
    tx: &mut Tx,
    scope: &Scope,
    (policy, now): (&Policy, UtcMillis),
    models: &Models,
    used: &HashMap<Uuid, Kinds>,
) -> Result<Vec<PastOrder>, StoreError> {
    let mut clause = Clause::new(
        "SELECT w.id, d.model, w.opened_at, w.since, w.disposition, (SELECT MIN(e.at) FROM work_order_event e \
         WHERE e.order_id = w.id AND e.stage <> 'intake') AS begun, (SELECT i.claims FROM work_inspection i \
         WHERE i.order_id = w.id ORDER BY i.number LIMIT 1) AS claims FROM work_order w \
         JOIN device d ON d.id = w.device_id WHERE (w.stage <> 'closed' OR w.since >= ",
    );
    clause.value(since(policy, now)).sql(")").within("d.site_id", scope);
    clause.sql(" ORDER BY w.opened_at DESC, w.id DESC LIMIT ").value(MOST);
    let rows: Vec<OrderRow> = clause.rows(tx).await?;
    rows.into_iter().map(|row| row.read(models, used)).collect()
}

impl OrderRow {
    fn read(self, models: &Models, used: &HashMap<Uuid, Kinds>) -> Result<PastOrder, StoreError> {
        let became = self.disposition.as_deref().map(|text| parsed("work_order.disposition", text)).transpose()?;
        let claims: Option<Claims> =
            self.claims.as_deref().map(|json| from_json("work_inspection.claims", json)).transpose()?;
        let date = |what, millis| moment(what, millis).map(paris::date);
        Ok(PastOrder {
            model: models.place(self.model.as_deref()),
            verdict: claims.map_or(Verdict::Unknown, |claims| claims.drives.worse(claims.batteries)),
            became,
            used: used.get(&self.id).copied().unwrap_or_default(),
            opened: date("work_order.opened_at", self.opened_at)?,
            begun: optional_moment("work_order_event.at", self.begun)?.map(paris::date),
            closed: became.map(|_| date("work_order.since", self.since)).transpose()?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct LoanRow {
    state: String,
    handed_over_at: i64,
    ended_at: Option<i64>,
    due_day: Option<i64>,
    extensions: i64,
    appointed: Option<i64>,
    started_at: Option<i64>,
}

/// Loans that ended lately and those that are open, and how many of the ended ones had been extended.
pub(super) async fn loans(
    tx: &mut Tx,
    scope: &Scope,
    policy: &Policy,
    now: UtcMillis,
) -> Result<(Vec<PastLoan>, Extended), StoreError> {
    let mut clause = Clause::new(
        "SELECT l.state, l.handed_over_at, l.ended_at, l.due_day, l.extensions, n.day AS appointed, c.started_at \
         FROM loan l LEFT JOIN campaign_loan n ON n.loan_id = l.id AND n.campaign_id = (SELECT m.campaign_id \
         FROM campaign_loan m JOIN campaign k ON k.id = m.campaign_id WHERE m.loan_id = l.id AND m.state <> 'excused' \
         AND k.started_at IS NOT NULL ORDER BY k.started_at DESC, k.id LIMIT 1) LEFT JOIN campaign c \
         ON c.id = n.campaign_id WHERE l.handed_over_at IS NOT NULL AND (l.ended_at IS NULL OR l.ended_at >= ",
    );
    clause.value(since(policy, now)).sql(")").within("l.site_id", scope);
    clause.sql(" ORDER BY l.handed_over_at DESC, l.id DESC LIMIT ").value(MOST);
    let rows: Vec<LoanRow> = clause.rows(tx).await?;
    let (mut loans, mut extended) = (Vec::with_capacity(rows.len()), Extended::default());
    for row in rows {
        row.read(paris::date(now), &mut loans, &mut extended)?;
    }
    Ok((loans, extended))
}

impl LoanRow {
    /// A loan that a campaign called back counts by its due day until the campaign began, and by its appointment from
    /// then on.
    fn read(self, today: Date, loans: &mut Vec<PastLoan>, extended: &mut Extended) -> Result<(), StoreError> {
        let end = match parsed("loan.state", &self.state)? {
            LoanStateName::Returned => LoanEnd::Returned,
            LoanStateName::Lost | LoanStateName::Stolen | LoanStateName::WrittenOff => LoanEnd::Lost,
            // It was given to whoever had it: nobody knows when it would have come.
            LoanStateName::Ceded | LoanStateName::HandedOver => LoanEnd::Open,
            LoanStateName::Reserved | LoanStateName::Cancelled => return Ok(()),
        };
        let date = |what, millis| moment(what, millis).map(paris::date);
        let out = date("loan.handed_over_at", self.handed_over_at)?;
        let over = self.ended_at.map(|at| date("loan.ended_at", at)).transpose()?.unwrap_or(today);
        if end != LoanEnd::Open && self.due_day.is_some() {
            extended.loans += 1;
            extended.extended += u32::from(self.extensions > 0);
        }
        let called = self.started_at.map(|at| date("campaign.started_at", at)).transpose()?;
        let appointment = self.appointed.map(|number| day("campaign_loan.day", number)).transpose()?;
        if let (Some(called), Some(wanted)) = (called, appointment) {
            let from = called.max(out);
            if over >= from {
                let (from, until) = (days_between(wanted, from), days_between(wanted, over));
                loans.push(PastLoan { appointed: true, from, until, end });
            }
        }
        let Some(due) = self.due_day.map(|number| day("loan.due_day", number)).transpose()? else { return Ok(()) };
        let (until, end) = match called.filter(|called| *called <= over) {
            Some(called) => (called.max(out), LoanEnd::Open),
            None => (over, end),
        };
        loans.push(PastLoan { appointed: false, from: days_between(due, out), until: days_between(due, until), end });
        Ok(())
    }
}

/// How long orders that were closed lately were at each stage.
pub(super) async fn stages(
    tx: &mut Tx,
    scope: &Scope,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<StageTime>, StoreError> {
    let mut clause = Clause::new(
        "SELECT t.stage, COUNT(DISTINCT t.order_id), CAST(SUM(t.next_at - t.at) AS BIGINT) FROM (SELECT e.order_id, \
         e.stage, e.at, LEAD(e.at) OVER (PARTITION BY e.order_id ORDER BY e.number) AS next_at \
         FROM work_order_event e JOIN work_order w ON w.id = e.order_id JOIN device d ON d.id = w.device_id \
         WHERE w.stage = 'closed' AND w.since >= ",
    );
    clause.value(since(policy, now)).within("d.site_id", scope);
    clause.sql(") t WHERE t.next_at IS NOT NULL AND t.stage <> 'closed' GROUP BY t.stage ORDER BY t.stage");
    let rows: Vec<(String, i64, i64)> = clause.rows(tx).await?;
    rows.into_iter()
        .map(|(stage, orders, millis)| {
            Ok(StageTime {
                stage: parsed("work_order_event.stage", &stage)?,
                orders: u32::try_from(orders).unwrap_or(u32::MAX),
                hours: u32::try_from(millis.max(0) / HOUR).unwrap_or(u32::MAX),
            })
        })
        .collect()
}
