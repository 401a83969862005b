//! The key of this laptop: with the certificate granted for it, while it waits to be granted, or in another one's place.
//!
//! None of them shows its key where it is printed for a log.

use cartable_common::{
    EnrolmentId,
    protocol::{CertificateGrant, Disclosure},
    report::{Hardware, KeyProtection},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    identity::{IdentityError, Key},
    server_url::ServerUrl,
};

/// A granted enrolment: the key and the certificate that speaks for it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// The server.
    pub server: ServerUrl,
    /// The pinned authorities, PEM, below the number of their bundle.
    pub roots_pem: String,
    /// The request that was granted.
    pub request_id: Uuid,
    /// The private key, or what of it only its TPM can use.
    key_pem: String,
    /// What the server granted.
    pub grant: CertificateGrant,
    /// What the invitation said of who runs the agent.
    #[serde(default)]
    pub disclosure: Disclosure,
    /// The machine that enrolled, to notice that this folder was copied to another one. Absent: enrolled by an older agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Hardware>,
}

/// A new key that this machine asks for, because the one of its enrolment is on other machines too.
#[derive(Clone, Serialize, Deserialize)]
pub struct Healing {
    /// The enrolment whose key it replaces. Another one: this is over, or was copied from elsewhere.
    pub old: EnrolmentId,
    /// Repeated with each attempt, so that the server recognises it.
    pub request_id: Uuid,
    /// The new private key.
    key_pem: String,
}

/// An enrolment that was asked for and not yet granted.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The server.
    pub server: ServerUrl,
    /// The pinned authorities.
    pub roots_pem: String,
    /// Repeated with each attempt, so that the server recognises it.
    pub request_id: Uuid,
    /// The private key, or what of it only its TPM can use.
    key_pem: String,
    /// The enrolment token, forgotten once granted; empty where another key was lost.
    pub token: String,
    /// The public key of the enrolment whose place it is to take, because the TPM does not hold that key any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_key: Option<String>,
    /// Why it waits, as the server says; absent before the first answer.
    #[serde(default)]
    pub reason: Option<String>,
    /// What the invitation said of who runs the agent.
    #[serde(default)]
    pub disclosure: Disclosure,
    /// Whether the server refuses this key for good: another request takes another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// The request that waits at another server, from before this one: whoever mistyped an address asks the right server
    /// with the key that waits there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    elsewhere: Option<Box<Self>>,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolment({} [redacted])", self.server)
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({} [redacted])", self.server)
    }
}

impl std::fmt::Debug for Healing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Healing({} [redacted])", self.old)
    }
}

impl Healing {
    /// A request for `key` in the place of the key of `old`.
    pub fn new(old: EnrolmentId, key: &Key) -> Self {
        Self { old, request_id: Uuid::new_v4(), key_pem: key.to_pem() }
    }

    /// The new key.
    pub fn key(&self) -> Result<Key, IdentityError> {
        Key::from_pem(&self.key_pem)
    }
}

impl Enrolment {
    /// The key.
    pub fn key(&self) -> Result<Key, IdentityError> {
        Key::from_pem(&self.key_pem)
    }

    /// What keeps the key, where it can be read.
    pub fn key_protection(&self) -> Option<KeyProtection> {
        self.key().ok().map(|key| key.protection())
    }

    /// The same enrolment, which remembers the machine that it was made on.
    #[must_use]
    pub fn on(self, machine: Hardware) -> Self {
        Self { machine: Some(machine), ..self }
    }

    /// The enrolment of this machine's own key, with the same server.
    #[must_use]
    pub fn healed(&self, healing: Healing, grant: CertificateGrant, machine: Hardware) -> Self {
        let Healing { request_id, key_pem, .. } = healing;
        Self { request_id, key_pem, grant, machine: Some(machine), ..self.clone() }
    }

    /// The same enrolment with another certificate for the same key.
    #[must_use]
    pub fn renewed(&self, grant: CertificateGrant) -> Self {
        Self { grant, ..self.clone() }
    }

    /// The same enrolment with newer roots.
    #[must_use]
    pub fn trusting(&self, roots_pem: String) -> Self {
        Self { roots_pem, ..self.clone() }
    }
}

impl Pending {
    /// A request to `server` with `key`.
    pub fn new(server: ServerUrl, roots_pem: String, request_id: Uuid, key: &Key, token: String) -> Self {
        Self {
            server,
            roots_pem,
            request_id,
            key_pem: key.to_pem(),
            token,
            lost_key: None,
            reason: None,
            disclosure: Disclosure::default(),
            is_refused: false,
            elsewhere: None,
        }
    }

    /// The same request, which remembers the one that waits at another server: `earlier`, or what that remembered where it
    /// goes to this server too, or was never answered.
    #[must_use]
    pub fn after(self, earlier: Option<Self>) -> Self {
        let Some(mut earlier) = earlier else { return self };
        let before = earlier.elsewhere.take();
        let waits = earlier.server != self.server && earlier.reason.is_some();
        let elsewhere = if waits { Some(Box::new(earlier)) } else { before };
        Self { elsewhere: elsewhere.filter(|one| one.server != self.server), ..self }
    }

    /// The request to `server`, be it this one or the one from before.
    pub fn request_to(&self, server: &ServerUrl) -> Option<&Self> {
        if self.server == *server {
            return Some(self);
        }
        self.elsewhere.as_ref()?.request_to(server)
    }

    /// The keys of all that is remembered here.
    pub(super) fn keys(&self) -> impl Iterator<Item = Result<Key, IdentityError>> {
        std::iter::once(self.key()).chain(self.elsewhere.as_ref().map(|one| one.key()))
    }

    /// The same request, which the server refuses for good.
    #[must_use]
    pub fn refused(self) -> Self {
        Self { is_refused: true, ..self }
    }

    /// The key.
    pub fn key(&self) -> Result<Key, IdentityError> {
        Key::from_pem(&self.key_pem)
    }

    /// The same request, with newer roots.
    #[must_use]
    pub fn trusting(self, roots_pem: String) -> Self {
        Self { roots_pem, ..self }
    }

    /// The same request, with what the borrower may know.
    #[must_use]
    pub fn disclosing(self, disclosure: Disclosure) -> Self {
        Self { disclosure, ..self }
    }

    /// A request without a token, to take the place of `lost` with `key`.
    pub fn in_place_of(lost: &Enrolment, lost_key: String, request_id: Uuid, key: &Key) -> Self {
        let new = Self::new(lost.server.clone(), lost.roots_pem.clone(), request_id, key, String::new());
        Self { lost_key: Some(lost_key), ..new.disclosing(lost.disclosure.clone()) }
    }

    /// The same request with another key, which makes it another to the server.
    #[must_use]
    pub fn with_key(self, request_id: Uuid, key: &Key) -> Self {
        Self { request_id, key_pem: key.to_pem(), reason: None, is_refused: false, ..self }
    }

    /// The same request, with the server's words on why it waits.
    #[must_use]
    pub fn waiting(self, reason: String) -> Self {
        Self { reason: Some(reason), is_refused: false, ..self }
    }

    /// The enrolment it becomes when the server grants it.
    #[must_use]
    pub fn granted(self, grant: CertificateGrant) -> Enrolment {
        let Self { server, roots_pem, request_id, key_pem, disclosure, .. } = self;
        Enrolment { server, roots_pem, request_id, key_pem, grant, disclosure, machine: None }
    }
}
