//! What scripts do about laptops whose certificate has ended and that may not recover by themselves.

use axum::{extract::State, http::StatusCode};
use uuid::Uuid;

use super::{act::clerk, device_act::device_for, extract::Path, problem::Problem};
use crate::{
    app::App,
    auth::{Action, BearerToken},
    domain::approval::Ruling,
    store::recovery,
};

/// Give a laptop a certificate although it was away for too long or too often
///
/// Its agent gets it when it asks next, within an hour. Roles: administrator and technician, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/recoveries/{recovery}/approve", tag = "devices",
    params(("id" = Uuid, Path, description = "The device"), ("recovery" = Uuid, Path, description = "What waits")),
    responses((status = 204), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn approve(
    State(app): State<App>,
    bearer: BearerToken,
    Path(named): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    decide(&app, &bearer, named, Ruling::Approve).await
}

/// Refuse a laptop that was away for too long or too often
///
/// Its key gets no certificate any more, and that cannot be taken back: it is enrolled again, with a new key. Roles: administrator and technician, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/recoveries/{recovery}/refuse", tag = "devices",
    params(("id" = Uuid, Path, description = "The device"), ("recovery" = Uuid, Path, description = "What waits")),
    responses((status = 204), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn refuse(
    State(app): State<App>,
    bearer: BearerToken,
    Path(named): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    decide(&app, &bearer, named, Ruling::Refuse).await
}

async fn decide(
    app: &App,
    bearer: &BearerToken,
    (id, waiting): (Uuid, Uuid),
    ruling: Ruling,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, bearer, id, Action::AdmitDevice).await?;
    // Dropping the unit of work undoes what was done to another device's.
    if recovery::decide(&mut tx, waiting, ruling, clerk(app, bearer)).await? != Some(found.id) {
        return Err(Problem::not_found("No such recovery of this device waits."));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
