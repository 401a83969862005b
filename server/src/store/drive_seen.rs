//! Drives that devices were seen with, kept when what told of them goes: the report that a new one succeeds, a month of
//! history, a baseline that staff replace; and those of reports that came too late to be current. So a report that shows the
//! drives of the one before writes nothing here.
//!
//! What leaves the house is asked about each drive that it ever had, however long ago.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    rows::{Rows, Type},
    value::{moment, parsed},
};
use crate::domain::erasure::{DriveKey, gap::SeenDrive};

#[derive(sqlx::FromRow)]
struct Raw {
    device_id: Uuid,
    drive_key: String,
    model: Option<String>,
    medium: String,
    capacity_bytes: Option<i64>,
    last_seen: i64,
}

impl Raw {
    fn read(self) -> Result<SeenDrive, StoreError> {
        let bytes = |number: i64| {
            let why = format!("{number} is no size");
            u64::try_from(number).map_err(|_| StoreError::Corrupt { what: "drive_seen.capacity_bytes", why })
        };
        Ok(SeenDrive {
            key: parsed("drive_seen.drive_key", &self.drive_key)?,
            model: self.model,
            medium: parsed("drive_seen.medium", &self.medium)?,
            capacity_bytes: self.capacity_bytes.map(bytes).transpose()?,
            last_seen: moment("drive_seen.last_seen", self.last_seen)?,
        })
    }
}

async fn raw_of(tx: &mut Tx, devices: impl IntoIterator<Item = Uuid>) -> Result<Vec<Raw>, StoreError> {
    let sql = "SELECT s.device_id, s.drive_key, s.model, s.medium, s.capacity_bytes, s.last_seen FROM {rows} \
               JOIN drive_seen s ON s.device_id = r.id";
    Rows::of_ids(devices).fetch(tx, sql).await
}

/// What is kept of the drives of a device.
pub(super) async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Vec<SeenDrive>, StoreError> {
    raw_of(tx, [device.0]).await?.into_iter().map(Raw::read).collect()
}

/// Keeps these drives of these devices, besides what is kept of them already.
pub(super) async fn keep(tx: &mut Tx, seen: Vec<(DeviceId, SeenDrive)>) -> Result<(), StoreError> {
    let mut drives: BTreeMap<(Uuid, DriveKey), SeenDrive> = BTreeMap::new();
    let mut add = |device: Uuid, drive: SeenDrive| {
        let key = (device, drive.key.clone());
        let whole = match drives.remove(&key) {
            Some(known) => known.and(drive),
            None => drive,
        };
        drives.insert(key, whole);
    };
    let devices: BTreeSet<Uuid> = seen.iter().map(|(device, _)| device.0).collect();
    for kept in raw_of(tx, devices).await? {
        add(kept.device_id, kept.read()?);
    }
    for (device, drive) in seen {
        add(device.0, drive);
    }
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("drive_key", Type::Text),
        ("model", Type::Text),
        ("medium", Type::Text),
        ("capacity_bytes", Type::Int),
        ("last_seen", Type::Int),
    ]);
    for ((device, key), drive) in drives {
        rows.push([
            device.into(),
            key.as_str().into(),
            drive.model.into(),
            drive.medium.as_str().into(),
            drive.capacity_bytes.and_then(|bytes| i64::try_from(bytes).ok()).into(),
            drive.last_seen.get().into(),
        ]);
    }
    let sql = "INSERT INTO drive_seen (device_id, drive_key, model, medium, capacity_bytes, last_seen) \
               SELECT r.device_id, r.drive_key, r.model, r.medium, r.capacity_bytes, r.last_seen FROM {rows} WHERE true \
               ON CONFLICT (device_id, drive_key) DO UPDATE SET model = excluded.model, medium = excluded.medium, \
               capacity_bytes = excluded.capacity_bytes, last_seen = excluded.last_seen";
    rows.execute(tx, sql).await.map(drop)
}
