//! Certificates: the intent before the signature, then the certificate. None is ever handed out unrecorded.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use sqlx::FromRow;
use uuid::Uuid;

use super::{StoreError, Tx, on};
use crate::domain::lease::Lease;

/// A recorded lease, and its certificate once that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// What it is for.
    pub lease: Lease,
    /// The chain, leaf first; absent between intent and signature.
    pub pem: Option<String>,
}

#[derive(FromRow)]
struct Raw {
    serial: Vec<u8>,
    device_id: Uuid,
    enrolment_id: Uuid,
    not_before: i64,
    not_after: i64,
    pem: Option<String>,
}

impl TryFrom<Raw> for CertificateRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let serial = raw
            .serial
            .try_into()
            .map_err(|_| StoreError::Corrupt { what: "certificate.serial", why: "not 16 bytes".to_owned() })?;
        let lease = Lease {
            serial,
            device: DeviceId(raw.device_id),
            enrolment: EnrolmentId(raw.enrolment_id),
            not_before: UtcMillis::new(raw.not_before).unwrap_or_default(),
            not_after: UtcMillis::new(raw.not_after).unwrap_or_default(),
        };
        Ok(Self { lease, pem: raw.pem })
    }
}

/// Records that a certificate is about to be signed.
pub async fn intend(tx: &mut Tx, lease: &Lease, now: UtcMillis) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO certificate (serial, enrolment_id, state, not_before, not_after, created_at) \
        VALUES ($1, $2, 'intended', $3, $4, $5)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(lease.serial.as_slice())
        .bind(lease.enrolment.0)
        .bind(lease.not_before.get())
        .bind(lease.not_after.get())
        .bind(now.get())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Records the signed certificate. False where it was recorded before: then the recorded one counts.
pub async fn issued(tx: &mut Tx, lease: &Lease, pem: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE certificate SET state = 'issued', pem = $2 WHERE serial = $1 AND state = 'intended'";
    let done = on!(tx, |c| sqlx::query(sql)
        .bind(lease.serial.as_slice())
        .bind(pem)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// The newest lease of an enrolment.
pub async fn newest(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Option<CertificateRow>, StoreError> {
    const SQL: &str = "SELECT c.serial, e.device_id, c.enrolment_id, c.not_before, c.not_after, c.pem \
        FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id \
        WHERE c.enrolment_id = $1 ORDER BY c.created_at DESC, c.serial DESC LIMIT 1";
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(SQL).bind(enrolment.0).fetch_optional(c).await)?;
    raw.map(TryInto::try_into).transpose()
}

/// The lease with that serial number.
pub async fn of_serial(tx: &mut Tx, serial: &[u8; 16]) -> Result<Option<CertificateRow>, StoreError> {
    const SQL: &str = "SELECT c.serial, e.device_id, c.enrolment_id, c.not_before, c.not_after, c.pem \
        FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id WHERE c.serial = $1";
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(SQL).bind(serial.as_slice()).fetch_optional(c).await)?;
    raw.map(TryInto::try_into).transpose()
}

/// How many leases a device was given since `since`, over all its enrolments.
pub async fn count_since(tx: &mut Tx, device: DeviceId, since: UtcMillis) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT count(*) FROM certificate c JOIN enrolment e ON e.id = c.enrolment_id \
        WHERE e.device_id = $1 AND c.created_at >= $2";
    Ok(on!(tx, |c| sqlx::query_scalar(SQL).bind(device.0).bind(since.get()).fetch_one(c).await)?)
}
