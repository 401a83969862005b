//! The gate of the erasure stage as the store knows it: what is proved of a unit's drives, and what is missing.
//!
//! This is the one place that a work order asks; what counts as a proof is the erasure gate's to say
//! ([`super::erasure_gap`]), for a unit that stays and for one that leaves.

use super::{
    StoreError, Tx, device,
    erasure_gap::{self, Drives},
};
use crate::domain::{
    erasure::gap::{Demand, Gap},
    policy::ErasurePolicy,
    scope::Scope,
    work_order::{ErasureState, Missing, WorkOrder},
};

/// What is known of the drives of an order's unit: read once, and asked for whatever is to become of the unit.
#[derive(Clone, Debug)]
pub struct Gate {
    drives: Drives,
    waived: bool,
}

impl Gate {
    /// Reads what is known. The caller has found the order within its scope.
    pub async fn read(tx: &mut Tx, order: &WorkOrder) -> Result<Self, StoreError> {
        let drives = match device::find(tx, &Scope::Everything, order.device).await? {
            Some(row) => erasure_gap::drives(tx, &row).await?,
            None => Drives::default(),
        };
        Ok(Self { drives, waived: order.waiver.is_some() })
    }

    /// What stands at the gate as `demand` asks: the proof, else the order's waiver.
    #[must_use]
    pub fn state(&self, demand: Demand, policy: &ErasurePolicy) -> ErasureState {
        let gaps = self.drives.gap(demand, policy);
        if gaps.is_empty() {
            ErasureState::Proved
        } else if self.waived {
            ErasureState::Waived
        } else {
            ErasureState::Missing(Missing { drives: gaps.iter().filter_map(named).collect() })
        }
    }
}

/// Its model and serial number; none where no drive is known.
fn named(gap: &Gap) -> Option<String> {
    let key = gap.key.as_ref()?.as_str();
    Some(match &gap.model {
        Some(model) => format!("{model} · {key}"),
        None => key.to_owned(),
    })
}
