//! POST /v1/enrol: a token, a key with proof of possession and a machine in; a certificate, or "wait for a person".
//!
//! A machine whose TPM lost its key names that key in place of a token: it proves nothing, and so a person decides.
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
    DeviceId, EnrolmentId, UtcMillis,
    protocol::{APPROVAL_QUEUE_FULL, EnrolPending, EnrolRequest},
};
use uuid::Uuid;

use super::{
    EnrolPort,
    grant::{self, GrantError},
    identity::{Arrived, certificate_expired, refused, set_aside},
    lost_key,
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{
        approval::{Entry, MAX_WAITING_PER_TOKEN, WAITING_DAYS, WaitsFor, Worth, entry},
        device::DeviceStatus,
        enrolment::{Arrival, EnrolmentStatus, Refused, Standing},
        enrolment_token::{Admits, Mistyped, TokenText},
        lease::Lease,
        scope::Scope,
    },
    pki::{InvalidCsr, InvalidKey, PresentedKey, ProvenKey},
    store::{
        Tx, certificate,
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment, Registered},
        enrolment_token::{self, Admission, Presented},
        lapse,
        newcomer::{self, NewNewcomer, Newcomer, NewcomerState},
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
    let ticket = ticket(&request)?;
    let key = ProvenKey::from_csr_pem(&request.csr_pem).map_err(bad_csr)?;
    // The semaphore is never closed.
    let _turn = port.turns.acquire().await.map_err(|_| Refusal::internal())?;
    let decision = decide(&port, &request, &ticket, &key, now).await?;
    match decision {
        Decision::Grant(lease) => {
            let chain = grant::sign(&port.store, port.authority.devices(), &key, &lease).await?;
            tracing::info!(device = %lease.device, enrolment = %lease.enrolment, "device enrolled");
            Ok(Json(grant::grant(&lease, chain, &port.policy, now)).into_response())
        }
        Decision::Pending(why) => {
            tracing::warn!(%why, "a machine waits for a person to let it in");
            Ok((StatusCode::ACCEPTED, Json(pending())).into_response())
        }
        Decision::Refuse(refusal) => Err(refusal),
        Decision::UnknownToken => {
            // A key that was lost is no guess: a class whose firmware was reset asks from one address.
            if let Ticket::Token(_) = ticket {
                port.throttle.count(peer.ip(), now);
            }
            Err(useless_token())
        }
    }
}

/// What a machine brings to be let in.
enum Ticket {
    /// A token.
    Token(TokenText),
    /// The key that it had, and that its TPM lost.
    LostKey(PresentedKey),
}

fn ticket(request: &EnrolRequest) -> Result<Ticket, Refusal> {
    if let Some(lost) = request.lost_key.as_deref().filter(|_| request.token.is_empty()) {
        return PresentedKey::from_base64(lost).map(Ticket::LostKey).map_err(bad_key);
    }
    let mistyped =
        |error: Mistyped| Refusal::new(StatusCode::FORBIDDEN, "token-mistyped", "Token mistyped", error.to_string());
    TokenText::parse(&request.token).map(Ticket::Token).map_err(mistyped)
}

pub(super) enum Decision {
    Grant(Lease),
    Pending(WaitsFor),
    Refuse(Refusal),
    UnknownToken,
}

