//! What scripts do about proposals: propose, exchange a device, drop a line, approve what another proposed, give up.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::DeviceId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{clerk, reason, record},
    allocation::{AllocationBody, UNKNOWN, named},
    extract::{Body, Path},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{borrower::Reference, programme::ProgrammeCode},
    random,
    store::{
        allocation,
        allocation_adjust::{self, AdjustError, AdjustRefused, Adjustment},
        allocation_approval::{self, ApprovalError, ApprovalRefused},
        programme,
    },
};

/// What to propose for.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeBody {
    /// Only needs of this programme, by code; of all that lend if absent.
    programme: Option<String>,
}

/// Another device for a line.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapBody {
    /// A device in stock.
    device: Uuid,
    /// Why; stands on the line and in the audit.
    reason: String,
}

/// Why a line loses its device.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DropLineBody {
    /// Stands on the line and in the audit.
    reason: String,
}

/// What became of the lines of an approved proposal.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ApprovedBody {
    /// Devices that are now reserved.
    reserved: u32,
    /// Lines that could not be: each says why.
    refused: u32,
}

impl From<AdjustError> for Problem {
    fn from(error: AdjustError) -> Self {
        match error {
            AdjustError::Store(error) => error.into(),
            AdjustError::Refused(AdjustRefused::NoLine) => {
                Self::not_found("There is no such line in this proposal, or no such proposal.")
            }
            AdjustError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
        }
    }
}

impl From<ApprovalError> for Problem {
    fn from(error: ApprovalError) -> Self {
        match error {
            ApprovalError::Store(error) => error.into(),
            ApprovalError::Refused(ApprovalRefused::NoProposal) => Self::not_found(UNKNOWN),
            ApprovalError::Refused(ApprovalRefused::NoReference) => Self::internal(),
            ApprovalError::Refused(refused @ (ApprovalRefused::NotDraft | ApprovalRefused::Own)) => {
                Self::unprocessable(format!("Refused: {refused}."))
            }
        }
    }
}

/// Propose who gets which device
///
/// Nothing is reserved before a second person approves. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/allocations", tag = "allocations", request_body = ProposeBody, responses(
    (status = 201, body = AllocationBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn propose(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<ProposeBody>,
) -> Result<(StatusCode, Json<AllocationBody>), Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ProposeAllocation, Object::Programme), "")?;
    let code: Option<ProgrammeCode> = body
        .programme
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error| Problem::unprocessable(format!("`programme`: {error}.")))?;
    let mut tx = app.store.write().await?;
    let programme = match &code {
        None => None,
        Some(code) => {
            let found = programme::find_by_code(&mut tx, code).await?.filter(|programme| programme.open);
            let none = || Problem::unprocessable("No programme that lends has this code.");
            Some(found.ok_or_else(none)?.id)
        }
    };
    let id = allocation::propose(&mut tx, programme, &app.policy, person.id, bearer.now).await?;
    record(&mut tx, &bearer, "allocation.propose", ("allocation", id), json!({})).await?;
    let (row, programmes) = (named(&mut tx, id).await?, programme::list(&mut tx).await?);
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(AllocationBody::new(&row, &programmes, person.role))))
}

/// Give a line another device
///
/// Whoever changes a line cannot approve the proposal. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/allocations/{id}/lines/{rank}/swap", tag = "allocations", request_body = SwapBody,
    params(("id" = Uuid, Path, description = "The proposal"), ("rank" = i64, Path, description = "The line")), responses(
    (status = 204), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn swap(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, rank)): Path<(Uuid, i64)>,
    Body(body): Body<SwapBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ProposeAllocation, Object::Programme), "")?;
    let remark = reason(&body.reason)?;
    let mut tx = app.store.write().await?;
    let adjustment = Adjustment { allocation: id, rank, remark, by: person.id, now: bearer.now };
    allocation_adjust::swap(&mut tx, adjustment, DeviceId(body.device), &app.policy.allocation).await?;
    // Not the device: beside its rank it would tell the audit's readers whose need it meets. The line has it.
    let details = json!({ "rank": rank, "reason": remark });
    record(&mut tx, &bearer, "allocation.swap", ("allocation", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a line's device away
///
/// Whoever changes a line cannot approve the proposal. Roles: administrator, programme manager, who see all sites.
#[utoipa::path(post, path = "/v1/allocations/{id}/lines/{rank}/drop", tag = "allocations", request_body = DropLineBody,
    params(("id" = Uuid, Path, description = "The proposal"), ("rank" = i64, Path, description = "The line")), responses(
    (status = 204), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn drop_line(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, rank)): Path<(Uuid, i64)>,
    Body(body): Body<DropLineBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ProposeAllocation, Object::Programme), "")?;
    let remark = reason(&body.reason)?;
    let mut tx = app.store.write().await?;
    let adjustment = Adjustment { allocation: id, rank, remark, by: person.id, now: bearer.now };
    allocation_adjust::drop_line(&mut tx, adjustment).await?;
    let details = json!({ "rank": rank, "reason": remark });
    record(&mut tx, &bearer, "allocation.drop_line", ("allocation", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Approve a proposal: its devices are reserved
///
/// A line whose device or need has moved on is refused with the reason; the others go through. Roles: administrator,
/// programme manager, who see all sites, and who neither proposed nor changed it. Asked again, an approval that was
/// cut off goes on where it stopped.
#[utoipa::path(post, path = "/v1/allocations/{id}/approve", tag = "allocations",
    params(("id" = Uuid, Path, description = "The proposal")), responses((status = 200, body = ApprovedBody),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn approve(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<ApprovedBody>, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ApproveAllocation, Object::Programme), "")?;
    let clerk = clerk(&app, &bearer);
    let mut reference = || random::bytes().ok().map(Reference::from_random);
    let approved = allocation_approval::approve(&app.store, id, person.id, clerk, &mut reference).await?;
    Ok(Json(ApprovedBody { reserved: approved.reserved, refused: approved.refused }))
}

/// Give a proposal up
///
/// Roles: administrator, programme manager, who see all sites. Only one that is not decided yet.
#[utoipa::path(post, path = "/v1/allocations/{id}/drop", tag = "allocations",
    params(("id" = Uuid, Path, description = "The proposal")), responses((status = 204),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn give_up(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ProposeAllocation, Object::Programme), "")?;
    let mut tx = app.store.write().await?;
    named(&mut tx, id).await?;
    if !allocation::drop_proposal(&mut tx, id, person.id, bearer.now).await? {
        return Err(Problem::unprocessable("The proposal is decided already."));
    }
    record(&mut tx, &bearer, "allocation.drop", ("allocation", id), json!({})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
