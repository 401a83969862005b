//! What scripts do about programmes: create, change, close, reopen.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{reason, record},
    extract::{Body, Path},
    loan::day,
    problem::Problem,
    programme::{ProgrammeBody, UNKNOWN},
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object, Role},
    domain::programme::{DEFAULT_AGREEMENT, DEFAULT_NOTICE_DAYS, Programme, ProgrammeKind, Term},
    store::{Tx, programme},
};

/// How long a loan lasts.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum TermAsked {
    /// Until a day.
    Date {
        /// That day (`2027-07-02`).
        date: String,
    },
    /// Until the end of the school year.
    SchoolYearEnd,
    /// For some days.
    Days {
        /// How many.
        days: u32,
    },
    /// Until it is asked back.
    Open,
}

impl TermAsked {
    fn read(&self) -> Result<Term, Problem> {
        Ok(match self {
            Self::Date { date } => Term::Date(day("term.date", date)?),
            Self::SchoolYearEnd => Term::SchoolYearEnd,
            Self::Days { days } => Term::Days(*days),
            Self::Open => Term::Open,
        })
    }
}

/// A programme to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProgrammeBody {
    /// Neutral code, which devices and tokens name. It never changes.
    code: String,
    /// Its name.
    name: String,
    /// What it does with devices.
    kind: ProgrammeKind,
    /// How long a loan lasts.
    term: TermAsked,
    /// How often a loan may be extended.
    renewals_allowed: u32,
    /// What goes with a device.
    #[serde(default)]
    accessories: Vec<String>,
    /// Who owns the devices.
    owner: String,
    /// Name of the agreement's template; the one that the installation brings if absent.
    agreement_template: Option<String>,
    /// Days from the due date on which borrowers are written to; the usual ones if absent.
    notice_days: Option<Vec<i32>>,
    /// The roles that see who is in it, besides administrators and programme managers.
    #[serde(default)]
    membership_roles: Vec<String>,
}

/// What to change of a programme; what is absent stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeChangeBody {
    /// Its name.
    name: Option<String>,
    /// What it does with devices.
    kind: Option<ProgrammeKind>,
    /// How long a loan lasts.
    term: Option<TermAsked>,
    /// How often a loan may be extended.
    renewals_allowed: Option<u32>,
    /// What goes with a device.
    accessories: Option<Vec<String>>,
    /// Who owns the devices.
    owner: Option<String>,
    /// Name of the agreement's template.
    agreement_template: Option<String>,
    /// Days from the due date on which borrowers are written to.
    notice_days: Option<Vec<i32>>,
    /// The roles that see who is in it, besides administrators and programme managers.
    membership_roles: Option<Vec<String>>,
}

/// Why a programme is closed or reopened.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeReasonBody {
    /// Stands in the audit.
    reason: String,
}

fn roles(names: &[String]) -> Result<Vec<Role>, Problem> {
    let wrong = |error| Problem::unprocessable(format!("`membership_roles`: {error}."));
    names.iter().map(|name| name.parse().map_err(wrong)).collect()
}

fn checked(programme: Programme) -> Result<Programme, Problem> {
    programme.check().map_err(|wrong| Problem::unprocessable(format!("{wrong}.")))?;
    Ok(programme)
}

fn may(bearer: &BearerToken) -> Result<(), Problem> {
    Problem::check(bearer.person.can(Action::ChangeProgrammes, Object::Programme), "")
}

async fn known(tx: &mut Tx, id: Uuid) -> Result<Programme, Problem> {
    programme::find(tx, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))
}

