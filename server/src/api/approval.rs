//! Requests to join: machines that a person lets in, or does not, one or many at once.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    act::{clerk, reason},
    device_list::site_of,
    extract::{Body, Query},
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        approval::{Effect, Hindrance, MOST_AT_ONCE, Ruling, Source, WaitsFor},
        device::DeviceStatus,
        loan::LendingState,
    },
    store::{
        approval::{self, Chosen, DecideError, Decided, Outcome},
        approval_queue::{self, Asking, Known, QueueQuery},
        page::CursorKey,
    },
};

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RequestsQuery {
    /// Only those that wait for this reason.
    #[param(inline)]
    waits_for: Option<WaitsFor>,
    /// Only of this site, by its UAI code.
    site: Option<String>,
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Rows on the page, 1 to 200.
    limit: Option<u16>,
}

/// A machine that asks to be let in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RequestBody {
    /// Never given to another.
    id: Uuid,
    /// A key that waits for a known device, one that belongs to none yet, or a device's own whose certificate has ended.
    source: Source,
    /// Why it waits.
    waits_for: WaitsFor,
    /// Since when it asks.
    since: Moment,
    /// The day on which it last asked, by its beginning; null for a device's own key.
    last_asked_on: Option<Moment>,
    /// When it lapses if nobody decides and its machine asks no more; null for a device's own key, which waits as long as it takes.
    lapses_at: Option<Moment>,
    /// The machine's serial number.
    serial_number: Option<String>,
    /// Its maker.
    manufacturer: Option<String>,
    /// Its model.
    model: Option<String>,
    /// The label of the token that it brought.
    token: Option<String>,
    /// Whether it named a key that it lost, which proves nothing.
    by_lost_key: bool,
    /// The device whose key that is; null for one of a site that you do not see.
    lost_key_of: Option<Uuid>,
    /// The site that it would belong to, or does.
    site_id: Option<Uuid>,
    /// That site's name.
    site_name: Option<String>,
    /// What letting it in would do: `new_device`; `first_key`, `replaces` or `renews` of the device beside; `impossible`.
    /// A first or another key puts that device in service: where its `status` is `quarantined`, `revoked` or `released`, that
    /// ends.
    effect: &'static str,
    /// Why it cannot be let in; null where it can.
    hindrance: Option<Hindrance>,
    /// The device that is known, where the machine says that it is one.
    device: Option<KnownBody>,
}

/// A device that a machine says it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KnownBody {
    /// Its id.
    id: Uuid,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its label.
    asset_tag: Option<String>,
    /// Where it stands.
    status: DeviceStatus,
    /// Whether it was put away.
    archived: bool,
    /// Where it is.
    lending_state: Option<LendingState>,
    /// When it was last heard of.
    last_contact_at: Option<Moment>,
}

impl From<Known> for KnownBody {
    fn from(known: Known) -> Self {
        Self {
            id: known.id.0,
            serial_number: known.serial_number,
            asset_tag: known.asset_tag,
            status: known.status,
            archived: known.archived,
            lending_state: known.lending,
            last_contact_at: known.last_contact_at.map(Moment),
        }
    }
}

impl From<Asking> for RequestBody {
    fn from(asking: Asking) -> Self {
        let hindrance = if let Effect::Impossible(hindrance) = asking.effect { Some(hindrance) } else { None };
        Self {
            id: asking.id,
            source: asking.source,
            waits_for: asking.waits_for,
            since: asking.since.into(),
            last_asked_on: asking.last_asked_on.map(|day| Moment(day.start())),
            lapses_at: asking.lapses_at.map(Moment),
            serial_number: asking.serial_number,
            manufacturer: asking.manufacturer,
            model: asking.model,
            token: asking.token,
            by_lost_key: asking.by_lost_key,
            lost_key_of: asking.lost_key_of.map(|known| known.id.0),
            site_id: asking.site,
            site_name: asking.site_name,
            effect: asking.effect.code(),
            hindrance,
            device: asking.known.map(KnownBody::from),
        }
    }
}

