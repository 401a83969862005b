//! Requests that name a key that its machine lost. Whoever had a device once knows its public key and may name it as often as it
//! likes, with any serial number: such requests are counted by the device whose key it is.

use cartable_common::{DeviceId, EnrolmentId};

use super::{StoreError, Tx, enrolment::KeyHash, on};

/// How many requests wait that name a lost key of `device`, but for that of `key` itself. The caller holds the device.
pub async fn waiting_beside(tx: &mut Tx, device: DeviceId, key: &KeyHash) -> Result<i64, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM newcomer n JOIN enrolment l ON l.id = n.lost_key_of \
               WHERE l.device_id = $1 AND n.state = 'waiting' AND n.spki_sha256 <> $2) \
               + (SELECT count(*) FROM enrolment e JOIN enrolment l ON l.id = e.lost_key_of \
               WHERE l.device_id = $1 AND e.status = 'pending' AND e.spki_sha256 <> $2)";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).bind(key.as_slice()).fetch_one(c).await)?)
}

/// Whoever waits with `key` named the key of the enrolment `lost`. That stays, whatever it brings later.
pub async fn named(tx: &mut Tx, key: &KeyHash, lost: EnrolmentId) -> Result<(), StoreError> {
    for sql in [
        "UPDATE newcomer SET lost_key_of = $2 WHERE spki_sha256 = $1 AND state = 'waiting'",
        "UPDATE enrolment SET lost_key_of = $2 WHERE spki_sha256 = $1 AND status = 'pending'",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(key.as_slice()).bind(lost.0).execute(c).await.map(drop))?;
    }
    Ok(())
}
