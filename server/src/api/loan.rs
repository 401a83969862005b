//! Loans: the list and one of them, as its reader's role may see it.

use axum::{Json, extract::State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    device_list::site_of,
    extract::{Path, Query},
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object, Role},
    domain::{
        borrower::BorrowerKind,
        loan::{Condition, LoanStateName},
        programme::ProgrammeCode,
    },
    store::{
        Tx,
        loan_event::{self, Step},
        loan_list::{self, LoanCode, LoanQuery, LoanSort, LoanSummary},
        page::CursorKey,
        programme,
    },
};

pub(super) const UNKNOWN: &str = "There is no such loan, or it lies outside your sites.";

/// Which loans, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LoansQuery {
    /// Only loans of the device with this asset tag or serial number, or of the borrower with this reference; case does
    /// not count.
    #[param(max_length = 100)]
    code: Option<String>,
    /// Only loans in this state.
    #[param(inline)]
    state: Option<LoanStateName>,
    /// Only loans that this site answers for, by its UAI code.
    site: Option<String>,
    /// Only loans under this programme, by its code.
    programme: Option<String>,
    /// Only devices handed over that are due before this day (`2027-07-02`), soonest first.
    due_before: Option<String>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// The device of a loan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LentDevice {
    /// Its id.
    id: Uuid,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its label.
    asset_tag: Option<String>,
    /// Its maker.
    manufacturer: Option<String>,
    /// Its model.
    model: Option<String>,
}

/// The borrower of a loan: never who it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoanBorrower {
    /// What stands for the borrower.
    reference: String,
    /// A person or an institution.
    kind: BorrowerKind,
    /// The institution's name; null for persons.
    institution_name: Option<String>,
}

/// A loan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoanBody {
    /// Never given to another.
    id: Uuid,
    /// Where it stands.
    state: LoanStateName,
    /// The device.
    device: LentDevice,
    /// The borrower; null where your role does not see borrowers.
    borrower: Option<LoanBorrower>,
    /// The programme's code; null where your role does not see who is in it.
    programme: Option<String>,
    /// UAI code of the site that answers for it.
    site: Option<String>,
    /// When the device was set aside.
    reserved_at: Moment,
    /// When it was handed over.
    handed_over_at: Option<Moment>,
    /// The day on which it is due (`2027-07-02`).
    #[schema(value_type = Option<String>, format = Date)]
    due: Option<String>,
    /// When the loan ended.
    ended_at: Option<Moment>,
    /// How the device came back.
    condition: Option<Condition>,
    /// What should have come back with it and did not.
    missing_accessories: Vec<String>,
}

/// A step that a loan took.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StepBody {
    /// When.
    at: Moment,
    /// Which: a state, `extended`, `return_undone` or `stocked`.
    kind: String,
    /// The login of the one who did it.
    by: String,
    /// What else is known of it.
    #[schema(value_type = Option<Object>)]
    details: serde_json::Value,
}

/// A loan with its steps.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoanDetailBody {
    /// The loan.
    #[serde(flatten)]
    loan: LoanBody,
    /// Its steps, first to last.
    steps: Vec<StepBody>,
}

/// Who reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    borrowers: bool,
    role: Role,
}

impl Reader {
    pub(super) fn of(bearer: &BearerToken) -> Self {
        let borrowers = bearer.person.can(Action::SeeBorrowers, Object::OwnScope).is_allowed();
        Self { borrowers, role: bearer.person.role }
    }
}

impl LoanBody {
    pub(super) fn new(loan: LoanSummary, reader: Reader) -> Self {
        let programme = loan.shows_programme_to(reader.role).then(|| loan.programme_code.clone());
        Self {
            id: loan.id,
            state: loan.state,
            device: LentDevice {
                id: loan.device.0,
                serial_number: loan.serial_number,
                asset_tag: loan.asset_tag,
                manufacturer: loan.manufacturer,
                model: loan.model,
            },
            borrower: reader.borrowers.then(|| LoanBorrower {
                reference: loan.reference.to_string(),
                kind: loan.borrower_kind,
                institution_name: loan.institution_name,
            }),
            programme,
            site: loan.site_uai,
            reserved_at: loan.reserved_at.into(),
            handed_over_at: loan.handed_over_at.map(Moment),
            due: loan.due.map(|day| day.to_string()),
            ended_at: loan.ended_at.map(Moment),
            condition: loan.condition,
            missing_accessories: loan.missing,
        }
    }
}

