//! Referents: who answers for a site's loans and receives its digests. Ended, never deleted.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{moment, parsed},
};
use crate::domain::{language::Language, scope::Scope};

/// A referent who answers for a site now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referent {
    /// Never given to another.
    pub id: Uuid,
    /// The site.
    pub site: Uuid,
    /// First and last name.
    pub name: String,
    /// Where notices go.
    pub email: String,
    /// The language of notices.
    pub language: Language,
    /// Since when.
    pub created_at: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    site_id: Uuid,
    name: String,
    email: String,
    language: String,
    created_at: i64,
}

impl Raw {
    fn read(self) -> Result<Referent, StoreError> {
        Ok(Referent {
            id: self.id,
            site: self.site_id,
            name: self.name,
            email: self.email,
            language: parsed("site_referent.language", &self.language)?,
            created_at: moment("site_referent.created_at", self.created_at)?,
        })
    }
}

/// Records a referent; false when the site has one with that address already.
pub async fn add(tx: &mut Tx, new: &Referent) -> Result<bool, StoreError> {
    let sql = "INSERT INTO site_referent (id, site_id, name, email, language, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site_id, email) WHERE ended_at IS NULL DO NOTHING";
    let rows = on!(tx, |c| {
        sqlx::query(sql)
            .bind(new.id)
            .bind(new.site)
            .bind(new.name.as_str())
            .bind(new.email.as_str())
            .bind(new.language.as_str())
            .bind(new.created_at.get())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Ends a referent of that site. False when there is none.
pub async fn end(tx: &mut Tx, site: Uuid, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE site_referent SET ended_at = $3 WHERE id = $1 AND site_id = $2 AND ended_at IS NULL";
    let rows = on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(site).bind(now.get()).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// The present referents of the sites that `scope` covers, or of one of them, by name.
pub async fn list(tx: &mut Tx, scope: &Scope, site: Option<Uuid>) -> Result<Vec<Referent>, StoreError> {
    let sql = "SELECT id, site_id, name, email, language, created_at FROM site_referent WHERE ended_at IS NULL \
               ORDER BY name, id";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let wanted = |raw: &Raw| scope.covers(Some(raw.site_id)) && site.is_none_or(|site| site == raw.site_id);
    raw.into_iter().filter(wanted).map(Raw::read).collect()
}
