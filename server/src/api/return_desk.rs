//! The return desk for scripts: a code that was scanned, and the last return undone.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    extract::{Body, Path},
    loan::LoanBody,
    loan_act::{begin, end},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken},
    domain::loan::Condition,
    store::device_code::{self, Found},
};

/// What was scanned, and how the device came back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanBody {
    /// An asset tag, a serial number, a device's id, or the address in its QR code.
    code: String,
    /// What the desk saw.
    condition: Condition,
    /// What went with it and did not come back.
    #[serde(default)]
    missing_accessories: Vec<String>,
}

/// Take back the device that a scanned code names
///
/// Whatever its loan, if it lies within your sites. All roles but the auditor, within their sites. The device goes to
/// intake.
#[utoipa::path(post, path = "/v1/returns", tag = "loans", request_body = ScanBody, responses(
    (status = 200, body = LoanBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn scan(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<ScanBody>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::TakeBack).await?;
    let device = match device_code::find(lending.tx(), &bearer.person.scope, body.code.trim()).await? {
        Found::One(device) => device,
        Found::Several => return Err(Problem::unprocessable("Several devices have this code: give the asset tag.")),
        Found::Nothing => return Err(Problem::unprocessable("No device among those you see has this code.")),
    };
    let done = lending.take_back_device(device.id, body.condition, &body.missing_accessories).await;
    end(lending, &bearer, done).await
}

/// Undo a return
///
/// By the one who took it back, within 15 minutes, while nothing else happened to the device. All roles but the auditor,
/// within their sites.
#[utoipa::path(post, path = "/v1/loans/{id}/undo-return", tag = "loans",
    params(("id" = Uuid, Path, description = "The loan")), responses((status = 200, body = LoanBody),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn undo(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<LoanBody>, Problem> {
    let mut lending = begin(&app, &bearer, Action::TakeBack).await?;
    let done = lending.undo_return(id).await;
    end(lending, &bearer, done).await
}
