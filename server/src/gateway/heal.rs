//! POST /v1/heal: the key of the connection is on several machines; one of them asks for a key of its own.
//!
//! The connection's certificate proves that the asker has the old key, which stands in for a token, and for one that never
//! ends: it opens fewer doors. The machine that the old key is bound to gets its own device again; one that is recorded and
//! awaited gets its device where more speaks for it than the key; everybody else waits for a person, as a newcomer.
//! [`clone::place`] decides; nothing is taken from a device on the word of a serial number once its old key has ended.
//!
//! The old key stays as it is until the new one is used: an answer that was lost is given again.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use cartable_common::{
    DeviceId, EnrolmentId, UtcMillis,
    machine::{Likeness, fingerprint, is_named},
    protocol::{EnrolPending, HealRequest},
};
use uuid::Uuid;

use super::{
    DevicePort,
    enrol::{PENDING_RETRY_SECONDS, bad_csr},
    grant::{self, GrantError},
    identity::{refused, registered, set_aside},
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{
        clone::{self, HEALING_DAYS, HEALINGS_PER_DEVICE, Place, Vouching},
        device::DeviceStatus,
        enrolment::{Arrival, EnrolmentStatus, Refused, Standing},
        lease::Lease,
        policy::Policy,
        scope::Scope,
    },
    pki::ProvenKey,
    store::{
        StoreError, Tx, certificate,
        cloned_key::{self, Noted, Shown, Stranger, Through},
        device,
        enrolment::{self, KeyHash, NewEnrolment, Registered},
        lapse,
        newcomer::{self, Newcomer, NewcomerState},
        review,
    },
};

/// The old key, as the connection proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShownKey {
    key: KeyHash,
    device: DeviceId,
    at: UtcMillis,
}

impl FromRequestParts<DevicePort> for ShownKey {
    type Rejection = Refusal;

    /// Turns away early whoever gets nothing whatever it asks; what counts is read again in the unit of work.
    async fn from_request_parts(parts: &mut Parts, port: &DevicePort) -> Result<Self, Refusal> {
        let (found, _, at) = registered(parts, port).await?;
        if found.standing() == Standing::Refused(Refused::OtherAgent) {
            return Err(refused(Refused::OtherAgent));
        }
        let mut tx = port.store.read().await.map_err(GrantError::from)?;
        voice(&mut tx, &found).await.map_err(GrantError::from)??;
        Ok(Self { key: found.key, device: found.device, at })
    }
}

/// What an old key may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// It vouches for new keys.
    Vouches,
    /// It hears what became of those that it vouched for.
    Hears,
}

async fn voice(tx: &mut Tx, old: &Registered) -> Result<Result<Voice, Refusal>, StoreError> {
    Ok(match clone::vouching(old.status, old.device_status) {
        Vouching::Good => Ok(Voice::Vouches),
        Vouching::Ended => {
            if cloned_key::is_cloned(tx, old.enrolment).await? {
                Ok(Voice::Vouches)
            } else if cloned_key::has_vouched(tx, old.enrolment).await? {
                Ok(Voice::Hears)
            } else {
                Err(refused(Refused::Replaced))
            }
        }
        Vouching::SetAside => Err(set_aside()),
        Vouching::Refused(why) => Err(refused(why)),
    })
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
        Decision::Pending => {
            tracing::warn!(device = %shown.device, "a machine with this device's key waits for a person");
            Ok((StatusCode::ACCEPTED, Json(pending())).into_response())
        }
        Decision::Refuse(refusal) => Err(refusal),
    }
}

enum Decision {
    Grant(Lease),
    Pending,
    Refuse(Refusal),
}

/// What is asked, and by whom, as it stands in this unit of work.
struct Asked<'a> {
    old: Shown,
    voice: Voice,
    request: &'a HealRequest,
    key: &'a ProvenKey,
    at: UtcMillis,
}

