//! Load: many enrolled devices that say "nothing changed", over a new connection each time, a resumed one, or one that
//! stays open. HTTP is written by hand, as the agent's library writes it, so that the generator costs little.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use cartable_common::{
    UtcMillis,
    protocol::{CHECK_IN_PATH, CheckInRequest},
    report::HealthReport,
};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    client::Resumption,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    version::TLS13,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::simulator::{
    device::{Link, envelope},
    keyring::Identity,
};

/// How a device reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A full handshake each time.
    New,
    /// A resumed handshake each time.
    Resumed,
    /// One connection for all.
    KeptAlive,
}

impl Mode {
    /// All.
    pub const ALL: [Self; 3] = [Self::New, Self::Resumed, Self::KeptAlive];

    /// Its name in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new connection",
            Self::Resumed => "resumed",
            Self::KeptAlive => "kept alive",
        }
    }
}

/// An enrolled device of the load generator.
#[derive(Clone, Debug)]
pub struct LoadDevice {
    full: Arc<ClientConfig>,
    resuming: Arc<ClientConfig>,
    unchanged: Vec<u8>,
    whole: Vec<u8>,
}

/// What one exchange took on HTTP's level.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpBytes {
    /// To the server.
    pub request: usize,
    /// From it.
    pub answer: usize,
}

/// What a round of load came to.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Check-ins that were acknowledged.
    pub check_ins: u64,
    /// How long it took.
    pub took: Duration,
}

/// The TLS client of `identity` with `provider`.
pub fn client_config(provider: CryptoProvider, roots_pem: &str, identity: &Identity) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots_pem.as_bytes()) {
        roots.add(root?)?;
    }
    let granted = identity.granted.as_ref().context("not enrolled")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(granted.certificate_chain_pem.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain?, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl LoadDevice {
    /// The device that `identity` is, with `report` as its present state. It speaks TLS as the agent does (ring,
    /// X25519).
    pub fn new(
        roots_pem: &str,
        identity: &Identity,
        report: HealthReport,
        server: SocketAddr,
        now: UtcMillis,
    ) -> anyhow::Result<Self> {
        let config = || client_config(rustls::crypto::ring::default_provider(), roots_pem, identity);
        let (mut full, mut resuming) = (config()?, config()?);
        full.resumption = Resumption::disabled();
        resuming.resumption = Resumption::in_memory_sessions(2);
        let mut request = CheckInRequest {
            content_hash: Some(report.content_hash()),
            ..CheckInRequest::bare(cartable_agent::version(), now)
        };
        let unchanged = post(server, &request)?;
        request.reports.push(envelope(report, now, now));
        let whole = post(server, &request)?;
        Ok(Self { full: Arc::new(full), resuming: Arc::new(resuming), unchanged, whole })
    }

    async fn connect(&self, server: SocketAddr, mode: Mode) -> anyhow::Result<TlsStream<TcpStream>> {
        let config = if mode == Mode::New { &self.full } else { &self.resuming };
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(TlsConnector::from(Arc::clone(config)).connect(ServerName::IpAddress(server.ip().into()), stream).await?)
    }

    /// Reports once, whole; a later connection can resume this one.
    pub async fn report(&self, server: SocketAddr) -> anyhow::Result<HttpBytes> {
        let mut stream = self.connect(server, Mode::Resumed).await?;
        let bytes = exchange(&mut stream, &self.whole).await?;
        stream.shutdown().await?;
        Ok(bytes)
    }

    /// Says "nothing changed" once. A later connection can resume this one, whichever server the last one was to.
    async fn greet(&self, server: SocketAddr) -> anyhow::Result<()> {
        let mut stream = self.connect(server, Mode::Resumed).await?;
        exchange(&mut stream, &self.unchanged).await?;
        stream.shutdown().await?;
        Ok(())
    }

    /// Says "nothing changed" until `end`, adding to `done`. Gives the bytes of the last exchange.
    pub async fn repeat(
        &self,
        server: SocketAddr,
        mode: Mode,
        end: Instant,
        done: &AtomicU64,
    ) -> anyhow::Result<HttpBytes> {
        let mut bytes = HttpBytes::default();
        if mode == Mode::KeptAlive {
            let mut stream = self.connect(server, mode).await?;
            while Instant::now() < end {
                bytes = exchange(&mut stream, &self.unchanged).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            stream.shutdown().await?;
            return Ok(bytes);
        }
        let expected = if mode == Mode::New { HandshakeKind::Full } else { HandshakeKind::Resumed };
        while Instant::now() < end {
            let mut stream = self.connect(server, mode).await?;
            bytes = exchange(&mut stream, &self.unchanged).await?;
            let kind = stream.get_ref().1.handshake_kind();
            ensure!(kind == Some(expected), "{mode:?}: the handshake was {kind:?}");
            stream.shutdown().await?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(bytes)
    }
}

/// Enrols a device at `gateway` and prepares it.
pub async fn enrol(link: &Link, identity: &mut Identity, token: &str, report: &HealthReport) -> anyhow::Result<()> {
    identity.granted = Some(link.enrol(identity, token, report.hardware.clone()).await?);
    Ok(())
}

/// Lets each of `devices` check in once at `server`, from which it then has a session to resume.
pub async fn greet(devices: &[LoadDevice], server: SocketAddr) -> anyhow::Result<()> {
    for device in devices {
        device.greet(server).await?;
    }
    Ok(())
}

/// Lets all `devices` repeat for `length`, each in a task of its own.
pub async fn run(
    devices: &[LoadDevice],
    server: SocketAddr,
    mode: Mode,
    length: Duration,
) -> anyhow::Result<(Round, HttpBytes)> {
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for device in devices {
        let (device, done) = (device.clone(), Arc::clone(&done));
        tasks.spawn(async move { device.repeat(server, mode, start + length, &done).await });
    }
    let mut bytes = HttpBytes::default();
    while let Some(ended) = tasks.join_next().await {
        bytes = ended??;
    }
    Ok((Round { check_ins: done.load(Ordering::Relaxed), took: start.elapsed() }, bytes))
}

/// The request as reqwest puts it on the wire for the agent.
fn post(server: SocketAddr, request: &CheckInRequest) -> anyhow::Result<Vec<u8>> {
    let body = serde_json::to_vec(request)?;
    let head = format!(
        "POST {CHECK_IN_PATH} HTTP/1.1\r\ncontent-type: application/json\r\naccept: */*\r\nhost: {server}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.as_bytes(), &body].concat())
}

async fn exchange(stream: &mut TlsStream<TcpStream>, request: &[u8]) -> anyhow::Result<HttpBytes> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            bail!("the server hung up: {}", String::from_utf8_lossy(&answer));
        }
        if let Some(whole) = whole_length(&answer)
            && answer.len() >= whole
        {
            ensure!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
            return Ok(HttpBytes { request: request.len(), answer: whole });
        }
    }
}

/// How long the answer that begins like this is in all, once its head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..head_end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    Some(head_end + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        assert_eq!(whole_length(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), None);
        assert_eq!(whole_length(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), Some(40));
    }
}
