//! A certificate of our own device authority whose key the database does not know: its key was stolen, or the database was
//! restored from a backup that is older than the certificate.

use axum::http::StatusCode;
use cartable_common::UtcMillis;

use super::{DevicePort, identity::PeerCertificate, refusal::Refusal};
use crate::{
    domain::restored::Admission,
    random,
    store::{enrolment::Registered, readmission},
};

/// What is registered for the holder of such a certificate, once the rule has let it in or has it wait for a person.
pub(super) async fn registered(
    port: &DevicePort,
    peer: &PeerCertificate,
    now: UtcMillis,
) -> Result<Registered, Refusal> {
    let Some(shown) = peer.shown() else { return Err(unknown_key(peer)) };
    let admitted = readmission::admit(&port.store, peer.key(), &shown, now).await;
    let admission = admitted.map_err(|error| {
        tracing::error!(%error, "the database refused");
        Refusal::unavailable(random::spread())
    })?;
    match admission {
        Admission::ByItself => tracing::warn!(device = %shown.device, "a device that was forgotten is let in again"),
        Admission::Waits => tracing::warn!(device = %shown.device, "a device that was forgotten waits for a person"),
        Admission::Refused => return Err(unknown_key(peer)),
    }
    let found = port.registry.look_up(*peer.key()).await.map_err(|_| Refusal::unavailable(random::spread()))?;
    found.ok_or_else(|| unknown_key(peer))
}

fn unknown_key(peer: &PeerCertificate) -> Refusal {
    let key = data_encoding::HEXLOWER.encode(peer.key());
    tracing::error!(
        key,
        "a valid certificate of this authority is not on record: was its key stolen? After a restore from a backup, run \
         `cartable-server restored`"
    );
    let detail = "This key is not registered. Keep what you have and ask the people who lend this device.";
    Refusal::new(StatusCode::FORBIDDEN, "unknown-key", "Unknown device", detail)
}
