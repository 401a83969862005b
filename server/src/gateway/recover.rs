//! POST /v1/recover: a registered key whose certificate has ended proves itself and gets another, or waits for a person.
//!
//! Two steps, without a client certificate. `/v1/recover/nonce` gives a nonce for a key; nothing is looked up or kept for
//! it. `/v1/recover` takes the nonce back with a certificate request and the registered key's signature over both. The
//! signature is verified before the database is asked, so that neither an answer nor its delay tells which keys exist:
//! a key that nobody knows and a signature that is wrong are one refusal. Whoever has proved the key is told the truth.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, Extension, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use cartable_common::{
    DeviceId, UtcMillis,
    protocol::{EnrolPending, RecoverNonce, RecoverNonceRequest, RecoverRequest, recovery_message},
};

use super::{
    EnrolPort,
    enrol::{PENDING_RETRY_SECONDS, bad_csr, bad_key},
    grant::{self, Asking, GrantError},
    identity::{Arrived, refused, released, set_aside},
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{
        device::DeviceStatus,
        enrolment::{EnrolmentKind, EnrolmentStatus, Refused, Standing},
        lease::Lease,
        recovery::{self, Cause, Earlier, NONCE_MILLIS},
    },
    pki::{Nonce, PresentedKey, ProvenKey},
    random,
    store::{
        StoreError, Tx,
        certificate::{self, CertificateRow},
        cloned_key,
        enrolment::{self, Registered},
        newcomer, recovery as recoveries,
    },
};

/// Gives a nonce, to anybody: it costs less than the handshake before it, and nothing is kept of it.
pub(super) async fn nonce(
    State(port): State<EnrolPort>,
    Extension(Arrived(now)): Extension<Arrived>,
    message: Message<RecoverNonceRequest>,
) -> Result<Json<RecoverNonce>, Refusal> {
    let key = PresentedKey::from_base64(&message.value.public_key).map_err(bad_key)?;
    let random = random::bytes().map_err(GrantError::from)?;
    Ok(Json(RecoverNonce {
        nonce: port.authority.nonces().give(key.sha256(), random, now),
        valid_for_seconds: u32::try_from(NONCE_MILLIS / 1000).unwrap_or(u32::MAX),
        server_time: now,
    }))
}

/// Recovers.
pub(super) async fn recover(
    State(port): State<EnrolPort>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(Arrived(now)): Extension<Arrived>,
    message: Message<RecoverRequest>,
) -> Result<Response, Refusal> {
    let proof = Proof::of(&port, &message.value, now).map_err(|refusal| counted(&port, peer, refusal, now))?;
    // The semaphore is never closed.
    let _turn = port.turns.acquire().await.map_err(|_| Refusal::internal())?;
    match decide(&port, &proof, now).await? {
        Decision::Grant(lease) => {
            let chain = grant::sign(&port.store, port.authority.devices(), &proof.next, &lease).await?;
            tracing::info!(device = %lease.device, enrolment = %lease.enrolment, "a certificate was recovered");
            Ok(Json(grant::grant(&lease, chain, &port.policy, now)).into_response())
        }
        Decision::Repeat(lease, chain) => Ok(Json(grant::grant(&lease, chain, &port.policy, now)).into_response()),
        Decision::Pending(device, cause) => {
            tracing::warn!(%device, %cause, "a recovery waits for a person");
            Ok((StatusCode::ACCEPTED, Json(pending(cause))).into_response())
        }
        Decision::Released(registered) => Err(released(&port.store, &port.policy, &registered, now).await),
        Decision::Refuse(refusal) => Err(refusal),
        Decision::UnknownKey => Err(counted(&port, peer, unproven(), now)),
    }
}

/// What a request proves by itself: its sender holds `registered`, which may be nobody's, and `next`.
struct Proof {
    registered: PresentedKey,
    nonce: Nonce,
    next: ProvenKey,
}

impl Proof {
    /// Checks what needs no database, the cheapest first.
    fn of(port: &EnrolPort, request: &RecoverRequest, now: UtcMillis) -> Result<Self, Refusal> {
        let registered = PresentedKey::from_base64(&request.public_key).map_err(bad_key)?;
        let nonce = port.authority.nonces().check(&request.nonce, registered.sha256(), now).ok_or_else(stale_nonce)?;
        let next = ProvenKey::from_csr_pem(&request.csr_pem).map_err(bad_csr)?;
        let message = recovery_message(&request.nonce, &request.csr_pem);
        if !registered.has_signed(&message, &request.signature) {
            return Err(unproven());
        }
        Ok(Self { registered, nonce, next })
    }
}

