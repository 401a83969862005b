//! Borrowers by their reference; who they are, only when asked for, each reading with its row in the audit.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    extract::{Path, Query},
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
    site::SiteName,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        borrower::{BorrowerKind, Level},
        timestamp,
        uai::UaiCode,
    },
    store::{
        audit::{self, NewAudit},
        borrower,
        borrower_list::{self, BorrowerQuery, BorrowerSummary},
        site,
    },
};

pub(super) const UNKNOWN: &str = "There is no borrower with this id among those you see.";

/// Which borrowers to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Only the one with this reference.
    reference: Option<String>,
    /// Only persons, or only institutions.
    kind: Option<BorrowerKind>,
    /// Only those of the site with this UAI code.
    site: Option<String>,
    /// Only those who hold a device now.
    holding: Option<bool>,
    /// Rows on a page, at most 200.
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A borrower, without who it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BorrowerBody {
    /// Never given to another.
    id: Uuid,
    /// What stands for it everywhere.
    reference: String,
    /// A person or an institution.
    kind: BorrowerKind,
    /// An institution's name; null for a person.
    institution_name: Option<String>,
    /// The site it belongs to.
    site: Option<SiteName>,
    /// A person's class level; null where it is not known, and for roles that do not see who borrowers are.
    level: Option<Level>,
    /// The day on which the person left the site.
    #[schema(format = Date)]
    left_site_on: Option<String>,
    /// How many devices it holds, or has set aside.
    open_loans: i64,
    /// Whether who it is is known.
    identity_known: bool,
    /// When who it was was erased.
    identity_erased_at: Option<Moment>,
}

impl BorrowerBody {
    fn new(row: BorrowerSummary, levels: bool) -> Self {
        Self {
            id: row.id,
            reference: row.reference.to_string(),
            kind: row.kind,
            institution_name: row.institution_name,
            site: row.site.map(|site| SiteName { id: site.id, uai: site.uai, name: site.name, commune: site.commune }),
            level: row.level.filter(|_| levels),
            left_site_on: row.left_site_day.and_then(timestamp::date),
            open_loans: row.open_loans,
            identity_known: row.identity_known,
            identity_erased_at: row.identity_erased_at.map(Moment),
        }
    }
}

/// Who a borrower is.
#[derive(Clone, Serialize, ToSchema)]
pub struct IdentityBody {
    /// The borrower.
    id: Uuid,
    /// Name, class, e-mail address, guardians and language; null where nothing is known, or was erased.
    #[schema(value_type = Option<Object>)]
    identity: Option<crate::domain::borrower::Identity>,
}

fn sees_levels(bearer: &BearerToken) -> bool {
    bearer.person.can(Action::SeeIdentity, Object::OwnScope).is_allowed()
}

/// Borrowers by their reference
///
/// Roles: administrator, programme manager, referent and auditor, within their sites. Nobody's name is in it.
#[utoipa::path(get, path = "/v1/borrowers", tag = "borrowers", params(Parameters), responses(
    (status = 200, body = PageBody<BorrowerBody>), (status = 400, response = Problem),
    (status = 401, response = Problem), (status = 403, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(asked): Query<Parameters>,
) -> Result<Json<PageBody<BorrowerBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeBorrowers, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let reference =
        asked.reference.map(|text| text.parse().map_err(|error| Problem::invalid(format!("`reference`: {error}."))));
    let mut tx = app.store.read().await?;
    let site = match asked.site {
        None => None,
        Some(text) => {
            let uai: UaiCode = text.parse().map_err(|error| Problem::invalid(format!("`site`: {error}.")))?;
            let found = site::find_by_uai(&mut tx, scope, &uai).await?;
            let unknown = || Problem::invalid("`site`: there is no site with this UAI code among those you see.");
            Some(found.ok_or_else(unknown)?.id)
        }
    };
    let query = BorrowerQuery {
        reference: reference.transpose()?,
        kind: asked.kind,
        site,
        holding: asked.holding.unwrap_or_default(),
        after: page::after(asked.after.as_deref())?,
        limit: usize::from(page::limit(asked.limit)?),
        ..BorrowerQuery::default()
    };
    let found = borrower_list::list(&mut tx, scope, &query).await?;
    let levels = sees_levels(&bearer);
    Ok(Json(PageBody::of(found, |row| BorrowerBody::new(row, levels))))
}

/// One borrower, without who it is
///
/// Roles: administrator, programme manager, referent and auditor, within their sites.
#[utoipa::path(get, path = "/v1/borrowers/{id}", tag = "borrowers",
    params(("id" = Uuid, Path, description = "The borrower")), responses(
    (status = 200, body = BorrowerBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<BorrowerBody>, Problem> {
    let scope = &bearer.person.scope;
    let mut tx = app.store.read().await?;
    let found = borrower::find(&mut tx, scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(bearer.person.can(Action::SeeBorrowers, Object::OfSite(found.site)), UNKNOWN)?;
    let query = BorrowerQuery { reference: Some(found.reference), ..BorrowerQuery::default() };
    let row = borrower_list::list(&mut tx, scope, &query).await?.rows.pop();
    let row = row.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Ok(Json(BorrowerBody::new(row, sees_levels(&bearer))))
}

/// Who a borrower is
///
/// Roles: administrator, programme manager and referent, within their sites. Each reading leaves a row in the audit.
#[utoipa::path(get, path = "/v1/borrowers/{id}/identity", tag = "borrowers",
    params(("id" = Uuid, Path, description = "The borrower")), responses(
    (status = 200, body = IdentityBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn identity(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<IdentityBody>, Problem> {
    let scope = &bearer.person.scope;
    let mut tx = app.store.write().await?;
    let found = borrower::find(&mut tx, scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(bearer.person.can(Action::SeeIdentity, Object::OfSite(found.site)), UNKNOWN)?;
    let Some(sealed) = borrower::sealed_identity(&mut tx, scope, id).await? else {
        return Ok(Json(IdentityBody { id, identity: None }));
    };
    let identity = app.vault.open_identity(id, &sealed).map_err(|error| {
        tracing::error!(%error, "an identity could not be opened");
        Problem::internal()
    })?;
    let entry = NewAudit {
        actor: bearer.person.login.as_str(),
        action: "borrower.see_identity",
        object_kind: "borrower",
        object_id: &id.to_string(),
        details: serde_json::json!({ "api_token": bearer.token }),
    };
    audit::append(&mut tx, entry, bearer.now).await?;
    tx.commit().await?;
    Ok(Json(IdentityBody { id, identity: Some(identity) }))
}
