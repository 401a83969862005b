//! What scripts do about sites and those who answer for them.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::record,
    extract::{Body, Path},
    problem::Problem,
    site::{SiteBody, UNKNOWN},
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Language, Object},
    domain::{identity::is_email, school_calendar::Zone, site::is_name},
    store::{
        Tx,
        site::{self, NewSite, SiteRow},
        site_referent::{self, Referent},
    },
};

/// A site to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSiteBody {
    /// National code: seven digits and a check letter. It never changes.
    uai: String,
    /// Its name.
    name: String,
    /// Its town.
    commune: String,
    /// The zone of its holidays.
    zone: Zone,
}

/// What to change of a site; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SiteChangeBody {
    /// Its name.
    name: Option<String>,
    /// Its town.
    commune: Option<String>,
    /// The zone of its holidays.
    zone: Option<Zone>,
}

/// Somebody who answers for a site.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReferentBody {
    /// First and last name.
    name: String,
    /// Where notices go.
    email: String,
    /// The language of notices: `fr` or `en`; `fr` if absent.
    language: Option<String>,
}

/// The referent that was just added.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AddedReferentBody {
    /// Its id.
    id: Uuid,
}

/// What is written of a site, if names are names.
fn checked(new: NewSite) -> Result<NewSite, Problem> {
    if is_name(&new.name) && is_name(&new.commune) {
        let (name, commune) = (new.name.trim().to_owned(), new.commune.trim().to_owned());
        return Ok(NewSite { name, commune, ..new });
    }
    Err(Problem::unprocessable("`name` and `commune` are each a line with something on it."))
}

async fn site_for(tx: &mut Tx, bearer: &BearerToken, id: Uuid) -> Result<SiteRow, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeSites, Object::OwnScope), "")?;
    let found = site::find(tx, &person.scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(Action::ChangeSites, Object::OfSite(Some(id))), UNKNOWN)?;
    Ok(found)
}

/// Create a site
///
/// Roles: administrator and programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/sites", tag = "sites", request_body = NewSiteBody, responses(
    (status = 201, body = SiteBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<NewSiteBody>,
) -> Result<(StatusCode, Json<SiteBody>), Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeSites, Object::Programme), "")?;
    let uai = body.uai.parse().map_err(|error| Problem::unprocessable(format!("`uai`: {error}.")))?;
    let new = checked(NewSite { uai, name: body.name, commune: body.commune, zone: body.zone })?;
    let mut tx = app.store.write().await?;
    if site::find_by_uai(&mut tx, &person.scope, &new.uai).await?.is_some() {
        return Err(Problem::unprocessable("A site with this UAI code is there already."));
    }
    let id = site::put(&mut tx, &new, bearer.now).await?;
    let details =
        json!({ "uai": new.uai.as_str(), "name": new.name, "commune": new.commune, "zone": new.zone.as_str() });
    record(&mut tx, &bearer, "site.create", ("site", id), details).await?;
    let made = site::find(&mut tx, &person.scope, id).await?.ok_or_else(Problem::internal)?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Change a site
///
/// Its UAI code stays. Roles: administrator and programme manager, within their sites.
#[utoipa::path(post, path = "/v1/sites/{id}/change", tag = "sites", request_body = SiteChangeBody,
    params(("id" = Uuid, Path, description = "The site")), responses((status = 200, body = SiteBody),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn change(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<SiteChangeBody>,
) -> Result<Json<SiteBody>, Problem> {
    let mut tx = app.store.write().await?;
    let before = site_for(&mut tx, &bearer, id).await?;
    let after = checked(NewSite {
        uai: before.uai.parse().map_err(|_| Problem::internal())?,
        name: body.name.unwrap_or_else(|| before.name.clone()),
        commune: body.commune.unwrap_or_else(|| before.commune.clone()),
        zone: body.zone.unwrap_or(before.zone),
    })?;
    site::put(&mut tx, &after, bearer.now).await?;
    let details = json!({
        "before": { "name": before.name, "commune": before.commune, "zone": before.zone.as_str() },
        "after": { "name": after.name, "commune": after.commune, "zone": after.zone.as_str() },
    });
    record(&mut tx, &bearer, "site.change", ("site", id), details).await?;
    let changed = site::find(&mut tx, &bearer.person.scope, id).await?.ok_or_else(Problem::internal)?;
    tx.commit().await?;
    Ok(Json(changed.into()))
}

/// Add somebody who answers for a site
///
/// Roles: administrator and programme manager, within their sites.
#[utoipa::path(post, path = "/v1/sites/{id}/referents", tag = "sites", request_body = NewReferentBody,
    params(("id" = Uuid, Path, description = "The site")), responses((status = 201, body = AddedReferentBody),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn add_referent(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<NewReferentBody>,
) -> Result<(StatusCode, Json<AddedReferentBody>), Problem> {
    let mut tx = app.store.write().await?;
    let found = site_for(&mut tx, &bearer, id).await?;
    let (name, email) = (body.name.trim().to_owned(), body.email.trim().to_lowercase());
    if !is_name(&name) {
        return Err(Problem::unprocessable("`name` is a line with something on it."));
    }
    if !is_email(&email) {
        return Err(Problem::unprocessable("`email` is no e-mail address."));
    }
    let language = match body.language.as_deref() {
        None | Some("fr") => Language::French,
        Some("en") => Language::English,
        Some(_) => return Err(Problem::unprocessable("`language` is `fr` or `en`.")),
    };
    let new = Referent { id: Uuid::now_v7(), site: found.id, name, email, language, created_at: bearer.now };
    if !site_referent::add(&mut tx, &new).await? {
        return Err(Problem::unprocessable("Somebody with this address answers for the site already."));
    }
    record(&mut tx, &bearer, "site.add_referent", ("site", id), json!({ "referent": new.id })).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(AddedReferentBody { id: new.id })))
}

/// Somebody no longer answers for a site
///
/// Roles: administrator and programme manager, within their sites.
#[utoipa::path(post, path = "/v1/sites/{id}/referents/{referent}/end", tag = "sites",
    params(("id" = Uuid, Path, description = "The site"), ("referent" = Uuid, Path, description = "Who")),
    responses((status = 204), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn end_referent(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, referent)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    site_for(&mut tx, &bearer, id).await?;
    if !site_referent::end(&mut tx, id, referent, bearer.now).await? {
        return Err(Problem::not_found("Nobody with this id answers for this site."));
    }
    record(&mut tx, &bearer, "site.end_referent", ("site", id), json!({ "referent": referent })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
