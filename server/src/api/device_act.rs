//! What scripts do to devices: their asset tag, the archive, and letting in an agent that waits.

use axum::{extract::State, http::StatusCode};
use cartable_common::{DeviceId, EnrolmentId};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{clerk, reason, record},
    device_record::UNKNOWN,
    extract::{Body, Path},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::device_record::MAX_ASSET_TAG_CHARS,
    store::{
        Tx, approval,
        device::{self, DeviceRow},
        device_archive::{self, Archiving, Unarchiving},
        enrolment, review,
    },
};

/// A device's label.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetTagBody {
    /// What staff stuck on it; null for nothing.
    asset_tag: Option<String>,
}

/// Why a device is archived, or taken out of the archive.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveBody {
    /// Stands in the audit and on the device.
    reason: String,
}

/// The device, if the token's person may do `action` to it.
pub(super) async fn device_for(
    tx: &mut Tx,
    bearer: &BearerToken,
    id: Uuid,
    action: Action,
) -> Result<DeviceRow, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(action, Object::OwnScope), "")?;
    let found = device::find(tx, &person.scope, DeviceId(id)).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(action, Object::OfSite(found.site)), UNKNOWN)?;
    Ok(found)
}

/// Set a device's asset tag
///
/// Roles: administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/asset-tag", tag = "devices", request_body = AssetTagBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn set_asset_tag(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<AssetTagBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let before = device_for(&mut tx, &bearer, id, Action::ChangeDevice).await?;
    let tag = body.asset_tag.as_deref().map(str::trim).filter(|tag| !tag.is_empty());
    if tag.is_some_and(|tag| tag.chars().count() > MAX_ASSET_TAG_CHARS || tag.contains(char::is_control)) {
        return Err(Problem::unprocessable(format!("`asset_tag` has at most {MAX_ASSET_TAG_CHARS} characters.")));
    }
    match device::set_asset_tag(&mut tx, &bearer.person.scope, before.id, tag).await {
        Err(error) if error.is_duplicate_of("asset_tag") => {
            return Err(Problem::unprocessable("Another device has this asset tag."));
        }
        other => other?,
    };
    let details = json!({ "before": before.asset_tag, "after": tag });
    record(&mut tx, &bearer, "device.set_asset_tag", ("device", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put a device away for good
///
/// Everything about it is kept. Refused while it is lent or reserved, since what is owed would be hidden with it, and while its work order is open. Roles: administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/archive", tag = "devices", request_body = ArchiveBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn archive(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ArchiveBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &bearer, id, Action::ChangeDevice).await?;
    let reason = reason(&body.reason)?;
    match device_archive::archive(&mut tx, &bearer.person.scope, found.id, reason, bearer.now).await? {
        Archiving::Done => {}
        Archiving::Unknown => return Err(Problem::not_found(UNKNOWN)),
        Archiving::Lent => {
            let why = "The device is lent or reserved for a borrower: take it back, or end the loan otherwise, first.";
            return Err(Problem::unprocessable(why));
        }
        Archiving::OnBench => {
            return Err(Problem::unprocessable("The device is on the bench: finish its work order first."));
        }
    }
    record(&mut tx, &bearer, "device.archive", ("device", id), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a device out of the archive
///
/// It is judged anew. Refused for one that was given away. Roles: administrator, programme manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/unarchive", tag = "devices", request_body = ArchiveBody,
    params(("id" = Uuid, Path, description = "The device")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn unarchive(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<ArchiveBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &bearer, id, Action::ChangeDevice).await?;
    let reason = reason(&body.reason)?;
    match device_archive::unarchive(&mut tx, &bearer.person.scope, found.id, &app.policy, bearer.now).await? {
        Unarchiving::Done => {}
        Unarchiving::Unknown => return Err(Problem::not_found(UNKNOWN)),
        Unarchiving::Given => {
            return Err(Problem::unprocessable("The device was given away: it stays in the archive."));
        }
    }
    record(&mut tx, &bearer, "device.unarchive", ("device", id), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let in the agent that was installed on a device known already
///
/// A device that was set aside, revoked or released is in service again with that. Roles: administrator and technician, within their sites.
#[utoipa::path(post, path = "/v1/devices/{id}/enrolments/{enrolment}/approve", tag = "devices",
    params(("id" = Uuid, Path, description = "The device"), ("enrolment" = Uuid, Path, description = "What waits")),
    responses((status = 204), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 404, response = Problem)))]
pub async fn approve(
    State(app): State<App>,
    bearer: BearerToken,
    Path((id, enrolment)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let enrolment = EnrolmentId(enrolment);
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &bearer, id, Action::AdmitDevice).await?;
    let waiting = enrolment::pending(&mut tx, &bearer.person.scope).await?;
    let is_its_own = waiting.iter().any(|one| one.enrolment == enrolment && one.device == found.id);
    if !is_its_own || !enrolment::approve(&mut tx, enrolment, bearer.now).await? {
        return Err(Problem::not_found("No such enrolment of this device waits."));
    }
    review::device(&mut tx, found.id, &app.policy, bearer.now).await?;
    let details = json!({ "device": found.id });
    record(&mut tx, &bearer, "enrolment.approve", ("enrolment", enrolment.0), details).await?;
    approval::record_lifted(&mut tx, clerk(&app, &bearer), found.id, found.status).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
