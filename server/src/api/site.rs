//! Sites.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{extract::Path, problem::Problem};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::school_calendar::Zone,
    store::{
        site::{self, SiteRow},
        site_referent,
    },
};

pub(super) const UNKNOWN: &str = "There is no site with this id among those you see.";

/// A collège or another institution.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SiteBody {
    /// Never given to another.
    id: Uuid,
    /// National code: seven digits and a check letter.
    uai: String,
    /// Its name.
    name: String,
    /// Its town.
    commune: String,
    /// The zone of its holidays.
    zone: Zone,
}

/// A site, as devices and flags name it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SiteName {
    /// Never given to another.
    pub id: Uuid,
    /// National code: seven digits and a check letter.
    pub uai: String,
    /// Its name.
    pub name: String,
    /// Its town.
    pub commune: String,
}

/// The list of sites.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SitesBody {
    /// All of them, by name.
    items: Vec<SiteBody>,
}

impl From<SiteRow> for SiteBody {
    fn from(row: SiteRow) -> Self {
        Self { id: row.id, uai: row.uai, name: row.name, commune: row.commune, zone: row.zone }
    }
}

/// All sites you see, by name
///
/// Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/sites", tag = "sites", responses((status = 200, body = SitesBody), (status = 401, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<SitesBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeSites, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let sites = site::list(&mut tx, &bearer.person.scope).await?;
    Ok(Json(SitesBody { items: sites.into_iter().map(SiteBody::from).collect() }))
}

/// A site with those who answer for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SiteDetailBody {
    /// The site.
    site: SiteBody,
    /// Who answers for its loans and receives its digests, by name.
    referents: Vec<ReferentBody>,
}

/// Who answers for a site.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReferentBody {
    /// Never given to another.
    id: Uuid,
    /// First and last name.
    name: String,
    /// Where notices go.
    email: String,
    /// The language of notices: `fr` or `en`.
    language: &'static str,
}

/// One site with its referents
///
/// Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/sites/{id}", tag = "sites", params(("id" = Uuid, Path, description = "The site")),
    responses((status = 200, body = SiteDetailBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<SiteDetailBody>, Problem> {
    let scope = &bearer.person.scope;
    let mut tx = app.store.read().await?;
    let found = site::find(&mut tx, scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(bearer.person.can(Action::SeeSites, Object::OfSite(Some(id))), UNKNOWN)?;
    let referents = site_referent::list(&mut tx, scope, Some(id)).await?;
    let referents = referents
        .into_iter()
        .map(|one| ReferentBody { id: one.id, name: one.name, email: one.email, language: one.language.as_str() })
        .collect();
    Ok(Json(SiteDetailBody { site: found.into(), referents }))
}
