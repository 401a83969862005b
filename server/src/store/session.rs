//! Sessions of people who signed in. The token in the cookie is never stored, only its hash.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, on, person::PersonRow, value::moment};
use crate::domain::person::Person;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Whose.
    pub person: Uuid,
    /// What every form of this session carries.
    pub csrf_token: &'a str,
    /// When it ends whatever happens.
    pub expires_at: UtcMillis,
}

/// A session that was found.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose, as of now.
    pub person: Person,
    /// What every form of this session carries.
    pub csrf_token: String,
    /// When it was last used, give or take a minute.
    pub last_seen_at: UtcMillis,
    /// When it ends whatever happens.
    pub expires_at: UtcMillis,
}

/// Opens a session.
pub async fn insert(tx: &mut Tx, new: &NewSession<'_>, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO session (token_hash, person_id, csrf_token, created_at, last_seen_at, expires_at) \
        VALUES ($1, $2, $3, $4, $4, $5)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(new.token_hash.to_vec())
            .bind(new.person)
            .bind(new.csrf_token.to_owned())
            .bind(now.get())
            .bind(new.expires_at.get())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    csrf_token: String,
    last_seen_at: i64,
    expires_at: i64,
    #[sqlx(flatten)]
    person: PersonRow,
}

/// The session with this hash, if its person may still sign in. Whether it is too old is for the caller to say.
pub async fn find(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    let sql = "SELECT p.*, s.csrf_token, s.last_seen_at, s.expires_at FROM session s \
        JOIN person p ON p.id = s.person_id WHERE s.token_hash = $1 AND p.disabled_at IS NULL";
    let row: Option<SessionRow> = on!(tx, |c| sqlx::query_as(sql).bind(token_hash.to_vec()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Session {
        person: row.person.into_account()?.person,
        csrf_token: row.csrf_token,
        last_seen_at: moment("session", row.last_seen_at)?,
        expires_at: moment("session", row.expires_at)?,
    }))
}

/// Notes that a session was used.
pub async fn touch(tx: &mut Tx, token_hash: &[u8; 32], now: UtcMillis) -> Result<(), StoreError> {
    let sql = "UPDATE session SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2";
    on!(tx, |c| sqlx::query(sql).bind(token_hash.to_vec()).bind(now.get()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Ends one session.
pub async fn delete(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    let sql = "DELETE FROM session WHERE token_hash = $1";
    on!(tx, |c| sqlx::query(sql).bind(token_hash.to_vec()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Ends every session of a person: at a change of password and when the account is stopped.
pub async fn delete_of_person(tx: &mut Tx, person: Uuid) -> Result<u64, StoreError> {
    let sql = "DELETE FROM session WHERE person_id = $1";
    Ok(on!(tx, |c| sqlx::query(sql).bind(person).execute(c).await.map(|done| done.rows_affected()))?)
}

/// Forgets sessions that ended, and those last used before `idle_before`.
pub async fn delete_ended(tx: &mut Tx, idle_before: UtcMillis, now: UtcMillis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM session WHERE expires_at <= $1 OR last_seen_at < $2";
    Ok(on!(tx, |c| {
        sqlx::query(sql).bind(now.get()).bind(idle_before.get()).execute(c).await.map(|done| done.rows_affected())
    })?)
}
