//! Work orders as they are stored: read, written, and their steps. The acts stand in `work_order_act`.
//!
//! An order belongs to the site of its device: a scope that does not cover it does not see the order.

use cartable_common::{DeviceId, UtcMillis};
use serde_json::Value;
use uuid::Uuid;

use super::{
    StoreError, Tx, device, on,
    value::{from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::{
    grade::Grade,
    scope::Scope,
    work_order::{
        CLOSED, Disposition, ErasureBasis, Position, Stage, Waiver, WorkOrder,
        checklist::Findings,
        time::{Spent, spent},
    },
};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    device_id: Uuid,
    opened_at: i64,
    stage: String,
    since: i64,
    disposition: Option<String>,
    grade: Option<String>,
    battery_swollen: i64,
    findings: Option<String>,
    erasure_basis: Option<String>,
    waived_at: Option<i64>,
    waived_by: Option<String>,
    waiver_reason: Option<String>,
    reopened: i64,
    site_id: Option<Uuid>,
}

/// What the columns `stage` and `disposition` say together.
pub(super) fn position(stage: &str, disposition: Option<&str>) -> Result<Position, StoreError> {
    if stage == CLOSED {
        return Ok(Position::Closed(parsed("work_order.disposition", disposition.unwrap_or_default())?));
    }
    Ok(Position::Open(parsed("work_order.stage", stage)?))
}

impl Raw {
    fn read(self) -> Result<WorkOrder, StoreError> {
        let waiver =
            match (optional_moment("work_order.waived_at", self.waived_at)?, self.waived_by, self.waiver_reason) {
                (Some(at), Some(by), Some(reason)) => Some(Waiver { at, by, reason }),
                _ => None,
            };
        Ok(WorkOrder {
            id: self.id,
            device: DeviceId(self.device_id),
            opened_at: moment("work_order.opened_at", self.opened_at)?,
            position: position(&self.stage, self.disposition.as_deref())?,
            since: moment("work_order.since", self.since)?,
            battery_swollen: self.battery_swollen != 0,
            findings: self.findings.as_deref().map(|json| from_json("work_order.findings", json)).transpose()?,
            grade: self.grade.as_deref().map(|text| parsed("work_order.grade", text)).transpose()?,
            erasure: self.erasure_basis.as_deref().map(|text| parsed("work_order.erasure_basis", text)).transpose()?,
            waiver,
            reopened: u32::try_from(self.reopened).unwrap_or_default(),
        })
    }
}

const SELECT: &str = "SELECT w.id, w.device_id, w.opened_at, w.stage, w.since, w.disposition, w.grade, w.battery_swollen, \
     w.findings, w.erasure_basis, w.waived_at, w.waived_by, w.waiver_reason, w.reopened, d.site_id \
     FROM work_order w JOIN device d ON d.id = w.device_id";

/// The order with that id, if `scope` covers its device.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<WorkOrder>, StoreError> {
    one(tx, scope, "WHERE w.id = $1", id).await
}

