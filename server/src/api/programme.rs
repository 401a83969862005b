//! Programmes: the schemes under which devices are lent or given.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{extract::Path, problem::Problem};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::programme::{Programme, ProgrammeKind, Term},
    store::programme,
};

pub(super) const UNKNOWN: &str = "There is no programme with this id.";

/// A programme.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProgrammeBody {
    /// Never given to another.
    id: Uuid,
    /// Neutral code, which devices and tokens name.
    code: String,
    /// Its name.
    name: String,
    /// What it does with devices.
    kind: ProgrammeKind,
    /// How long a loan lasts.
    term: TermBody,
    /// How often a loan may be extended.
    renewals_allowed: u32,
    /// What goes with a device.
    accessories: Vec<String>,
    /// Who owns the devices.
    owner: String,
    /// Name of the agreement's template.
    agreement_template: String,
    /// Days from the due date on which borrowers are written to; negative ones are before it.
    notice_days: Vec<i32>,
    /// The roles that see who is in it, besides administrators and programme managers.
    membership_roles: Vec<&'static str>,
    /// Whether your role sees who is in it: elsewhere, its code is null for you.
    membership_shown: bool,
    /// Whether it still lends.
    open: bool,
}

/// How long a loan lasts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TermBody {
    /// `date`, `school_year_end`, `days` or `open`.
    kind: &'static str,
    /// The last day, for `date`.
    #[schema(format = Date)]
    date: Option<String>,
    /// How many days, for `days`.
    days: Option<u32>,
}

/// The list of programmes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProgrammesBody {
    /// All of them, open ones first, by code.
    items: Vec<ProgrammeBody>,
}

impl From<Term> for TermBody {
    fn from(term: Term) -> Self {
        let (kind, date, days) = match term {
            Term::Date(day) => ("date", Some(day.to_string()), None),
            Term::SchoolYearEnd => ("school_year_end", None, None),
            Term::Days(days) => ("days", None, Some(days)),
            Term::Open => ("open", None, None),
        };
        Self { kind, date, days }
    }
}

impl ProgrammeBody {
    pub(super) fn new(programme: Programme, bearer: &BearerToken) -> Self {
        Self {
            membership_shown: programme.shows_membership_to(bearer.person.role),
            id: programme.id,
            code: programme.code.to_string(),
            name: programme.name,
            kind: programme.kind,
            term: programme.term.into(),
            renewals_allowed: programme.renewals_allowed,
            accessories: programme.accessories,
            owner: programme.owner,
            agreement_template: programme.agreement_template,
            notice_days: programme.notice_days,
            membership_roles: programme.membership.into_iter().map(crate::auth::Role::as_str).collect(),
            open: programme.open,
        }
    }
}

/// All programmes, open ones first
///
/// Roles: all. Who is in a programme is shown to the roles that it names.
#[utoipa::path(get, path = "/v1/programmes", tag = "programmes", responses(
    (status = 200, body = ProgrammesBody), (status = 401, response = Problem)))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<Json<ProgrammesBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeProgrammes, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let programmes = programme::list(&mut tx).await?;
    Ok(Json(ProgrammesBody { items: programmes.into_iter().map(|one| ProgrammeBody::new(one, &bearer)).collect() }))
}

/// One programme
///
/// Roles: all.
#[utoipa::path(get, path = "/v1/programmes/{id}", tag = "programmes",
    params(("id" = Uuid, Path, description = "The programme")), responses(
    (status = 200, body = ProgrammeBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<ProgrammeBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeProgrammes, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let found = programme::find(&mut tx, id).await?;
    let found = found.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Ok(Json(ProgrammeBody::new(found, &bearer)))
}