enum Decision {
    Grant(Lease),
    /// A certificate that is recorded already.
    Repeat(Lease, String),
    Pending(DeviceId, Cause),
    Released(Registered),
    Refuse(Refusal),
    UnknownKey,
}

/// One unit of work: uses the nonce, judges the key, records what was decided and the intent to sign.
async fn decide(port: &EnrolPort, proof: &Proof, now: UtcMillis) -> Result<Decision, GrantError> {
    let key = proof.registered.sha256();
    // Whoever makes a key up must not keep others from writing, nor whoever asks for what it has.
    let mut tx = port.store.read().await?;
    let Some(known) = enrolment::of_key(&mut tx, key).await? else { return Ok(Decision::UnknownKey) };
    if let Some(repeated) = repeat(port, &mut tx, &known, proof, now).await? {
        return Ok(repeated);
    }
    drop(tx);
    if let Some(seconds) = port.proven.wait_seconds(*key, now) {
        return Ok(Decision::Refuse(too_often(seconds)));
    }
    port.proven.count(*key, now);
    let mut tx = port.store.write().await?;
    // In the order of those who decide about newcomers.
    newcomer::lock_key(&mut tx, proof.next.sha256()).await?;
    recoveries::lock(&mut tx, known.device).await?;
    let Some(registered) = enrolment::of_key(&mut tx, key).await? else { return Ok(Decision::UnknownKey) };
    if !recoveries::use_nonce(&mut tx, &proof.nonce.name, proof.nonce.ends_at, now).await? {
        return Ok(Decision::Refuse(stale_nonce()));
    }
    let decision = if is_to_heal(&mut tx, &registered, &proof.next).await? {
        help_to_heal(port, &mut tx, &registered, &proof.next, now).await?
    } else {
        match registered.standing() {
            Standing::Full => judge(port, &mut tx, &registered, &proof.next, now).await?,
            Standing::ReportOnly => Decision::Refuse(set_aside()),
            Standing::Refused(Refused::Released) => Decision::Released(registered),
            Standing::Refused(why) => Decision::Refuse(refused(why)),
        }
    };
    // Of a refusal too: its nonce is used.
    tx.commit().await?;
    Ok(decision)
}

/// The certificate that `next` has already, where it is signed and runs. Nothing is written for it: the nonce stays unused,
/// which for its two minutes gives the same once more.
async fn repeat(
    port: &EnrolPort,
    tx: &mut Tx,
    registered: &Registered,
    proof: &Proof,
    now: UtcMillis,
) -> Result<Option<Decision>, GrantError> {
    let is_full = registered.standing() == Standing::Full;
    if !is_full && !is_to_heal(tx, registered, &proof.next).await? {
        return Ok(None);
    }
    let Some(CertificateRow { lease, pem: Some(chain) }) = running(port, tx, registered, &proof.next, now).await?
    else {
        return Ok(None);
    };
    let is_used = recoveries::is_nonce_used(tx, &proof.nonce.name).await?;
    Ok(Some(if is_used { Decision::Refuse(stale_nonce()) } else { Decision::Repeat(lease, chain) }))
}

/// What a key in service gets.
async fn judge(
    port: &EnrolPort,
    tx: &mut Tx,
    registered: &Registered,
    next: &ProvenKey,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    if let Some(row) = running(port, tx, registered, next, now).await? {
        return Ok(Decision::Grant(row.lease));
    }
    let (enrolment, device) = (registered.enrolment, registered.device);
    let facts = recoveries::facts(tx, enrolment, device, now).await?;
    let decision = recovery::decide(&facts, now);
    match decision {
        recovery::Decision::Refused => return Ok(Decision::Refuse(refused_by_a_person())),
        recovery::Decision::Waits(cause) => {
            recoveries::wait(tx, (enrolment, device), cause, now).await?;
            return Ok(Decision::Pending(device, cause));
        }
        recovery::Decision::Automatic | recovery::Decision::Approved => {}
    }
    let asking = Asking { device, enrolment, key: registered.key };
    let Some(id) = grant::enrolment_of(tx, &asking, next, now).await? else {
        return Ok(Decision::Refuse(grant::foreign_key()));
    };
    if decision == recovery::Decision::Approved {
        // A person's word stands in the audit already.
        recoveries::use_approval(tx, enrolment, now).await?;
        return grant::intend(tx, device, id, now).await.map(Decision::Grant);
    }
    let recovery = recoveries::grant(tx, (enrolment, device), now).await?;
    let lease = grant::intend(tx, device, id, now).await?;
    recoveries::record_grant(tx, recovery, (enrolment, device), (id != enrolment).then_some(id), now).await?;
    Ok(Decision::Grant(lease))
}

