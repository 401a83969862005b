//! What scripts do about the certificates of other systems' agents.

use axum::{extract::State, http::StatusCode};
use uuid::Uuid;

use super::{act::clerk, device_act::device_for, extract::Path, problem::Problem};
use crate::{
    app::App,
    auth::{Action, BearerToken},
    store::foreign_agent,
};

/// End the certificate with which GLPI Agent or FusionInventory reports for a device
///
/// From its next request on. Another one is issued by `cartable-server foreign-agent issue`. Roles: administrator and
/// technician, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/foreign-agent/revoke", tag = "devices",
    params(("id" = Uuid, Path, description = "The device")), responses((status = 204),
    (status = 401, response = Problem), (status = 403, response = Problem), (status = 404, response = Problem),
    (status = 422, response = Problem)))]
pub async fn revoke(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &bearer, id, Action::AdmitDevice).await?;
    if !foreign_agent::revoke(&mut tx, found.id, clerk(&app, &bearer)).await? {
        return Err(Problem::unprocessable("No agent of another system has a certificate for this device."));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
