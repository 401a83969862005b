//! What the erasure gate says of the devices of a lot, in the words of the donation's conditions.

use std::collections::HashMap;

use cartable_common::DeviceId;

use super::{StoreError, Tx, device, erasure_gap};
use crate::domain::{
    donation::conditions::{Erasure, Gap, Proof},
    erasure::gap::{Demand, standing},
    policy::Policy,
    scope::Scope,
};

/// The record of a drive that is not in the device any more.
pub(super) const ABSENT: &str = "absent";

/// What proves that the drives of each device were erased as leaving asks for, and for which drives nothing does. A device
/// of which no drive is known has neither.
pub(super) async fn of_devices(
    tx: &mut Tx,
    devices: &[DeviceId],
    policy: &Policy,
) -> Result<HashMap<DeviceId, Erasure>, StoreError> {
    let mut found = HashMap::with_capacity(devices.len());
    for id in devices {
        let Some(row) = device::find(tx, &Scope::Everything, *id).await? else { continue };
        let drives = erasure_gap::drives(tx, &row).await?;
        let (proofs, absences) = (drives.proofs(), drives.absences());
        let mut erasure = Erasure::default();
        for drive in standing(&drives.seen, &proofs, &absences) {
            let name = drive.key.as_str().to_owned();
            if let Some(gap) = drive.gap(Demand::Leave, &policy.erasure) {
                erasure.gaps.push(Gap { drive: name, why: gap.why.as_str().to_owned() });
            } else {
                let proof = drive.proof(Demand::Leave, &policy.erasure);
                let record = proof.map_or_else(|| ABSENT.to_owned(), |proof| proof.id.simple().to_string());
                erasure.proofs.push(Proof { drive: name, record });
            }
        }
        found.insert(*id, erasure);
    }
    Ok(found)
}