/// Create a programme
///
/// Roles: administrator and programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/programmes", tag = "programmes", request_body = NewProgrammeBody, responses(
    (status = 201, body = ProgrammeBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<NewProgrammeBody>,
) -> Result<(StatusCode, Json<ProgrammeBody>), Problem> {
    may(&bearer)?;
    let new = checked(Programme {
        id: Uuid::now_v7(),
        code: body.code.parse().map_err(|error| Problem::unprocessable(format!("`code`: {error}.")))?,
        name: body.name.trim().to_owned(),
        kind: body.kind,
        term: body.term.read()?,
        renewals_allowed: body.renewals_allowed,
        accessories: body.accessories,
        owner: body.owner.trim().to_owned(),
        agreement_template: body.agreement_template.unwrap_or_else(|| DEFAULT_AGREEMENT.to_owned()),
        membership: roles(&body.membership_roles)?,
        notice_days: body.notice_days.unwrap_or_else(|| DEFAULT_NOTICE_DAYS.to_vec()),
        open: true,
    })?;
    let mut tx = app.store.write().await?;
    match programme::put(&mut tx, &new, bearer.now).await {
        Err(error) if error.is_duplicate_of("code") => {
            return Err(Problem::unprocessable("Another programme has this code."));
        }
        other => other?,
    }
    record(&mut tx, &bearer, "programme.create", ("programme", new.id), programme::details(&new)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(ProgrammeBody::new(new, &bearer))))
}

/// Change a programme
///
/// Its code stays. Roles: administrator and programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/programmes/{id}/change", tag = "programmes", request_body = ProgrammeChangeBody,
    params(("id" = Uuid, Path, description = "The programme")), responses((status = 200, body = ProgrammeBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn change(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ProgrammeChangeBody>,
) -> Result<Json<ProgrammeBody>, Problem> {
    may(&bearer)?;
    let mut tx = app.store.write().await?;
    let before = known(&mut tx, id).await?;
    let text =
        |asked: Option<String>, known: &str| asked.map_or_else(|| known.to_owned(), |text| text.trim().to_owned());
    let after = checked(Programme {
        id,
        code: before.code.clone(),
        name: text(body.name, &before.name),
        kind: body.kind.unwrap_or(before.kind),
        term: body.term.map_or(Ok(before.term), |term| term.read())?,
        renewals_allowed: body.renewals_allowed.unwrap_or(before.renewals_allowed),
        accessories: body.accessories.unwrap_or_else(|| before.accessories.clone()),
        owner: text(body.owner, &before.owner),
        agreement_template: text(body.agreement_template, &before.agreement_template),
        membership: body.membership_roles.map_or_else(|| Ok(before.membership.clone()), |names| roles(&names))?,
        notice_days: body.notice_days.unwrap_or_else(|| before.notice_days.clone()),
        open: before.open,
    })?;
    programme::put(&mut tx, &after, bearer.now).await?;
    let both = json!({ "before": programme::details(&before), "after": programme::details(&after) });
    record(&mut tx, &bearer, "programme.change", ("programme", id), both).await?;
    tx.commit().await?;
    Ok(Json(ProgrammeBody::new(after, &bearer)))
}

/// Close a programme
///
/// It lends no more; loans go on. Roles: administrator and programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/programmes/{id}/close", tag = "programmes", request_body = ProgrammeReasonBody,
    params(("id" = Uuid, Path, description = "The programme")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn close(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ProgrammeReasonBody>,
) -> Result<StatusCode, Problem> {
    set_open(&app, &bearer, (id, false), &body).await
}

/// Reopen a programme
///
/// Roles: administrator and programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/programmes/{id}/reopen", tag = "programmes", request_body = ProgrammeReasonBody,
    params(("id" = Uuid, Path, description = "The programme")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn reopen(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ProgrammeReasonBody>,
) -> Result<StatusCode, Problem> {
    set_open(&app, &bearer, (id, true), &body).await
}

/// Lets a programme lend, or stops it. Twice is once, as in the console.
async fn set_open(
    app: &App,
    bearer: &BearerToken,
    (id, open): (Uuid, bool),
    body: &ProgrammeReasonBody,
) -> Result<StatusCode, Problem> {
    may(bearer)?;
    let mut tx = app.store.write().await?;
    let found = known(&mut tx, id).await?;
    let details = json!({ "code": found.code.as_str(), "reason": reason(&body.reason)? });
    let (changed, act) = if open {
        (programme::reopen(&mut tx, id).await?, "programme.reopen")
    } else {
        (programme::close(&mut tx, id, bearer.now).await?, "programme.close")
    };
    if changed {
        record(&mut tx, bearer, act, ("programme", id), details).await?;
        tx.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
