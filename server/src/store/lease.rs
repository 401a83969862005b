//! Leases: several server processes share a database, and a job must run in one of them at a time.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, on, value::from_json};

/// Who runs a job, until when.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Lease {
    holder: Uuid,
    until: UtcMillis,
}

/// Takes or prolongs the lease of `job` for `holder` until `until`; whether it got it. A lease that has run out is free:
/// its holder may have died.
pub async fn take(tx: &mut Tx, job: &str, holder: Uuid, now: UtcMillis, until: UtcMillis) -> Result<bool, StoreError> {
    let name = format!("lease:{job}");
    let sql = "SELECT value FROM setting WHERE name = $1";
    let held: Option<String> = on!(tx, |c| sqlx::query_scalar(sql).bind(&name).fetch_optional(c).await)?;
    let value = super::value::to_json("setting.value", &Lease { holder, until })?;
    let written = match held {
        None => {
            let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
            on!(tx, |c| sqlx::query(sql).bind(&name).bind(value).execute(c).await.map(|done| done.rows_affected()))?
        }
        Some(held) => {
            let lease: Lease = from_json("setting.value", &held)?;
            if lease.holder != holder && lease.until > now {
                return Ok(false);
            }
            // Only if nobody else took it since it was read.
            let sql = "UPDATE setting SET value = $2 WHERE name = $1 AND value = $3";
            on!(tx, |c| {
                sqlx::query(sql).bind(&name).bind(value).bind(held).execute(c).await.map(|done| done.rows_affected())
            })?
        }
    };
    Ok(written == 1)
}

/// Gives the lease of `job` back early, if `holder` has it.
pub async fn release(tx: &mut Tx, job: &str, holder: Uuid, now: UtcMillis) -> Result<(), StoreError> {
    take(tx, job, holder, now, now).await.map(drop)
}