/// One unit of work: uses the token, finds or adds the device, records the enrolment and the intent to sign.
async fn decide(
    port: &EnrolPort,
    request: &EnrolRequest,
    ticket: &Ticket,
    key: &ProvenKey,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    let mut tx = port.store.write().await?;
    newcomer::lock_key(&mut tx, key.sha256()).await?;
    let known = enrolment::of_key(&mut tx, key.sha256()).await?;
    let is_told_at_once =
        |known: &&Registered| known.request == request.request_id || known.status == EnrolmentStatus::Revoked;
    if let Some(known) = known.as_ref().filter(is_told_at_once) {
        let decision = again(&mut tx, known, now).await?;
        return end(tx, key, decision, now).await;
    }
    let earlier = newcomer::of_key(&mut tx, key.sha256()).await?.filter(|_| known.is_none());
    if earlier.as_ref().is_some_and(|earlier| earlier.state == NewcomerState::Refused) {
        return Ok(Decision::Refuse(refused(Refused::Revoked)));
    }
    let presented = match ticket {
        Ticket::Token(token) => enrolment_token::present(&mut tx, &token.sha256(), now).await?,
        Ticket::LostKey(lost) => enrolment_token::of_lost_key(&mut tx, lost.sha256()).await?,
    };
    let asking = (request, key, earlier);
    let decision = match (presented, known) {
        (Presented::Unknown, _) => {
            let (.., earlier) = asking;
            let same = earlier.filter(|earlier| earlier.request == request.request_id);
            same.map_or(Decision::UnknownToken, |earlier| Decision::Pending(earlier.waits_for))
        }
        // The agent kept its key and forgot the rest.
        (Presented::Open(admission), Some(known)) => {
            if waits_already(Some(&known), None).is_some() {
                enrolment_token::give_back(&mut tx, admission.id).await?;
            }
            again(&mut tx, &known, now).await?
        }
        (Presented::Open(admission), None) => admit(&mut tx, asking, (&admission, Worth::Open), now).await?,
        (Presented::Spent(admission), None) => admit(&mut tx, asking, (&admission, Worth::Spent), now).await?,
        (Presented::Lost(admission, lost), None) => lost_key::admit(&mut tx, asking, (&admission, lost), now).await?,
        (Presented::OfDevice(lost), None) => lost_key::wait_as(&mut tx, asking, lost, now).await?,
        // Whoever waits already is still a person's to decide.
        (Presented::Spent(_) | Presented::Lost(..) | Presented::OfDevice(_) | Presented::Ended, known) => {
            let (.., earlier) = asking;
            let waits = waits_already(known.as_ref(), earlier.as_ref()).map(Decision::Pending);
            waits.unwrap_or_else(|| Decision::Refuse(useless_token()))
        }
    };
    end(tx, key, decision, now).await
}

/// Ends the unit of work in which `key` asked. That it did is kept of one that waits: its request does not lapse.
async fn end(mut tx: Tx, key: &ProvenKey, decision: Decision, now: UtcMillis) -> Result<Decision, GrantError> {
    match decision {
        // Dropping the unit of work gives the token's use back.
        Decision::Refuse(_) | Decision::UnknownToken => {}
        Decision::Pending(_) => {
            lapse::asked(&mut tx, key.sha256(), now).await?;
            tx.commit().await?;
        }
        Decision::Grant(_) => tx.commit().await?,
    }
    Ok(decision)
}

/// Why a key waits for a person already: with the device that it says it is, or as a newcomer. Both are answered alike, or
/// asking twice would tell which serial numbers are recorded.
fn waits_already(known: Option<&Registered>, earlier: Option<&Newcomer>) -> Option<WaitsFor> {
    match known {
        Some(known) => (known.standing() == Standing::Refused(Refused::Pending)).then_some(WaitsFor::Replacement),
        None => earlier.filter(|earlier| earlier.state == NewcomerState::Waiting).map(|earlier| earlier.waits_for),
    }
}

/// The answer for a key that is enrolled already: its recorded certificate while that is good, or its first. Another one
/// after that is recovery's to give: no token goes round its rule, nor round a person's word.
async fn again(tx: &mut Tx, known: &Registered, now: UtcMillis) -> Result<Decision, GrantError> {
    let is_full = match known.standing() {
        Standing::Full => true,
        Standing::ReportOnly => false,
        Standing::Refused(Refused::Pending) => return Ok(Decision::Pending(WaitsFor::Replacement)),
        Standing::Refused(why) => return Ok(Decision::Refuse(refused(why))),
    };
    match certificate::newest(tx, known.enrolment).await? {
        Some(newest) if newest.lease.not_after > now => Ok(Decision::Grant(newest.lease)),
        _ if !is_full => Ok(Decision::Refuse(set_aside())),
        Some(_) => Ok(Decision::Refuse(certificate_expired())),
        None => grant::intend(tx, known.device, known.enrolment, now).await.map(Decision::Grant),
    }
}

/// Lets a machine in, or makes it wait. One that waits already is let in as soon as it may come in by itself: its serial
/// number was recorded meanwhile, or is another site's no more, or it brought another token.
pub(super) async fn admit(
    tx: &mut Tx,
    (request, key, earlier): (&EnrolRequest, &ProvenKey, Option<Newcomer>),
    (admission, worth): (&Admission, Worth),
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    enrolment::lock_asking(tx, &request.hardware).await?;
    let arrival = enrolment::arrival_of(tx, &request.hardware).await?;
    let elsewhere = newcomer::listed_elsewhere(tx, &arrival, admission.site_id).await?;
    if let Entry::Waits(why) = entry(&arrival, elsewhere, worth, admission.admits) {
        let Some(earlier) = earlier else {
            return wait(tx, (request, key), (&arrival, why, elsewhere), admission, now).await;
        };
        if worth == Worth::Open {
            enrolment_token::give_back(tx, admission.id).await?;
        }
        newcomer::reconsider(tx, &earlier, &as_newcomer((request, key), admission, (why, elsewhere))).await?;
        return Ok(Decision::Pending(why));
    }
    let device = match arrival {
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
            new.id
        }
        Arrival::FirstEnrolment(device) | Arrival::Replacement(device) => {
            device::set_status(tx, &Scope::Everything, device, DeviceStatus::Active).await?;
            device::set_enrolled(tx, device, now).await?;
            device
        }
    };
    let id = EnrolmentId(Uuid::now_v7());
    enrolment::insert(tx, &asked((id, device), request, key, admission, EnrolmentStatus::Active), now).await?;
    if let Some(earlier) = earlier {
        newcomer::close(tx, earlier.id, id, now).await?;
    }
    grant::intend(tx, device, id, now).await.map(Decision::Grant)
}

