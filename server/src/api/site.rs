//! Sites.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::school_calendar::Zone,
    store::site::{self, SiteRow},
};

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
/// Roles: administrator and technician, within their sites.
#[utoipa::path(get, path = "/v1/sites", tag = "sites", responses((status = 200, body = SitesBody), (status = 401, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<SitesBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeSites, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let sites = site::list(&mut tx, &bearer.person.scope).await?;
    Ok(Json(SitesBody { items: sites.into_iter().map(SiteBody::from).collect() }))
}
