//! The gate of a device: the drives it was ever seen with, against what is recorded of their erasure.
//!
//! A drive that stands in the current report was last seen at the last contact, for an unchanged check-in adds no report.
//! Moments are rounded to the day after a month; before that, `mark_used` writes down which records a later use has
//! overtaken, so that the answer stays what it was.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, contact,
    device::{self, DeviceRow},
    erasure::{self, Declared, Erasure},
    health, on,
    rows::{Rows, Type},
    value::{moment, optional_moment},
};
use crate::domain::{
    erasure::{
        gap::{Absence, Demand, Gap, Proof, SeenDrive, gap},
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
}

impl Drives {
    /// The records, as the gate asks for them.
    #[must_use]
    pub fn proofs(&self) -> Vec<Proof> {
        self.erasures.iter().map(Erasure::proof).collect()
    }

    /// The declarations, as the gate asks for them.
    #[must_use]
    pub fn absences(&self) -> Vec<Absence> {
        self.declared.iter().map(|one| one.absence.clone()).collect()
    }

    /// What is missing before the device may do what `demand` says.
    #[must_use]
    pub fn gap(&self, demand: Demand, policy: &ErasurePolicy) -> Vec<Gap> {
        gap(&self.seen, &self.proofs(), &self.absences(), demand, policy)
    }
}

/// What is known of the drives of a device. The caller has found it within its scope.
pub async fn drives(tx: &mut Tx, device: &DeviceRow) -> Result<Drives, StoreError> {
    Ok(Drives {
        seen: seen_of(tx, device).await?,
        erasures: erasure::of_device(tx, device.id).await?,
        declared: erasure::absences_of(tx, device.id).await?,
    })
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
    let mut found = seen::in_history(&changes_of(tx, device.id).await?);
    if let Some(baseline) = &device.baseline {
        found.extend(seen::in_baseline(baseline, device.enrolled_at.unwrap_or(device.created_at)));
    }
    if let Some(health) = health::of_device(tx, device.id).await? {
        let contact = contact::of_device(tx, device.id).await?.map(|contact| contact.last_at);
        let last_seen = contact.map_or(health.received_at, |contact| contact.max(health.received_at));
        found.extend(seen::in_report(&health.report, last_seen));
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct RawChange {
    path: String,
    before: Option<String>,
    after: Option<String>,
    received_at: i64,
    previous_at: Option<i64>,
}

async fn changes_of(tx: &mut Tx, device: DeviceId) -> Result<Vec<DriveChange>, StoreError> {
    let sql = "SELECT c.path, c.before, c.after, c.received_at, (SELECT MAX(p.received_at) FROM report p \
               WHERE p.device_id = c.device_id AND p.received_at < c.received_at) AS previous_at \
               FROM health_change c WHERE c.device_id = $1 AND c.path LIKE 'drives[%' ORDER BY c.received_at, c.path";
    let raw: Vec<RawChange> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_all(c).await)?;
    let read = |raw: RawChange| {
        Ok(DriveChange {
            path: raw.path,
            before: raw.before,
            after: raw.after,
            received_at: moment("health_change.received_at", raw.received_at)?,
            previous_at: optional_moment("report.received_at", raw.previous_at)?,
        })
    };
    raw.into_iter().map(read).collect()
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
