//! The messages of the device port (`/v1`), JSON over mutual TLS. See docs/ARCHITECTURE.md for the life of a check-in.
//!
//! Unknown fields are ignored by both sides, so that an older agent and a newer server understand each other.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::{
    action::{ActionResult, SignedActions},
    hash::ContentHash,
    id::{ActionId, DeviceId, EnrolmentId, ReportId},
    report::{Hardware, HealthReport},
    text::Text,
    units::UtcMillis,
    version::AgentVersion,
};

/// The ALPN name that asks the device port for its configuration without client authentication, which serves
/// enrolment, recovery and the chain of trust bundles alone. Everything else on that port needs a client certificate.
pub const ENROL_ALPN: &[u8] = b"cartable-enrol/1";

/// Path of [`EnrolRequest`].
pub const ENROL_PATH: &str = "/v1/enrol";
/// Path of [`CheckInRequest`].
pub const CHECK_IN_PATH: &str = "/v1/check-in";
/// Path of [`RenewRequest`].
pub const RENEW_PATH: &str = "/v1/renew";
/// Path of [`RecoverNonceRequest`].
pub const RECOVER_NONCE_PATH: &str = "/v1/recover/nonce";
/// Path of [`RecoverRequest`].
pub const RECOVER_PATH: &str = "/v1/recover";
/// Path of [`HealRequest`].
pub const HEAL_PATH: &str = "/v1/heal";
/// Path of the chain of trust bundles ([`crate::trust::TrustChain`]): the one that is asked for by GET.
pub const ROOTS_PATH: &str = "/v1/roots";

/// Asks for an enrolment. Repeating one with the same `request_id` and key gives the same enrolment again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// Chosen by the agent and kept until it is enrolled.
    pub request_id: uuid::Uuid,
    /// The enrolment token as typed by a person; empty where `lost_key` is there.
    pub token: String,
    /// The registered public key that this machine can use no more, because its TPM says that the key is not its own: its
    /// SubjectPublicKeyInfo in DER, base64. It proves nothing and lets nobody in: whoever names it may ask a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_key: Option<String>,
    /// A PKCS#10 certificate request in PEM. Only its public key and the proof of possession are used.
    pub csr_pem: String,
    /// Which machine asks.
    #[serde(default)]
    pub hardware: Hardware,
    /// The agent's version.
    pub agent_version: Text,
}

/// The answer to an enrolment, a renewal or a recovery that was granted (200).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateGrant {
    /// The device that the key now speaks for.
    pub device_id: DeviceId,
    /// The enrolment.
    pub enrolment_id: EnrolmentId,
    /// The certificate and its intermediate, PEM, leaf first.
    pub certificate_chain_pem: String,
    /// When the certificate ends.
    pub not_after: UtcMillis,
    /// From when the agent should renew it.
    pub renew_from: UtcMillis,
    /// Seconds to the first or next check-in.
    pub next_check_in_seconds: u32,
}

/// The answer to an enrolment or a recovery that a person must approve first (202).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolPending {
    /// Seconds after which to ask again, with the same request; a recovery asks for a new nonce.
    pub retry_after_seconds: u32,
    /// Why it waits, in words for a technician.
    pub reason: String,
}

/// One report on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportEnvelope {
    /// Given before the first sending; a repeat is acknowledged without a second row.
    pub report_id: ReportId,
    /// Grows by one with each report of an enrolment. A report with a lower number than the current one is late: it
    /// is kept as history and never becomes the current state, whatever the clocks say.
    pub sequence: u64,
    /// When it was measured, by the agent's own clock; informative.
    pub measured_at: UtcMillis,
    /// What was measured.
    pub report: HealthReport,
}

