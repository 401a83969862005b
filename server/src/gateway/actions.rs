//! What people ordered of the device that asks: told with the answer to its check-in, signed, until it answered.
//!
//! Whether something waits comes with the look at the key, so that a check-in without orders costs no statement more. What
//! cannot be read or signed is told another time: by then the check-in is durable, which the laptop should hear.

use cartable_common::{
    ActionId,
    action::{ActionResult, SignedActions},
};

use super::{DevicePort, identity::DeviceIdentity};
use crate::store::{StoreError, device_action};

/// Takes what the device answered to orders, and gives what it may forget.
pub(super) async fn take(
    port: &DevicePort,
    identity: &DeviceIdentity,
    results: &[ActionResult],
) -> Result<Vec<ActionId>, StoreError> {
    if results.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = port.store.write().await?;
    let told = device_action::answer(&mut tx, identity.enrolment, results, identity.arrived).await?;
    tx.commit().await?;
    Ok(told)
}

/// The orders that wait for the device, signed. A device that is set aside is told none.
pub(super) async fn tell(port: &DevicePort, identity: &DeviceIdentity) -> Option<SignedActions> {
    if !identity.awaits_action || !identity.is_full {
        return None;
    }
    let Some(signer) = port.authority.actions() else {
        tracing::warn!("orders wait and cannot be signed: run `cartable-server authority renew-signer`, then restart");
        return None;
    };
    let rows = match device_action::tell(&port.store, identity.enrolment, identity.arrived).await {
        Ok(rows) if rows.is_empty() => return None,
        Ok(rows) => rows,
        Err(error) => {
            tracing::error!(%error, "the orders for a device could not be read");
            return None;
        }
    };
    let texts = rows.iter().map(|row| serde_json::to_string(&row.wire())).collect::<Result<Vec<_>, _>>();
    let told = match texts {
        Ok(texts) => signer.sign(texts).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    told.inspect_err(|why| tracing::error!(%why, "the orders for a device could not be signed")).ok()
}
