//! POST /v1/heal: the key of the connection is on several machines; one of them asks for a key of its own.
//!
//! The connection's certificate proves that the asker has the old key, which stands in for a token. It opens no more doors
//! than a token does: the machine that the old key is bound to gets its own device again, one that is recorded and awaited
//! gets its device, everybody else waits for a person. [`clone::place`] decides; nothing is taken from a device on the word
//! of a serial number once its old key has ended.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use cartable_common::{
    DeviceId, EnrolmentId, UtcMillis,
    machine::Likeness,
    protocol::{EnrolPending, HealRequest},
};
use uuid::Uuid;

use super::{
    DevicePort,
    enrol::{PENDING_RETRY_SECONDS, bad_csr},
    grant::{self, GrantError},
    identity::{is_cloned, refused, registered},
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{
        clone::{self, HEALING_DAYS, HEALINGS_PER_KEY, Place},
        device::DeviceStatus,
        enrolment::{Arrival, EnrolmentStatus, Refused, Standing, standing},
        lease::Lease,
        policy::Policy,
        scope::Scope,
    },
    pki::ProvenKey,
    store::{
        Tx, certificate,
        cloned_key::{self, Healing, Stranger},
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment, Registered},
        review,
    },
};

/// The old key, as the connection proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShownKey {
    enrolment: EnrolmentId,
    device: DeviceId,
    status: EnrolmentStatus,
    at: UtcMillis,
}

impl FromRequestParts<DevicePort> for ShownKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, port: &DevicePort) -> Result<Self, Refusal> {
        let (found, _, at) = registered(parts, port).await?;
        if found.device_status == DeviceStatus::Released {
            return Err(refused(Refused::Released));
        }
        if let Standing::Refused(why) = standing(found.status, found.device_status) {
            // A key that ended vouches for nobody, unless it ended because it was on several machines.
            let may = why == Refused::Replaced && is_cloned(port, &found).await.map_err(GrantError::from)?;
            if !may {
                return Err(refused(why));
            }
        }
        Ok(Self { enrolment: found.enrolment, device: found.device, status: found.status, at })
    }
}

/// Heals.
pub(super) async fn heal(
    State(port): State<DevicePort>,
    shown: ShownKey,
    message: Message<HealRequest>,
) -> Result<Response, Refusal> {
    port.count_unknown_fields(message.unknown_fields);
    let key = ProvenKey::from_csr_pem(&message.value.csr_pem).map_err(bad_csr)?;
    match decide(&port, &shown, &message.value, &key).await? {
        Decision::Grant(lease) => {
            let chain = grant::sign(&port.store, port.authority.devices(), &key, &lease).await?;
            tracing::info!(device = %lease.device, enrolment = %lease.enrolment, "a cloned key was replaced");
            Ok(Json(grant::grant(&lease, chain, &port.policy, shown.at)).into_response())
        }
        Decision::Pending(device) => {
            tracing::warn!(%device, "a machine with a cloned key waits for approval");
            Ok((StatusCode::ACCEPTED, Json(pending())).into_response())
        }
        Decision::Refuse(refusal) => Err(refusal),
    }
}

enum Decision {
    Grant(Lease),
    Pending(DeviceId),
    Refuse(Refusal),
}

/// One unit of work: notes the stranger, finds or adds the device, records the enrolment and the intent to sign.
async fn decide(
    port: &DevicePort,
    shown: &ShownKey,
    request: &HealRequest,
    key: &ProvenKey,
) -> Result<Decision, GrantError> {
    let mut tx = port.store.write().await?;
    let decision = match enrolment::of_key(&mut tx, key.sha256()).await? {
        Some(known) => again(&mut tx, &port.policy, shown, request, &known).await?,
        None => admit(&mut tx, &port.policy, shown, request, key).await?,
    };
    if let Decision::Refuse(_) = decision {
        return Ok(decision);
    }
    tx.commit().await?;
    Ok(decision)
}

async fn admit(
    tx: &mut Tx,
    policy: &Policy,
    shown: &ShownKey,
    request: &HealRequest,
    key: &ProvenKey,
) -> Result<Decision, GrantError> {
    let since = shown.at.plus_days(-HEALING_DAYS);
    if cloned_key::healings_since(tx, shown.enrolment, since).await? >= HEALINGS_PER_KEY {
        tracing::error!(device = %shown.device, "a cloned key vouches for too many machines: was it stolen?");
        return Ok(Decision::Refuse(too_many()));
    }
    let (place, held) = place(tx, policy, shown, request).await?;
    let (device, status) = settle(tx, shown, request, place).await?;
    let id = EnrolmentId(Uuid::now_v7());
    let new = NewEnrolment { id, device, request: request.request_id, key: key.sha256(), token: None, status };
    enrolment::insert(tx, &new, shown.at).await?;
    let healing = Healing { old: shown.enrolment, hardware: request.hardware.clone() };
    cloned_key::healed(tx, id, &healing, shown.at).await?;
    finish(tx, policy, shown, (id, device, status), held).await
}

