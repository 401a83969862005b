//! Enrolment tokens: list, create, revoke. Their text is shown once, when they are created.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    extract::{Body, Path},
    problem::Problem,
    schema::Moment,
    site::SiteName,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        enrolment_token::{Admits, DEFAULT_HOURS, TokenKind, TokenTerms, TokenText},
        programme::Visibility,
        uai::UaiCode,
    },
    random,
    store::{
        StoreError, Tx,
        audit::{self, NewAudit},
        enrolment_token::{self, TokenRow, TokenState},
        programme, site,
    },
};

const UNKNOWN: &str = "There is no enrolment token with this id among those you see.";

/// Whether a token still lets devices in.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateBody {
    /// It does.
    Open,
    /// It has let in as many as it may.
    Exhausted,
    /// Its time is over.
    Expired,
    /// A person ended it.
    Revoked,
}

/// A token, without its text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenBody {
    /// Names it in lists and in the audit.
    id: Uuid,
    /// What people call it.
    label: String,
    /// For one device or for several.
    kind: TokenKind,
    /// Whether it still lets devices in.
    state: StateBody,
    /// The site its devices belong to.
    site_id: Uuid,
    /// That site's UAI code.
    site_uai: String,
    /// That site's name.
    site_name: String,
    /// Neutral code of the programme its devices belong to; null without one, and where your role may not see who is
    /// in it.
    programme: Option<String>,
    /// How many devices it lets in.
    cap: u32,
    /// How many it has let in.
    used: u32,
    /// From when on it lets none in.
    expires_at: Moment,
    /// When a person ended it.
    revoked_at: Option<Moment>,
    /// When it was made.
    created_at: Moment,
    /// Who made it.
    created_by: String,
    /// Which devices it lets in without a person.
    admits: Admits,
}

impl TokenBody {
    fn new(row: TokenRow, visibility: &Visibility, now: cartable_common::UtcMillis) -> Self {
        let state = match row.state(now) {
            TokenState::Open => StateBody::Open,
            TokenState::Exhausted => StateBody::Exhausted,
            TokenState::Expired => StateBody::Expired,
            TokenState::Revoked => StateBody::Revoked,
        };
        Self {
            id: row.id,
            label: row.label,
            kind: row.kind,
            state,
            site_id: row.site_id,
            site_uai: row.site_uai,
            site_name: row.site_name,
            programme: visibility.filter(row.programme),
            cap: row.cap,
            used: row.used,
            expires_at: row.expires_at.into(),
            revoked_at: row.revoked_at.map(Moment),
            created_at: row.created_at.into(),
            created_by: row.created_by,
            admits: row.admits,
        }
    }
}

/// The list of tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokensBody {
    /// Newest first.
    items: Vec<TokenBody>,
}

/// A token to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTokenBody {
    /// What people call it.
    label: String,
    /// UAI code of the site its devices will belong to.
    site: String,
    /// Neutral code of the scheme its devices will belong to.
    programme: Option<String>,
    /// How many devices it lets in; 1 if absent.
    cap: Option<u32>,
    /// After how many hours it ends; 24 if absent.
    hours: Option<u32>,
    /// Which devices it lets in without a person; `anyone` if absent.
    admits: Option<Admits>,
}

/// A token that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedTokenBody {
    /// Names it in lists and in the audit.
    id: Uuid,
    /// Its text, shown only this once.
    token: String,
    /// For one device or for several.
    kind: TokenKind,
    /// The site its devices will belong to.
    site: SiteName,
    /// From when on it lets none in.
    expires_at: Moment,
}

/// All enrolment tokens you see, newest first
///
/// Roles: administrator, technician and auditor, within their sites. The tokens' texts are never shown again.
#[utoipa::path(get, path = "/v1/enrolment-tokens", tag = "enrolment", responses(
    (status = 200, body = TokensBody), (status = 401, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<TokensBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeEnrolmentTokens, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let rows = enrolment_token::list(&mut tx, &bearer.person.scope).await?;
    let visibility = programme::visibility(&mut tx, bearer.person.role).await?;
    Ok(Json(TokensBody { items: rows.into_iter().map(|row| TokenBody::new(row, &visibility, bearer.now)).collect() }))
}

