//! Erasures of drives, as they were recorded. Nothing here is ever deleted, whatever becomes of the device.

use std::collections::HashMap;

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::Rows,
    value::{moment, optional_moment, parsed},
};
use crate::domain::{
    erasure::{
        DriveKey, Level, Medium, Reading,
        gap::{Absence, Proof},
    },
    facts::ErasureFacts,
};

/// A recorded erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its identifier.
    pub id: Uuid,
    /// The device that the drive was in.
    pub device: DeviceId,
    /// The level that was reached, as it was known then.
    pub level: Level,
    /// What was done and how it ended; the medium is the one that was known then.
    pub reading: Reading,
    /// The login of the one who did it, or brought its evidence.
    pub operator: String,
    /// The login of the one who confirmed what was entered by hand, or that a drive which was never seen in the device was
    /// in it; and when.
    pub witness: Option<(String, UtcMillis)>,
    /// When it was recorded.
    pub recorded_at: UtcMillis,
    /// Whether the drive is known to have been in use afterwards.
    pub used_again: bool,
}

impl Erasure {
    /// What the gate asks of it.
    #[must_use]
    pub fn proof(&self) -> Proof {
        let reading = &self.reading;
        Proof {
            id: self.id,
            key: reading.drive.clone(),
            model: reading.model.clone(),
            medium: reading.medium,
            method: reading.method,
            outcome: reading.outcome,
            verification: reading.verification,
            errors: reading.errors,
            capacity_bytes: reading.capacity_bytes,
            bytes_erased: reading.bytes_erased,
            ended_at: reading.ended_at,
            recorded_at: self.recorded_at,
            source: reading.source,
            witnessed: self.witness.is_some(),
            used_again: self.used_again,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    device_id: Uuid,
    drive_key: String,
    model: Option<String>,
    medium: String,
    method: String,
    method_name: String,
    level: String,
    tool: String,
    tool_version: String,
    started_at: i64,
    ended_at: i64,
    passes: i64,
    capacity_bytes: Option<i64>,
    bytes_erased: Option<i64>,
    errors: i64,
    verification: String,
    outcome: String,
    host: Option<String>,
    source: String,
    operator: String,
    witness: Option<String>,
    witnessed_at: Option<i64>,
    recorded_at: i64,
    used_again: i64,
}

const COLUMNS: &str = "e.id, e.device_id, e.drive_key, e.model, e.medium, e.method, e.method_name, e.level, e.tool, \
     e.tool_version, e.started_at, e.ended_at, e.passes, e.capacity_bytes, e.bytes_erased, e.errors, e.verification, \
     e.outcome, e.host, e.source, e.operator, COALESCE(e.witness, e.confirmed_by) AS witness, \
     COALESCE(e.witnessed_at, e.confirmed_at) AS witnessed_at, e.recorded_at, e.used_again";

impl Raw {
    fn read(self) -> Result<Erasure, StoreError> {
        let count = |what, number: i64| {
            u64::try_from(number).map_err(|_| StoreError::Corrupt { what, why: format!("{number} is no count") })
        };
        let bytes = |what, number: Option<i64>| number.map(|number| count(what, number)).transpose();
        let witnessed_at = optional_moment("erasure.witnessed_at", self.witnessed_at)?;
        Ok(Erasure {
            id: self.id,
            device: DeviceId(self.device_id),
            level: parsed("erasure.level", &self.level)?,
            reading: Reading {
                drive: parsed("erasure.drive_key", &self.drive_key)?,
                model: self.model,
                medium: parsed("erasure.medium", &self.medium)?,
                capacity_bytes: bytes("erasure.capacity_bytes", self.capacity_bytes)?,
                method: parsed("erasure.method", &self.method)?,
                method_name: self.method_name,
                tool: self.tool,
                tool_version: self.tool_version,
                started_at: moment("erasure.started_at", self.started_at)?,
                ended_at: moment("erasure.ended_at", self.ended_at)?,
                passes: u32::try_from(self.passes).unwrap_or(u32::MAX),
                bytes_erased: bytes("erasure.bytes_erased", self.bytes_erased)?,
                errors: count("erasure.errors", self.errors)?,
                verification: parsed("erasure.verification", &self.verification)?,
                outcome: parsed("erasure.outcome", &self.outcome)?,
                host: self.host,
                source: parsed("erasure.source", &self.source)?,
            },
            operator: self.operator,
            witness: self.witness.zip(witnessed_at),
            recorded_at: moment("erasure.recorded_at", self.recorded_at)?,
            used_again: self.used_again != 0,
        })
    }
}

/// Records what a tool or a person says of a drive of that device. `medium` is what is known of it besides.
pub(super) async fn insert(
    tx: &mut Tx,
    device: DeviceId,
    reading: &Reading,
    medium: Medium,
    (operator, now): (&str, UtcMillis),
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    let medium = reading.medium.stricter(medium);
    let whole = |bytes: Option<u64>| bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let sql = "INSERT INTO erasure (id, device_id, drive_key, model, medium, method, method_name, level, tool, \
               tool_version, started_at, ended_at, passes, capacity_bytes, bytes_erased, errors, verification, outcome, \
               host, source, operator, recorded_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(device.0)
            .bind(reading.drive.as_str())
            .bind(reading.model.as_deref())
            .bind(medium.as_str())
            .bind(reading.method.as_str())
            .bind(reading.method_name.as_str())
            .bind(reading.method.level(medium).as_str())
            .bind(reading.tool.as_str())
            .bind(reading.tool_version.as_str())
            .bind(reading.started_at.get())
            .bind(reading.ended_at.get())
            .bind(i64::from(reading.passes))
            .bind(whole(reading.capacity_bytes))
            .bind(whole(reading.bytes_erased))
            .bind(i64::try_from(reading.errors).unwrap_or(i64::MAX))
            .bind(reading.verification.as_str())
            .bind(reading.outcome.as_str())
            .bind(reading.host.as_deref())
            .bind(reading.source.as_str())
            .bind(operator)
            .bind(now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(id)
}

/// The erasures of a device, newest first. The caller has found the device within its scope.
pub async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Vec<Erasure>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM erasure e WHERE e.device_id = $1 ORDER BY e.ended_at DESC, e.id DESC"
    ));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// One of them.
pub async fn find(tx: &mut Tx, device: DeviceId, id: Uuid) -> Result<Option<Erasure>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM erasure e WHERE e.id = $1 AND e.device_id = $2"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).bind(device.0).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// Writes down that `witness` confirms an erasure; false where somebody has already.
pub(super) async fn set_witness(tx: &mut Tx, id: Uuid, witness: &str, now: UtcMillis) -> Result<bool, StoreError> {
    let mut touched = 0;
    for sql in [
        "UPDATE erasure SET witness = $2, witnessed_at = $3 WHERE id = $1 AND witness IS NULL AND source = 'hand'",
        "UPDATE erasure SET confirmed_by = $2, confirmed_at = $3 WHERE id = $1 AND confirmed_by IS NULL \
         AND source <> 'hand'",
    ] {
        touched += on!(tx, |c| {
            sqlx::query(sql).bind(id).bind(witness).bind(now.get()).execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(touched > 0)
}

/// A declaration that a drive is not in its device any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// What the gate asks of it.
    pub absence: Absence,
    /// Why.
    pub reason: String,
    /// The login of the one who says so.
    pub by: String,
}

#[derive(sqlx::FromRow)]
struct RawAbsence {
    device_id: Uuid,
    drive_key: String,
    reason: String,
    declared_by: String,
    declared_at: i64,
    seen_again: i64,
}

impl RawAbsence {
    fn read(self) -> Result<Declared, StoreError> {
        let absence = Absence {
            key: parsed("erasure_absence.drive_key", &self.drive_key)?,
            declared_at: moment("erasure_absence.declared_at", self.declared_at)?,
            seen_again: self.seen_again != 0,
        };
        Ok(Declared { absence, reason: self.reason, by: self.declared_by })
    }
}

/// What was declared of a device, newest first.
pub async fn absences_of(tx: &mut Tx, device: DeviceId) -> Result<Vec<Declared>, StoreError> {
    let sql = "SELECT device_id, drive_key, reason, declared_by, declared_at, seen_again FROM erasure_absence \
               WHERE device_id = $1 ORDER BY declared_at DESC, id DESC";
    let raw: Vec<RawAbsence> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_all(c).await)?;
    raw.into_iter().map(RawAbsence::read).collect()
}

/// Writes a declaration down.
pub(super) async fn declare_absent(
    tx: &mut Tx,
    device: DeviceId,
    drive: &DriveKey,
    reason: &str,
    (by, now): (&str, UtcMillis),
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    let sql = "INSERT INTO erasure_absence (id, device_id, drive_key, reason, declared_by, declared_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(device.0)
            .bind(drive.as_str())
            .bind(reason)
            .bind(by)
            .bind(now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(id)
}

/// What is recorded of each of these devices, as rules ask for it; every one of them has an entry.
pub(crate) async fn facts_of(tx: &mut Tx, devices: &[Uuid]) -> Result<HashMap<Uuid, ErasureFacts>, StoreError> {
    let mut facts: HashMap<Uuid, ErasureFacts> = devices.iter().map(|id| (*id, ErasureFacts::default())).collect();
    if devices.is_empty() {
        return Ok(facts);
    }
    let rows = Rows::of_ids(devices.iter().copied());
    let sql = format!("SELECT {COLUMNS} FROM {{rows}} JOIN erasure e ON e.device_id = r.id");
    let raw: Vec<Raw> = rows.fetch(tx, &sql).await?;
    for one in raw {
        let erasure = one.read()?;
        facts.entry(erasure.device.0).or_default().proofs.push(erasure.proof());
    }
    let sql = "SELECT a.device_id, a.drive_key, a.reason, a.declared_by, a.declared_at, a.seen_again \
               FROM {rows} JOIN erasure_absence a ON a.device_id = r.id";
    let raw: Vec<RawAbsence> = rows.fetch(tx, sql).await?;
    for one in raw {
        let device = one.device_id;
        facts.entry(device).or_default().absences.push(one.read()?.absence);
    }
    Ok(facts)
}
