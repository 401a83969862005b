//! What may still be taken from a unit that serves for parts: no more than a unit has, and nothing that was found broken,
//! missing or gone. What was taken before is read from the order's history, which nothing corrects, and not from the stock,
//! whose counts do change.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, device, erasure_gap, work_inspection, work_order,
    work_order_refused::{Refused, WorkError},
};
use crate::domain::{
    erasure::DriveKey,
    part::{NewPart, PartKind},
    scope::Scope,
    work_order::WorkOrder,
};

/// That `part` may come out of the unit of `order`, which is held.
pub(super) async fn check(tx: &mut Tx, order: &WorkOrder, part: &NewPart) -> Result<(), WorkError> {
    let most = part.kind.most_of();
    if taken(tx, order.id, part.kind).await?.saturating_add(part.count) > most {
        return Err(Refused::MoreThanItHas(most).into());
    }
    let inspections = work_inspection::of_order(tx, order.id).await?;
    let looked_at = part.kind.check();
    if inspections.first().is_some_and(|last| last.findings.faults().any(|check| Some(check) == looked_at)) {
        return Err(Refused::FoundFaulty.into());
    }
    if part.kind == PartKind::Drive && has_no_drive(tx, order.device).await? {
        return Err(Refused::DrivesAbsent.into());
    }
    Ok(())
}

/// How many pieces of that kind were taken from the unit of an order.
async fn taken(tx: &mut Tx, order: Uuid, kind: PartKind) -> Result<i64, StoreError> {
    let steps = work_order::steps(tx, order).await?;
    let same = steps.iter().filter(|step| step.kind == "harvest" && step.details["part"] == kind.as_str());
    Ok(same.filter_map(|step| step.details["count"].as_i64()).fold(0, i64::saturating_add))
}

/// Whether every drive that is known of a device was declared absent, and not seen in it since.
async fn has_no_drive(tx: &mut Tx, device: DeviceId) -> Result<bool, StoreError> {
    let Some(row) = device::find(tx, &Scope::Everything, device).await? else { return Ok(false) };
    let drives = erasure_gap::drives(tx, &row).await?;
    let absences = drives.absences();
    let gone = |key: &DriveKey, seen: Option<UtcMillis>| {
        let mut declared = absences.iter().filter(|absence| absence.key == *key && !absence.seen_again);
        declared.any(|absence| seen.is_none_or(|seen| seen <= absence.declared_at))
    };
    Ok(!absences.is_empty()
        && drives.seen.iter().all(|drive| gone(&drive.key, Some(drive.last_seen)))
        && drives.proofs().iter().all(|proof| gone(&proof.key, None)))
}
