//! Which other devices a drive is known of: one erased drive does not prove two devices.
//!
//! Asks what is recorded, and what is kept of drives that were seen (`drive_seen`); not the current reports of the fleet,
//! for no index leads from a drive to them.

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{StoreError, Tx, on, value::parsed};
use crate::domain::erasure::{DriveKey, Medium, seen};

/// Another device that the drive is known of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// Its label, else its serial number, else its id.
    pub(super) device: String,
    /// What the drive keeps its data on, as it is known there.
    pub(super) medium: Medium,
}

#[derive(sqlx::FromRow)]
struct Raw {
    device_id: Uuid,
    model: Option<String>,
    medium: String,
    asset_tag: Option<String>,
    serial_number: Option<String>,
}

/// The other devices of which a drive of that serial number is known. One that is named by its model is many.
pub(super) async fn of_drive(tx: &mut Tx, device: DeviceId, drive: &DriveKey) -> Result<Vec<Elsewhere>, StoreError> {
    let sql = "SELECT k.device_id, k.model, k.medium, d.asset_tag, d.serial_number FROM \
               (SELECT device_id, model, medium FROM erasure WHERE drive_key = $1 AND device_id <> $2 \
               UNION SELECT device_id, model, medium FROM drive_seen WHERE drive_key = $1 AND device_id <> $2) k \
               JOIN device d ON d.id = k.device_id ORDER BY k.device_id, k.medium";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(drive.as_str()).bind(device.0).fetch_all(c).await)?;
    let by_serial = raw.into_iter().filter(|one| !seen::is_named_by_model(drive, one.model.as_deref()));
    by_serial
        .map(|one| {
            Ok(Elsewhere {
                device: one.asset_tag.or(one.serial_number).unwrap_or_else(|| one.device_id.to_string()),
                medium: parsed("erasure.medium", &one.medium)?,
            })
        })
        .collect()
}
