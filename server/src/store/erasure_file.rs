//! The files that prove erasures, whole, each with its hash.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{StoreError, Tx, on, value::moment};

/// A file, without what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Its identifier.
    pub id: Uuid,
    /// What it was called.
    pub name: String,
    /// SHA-256 of what it holds.
    pub sha256: [u8; 32],
    /// The records that it proves.
    pub proves: Vec<Uuid>,
    /// The login of the one who brought it.
    pub by: String,
    /// When.
    pub at: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    name: String,
    sha256: Vec<u8>,
    added_by: String,
    added_at: i64,
    erasure_id: Uuid,
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt { what: "erasure_file.sha256", why: "not 32 bytes".to_owned() })
}

/// The files of a device, oldest first. The caller has found the device within its scope.
pub async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Vec<EvidenceFile>, StoreError> {
    let sql = "SELECT f.id, f.name, f.sha256, f.added_by, f.added_at, v.erasure_id FROM erasure_file f \
               JOIN erasure_evidence v ON v.file_id = f.id WHERE f.device_id = $1 ORDER BY f.added_at, f.id, v.erasure_id";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_all(c).await)?;
    let mut files: Vec<EvidenceFile> = Vec::new();
    for one in raw {
        match files.last_mut().filter(|file| file.id == one.id) {
            Some(file) => file.proves.push(one.erasure_id),
            None => files.push(EvidenceFile {
                id: one.id,
                name: one.name,
                sha256: hash(one.sha256)?,
                proves: vec![one.erasure_id],
                by: one.added_by,
                at: moment("erasure_file.added_at", one.added_at)?,
            }),
        }
    }
    Ok(files)
}

/// What a file of the device is called and holds, byte for byte as it was brought.
pub async fn content(tx: &mut Tx, device: DeviceId, id: Uuid) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let sql = "SELECT name, content FROM erasure_file WHERE id = $1 AND device_id = $2";
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(id).bind(device.0).fetch_optional(c).await)?)
}

/// The file of the device with that hash, if it was brought before.
async fn known(tx: &mut Tx, device: DeviceId, sha256: &[u8; 32]) -> Result<Option<Uuid>, StoreError> {
    let sql = "SELECT id FROM erasure_file WHERE device_id = $1 AND sha256 = $2";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).bind(sha256.to_vec()).fetch_optional(c).await)?)
}

/// Keeps a file that proves these records; one that the device has already is not kept twice, nor one that was chosen twice.
/// The caller holds the device.
pub(super) async fn keep(
    tx: &mut Tx,
    device: DeviceId,
    (name, sha256, content): (&str, &[u8; 32], &[u8]),
    proves: &[Uuid],
    by: (&str, UtcMillis),
) -> Result<(), StoreError> {
    let id = match known(tx, device, sha256).await? {
        Some(id) => id,
        None => insert(tx, device, (name, sha256, content), by).await?,
    };
    let sql = "INSERT INTO erasure_evidence (erasure_id, file_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    for erasure in proves {
        on!(tx, |c| sqlx::query(sql).bind(*erasure).bind(id).execute(c).await.map(drop))?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    device: DeviceId,
    (name, sha256, content): (&str, &[u8; 32], &[u8]),
    (by, now): (&str, UtcMillis),
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    let sql = "INSERT INTO erasure_file (id, device_id, name, sha256, content, added_by, added_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(device.0)
            .bind(name)
            .bind(sha256.to_vec())
            .bind(content.to_vec())
            .bind(by)
            .bind(now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(id)
}
