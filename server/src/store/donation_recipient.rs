//! Recipients of donations: legal persons, recorded once and ended, never deleted. The name of a natural person never
//! stands here.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{moment, optional_moment, parsed},
};
use crate::domain::donation::Recipient;

/// Most recipients that are listed.
const LISTED: i64 = 500;

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    name: String,
    class: String,
    legal_form: String,
    registration: Option<String>,
    commitments: Option<String>,
    proof: Option<String>,
    created_at: i64,
    ended_at: Option<i64>,
}

impl Raw {
    fn read(self) -> Result<Recipient, StoreError> {
        Ok(Recipient {
            id: self.id,
            name: self.name,
            class: parsed("donation_recipient.class", &self.class)?,
            legal_form: self.legal_form,
            registration: self.registration,
            commitments: self.commitments,
            proof: self.proof,
            created_at: moment("donation_recipient.created_at", self.created_at)?,
            ended_at: optional_moment("donation_recipient.ended_at", self.ended_at)?,
        })
    }
}

const SELECT: &str = "SELECT id, name, class, legal_form, registration, commitments, proof, created_at, ended_at \
     FROM donation_recipient";

/// Records a recipient.
pub async fn insert(tx: &mut Tx, recipient: &Recipient, by: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO donation_recipient (id, name, class, legal_form, registration, commitments, proof, \
               created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(recipient.id)
            .bind(recipient.name.as_str())
            .bind(recipient.class.as_str())
            .bind(recipient.legal_form.as_str())
            .bind(recipient.registration.as_deref())
            .bind(recipient.commitments.as_deref())
            .bind(recipient.proof.as_deref())
            .bind(by)
            .bind(recipient.created_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The recipients by name, those that ended too.
pub async fn list(tx: &mut Tx) -> Result<Vec<Recipient>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY name, id LIMIT $1"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(LISTED).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// The recipient with that id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Recipient>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// Nothing goes to it any more. False where that was so already, or there is no such recipient.
pub async fn end(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE donation_recipient SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
