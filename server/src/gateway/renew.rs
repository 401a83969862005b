//! POST /v1/renew: a new certificate for the enrolment that asks, for the same key or a new one.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::{
    EnrolmentId, UtcMillis,
    protocol::{CertificateGrant, RenewRequest},
};
use uuid::Uuid;

use super::{
    DevicePort,
    grant::{self, GrantError},
    identity::DeviceIdentity,
    message::Message,
    refusal::Refusal,
};
use crate::{
    domain::{
        enrolment::{EnrolmentStatus, Standing, standing},
        lease::Lease,
    },
    pki::ProvenKey,
    store::{
        Tx,
        enrolment::{self, NewEnrolment},
    },
};

/// Renews.
pub(super) async fn renew(
    State(port): State<DevicePort>,
    identity: DeviceIdentity,
    message: Message<RenewRequest>,
) -> Result<Json<CertificateGrant>, Refusal> {
    port.count_unknown_fields(message.unknown_fields);
    if !identity.is_full {
        let detail = "This device is set aside: it may report, but gets no new certificate.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "quarantined", "Device set aside", detail));
    }
    let key = ProvenKey::from_csr_pem(&message.value.csr_pem).map_err(super::enrol::bad_csr)?;
    let mut tx = port.store.write().await.map_err(GrantError::from)?;
    let Some(enrolment) = enrolment_of(&mut tx, &identity, &key, identity.arrived).await? else {
        let detail = "This key belongs to another enrolment. Make a new one.";
        return Err(Refusal::new(StatusCode::CONFLICT, "foreign-key", "Key in use", detail));
    };
    let lease: Lease = grant::intend(&mut tx, identity.device, enrolment, identity.arrived).await?;
    tx.commit().await.map_err(GrantError::from)?;
    let chain = grant::sign(&port.store, port.authority.devices(), &key, &lease).await?;
    tracing::info!(device = %identity.device, enrolment = %enrolment, "certificate renewed");
    Ok(Json(grant::grant(&lease, chain, &port.policy, identity.arrived)))
}

/// The enrolment that `key` is: the asking one, one the device made before (its answer was lost), or a new one. The
/// asking key stays live until the new one is first used. None where the key is another's.
async fn enrolment_of(
    tx: &mut Tx,
    identity: &DeviceIdentity,
    key: &ProvenKey,
    now: UtcMillis,
) -> Result<Option<EnrolmentId>, GrantError> {
    if *key.sha256() == identity.key {
        return Ok(Some(identity.enrolment));
    }
    if let Some(known) = enrolment::of_key(tx, key.sha256()).await? {
        let may = standing(known.status, known.device_status) == Standing::Full && known.device == identity.device;
        return Ok(may.then_some(known.enrolment));
    }
    let id = EnrolmentId(Uuid::now_v7());
    let new = NewEnrolment {
        id,
        device: identity.device,
        request: Uuid::now_v7(),
        key: key.sha256(),
        token: None,
        status: EnrolmentStatus::Active,
    };
    enrolment::insert(tx, &new, now).await?;
    // Keys of earlier renewals that were never used are given up.
    enrolment::replace_others(tx, identity.device, [identity.enrolment, id], now).await?;
    Ok(Some(id))
}