/// Writes down that a machine waits for a person: with the device that it says it is, or as a newcomer.
async fn wait(
    tx: &mut Tx,
    (request, key): (&EnrolRequest, &ProvenKey),
    (arrival, why, elsewhere): (&Arrival, WaitsFor, Option<DeviceId>),
    admission: &Admission,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    // Replacements through an open token are bounded by its uses. Not where others wait beside them: a full queue would tell
    // which serial numbers are recorded.
    let is_bounded = why == WaitsFor::Replacement && admission.admits == Admits::Anyone;
    if !is_bounded && newcomer::waiting_of_token(tx, admission.id).await? >= MAX_WAITING_PER_TOKEN {
        tracing::warn!(token = %admission.id, "too many machines wait through one token: was it passed on?");
        return Ok(Decision::Refuse(queue_full("through this token")));
    }
    if let Arrival::Replacement(device) = *arrival {
        let id = EnrolmentId(Uuid::now_v7());
        let new = asked((id, device), request, key, admission, EnrolmentStatus::Pending);
        enrolment::insert_waiting(tx, &new, why, now).await?;
        return Ok(Decision::Pending(why));
    }
    if matches!(why, WaitsFor::UnlistedSerial | WaitsFor::OtherSite) {
        // It is a person who lets it in, not the token.
        enrolment_token::give_back(tx, admission.id).await?;
    }
    newcomer::insert(tx, &as_newcomer((request, key), admission, (why, elsewhere)), now).await?;
    Ok(Decision::Pending(why))
}

const fn as_newcomer<'a>(
    (request, key): (&'a EnrolRequest, &'a ProvenKey),
    admission: &Admission,
    (waits_for, listed_as): (WaitsFor, Option<DeviceId>),
) -> NewNewcomer<'a> {
    NewNewcomer {
        request: request.request_id,
        key: key.sha256(),
        token: admission.id,
        waits_for,
        hardware: &request.hardware,
        listed_as,
    }
}

const fn asked<'a>(
    (id, device): (EnrolmentId, DeviceId),
    request: &EnrolRequest,
    key: &'a ProvenKey,
    admission: &Admission,
    status: EnrolmentStatus,
) -> NewEnrolment<'a> {
    NewEnrolment { id, device, request: request.request_id, key: key.sha256(), token: Some(admission.id), status }
}

/// The same words for every token that lets nobody in: a stranger learns nothing from them.
pub(super) fn useless_token() -> Refusal {
    let detail =
        "This token lets no device in: it is unknown, used up, expired or ended. Make a new one in the console.";
    Refusal::new(StatusCode::FORBIDDEN, "token", "Token refused", detail)
}

pub(super) fn bad_csr(error: InvalidCsr) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "certificate-request", "Certificate request refused", error.to_string())
}

pub(super) fn bad_key(error: InvalidKey) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "public-key", "Public key refused", error.to_string())
}

/// As many wait so as may. Whoever is legitimate comes in when people worked the queue off.
pub(super) fn queue_full(how: &str) -> Refusal {
    let detail =
        format!("Too many machines wait for a person {how}. Decide about them in the console, or make a new token.");
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, APPROVAL_QUEUE_FULL, "Too many machines wait", detail)
        .retry_after(PENDING_RETRY_SECONDS)
}

/// The same words whatever makes a machine wait: nobody who waits learns from them whether its serial number is recorded.
fn pending() -> EnrolPending {
    // An agent keeps 128 characters of it.
    let reason = format!(
        "A person must let this machine in. Its request waits until {WAITING_DAYS} days after the machine last asked."
    );
    EnrolPending { retry_after_seconds: PENDING_RETRY_SECONDS, reason }
}
