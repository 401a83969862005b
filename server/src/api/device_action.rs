//! What scripts order of a device's agent, and what it answered.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::{UtcMillis, action::LogLine};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::clerk,
    device_act::device_for,
    device_record::UNKNOWN,
    extract::{Body, Path},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken},
    domain::{
        device_action::{ActionState, InvalidOrder, Kind, Order},
        paris,
    },
    store::device_action::{self, ActionRow, Ordered},
};

/// An order to an agent, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceActionBody {
    /// Never given to another.
    id: Uuid,
    /// What was ordered.
    kind: Kind,
    /// Where it stands.
    state: ActionState,
    /// The last day that a return notice names.
    due: Option<String>,
    /// The place that a return notice names.
    place: Option<String>,
    /// When it was ordered.
    ordered_at: Moment,
    /// By whom.
    ordered_by: String,
    /// From when the laptop no longer does it.
    expires_at: Moment,
    /// When the laptop was told; the day alone after 30 days.
    told_at: Option<Moment>,
    /// What became of it: `done`, `unsupported`, `not_possible`, `not_now`, `refused`, `expired`, `replayed`, `interrupted`
    /// or `failed`.
    outcome: Option<String>,
    /// When the laptop answered; the day alone after 30 days.
    answered_at: Option<Moment>,
    /// What each drive answered to a self-test, in the order of the report.
    drives: Vec<String>,
    /// Whether a log came with the answer that is still kept.
    has_log: bool,
}

impl DeviceActionBody {
    fn new(row: ActionRow, now: UtcMillis) -> Self {
        let state = row.state(now);
        let (outcome, answered_at) = row.answer.unzip();
        Self {
            id: row.id,
            kind: row.order.kind(),
            state,
            due: row.order.notice().map(|notice| notice.due.to_string()),
            place: row.order.notice().map(|notice| notice.place.to_string()),
            ordered_at: row.ordered_at.into(),
            ordered_by: row.ordered_by,
            expires_at: row.expires_at.into(),
            told_at: row.told_at.map(Moment),
            outcome: outcome.map(|outcome| outcome.to_string()),
            answered_at: answered_at.map(Moment),
            drives: row.drives.iter().map(|answer| answer.outcome.to_string()).collect(),
            has_log: row.has_log,
        }
    }
}

/// The last orders to an agent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceActionsBody {
    /// The newest first, at most 50.
    items: Vec<DeviceActionBody>,
}

/// An order to give.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeviceActionBody {
    /// What to order.
    kind: Kind,
    /// With a return notice: the last day (`2027-07-02`).
    due: Option<String>,
    /// With a return notice: where to bring the laptop, 1 to 80 characters.
    place: Option<String>,
}

/// An order that was given.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderedActionBody {
    /// Its id.
    id: Uuid,
}

/// A line of an agent's log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LogLineBody {
    /// The day by the laptop's own clock, which may be wrong, as its first moment (UTC): no hour is sent. Lines stand in
    /// their order.
    at: Option<Moment>,
    /// `error`, `warn` or `info`.
    level: String,
    /// Fixed words of the agent, and numbers.
    words: String,
}

impl From<LogLine> for LogLineBody {
    fn from(line: LogLine) -> Self {
        Self {
            at: line.at.map(|day| Moment(day.start())),
            level: line.level.to_string(),
            words: line.words.to_string(),
        }
    }
}

/// The log that an agent sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentLogBody {
    /// The oldest first.
    lines: Vec<LogLineBody>,
}

impl From<InvalidOrder> for Problem {
    fn from(invalid: InvalidOrder) -> Self {
        Self::unprocessable(format!("Refused: {invalid}."))
    }
}

/// What was ordered of a device's agent, and what it answered
///
/// The last 50 orders. Roles: all, within their sites.
#[utoipa::path(get, path = "/v1/devices/{id}/actions", tag = "devices", params(("id" = Uuid, Path, description = "The device")),
    responses((status = 200, body = DeviceActionsBody), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<DeviceActionsBody>, Problem> {
    let mut tx = app.store.read().await?;
    let found = device_for(&mut tx, &bearer, id, Action::SeeDevices).await?;
    let rows = device_action::of_device(&mut tx, found.id).await?;
    let items = rows.into_iter().map(|row| DeviceActionBody::new(row, bearer.now)).collect();
    Ok(Json(DeviceActionsBody { items }))
}

/// Order something of a device's agent
///
/// The laptop is told at its next contact, and does it once or, after the order's time, not at all. Refused for a device
/// that is not in service or has no agent, where the same order waits already, and a return notice where the device is not
/// lent until the day that it names. Roles: administrator and technician; a return notice also programme manager and
/// referent; within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/actions", tag = "devices", request_body = NewDeviceActionBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 201, body = OrderedActionBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn order(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<NewDeviceActionBody>,
) -> Result<(StatusCode, Json<OrderedActionBody>), Problem> {
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &bearer, id, body.kind.right()).await?;
    let due = body.due.as_deref().map(str::parse::<Date>).transpose();
    let due = due.map_err(|_| Problem::unprocessable("`due` is a day such as 2027-07-02."))?;
    let order = Order::new(body.kind, due, body.place.as_deref(), paris::date(bearer.now))?;
    let id = match device_action::order(&mut tx, found.id, &order, clerk(&app, &bearer)).await? {
        Ordered::Given(id) => id,
        Ordered::Hindered(why) => return Err(Problem::unprocessable(format!("Not ordered: {}.", why.words()))),
        Ordered::Unknown => return Err(Problem::not_found(UNKNOWN)),
    };
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(OrderedActionBody { id })))
}

/// The log that an agent sent
///
/// Kept for 30 days. Roles: administrator and technician, within their sites.
#[utoipa::path(get, path = "/v1/devices/{id}/actions/{action}/log", tag = "devices",
    params(("id" = Uuid, Path, description = "The device"), ("action" = Uuid, Path, description = "The order")),
    responses((status = 200, body = AgentLogBody), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn log(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, action)): Path<(Uuid, Uuid)>,
) -> Result<Json<AgentLogBody>, Problem> {
    let mut tx = app.store.read().await?;
    let found = device_for(&mut tx, &bearer, id, Action::OrderActions).await?;
    let lines = device_action::log(&mut tx, found.id, action).await?;
    let lines =
        lines.ok_or_else(|| Problem::not_found("No log of this device came with such an order, or it is older."))?;
    Ok(Json(AgentLogBody { lines: lines.into_iter().map(Into::into).collect() }))
}
