//! A client of the device port that does as it is told: any certificate, any ALPN name, any bytes. For what a
//! well-behaved agent never does.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use cartable_common::{
    limits::MAX_ANSWER_BYTES,
    protocol::{CHECK_IN_PATH, CertificateGrant, ENROL_ALPN, ENROL_PATH, EnrolRequest},
    report::Hardware,
    text::Text,
};
use cartable_server::pki::{Authority, MasterKey};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, crypto::aws_lc_rs, version::TLS13};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use uuid::Uuid;

use crate::{
    harness::{Installation, Server},
    postgres::Database,
};

/// A collège for all devices.
pub const SITE: &str = "0750655E";

/// A server on a data directory whose sealing key the test knows.
#[derive(Debug)]
pub struct Port {
    /// The data directory.
    pub installation: Installation,
    /// The running server.
    pub server: Server,
    roots: Arc<RootCertStore>,
    key_file: std::path::PathBuf,
    _home: tempfile::TempDir,
    _database: Option<Database>,
}

/// A certificate chain and its key.
#[derive(Debug)]
pub struct Credentials {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivatePkcs8KeyDer<'static>,
}

impl Port {
    /// Makes an installation with one site, on SQLite, and starts its server.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(None)
    }

    /// The same on PostgreSQL.
    pub async fn start_on_postgres() -> anyhow::Result<Self> {
        Self::start_on(Some(Database::create().await?))
    }

    fn start_on(database: Option<Database>) -> anyhow::Result<Self> {
        let home = tempfile::tempdir()?;
        let key = crate::harness::installation::random_key()?;
        let key_file = home.path().join("key");
        cartable_server::pki::write_private(&key_file, key.as_bytes())?;
        let installation = Installation::at(&home.path().join("data"), &key, database.as_ref().map(Database::url))?;
        installation.init()?;
        installation.create_site(SITE, "Collège Exemple", "Lyon", "A")?;
        let server = installation.serve()?;
        let roots = pinned(&installation)?;
        Ok(Self { installation, server, roots, key_file, _home: home, _database: database })
    }

    /// The server starts anew.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.server.kill();
        self.server = self.installation.serve()?;
        Ok(())
    }

    /// The client trusts the roots that agents trust now.
    pub fn trust_anew(&mut self) -> anyhow::Result<()> {
        self.roots = pinned(&self.installation)?;
        Ok(())
    }

    /// The server ends, and the database (SQLite) of that backup takes the place of its own.
    pub fn restore(&mut self, backup: &Path) -> anyhow::Result<()> {
        self.server.kill();
        let data = self.installation.directory();
        for name in ["cartable.db-wal", "cartable.db-shm"] {
            let path = data.join(name);
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        std::fs::copy(backup.join("cartable.db"), data.join("cartable.db"))?;
        Ok(())
    }

    /// A client configuration: with or without credentials, offering `alpn`. Resumes what it kept.
    pub fn config(&self, credentials: Option<&Credentials>, alpn: &[&[u8]]) -> anyhow::Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(Arc::clone(&self.roots));
        let mut config = match credentials {
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), PrivateKeyDer::Pkcs8(own.key.clone_key()))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    /// Opens a connection.
    pub async fn connect(&self, config: &Arc<ClientConfig>) -> anyhow::Result<Connection> {
        let address: SocketAddr = self.server.gateway_authority().parse()?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("127.0.0.1")?;
        Ok(Connection { stream: TlsConnector::from(Arc::clone(config)).connect(name, stream).await? })
    }

    /// A connection with that device's credentials.
    pub async fn connect_as(&self, credentials: &Credentials) -> anyhow::Result<Connection> {
        self.connect(&Arc::new(self.config(Some(credentials), &[b"http/1.1"])?)).await
    }

    /// A connection for enrolment.
    pub async fn connect_to_enrol(&self) -> anyhow::Result<Connection> {
        self.connect(&Arc::new(self.config(None, &[ENROL_ALPN])?)).await
    }

    /// Sends an enrolment on a connection of its own.
    pub async fn enrol(&self, request: &EnrolRequest) -> anyhow::Result<Answer> {
        let mut connection = self.connect_to_enrol().await?;
        connection.post(ENROL_PATH, &serde_json::to_vec(request)?).await
    }

    /// Enrols a new device.
    pub async fn enrolled(&self) -> anyhow::Result<(CertificateGrant, Credentials)> {
        let token = self.installation.create_enrolment_token(SITE, 1)?;
        let key = KeyPair::generate()?;
        let answer = self.enrol(&enrol_request(&token, &key, Hardware::default())?).await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        let grant: CertificateGrant = serde_json::from_slice(&answer.body)?;
        let credentials = Credentials::of(&grant.certificate_chain_pem, &key);
        Ok((grant, credentials))
    }

    /// An issuer with the installation's own key named `which` (`devices`, `gateway-ca`), as a thief of that key has.
    pub fn stolen_issuer(&self, which: &str) -> anyhow::Result<Issuer<'static, KeyPair>> {
        let pki = self.installation.directory().join("pki");
        let master = MasterKey::find(Some(&self.key_file))?;
        Authority::load(&pki, &master)?;
        let sealed = std::fs::read_to_string(pki.join(format!("{which}.key")))?;
        let key = KeyPair::try_from(master.open(which, &sealed).context("the sealed key")?)?;
        let certificate = CertificateDer::from_pem_slice(&std::fs::read(pki.join(format!("{which}.pem")))?)?;
        Ok(Issuer::from_ca_cert_der(&certificate, key)?)
    }

    /// The data directory's authority, as the server has it.
    pub fn pki(&self) -> std::path::PathBuf {
        self.installation.directory().join(Path::new("pki"))
    }
}

