//! Certificates of erasure: the facts as they were signed, and the signature.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{StoreError, Tx, on, value::moment};
use crate::domain::document::DocumentNumber;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its number.
    pub number: String,
    /// The device.
    pub device: DeviceId,
    /// The facts, canonical JSON: exactly the bytes that were signed.
    pub facts: String,
    /// The signature (Ed25519).
    pub signature: [u8; 64],
    /// When it was made.
    pub made_at: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    number: String,
    device_id: Uuid,
    facts: String,
    signature: Vec<u8>,
    made_at: i64,
}

impl Raw {
    fn read(self) -> Result<Certificate, StoreError> {
        let wrong = |_| StoreError::Corrupt { what: "erasure_certificate.signature", why: "not 64 bytes".to_owned() };
        Ok(Certificate {
            number: self.number,
            device: DeviceId(self.device_id),
            facts: self.facts,
            signature: self.signature.try_into().map_err(wrong)?,
            made_at: moment("erasure_certificate.made_at", self.made_at)?,
        })
    }
}

const SELECT: &str = "SELECT number, device_id, facts, signature, made_at FROM erasure_certificate";

/// Keeps a certificate.
pub async fn insert(tx: &mut Tx, new: &Certificate) -> Result<(), StoreError> {
    let sql = "INSERT INTO erasure_certificate (number, device_id, facts, signature, made_at) \
               VALUES ($1, $2, $3, $4, $5)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(new.number.as_str())
            .bind(new.device.0)
            .bind(new.facts.as_str())
            .bind(new.signature.to_vec())
            .bind(new.made_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The certificate of that number, for whoever asks: its page shows nothing personal.
pub async fn find(tx: &mut Tx, number: DocumentNumber) -> Result<Option<Certificate>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE number = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(number.to_string()).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// The certificates of a device, newest first.
pub async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Vec<Certificate>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE device_id = $1 ORDER BY made_at DESC, number DESC"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// SHA-256 of the PDF that was made under that number.
pub async fn pdf_sha256(tx: &mut Tx, number: DocumentNumber) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT pdf_sha256 FROM document WHERE number = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(number.to_string()).fetch_optional(c).await)?)
}