/// Whether the key is set aside, or was replaced, for being on several machines, and asks for itself. Healing needs a
/// connection, and a connection a certificate; without one an image that is older than its certificate had no way out.
async fn is_to_heal(tx: &mut Tx, registered: &Registered, next: &ProvenKey) -> Result<bool, StoreError> {
    let ended = matches!(registered.status, EnrolmentStatus::Quarantined | EnrolmentStatus::Replaced);
    if !ended
        || registered.kind != EnrolmentKind::Agent
        || registered.device_status != DeviceStatus::Active
        || *next.sha256() != registered.key
    {
        return Ok(false);
    }
    cloned_key::is_cloned(tx, registered.enrolment).await
}

/// A short certificate, which opens what such a key may do: report, and ask for another key. All machines that have the key
/// share it. It is no recovery by the rule, since nothing is recovered, and stands above no person's refusal.
async fn help_to_heal(
    port: &EnrolPort,
    tx: &mut Tx,
    registered: &Registered,
    next: &ProvenKey,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    let (enrolment, device) = (registered.enrolment, registered.device);
    if recoveries::facts(tx, enrolment, device, now).await?.earlier == Some(Earlier::Refused) {
        return Ok(Decision::Refuse(refused_by_a_person()));
    }
    if let Some(row) = running(port, tx, registered, next, now).await? {
        return Ok(Decision::Grant(row.lease));
    }
    let lease = grant::intend_for_key_set_aside(tx, device, enrolment, now).await?;
    recoveries::record_help(tx, (enrolment, device), lease.not_after, now).await?;
    Ok(Decision::Grant(lease))
}

/// The certificate that `next` has already: an answer was lost, or the agent's clock is wrong. It counts as no recovery. One
/// whose intermediate is accepted no more serves nobody.
async fn running(
    port: &EnrolPort,
    tx: &mut Tx,
    registered: &Registered,
    next: &ProvenKey,
    now: UtcMillis,
) -> Result<Option<CertificateRow>, GrantError> {
    let enrolment = if *next.sha256() == registered.key {
        registered.enrolment
    } else {
        let Some(other) = enrolment::of_key(tx, next.sha256()).await? else { return Ok(None) };
        if other.device != registered.device || other.standing() != Standing::Full {
            return Ok(None);
        }
        other.enrolment
    };
    let newest = certificate::newest(tx, enrolment).await?;
    let is_accepted = |row: &CertificateRow| row.pem.as_ref().is_none_or(|chain| port.authority.accepts(chain));
    Ok(newest.filter(|row| row.lease.not_after > now && is_accepted(row)))
}

/// The answer to whoever proved nothing: `refusal`, until it was counted too often for that address. Whoever proves a key
/// does not wait for what its neighbours do.
fn counted(port: &EnrolPort, peer: SocketAddr, refusal: Refusal, now: UtcMillis) -> Refusal {
    let Some(seconds) = port.recoveries.wait_seconds(peer.ip(), now) else {
        port.recoveries.count(peer.ip(), now);
        return refusal;
    };
    let detail = "Too many recoveries that prove nothing came from this address. Wait a minute.";
    throttled(detail, seconds)
}

fn too_often(seconds: u32) -> Refusal {
    throttled("This key asked for too many recoveries within a minute. Wait a minute.", seconds)
}

fn throttled(detail: &'static str, seconds: u32) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "throttled", "Too many attempts", detail).retry_after(seconds).closing()
}

fn stale_nonce() -> Refusal {
    let detail = "This nonce was not given to this key, was used, or is older than two minutes. Ask for another.";
    Refusal::new(StatusCode::FORBIDDEN, "nonce", "Nonce refused", detail)
}

/// The same words for a key that nobody knows and for a signature that is wrong.
fn unproven() -> Refusal {
    let detail = "This does not prove a key that is registered here. Keep what you have and ask the people who lend \
                  this device; they can enrol it again.";
    Refusal::new(StatusCode::FORBIDDEN, "unproven", "Recovery refused", detail)
}

fn refused_by_a_person() -> Refusal {
    let detail = "The people who lend this device refused its recovery. With their token it can be enrolled again, with \
                  a new key.";
    Refusal::new(StatusCode::FORBIDDEN, "recovery-refused", "Recovery refused", detail)
}

fn pending(cause: Cause) -> EnrolPending {
    let reason = match cause {
        Cause::TooLong => "This device was not heard for so long that a person must agree to its new certificate.",
        Cause::TooOften => "This device lost its certificate so often that a person must agree to another.",
    };
    EnrolPending { retry_after_seconds: PENDING_RETRY_SECONDS, reason: reason.to_owned() }
}
