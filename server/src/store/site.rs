//! Sites: the institutions that devices belong to.

use cartable_common::UtcMillis;
use sqlx::FromRow;
use uuid::Uuid;

use super::{StoreError, Tx, on};
use crate::domain::{fold::fold, school_calendar::Zone, scope::Scope, uai::UaiCode};

/// An institution to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSite {
    /// Its code.
    pub uai: UaiCode,
    /// Its name, as people say it.
    pub name: String,
    /// Its commune.
    pub commune: String,
    /// The zone of its holidays.
    pub zone: Zone,
}

/// An institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRow {
    /// Never given to another.
    pub id: Uuid,
    /// Its code.
    pub uai: String,
    /// Its name.
    pub name: String,
    /// Its commune.
    pub commune: String,
    /// The zone of its holidays.
    pub zone: Zone,
    /// When it was added.
    pub created_at: UtcMillis,
}

#[derive(FromRow)]
struct Raw {
    id: Uuid,
    uai: String,
    name: String,
    commune: String,
    academic_zone: String,
    created_at: i64,
}

impl TryFrom<Raw> for SiteRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt { what: "site.academic_zone", why };
        Ok(Self {
            id: raw.id,
            uai: raw.uai,
            name: raw.name,
            commune: raw.commune,
            zone: raw.academic_zone.parse().map_err(|error| corrupt(format!("{error}")))?,
            created_at: UtcMillis::new(raw.created_at).unwrap_or_default(),
        })
    }
}

/// Adds a site, or brings the name, commune and zone of the one with that code up to date. Gives its id.
pub async fn put(tx: &mut Tx, site: &NewSite, now: UtcMillis) -> Result<Uuid, StoreError> {
    const SQL: &str = "INSERT INTO site (id, uai, name, commune, academic_zone, sort_key, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (uai) DO UPDATE SET name = excluded.name, commune = excluded.commune, \
        academic_zone = excluded.academic_zone, sort_key = excluded.sort_key RETURNING id";
    let sort_key = fold(&format!("{} {}", site.name, site.commune));
    let id = on!(tx, |c| sqlx::query_scalar(SQL)
        .bind(Uuid::now_v7())
        .bind(site.uai.as_str())
        .bind(&site.name)
        .bind(&site.commune)
        .bind(site.zone.as_str())
        .bind(&sort_key)
        .bind(now.get())
        .fetch_one(c)
        .await)?;
    super::description::follow_site(tx, id).await?;
    Ok(id)
}

/// The site with that id, where the scope covers it.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<SiteRow>, StoreError> {
    if !scope.covers(Some(id)) {
        return Ok(None);
    }
    let sql = "SELECT id, uai, name, commune, academic_zone, created_at FROM site WHERE id = $1";
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.map(TryInto::try_into).transpose()
}

/// The site with that code, where the scope covers it.
pub async fn find_by_uai(tx: &mut Tx, scope: &Scope, uai: &UaiCode) -> Result<Option<SiteRow>, StoreError> {
    let sql = "SELECT id, uai, name, commune, academic_zone, created_at FROM site WHERE uai = $1";
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(uai.as_str()).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(Some(raw.id))).map(TryInto::try_into).transpose()
}

/// All sites that the scope covers, by name.
pub async fn list(tx: &mut Tx, scope: &Scope) -> Result<Vec<SiteRow>, StoreError> {
    let sql = "SELECT id, uai, name, commune, academic_zone, created_at FROM site ORDER BY sort_key, id";
    let rows: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter().filter(|raw| scope.covers(Some(raw.id))).map(TryInto::try_into).collect()
}
