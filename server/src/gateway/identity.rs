//! Who asks: the device behind the connection's client certificate. Every device route needs it.
//!
//! Identity is the certificate's public key, looked up for each request. Neither the names in the certificate nor
//! anything in a body or a header decides. A resumed TLS session never runs the verifier again, so the certificate's
//! dates are checked here, each time.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::ReleaseOrder};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use x509_parser::parse_x509_certificate;

use super::{DevicePort, refusal::Refusal};
use crate::{
    domain::{
        enrolment::{EnrolmentKind, Refused, Standing},
        policy::Policy,
    },
    store::{
        Store,
        enrolment::{KeyHash, Registered},
        release,
    },
};

/// The client certificate of a connection, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    key: KeyHash,
    not_before: UtcMillis,
    not_after: UtcMillis,
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
        })
    }

    fn is_valid_at(&self, now: UtcMillis) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
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
    /// The site that the device belongs to.
    pub site: Option<Uuid>,
    /// When the device's loan is due back.
    pub due: Option<Date>,
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
        let Some(registered) = registered else {
            let key = data_encoding::HEXLOWER.encode(&peer.key);
            tracing::error!(key, "a valid certificate of this authority is not on record: was its key stolen?");
            let detail = "This key is not registered. Keep what you have and ask the people who lend this device.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "unknown-key", "Unknown device", detail));
        };
        // Another system's agent obeys no order of ours.
        if registered.standing() == Standing::Refused(Refused::Released) {
            return Err(released(&port.store, &port.policy, &registered, now).await);
        }
        Self::judge(&registered, &peer, kind, now)
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
            site: registered.site,
            due: registered.due,
            arrived: now,
        })
    }
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