/// One unit of work: notes the stranger, and records the enrolment and the intent to sign, or the newcomer.
async fn decide(
    port: &DevicePort,
    shown: &ShownKey,
    request: &HealRequest,
    key: &ProvenKey,
) -> Result<Decision, GrantError> {
    let mut tx = port.store.write().await?;
    hold(&mut tx, shown, request, key).await?;
    let Some(old) = enrolment::of_key(&mut tx, &shown.key).await? else {
        return Ok(Decision::Refuse(refused(Refused::Replaced)));
    };
    let voice = match voice(&mut tx, &old).await? {
        Ok(voice) => voice,
        Err(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    let old = Shown { enrolment: old.enrolment, device: old.device, status: old.status };
    let asked = Asked { old, voice, request, key, at: shown.at };
    let decision = match enrolment::of_key(&mut tx, key.sha256()).await? {
        Some(known) => again(&mut tx, &asked, &known).await?,
        None => admit(&mut tx, &port.policy, &asked).await?,
    };
    if let Decision::Refuse(_) = decision {
        return Ok(decision);
    }
    tx.commit().await?;
    Ok(decision)
}

/// Holds back everybody else who may change what is decided here: who decides about this new key, enrols the same hardware,
/// or changes one of the devices. In the order of those, so that nobody waits in a circle; ingest takes the device first and
/// then its old key, as is done here after this.
async fn hold(tx: &mut Tx, shown: &ShownKey, request: &HealRequest, key: &ProvenKey) -> Result<(), StoreError> {
    newcomer::lock_key(tx, key.sha256()).await?;
    enrolment::lock_asking(tx, &request.hardware).await?;
    let recorded = match enrolment::arrival_of(tx, &request.hardware).await? {
        Arrival::NewDevice => None,
        Arrival::FirstEnrolment(device) | Arrival::Replacement(device) => Some(device.0),
    };
    device::lock(tx, std::iter::once(shown.device.0).chain(recorded)).await
}

/// The answer for a new key that was let in: what it got.
async fn again(tx: &mut Tx, asked: &Asked<'_>, known: &Registered) -> Result<Decision, GrantError> {
    if !is_its_own(tx, asked, known).await? {
        return Ok(Decision::Refuse(foreign_key()));
    }
    let is_full = match known.standing() {
        Standing::Full => true,
        Standing::ReportOnly => false,
        // Another key took the device since: this machine asks anew, and may have to wait.
        Standing::Refused(Refused::Replaced) => return Ok(Decision::Refuse(foreign_key())),
        Standing::Refused(why) => return Ok(Decision::Refuse(refused(why))),
    };
    match certificate::newest(tx, known.enrolment).await?.map(|row| row.lease) {
        Some(lease) if lease.not_after > asked.at => Ok(Decision::Grant(lease)),
        _ if !is_full => Ok(Decision::Refuse(set_aside())),
        // It ended before it was fetched. Another one for the same key is recovery's to give: the machine asks anew.
        Some(_) => Ok(Decision::Refuse(foreign_key())),
        None => grant::intend(tx, known.device, known.enrolment, asked.at).await.map(Decision::Grant),
    }
}

/// Whether `known` is what this machine asked for. An image may have been taken of a machine that asked: its request is
/// copied too.
async fn is_its_own(tx: &mut Tx, asked: &Asked<'_>, known: &Registered) -> Result<bool, StoreError> {
    let Some(healing) = cloned_key::healing_of(tx, known.enrolment).await? else { return Ok(false) };
    let hardware = &asked.request.hardware;
    let is_same_machine = match newcomer::of_key(tx, asked.key.sha256()).await? {
        // Firmware that was updated while it waited gives another fingerprint.
        Some(earlier) if is_named(&earlier.hardware) => Likeness::of(&earlier.hardware, hardware) != Likeness::Other,
        Some(_) | None => healing.machine == fingerprint(hardware).to_string(),
    };
    Ok(is_same_machine && healing.old == asked.old.enrolment && known.request == asked.request.request_id)
}

/// Lets a machine in, or makes it wait. One that waits already is let in as soon as it may come in by itself.
async fn admit(tx: &mut Tx, policy: &Policy, asked: &Asked<'_>) -> Result<Decision, GrantError> {
    let earlier = newcomer::of_key(tx, asked.key.sha256()).await?;
    let refusal = match &earlier {
        Some(earlier) => unlike(earlier, asked),
        None => (asked.voice == Voice::Hears).then(|| refused(Refused::Replaced)),
    };
    if let Some(refusal) = refusal {
        return Ok(Decision::Refuse(refusal));
    }
    let noted = note(tx, policy, asked).await?;
    let place = cloned_key::place(tx, &asked.old, &asked.request.hardware).await?;
    // Whoever fills the queue does not keep the device's own machine from its key.
    if earlier.is_none() && place != Place::Own && vouches_for_too_many(tx, asked).await? {
        return Ok(Decision::Refuse(too_many()));
    }
    let device = match place {
        Place::Own => Some(asked.old.device),
        Place::Recorded(device) => {
            device::set_status(tx, &Scope::Everything, device, DeviceStatus::Active).await?;
            device::set_enrolled(tx, device, asked.at).await?;
            Some(device)
        }
        Place::Waits(_) | Place::WaitsAnew => None,
    };
    let Some(device) = device else {
        let request = (asked.request.request_id, asked.key.sha256());
        if earlier.is_some() {
            lapse::asked(tx, request.1, asked.at).await?;
        } else {
            newcomer::insert_vouched(tx, request, (asked.old.enrolment, &asked.request.hardware), asked.at).await?;
        }
        tell(tx, policy, asked, noted, None).await?;
        return Ok(Decision::Pending);
    };
    let Some(lease) = let_in(tx, asked, device, earlier.as_ref()).await? else {
        return Ok(Decision::Refuse(foreign_key()));
    };
    tell(tx, policy, asked, noted, Some(&lease)).await?;
    Ok(Decision::Grant(lease))
}

/// Why a new key that asked before is not told more: it was refused, or another machine asked with it.
fn unlike(earlier: &Newcomer, asked: &Asked<'_>) -> Option<Refusal> {
    let is_its_own = earlier.shown.is_some_and(|shown| shown.enrolment == asked.old.enrolment)
        && earlier.request == asked.request.request_id
        && Likeness::of(&earlier.hardware, &asked.request.hardware) != Likeness::Other;
    if !is_its_own {
        return Some(foreign_key());
    }
    (earlier.state == NewcomerState::Refused).then(|| refused(Refused::Revoked))
}

/// Whether the keys of the device, which is held, vouch for as many machines as they may.
async fn vouches_for_too_many(tx: &mut Tx, asked: &Asked<'_>) -> Result<bool, StoreError> {
    let since = asked.at.plus_days(-HEALING_DAYS);
    let is_too_many = cloned_key::vouched_for(tx, asked.old.device, since).await? >= HEALINGS_PER_DEVICE;
    if is_too_many {
        tracing::error!(device = %asked.old.device, "a device's keys vouch for too many machines: was one stolen?");
    }
    Ok(is_too_many)
}

/// Notes the asker, where it is another machine than the key's.
async fn note(tx: &mut Tx, policy: &Policy, asked: &Asked<'_>) -> Result<Noted, StoreError> {
    let (Shown { enrolment, device, .. }, hardware) = (asked.old, &asked.request.hardware);
    if cloned_key::whose_of_device(tx, device, hardware).await? != Likeness::Other {
        return Ok(Noted::default());
    }
    let stranger = Stranger { enrolment, device, hardware: hardware.clone(), through: Through::Healing, at: asked.at };
    cloned_key::seen(tx, &stranger, policy).await
}

/// Enrols the new key for `device`. None where the newcomer that it is was decided otherwise.
async fn let_in(
    tx: &mut Tx,
    asked: &Asked<'_>,
    device: DeviceId,
    earlier: Option<&Newcomer>,
) -> Result<Option<Lease>, GrantError> {
    let id = EnrolmentId(Uuid::now_v7());
    let (request, key) = (asked.request.request_id, asked.key.sha256());
    let new = NewEnrolment { id, device, request, key, token: None, status: EnrolmentStatus::Active };
    enrolment::insert(tx, &new, asked.at).await?;
    let closed = match earlier {
        Some(earlier) => newcomer::close(tx, earlier.id, id, asked.at).await?,
        None => true,
    };
    if !closed {
        return Ok(None);
    }
    if device == asked.old.device {
        // Keys that were given for it before and never used are given up. The old one ends when this one is used.
        enrolment::replace_others(tx, device, [asked.old.enrolment, id], asked.at).await?;
    }
    cloned_key::healed(tx, id, (asked.old.enrolment, &asked.request.hardware), asked.at).await?;
    grant::intend(tx, device, id, asked.at).await.map(Some)
}

/// Judges the device of the old key where that makes a difference, and says what was done.
async fn tell(
    tx: &mut Tx,
    policy: &Policy,
    asked: &Asked<'_>,
    noted: Noted,
    granted: Option<&Lease>,
) -> Result<(), StoreError> {
    let Shown { enrolment, device, .. } = asked.old;
    if noted.held || noted.is_news || granted.is_some() {
        review::device(tx, device, policy, asked.at).await?;
    }
    if noted.held {
        cloned_key::tell(tx, enrolment, device, asked.at).await?;
    }
    if let Some(lease) = granted {
        cloned_key::tell_healing(tx, lease.enrolment, lease.device, asked.at).await?;
    }
    Ok(())
}

fn too_many() -> Refusal {
    let detail = "The keys of this device have vouched for too many machines, or too many wait. Decide about them in the \
                  console, or enrol this one with a token.";
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
