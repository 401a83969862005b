//! Tokens of scripts and other systems. Each belongs to a person and never may more than that person, as of each
//! request. The token itself is shown once and never stored, only its hash.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    person::PersonRow,
    value::{moment, optional_moment},
};
use crate::domain::person::Person;

/// A token to be added.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its id, which names it in lists and in the audit.
    pub id: Uuid,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// What it is for.
    pub label: String,
    /// Whose rights it carries.
    pub person: Uuid,
    /// When it ends.
    pub expires_at: UtcMillis,
}

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub label: String,
    /// The login of the person whose rights it carries.
    pub login: String,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// The day it was last used, as days since 1970.
    pub last_used_day: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<UtcMillis>,
}

/// Adds a token.
pub async fn insert(tx: &mut Tx, new: &NewApiToken, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_token (id, token_hash, label, person_id, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(new.token_hash.to_vec())
            .bind(new.label.clone())
            .bind(new.person)
            .bind(now.get())
            .bind(new.expires_at.get())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Who stands behind a token, if it is in force.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The token's id.
    pub token: Uuid,
    /// The person, as of now.
    pub person: Person,
    /// The day it was last used, as days since 1970.
    pub last_used_day: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct BearerRow {
    token_id: Uuid,
    last_used_day: Option<i64>,
    #[sqlx(flatten)]
    person: PersonRow,
}

/// Who stands behind the token with this hash, if it is in force and its person may still sign in.
pub async fn bearer(tx: &mut Tx, token_hash: &[u8; 32], now: UtcMillis) -> Result<Option<Bearer>, StoreError> {
    let sql = "SELECT p.*, t.id AS token_id, t.last_used_day FROM api_token t JOIN person p ON p.id = t.person_id \
        WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND p.disabled_at IS NULL";
    let row: Option<BearerRow> =
        on!(tx, |c| sqlx::query_as(sql).bind(token_hash.to_vec()).bind(now.get()).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    let person = row.person.into_account()?.person;
    Ok(Some(Bearer { token: row.token_id, person, last_used_day: row.last_used_day }))
}

/// Notes the day a token was used.
pub async fn set_used(tx: &mut Tx, id: Uuid, day: i64) -> Result<(), StoreError> {
    let sql = "UPDATE api_token SET last_used_day = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(day).execute(c).await.map(|_| ()))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ApiTokenRow {
    id: Uuid,
    label: String,
    login: String,
    created_at: i64,
    expires_at: i64,
    last_used_day: Option<i64>,
    revoked_at: Option<i64>,
}

/// All tokens, newest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<ApiToken>, StoreError> {
    let sql = "SELECT t.id, t.label, p.login, t.created_at, t.expires_at, t.last_used_day, t.revoked_at \
        FROM api_token t JOIN person p ON p.id = t.person_id ORDER BY t.created_at DESC, t.id";
    let rows: Vec<ApiTokenRow> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter()
        .map(|row| {
            Ok(ApiToken {
                id: row.id,
                label: row.label,
                login: row.login,
                created_at: moment("API token", row.created_at)?,
                expires_at: moment("API token", row.expires_at)?,
                last_used_day: row.last_used_day,
                revoked_at: optional_moment("API token", row.revoked_at)?,
            })
        })
        .collect()
}

/// Revokes a token. False when there is none in force with this id.
pub async fn revoke(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Revokes every token of a person: when the account is stopped.
pub async fn revoke_of_person(tx: &mut Tx, person: Uuid, now: UtcMillis) -> Result<u64, StoreError> {
    let sql = "UPDATE api_token SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL";
    Ok(on!(tx, |c| sqlx::query(sql).bind(person).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?)
}
