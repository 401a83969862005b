//! The gate of the erasure stage as the store knows it: what is proved of a unit's drives, and what is missing.
//!
//! This is the one place that decides it; acts, pages and API ask here.

use cartable_common::{DeviceId, report::Drive};

use super::{StoreError, Tx, health};
use crate::domain::work_order::{ErasureState, Missing, WorkOrder};

/// Whether each drive of a device is proved erased, or what is missing.
///
/// No record of an erasure is kept by this version: every drive that the device's last report names is missing its proof,
/// and a device that never reported has nothing proved either.
pub async fn erasure_proved(tx: &mut Tx, device: DeviceId) -> Result<Result<(), Missing>, StoreError> {
    let health = health::of_device(tx, device).await?;
    let drives = health.map(|health| health.report.drives.iter().map(named).collect());
    Ok(Err(Missing { drives: drives.unwrap_or_default() }))
}

/// What stands at the gate for an order: the proof, else its waiver.
pub async fn erasure_state(tx: &mut Tx, order: &WorkOrder) -> Result<ErasureState, StoreError> {
    Ok(match erasure_proved(tx, order.device).await? {
        Ok(()) => ErasureState::Proved,
        Err(_) if order.waiver.is_some() => ErasureState::Waived,
        Err(missing) => ErasureState::Missing(missing),
    })
}

/// Its model and serial number: the latter is what a proof will name.
fn named(drive: &Drive) -> String {
    let model = drive.model.as_ref().map(|model| model.as_str().to_owned());
    let serial = drive.serial_number.get().map(|serial| serial.as_str().to_owned());
    let parts: Vec<String> = model.into_iter().chain(serial).collect();
    if parts.is_empty() { "?".to_owned() } else { parts.join(" · ") }
}
