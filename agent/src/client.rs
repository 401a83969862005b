//! Speaks the device port: enrol and recover without a client certificate, check in, renew and heal with one.
//!
//! TLS 1.3 only, pinned roots only, no redirect, bounded answers, a time limit on everything, and the connection is
//! closed after each exchange (an idle one costs the server memory). The TLS session is kept in memory, so that the
//! next exchange resumes it. The two kinds of client never share a TLS configuration: without and with a certificate
//! are two worlds on the server too.

use std::{sync::Arc, time::Duration};

use cartable_common::{
    limits::MAX_ANSWER_BYTES,
    protocol::{
        CHECK_IN_PATH, CertificateGrant, CheckInRequest, CheckInResponse, ENROL_ALPN, ENROL_PATH, EnrolPending,
        EnrolRequest, HEAL_PATH, HealRequest, RECOVER_NONCE_PATH, RECOVER_PATH, RENEW_PATH, ROOTS_PATH, RecoverNonce,
        RecoverNonceRequest, RecoverRequest, RenewRequest,
    },
    trust::TrustChain,
    update::{UPDATE_FILES_PATH, UPDATE_MANIFEST_PATH},
};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    client::{Resumption, WantsClientCert},
    crypto::CryptoProvider,
    pki_types::CertificateDer,
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS13,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock::TrustedClock,
    crypto,
    identity::{self, IdentityError, Key},
    proxy::{self, InvalidProxy},
    server_url::ServerUrl,
    trouble::{Trouble, TroubleKind},
    verifier::{Anybody, Verifier},
};

/// Longest time to reach the server: a school's network at 8 o'clock is slow, a dead one should not keep us awake.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// Longest time for a whole exchange.
const EXCHANGE_LIMIT: Duration = Duration::from_mins(1);

/// TLS sessions kept for resumption: there is one server. rustls gives several tickets per connection.
const SESSIONS_KEPT: usize = 2;

/// Whether a proxy from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As the environment says.
    #[default]
    FromEnvironment,
    /// Never: for simulated agents beside their server.
    Direct,
}

/// How to reach a server and what to trust.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Where it is.
    pub server: ServerUrl,
    /// The only authorities whose word counts.
    pub roots: Vec<CertificateDer<'static>>,
    /// The clock by which certificates are judged.
    pub clock: TrustedClock,
    /// Whether to go through a proxy.
    pub proxy: Proxy,
}

/// A client that could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A certificate or a key is unusable.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// rustls refuses the certificates.
    #[error("the certificates cannot be used ({0}); check the file of roots, then enrol again")]
    Tls(#[from] rustls::Error),
    /// reqwest refuses its configuration.
    #[error("the connection could not be prepared ({0}); check HTTPS_PROXY")]
    Http(#[from] reqwest::Error),
    /// The environment names a proxy by what is no address.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
}

impl Connect {
    /// A connection to `server` that trusts the authorities in `roots_pem`.
    pub fn new(server: ServerUrl, roots_pem: &str) -> Result<Self, IdentityError> {
        let roots = identity::certificates(roots_pem)?;
        Ok(Self { server, roots, clock: TrustedClock::default(), proxy: Proxy::default() })
    }

    /// The same connection, trusting the authorities in `roots_pem` instead.
    pub fn trusting(&self, roots_pem: &str) -> Result<Self, IdentityError> {
        Ok(Self { roots: identity::certificates(roots_pem)?, ..self.clone() })
    }

    fn tls(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, ClientError> {
        let provider = Arc::new(crypto::provider());
        let mut store = RootCertStore::empty();
        for root in &self.roots {
            store.add(root.clone())?;
        }
        let verifier = Verifier::new(store, &provider, self.clock.clone())?;
        // "Dangerous" to rustls is any verifier but its own; this one asks its own.
        Ok(self.builder(provider)?.dangerous().with_custom_certificate_verifier(verifier))
    }

    /// To whoever answers: for what proves itself.
    fn tls_with_anybody(&self) -> Result<ClientConfig, ClientError> {
        let builder = self.builder(Arc::new(crypto::provider()))?;
        Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth())
    }

    fn builder(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ClientError> {
        let builder = ClientConfig::builder_with_details(provider, Arc::new(self.clock.clone()));
        Ok(builder.with_protocol_versions(&[&TLS13])?)
    }

    fn http(&self, mut tls: ClientConfig, alpn: &[u8]) -> Result<reqwest::Client, ClientError> {
        tls.alpn_protocols = vec![alpn.to_vec()];
        tls.resumption = Resumption::in_memory_sessions(SESSIONS_KEPT);
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_LIMIT)
            .timeout(EXCHANGE_LIMIT);
        let builder = match self.proxy {
            Proxy::FromEnvironment => {
                proxy::check()?;
                builder
            }
            Proxy::Direct => builder.no_proxy(),
        };
        Ok(builder.build()?)
    }
}

/// The client of a machine that is not enrolled, or whose certificate has ended.
#[derive(Clone, Debug)]
pub struct EnrolClient {
    http: reqwest::Client,
    server: ServerUrl,
}

/// The server's answer to an enrolment or a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrolAnswer {
    /// Granted.
    Granted(CertificateGrant),
    /// A person must approve it first: ask again later with the same request.
    Pending(EnrolPending),
}