/// One authenticated contact. Without reports it says "nothing changed since `content_hash`".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInRequest {
    /// The agent's version.
    pub agent_version: Text,
    /// The agent's own clock at sending; kept as skew, never used to decide.
    pub sent_at: UtcMillis,
    /// The hash of the machine's present content (see [`HealthReport::content_hash`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<ContentHash>,
    /// The mark of the [`Disclosure`] that the server told last; absent where it told none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure_mark: Option<u32>,
    /// The number of the trust bundle that the agent holds; absent where it is [`crate::trust::FIRST_BUNDLE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_bundle: Option<u32>,
    /// Reports, oldest first; at most [`crate::limits::SPOOLED_REPORTS_PER_CHECK_IN`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ReportEnvelope>,
    /// What became of orders, until the server has said that it knows; at most [`crate::action::MAX_ACTIONS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub action_results: Vec<ActionResult>,
}

impl CheckInRequest {
    /// One that says that the agent is there, and nothing else.
    #[must_use]
    pub const fn bare(agent_version: Text, sent_at: UtcMillis) -> Self {
        Self {
            agent_version,
            sent_at,
            content_hash: None,
            disclosure_mark: None,
            trust_bundle: None,
            reports: Vec::new(),
            action_results: Vec::new(),
        }
    }
}

/// The answer to a check-in, given only after everything in it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInResponse {
    /// Seconds to the next check-in.
    pub next_check_in_seconds: u32,
    /// The server's clock.
    pub server_time: UtcMillis,
    /// Reports that are durable on the server: the agent forgets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged: Vec<ReportId>,
    /// Reports that will never be accepted: the agent forgets them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedReport>,
    /// The content the server holds for this device; the agent sends a whole report when its own differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<ContentHash>,
    /// Asks the agent to renew its certificate now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub renew: bool,
    /// The key of this connection is on other machines too: the agent makes another one and asks with [`HealRequest`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub heal: bool,
    /// Pupils sit an exam for so many seconds from now, at most [`crate::limits::MAX_EXAMS_SECONDS`]: until then the agent
    /// makes no contact and asks no drive. Absent: no exam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exams_for_seconds: Option<u32>,
    /// What the borrower may know of this agent; sent when it is not what [`CheckInRequest::disclosure_mark`] stands for.
    /// Absent: what was told before holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<Disclosure>,
    /// The number of the server's trust bundle, where the agent holds another: it then asks for the chain
    /// ([`ROOTS_PATH`]). Nothing is trusted for this number itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_bundle: Option<u32>,
    /// What people ordered this agent to do; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<SignedActions>,
    /// Orders whose result is durable on the server, or that it does not know: the agent forgets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions_answered: Vec<ActionId>,
    /// The release that this device should have instead of its own, if it is one that updates itself: the agent then asks
    /// for [`crate::update::UPDATE_MANIFEST_PATH`], which alone says what may be installed. Absent: nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<AgentVersion>,
}

/// Who runs an agent, for the page that the borrower of the laptop reads on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// Who lends the laptop and runs the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Text>,
    /// Whom to write to: an address, a telephone number or a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Text>,
    /// When the agent's work on this laptop is planned to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UtcMillis>,
    /// Stands for all of this. The agent gives it back with each check-in and reads nothing into it, so that the server
    /// knows what was told without keeping it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
}

impl Disclosure {
    /// Who lends, and whom to write to, as somebody says it who installs an agent.
    #[must_use]
    pub const fn named(organisation: Option<Text>, contact: Option<Text>) -> Self {
        Self { organisation, contact, until: None, mark: None }
    }

    /// This, completed by what `other` says where this says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            organisation: self.organisation.or(other.organisation),
            contact: self.contact.or(other.contact),
            until: self.until.or(other.until),
            mark: self.mark.or(other.mark),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A report that the server will never accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReport {
    /// Which one.
    pub report_id: ReportId,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a report is never accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// Another report with the same id was already stored.
    SameIdOtherContent,
    /// A list in it is longer than its limit.
    TooMany,
    /// A reason this version does not know.
    #[serde(other)]
    Unknown,
}

/// Asks for a new certificate for the enrolment that authenticates the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewRequest {
    /// A PKCS#10 certificate request in PEM, for the same key or a new one.
    pub csr_pem: String,
}

