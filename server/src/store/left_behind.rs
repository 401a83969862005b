//! What a device's last borrower may have left on it: the desk asks before it puts the device in stock, and so does a file
//! that says it is there.

use std::collections::{BTreeSet, HashSet};

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    device::{self, DeviceRow},
    erasure_gap, loan,
    rows::Rows,
};
use crate::domain::{erasure::DriveKey, loan::LoanState, policy::ErasurePolicy, scope::Scope};

/// The drives that the device was ever seen with and that are neither erased since its return nor declared gone. A device of
/// which no drive is known, a tablet or one without agent, has nothing that could be asked for.
pub(super) async fn of_device(
    tx: &mut Tx,
    row: &DeviceRow,
    policy: &ErasurePolicy,
) -> Result<Vec<DriveKey>, StoreError> {
    let newest = loan::newest_of_device(tx, row.id).await?;
    let Some(ended) = loan::of_ids(tx, newest).await?.pop().and_then(|loan| end_of_use(&loan.state)) else {
        return Ok(Vec::new());
    };
    let drives = erasure_gap::drives(tx, row).await?;
    Ok(drives.left_behind(ended, policy).into_iter().filter_map(|gap| gap.key).collect())
}

/// When a borrower's use of a device that is to be lent again ended: at its return, or, where it was given up for lost and
/// found again, at the day of that at the earliest. None before a hand-over, during the loan and of a borrower's own.
const fn end_of_use(state: &LoanState) -> Option<UtcMillis> {
    match state {
        LoanState::Reserved | LoanState::Cancelled { .. } | LoanState::HandedOver(_) | LoanState::Ceded(..) => None,
        LoanState::Returned(..) | LoanState::Lost(..) | LoanState::Stolen(..) | LoanState::WrittenOff(..) => {
            state.ended_at()
        }
    }
}

/// Those of `devices` on which something may be left. Whatever no loan ever ended of is told apart by one statement, so
/// that a first inventory of thousands of devices costs no more than that.
pub(crate) async fn among(tx: &mut Tx, devices: BTreeSet<Uuid>) -> Result<HashSet<Uuid>, StoreError> {
    let sql = "SELECT d.id FROM {rows} JOIN device d ON d.id = r.id \
               WHERE EXISTS (SELECT 1 FROM loan l WHERE l.device_id = d.id \
               AND l.state IN ('returned', 'lost', 'stolen', 'written_off'))";
    let used: Vec<(Uuid,)> = Rows::of_ids(devices).fetch(tx, sql).await?;
    // The policy says what a drive needs to leave; to be lent again, every one is cleared.
    let policy = ErasurePolicy::default();
    let mut left = HashSet::new();
    for (id,) in used {
        let Some(row) = device::find(tx, &Scope::Everything, DeviceId(id)).await? else { continue };
        if !of_device(tx, &row, &policy).await?.is_empty() {
            left.insert(id);
        }
    }
    Ok(left)
}
