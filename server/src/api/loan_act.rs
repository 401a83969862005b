//! What scripts do with loans: the same acts as the console's, each one unit of work with its audit row.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::DeviceId;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::clerk,
    extract::{Body, Path},
    loan::{LoanBody, Reader, UNKNOWN, day},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        borrower::Reference,
        loan::{Condition, Loan, Signature},
        programme::ProgrammeCode,
    },
    store::{
        borrower,
        lending::{Handing, Lending, LendingError, Refused, Wish},
        loan_list, programme,
    },
};

/// How a device is handed over.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandingBody {
    /// The day on which it is due (`2027-07-02`); as the programme says if absent.
    due: Option<String>,
    /// What goes with it: some of the programme's accessories.
    #[serde(default)]
    accessories: Vec<String>,
    /// How the agreement was signed. A signature is drawn in the console only.
    signature: Option<PaperSignature>,
    /// Which version of which agreement.
    agreement_version: Option<String>,
}

/// A signature that a script can know of.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaperSignature {
    /// On paper, which the site keeps.
    Paper,
}

/// A loan to begin.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLoanBody {
    /// The device.
    device: Uuid,
    /// The borrower's reference.
    borrower: String,
    /// The programme's code.
    programme: String,
    /// How it is handed over; without it, the device is only reserved.
    handing_over: Option<HandingBody>,
}

/// How a device came back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnBody {
    /// What the desk saw.
    condition: Condition,
    /// What went with it and did not come back.
    #[serde(default)]
    missing_accessories: Vec<String>,
}

/// A later due date.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendBody {
    /// The day on which it is due (`2027-07-02`).
    due: String,
}

/// A theft.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TheftBody {
    /// The reference of the complaint to the police.
    police_report: String,
}

impl From<LendingError> for Problem {
    fn from(error: LendingError) -> Self {
        match error {
            LendingError::Store(error) => error.into(),
            LendingError::Refused(Refused::NoLoan) => Self::not_found(UNKNOWN),
            LendingError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
        }
    }
}

impl HandingBody {
    fn read(self) -> Result<Handing, Problem> {
        Ok(Handing {
            due: self.due.as_deref().map(|text| day("due", text)).transpose()?,
            accessories: self.accessories,
            signature: self.signature.map(|PaperSignature::Paper| Signature::Paper),
            agreement_version: self.agreement_version,
        })
    }
}

pub(super) async fn begin<'a>(app: &'a App, bearer: &'a BearerToken, action: Action) -> Result<Lending<'a>, Problem> {
    Problem::check(bearer.person.can(action, Object::OwnScope), "")?;
    Ok(Lending::begin(&app.store, clerk(app, bearer)).await?)
}

pub(super) async fn end(
    mut lending: Lending<'_>,
    bearer: &BearerToken,
    done: Result<Loan, LendingError>,
) -> Result<Json<LoanBody>, Problem> {
    let loan = done?;
    let found = loan_list::find(lending.tx(), &bearer.person.scope, loan.id).await?;
    let summary = found.ok_or_else(Problem::internal)?;
    lending.commit().await?;
    Ok(Json(LoanBody::new(summary, Reader::of(bearer))))
}

/// Reserve a device, or hand it over at once
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/loans", tag = "loans", request_body = NewLoanBody, responses(
    (status = 201, body = LoanBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(new): Body<NewLoanBody>,
) -> Result<(StatusCode, Json<LoanBody>), Problem> {
    let mut lending = begin(&app, &bearer, Action::HandOver).await?;
    let reference: Reference =
        new.borrower.parse().map_err(|error| Problem::unprocessable(format!("`borrower`: {error}.")))?;
    let code: ProgrammeCode =
        new.programme.parse().map_err(|error| Problem::unprocessable(format!("`programme`: {error}.")))?;
    let borrower = borrower::find_by_reference(lending.tx(), &bearer.person.scope, &reference).await?;
    let programme = programme::find_by_code(lending.tx(), &code).await?;
    let wish = Wish {
        device: DeviceId(new.device),
        borrower: borrower.ok_or(LendingError::Refused(Refused::NoBorrower))?.id,
        programme: programme.ok_or(LendingError::Refused(Refused::NoProgramme))?.id,
    };
    let done = match new.handing_over {
        Some(handing) => lending.lend(wish, handing.read()?).await,
        None => lending.reserve(wish).await,
    };
    Ok((StatusCode::CREATED, end(lending, &bearer, done).await?))
}

/// Hand a reserved device over
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/hand-over", tag = "loans", request_body = HandingBody,
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = LoanBody),
    (status = 401, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn hand_over(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(handing): Body<HandingBody>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::HandOver).await?;
    let done = lending.hand_over(id, handing.read()?).await;
    end(lending, &bearer, done).await
}

/// Drop a reservation
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/cancel", tag = "loans", params(("id" = Uuid, Path, description = "The loan")),
    responses((status = 200, body = LoanBody), (status = 401, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn cancel(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::HandOver).await?;
    let done = lending.cancel(id).await;
    end(lending, &bearer, done).await
}

/// Take a device back
///
/// All roles but the auditor, within their sites. The device goes to intake.
#[utoipa::path(post, path = "/v1/loans/{id}/return", tag = "loans", request_body = ReturnBody,
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = LoanBody),
    (status = 401, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn take_back(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(back): Body<ReturnBody>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::TakeBack).await?;
    let done = lending.take_back(id, back.condition, back.missing_accessories).await;
    end(lending, &bearer, done).await
}

/// Extend a loan
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/extend", tag = "loans", request_body = ExtendBody,
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = LoanBody),
    (status = 401, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn extend(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ExtendBody>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::ChangeLoan).await?;
    let done = lending.extend(id, day("due", &body.due)?).await;
    end(lending, &bearer, done).await
}

/// Declare a device lost
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/lose", tag = "loans", params(("id" = Uuid, Path, description = "The loan")),
    responses((status = 200, body = LoanBody), (status = 401, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn lose(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::ChangeLoan).await?;
    let done = lending.lose(id).await;
    end(lending, &bearer, done).await
}

/// Declare a device stolen
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/steal", tag = "loans", request_body = TheftBody,
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = LoanBody),
    (status = 401, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn steal(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(theft): Body<TheftBody>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::ChangeLoan).await?;
    let done = lending.steal(id, &theft.police_report).await;
    end(lending, &bearer, done).await
}

/// Write a device off
///
/// Roles: administrator and programme manager, within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/write-off", tag = "loans",
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = LoanBody),
    (status = 401, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn write_off(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::EndLoan).await?;
    let done = lending.write_off(id).await;
    end(lending, &bearer, done).await
}

/// Put a device that came back into stock
///
/// All roles but the auditor, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/stock", tag = "loans", params(("id" = Uuid, Path, description = "The device")),
    responses((status = 204), (status = 401, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn put_in_stock(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let mut lending = begin(&app, &bearer, Action::TakeBack).await?;
    match lending.put_in_stock(DeviceId(id)).await {
        Err(LendingError::Refused(Refused::NoDevice)) => {
            Err(Problem::not_found("There is no such device, or it lies outside your sites."))
        }
        done => {
            done?;
            lending.commit().await?;
            Ok(StatusCode::NO_CONTENT)
        }
    }
}