/// Asks for the nonce of a recovery: the first of two steps by which a registered key whose certificate has ended gets
/// another. Nothing is looked up for it, so that it tells nobody which keys exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverNonceRequest {
    /// The registered public key: its SubjectPublicKeyInfo in DER, base64.
    pub public_key: String,
}

/// A nonce for one recovery by one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverNonce {
    /// To be signed within [`recovery_message`] and sent back as it is, once.
    pub nonce: String,
    /// Seconds for which it is good.
    pub valid_for_seconds: u32,
    /// The server's clock: an agent whose own is wrong learns here whether its certificate has ended at all.
    pub server_time: UtcMillis,
}

/// Asks for a certificate by the proof of the registered key: the second step. Answered by a [`CertificateGrant`] or an
/// [`EnrolPending`]. Asking again after a lost answer gives the same certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverRequest {
    /// The registered public key, as in [`RecoverNonceRequest`].
    pub public_key: String,
    /// The nonce, as it came.
    pub nonce: String,
    /// A PKCS#10 certificate request in PEM, for the same key or a new one.
    pub csr_pem: String,
    /// The registered key's signature of [`recovery_message`]: ECDSA on P-256 with SHA-256, in DER, base64.
    pub signature: String,
}

/// What the registered key signs: the nonce, and which certificate request it is for. The words before them set it apart
/// from everything else that this key signs (TLS handshakes, certificate requests).
pub fn recovery_message(nonce: &str, csr_pem: &str) -> Vec<u8> {
    let request = digest(&SHA256, csr_pem.as_bytes());
    [&b"cartable-recovery-1\n"[..], nonce.as_bytes(), b"\n", request.as_ref()].concat()
}

/// Asks for an enrolment of a new key, because the one that authenticates the connection is on more than one machine: an
/// image of a disk was copied with it. The connection proves that the asker has the old key, which stands in for a token;
/// the answer is that of an enrolment ([`CertificateGrant`] or [`EnrolPending`]). Repeating a request with the same
/// `request_id` and key gives the same enrolment again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealRequest {
    /// Chosen by the agent and kept until it has the new enrolment.
    pub request_id: uuid::Uuid,
    /// A PKCS#10 certificate request in PEM, for the new key.
    pub csr_pem: String,
    /// Which machine asks.
    #[serde(default)]
    pub hardware: Hardware,
    /// The agent's version.
    pub agent_version: Text,
}

/// An error, as RFC 9457 problem details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that names the kind of problem: `urn:cartable:problem:` and a name.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short text for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    #[serde(default)]
    pub detail: String,
    /// The device has changed owner: the agent named here removes itself. Only ever sent to that agent: over the
    /// connection that its own certificate opened, or in answer to a recovery that its own key signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseOrder>,
}

/// Tells one agent to remove its key, its spool and its state, and to stop for ever. An agent obeys only an order that
/// names its own device and enrolment; any other refusal leaves its key where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseOrder {
    /// The device that left the programme.
    pub device_id: DeviceId,
    /// The enrolment that ends.
    pub enrolment_id: EnrolmentId,
}

/// The kind of problem, without its prefix, of a check-in from a machine that is not the one its key is bound to. Nothing
/// of it was stored. The agent heals ([`HealRequest`]) and sends the same again under its new key.
pub const KEY_CLONED: &str = "key-cloned";

/// The kind of problem, without its prefix, of an [`EnrolRequest`] that has no place among those that wait for a person. The
/// agent asks again; there is a place once people decided about others.
pub const APPROVAL_QUEUE_FULL: &str = "approval-queue-full";

/// The kinds of problem, without their prefix, that are about the key itself and for good: it was refused by a person, gave way
/// to another one, or its device has left. Another token changes nothing of it, another key may.
pub const ENDED_KEYS: [&str; 3] = ["revoked", "replaced", "released"];

/// Prefix of every [`Problem::kind`].
pub const PROBLEM_PREFIX: &str = "urn:cartable:problem:";
