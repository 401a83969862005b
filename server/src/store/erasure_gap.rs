//! The gate of a device: the drives it was ever seen with, against what is recorded of their erasure.
//!
//! A drive that stands in the current report was last seen at the last contact, for an unchanged check-in adds no report.
//! Contacts are rounded to the day after a month; before that, `mark_used` writes down which records a later contact has
//! overtaken, so that the answer stays what it was.

use cartable_common::{DeviceId, UtcMillis};

use super::{
    StoreError, Tx, contact,
    device::DeviceRow,
    erasure::{self, Declared, Erasure},
    health, on,
    rows::Rows,
    value::{moment, optional_moment},
};
use crate::domain::{
    erasure::{
        gap::{Absence, Demand, Gap, Proof, SeenDrive, gap, left_behind},
        seen::{self, DriveChange},
    },
    policy::ErasurePolicy,
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

    /// What the last borrower may have left on a device that came back at `back`.
    #[must_use]
    pub fn left_behind(&self, back: UtcMillis, policy: &ErasurePolicy) -> Vec<Gap> {
        left_behind(&self.seen, &self.proofs(), &self.absences(), back, policy)
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

/// Writes down, before contacts older than `limit` are rounded to the day, which records and declarations of these
/// devices were overtaken by one: the drive stood in the report that the contact confirmed.
pub(super) async fn mark_used(tx: &mut Tx, devices: &Rows<1>, limit: UtcMillis) -> Result<(), StoreError> {
    for (table, mark, moment) in
        [("erasure", "used_again", "ended_at"), ("erasure_absence", "seen_again", "declared_at")]
    {
        let sql = format!(
            "UPDATE {table} SET {mark} = 1 WHERE {mark} = 0 AND device_id IN (SELECT r.id FROM {{rows}}) AND EXISTS \
             (SELECT 1 FROM contact c JOIN health h ON h.device_id = c.device_id WHERE c.device_id = {table}.device_id \
             AND c.last_at < {limit} AND c.last_at % 86400000 <> 0 AND c.last_at > {table}.{moment} \
             AND UPPER(h.report) LIKE '%' || {table}.drive_key || '%')",
            limit = limit.get(),
        );
        devices.execute(tx, &sql).await?;
    }
    Ok(())
}
