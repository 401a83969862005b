//! POST /v1/check-in: one contact, with its reports. Answered only after all of it is durable.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::{
    limits::SPOOLED_REPORTS_PER_CHECK_IN,
    protocol::{CheckInRequest, CheckInResponse},
    trust::FIRST_BUNDLE,
};

use super::{
    DevicePort, actions,
    identity::{DeviceIdentity, key_cloned},
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{exam, lease, schedule::next_check_in_seconds},
    random,
    store::{
        StoreError, cloned_key,
        enrolment::replace_others,
        ingest::{CheckIn, IngestError},
        trust_bundle,
    },
};

/// Takes a check-in.
pub(super) async fn check_in(
    State(port): State<DevicePort>,
    identity: DeviceIdentity,
    message: Message<CheckInRequest>,
) -> Result<Json<CheckInResponse>, Refusal> {
    port.count_unknown_fields(message.unknown_fields);
    if message.value.reports.len() > SPOOLED_REPORTS_PER_CHECK_IN {
        let detail = format!("A check-in carries at most {SPOOLED_REPORTS_PER_CHECK_IN} reports; send the rest after.");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "too-many-reports", "Too many reports", detail));
    }
    if identity.has_predecessor {
        end_predecessors(&port, &identity).await.map_err(|error| unavailable(&error))?;
    }
    let (mark, held) = (message.value.disclosure_mark, message.value.trust_bundle);
    let running = message.value.agent_version.clone();
    let mut request = message.value;
    let results = std::mem::take(&mut request.action_results);
    let check_in = CheckIn {
        device_id: identity.device,
        enrolment_id: identity.enrolment,
        received_at: identity.arrived,
        request,
    };
    let heal = is_cloned(&port, &identity).await.map_err(|error| unavailable(&error))?;
    let receipt = port.ingest.check_in(check_in).await.map_err(|error| refusal(&error))?;
    note_bundle(&port, &identity, held).await;
    let actions_answered = actions::take(&port, &identity, &results).await.map_err(|error| unavailable(&error))?;
    let interval = next_check_in_seconds(identity.device, identity.arrived, &port.policy, random::spread());
    let exams = port.exams.near(identity.arrived).await;
    let told = exam::tell(&exams, identity.site, interval, identity.arrived);
    // In an exam nothing is to be done.
    let actions = if told.exams_for_seconds.is_some() { None } else { actions::tell(&port, &identity).await };
    let update = port.stages.offer(&identity, running.as_str(), identity.arrived).await;
    Ok(Json(CheckInResponse {
        next_check_in_seconds: told.next_check_in_seconds,
        server_time: identity.arrived,
        acknowledged: receipt.acknowledged,
        refused: receipt.refused,
        content_hash: receipt.content_hash,
        renew: identity.is_full && lease::is_renewal_overdue(identity.not_before, identity.arrived),
        heal,
        exams_for_seconds: told.exams_for_seconds,
        disclosure: port.discloser.news(identity.due, mark),
        trust_bundle: port.authority.newer_bundle(held),
        actions,
        actions_answered,
        update,
    }))
}

/// Keeps which trust bundle the agent holds, where that changed: once per device in a rotation. It is for the operator's eyes,
/// and no reason to refuse a contact.
async fn note_bundle(port: &DevicePort, identity: &DeviceIdentity, held: Option<u32>) {
    let held = held.unwrap_or(FIRST_BUNDLE);
    if held == identity.trust_bundle {
        return;
    }
    if let Err(error) = trust_bundle::keep(&port.store, identity.enrolment, held).await {
        tracing::warn!(%error, "which roots a device trusts could not be kept");
    }
}

/// The first use of a device's new key ends the old one: only now is it sure that the agent has it.
pub(super) async fn end_predecessors(port: &DevicePort, identity: &DeviceIdentity) -> Result<(), StoreError> {
    let mut tx = port.store.write().await?;
    replace_others(&mut tx, identity.device, [identity.enrolment; 2], identity.arrived).await?;
    tx.commit().await
}

/// Whether the key is set aside because other machines have it too. Nobody is asked for a key that may do everything.
async fn is_cloned(port: &DevicePort, identity: &DeviceIdentity) -> Result<bool, StoreError> {
    if identity.is_full {
        return Ok(false);
    }
    let mut tx = port.store.read().await?;
    cloned_key::is_cloned(&mut tx, identity.enrolment).await
}

pub(super) fn unavailable(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the database refused");
    Refusal::unavailable(random::spread())
}

pub(super) fn refusal(error: &IngestError) -> Refusal {
    match error {
        IngestError::Busy => {
            tracing::warn!("check-ins arrive faster than they can be stored");
            Refusal::unavailable(random::spread())
        }
        // Its state changed between the look at it and the write.
        IngestError::NotInService(_) => {
            let detail = "This device is not in service. Ask the people who lend it.";
            Refusal::new(StatusCode::FORBIDDEN, "not-in-service", "Device not in service", detail)
        }
        IngestError::KeyCloned => key_cloned(),
        IngestError::Unavailable(_) => {
            tracing::error!(%error, "a check-in could not be stored");
            Refusal::unavailable(random::spread())
        }
        IngestError::Unstorable(_) => {
            tracing::error!(%error, "a check-in could not be stored");
            Refusal::internal()
        }
    }
}
