//! Which trust bundle each agent holds, as it says with its contacts: what an operator asks before a root is retired.
//!
//! Of a device with several live keys the newest bundle counts: its agent holds one set of roots.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use uuid::Uuid;

use super::{Store, StoreError, Tx, on};

/// The devices on which our agent may come: not put away, with a key that is not ended. Each with the bundle that it holds.
/// Another system's agent holds a file, which follows no bundle.
const HELD: &str = "SELECT e.device_id, max(e.trust_bundle) AS held FROM enrolment e JOIN device d ON d.id = e.device_id \
    WHERE e.kind = 'agent' AND e.status IN ('active', 'quarantined') AND d.status IN ('active', 'quarantined') \
    AND d.archived_at IS NULL GROUP BY e.device_id";

/// How far a fleet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Devices that may come.
    pub devices: i64,
    /// Those of them that hold the bundle asked for, or a newer one.
    pub holders: i64,
}

/// A device that does not hold a bundle yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Which one.
    pub device: DeviceId,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The bundle that it holds.
    pub held: i64,
    /// When it was last heard.
    pub last_contact: Option<UtcMillis>,
}

/// Holds back every other change of the authority's keys, until this unit of work ends. SQLite has one writer and needs no lock.
pub async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        sqlx::query("SELECT pg_advisory_xact_lock(20261130)").execute(&mut **connection).await?;
    }
    Ok(())
}

/// Keeps that the agent of `enrolment` holds the bundle `number`.
pub async fn keep(store: &Store, enrolment: EnrolmentId, number: u32) -> Result<(), StoreError> {
    let sql = "UPDATE enrolment SET trust_bundle = $2 WHERE id = $1";
    let mut tx = store.write().await?;
    on!(&mut tx, |c| sqlx::query(sql).bind(enrolment.0).bind(i64::from(number)).execute(c).await.map(drop))?;
    tx.commit().await
}

/// How many devices hold the bundle `number`, or a newer one.
pub async fn spread(tx: &mut Tx, number: u32) -> Result<Spread, StoreError> {
    let sql = format!("SELECT count(*), count(CASE WHEN h.held >= $1 THEN 1 END) FROM ({HELD}) h");
    let (devices, holders): (i64, i64) =
        on!(tx, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(i64::from(number)).fetch_one(c).await)?;
    Ok(Spread { devices, holders })
}

/// The devices that do not hold the bundle `number`, those after `after` in the order of their ids, at most `limit`.
pub async fn behind(tx: &mut Tx, number: u32, after: Option<DeviceId>, limit: i64) -> Result<Vec<Behind>, StoreError> {
    type Row = (Uuid, Option<String>, Option<String>, i64, Option<i64>);
    let sql = format!(
        "SELECT d.id, d.serial_number, d.model, h.held, c.last_at FROM ({HELD}) h JOIN device d ON d.id = h.device_id \
         LEFT JOIN contact c ON c.device_id = d.id WHERE h.held < $1 AND d.id > $2 ORDER BY d.id LIMIT $3"
    );
    let after = after.map_or(Uuid::nil(), |device| device.0);
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(i64::from(number))
        .bind(after)
        .bind(limit)
        .fetch_all(c)
        .await)?;
    let behind = rows.into_iter().map(|(id, serial_number, model, held, last_at)| Behind {
        device: DeviceId(id),
        serial_number,
        model,
        held,
        last_contact: last_at.and_then(UtcMillis::new),
    });
    Ok(behind.collect())
}
