//! Needs: list, enter, withdraw.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    act::{reason, record},
    extract::{Body, Path, Query},
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object, Role},
    domain::{
        borrower::Level,
        need::{NeedReason, NeedState, Reasons, shows_level, shows_person, shows_programme},
        programme::Programme,
        uai::UaiCode,
    },
    store::{
        Tx, need,
        need_entry::{self, Entry, EntryError},
        need_list::{self, NeedQuery, NeedSummary},
        page::CursorKey,
        programme, site,
    },
};

pub(super) const UNKNOWN: &str = "There is no need with this id among those you see.";

/// A site's request for one device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NeedBody {
    /// Never given to another.
    id: Uuid,
    /// The site that asks.
    site_id: Uuid,
    /// Its UAI code.
    site_uai: String,
    /// Its name.
    site_name: String,
    /// The programme's neutral code; null where your role does not see who is in it.
    programme: Option<String>,
    /// The class level; null where your role does not see who borrowers are.
    level: Option<Level>,
    /// Why it may come before others.
    reasons: Vec<NeedReason>,
    /// For whom, by reference; null too where your role does not see whose needs these are.
    borrower: Option<String>,
    /// What became of it.
    state: NeedState,
    /// The loan that met it; null too where your role does not see whose needs these are.
    loan_id: Option<Uuid>,
    /// Who entered it.
    entered_by: String,
    /// When.
    entered_at: Moment,
}

impl NeedBody {
    fn new(row: NeedSummary, programmes: &[Programme], role: Role) -> Self {
        let programme = programmes.iter().find(|programme| programme.id == row.programme);
        let person = shows_person(role, programme);
        Self {
            id: row.id,
            site_id: row.site,
            site_uai: row.site_uai,
            site_name: row.site_name,
            programme: programme.filter(|one| shows_programme(role, Some(one))).map(|one| one.code.to_string()),
            level: row.level.filter(|_| shows_level(role)),
            reasons: row.reasons.iter().collect(),
            borrower: row.borrower.filter(|_| person).map(|(_, reference)| reference),
            state: row.state,
            loan_id: row.loan.filter(|_| person),
            entered_by: row.entered_by,
            entered_at: row.entered_at.into(),
        }
    }
}

/// What to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NeedsAsked {
    /// Only this state.
    #[param(value_type = Option<NeedState>)]
    state: Option<NeedState>,
    /// Only this site, by UAI code.
    site: Option<String>,
    /// Only this programme, by code; one whose members your role may see.
    programme: Option<String>,
    /// Only this level, for roles that see who borrowers are.
    #[param(value_type = Option<Level>)]
    level: Option<Level>,
    /// Only with this reason.
    #[param(value_type = Option<NeedReason>)]
    reason: Option<NeedReason>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200; 50 if absent.
    limit: Option<u16>,
}

/// Needs to enter.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNeedsBody {
    /// UAI code of the site that asks.
    site: String,
    /// The programme's code.
    programme: String,
    /// The class level.
    level: Option<Level>,
    /// Why they may come before others.
    #[serde(default)]
    reasons: Vec<NeedReason>,
    /// For whom, by reference; only with one need.
    borrower: Option<String>,
    /// How many alike, 1 to 500; 1 if absent.
    count: Option<u32>,
}

/// Needs that were just entered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EnteredBody {
    /// Their ids.
    ids: Vec<Uuid>,
}

/// Why a need is withdrawn.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    /// Stands in the audit.
    reason: String,
}

/// Needs, newest first
///
/// Roles: administrator, programme manager, referent, auditor, within their sites.
#[utoipa::path(get, path = "/v1/needs", tag = "needs", params(NeedsAsked), responses(
    (status = 200, body = PageBody<NeedBody>), (status = 400, response = Problem), (status = 401, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(asked): Query<NeedsAsked>,
) -> Result<Json<PageBody<NeedBody>>, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::SeeNeeds, Object::OwnScope), "")?;
    let after = page::after(asked.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
        return Err(Problem::invalid("`after` is the value of `next` of the page before, unchanged."));
    }
    let limit = usize::from(page::limit(asked.limit)?);
    let mut tx = app.store.read().await?;
    let programmes = programme::list(&mut tx).await?;
    let site = match &asked.site {
        Some(uai) => Some(site_id(&mut tx, &bearer, uai).await?),
        None => None,
    };
    let programme = asked.programme.as_deref().map(|code| programme_id(&programmes, code)).transpose()?;
    let NeedsAsked { state, level, reason, .. } = asked;
    let query = NeedQuery { state, site, programme, level, reason, after, limit };
    if !query.may_be_asked_by(person.role, &programmes) {
        return Err(Problem::invalid("`programme` and `level` filter only by what your role may see."));
    }
    let page = need_list::list(&mut tx, &person.scope, &query).await?;
    Ok(Json(PageBody::of(page, |row| NeedBody::new(row, &programmes, person.role))))
}

