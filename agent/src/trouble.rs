//! Why a contact failed, in the few kinds that a technician can act on.
//!
//! Reads the errors of reqwest, hyper and rustls and the server's HTTP status. Keeps at most a short cleaned text of
//! what a stranger answered; never a body, never a token.

use cartable_common::{
    Text,
    protocol::{APPROVAL_QUEUE_FULL, ENDED_KEYS, KEY_CLONED, PROBLEM_PREFIX, Problem, ReleaseOrder},
};
use reqwest::StatusCode;
use rustls::{AlertDescription, CertificateError};
use serde::{Deserialize, Serialize};

use crate::identity::IdentityError;

/// The kind of problem by which the server says that a certificate has ended.
const CERTIFICATE_EXPIRED: &str = "certificate-expired";

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// The server's name has no address here: no network, or a wrong name.
    NameResolution,
    /// Nothing answers at the server's address.
    Unreachable,
    /// Too slow.
    TimedOut,
    /// The proxy refuses or does not answer.
    Proxy,
    /// Something between the laptop and the server answers in its place.
    CaptivePortal,
    /// What answers cannot prove that it is the server.
    UntrustedServer,
    /// The server's certificate is not valid at this machine's time.
    Clock,
    /// The server knows this agent and refuses it, or does not know it any more.
    Refused,
    /// The server says that this agent's certificate has ended, or that its authority's time is over: recovery follows by
    /// itself.
    CertificateEnded,
    /// A person must agree to another certificate first; the agent goes on asking.
    AwaitsApproval,
    /// So many machines wait for a person that this one has no place among them yet; the agent goes on asking.
    QueueFull,
    /// The key is another machine's: an image was copied with it, or the main board was exchanged.
    KeyCloned,
    /// The server ordered this very agent to remove itself: the computer has changed owner.
    Released,
    /// The server is too busy for now.
    Busy,
    /// The server has an internal error.
    ServerFault,
    /// The server finds the message itself wrong.
    Rejected,
    /// The TPM that keeps the key, or the system's key store, does not answer, or refuses for now.
    Tpm,
    /// Either says that it does not hold the key any more: the agent asks with another, and a person must agree.
    KeyLost,
    /// The state directory failed: full, read-only or damaged.
    Local,
    /// Anything else.
    #[serde(other)]
    NotUnderstood,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind:?}: {detail}")]
pub struct Trouble {
    /// Its kind.
    pub kind: TroubleKind,
    /// The technical words, cleaned and short.
    pub detail: String,
    /// What the server asked to wait, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
    /// What came with a refusal: the order to some agent to remove itself. Whether it is this one, only the holder of the
    /// enrolment can say.
    #[serde(skip)]
    pub release: Option<ReleaseOrder>,
    /// Whether the server refuses the key for good, whatever comes with it.
    #[serde(skip)]
    pub ends_key: bool,
}

/// Whether the other end had proved that it is the server when an exchange broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// In TLS 1.3 whatever comes after the handshake is the server's own.
    Given,
    /// Until then an alert comes in clear, and anybody can send it.
    Missing,
}

impl Trouble {
    /// A trouble with its technical words.
    pub fn new(kind: TroubleKind, detail: &str) -> Self {
        // Whole words: "os error 11" is another error than 111.
        let detail = Text::in_whole_words(detail).as_str().to_owned();
        Self { kind, detail, retry_after_seconds: None, release: None, ends_key: false }
    }

    /// What fails on this machine itself.
    pub(crate) fn local(error: &dyn std::error::Error) -> Self {
        Self::new(TroubleKind::Local, &error.to_string())
    }

    /// From a key that could not be used on this machine.
    pub(crate) fn of_key(error: &IdentityError) -> Self {
        Self::new(key_kind(error), &error.to_string())
    }

    /// From an exchange that broke before an answer.
    pub(crate) fn of_exchange(error: &reqwest::Error) -> Self {
        let chain = chain_of(error);
        let words = chain.iter().skip(1).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        // A client's handshake is done before the server has judged its certificate: a refusal comes after it.
        let proof = if error.is_connect() { Proof::Missing } else { Proof::Given };
        let kind = chain
            .iter()
            .find_map(|cause| rustls_error(*cause).map(|error| tls_kind(error, proof)))
            .or_else(|| kind_of_words(&words))
            .unwrap_or_else(|| {
                if error.is_timeout() {
                    TroubleKind::TimedOut
                } else if error.is_decode() || words.contains("invalid HTTP") {
                    TroubleKind::NotUnderstood
                } else {
                    TroubleKind::Unreachable
                }
            });
        Self::new(kind, if words.is_empty() { "no answer" } else { &words })
    }