fn pinned(installation: &Installation) -> anyhow::Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(installation.roots_pem()?.as_bytes()) {
        roots.add(root?)?;
    }
    Ok(Arc::new(roots))
}

impl Credentials {
    /// From a chain in PEM and its key.
    pub fn of(chain_pem: &str, key: &KeyPair) -> Self {
        let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes()).filter_map(Result::ok).collect();
        Self { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()) }
    }

    /// A certificate for `key` with exactly these fields, signed by `issuer`.
    pub fn signed(params: &CertificateParams, key: &KeyPair, issuer: &Issuer<'_, KeyPair>) -> anyhow::Result<Self> {
        let leaf = params.signed_by(key, issuer)?;
        Ok(Self { chain: vec![leaf.der().clone()], key: PrivatePkcs8KeyDer::from(key.serialize_der()) })
    }
}

/// A request to enrol `key` with `token`.
pub fn enrol_request(token: &str, key: &KeyPair, hardware: Hardware) -> anyhow::Result<EnrolRequest> {
    Ok(EnrolRequest {
        request_id: Uuid::now_v7(),
        token: token.to_owned(),
        lost_key: None,
        csr_pem: csr(key)?,
        hardware,
        agent_version: Text::clean("test"),
    })
}

/// A certificate request of `key` that asks for nothing.
pub fn csr(key: &KeyPair) -> anyhow::Result<String> {
    Ok(CertificateParams::new(Vec::new())?.serialize_request(key)?.pem()?)
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, as sent, in lower case.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The kind of problem, without its prefix; empty where it is none.
    pub fn problem(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["type"].as_str().unwrap_or_default().trim_start_matches("urn:cartable:problem:").to_owned()
    }

    /// Status and kind of problem.
    pub fn outcome(&self) -> (u16, String) {
        (self.status, self.problem())
    }
}

impl Connection {
    /// Whether the handshake was full or resumed.
    pub fn handshake(&self) -> Option<HandshakeKind> {
        self.stream.get_ref().1.handshake_kind()
    }

    /// What lies beneath, for another protocol than HTTP/1.1.
    pub fn into_stream(self) -> TlsStream<TcpStream> {
        self.stream
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// Reads one answer.
    pub async fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut received = Vec::new();
        let end = loop {
            if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more(&mut received).await?;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).context("a status line")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        let length: usize = length.context("a content length")?;
        while received.len() < end + length {
            self.more(&mut received).await?;
        }
        Ok(Answer { status, head, body: received.split_off(end) })
    }

    async fn more(&mut self, received: &mut Vec<u8>) -> anyhow::Result<()> {
        anyhow::ensure!(received.len() < MAX_ANSWER_BYTES, "an endless answer");
        let count = self.stream.read_buf(received).await?;
        anyhow::ensure!(count > 0, "the connection was closed");
        Ok(())
    }

    /// Whether the server closes the connection without another word.
    pub async fn is_closed(&mut self) -> bool {
        self.stream.read_u8().await.is_err()
    }

    /// Asks for `path`.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: cartable\r\n\r\n").as_bytes()).await?;
        self.answer().await
    }

    /// Sends a JSON body and reads the answer.
    pub async fn post(&mut self, path: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.post_with(path, "", body).await
    }

    /// The same with further header lines, each ended by CR LF.
    pub async fn post_with(&mut self, path: &str, headers: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.send(head(path, headers, body.len()).as_bytes()).await?;
        self.send(body).await?;
        self.answer().await
    }

    /// Sends a check-in.
    pub async fn check_in(&mut self, body: &[u8]) -> anyhow::Result<Answer> {
        self.post(CHECK_IN_PATH, body).await
    }
}

/// The head of a JSON request.
pub fn head(path: &str, headers: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: cartable\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n"
    )
}

/// A check-in without reports.
pub const UNCHANGED: &[u8] = br#"{"agent_version":"test","sent_at":1796000000000}"#;
