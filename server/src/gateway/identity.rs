//! Who asks: the device behind the connection's client certificate. Every device route needs it.
//!
//! Identity is the certificate's public key, looked up for each request. Neither the names in the certificate nor
//! anything in a body or a header decides. A resumed TLS session never runs the verifier again, so the certificate's
//! dates are checked here, each time.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use cartable_common::{
    DeviceId, EnrolmentId, UtcMillis,
    protocol::{KEY_CLONED, ReleaseOrder},
};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate};

use super::{DevicePort, readmit, refusal::Refusal};
use crate::{
    domain::{
        enrolment::{EnrolmentKind, Refused, Standing},
        lease,
        policy::Policy,
    },
    store::{
        Store, StoreError, cloned_key,
        enrolment::{KeyHash, Registered},
        readmission::Shown,
        release,
    },
};

/// The client certificate of a connection, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    key: KeyHash,
    not_before: UtcMillis,
    not_after: UtcMillis,
    /// The device and the enrolment that it names: they decide nothing, unless the database has forgotten the key.
    names: Option<(DeviceId, EnrolmentId)>,
}

impl PeerCertificate {
    /// Reads a certificate that the TLS listener verified.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let moment = |seconds: i64| UtcMillis::new(seconds.checked_mul(1000)?);
        Some(Self {
            key: Sha256::digest(certificate.public_key().raw).into(),
            not_before: moment(certificate.validity().not_before.timestamp())?,
            not_after: moment(certificate.validity().not_after.timestamp())?,
            names: names(&certificate),
        })
    }

    /// SHA-256 of its key.
    pub(super) const fn key(&self) -> &KeyHash {
        &self.key
    }

    /// What it says of its holder, where that is an agent of ours.
    pub(super) fn shown(&self) -> Option<Shown> {
        let (device, enrolment) = self.names.filter(|_| lease::is_of_an_agent(self.not_before, self.not_after))?;
        Some(Shown { device, enrolment, not_before: self.not_before })
    }

    fn is_valid_at(&self, now: UtcMillis) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// The names that `pki` writes into a device's certificate.
fn names(certificate: &X509Certificate<'_>) -> Option<(DeviceId, EnrolmentId)> {
    let device = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let uuid = |name: &GeneralName<'_>| {
        let GeneralName::URI(uri) = name else { return None };
        Uuid::try_parse(uri.strip_prefix("urn:uuid:")?).ok()
    };
    let enrolment = names.value.general_names.iter().find_map(uuid)?;
    Some((DeviceId(Uuid::try_parse(device).ok()?), EnrolmentId(enrolment)))
}

/// When a request arrived, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived(pub UtcMillis);

/// The device that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceIdentity {
    /// The device.
    pub device: DeviceId,
    /// The enrolment whose key was used.
    pub enrolment: EnrolmentId,
    /// That key.
    pub key: KeyHash,
    /// When its certificate began.
    pub not_before: UtcMillis,
    /// Whether it may do more than report.
    pub is_full: bool,
    /// Whether an older key of the device is still live.
    pub has_predecessor: bool,
    /// Whether an order waits for it.
    pub awaits_action: bool,
    /// The site that the device belongs to.
    pub site: Option<Uuid>,
    /// When the device's loan is due back.
    pub due: Option<Date>,
    /// The number of the trust bundle that its agent was last known to hold.
    pub trust_bundle: u32,
    /// When the request arrived.
    pub arrived: UtcMillis,
}

impl FromRequestParts<DevicePort> for DeviceIdentity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, port: &DevicePort) -> Result<Self, Refusal> {
        Self::of(parts, port, EnrolmentKind::Agent).await
    }
}

impl DeviceIdentity {
    /// The device that asks, by a key of an agent of that kind.
    pub(super) async fn of(parts: &Parts, port: &DevicePort, kind: EnrolmentKind) -> Result<Self, Refusal> {
        let (registered, peer, now) = registered(parts, port).await?;
        // Another system's agent obeys no order of ours, and heals nothing.
        match registered.standing() {
            Standing::Refused(Refused::Released) => Err(released(&port.store, &port.policy, &registered, now).await),
            Standing::Refused(Refused::Replaced) => Err(replaced(port, &registered).await),
            Standing::Full | Standing::ReportOnly | Standing::Refused(_) => Self::judge(&registered, &peer, kind, now),
        }
    }
}

/// What is registered under the key of the connection's certificate, whatever it may do; when the request arrived.
pub(super) async fn registered(
    parts: &Parts,
    port: &DevicePort,
) -> Result<(Registered, PeerCertificate, UtcMillis), Refusal> {
    let (Some(&peer), Some(&Arrived(now))) =
        (parts.extensions.get::<PeerCertificate>(), parts.extensions.get::<Arrived>())
    else {
        let detail = "This needs the device's certificate on the TLS connection.";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "no-certificate", "No certificate", detail).closing());
    };
    if !peer.is_valid_at(now) {
        return Err(certificate_expired());
    }
    let found = port.registry.look_up(peer.key).await;
    let registered = found.map_err(|_| Refusal::unavailable(crate::random::spread()))?;
    let registered = match registered {
        Some(registered) => registered,
        None => readmit::registered(port, &peer, now).await?,
    };
    Ok((registered, peer, now))
}

