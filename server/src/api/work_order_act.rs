//! What scripts do in the workshop: the same acts as the console's, each one unit of work with its audit row.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::clerk,
    extract::{Body, Path},
    problem::Problem,
    work_order::{OrderDetailBody, UNKNOWN, detail},
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        grade::Grade,
        work_order::{
            Disposition, Move, MoveName, WorkOrder,
            checklist::{Check, Finding, Findings},
        },
    },
    store::{
        device, work_order,
        work_order_act::{Bench, Refused, WorkError},
    },
};

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Store(error) => error.into(),
            WorkError::Refused(Refused::NoOrder) => Self::not_found(UNKNOWN),
            WorkError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
        }
    }
}

/// The unit to take in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeInBody {
    /// The device.
    device: Uuid,
}

/// What staff found.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundBody {
    /// Every check of the device's kind with what was found: `good`, `marked`, `faulty`, `missing`, `swollen`.
    found: BTreeMap<String, String>,
    /// Keys that do not answer, as they are labelled on a French keyboard.
    #[serde(default)]
    dead_keys: Vec<String>,
    /// What else there is to say; nothing about people.
    #[serde(default)]
    note: String,
}

/// A step to take.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveBody {
    /// Which.
    step: MoveName,
    /// For `inspect` and `test`.
    findings: Option<FoundBody>,
    /// For `grade`.
    grade: Option<Grade>,
    /// For `dispose`.
    disposition: Option<Disposition>,
}

/// Why there is nothing to erase.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverBody {
    /// In words.
    reason: String,
}

async fn begin<'a>(app: &'a App, bearer: &'a BearerToken, action: Action) -> Result<Bench<'a>, Problem> {
    Problem::check(bearer.person.can(action, Object::OwnScope), "")?;
    Ok(Bench::begin(&app.store, clerk(app, bearer)).await?)
}

async fn end(mut bench: Bench<'_>, bearer: &BearerToken, order: &WorkOrder) -> Result<Json<OrderDetailBody>, Problem> {
    let body = detail(bench.tx(), bearer, order).await?.ok_or_else(Problem::internal)?;
    bench.commit().await?;
    Ok(Json(body))
}

/// Take a unit in: its open order, which is made where there is none
///
/// Roles: administrator and refurbisher, within their sites. The device comes from intake or from stock.
#[utoipa::path(post, path = "/v1/work-orders", tag = "work orders", request_body = TakeInBody, responses(
    (status = 201, body = OrderDetailBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn take_in(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<TakeInBody>,
) -> Result<(StatusCode, Json<OrderDetailBody>), Problem> {
    let mut bench = begin(&app, &bearer, Action::WorkOnOrders).await?;
    let (order, _) = bench.take_in(cartable_common::DeviceId(body.device)).await?;
    Ok((StatusCode::CREATED, end(bench, &bearer, &order).await?))
}

/// Take a step
///
/// Roles: administrator and refurbisher, within their sites. `offered` of the order names the steps that are open.
#[utoipa::path(post, path = "/v1/work-orders/{id}/move", tag = "work orders", request_body = MoveBody,
    params(("id" = Uuid, Path, description = "The work order")), responses((status = 200, body = OrderDetailBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn take(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<MoveBody>,
) -> Result<Json<OrderDetailBody>, Problem> {
    let mut bench = begin(&app, &bearer, Action::WorkOnOrders).await?;
    let step = read(&mut bench, &bearer, id, body).await?;
    let order = bench.take(id, step).await?;
    end(bench, &bearer, &order).await
}

async fn read(bench: &mut Bench<'_>, bearer: &BearerToken, id: Uuid, body: MoveBody) -> Result<Move, Problem> {
    let missing = |name: &str| Problem::unprocessable(format!("This step needs `{name}`."));
    Ok(match body.step {
        MoveName::Begin => Move::Begin,
        MoveName::Repair => Move::Repair,
        MoveName::Reinstall => Move::Reinstall,
        MoveName::Installed => Move::Installed,
        MoveName::GiveUp => Move::GiveUp,
        MoveName::Quarantine => Move::Quarantine,
        MoveName::RemoveBattery => Move::RemoveBattery,
        MoveName::Reopen => Move::Reopen,
        MoveName::Grade => Move::Grade(body.grade.ok_or_else(|| missing("grade"))?),
        MoveName::Dispose => Move::Dispose(body.disposition.ok_or_else(|| missing("disposition"))?),
        MoveName::Inspect | MoveName::Test => {
            let found = body.findings.ok_or_else(|| missing("findings"))?;
            let scope = &bearer.person.scope;
            let order = work_order::find(bench.tx(), scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
            let unit = device::find(bench.tx(), scope, order.device).await?.ok_or_else(Problem::internal)?;
            let findings = findings(found, device::kind(&unit))?;
            if body.step == MoveName::Inspect { Move::Inspect(findings) } else { Move::Test(findings) }
        }
    })
}

fn findings(body: FoundBody, kind: crate::domain::work_order::checklist::Kind) -> Result<Findings, Problem> {
    let mut found = BTreeMap::new();
    for (check, finding) in &body.found {
        let wrong =
            |_| Problem::unprocessable(format!("`findings.found`: {check} is {finding}? See the documentation."));
        found.insert(check.parse::<Check>().map_err(wrong)?, finding.parse::<Finding>().map_err(wrong)?);
    }
    Findings::new(kind, found, body.dead_keys.into_iter().collect(), &body.note)
        .map_err(|invalid| Problem::unprocessable(format!("`findings`: {invalid}.")))
}

/// Waive the erasure: say why there is nothing to erase
///
/// Roles: administrator, within their sites. Nothing is claimed to be erased; the reason and who gave it are kept.
#[utoipa::path(post, path = "/v1/work-orders/{id}/waiver", tag = "work orders", request_body = WaiverBody,
    params(("id" = Uuid, Path, description = "The work order")), responses((status = 200, body = OrderDetailBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn waive(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<WaiverBody>,
) -> Result<Json<OrderDetailBody>, Problem> {
    let mut bench = begin(&app, &bearer, Action::WaiveErasure).await?;
    let order = bench.waive_erasure(id, &body.reason).await?;
    end(bench, &bearer, &order).await
}
