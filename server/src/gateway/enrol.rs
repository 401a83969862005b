//! POST /v1/enrol: a token, a key with proof of possession and a machine in; a certificate, or "wait for a person".
//!
//! A key is enrolled once: the same request again gives the same enrolment, whatever became of the first answer.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, Extension, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use cartable_common::{
    DeviceId, EnrolmentId, Text, UtcMillis,
    protocol::{EnrolPending, EnrolRequest},
    report::Hardware,
};
use uuid::Uuid;

use super::{
    EnrolPort,
    grant::{self, GrantError},
    identity::{Arrived, refused},
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{
        device::DeviceStatus,
        enrolment::{Arrival, EnrolmentStatus, Refused, Standing, arrival, is_same_maker, standing},
        enrolment_token::TokenText,
        lease::Lease,
        scope::Scope,
    },
    pki::{InvalidCsr, ProvenKey},
    store::{
        Tx, certificate,
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment, Registered},
        enrolment_token::{self, Admission},
    },
};

/// When an agent that waits for approval asks again.
pub(super) const PENDING_RETRY_SECONDS: u32 = 60 * 60;

/// Enrols.
pub(super) async fn enrol(
    State(port): State<EnrolPort>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(Arrived(now)): Extension<Arrived>,
    message: Message<EnrolRequest>,
) -> Result<Response, Refusal> {
    let request = message.value;
    if let Some(seconds) = port.throttle.wait_seconds(peer.ip(), now) {
        let detail = "Too many unknown tokens came from this address. Wait a minute and check what is typed.";
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "throttled", "Too many attempts", detail)
            .retry_after(seconds)
            .closing());
    }
    let token = TokenText::parse(&request.token)
        .map_err(|error| Refusal::new(StatusCode::FORBIDDEN, "token-mistyped", "Token mistyped", error.to_string()))?;
    let key = ProvenKey::from_csr_pem(&request.csr_pem).map_err(bad_csr)?;
    // The semaphore is never closed.
    let _turn = port.turns.acquire().await.map_err(|_| Refusal::internal())?;
    let decision = decide(&port, &request, &token, &key, now).await?;
    match decision {
        Decision::Grant(lease) => {
            let chain = grant::sign(&port.store, port.authority.devices(), &key, &lease).await?;
            tracing::info!(device = %lease.device, enrolment = %lease.enrolment, "device enrolled");
            Ok(Json(grant::grant(&lease, chain, &port.policy, now)).into_response())
        }
        Decision::Pending(device) => {
            tracing::warn!(%device, "an enrolment waits for approval: the device is known already");
            Ok((StatusCode::ACCEPTED, Json(pending())).into_response())
        }
        Decision::Refuse(refusal) => Err(refusal),
        Decision::UnknownToken => {
            port.throttle.count(peer.ip(), now);
            Err(useless_token())
        }
    }
}

enum Decision {
    Grant(Lease),
    Pending(DeviceId),
    Refuse(Refusal),
    UnknownToken,
}

/// One unit of work: uses the token, finds or adds the device, records the enrolment and the intent to sign.
async fn decide(
    port: &EnrolPort,
    request: &EnrolRequest,
    token: &TokenText,
    key: &ProvenKey,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    let mut tx = port.store.write().await?;
    let known = enrolment::of_key(&mut tx, key.sha256()).await?;
    if let Some(known) = known.as_ref().filter(|known| known.request == request.request_id) {
        let decision = again(&mut tx, known, now).await?;
        tx.commit().await?;
        return Ok(decision);
    }
    let Some(admission) = enrolment_token::use_once(&mut tx, &token.sha256(), now).await? else {
        let known_token = enrolment_token::is_known(&mut tx, &token.sha256()).await?;
        return Ok(if known_token { Decision::Refuse(useless_token()) } else { Decision::UnknownToken });
    };
    let decision = match known {
        // The agent kept its key and forgot the rest.
        Some(known) => again(&mut tx, &known, now).await?,
        None => admit(&mut tx, request, key, &admission, now).await?,
    };
    if let Decision::Refuse(_) = decision {
        // Dropping the unit of work gives the token's use back.
        return Ok(decision);
    }
    tx.commit().await?;
    Ok(decision)
}

