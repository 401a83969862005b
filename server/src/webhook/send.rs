//! One POST to one target: resolved, checked, connected to the checked address, over TLS, within a time limit.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use cartable_common::UtcMillis;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::{address::is_allowed, sign::Secret};
use crate::{
    config::WebhookSettings,
    domain::webhook::{InvalidTarget, Target},
};

/// How long telling may take, from the name to the answer. The specification advises 15 to 30 seconds.
const LIMIT: Duration = Duration::from_secs(20);
/// Of an answer no more is read; nothing of it is kept.
const MOST_READ: usize = 16 * 1024;

/// Why telling cannot be set up as configured.
#[derive(Debug, thiserror::Error)]
pub enum TellerError {
    /// The trusted authority cannot be read.
    #[error("webhooks: ca_file: {0}")]
    Authority(String),
    /// TLS cannot be set up.
    #[error("webhooks: TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why somebody was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address is not one that may be told.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// The name leads into a network.
    #[error("the name leads to {0}, which is not a public address")]
    Inside(std::net::IpAddr),
    /// The name leads nowhere.
    #[error("the name cannot be resolved: {0}")]
    Unresolved(String),
    /// No connection.
    #[error("no connection: {0}")]
    Connection(String),
    /// No answer in time.
    #[error("no answer within {} seconds", LIMIT.as_secs())]
    TimeLimit,
    /// An answer that does not say that the event was taken.
    #[error("answered {0}")]
    Status(u16),
    /// The receiver says that it is gone for good.
    #[error("answered 410: gone")]
    Gone,
}

/// Tells targets of events.
#[derive(Clone)]
pub struct Teller {
    settings: WebhookSettings,
    tls: Arc<ClientConfig>,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Teller({:?})", self.settings.hosts)
    }
}

impl Teller {
    /// Trusts the system's authorities and the one that the configuration adds.
    pub fn new(settings: WebhookSettings) -> Result<Self, TellerError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = &settings.authority {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| TellerError::Authority(error.to_string()))?;
                roots.add(certificate)?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { settings, tls: Arc::new(tls) })
    }

    /// Whether an address may be told, by its form and name.
    pub fn target(&self, url: &str) -> Result<Target, InvalidTarget> {
        Target::parse(url, &self.settings.hosts)
    }

    /// Tells `url` of `payload`, once, as the message `id`, at `now`.
    pub async fn tell(
        &self,
        url: &str,
        secret: &Secret,
        id: &str,
        payload: &str,
        now: UtcMillis,
    ) -> Result<(), Refusal> {
        let target = self.target(url)?;
        match tokio::time::timeout(LIMIT, self.post(&target, secret, id, payload, now)).await {
            Ok(told) => told,
            Err(_) => Err(Refusal::TimeLimit),
        }
    }

    async fn post(
        &self,
        target: &Target,
        secret: &Secret,
        id: &str,
        payload: &str,
        now: UtcMillis,
    ) -> Result<(), Refusal> {
        let failed = |error: &dyn std::fmt::Display| Refusal::Connection(error.to_string().chars().take(160).collect());
        let address = self.resolve(target).await?;
        let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
        let name = ServerName::try_from(target.host.clone()).map_err(|error| failed(&error))?;
        let stream =
            TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        let exchange = async {
            let request = request(target, secret, id, payload, now).map_err(|error| failed(&error))?;
            let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
            let status = answer.status();
            // Whatever it says, it is only read so that the receiver sees an orderly end.
            let _ = Limited::new(answer.into_body(), MOST_READ).collect().await;
            verdict(status)
        };
        // The connection's own future moves the bytes while the exchange waits for them.
        tokio::pin!(connection, exchange);
        tokio::select! {
            biased;
            told = &mut exchange => told,
            ended = &mut connection => match ended {
                // The receiver answered and closed: the answer is on its way to the exchange.
                Ok(()) => exchange.await,
                Err(error) => Err(failed(&error)),
            },
        }
    }

    /// An address of the target that may be reached; all of them must be such.
    async fn resolve(&self, target: &Target) -> Result<SocketAddr, Refusal> {
        let found = lookup_host((target.host.as_str(), target.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|error| Refusal::Unresolved(error.to_string()))?.collect();
        if let Some(inside) = found.iter().find(|address| !is_allowed(address.ip(), self.settings.loopback)) {
            return Err(Refusal::Inside(inside.ip()));
        }
        found.first().copied().ok_or_else(|| Refusal::Unresolved("no address".to_owned()))
    }
}

fn request(
    target: &Target,
    secret: &Secret,
    id: &str,
    payload: &str,
    now: UtcMillis,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let seconds = now.get() / 1_000;
    Request::builder()
        .method(Method::POST)
        .uri(target.path.as_str())
        .header(header::HOST, target.authority())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("Cartable/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", secret.sign(id, seconds, payload))
        .body(Full::new(Bytes::from(payload.to_owned())))
}

fn verdict(status: StatusCode) -> Result<(), Refusal> {
    match status {
        StatusCode::GONE => Err(Refusal::Gone),
        status if status.is_success() => Ok(()),
        status => Err(Refusal::Status(status.as_u16())),
    }
}