/// The same, with its device held until this unit of work ends.
pub(super) async fn find_for_update(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<WorkOrder>, StoreError> {
    let Some(seen) = find(tx, scope, id).await? else { return Ok(None) };
    device::lock(tx, [seen.device.0]).await?;
    find(tx, scope, id).await
}

/// The newest order of a device, open or closed.
pub async fn newest_of_device(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<WorkOrder>, StoreError> {
    one(tx, scope, "WHERE w.device_id = $1 ORDER BY w.opened_at DESC, w.id DESC LIMIT 1", id.0).await
}

async fn one(tx: &mut Tx, scope: &Scope, clause: &'static str, id: Uuid) -> Result<Option<WorkOrder>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} {clause}"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(raw.site_id)).map(Raw::read).transpose()
}

/// Writes a new order. A second open one of a device is a database error naming `work_order_open_of_device` or
/// `device_id`.
pub(super) async fn insert(tx: &mut Tx, order: &WorkOrder) -> Result<(), StoreError> {
    let sql = "INSERT INTO work_order (id, device_id, opened_at, stage, since) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(order.id)
            .bind(order.device.0)
            .bind(order.opened_at.get())
            .bind(order.position.as_str())
            .bind(order.since.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Writes where an order has come to. It must still be as it was read in this unit of work: [`find_for_update`].
pub(super) async fn save(tx: &mut Tx, order: &WorkOrder) -> Result<(), StoreError> {
    let sql = "UPDATE work_order SET stage = $2, since = $3, disposition = $4, grade = $5, battery_swollen = $6, \
               findings = $7, supported_grade = $8, erasure_basis = $9, waived_at = $10, waived_by = $11, waiver_reason = $12, \
               reopened = $13 WHERE id = $1";
    let findings =
        order.findings.as_ref().map(|found| to_json::<Findings>("work_order.findings", found)).transpose()?;
    let waiver = order.waiver.as_ref();
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(order.id)
            .bind(order.position.as_str())
            .bind(order.since.get())
            .bind(order.position.disposition().map(Disposition::as_str))
            .bind(order.grade.map(Grade::as_str))
            .bind(i64::from(order.battery_swollen))
            .bind(findings)
            .bind(order.supported_grade().map(Grade::as_str))
            .bind(order.erasure.map(ErasureBasis::as_str))
            .bind(waiver.map(|waiver| waiver.at.get()))
            .bind(waiver.map(|waiver| waiver.by.as_str()))
            .bind(waiver.map(|waiver| waiver.reason.as_str()))
            .bind(i64::from(order.reopened))
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// A step that an order took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: UtcMillis,
    /// Which: a name of [`KINDS`].
    pub kind: String,
    /// Where the order then was; none once closed.
    pub stage: Option<Stage>,
    /// Who.
    pub actor: String,
    /// What else there is to know.
    pub details: Value,
}

/// Every kind of step: the moves of `domain::work_order`, and what else is done on a bench.
pub const KINDS: [&str; 18] = [
    "taken_in",
    "begin",
    "inspect",
    "waive_erasure",
    "repair",
    "use_part",
    "reinstall",
    "installed",
    "test",
    "grade",
    "give_up",
    "dispose",
    "quarantine",
    "remove_battery",
    "reopen",
    "harvest",
    "photo",
    "photo_removed",
];

/// A step to write.
#[derive(Clone, Debug)]
pub(super) struct NewStep<'a> {
    pub(super) kind: &'a str,
    pub(super) actor: &'a str,
    pub(super) details: Value,
}

pub(super) async fn add_step(
    tx: &mut Tx,
    order: &WorkOrder,
    step: &NewStep<'_>,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO work_order_event (order_id, number, at, kind, stage, actor, details) \
               SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6 FROM work_order_event WHERE order_id = $1";
    let details = step.details.to_string();
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(order.id)
            .bind(now.get())
            .bind(step.kind)
            .bind(order.position.as_str())
            .bind(step.actor)
            .bind(details)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct RawStep {
    at: i64,
    kind: String,
    stage: String,
    actor: String,
    details: String,
}

/// The steps of an order, first to last. The caller has found the order within its scope.
pub async fn steps(tx: &mut Tx, order: Uuid) -> Result<Vec<Step>, StoreError> {
    let sql = "SELECT at, kind, stage, actor, details FROM work_order_event WHERE order_id = $1 ORDER BY number";
    let raw: Vec<RawStep> = on!(tx, |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            let closed = raw.stage == CLOSED;
            Ok(Step {
                at: moment("work_order_event.at", raw.at)?,
                kind: raw.kind,
                stage: if closed { None } else { Some(parsed("work_order_event.stage", &raw.stage)?) },
                actor: raw.actor,
                details: from_json("work_order_event.details", &raw.details)?,
            })
        })
        .collect()
}

/// The time at each stage that these steps tell of.
#[must_use]
pub fn time_spent(steps: &[Step], now: UtcMillis) -> Vec<Spent> {
    let arrivals: Vec<(UtcMillis, Option<Stage>)> = steps.iter().map(|step| (step.at, step.stage)).collect();
    spent(&arrivals, now)
}
