//! The agents of donated devices: their keys end, they are ordered to remove themselves, and whoever comes back after it
//! was told is noticed.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    Store, StoreError, Tx, on, review,
    rows::{Rows, Type},
    value::moment,
};
use crate::domain::{facts::ReleaseFacts, policy::Policy};

/// A contact this soon after it was told is the same one: the answer was lost on its way, and was asked for again.
const SAME_MILLIS: i64 = 5 * 60_000;

/// Ends the keys of these devices, and orders their agents to remove themselves. A key that a person revoked stays
/// revoked: who holds it is told nothing.
pub(super) async fn order(tx: &mut Tx, devices: &[DeviceId], lot: Uuid, now: UtcMillis) -> Result<(), StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("lot_id", Type::Uuid), ("at", Type::Int)]);
    for device in devices {
        rows.push([device.0.into(), lot.into(), now.get().into()]);
    }
    let sql = "UPDATE enrolment SET status = 'released', ended_at = r.at FROM {rows} WHERE enrolment.device_id = r.id \
               AND enrolment.status IN ('pending', 'active', 'quarantined')";
    rows.execute(tx, sql).await?;
    let sql = "INSERT INTO device_release (device_id, lot_id, ordered_at) SELECT r.id, r.lot_id, r.at FROM {rows}";
    rows.execute(tx, sql).await.map(drop)
}

/// What is known of the agent of a donated device.
pub async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Option<ReleaseFacts>, StoreError> {
    let sql = "SELECT ordered_at, told_at, again_at FROM device_release WHERE device_id = $1";
    let found: Option<(i64, Option<i64>, Option<i64>)> =
        on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_optional(c).await)?;
    let Some((ordered, told, again)) = found else { return Ok(None) };
    Ok(Some(ReleaseFacts {
        ordered_at: moment("device_release.ordered_at", ordered)?,
        told_at: told.map(|at| moment("device_release.told_at", at)).transpose()?,
        again_at: again.map(|at| moment("device_release.again_at", at)).transpose()?,
    }))
}

/// The device asked at `now`: whether its agent was ordered to remove itself. That it is told so is written down, and
/// judged, before the answer leaves.
pub async fn heard(store: &Store, device: DeviceId, policy: &Policy, now: UtcMillis) -> Result<bool, StoreError> {
    let mut tx = store.read().await?;
    let Some(known) = of_device(&mut tx, device).await? else { return Ok(false) };
    drop(tx);
    let last = known.again_at.or(known.told_at);
    if last.is_some_and(|last| now.millis_since(last) < SAME_MILLIS) {
        return Ok(true);
    }
    let mut tx = store.write().await?;
    let sql = if known.told_at.is_none() {
        "UPDATE device_release SET told_at = $2 WHERE device_id = $1 AND told_at IS NULL"
    } else {
        "UPDATE device_release SET again_at = $2 WHERE device_id = $1"
    };
    on!(&mut tx, |c| sqlx::query(sql).bind(device.0).bind(now.get()).execute(c).await.map(drop))?;
    review::device(&mut tx, device, policy, now).await?;
    tx.commit().await?;
    Ok(true)
}