impl EnrolAnswer {
    fn of((status, body): (StatusCode, Vec<u8>)) -> Result<Self, Trouble> {
        if status == StatusCode::ACCEPTED {
            return parse(&body).map(Self::Pending);
        }
        parse(&body).map(Self::Granted)
    }
}

impl EnrolClient {
    /// A client without a certificate.
    pub fn new(connect: &Connect) -> Result<Self, ClientError> {
        let tls = connect.tls()?.with_no_client_auth();
        Ok(Self { http: connect.http(tls, ENROL_ALPN)?, server: connect.server.clone() })
    }

    /// Asks for an enrolment. Repeating the same request is harmless.
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolAnswer, Trouble> {
        EnrolAnswer::of(exchange(&self.http, &self.server, ENROL_PATH, request).await?)
    }

    /// Asks for the nonce of a recovery.
    pub async fn recovery_nonce(&self, request: &RecoverNonceRequest) -> Result<RecoverNonce, Trouble> {
        let (_, body) = exchange(&self.http, &self.server, RECOVER_NONCE_PATH, request).await?;
        parse(&body)
    }

    /// Asks for another certificate. Each nonce serves once.
    pub async fn recover(&self, request: &RecoverRequest) -> Result<EnrolAnswer, Trouble> {
        EnrolAnswer::of(exchange(&self.http, &self.server, RECOVER_PATH, request).await?)
    }
}

/// The client of an enrolled machine.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: ServerUrl,
}

impl Client {
    /// A client that proves itself by `key` and the certificate chain granted for it.
    pub fn new(connect: &Connect, key: &Key, certificate_chain_pem: &str) -> Result<Self, ClientError> {
        let chain = identity::certificates(certificate_chain_pem)?;
        let certified = CertifiedKey::new(chain, key.to_rustls()?);
        certified.keys_match()?;
        let tls = connect.tls()?.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        Ok(Self { http: connect.http(tls, b"http/1.1")?, server: connect.server.clone() })
    }

    /// One contact.
    pub async fn check_in(&self, request: &CheckInRequest) -> Result<CheckInResponse, Trouble> {
        let (_, body) = exchange(&self.http, &self.server, CHECK_IN_PATH, request).await?;
        parse(&body)
    }

    /// Asks for an enrolment of a new key, because this one is on other machines too. Repeating the same request is
    /// harmless.
    pub async fn heal(&self, request: &HealRequest) -> Result<EnrolAnswer, Trouble> {
        EnrolAnswer::of(exchange(&self.http, &self.server, HEAL_PATH, request).await?)
    }

    /// Asks for a new certificate.
    pub async fn renew(&self, request: &RenewRequest) -> Result<CertificateGrant, Trouble> {
        let (_, body) = exchange(&self.http, &self.server, RENEW_PATH, request).await?;
        parse(&body)
    }

    /// The signed list of releases, as it came.
    pub async fn update_manifest(&self) -> Result<Vec<u8>, Trouble> {
        answered(self.http.get(self.server.join(UPDATE_MANIFEST_PATH))).await.map(|(_, body)| body)
    }

    /// What follows the first `from` bytes of the package with this SHA-256 in hexadecimal; nothing after its end.
    pub async fn update_part(&self, sha256: &str, from: u64) -> Result<Vec<u8>, Trouble> {
        let path = format!("{UPDATE_FILES_PATH}/{sha256}/{from}");
        answered(self.http.get(self.server.join(&path))).await.map(|(_, body)| body)
    }
}

/// Fetches the chain of trust bundles from whatever answers at the server's address: it proves itself, or counts for nothing.
/// Nothing of this machine is sent, and this connection's session resumes no other.
pub async fn trust_chain(connect: &Connect) -> Result<TrustChain, Trouble> {
    let http = connect
        .tls_with_anybody()
        .and_then(|tls| connect.http(tls, ENROL_ALPN))
        .map_err(|error| Trouble::local(&error))?;
    let (_, body) = answered(http.get(connect.server.join(ROOTS_PATH))).await?;
    parse(&body)
}

/// Sends `message` and reads the whole answer, which is a success (200 or 202) or a trouble.
async fn exchange<T: Serialize + Sync>(
    http: &reqwest::Client,
    server: &ServerUrl,
    path: &str,
    message: &T,
) -> Result<(StatusCode, Vec<u8>), Trouble> {
    let body = serde_json::to_vec(message).map_err(|e| Trouble::new(TroubleKind::Local, &e.to_string()))?;
    answered(http.post(server.join(path)).header(header::CONTENT_TYPE, "application/json").body(body)).await
}

/// Sends a request and reads the whole answer.
async fn answered(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Trouble> {
    let response = request.send().await.map_err(|error| Trouble::of_exchange(&error))?;
    let status = response.status();
    let retry_after = retry_after(&response);
    let body = bounded_body(response).await?;
    if matches!(status, StatusCode::OK | StatusCode::ACCEPTED) {
        return Ok((status, body));
    }
    Err(Trouble::of_status(status, retry_after, &body))
}

/// Reads at most [`MAX_ANSWER_BYTES`].
async fn bounded_body(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Trouble::of_exchange(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Trouble::new(TroubleKind::CaptivePortal, "the answer is longer than a Cartable server's"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What the server says in the `body` of a success.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| Trouble::of_body(body, &error))
}

/// `Retry-After` in seconds; its other form, a date, is left to our own backoff.
fn retry_after(response: &Response) -> Option<u32> {
    response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}
