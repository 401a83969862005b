//! One order to the agents of many devices: what it would do, and doing it.

use axum::{Json, extract::State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    act::clerk,
    device_list::{MAX_SEARCH_CHARS, site_of},
    extract::Body,
    problem::Problem,
};
use crate::{
    app::App,
    auth::{BearerToken, Object},
    domain::{
        device::DeviceStatus,
        device_action::Kind,
        device_action_bulk::{BulkOrder, InvalidBulk, LeftOut, MOST_AT_ONCE, Tally},
        flag::{FlagCode, Severity},
    },
    store::{
        device_action_bulk::{self, BulkError, Many},
        device_list::DeviceQuery,
    },
};

/// Which devices: those of the list `GET /v1/devices` with the same filters. Devices in the archive take no orders.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceFilterBody {
    /// Words of a serial number, model, asset tag or site, however they are written; every word must occur.
    search: Option<String>,
    /// Only this status.
    status: Option<DeviceStatus>,
    /// Only this site, by its UAI code.
    site: Option<String>,
    /// Only devices with this flag open.
    flag: Option<FlagCode>,
    /// Only devices whose worst open flag is at least this.
    min_severity: Option<Severity>,
}

/// An order to many devices.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkActionBody {
    /// What to order; `send_log` is not ordered of many.
    kind: Kind,
    /// Which devices; `{}` are all that you see.
    filter: DeviceFilterBody,
    /// With a return notice: only loans that are due until this day (`2027-07-02`). Each notice names its own loan's day.
    due_by: Option<String>,
    /// With a return notice: where to bring the laptops, 1 to 80 characters; the name of each one's site if absent.
    place: Option<String>,
    /// Only count what would be ordered; true if absent.
    #[serde(default = "only_count")]
    dry_run: bool,
}

const fn only_count() -> bool {
    true
}

/// How many devices are left out, and why.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct LeftOutBody {
    /// Why.
    reason: LeftOut,
    /// How many devices.
    devices: usize,
    /// The reason in words.
    detail: &'static str,
}

/// What became, or would become, of an order to many devices.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkActionsBody {
    /// Whether nothing was ordered.
    dry_run: bool,
    /// Devices that the filter found.
    devices: usize,
    /// Devices that were ordered, or would be.
    ordered: usize,
    /// The others.
    left_out: Vec<LeftOutBody>,
}

impl BulkActionsBody {
    fn new(tally: &Tally, dry_run: bool) -> Self {
        let left = tally.left_out.iter().map(|(reason, devices)| LeftOutBody {
            reason: *reason,
            devices: *devices,
            detail: reason.words(),
        });
        Self { dry_run, devices: tally.devices(), ordered: tally.ordered, left_out: left.collect() }
    }
}

impl From<InvalidBulk> for Problem {
    fn from(invalid: InvalidBulk) -> Self {
        Self::unprocessable(format!("Refused: {invalid}."))
    }
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::TooMany(_) => Self::unprocessable(format!("Nothing was ordered: {error}.")),
            BulkError::Store(error) => error.into(),
        }
    }
}

/// Order something of the agents of many devices
///
/// Counts what would be ordered, until `dry_run` is false. Each order is given as
/// `POST /v1/devices/{id}/actions` gives it; devices that would refuse it are left out and counted by why. At most 1,000
/// devices: a filter that finds more is refused. Asked for again, whatever still waits is not ordered twice (`already`).
/// Roles: administrator and technician; a return notice also programme manager and referent; within their sites.
#[utoipa::path(post, path = "/v1/devices/actions", tag = "devices", request_body = BulkActionBody,
    responses((status = 200, body = BulkActionsBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn order(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<BulkActionBody>,
) -> Result<Json<BulkActionsBody>, Problem> {
    Problem::check(bearer.person.can(body.kind.right(), Object::OwnScope), "")?;
    let due_by = body.due_by.as_deref().map(str::parse::<Date>).transpose();
    let due_by = due_by.map_err(|_| Problem::unprocessable("`due_by` is a day such as 2027-07-02."))?;
    let order = BulkOrder::new(body.kind, due_by, body.place.as_deref())?;
    let query = query(&app, &bearer, body.filter).await?;
    let (by, many) = (clerk(&app, &bearer), Many { query: &query, order: &order });
    let tally = if body.dry_run {
        let mut tx = app.store.read().await?;
        let seen = device_action_bulk::preview(&mut tx, by, many, MOST_AT_ONCE).await?;
        device_action_bulk::tally(&seen)
    } else {
        device_action_bulk::order_all(&app.store, by, many, MOST_AT_ONCE).await?
    };
    Ok(Json(BulkActionsBody::new(&tally, body.dry_run)))
}

/// The query of the store.
async fn query(app: &App, bearer: &BearerToken, filter: DeviceFilterBody) -> Result<DeviceQuery, Problem> {
    if filter.search.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH_CHARS) {
        return Err(Problem::invalid(format!("`search` has at most {MAX_SEARCH_CHARS} characters.")));
    }
    let mut tx = app.store.read().await?;
    let site = site_of(&mut tx, &bearer.person.scope, filter.site.as_deref()).await?;
    Ok(DeviceQuery {
        search: filter.search,
        status: filter.status,
        site,
        flag: filter.flag,
        min_severity: filter.min_severity,
        ..DeviceQuery::default()
    })
}