    /// From an answer that is not a success.
    pub fn of_status(status: StatusCode, retry_after_seconds: Option<u32>, body: &[u8]) -> Self {
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        let name = problem.as_ref().and_then(|problem| problem.kind.strip_prefix(PROBLEM_PREFIX));
        let kind = match status.as_u16() {
            401 if name == Some(CERTIFICATE_EXPIRED) => TroubleKind::CertificateEnded,
            403 if name == Some(KEY_CLONED) => TroubleKind::KeyCloned,
            401 | 403 => TroubleKind::Refused,
            407 => TroubleKind::Proxy,
            429 if name == Some(APPROVAL_QUEUE_FULL) => TroubleKind::QueueFull,
            408 | 429 | 503 => TroubleKind::Busy,
            // A Cartable server never redirects; 511 is "network authentication required".
            300..=399 | 511 => TroubleKind::CaptivePortal,
            400..=499 => TroubleKind::Rejected,
            500..=599 => TroubleKind::ServerFault,
            _ => TroubleKind::NotUnderstood,
        };
        let release = problem.as_ref().and_then(|problem| problem.release).filter(|_| kind == TroubleKind::Refused);
        let ends_key = kind == TroubleKind::Refused && name.is_some_and(|name| ENDED_KEYS.contains(&name));
        let words = problem.map_or_else(
            || format!("HTTP {}", status.as_u16()),
            |problem| format!("HTTP {}: {}. {}", status.as_u16(), problem.title, problem.detail),
        );
        Self { retry_after_seconds, release, ends_key, ..Self::new(kind, &words) }
    }

    /// From a success whose body is not what a Cartable server says.
    pub fn of_body(body: &[u8], error: &serde_json::Error) -> Self {
        if body.trim_ascii_start().first() == Some(&b'<') {
            return Self::new(TroubleKind::CaptivePortal, "a web page came instead of an answer");
        }
        Self::new(TroubleKind::NotUnderstood, &format!("the answer could not be read: {error}"))
    }
}

fn chain_of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Vec<&'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |cause| cause.source()).collect()
}

/// rustls hides its errors inside `io::Error`, sometimes twice.
fn rustls_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    let inner = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    rustls_error(inner)
}

fn tls_kind(error: &rustls::Error, proof: Proof) -> TroubleKind {
    use rustls::Error as Tls;
    #[expect(clippy::wildcard_enum_match_arm, reason = "rustls' errors are open-ended; the rest is one kind")]
    match error {
        Tls::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => TroubleKind::Clock,
        // Whatever it says, it says nothing of the server: it costs what a stranger's network costs.
        Tls::AlertReceived(_) if proof == Proof::Missing => TroubleKind::UntrustedServer,
        Tls::AlertReceived(alert) => alert_kind(*alert),
        Tls::InvalidMessage(_) => TroubleKind::CaptivePortal,
        // What the TPM or the key store said when it was to sign the handshake.
        Tls::Other(other) => other.0.downcast_ref::<IdentityError>().map_or(TroubleKind::UntrustedServer, key_kind),
        _ => TroubleKind::UntrustedServer,
    }
}

fn key_kind(error: &IdentityError) -> TroubleKind {
    match error {
        IdentityError::Tpm(_) | IdentityError::Store(_) if error.is_lost() => TroubleKind::KeyLost,
        IdentityError::Tpm(_) | IdentityError::Store(_) => TroubleKind::Tpm,
        IdentityError::Key(_) | IdentityError::Randomness | IdentityError::Certificate(_) => TroubleKind::Local,
    }
}

/// What the server's alert says of us.
fn alert_kind(alert: AlertDescription) -> TroubleKind {
    #[expect(clippy::wildcard_enum_match_arm, reason = "an alert that does not speak of our certificate is one kind")]
    match alert {
        // Its time is over, or that of the authority that signed it: the key recovers either way.
        AlertDescription::CertificateExpired | AlertDescription::UnknownCA => TroubleKind::CertificateEnded,
        AlertDescription::AccessDenied
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateRequired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => TroubleKind::Refused,
        AlertDescription::InternalError => TroubleKind::ServerFault,
        _ => TroubleKind::UntrustedServer,
    }
}

