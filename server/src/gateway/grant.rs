//! Certificates for a key that may have one: intent, signature, record, in this order.

use axum::http::StatusCode;
use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::CertificateGrant};
use uuid::Uuid;

use super::{limits, refusal::Refusal};
use crate::{
    domain::{
        enrolment::{EnrolmentStatus, Standing},
        lease::Lease,
        policy::Policy,
        schedule::next_check_in_seconds,
    },
    pki::{DeviceIssuer, PkiError, ProvenKey},
    random,
    store::{
        Store, StoreError, Tx, certificate,
        enrolment::{self, KeyHash, NewEnrolment},
        newcomer::{self, NewcomerState},
    },
};

/// Why no certificate was given.
#[derive(Debug, thiserror::Error)]
pub(super) enum GrantError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// No randomness for a serial number.
    #[error(transparent)]
    Randomness(#[from] random::NoRandomness),
    /// The device was given too many today.
    #[error("a device asks for too many certificates")]
    TooMany,
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Store(error) => {
                tracing::error!(%error, "the database refused");
                Self::unavailable(random::spread())
            }
            GrantError::Pki(error) => {
                tracing::error!(%error, "a certificate could not be signed");
                Self::internal()
            }
            GrantError::Randomness(error) => {
                tracing::error!(%error, "a certificate could not be signed");
                Self::internal()
            }
            GrantError::TooMany => {
                let detail = "This device was given many certificates today. Use the last one; try again tomorrow.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-certificates", "Too many certificates", detail)
                    .retry_after(60 * 60)
            }
        }
    }
}

/// A registered key that asks for a certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    /// The device that it speaks for.
    pub(super) device: DeviceId,
    /// Its enrolment.
    pub(super) enrolment: EnrolmentId,
    /// The key.
    pub(super) key: KeyHash,
}

/// The enrolment that `key` is: the asking one, one the device made before (its answer was lost), or a new one. The
/// asking key stays live until the new one is first used. None where the key is another's, or asked to be let in for
/// itself: that is a person's to decide, or was decided. The caller has locked the newcomer of `key`, before the device.
pub(super) async fn enrolment_of(
    tx: &mut Tx,
    asking: &Asking,
    key: &ProvenKey,
    now: UtcMillis,
) -> Result<Option<EnrolmentId>, GrantError> {
    if *key.sha256() == asking.key {
        return Ok(Some(asking.enrolment));
    }
    let newcomer = newcomer::of_key(tx, key.sha256()).await?;
    if newcomer.is_some_and(|newcomer| newcomer.state != NewcomerState::Approved) {
        return Ok(None);
    }
    if let Some(known) = enrolment::of_key(tx, key.sha256()).await? {
        let may = known.standing() == Standing::Full && known.device == asking.device;
        return Ok(may.then_some(known.enrolment));
    }
    let id = EnrolmentId(Uuid::now_v7());
    let new = NewEnrolment {
        id,
        device: asking.device,
        request: Uuid::now_v7(),
        key: key.sha256(),
        token: None,
        status: EnrolmentStatus::Active,
    };
    enrolment::insert(tx, &new, now).await?;
    // Keys of earlier renewals that were never used are given up.
    enrolment::replace_others(tx, asking.device, [asking.enrolment, id], now).await?;
    Ok(Some(id))
}

/// What is told to whoever asks for a certificate for another's key.
pub(super) fn foreign_key() -> Refusal {
    let detail = "This key belongs to another enrolment, or asked for one. Make a new one.";
    Refusal::new(StatusCode::CONFLICT, "foreign-key", "Key in use", detail)
}

/// Records in `tx` that a certificate is about to be signed.
pub(super) async fn intend(
    tx: &mut Tx,
    device: DeviceId,
    enrolment: EnrolmentId,
    now: UtcMillis,
) -> Result<Lease, GrantError> {
    record(tx, Lease::new(device, enrolment, random::bytes()?, now), now).await
}

/// The same for a key that is set aside, which opens little and gets a short one.
pub(super) async fn intend_for_key_set_aside(
    tx: &mut Tx,
    device: DeviceId,
    enrolment: EnrolmentId,
    now: UtcMillis,
) -> Result<Lease, GrantError> {
    record(tx, Lease::of_key_set_aside(device, enrolment, random::bytes()?, now), now).await
}

async fn record(tx: &mut Tx, lease: Lease, now: UtcMillis) -> Result<Lease, GrantError> {
    if certificate::count_since(tx, lease.device, now.plus_days(-1)).await? >= limits::CERTIFICATES_PER_DAY {
        return Err(GrantError::TooMany);
    }
    certificate::intend(tx, &lease, now).await?;
    Ok(lease)
}

/// Signs what was intended and records it. Called again for the same lease (an answer was lost, the database failed
/// in between), it gives the recorded certificate, or finishes the recorded intent under the same serial number.
pub(super) async fn sign(
    store: &Store,
    issuer: &DeviceIssuer,
    key: &ProvenKey,
    lease: &Lease,
) -> Result<String, GrantError> {
    let chain = issuer.sign(key, lease)?;
    let mut tx = store.write().await?;
    if certificate::issued(&mut tx, lease, &chain).await? {
        tx.commit().await?;
        return Ok(chain);
    }
    let recorded = certificate::of_serial(&mut tx, &lease.serial).await?;
    recorded.and_then(|row| row.pem).ok_or_else(|| {
        GrantError::Store(StoreError::Corrupt { what: "certificate", why: "an intent has disappeared".to_owned() })
    })
}

/// The answer that carries a certificate.
pub(super) fn grant(lease: &Lease, chain: String, policy: &Policy, now: UtcMillis) -> CertificateGrant {
    CertificateGrant {
        device_id: lease.device,
        enrolment_id: lease.enrolment,
        certificate_chain_pem: chain,
        not_after: lease.not_after,
        renew_from: lease.renew_from(random::spread()),
        next_check_in_seconds: next_check_in_seconds(lease.device, now, policy, random::spread()),
    }
}