impl From<Step> for StepBody {
    fn from(step: Step) -> Self {
        Self { at: step.at.into(), kind: step.kind, by: step.actor, details: step.details }
    }
}

/// A day as the API writes it.
pub(super) fn day(name: &str, text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::invalid(format!("`{name}` is a day such as 2027-07-02.")))
}

/// Loans, newest first; soonest due first with `due_before`
///
/// All roles, within their sites. Borrowers are shown by their reference to those who may see them; a programme's code
/// to those who may see who is in it.
#[utoipa::path(get, path = "/v1/loans", tag = "loans", params(LoansQuery), responses(
    (status = 200, body = PageBody<LoanBody>), (status = 400, response = Problem), (status = 401, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<LoansQuery>,
) -> Result<Json<PageBody<LoanBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeLoans, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let mut tx = app.store.read().await?;
    let after = page::after(query.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
        return Err(Problem::invalid("`after` is the value of `next` of the page before, unchanged."));
    }
    let due_before = query.due_before.as_deref().map(|text| day("due_before", text)).transpose()?;
    let borrowers = bearer.person.can(Action::SeeBorrowers, Object::OwnScope).is_allowed();
    let query = LoanQuery {
        code: query.code.as_deref().map(|text| code(text, borrowers)).transpose()?,
        state: query.state,
        site: site_of(&mut tx, scope, query.site.as_deref()).await?,
        programme: programme_of(&mut tx, &bearer, query.programme.as_deref()).await?,
        sort: if due_before.is_some() { LoanSort::Due } else { LoanSort::Newest },
        due_before,
        after,
        limit: page::limit(query.limit)?.into(),
    };
    let page = loan_list::list(&mut tx, scope, &query).await?;
    let reader = Reader::of(&bearer);
    Ok(Json(PageBody::of(page, |loan| LoanBody::new(loan, reader))))
}

/// A code that is looked for.
fn code(text: &str, borrowers: bool) -> Result<LoanCode, Problem> {
    let detail = "`code` is an asset tag, a serial number or a borrower's reference.";
    LoanCode::new(text, borrowers).ok_or_else(|| Problem::invalid(detail))
}

/// A programme that may be filtered by: one whose members this person may see.
async fn programme_of(tx: &mut Tx, bearer: &BearerToken, code: Option<&str>) -> Result<Option<Uuid>, Problem> {
    let Some(code) = code else { return Ok(None) };
    let code: ProgrammeCode = code.parse().map_err(|error| Problem::invalid(format!("`programme`: {error}.")))?;
    let found = programme::find_by_code(tx, &code).await?;
    let seen = found.filter(|programme| programme.shows_membership_to(bearer.person.role));
    seen.map(|programme| Some(programme.id))
        .ok_or_else(|| Problem::invalid("There is no programme with this code whose members you may see."))
}

/// One loan with its steps
///
/// All roles, within their sites.
#[utoipa::path(get, path = "/v1/loans/{id}", tag = "loans", params(("id" = Uuid, Path, description = "The loan")),
    responses((status = 200, body = LoanDetailBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LoanDetailBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeLoans, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let found = loan_list::find(&mut tx, &bearer.person.scope, id).await?;
    let loan = LoanBody::new(found.ok_or_else(|| Problem::not_found(UNKNOWN))?, Reader::of(&bearer));
    let steps = loan_event::of_loan(&mut tx, id).await?.into_iter().map(StepBody::from).collect();
    Ok(Json(LoanDetailBody { loan, steps }))
}