/// hyper's connector errors have private types: their words are all there is.
fn kind_of_words(words: &str) -> Option<TroubleKind> {
    let has = |part: &str| words.contains(part);
    if has("tunnel error") || has("proxy") {
        Some(TroubleKind::Proxy)
    } else if has("dns error") || has("failed to lookup address") {
        Some(TroubleKind::NameResolution)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::protocol::RecoverNonceRequest;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        client::{Connect, EnrolClient, Proxy},
        server_url::ServerUrl,
    };

    fn of(status: u16, body: &str) -> Trouble {
        Trouble::of_status(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn statuses_become_kinds() {
        for (status, kind) in [
            (302, TroubleKind::CaptivePortal),
            (511, TroubleKind::CaptivePortal),
            (401, TroubleKind::Refused),
            (403, TroubleKind::Refused),
            (413, TroubleKind::Rejected),
            (429, TroubleKind::Busy),
            (503, TroubleKind::Busy),
            (500, TroubleKind::ServerFault),
        ] {
            assert_eq!(of(status, "<html>").kind, kind, "{status}");
            assert_eq!(of(status, "<html>").detail, format!("HTTP {status}"), "a stranger's page is not kept");
        }
    }

    #[test]
    fn the_servers_own_words_are_kept_and_made_harmless() {
        let body = r#"{"type":"urn:cartable:problem:revoked","title":"Revoked","status":403,"detail":"Ask\u001b[31m the office."}"#;
        assert_eq!(of(403, body).detail, "HTTP 403: Revoked. Ask\u{FFFD}[31m the office.");
    }

    #[test]
    fn long_words_end_between_two_of_them() {
        let words = "tcp connect error: Connection refused (os error 111)";
        let of_length = |length: usize| Trouble::new(TroubleKind::Proxy, &format!("{words:x>length$}")).detail;
        assert!(of_length(128).ends_with("(os error 111)"), "{}", of_length(128));
        assert!(of_length(130).ends_with("(os error…"), "{}", of_length(130));
    }

    #[test]
    fn an_order_to_leave_comes_with_a_refusal_and_with_nothing_else() {
        let order = r#""release":{"device_id":"0192f3a0-1111-7000-8000-000000000001","enrolment_id":"0192f3a0-1111-7000-8000-000000000002"}"#;
        let body = format!(
            r#"{{"type":"urn:cartable:problem:released","title":"Released","status":403,"detail":"",{order}}}"#
        );
        assert!(of(403, &body).release.is_some());
        // Not yet obeyed: whose order it is, is not known here.
        assert_eq!(of(403, &body).kind, TroubleKind::Refused);
        for status in [302, 429, 500, 503] {
            assert_eq!(of(status, &body).release, None, "{status}");
        }
        assert_eq!(of(403, r#"{"type":"x","title":"Released","status":403}"#).release, None);
    }

    #[test]
    fn that_the_certificate_has_ended_is_no_other_refusal() {
        let body = |kind: &str| format!(r#"{{"type":"urn:cartable:problem:{kind}","title":"x","status":401}}"#);
        assert_eq!(of(401, &body("certificate-expired")).kind, TroubleKind::CertificateEnded);
        assert_eq!(of(403, &body("certificate-expired")).kind, TroubleKind::Refused);
        assert_eq!(of(401, &body("no-certificate")).kind, TroubleKind::Refused);
        for alert in [AlertDescription::CertificateExpired, AlertDescription::UnknownCA] {
            assert_eq!(tls_kind(&rustls::Error::AlertReceived(alert), Proof::Given), TroubleKind::CertificateEnded);
        }
    }

    #[test]
    fn a_cloned_key_is_told_from_every_other_refusal() {
        let body = r#"{"type":"urn:cartable:problem:key-cloned","title":"Key","status":403,"detail":"Make another."}"#;
        assert_eq!(of(403, body).kind, TroubleKind::KeyCloned);
        assert_eq!(of(401, body).kind, TroubleKind::Refused);
        assert_eq!(of(503, body).kind, TroubleKind::Busy);
        assert_eq!(of(403, &body.replace("key-cloned", "revoked")).kind, TroubleKind::Refused);
    }

    #[test]
    fn a_full_queue_is_told_from_a_busy_server() {
        let body =
            r#"{"type":"urn:cartable:problem:approval-queue-full","title":"Too many machines wait","status":429}"#;
        assert_eq!(of(429, body).kind, TroubleKind::QueueFull);
        assert_eq!(of(429, &body.replace("approval-queue-full", "throttled")).kind, TroubleKind::Busy);
        assert_eq!(of(503, body).kind, TroubleKind::Busy);
    }

    #[test]
    fn a_page_is_a_portal_and_noise_is_noise() {
        let error = serde_json::from_str::<u8>("x").unwrap_err();
        assert_eq!(Trouble::of_body(b"\n <html>", &error).kind, TroubleKind::CaptivePortal);
        assert_eq!(Trouble::of_body(b"noise", &error).kind, TroubleKind::NotUnderstood);
    }

    #[test]
    fn tls_errors_become_kinds() {
        use rustls::{Error, InvalidMessage};
        let proven = |error: &Error| tls_kind(error, Proof::Given);
        let certificate = |error| tls_kind(&Error::InvalidCertificate(error), Proof::Missing);
        assert_eq!(certificate(CertificateError::NotValidYet), TroubleKind::Clock);
        assert_eq!(certificate(CertificateError::UnknownIssuer), TroubleKind::UntrustedServer);
        assert_eq!(proven(&Error::InvalidMessage(InvalidMessage::InvalidContentType)), TroubleKind::CaptivePortal);
        assert_eq!(proven(&Error::AlertReceived(AlertDescription::CertificateRevoked)), TroubleKind::Refused);
        let hidden = std::io::Error::other(std::io::Error::other(Error::DecryptError));
        assert!(rustls_error(&hidden).is_some());
    }

    /// What an agent makes of `words` in place of a server's handshake.
    async fn of_stranger(words: &[u8]) -> TroubleKind {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server: ServerUrl = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        let root = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&root).unwrap();
        let mut connect = Connect::new(server, &root.pem()).unwrap();
        connect.proxy = Proxy::Direct;
        let client = EnrolClient::new(&connect).unwrap();
        let request = RecoverNonceRequest { public_key: String::new() };
        let stranger = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Read first: a reset would overtake the words.
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(words).await.unwrap();
        };
        let (answer, ()) = tokio::join!(client.recovery_nonce(&request), stranger);
        answer.unwrap_err().kind
    }

    #[tokio::test]
    async fn an_alert_of_anybodys_is_no_word_of_the_server() {
        assert_eq!(of_stranger(b"").await, TroubleKind::Unreachable);
        assert_eq!(of_stranger(b"HTTP/1.1 403 Forbidden\r\n\r\n").await, TroubleKind::CaptivePortal);
        // Bad, unsupported, revoked, ended and unknown certificate, unknown authority, access denied, internal error,
        // certificate required.
        for alert in [42, 43, 44, 45, 46, 48, 49, 80, 116] {
            let words = [0x15, 3, 3, 0, 2, 2, alert];
            assert_eq!(of_stranger(&words).await, TroubleKind::UntrustedServer, "{alert}");
            let proven = tls_kind(&rustls::Error::AlertReceived(AlertDescription::from(alert)), Proof::Given);
            assert_ne!(proven, TroubleKind::UntrustedServer, "{alert}: the server's own counts");
        }
    }

    #[test]
    fn what_holds_the_key_is_no_stranger_and_its_word_that_the_key_is_gone_is_heard() {
        use crate::key_store::{Code, Step, StoreError};
        let kinds = |error: IdentityError| {
            let of_key = Trouble::of_key(&error).kind;
            let hidden = rustls::Error::Other(rustls::OtherError(std::sync::Arc::new(error)));
            (of_key, tls_kind(&hidden, Proof::Missing))
        };
        let no_tpm = crate::tpm::TpmKey::create(std::path::Path::new("/nowhere/tpm")).unwrap_err();
        assert_eq!(kinds(no_tpm.into()), (TroubleKind::Tpm, TroubleKind::Tpm));
        let store = |step, code| kinds(StoreError::Refused { step, code: Code(code) }.into());
        assert_eq!(store(Step::Find, 0x8009_0016), (TroubleKind::KeyLost, TroubleKind::KeyLost));
        assert_eq!(store(Step::Find, 0x8009_0030), (TroubleKind::Tpm, TroubleKind::Tpm));
        assert_eq!(store(Step::Open, 0x8009_0016), (TroubleKind::Tpm, TroubleKind::Tpm));
    }
}
