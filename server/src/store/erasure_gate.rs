//! The gate of the erasure stage as the store knows it: what is proved of a unit's drives, and what is missing.
//!
//! This is the one place that a work order asks; what counts as a proof is the erasure gate's to say
//! ([`super::erasure_gap`]), for a unit that stays and for one that leaves.

use cartable_common::DeviceId;

use super::{StoreError, Tx, device, erasure_gap};
use crate::domain::{
    erasure::gap::{Demand, Gap},
    policy::Policy,
    scope::Scope,
    work_order::{ErasureState, Missing, WorkOrder},
};

/// Whether each drive of a device is proved erased as `demand` asks, or what is missing. The caller has found the device
/// within its scope.
pub async fn erasure_proved(
    tx: &mut Tx,
    device: DeviceId,
    demand: Demand,
    policy: &Policy,
) -> Result<Result<(), Missing>, StoreError> {
    let Some(row) = device::find(tx, &Scope::Everything, device).await? else { return Ok(Err(Missing::default())) };
    let gaps = erasure_gap::of_device(tx, &row, demand, &policy.erasure).await?;
    Ok(if gaps.is_empty() { Ok(()) } else { Err(Missing { drives: gaps.iter().filter_map(named).collect() }) })
}

/// What stands at the gate for an order: the proof, else its waiver.
pub async fn erasure_state(
    tx: &mut Tx,
    order: &WorkOrder,
    demand: Demand,
    policy: &Policy,
) -> Result<ErasureState, StoreError> {
    Ok(match erasure_proved(tx, order.device, demand, policy).await? {
        Ok(()) => ErasureState::Proved,
        Err(_) if order.waiver.is_some() => ErasureState::Waived,
        Err(missing) => ErasureState::Missing(missing),
    })
}

/// Its model and serial number; none where no drive is known.
fn named(gap: &Gap) -> Option<String> {
    let key = gap.key.as_ref()?.as_str();
    Some(match &gap.model {
        Some(model) => format!("{model} · {key}"),
        None => key.to_owned(),
    })
}
