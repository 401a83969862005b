//! The gate of a device: the drives it was ever seen with, against what is recorded of their erasure. What would be
//! forgotten of them with the history or a baseline is kept in `drive_seen` first.
//!
//! A drive that stands in the current report was last seen at the last contact, for an unchanged check-in adds no report.
//! A loan is a use of the drives that it was given out with, whether the agent told of it or not.
//!
//! Moments are rounded to the day after a month; before that, `mark_used` writes down which records a later use has
//! overtaken, so that the answer stays what it was.

use std::collections::BTreeMap;

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, brought_report, contact,
    device::{self, DeviceRow},
    drive_seen,
    erasure::{self, Declared, Erasure},
    health, on,
    rows::{Rows, Type},
    value::{moment, optional_moment},
};
use crate::domain::{
    erasure::{
        gap::{Absence, Demand, Gap, Lent, Proof, SeenDrive, gap, left_behind},
        seen::{self, DriveChange},
    },
    policy::ErasurePolicy,
    scope::Scope,
};

/// What is known of a device's drives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drives {
    /// Those that it was seen with.
    pub seen: Vec<SeenDrive>,
    /// What is recorded of their erasure, newest first.
    pub erasures: Vec<Erasure>,
    /// What was declared of them, newest first.
    pub declared: Vec<Declared>,
    /// Its newest loan that was handed over.
    pub lent: Option<Lent>,
}

impl Drives {
    /// The records and the declarations, as the gate asks for them.
    fn asked(&self) -> (Vec<Proof>, Vec<Absence>) {
        let mut proofs: Vec<Proof> = self.erasures.iter().map(Erasure::proof).collect();
        let mut absences: Vec<Absence> = self.declared.iter().map(|one| one.absence.clone()).collect();
        if let Some(lent) = &self.lent {
            lent.mark(&self.seen, &mut proofs, &mut absences);
        }
        (proofs, absences)
    }

    /// The records, as the gate asks for them.
    #[must_use]
    pub fn proofs(&self) -> Vec<Proof> {
        self.asked().0
    }

    /// The declarations, as the gate asks for them.
    #[must_use]
    pub fn absences(&self) -> Vec<Absence> {
        self.asked().1
    }

    /// What is missing before the device may do what `demand` says.
    #[must_use]
    pub fn gap(&self, demand: Demand, policy: &ErasurePolicy) -> Vec<Gap> {
        let (proofs, absences) = self.asked();
        gap(&self.seen, &proofs, &absences, demand, policy)
    }

    /// What the last borrower may have left on a device that came back at `back`.
    #[must_use]
    pub fn left_behind(&self, back: UtcMillis, policy: &ErasurePolicy) -> Vec<Gap> {
        let (proofs, absences) = self.asked();
        left_behind(&self.seen, &proofs, &absences, back, policy)
    }
}

/// What is known of the drives of a device. The caller has found it within its scope.
pub async fn drives(tx: &mut Tx, device: &DeviceRow) -> Result<Drives, StoreError> {
    let (mut seen, current) = seen_until_now(tx, device).await?;
    let drives = (!current.is_empty()).then(|| current.iter().map(|drive| drive.key.clone()).collect());
    seen.extend(current);
    let lent = newest_loan(tx, device.id).await?.map(|loan| Lent { drives, ..loan });
    Ok(Drives {
        seen,
        erasures: erasure::of_device(tx, device.id).await?,
        declared: erasure::absences_of(tx, device.id).await?,
        lent,
    })
}

/// The newest loan of a device that was handed over; its drives are the caller's to say.
async fn newest_loan(tx: &mut Tx, device: DeviceId) -> Result<Option<Lent>, StoreError> {
    let sql = "SELECT ended_at FROM loan WHERE device_id = $1 AND handed_over_at IS NOT NULL \
               ORDER BY ended_at IS NOT NULL, ended_at DESC LIMIT 1";
    let newest: Option<(Option<i64>,)> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_optional(c).await)?;
    let Some((ended,)) = newest else { return Ok(None) };
    Ok(Some(Lent { until: optional_moment("loan.ended_at", ended)?, drives: None }))
}