/// A key whose device has another. Where it was on several machines, this may be one that has not healed yet.
async fn replaced(port: &DevicePort, registered: &Registered) -> Refusal {
    match is_cloned(port, registered).await {
        Ok(true) => key_cloned(),
        Ok(false) => refused(Refused::Replaced),
        Err(error) => {
            tracing::error!(%error, "the database refused");
            Refusal::unavailable(crate::random::spread())
        }
    }
}

/// A device that left the programme: where its agent was ordered to remove itself it is told so, and that it was told is
/// written down first. Nothing that it brought is read.
pub(super) async fn released(store: &Store, policy: &Policy, registered: &Registered, now: UtcMillis) -> Refusal {
    match release::heard(store, registered.device, policy, now).await {
        Ok(true) => {
            tracing::info!(device = %registered.device, "an agent was told to remove itself");
            let (device_id, enrolment_id) = (registered.device, registered.enrolment);
            refused(Refused::Released).releasing(ReleaseOrder { device_id, enrolment_id })
        }
        Ok(false) => refused(Refused::Released),
        Err(error) => {
            tracing::error!(%error, "the database refused");
            Refusal::unavailable(crate::random::spread())
        }
    }
}

impl DeviceIdentity {
    fn judge(
        registered: &Registered,
        peer: &PeerCertificate,
        kind: EnrolmentKind,
        now: UtcMillis,
    ) -> Result<Self, Refusal> {
        let is_full = match registered.standing_as(kind) {
            Standing::Full => true,
            Standing::ReportOnly => false,
            Standing::Refused(why) => {
                tracing::info!(device = %registered.device, ?why, "a refused device asked");
                return Err(refused(why));
            }
        };
        Ok(Self {
            device: registered.device,
            enrolment: registered.enrolment,
            key: peer.key,
            not_before: peer.not_before,
            is_full,
            has_predecessor: registered.has_predecessor,
            awaits_action: registered.awaits_action,
            site: registered.site,
            due: registered.due,
            trust_bundle: registered.trust_bundle,
            arrived: now,
        })
    }
}

/// Whether other machines ever showed this key.
async fn is_cloned(port: &DevicePort, registered: &Registered) -> Result<bool, StoreError> {
    let mut tx = port.store.read().await?;
    cloned_key::is_cloned(&mut tx, registered.enrolment).await
}

/// What a machine is told that shows the key of another.
pub(super) fn key_cloned() -> Refusal {
    let detail =
        "This key is bound to another machine. Make a new key and ask for it with this one; keep what is not sent.";
    Refusal::new(StatusCode::FORBIDDEN, KEY_CLONED, "Key on several machines", detail)
}

/// What a key is told whose certificate's time is over: the agent knows the words, and recovers.
pub(super) fn certificate_expired() -> Refusal {
    let detail = "The certificate's time is over. Recover with its key; keep what is not sent yet.";
    Refusal::new(StatusCode::UNAUTHORIZED, "certificate-expired", "Certificate expired", detail).closing()
}

/// What a key is told that may report and gets no new certificate.
pub(super) fn set_aside() -> Refusal {
    let detail = "This device is set aside: it may report, but gets no new certificate. Ask the people who lend it.";
    Refusal::new(StatusCode::FORBIDDEN, "quarantined", "Device set aside", detail)
}

/// What a refused key is told.
pub(super) fn refused(why: Refused) -> Refusal {
    let (kind, title, detail) = match why {
        Refused::Pending => ("pending", "Waiting for approval", "A person must approve this device first."),
        Refused::Revoked => ("revoked", "Device refused", "This device is refused. Ask the people who lend it."),
        Refused::Released => ("released", "Device released", "This device has left the programme."),
        Refused::Replaced => ("replaced", "Key replaced", "Another key speaks for this device now."),
        Refused::OtherAgent => (
            "other-agent",
            "Key of another agent",
            "Keys of other systems' agents bring inventories and nothing else; Cartable's own agent brings none.",
        ),
    };
    Refusal::new(StatusCode::FORBIDDEN, kind, title, detail)
}

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, response::IntoResponse as _};
    use cartable_common::protocol::{ENDED_KEYS, PROBLEM_PREFIX, Problem};

    use super::*;

    #[tokio::test]
    async fn a_key_that_is_refused_for_good_is_refused_by_a_name_that_agents_know() {
        for (why, is_for_good) in [
            (Refused::Pending, false),
            (Refused::Revoked, true),
            (Refused::Released, true),
            (Refused::Replaced, true),
            (Refused::OtherAgent, false),
        ] {
            let body = to_bytes(refused(why).into_response().into_body(), 4096).await.unwrap();
            let problem: Problem = serde_json::from_slice(&body).unwrap();
            let name = problem.kind.strip_prefix(PROBLEM_PREFIX).unwrap();
            assert_eq!(ENDED_KEYS.contains(&name), is_for_good, "{name}");
        }
    }
}
