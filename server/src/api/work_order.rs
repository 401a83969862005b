//! Work orders: the list and one of them with its steps, findings, parts and time at each stage.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    extract::{Path, Query},
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        grade::Grade,
        verdict::Verdict,
        work_order::{Disposition, MoveName, Stage, WorkOrder, checklist::Findings},
    },
    store::{
        StoreError, Tx,
        page::CursorKey,
        part,
        work_inspection::{self, Inspection, InspectionKind},
        work_order::{self, Step, time_spent},
        work_order_list::{self, OrderQuery, OrderSummary},
    },
};

pub(super) const UNKNOWN: &str = "There is no such work order, or its device lies outside your sites.";

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// Only open orders at this stage.
    #[param(inline)]
    stage: Option<Stage>,
    /// Only closed orders, or only open ones.
    closed: Option<bool>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// A work order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderBody {
    /// Never given to another.
    id: Uuid,
    /// Where it is; null once it is closed.
    stage: Option<Stage>,
    /// What the unit became; null while the order is open. `donate` is ready for donation, not donated.
    disposition: Option<Disposition>,
    /// Since when it is there.
    since: Moment,
    /// When the unit was taken in.
    opened_at: Moment,
    /// The grade, from disposition on.
    grade: Option<Grade>,
    /// How often it was reopened.
    reopened: i64,
    /// The device.
    device: Uuid,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its label.
    asset_tag: Option<String>,
    /// Its maker.
    manufacturer: Option<String>,
    /// Its model.
    model: Option<String>,
    /// UAI code of its site.
    site: Option<String>,
}

impl From<OrderSummary> for OrderBody {
    fn from(order: OrderSummary) -> Self {
        Self {
            id: order.id,
            stage: order.position.stage(),
            disposition: order.position.disposition(),
            since: order.since.into(),
            opened_at: order.opened_at.into(),
            grade: order.grade,
            reopened: order.reopened,
            device: order.device.0,
            serial_number: order.serial_number,
            asset_tag: order.asset_tag,
            manufacturer: order.manufacturer,
            model: order.model,
            site: order.site_uai,
        }
    }
}

/// What staff found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FindingsBody {
    /// Each check with what was found: `good`, `marked`, `faulty`, `missing`, `swollen`.
    found: BTreeMap<String, String>,
    /// Keys that do not answer.
    dead_keys: Vec<String>,
    /// What else there is to say.
    note: String,
}

impl From<&Findings> for FindingsBody {
    fn from(findings: &Findings) -> Self {
        Self {
            found: findings.found.iter().map(|(check, found)| (check.to_string(), found.to_string())).collect(),
            dead_keys: findings.dead_keys.iter().cloned().collect(),
            note: findings.note.clone(),
        }
    }
}

/// An inspection or a final test: what staff found outranks what the machine claimed; both are kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InspectionBody {
    /// When.
    at: Moment,
    /// Which.
    kind: InspectionKind,
    /// The login of the one who did it.
    by: String,
    /// What staff found.
    findings: FindingsBody,
    /// What the machine's last report said of its drives.
    claimed_drives: Verdict,
    /// What it said of its batteries.
    claimed_batteries: Verdict,
}

impl From<Inspection> for InspectionBody {
    fn from(made: Inspection) -> Self {
        Self {
            at: made.at.into(),
            kind: made.kind,
            findings: FindingsBody::from(&made.findings),
            claimed_drives: made.claims.drives,
            claimed_batteries: made.claims.batteries,
            by: made.actor,
        }
    }
}

/// A step that an order took.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkStepBody {
    /// When.
    at: Moment,
    /// Which.
    kind: String,
    /// Where the order then was; null once closed.
    stage: Option<Stage>,
    /// The login of the one who did it.
    by: String,
    /// What else is known of it.
    #[schema(value_type = Option<Object>)]
    details: serde_json::Value,
}

impl From<Step> for WorkStepBody {
    fn from(step: Step) -> Self {
        Self { at: step.at.into(), kind: step.kind, stage: step.stage, by: step.actor, details: step.details }
    }
}

