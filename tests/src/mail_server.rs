//! A real SMTP server on a free port of this host, for tests: takes letters, remembers them, and fails as it is told.
//! With a certificate it speaks STARTTLS, with a login it wants AUTH.

mod authority;
mod converse;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

pub use self::authority::TestAuthority;

/// A letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// To which addresses.
    pub to: Vec<String>,
    /// Headers and text as they came over the wire.
    pub data: String,
    /// Whether it came over TLS.
    pub secured: bool,
}

impl Taken {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        let found = head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_default()
    }

    /// The text, with the transfer encoding undone as far as tests of ASCII words need it: soft line breaks are joined.
    pub fn text(&self) -> String {
        let body = self.data.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if self.header("Content-Transfer-Encoding") == "base64" {
            let packed: String = body.split_whitespace().collect();
            let bytes = data_encoding::BASE64.decode(packed.as_bytes()).unwrap_or_default();
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        body.replace("=\r\n", "")
    }
}

/// How the server treats letters.
#[derive(Clone, Debug, Default)]
struct Manner {
    /// Addresses that are refused for good.
    unknown: Vec<String>,
    /// Answers no letter: it takes the next one and then says nothing more.
    silent: bool,
    /// Puts every letter off.
    busy: bool,
}

/// How a client signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password in one answer.
    #[default]
    Plain,
    /// One after the other, as Exchange servers ask.
    Login,
}

impl Mechanism {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}

/// What the server offers and asks. By default: no TLS, and nobody signs in.
#[derive(Clone, Default)]
pub struct Terms {
    /// Offers STARTTLS with this.
    pub certificate: Option<TlsAcceptor>,
    /// Takes letters only from whom signs in as this user with this password.
    pub login: Option<(String, String)>,
    /// How one signs in.
    pub mechanism: Mechanism,
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (tls, login) = (self.certificate.is_some(), self.login.is_some());
        write!(f, "Terms(TLS: {tls}, login: {login}, {:?})", self.mechanism)
    }
}

#[derive(Debug, Default)]
struct State {
    taken: Vec<Taken>,
    connections: usize,
    in_clear: Vec<String>,
    attempts: Vec<String>,
    manner: Manner,
}

/// The server. Dropped, it is stopped.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    terms: Terms,
    state: Arc<Mutex<State>>,
    running: Option<JoinHandle<()>>,
}

impl MailServer {
    /// Starts one on a free port that takes letters from anybody, in clear.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Terms::default()).await
    }

    /// Starts one on a free port.
    pub async fn start_with(terms: Terms) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the mail server")?;
        let (address, state) = (listener.local_addr()?, Arc::new(Mutex::new(State::default())));
        let running = Some(tokio::spawn(accept(listener, Arc::clone(&state), terms.clone())));
        Ok(Self { address, terms, state, running })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Takes it off the network: connections are refused.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// Brings it back at the same port.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).await.context("the mail server's port again")?;
        self.running = Some(tokio::spawn(accept(listener, Arc::clone(&self.state), self.terms.clone())));
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Every command that came in clear: whoever listens on the network has read it.
    pub fn in_clear(&self) -> Vec<String> {
        self.state().in_clear.clone()
    }

    /// As whom clients tried to sign in, in order.
    pub fn attempts(&self) -> Vec<String> {
        self.state().attempts.clone()
    }

    /// Refuses letters to this address for good.
    pub fn refuse(&self, address: &str) {
        self.state().manner.unknown.push(address.to_owned());
    }

    /// Whether letters are put off (450).
    pub fn be_busy(&self, busy: bool) {
        self.state().manner.busy = busy;
    }

    /// Whether letters are taken without a word about it: the sender never learns that they were.
    pub fn be_silent(&self, silent: bool) {
        self.state().manner.silent = silent;
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>, terms: Terms) {
    // Aborted with it: a stopped server cuts its connections.
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
        let (state, terms) = (Arc::clone(&state), terms.clone());
        open.spawn(async move {
            let _ = converse::serve(stream, &state, &terms).await;
        });
    }
}
