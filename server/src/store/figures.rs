//! The dated facts that the figures of a year are counted from: read in sets, a handful of statements whatever the number
//! of devices. What they mean is `domain::figures`'.
//!
//! Nothing that happened after the year is read, so that the figures of a year that is over stay what they were. What a
//! record says of a unit itself (its label, its warranty, its archiving) is as it stands now.

mod unit;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{day, from_json, moment, parsed},
};
use crate::domain::{
    figures::{
        Figures, Year,
        age::Birth,
        fact::{Facts, Left, Lent, LotUnit, Order, PartUsed, Step, StepKind, Way},
        figures,
    },
    paris,
    policy::Policy,
    work_order::{CLOSED, Disposition, Stage},
};

/// Orders that were closed from `$2` on and before `$1`.
const CLOSED_IN_YEAR: &str =
    "(SELECT c.order_id FROM work_order_event c WHERE c.kind = 'dispose' AND c.at >= $2 AND c.at < $1)";

/// The figures of `year`.
pub async fn of_year(tx: &mut Tx, year: Year, policy: &Policy) -> Result<Figures, StoreError> {
    Ok(figures(year, &facts(tx, year).await?, policy))
}

/// What they are counted from.
pub async fn facts(tx: &mut Tx, year: Year) -> Result<Facts, StoreError> {
    let span = Span { begin: paris::midnight(year.first()), end: paris::midnight(year.end()), year };
    let mut facts = Facts {
        units: Vec::new(),
        orders: orders(tx, span).await?,
        lots: lots(tx, span).await?,
        left: left(tx, span).await?,
        loans: loans(tx, span).await?,
    };
    let named = facts.orders.iter().map(|order| order.device);
    let named = named.chain(facts.lots.iter().map(|lot| lot.device)).chain(facts.left.iter().map(|left| left.device));
    let named: BTreeSet<Uuid> = named.map(|device| device.0).collect();
    facts.units = unit::read(tx, named).await?;
    Ok(facts)
}

