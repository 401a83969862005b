//! What a device's last borrower may have left on it: the desk asks before it puts the device in stock, and so does a file
//! that says it is there.

use std::collections::{BTreeSet, HashSet};

use cartable_common::DeviceId;
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
    let back = match loan::of_ids(tx, newest).await?.pop().map(|loan| loan.state) {
        Some(LoanState::Returned(_, back)) => back.at,
        _ => return Ok(Vec::new()),
    };
    let drives = erasure_gap::drives(tx, row).await?;
    Ok(drives.left_behind(back, policy).into_iter().filter_map(|gap| gap.key).collect())
}

/// Those of `devices` on which something may be left. Whatever never came back from a loan is told apart by one statement,
/// so that a first inventory of thousands of devices costs no more than that.
pub(crate) async fn among(tx: &mut Tx, devices: BTreeSet<Uuid>) -> Result<HashSet<Uuid>, StoreError> {
    let sql = "SELECT d.id FROM {rows} JOIN device d ON d.id = r.id \
               WHERE EXISTS (SELECT 1 FROM loan l WHERE l.device_id = d.id AND l.state = 'returned')";
    let returned: Vec<(Uuid,)> = Rows::of_ids(devices).fetch(tx, sql).await?;
    // The policy says what a drive needs to leave; to be lent again, every one is cleared.
    let policy = ErasurePolicy::default();
    let mut left = HashSet::new();
    for (id,) in returned {
        let Some(row) = device::find(tx, &Scope::Everything, DeviceId(id)).await? else { continue };
        if !of_device(tx, &row, &policy).await?.is_empty() {
            left.insert(id);
        }
    }
    Ok(left)
}
