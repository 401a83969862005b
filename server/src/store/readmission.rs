//! Devices that a restored database has forgotten: let in again by the certificate that they show, as `domain::restored`
//! says. Their enrolment gets its own name again, so that the agent finds nothing changed.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis, report::Hardware};
use serde_json::json;

use super::{
    Store, StoreError, Tx,
    audit::{self, NewAudit},
    device::{self, NewDevice},
    device_record,
    enrolment::{self, KeyHash, NewEnrolment},
    newcomer, on, setting,
    value::{from_json, to_json},
};
use crate::domain::{
    device::DeviceStatus,
    device_record::ContactExpected,
    enrolment::EnrolmentStatus,
    restored::{Admission, Restored, admission},
    scope::Scope,
};

/// Where the operator's word is kept.
const SETTING: &str = "restored";
/// Who lets devices in again.
const RULE: &str = "job:readmission";

/// What a certificate that TLS verified says of its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The device that it names.
    pub device: DeviceId,
    /// The enrolment that it names.
    pub enrolment: EnrolmentId,
    /// When it began.
    pub not_before: UtcMillis,
}

/// What the operator said of the last restore.
pub async fn restored(tx: &mut Tx) -> Result<Option<Restored>, StoreError> {
    setting::get(tx, SETTING).await?.map(|text| from_json(SETTING, &text)).transpose()
}

/// Keeps what the operator says of a restore.
pub async fn declare(tx: &mut Tx, restored: &Restored) -> Result<(), StoreError> {
    setting::set(tx, SETTING, &to_json(SETTING, restored)?).await
}

/// Decides about the holder of a key that no enrolment has, and does it.
pub async fn admit(store: &Store, key: &KeyHash, shown: &Shown, now: UtcMillis) -> Result<Admission, StoreError> {
    // Most often there was no restore: a stranger must not keep others from writing.
    let mut tx = store.read().await?;
    if judge(&mut tx, shown, now).await? == Admission::Refused {
        return Ok(Admission::Refused);
    }
    drop(tx);
    let mut tx = store.write().await?;
    newcomer::lock_key(&mut tx, key).await?;
    enrolment::lock_hardware(&mut tx, &shown.device.to_string()).await?;
    if enrolment::of_key(&mut tx, key).await?.is_some() {
        // Another of its connections was faster.
        return Ok(Admission::ByItself);
    }
    let admission = judge(&mut tx, shown, now).await?;
    if newcomer::of_key(&mut tx, key).await?.is_some() || is_taken(&mut tx, shown, admission).await? {
        return Ok(Admission::Refused);
    }
    match admission {
        Admission::ByItself => let_in(&mut tx, key, shown, now).await?,
        Admission::Waits => enrolment::insert(&mut tx, &new(key, shown, EnrolmentStatus::Pending), now).await?,
        Admission::Refused => return Ok(Admission::Refused),
    }
    tx.commit().await?;
    Ok(admission)
}

async fn judge(tx: &mut Tx, shown: &Shown, now: UtcMillis) -> Result<Admission, StoreError> {
    let Some(restored) = restored(tx).await? else { return Ok(Admission::Refused) };
    let device = device::find(tx, &Scope::Everything, shown.device).await?;
    Ok(admission(Some(&restored), shown.not_before, device.map(|device| device.status), now))
}

/// Whether the enrolment's name is another key's; or, where it would wait, whether another key waits for the device.
async fn is_taken(tx: &mut Tx, shown: &Shown, admission: Admission) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM enrolment WHERE id = $1 OR (device_id = $2 AND status = 'pending' AND $3)";
    let waits = admission == Admission::Waits;
    let found: i64 = on!(tx, |c| sqlx::query_scalar(sql)
        .bind(shown.enrolment.0)
        .bind(shown.device.0)
        .bind(waits)
        .fetch_one(c)
        .await)?;
    Ok(found > 0)
}

const fn new<'a>(key: &'a KeyHash, shown: &Shown, status: EnrolmentStatus) -> NewEnrolment<'a> {
    // The request that made it is forgotten; the enrolment's name stands for it.
    let request = shown.enrolment.0;
    NewEnrolment { id: shown.enrolment, device: shown.device, request, key, token: None, status }
}

/// The older key of a device that is known ends with the first use of this one, as in a renewal.
async fn let_in(tx: &mut Tx, key: &KeyHash, shown: &Shown, now: UtcMillis) -> Result<(), StoreError> {
    let known = device::find(tx, &Scope::Everything, shown.device).await?.map(|device| device.status);
    if known == Some(DeviceStatus::Pending) {
        // Recorded before the backup, enrolled for the first time after it.
        device::set_status(tx, &Scope::Everything, shown.device, DeviceStatus::Active).await?;
    }
    if known.is_none() {
        let device = NewDevice {
            id: shown.device,
            status: DeviceStatus::Active,
            // Its next report says it.
            hardware: Hardware::default(),
            asset_tag: None,
            programme: None,
            site: None,
            enrolled_at: Some(now),
        };
        device::insert(tx, &device, now).await?;
    }
    enrolment::insert(tx, &new(key, shown, EnrolmentStatus::Active), now).await?;
    device_record::expect(tx, shown.device, ContactExpected::Agent).await?;
    device::set_enrolled(tx, shown.device, now).await?;
    let object_id = shown.enrolment.to_string();
    let entry = NewAudit {
        actor: RULE,
        action: "enrolment.readmit",
        object_kind: "enrolment",
        object_id: &object_id,
        details: json!({ "device": shown.device, "known_before": known.is_some() }),
    };
    audit::append_of_contact(tx, entry, now).await?;
    Ok(())
}