/// The answer for a key that is enrolled already: its recorded certificate while it is good, else a new one.
async fn again(tx: &mut Tx, known: &Registered, now: UtcMillis) -> Result<Decision, GrantError> {
    match standing(known.status, known.device_status) {
        Standing::Full | Standing::ReportOnly => {}
        Standing::Refused(Refused::Pending) => return Ok(Decision::Pending(known.device)),
        Standing::Refused(why) => return Ok(Decision::Refuse(refused(why))),
    }
    if let Some(newest) = certificate::newest(tx, known.enrolment).await?.filter(|row| row.lease.not_after > now) {
        return Ok(Decision::Grant(newest.lease));
    }
    grant::intend(tx, known.device, known.enrolment, now).await.map(Decision::Grant)
}

async fn admit(
    tx: &mut Tx,
    request: &EnrolRequest,
    key: &ProvenKey,
    admission: &Admission,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    let (device, status) = match find_device(tx, &request.hardware).await? {
        Arrival::NewDevice => {
            let new = NewDevice {
                id: DeviceId(Uuid::now_v7()),
                status: DeviceStatus::Active,
                hardware: request.hardware.clone(),
                asset_tag: None,
                programme: admission.programme.clone(),
                site: Some(admission.site_id),
                enrolled_at: Some(now),
            };
            device::insert(tx, &new, now).await?;
            (new.id, EnrolmentStatus::Active)
        }
        Arrival::FirstEnrolment(device) => {
            device::set_status(tx, &Scope::Everything, device, DeviceStatus::Active).await?;
            device::set_enrolled(tx, device, now).await?;
            (device, EnrolmentStatus::Active)
        }
        Arrival::Replacement(device) => (device, EnrolmentStatus::Pending),
    };
    let id = EnrolmentId(Uuid::now_v7());
    let new =
        NewEnrolment { id, device, request: request.request_id, key: key.sha256(), token: Some(admission.id), status };
    enrolment::insert(tx, &new, now).await?;
    if status == EnrolmentStatus::Pending {
        return Ok(Decision::Pending(device));
    }
    grant::intend(tx, device, id, now).await.map(Decision::Grant)
}

/// What the asking hardware is: by serial number, or by system UUID where it has none.
pub(super) async fn find_device(tx: &mut Tx, hardware: &Hardware) -> Result<Arrival, GrantError> {
    let rows = if let Some(serial) = hardware.serial_number.get() {
        enrolment::lock_hardware(tx, serial.as_str()).await?;
        let mut rows = device::by_serial(tx, &Scope::Everything, serial).await?;
        // Two makers may give one number.
        rows.retain(|row| is_same_maker(row.manufacturer.as_deref(), hardware.manufacturer.as_ref().map(Text::as_str)));
        rows
    } else if let Some(&uuid) = hardware.system_uuid.get() {
        enrolment::lock_hardware(tx, &uuid.to_string()).await?;
        device::by_system_uuid(tx, &Scope::Everything, uuid).await?
    } else {
        Vec::new()
    };
    Ok(arrival(&enrolment::candidates(tx, &rows).await?))
}

/// The same words for every token that lets nobody in: a stranger learns nothing from them.
fn useless_token() -> Refusal {
    let detail =
        "This token lets no device in: it is unknown, used up, expired or ended. Make a new one in the console.";
    Refusal::new(StatusCode::FORBIDDEN, "token", "Token refused", detail)
}

pub(super) fn bad_csr(error: InvalidCsr) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "certificate-request", "Certificate request refused", error.to_string())
}

fn pending() -> EnrolPending {
    let reason = "This device is known already. A person must approve the new installation in the console.";
    EnrolPending { retry_after_seconds: PENDING_RETRY_SECONDS, reason: reason.to_owned() }
}