/// What is missing before the device may do what `demand` says: the gate of a donation, with [`Demand::Leave`].
pub async fn of_device(
    tx: &mut Tx,
    device: &DeviceRow,
    demand: Demand,
    policy: &ErasurePolicy,
) -> Result<Vec<Gap>, StoreError> {
    Ok(drives(tx, device).await?.gap(demand, policy))
}

/// The drives that the device was ever seen with.
pub async fn seen_of(tx: &mut Tx, device: &DeviceRow) -> Result<Vec<SeenDrive>, StoreError> {
    let (mut seen, current) = seen_until_now(tx, device).await?;
    seen.extend(current);
    Ok(seen)
}

/// The drives that the device was seen with at any time, and those of its current report.
async fn seen_until_now(tx: &mut Tx, device: &DeviceRow) -> Result<(Vec<SeenDrive>, Vec<SeenDrive>), StoreError> {
    let mut found = seen::in_history(&changes_of(tx, device.id).await?);
    found.extend(in_baseline(tx, device).await?);
    found.extend(drive_seen::of_device(tx, device.id).await?);
    let Some(health) = health::of_device(tx, device.id).await? else { return Ok((found, Vec::new())) };
    let contact = contact::of_device(tx, device.id).await?.map(|contact| contact.last_at);
    // An inventory shows the drives as they were when it was made, whenever somebody brought it.
    let origin = brought_report::origin_of(tx, device.id, health.report_id).await?;
    let reported = origin.map_or(health.received_at, |origin| origin.made_at);
    let last_seen = contact.map_or(reported, |contact| contact.max(reported));
    Ok((found, seen::in_report(&health.report, last_seen)))
}

/// The drives of a device that staff know. Those of an inventory that a person brought are known since that was made: its
/// moment is the baseline's place among the reports without an enrolment.
async fn in_baseline(tx: &mut Tx, device: &DeviceRow) -> Result<Vec<SeenDrive>, StoreError> {
    let Some(baseline) = &device.baseline else { return Ok(Vec::new()) };
    let sql = "SELECT baseline_sequence FROM device WHERE id = $1 AND baseline_enrolment_id = $2";
    let made: Option<(Option<i64>,)> =
        on!(tx, |c| sqlx::query_as(sql).bind(device.id.0).bind(Uuid::nil()).fetch_optional(c).await)?;
    let made_at = optional_moment("device.baseline_sequence", made.and_then(|(at,)| at))?;
    let at = made_at.or(device.enrolled_at).unwrap_or(device.created_at);
    Ok(seen::in_baseline(baseline, at))
}

/// Keeps the drives of a device's baseline, which is about to be replaced.
pub(super) async fn keep_baseline(tx: &mut Tx, device: &DeviceRow) -> Result<(), StoreError> {
    let drives = in_baseline(tx, device).await?.into_iter().map(|drive| (device.id, drive)).collect();
    drive_seen::keep(tx, drives).await
}

/// Keeps the drives that came or went before `limit`: that part of the history is about to be forgotten, of these devices
/// or of all. A drive that neither came nor went stands in the current report.
pub(super) async fn keep_history(tx: &mut Tx, devices: Option<&Rows<1>>, limit: i64) -> Result<(), StoreError> {
    // All are those that are not the one that does not exist: a statement without rows would not run.
    let all = Rows::of_ids([Uuid::nil()]);
    let (rows, whose) = devices.map_or((&all, "<>"), |these| (these, "="));
    let sql = format!(
        "SELECT c.device_id, {CHANGE} FROM {{rows}} JOIN health_change c ON c.device_id {whose} r.id \
         WHERE c.received_at < {limit} AND c.path LIKE 'drives[%]' ORDER BY c.device_id, c.received_at, c.path"
    );
    let raw: Vec<RawOfDevice> = rows.fetch(tx, &sql).await?;
    let mut changes: BTreeMap<Uuid, Vec<DriveChange>> = BTreeMap::new();
    for RawOfDevice { device_id, change } in raw {
        changes.entry(device_id).or_default().push(change.read()?);
    }
    let seen = |(device, changes): (Uuid, Vec<DriveChange>)| {
        seen::in_history(&changes).into_iter().map(move |drive| (DeviceId(device), drive))
    };
    drive_seen::keep(tx, changes.into_iter().flat_map(seen).collect()).await
}