/// Time at one stage.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpentBody {
    /// The stage.
    stage: Stage,
    /// Seconds there, over all visits.
    seconds: i64,
    /// How often it came there.
    visits: u32,
}

/// A part that was used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartUseBody {
    /// When.
    at: Moment,
    /// What.
    kind: String,
    /// `bought`, or `harvested` from another unit.
    origin: String,
    /// How many.
    count: i64,
    /// The price of a piece then, in cents.
    unit_cents: i64,
}

/// A work order with everything about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderDetailBody {
    /// The order.
    #[serde(flatten)]
    order: OrderBody,
    /// Whether its battery is swollen: it can only be taken out, or the unit recycled.
    battery_swollen: bool,
    /// Why there is nothing to erase, where somebody said so. Not an erasure.
    erasure_waived: Option<String>,
    /// The steps that are open now.
    offered: Vec<MoveName>,
    /// What staff found, newest first.
    inspections: Vec<InspectionBody>,
    /// The parts used on it.
    parts: Vec<PartUseBody>,
    /// Its time at each stage.
    time: Vec<SpentBody>,
    /// Its steps, first to last.
    steps: Vec<WorkStepBody>,
}

/// Everything about an order that was found.
pub(super) async fn detail(
    tx: &mut Tx,
    bearer: &BearerToken,
    order: &WorkOrder,
) -> Result<Option<OrderDetailBody>, StoreError> {
    let Some(summary) = work_order_list::find(tx, &bearer.person.scope, order.id).await? else { return Ok(None) };
    let steps = work_order::steps(tx, order.id).await?;
    let spent = time_spent(&steps, bearer.now);
    let used = part::used_on(tx, order.id).await?;
    Ok(Some(OrderDetailBody {
        order: summary.into(),
        battery_swollen: order.battery_swollen,
        erasure_waived: order.waiver.as_ref().map(|waiver| waiver.reason.clone()),
        offered: order.offered().to_vec(),
        inspections: work_inspection::of_order(tx, order.id).await?.into_iter().map(InspectionBody::from).collect(),
        parts: used
            .into_iter()
            .map(|one| PartUseBody {
                at: one.at.into(),
                kind: one.kind.to_string(),
                origin: one.origin.to_string(),
                count: one.count,
                unit_cents: one.unit_cents,
            })
            .collect(),
        time: spent
            .into_iter()
            .map(|one| SpentBody { stage: one.stage, seconds: one.millis / 1000, visits: one.visits })
            .collect(),
        steps: steps.into_iter().map(WorkStepBody::from).collect(),
    }))
}

/// Work orders, newest first
///
/// Roles: administrator, technician and refurbisher, within their sites.
#[utoipa::path(get, path = "/v1/work-orders", tag = "work orders", params(OrdersQuery), responses(
    (status = 200, body = PageBody<OrderBody>), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<PageBody<OrderBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeWorkOrders, Object::OwnScope), "")?;
    let after = page::after(query.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
        return Err(page::foreign_cursor());
    }
    let limit = page::limit(query.limit)?.into();
    let query = OrderQuery { stage: query.stage, closed: query.closed, after, limit };
    let mut tx = app.store.read().await?;
    let page = work_order_list::list(&mut tx, &bearer.person.scope, &query).await?;
    Ok(Json(PageBody::of(page, OrderBody::from)))
}

/// One work order with its steps, findings, parts and time at each stage
///
/// Roles: administrator, technician and refurbisher, within their sites.
#[utoipa::path(get, path = "/v1/work-orders/{id}", tag = "work orders",
    params(("id" = Uuid, Path, description = "The work order")), responses((status = 200, body = OrderDetailBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<OrderDetailBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeWorkOrders, Object::OwnScope), "")?;
    let mut tx = app.store.read().await?;
    let order = work_order::find(&mut tx, &bearer.person.scope, id).await?;
    let order = order.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    let body = detail(&mut tx, &bearer, &order).await?;
    Ok(Json(body.ok_or_else(|| Problem::not_found(UNKNOWN))?))
}
