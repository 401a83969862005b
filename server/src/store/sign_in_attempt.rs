//! Attempts to sign in, so that guessing is slow even across restarts and across several server processes.
//!
//! Neither logins nor addresses are kept: a subject is a SHA-256, and a row lives as long as the window.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, on};

/// What an attempt counts against: the hash of a login or of an address.
pub type SubjectHash = [u8; 32];

/// Keeps other attempts on the same subject waiting until this unit of work ends, so that a thousand guesses at once
/// cannot all see the count of before. SQLite has one writer anyway.
pub async fn hold(tx: &mut Tx, subject: &SubjectHash) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(_) => {}
        Tx::Postgres(connection) => {
            let mut key = [0; 8];
            key.copy_from_slice(&subject[..8]);
            let sql = "SELECT pg_advisory_xact_lock($1)";
            sqlx::query(sql).bind(i64::from_be_bytes(key)).execute(&mut **connection).await?;
        }
    }
    Ok(())
}

/// How many attempts there were since `since`, and when the oldest of them was.
pub async fn count(
    tx: &mut Tx,
    subject: &SubjectHash,
    since: UtcMillis,
) -> Result<(i64, Option<UtcMillis>), StoreError> {
    let sql = "SELECT count(*), MIN(at) FROM sign_in_attempt WHERE subject_hash = $1 AND at > $2";
    let (count, oldest): (i64, Option<i64>) =
        on!(tx, |c| sqlx::query_as(sql).bind(subject.to_vec()).bind(since.get()).fetch_one(c).await)?;
    Ok((count, oldest.and_then(UtcMillis::new)))
}

/// Notes an attempt under `id`; the same id serves all subjects of one attempt.
pub async fn insert(tx: &mut Tx, subject: &SubjectHash, id: Uuid, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO sign_in_attempt (subject_hash, at, id) VALUES ($1, $2, $3)";
    on!(tx, |c| sqlx::query(sql).bind(subject.to_vec()).bind(now.get()).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Takes one attempt back: it succeeded.
pub async fn take_back(tx: &mut Tx, subject: &SubjectHash, id: Uuid, at: UtcMillis) -> Result<(), StoreError> {
    let sql = "DELETE FROM sign_in_attempt WHERE subject_hash = $1 AND at = $2 AND id = $3";
    on!(tx, |c| sqlx::query(sql).bind(subject.to_vec()).bind(at.get()).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Forgets all attempts on a subject.
pub async fn clear(tx: &mut Tx, subject: &SubjectHash) -> Result<(), StoreError> {
    let sql = "DELETE FROM sign_in_attempt WHERE subject_hash = $1";
    on!(tx, |c| sqlx::query(sql).bind(subject.to_vec()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Forgets attempts from before the window.
pub async fn delete_before(tx: &mut Tx, before: UtcMillis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM sign_in_attempt WHERE at <= $1";
    Ok(on!(tx, |c| sqlx::query(sql).bind(before.get()).execute(c).await.map(|done| done.rows_affected()))?)
}