/// The columns of [`RawChange`], of the change `c`.
const CHANGE: &str = "c.path, c.before, c.after, c.received_at, (SELECT MAX(COALESCE(b.made_at, p.received_at)) \
     FROM report p LEFT JOIN brought_report b ON b.device_id = p.device_id AND b.report_id = p.report_id \
     WHERE p.device_id = c.device_id AND COALESCE(b.made_at, p.received_at) < c.received_at) AS previous_at";

#[derive(sqlx::FromRow)]
struct RawOfDevice {
    device_id: Uuid,
    #[sqlx(flatten)]
    change: RawChange,
}

#[derive(sqlx::FromRow)]
struct RawChange {
    path: String,
    before: Option<String>,
    after: Option<String>,
    received_at: i64,
    previous_at: Option<i64>,
}

impl RawChange {
    fn read(self) -> Result<DriveChange, StoreError> {
        Ok(DriveChange {
            path: self.path,
            before: self.before,
            after: self.after,
            received_at: moment("health_change.received_at", self.received_at)?,
            previous_at: optional_moment("report.received_at", self.previous_at)?,
        })
    }
}

async fn changes_of(tx: &mut Tx, device: DeviceId) -> Result<Vec<DriveChange>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {CHANGE} FROM health_change c WHERE c.device_id = $1 AND c.path LIKE 'drives[%' \
         ORDER BY c.received_at, c.path"
    ));
    let raw: Vec<RawChange> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_all(c).await)?;
    raw.into_iter().map(RawChange::read).collect()
}

/// Writes down, before moments are rounded to the day, which records and declarations of these devices were overtaken by a
/// later use: of a drive that is in its device, and of one that was exchanged since.
pub(super) async fn mark_used(tx: &mut Tx, devices: &Rows<1>) -> Result<(), StoreError> {
    // Nothing of a device is known later than its last contact: once that is rounded, so is everything else.
    let sql = "SELECT c.device_id FROM {rows} JOIN contact c ON c.device_id = r.id WHERE c.last_at % 86400000 <> 0 \
               AND (EXISTS (SELECT 1 FROM erasure e WHERE e.device_id = c.device_id AND e.used_again = 0 \
               AND e.ended_at < c.last_at) OR EXISTS (SELECT 1 FROM erasure_absence a \
               WHERE a.device_id = c.device_id AND a.seen_again = 0 AND a.declared_at < c.last_at))";
    let heard_since: Vec<(Uuid,)> = devices.fetch(tx, sql).await?;
    let mut seen = Rows::new([("device_id", Type::Uuid), ("drive_key", Type::Text), ("last_seen", Type::Int)]);
    for (id,) in heard_since {
        let Some(device) = device::find(tx, &Scope::Everything, DeviceId(id)).await? else { continue };
        for drive in seen_of(tx, &device).await? {
            seen.push([id.into(), drive.key.as_str().into(), drive.last_seen.get().into()]);
        }
    }
    for (table, mark, moment) in
        [("erasure", "used_again", "ended_at"), ("erasure_absence", "seen_again", "declared_at")]
    {
        let sql = format!(
            "UPDATE {table} SET {mark} = 1 FROM {{rows}} WHERE {table}.{mark} = 0 \
             AND {table}.device_id = r.device_id AND {table}.drive_key = r.drive_key AND {table}.{moment} < r.last_seen"
        );
        seen.execute(tx, &sql).await?;
    }
    Ok(())
}
