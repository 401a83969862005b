//! A bare mutual TLS 1.3 handshake in memory: what the check-in's cost is measured against. Certificates and settings
//! are the device port's own; only the server's half is timed, in processor time of this thread.

use std::{path::Path, sync::Arc, time::Duration};

use cartable_common::UtcMillis;
use cartable_server::pki::{Authority, MasterKey};
use rustix::time::{ClockId, clock_gettime};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    client::Resumption,
    crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs},
    pki_types::{PrivateKeyDer, ServerName},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    version::TLS13,
};

use super::load::client_config;
use crate::simulator::keyring::Identity;

/// The key exchange of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// What today's agents offer.
    X25519,
    /// The hybrid with a post-quantum half.
    X25519MlKem768,
}

impl Exchange {
    /// Its name in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519 => "X25519",
            Self::X25519MlKem768 => "X25519MLKEM768",
        }
    }

    fn provider(self) -> CryptoProvider {
        let group: &'static dyn SupportedKxGroup = match self {
            Self::X25519 => aws_lc_rs::kx_group::X25519,
            Self::X25519MlKem768 => aws_lc_rs::kx_group::X25519MLKEM768,
        };
        CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() }
    }
}

/// Both ends of a handshake.
#[derive(Debug)]
pub struct Bare {
    server: Arc<ServerConfig>,
    full: Arc<ClientConfig>,
    resuming: Arc<ClientConfig>,
}

impl Bare {
    /// With the authority in `data` and the enrolled `identity`.
    pub fn new(
        data: &Path,
        key: &MasterKey,
        hosts: &[String],
        identity: &Identity,
        exchange: Exchange,
        now: UtcMillis,
    ) -> anyhow::Result<Self> {
        let authority = Authority::load(&data.join("pki"), key)?;
        let certificate = authority.gateway_certificate(hosts, now)?;
        let provider = Arc::new(exchange.provider());
        let mut anchors = RootCertStore::empty();
        anchors.add(authority.devices().certificate().clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), Arc::clone(&provider)).build()?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificate.chain.clone(), PrivateKeyDer::Pkcs8(certificate.key.clone_key()))?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        server.ticketer = aws_lc_rs::Ticketer::new()?;
        server.send_tls13_tickets = 1;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        let client = || client_config(exchange.provider(), authority.roots_pem(), identity);
        let (mut full, mut resuming) = (client()?, client()?);
        full.resumption = Resumption::disabled();
        resuming.resumption = Resumption::in_memory_sessions(2);
        Ok(Self { server: Arc::new(server), full: Arc::new(full), resuming: Arc::new(resuming) })
    }

    /// The server's processor time for one full handshake, the mean of `count`.
    pub fn full(&self, count: u32) -> anyhow::Result<Duration> {
        mean(count, || handshake(&self.server, &self.full))
    }

    /// The same for a resumed one.
    pub fn resumed(&self, count: u32) -> anyhow::Result<Duration> {
        handshake(&self.server, &self.resuming)?;
        mean(count, || handshake(&self.server, &self.resuming))
    }
}

fn mean(count: u32, mut one: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for _ in 0..count {
        sum += one()?;
    }
    Ok(sum / count.max(1))
}

fn handshake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> anyhow::Result<Duration> {
    let name = ServerName::try_from("127.0.0.1")?;
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    let begun = thread_cpu();
    let mut server = ServerConnection::new(Arc::clone(server))?;
    let mut spent = thread_cpu().saturating_sub(begun);
    loop {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut up)?;
        }
        let begun = thread_cpu();
        let mut rest = up.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest)?;
            server.process_new_packets()?;
        }
        while server.wants_write() {
            server.write_tls(&mut down)?;
        }
        spent += thread_cpu().saturating_sub(begun);
        let mut rest = down.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest)?;
            client.process_new_packets()?;
        }
        if up.is_empty() && down.is_empty() {
            return Ok(spent);
        }
    }
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
