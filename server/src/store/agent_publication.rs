//! What is published of the agent's releases: the last publication's texts, and who signed each one.

use cartable_common::{UtcMillis, update::UpdateKey};

use super::{
    StoreError, Tx, on,
    value::{moment, parsed},
};
use crate::domain::update::publication::Publication;

/// A publication, but its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub number: u64,
    /// Until when it counts.
    pub expires_at: UtcMillis,
    /// Who signed it last.
    pub signed_by: UpdateKey,
}

/// The last publication.
pub async fn last(tx: &mut Tx) -> Result<Option<Published>, StoreError> {
    let sql = "SELECT number, expires_at, signed_by FROM agent_publication ORDER BY number DESC LIMIT 1";
    let found: Option<(i64, i64, String)> = on!(tx, |c| sqlx::query_as(sql).fetch_optional(c).await)?;
    let Some((number, expires_at, key)) = found else { return Ok(None) };
    let corrupt = |_| StoreError::Corrupt { what: "agent_publication.number", why: format!("{number} is below zero") };
    Ok(Some(Published {
        number: u64::try_from(number).map_err(corrupt)?,
        expires_at: moment("agent_publication.expires_at", expires_at)?,
        signed_by: parsed("agent_publication.signed_by", &key)?,
    }))
}

/// Publishes: its texts take the place of those before. The caller has checked that it may follow the last one, in this unit
/// of work; two at once are kept apart by their number.
pub async fn publish(
    tx: &mut Tx,
    publication: &Publication,
    signed_by: UpdateKey,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let number = i64::try_from(publication.number).unwrap_or(i64::MAX);
    let sql = "INSERT INTO agent_publication (number, made_at, expires_at, signed_by, published_at) \
               VALUES ($1, $2, $3, $4, $5)";
    on!(tx, |c| sqlx::query(sql)
        .bind(number)
        .bind(publication.made_at.get())
        .bind(publication.expires_at.get())
        .bind(signed_by.to_string())
        .bind(now.get())
        .execute(c)
        .await
        .map(drop))?;
    on!(tx, |c| sqlx::query("DELETE FROM agent_published").execute(c).await.map(drop))?;
    let sql = "INSERT INTO agent_published (path, content) VALUES ($1, $2)";
    for (path, content) in &publication.files {
        on!(tx, |c| sqlx::query(sql).bind(path.clone()).bind(content.clone()).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The published text at `path`.
pub async fn text(tx: &mut Tx, path: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT content FROM agent_published WHERE path = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(path.to_owned()).fetch_optional(c).await)?)
}
