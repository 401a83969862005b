//! Handling a flag: somebody knows of it, or it is set aside for a while.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{reason, record},
    extract::{Body, Path},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    store::flag,
};

/// Longest time for which a flag is set aside, in days: as long as the console offers.
const MAX_SNOOZE_DAYS: u16 = 90;
const UNKNOWN: &str = "No flag with this id is open among those you see.";

/// That somebody knows, and what is done about it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeBody {
    /// Stands beside the flag and in the audit.
    reason: String,
}

/// For how long a flag is set aside, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnoozeBody {
    /// How many days, 1 to 90.
    days: u16,
    /// Stands beside the flag and in the audit.
    reason: String,
}

/// Acknowledge a flag
///
/// Roles: administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/flags/{id}/acknowledge", tag = "flags", request_body = AcknowledgeBody,
    params(("id" = Uuid, Path, description = "The flag")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn acknowledge(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<AcknowledgeBody>,
) -> Result<StatusCode, Problem> {
    let (person, now) = (&bearer.person, bearer.now);
    Problem::check(person.can(Action::HandleFlag, Object::OwnScope), "")?;
    let reason = reason(&body.reason)?;
    let mut tx = app.store.write().await?;
    let done = flag::acknowledge(&mut tx, &person.scope, id, person.login.as_str(), reason, now).await?;
    let before = done.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    let details = json!({ "device": before.device_id, "code": before.code.as_str(), "reason": reason });
    record(&mut tx, &bearer, "flag.acknowledge", ("flag", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a flag aside for a while
///
/// Roles: administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/flags/{id}/snooze", tag = "flags", request_body = SnoozeBody,
    params(("id" = Uuid, Path, description = "The flag")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn snooze(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<SnoozeBody>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::HandleFlag, Object::OwnScope), "")?;
    let reason = reason(&body.reason)?;
    if !(1..=MAX_SNOOZE_DAYS).contains(&body.days) {
        return Err(Problem::unprocessable(format!("`days` is 1 to {MAX_SNOOZE_DAYS}.")));
    }
    let until = bearer.now.plus_days(i64::from(body.days));
    let mut tx = app.store.write().await?;
    let done = flag::snooze(&mut tx, &person.scope, id, person.login.as_str(), reason, until).await?;
    let before = done.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    let details = json!({
        "device": before.device_id, "code": before.code.as_str(), "reason": reason, "until": until.get(),
    });
    record(&mut tx, &bearer, "flag.snooze", ("flag", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