/// What tells how old these devices are.
pub(super) async fn births(
    tx: &mut Tx,
    devices: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Birth>, StoreError> {
    Ok(unit::read(tx, devices).await?.into_iter().map(|unit| (unit.id.0, unit.birth)).collect())
}

/// The year in moments.
#[derive(Clone, Copy, Debug)]
struct Span {
    begin: UtcMillis,
    end: UtcMillis,
    year: Year,
}

#[derive(sqlx::FromRow)]
struct RawDecision {
    order_id: Uuid,
    device_id: Uuid,
    number: i64,
    at: i64,
    kind: String,
    details: String,
}

/// What of a closing's details matters here.
#[derive(Deserialize)]
struct Details {
    disposition: Option<String>,
}

impl RawDecision {
    fn read(&self) -> Result<Step, StoreError> {
        let kind = if self.kind == "reopen" {
            StepKind::Reopened
        } else {
            let details: Details = from_json("work_order_event.details", &self.details)?;
            let became: Disposition =
                parsed("work_order_event.details", details.disposition.as_deref().unwrap_or_default())?;
            StepKind::Closed(became)
        };
        Ok(Step { number: self.number, at: moment("work_order_event.at", self.at)?, kind, stage: None })
    }
}

/// Every order that was closed before the end: closings and reopenings, and of those that were closed in the year all
/// steps and parts.
async fn orders(tx: &mut Tx, span: Span) -> Result<Vec<Order>, StoreError> {
    let sql = "SELECT e.order_id, w.device_id, e.number, e.at, e.kind, e.details FROM work_order_event e \
               JOIN work_order w ON w.id = e.order_id WHERE e.kind IN ('dispose', 'reopen') AND e.at < $1";
    let decisions: Vec<RawDecision> = on!(tx, |c| sqlx::query_as(sql).bind(span.end.get()).fetch_all(c).await)?;
    let mut orders: BTreeMap<Uuid, Order> = BTreeMap::new();
    for raw in decisions {
        let device = DeviceId(raw.device_id);
        let order = orders.entry(raw.order_id).or_insert_with(|| Order {
            id: raw.order_id,
            device,
            steps: Vec::new(),
            parts: Vec::new(),
        });
        order.steps.push(raw.read()?);
    }
    other_steps(tx, span, &mut orders).await?;
    parts(tx, span, &mut orders).await?;
    Ok(orders.into_values().collect())
}

fn stage_of(stage: &str) -> Result<Option<Stage>, StoreError> {
    if stage == CLOSED { Ok(None) } else { parsed("work_order_event.stage", stage).map(Some) }
}

async fn other_steps(tx: &mut Tx, span: Span, orders: &mut BTreeMap<Uuid, Order>) -> Result<(), StoreError> {
    let sql = || {
        sqlx::AssertSqlSafe(format!(
            "SELECT e.order_id, e.number, e.at, e.stage FROM work_order_event e WHERE e.at < $1 \
             AND e.kind NOT IN ('dispose', 'reopen') AND e.order_id IN {CLOSED_IN_YEAR}"
        ))
    };
    let (begin, end) = (span.begin.get(), span.end.get());
    let raw: Vec<(Uuid, i64, i64, String)> =
        on!(tx, |c| sqlx::query_as(sql()).bind(end).bind(begin).fetch_all(c).await)?;
    for (id, number, at, stage) in raw {
        let at = moment("work_order_event.at", at)?;
        let step = Step { number, at, kind: StepKind::Other, stage: stage_of(&stage)? };
        orders.entry(id).and_modify(|order| order.steps.push(step));
    }
    // Reopening leads to a stage too.
    let sql = || {
        sqlx::AssertSqlSafe(format!(
            "SELECT e.order_id, e.number, e.stage FROM work_order_event e WHERE e.at < $1 AND e.kind = 'reopen' \
             AND e.order_id IN {CLOSED_IN_YEAR}"
        ))
    };
    let raw: Vec<(Uuid, i64, String)> = on!(tx, |c| sqlx::query_as(sql()).bind(end).bind(begin).fetch_all(c).await)?;
    for (id, number, stage) in raw {
        let stage = stage_of(&stage)?;
        let step = orders.get_mut(&id).and_then(|order| order.steps.iter_mut().find(|step| step.number == number));
        if let Some(step) = step {
            step.stage = stage;
        }
    }
    Ok(())
}

async fn parts(tx: &mut Tx, span: Span, orders: &mut BTreeMap<Uuid, Order>) -> Result<(), StoreError> {
    let sql = || {
        sqlx::AssertSqlSafe(format!(
            "SELECT u.order_id, u.at, CAST(u.count AS BIGINT), CAST(u.unit_cents AS BIGINT) FROM part_use u \
             WHERE u.at < $1 AND u.order_id IN {CLOSED_IN_YEAR}"
        ))
    };
    let (begin, end) = (span.begin.get(), span.end.get());
    let raw: Vec<(Uuid, i64, i64, i64)> = on!(tx, |c| sqlx::query_as(sql()).bind(end).bind(begin).fetch_all(c).await)?;
    let whole = |what, value: i64| {
        u32::try_from(value).map_err(|_| StoreError::Corrupt { what, why: format!("{value} is out of range") })
    };
    for (id, at, count, cents) in raw {
        let used = PartUsed {
            at: moment("part_use.at", at)?,
            count: whole("part_use.count", count)?,
            unit_cents: whole("part_use.unit_cents", cents)?,
        };
        orders.entry(id).and_modify(|order| order.parts.push(used));
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct RawLot {
    device_id: Uuid,
    name: String,
    basis: String,
    recipient: String,
    approved_at: i64,
    dropped_at: Option<i64>,
    delivered_day: Option<i64>,
}

async fn lots(tx: &mut Tx, span: Span) -> Result<Vec<LotUnit>, StoreError> {
    let sql = "SELECT n.device_id, t.name, t.basis, r.name AS recipient, t.approved_at, t.dropped_at, t.delivered_day \
               FROM donation_lot t JOIN donation_line n ON n.lot_id = t.id \
               JOIN donation_recipient r ON r.id = t.recipient_id \
               WHERE t.approved_at IS NOT NULL AND t.approved_at < $1";
    let raw: Vec<RawLot> = on!(tx, |c| sqlx::query_as(sql).bind(span.end.get()).fetch_all(c).await)?;
    let so_far = |day: Option<Date>| day.filter(|day| *day < span.year.end());
    raw.into_iter()
        .map(|raw| {
            let dropped =
                raw.dropped_at.map(|at| moment("donation_lot.dropped_at", at).map(paris::date)).transpose()?;
            let delivered = raw.delivered_day.map(|number| day("donation_lot.delivered_day", number)).transpose()?;
            Ok(LotUnit {
                device: DeviceId(raw.device_id),
                lot: raw.name,
                basis: parsed("donation_lot.basis", &raw.basis)?,
                recipient: raw.recipient,
                approved: paris::date(moment("donation_lot.approved_at", raw.approved_at)?),
                dropped: so_far(dropped),
                delivered: so_far(delivered),
            })
        })
        .collect()
}

/// Units that left otherwise than in a lot. A loss that was found again is none.
async fn left(tx: &mut Tx, span: Span) -> Result<Vec<Left>, StoreError> {
    const WAYS: [(Way, &str); 3] = [
        (
            Way::CededByLoan,
            "SELECT l.device_id, e.at FROM loan_event e JOIN loan l ON l.id = e.loan_id \
             WHERE e.kind = 'ceded' AND l.state = 'ceded' AND e.at < $1",
        ),
        (
            Way::WrittenOff,
            "SELECT l.device_id, e.at FROM loan_event e JOIN loan l ON l.id = e.loan_id \
             WHERE e.kind = 'written_off' AND e.at < $1 AND NOT EXISTS (SELECT 1 FROM loan_event f \
             WHERE f.loan_id = e.loan_id AND f.number > e.number AND f.at < $1)",
        ),
        (
            Way::Archived,
            "SELECT d.id, d.archived_at FROM device d WHERE d.archived_at IS NOT NULL AND d.archived_at < $1 \
             AND d.lending_state <> 'ceded'",
        ),
    ];
    let mut left = Vec::new();
    for (way, sql) in WAYS {
        let raw: Vec<(Uuid, i64)> = on!(tx, |c| sqlx::query_as(sql).bind(span.end.get()).fetch_all(c).await)?;
        for (device, at) in raw {
            left.push(Left { device: DeviceId(device), day: paris::date(moment("device left", at)?), way });
        }
    }
    Ok(left)
}

/// Loans of units that went through the workshop.
async fn loans(tx: &mut Tx, span: Span) -> Result<Vec<Lent>, StoreError> {
    let sql = "SELECT l.device_id, l.handed_over_at FROM loan l WHERE l.handed_over_at IS NOT NULL \
               AND l.handed_over_at < $1 AND l.device_id IN (SELECT w.device_id FROM work_order w)";
    let raw: Vec<(Uuid, i64)> = on!(tx, |c| sqlx::query_as(sql).bind(span.end.get()).fetch_all(c).await)?;
    let lent = |(device, at)| Ok(Lent { device: DeviceId(device), at: moment("loan.handed_over_at", at)? });
    raw.into_iter().map(lent).collect()
}