pub(super) async fn site_id(tx: &mut Tx, bearer: &BearerToken, uai: &str) -> Result<Uuid, Problem> {
    let uai: UaiCode = uai.parse().map_err(|error| Problem::unprocessable(format!("`site`: {error}.")))?;
    let found = site::find_by_uai(tx, &bearer.person.scope, &uai).await?;
    let none = || Problem::unprocessable("There is no site with this UAI code among those you see.");
    Ok(found.ok_or_else(none)?.id)
}

/// The site that a new record names by its UAI code; `what` without one only for those who may act on all sites.
pub(super) async fn site_or_none(
    tx: &mut Tx,
    bearer: &BearerToken,
    action: Action,
    (uai, what): (Option<&str>, &str),
) -> Result<Option<Uuid>, Problem> {
    let site = match uai {
        Some(uai) => Some(site_id(tx, bearer, uai).await?),
        None => None,
    };
    if bearer.person.can(action, Object::OfSite(site)).is_allowed() {
        return Ok(site);
    }
    Err(Problem::unprocessable(format!("`site`: only who sees all sites records a {what} without one.")))
}

pub(super) fn programme_id(programmes: &[Programme], code: &str) -> Result<Uuid, Problem> {
    let found = programmes.iter().find(|programme| programme.code.as_str().eq_ignore_ascii_case(code.trim()));
    let none = || Problem::unprocessable("There is no programme with this code.");
    Ok(found.ok_or_else(none)?.id)
}

/// Enter needs of a site
///
/// Roles: administrator, programme manager, referent, within their sites.
#[utoipa::path(post, path = "/v1/needs", tag = "needs", request_body = NewNeedsBody, responses(
    (status = 201, body = EnteredBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 422, response = Problem)))]
pub async fn enter(
    State(app): State<App>,
    bearer: BearerToken,
    Body(new): Body<NewNeedsBody>,
) -> Result<(StatusCode, Json<EnteredBody>), Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeNeeds, Object::OwnScope), "")?;
    let wrong = |why: &dyn std::fmt::Display| Problem::unprocessable(format!("{why}."));
    let mut tx = app.store.write().await?;
    let programmes = programme::list(&mut tx).await?;
    let entry = Entry {
        site: site_id(&mut tx, &bearer, &new.site).await?,
        programme: programme_id(&programmes, &new.programme)?,
        level: new.level,
        reasons: Reasons::new(new.reasons).map_err(|error| wrong(&error))?,
        borrower: new.borrower.as_deref().map(str::parse).transpose().map_err(|error| wrong(&error))?,
        count: new.count.unwrap_or(1),
    };
    let entered = need_entry::enter(&mut tx, &person.scope, &entry, person.login.as_str(), bearer.now).await;
    let ids = entered.map_err(|error| match error {
        EntryError::Refused(refused) => wrong(&refused),
        EntryError::Store(error) => error.into(),
    })?;
    record(&mut tx, &bearer, "need.enter", ("site", entry.site), need_entry::details(&ids)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(EnteredBody { ids })))
}

/// Withdraw a need
///
/// Roles: administrator, programme manager, referent, within their sites. Only one that is open.
#[utoipa::path(post, path = "/v1/needs/{id}/withdraw", tag = "needs", request_body = WithdrawBody,
    params(("id" = Uuid, Path, description = "The need")), responses(
    (status = 204), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn withdraw(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<WithdrawBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeNeeds, Object::OwnScope), "")?;
    let reason = reason(&body.reason)?;
    let mut tx = app.store.write().await?;
    let found = need::find(&mut tx, &person.scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(Action::ChangeNeeds, Object::OfSite(Some(found.need.site))), UNKNOWN)?;
    if !need::withdraw(&mut tx, &person.scope, id, bearer.now).await? {
        return Err(Problem::unprocessable("The need is no longer open."));
    }
    record(&mut tx, &bearer, "need.withdraw", ("need", id), serde_json::json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
