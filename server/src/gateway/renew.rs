//! POST /v1/renew: a new certificate for the enrolment that asks, for the same key or a new one.

use axum::{Json, extract::State};
use cartable_common::protocol::{CertificateGrant, RenewRequest};

use super::{
    DevicePort,
    grant::{self, Asking, GrantError},
    identity::{DeviceIdentity, set_aside},
    message::Message,
    refusal::Refusal,
};
use crate::{domain::lease::Lease, pki::ProvenKey, store::newcomer};

/// Renews.
pub(super) async fn renew(
    State(port): State<DevicePort>,
    identity: DeviceIdentity,
    message: Message<RenewRequest>,
) -> Result<Json<CertificateGrant>, Refusal> {
    port.count_unknown_fields(message.unknown_fields);
    if !identity.is_full {
        return Err(set_aside());
    }
    let key = ProvenKey::from_csr_pem(&message.value.csr_pem).map_err(super::enrol::bad_csr)?;
    let mut tx = port.store.write().await.map_err(GrantError::from)?;
    newcomer::lock_key(&mut tx, key.sha256()).await.map_err(GrantError::from)?;
    let asking = Asking { device: identity.device, enrolment: identity.enrolment, key: identity.key };
    let Some(enrolment) = grant::enrolment_of(&mut tx, &asking, &key, identity.arrived).await? else {
        return Err(grant::foreign_key());
    };
    let lease: Lease = grant::intend(&mut tx, identity.device, enrolment, identity.arrived).await?;
    tx.commit().await.map_err(GrantError::from)?;
    let chain = grant::sign(&port.store, port.authority.devices(), &key, &lease).await?;
    tracing::info!(device = %identity.device, enrolment = %enrolment, "certificate renewed");
    Ok(Json(grant::grant(&lease, chain, &port.policy, identity.arrived)))
}