/// The answer for a new key that asked before: what it got, or a better place than the one where it waits.
async fn again(
    tx: &mut Tx,
    policy: &Policy,
    shown: &ShownKey,
    request: &HealRequest,
    known: &Registered,
) -> Result<Decision, GrantError> {
    let healing = cloned_key::healing_of(tx, known.enrolment).await?;
    let is_same = healing.is_some_and(|healing| {
        // An image may have been taken of a machine that waits: its request is copied too.
        healing.old == shown.enrolment && Likeness::of(&healing.hardware, &request.hardware) != Likeness::Other
    });
    if !is_same || known.request != request.request_id {
        return Ok(Decision::Refuse(foreign_key()));
    }
    match standing(known.status, known.device_status) {
        Standing::Full | Standing::ReportOnly => {
            if let Some(newest) =
                certificate::newest(tx, known.enrolment).await?.filter(|row| row.lease.not_after > shown.at)
            {
                return Ok(Decision::Grant(newest.lease));
            }
            grant::intend(tx, known.device, known.enrolment, shown.at).await.map(Decision::Grant)
        }
        Standing::Refused(Refused::Pending) => {
            let (place, held) = place(tx, policy, shown, request).await?;
            let waits_already = match place {
                Place::Waits(device) => device == known.device,
                Place::WaitsAnew => known.device != shown.device,
                Place::Own | Place::Recorded(_) => false,
            };
            let (device, status) = if waits_already {
                (known.device, EnrolmentStatus::Pending)
            } else {
                let settled = settle(tx, shown, request, place).await?;
                cloned_key::place_anew(tx, known.enrolment, settled).await?;
                settled
            };
            if waits_already && !held {
                return Ok(Decision::Pending(device));
            }
            finish(tx, policy, shown, (known.enrolment, device, status), held).await
        }
        Standing::Refused(why) => Ok(Decision::Refuse(refused(why))),
    }
}

/// Where the asker goes. One that is another machine than the key's is noted; whether that set the key aside just now.
async fn place(
    tx: &mut Tx,
    policy: &Policy,
    shown: &ShownKey,
    request: &HealRequest,
) -> Result<(Place, bool), GrantError> {
    let hardware = &request.hardware;
    let whose = cloned_key::whose_of_device(tx, shown.device, hardware).await?;
    let mut held = false;
    if whose == Likeness::Other {
        let (enrolment, device, at) = (shown.enrolment, shown.device, shown.at);
        let stranger = Stranger { enrolment, device, hardware: hardware.clone(), at };
        held = cloned_key::seen(tx, &stranger, policy).await?;
    }
    let arrival = match whose {
        Likeness::Other => {
            enrolment::lock_asking(tx, hardware).await?;
            enrolment::arrival_of(tx, hardware).await?
        }
        Likeness::Same | Likeness::Unknown => Arrival::NewDevice,
    };
    let suspicion = cloned_key::suspicion(tx, shown.device).await?;
    Ok((clone::place(whose, arrival, (shown.device, shown.status), suspicion), held))
}

/// Makes `place` so.
async fn settle(
    tx: &mut Tx,
    shown: &ShownKey,
    request: &HealRequest,
    place: Place,
) -> Result<(DeviceId, EnrolmentStatus), GrantError> {
    match place {
        Place::Own => Ok((shown.device, EnrolmentStatus::Active)),
        Place::Recorded(device) => {
            device::set_status(tx, &Scope::Everything, device, DeviceStatus::Active).await?;
            device::set_enrolled(tx, device, shown.at).await?;
            Ok((device, EnrolmentStatus::Active))
        }
        Place::Waits(device) => Ok((device, EnrolmentStatus::Pending)),
        Place::WaitsAnew => {
            // Where the machine of the key belongs: who looks after that one sees this one.
            let bound = device::find(tx, &Scope::Everything, shown.device).await?;
            let new = NewDevice {
                id: DeviceId(Uuid::now_v7()),
                status: DeviceStatus::Pending,
                hardware: request.hardware.clone(),
                asset_tag: None,
                programme: None,
                site: bound.and_then(|bound| bound.site),
                enrolled_at: None,
            };
            device::insert(tx, &new, shown.at).await?;
            Ok((new.id, EnrolmentStatus::Pending))
        }
    }
}

/// Ends the old key where its own machine has another, judges the device that it is bound to, and says what was done.
async fn finish(
    tx: &mut Tx,
    policy: &Policy,
    shown: &ShownKey,
    (enrolment, device, status): (EnrolmentId, DeviceId, EnrolmentStatus),
    held: bool,
) -> Result<Decision, GrantError> {
    let is_active = status == EnrolmentStatus::Active;
    if is_active && device == shown.device {
        cloned_key::end_old_key(tx, shown.enrolment, shown.at).await?;
    }
    review::device(tx, shown.device, policy, shown.at).await?;
    let decision = if is_active {
        Decision::Grant(grant::intend(tx, device, enrolment, shown.at).await?)
    } else {
        Decision::Pending(device)
    };
    if held {
        cloned_key::tell(tx, shown.enrolment, shown.device, shown.at).await?;
    }
    cloned_key::tell_healing(tx, enrolment, (device, status), shown.at).await?;
    Ok(decision)
}

fn too_many() -> Refusal {
    let detail = "This key has vouched for too many machines this week. Enrol this one with a token.";
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too-many-healings", "Too many machines", detail)
        .retry_after(PENDING_RETRY_SECONDS)
}

fn foreign_key() -> Refusal {
    let detail = "This new key was asked for by another machine, or for something else. Make another one.";
    Refusal::new(StatusCode::CONFLICT, "foreign-key", "Key in use", detail)
}

fn pending() -> EnrolPending {
    let reason = "The key of this machine is another's: an image was copied, or the main board exchanged. A person must \
                  approve the machine in the console.";
    EnrolPending { retry_after_seconds: PENDING_RETRY_SECONDS, reason: reason.to_owned() }
}