/// Create an enrolment token for a site
///
/// Roles: administrator and technician, within their sites.
#[utoipa::path(post, path = "/v1/enrolment-tokens", tag = "enrolment", request_body = NewTokenBody, responses(
    (status = 201, body = CreatedTokenBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(new): Body<NewTokenBody>,
) -> Result<(StatusCode, Json<CreatedTokenBody>), Problem> {
    const NO_SITE: &str = "There is no site with this UAI code among those you see.";
    let (person, now) = (&bearer.person, bearer.now);
    let uai: UaiCode = new.site.parse().map_err(|error| Problem::unprocessable(format!("`site`: {error}.")))?;
    let (cap, hours) = (new.cap.unwrap_or(1), new.hours.unwrap_or(DEFAULT_HOURS));
    let terms = TokenTerms::new(&new.label, new.programme.as_deref(), cap, hours, now)
        .map_err(|error| Problem::unprocessable(format!("{error}.")))?
        .admitting(new.admits.unwrap_or_default());
    let mut tx = app.store.write().await?;
    let site = site::find_by_uai(&mut tx, &person.scope, &uai).await?;
    let site = site.ok_or_else(|| Problem::unprocessable(NO_SITE))?;
    Problem::check(person.can(Action::CreateEnrolmentToken, Object::OfSite(Some(site.id))), NO_SITE)?;
    let text = TokenText::from_random(random::bytes().map_err(|_| Problem::internal())?);
    let id = enrolment_token::create(&mut tx, &text, &terms, site.id, person.login.as_str(), now).await?;
    let mut details = serde_json::json!({ "site": site.uai, "cap": cap, "hours": hours, "label": terms.label() });
    details["admits"] = serde_json::json!(terms.admits());
    record(&mut tx, &bearer, "enrolment_token.create", id, details).await?;
    tx.commit().await?;
    let site = SiteName { id: site.id, uai: site.uai, name: site.name, commune: site.commune };
    let expires_at = terms.expires_at().into();
    let body = CreatedTokenBody { id, token: text.to_string(), kind: terms.kind(), site, expires_at };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Revoke an enrolment token
///
/// Roles: administrator and technician, within their sites. Revoking it again changes nothing.
#[utoipa::path(post, path = "/v1/enrolment-tokens/{id}/revoke", tag = "enrolment",
    params(("id" = Uuid, Path, description = "The token")), responses(
    (status = 200, body = TokenBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem)))]
pub async fn revoke(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<TokenBody>, Problem> {
    let (person, now) = (&bearer.person, bearer.now);
    let mut tx = app.store.write().await?;
    let found = enrolment_token::find(&mut tx, &person.scope, id).await?;
    let row = found.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(Action::RevokeEnrolmentToken, Object::OfSite(Some(row.site_id))), UNKNOWN)?;
    if enrolment_token::revoke(&mut tx, &person.scope, id, now).await? {
        let details = serde_json::json!({ "site": row.site_uai, "label": row.label });
        record(&mut tx, &bearer, "enrolment_token.revoke", id, details).await?;
    }
    let row = enrolment_token::find(&mut tx, &person.scope, id).await?.unwrap_or(row);
    let visibility = programme::visibility(&mut tx, person.role).await?;
    tx.commit().await?;
    Ok(Json(TokenBody::new(row, &visibility, now)))
}

async fn record(
    tx: &mut Tx,
    bearer: &BearerToken,
    action: &str,
    id: Uuid,
    mut details: serde_json::Value,
) -> Result<(), StoreError> {
    details["api_token"] = serde_json::json!(bearer.token);
    let (actor, object_id) = (bearer.person.login.as_str(), id.to_string());
    let entry = NewAudit { actor, action, object_kind: "enrolment_token", object_id: &object_id, details };
    audit::append(tx, entry, bearer.now).await?;
    Ok(())
}