/// A decision about one or many.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    /// `approve` lets them in, `refuse` does not.
    decision: Ruling,
    /// Which requests: 1 to 100.
    ids: Vec<Uuid>,
    /// Why they are refused; stands in the audit. Needed for a refusal.
    reason: Option<String>,
}

/// What became of one request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecidedBody {
    /// Which one.
    id: Uuid,
    /// `approved`, `refused`, `already` (somebody decided about it before) or `impossible`.
    outcome: &'static str,
    /// The device that it was let in as.
    device: Option<Uuid>,
    /// Why it cannot be let in; null where it can.
    hindrance: Option<Hindrance>,
}

/// What became of all of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionsBody {
    /// In the order of their ids.
    items: Vec<DecidedBody>,
}

impl From<Decided> for DecidedBody {
    fn from(decided: Decided) -> Self {
        let (device, hindrance) = match decided.outcome {
            Outcome::Approved(device) => (Some(device.0), None),
            Outcome::Impossible(hindrance) => (None, Some(hindrance)),
            Outcome::Refused | Outcome::Already | Outcome::Changed => (None, None),
        };
        Self { id: decided.id, outcome: decided.outcome.code(), device, hindrance }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Unknown => Self::not_found("There is no request with one of these ids among those you see."),
            DecideError::TooMany => Self::unprocessable(format!("`ids` holds 1 to {MOST_AT_ONCE} requests.")),
            DecideError::Store(error) => error.into(),
        }
    }
}

/// Machines that ask to be let in, oldest first
///
/// Roles: administrator and technician, within their sites.
#[utoipa::path(get, path = "/v1/enrolment-requests", tag = "enrolment", params(RequestsQuery), responses(
    (status = 200, body = PageBody<RequestBody>), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<RequestsQuery>,
) -> Result<Json<PageBody<RequestBody>>, Problem> {
    Problem::check(bearer.person.can(Action::AdmitDevice, Object::OwnScope), "")?;
    let scope = &bearer.person.scope;
    let after = page::after(query.after.as_deref())?;
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
        return Err(page::foreign_cursor());
    }
    let mut tx = app.store.read().await?;
    let query = QueueQuery {
        waits_for: query.waits_for,
        site: site_of(&mut tx, scope, query.site.as_deref()).await?,
        after,
        limit: page::limit(query.limit)?.into(),
    };
    let page = approval_queue::list(&mut tx, scope, &query).await?;
    Ok(Json(PageBody::of(page, RequestBody::from)))
}

/// Let machines in, or refuse them
///
/// All in one unit of work. An id that you do not see ends it with 404 and nothing is decided; one that somebody else
/// decided about meanwhile is told and left alone. A device that was set aside, revoked or released is in service again once a
/// key is let in for it. Roles: administrator and technician, within their sites.
#[utoipa::path(post, path = "/v1/enrolment-requests/decide", tag = "enrolment", request_body = DecideBody,
    responses((status = 200, body = DecisionsBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn decide(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<DecideBody>,
) -> Result<Json<DecisionsBody>, Problem> {
    Problem::check(bearer.person.can(Action::AdmitDevice, Object::OwnScope), "")?;
    let why = match body.decision {
        Ruling::Approve => None,
        Ruling::Refuse => Some(reason(body.reason.as_deref().unwrap_or_default())?),
    };
    if body.ids.is_empty() {
        return Err(DecideError::TooMany.into());
    }
    let chosen: Chosen = body.ids.iter().map(|id| (*id, None)).collect();
    let mut tx = app.store.write().await?;
    let decided = approval::decide(&mut tx, clerk(&app, &bearer), body.decision, why, &chosen).await?;
    tx.commit().await?;
    Ok(Json(DecisionsBody { items: decided.into_iter().map(DecidedBody::from).collect() }))
}
