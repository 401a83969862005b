//! A real SMTP server on a free port of this host, for tests: takes letters, remembers them, and fails as it is told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// To which addresses.
    pub to: Vec<String>,
    /// Headers and text as they came over the wire.
    pub data: String,
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

#[derive(Debug, Default)]
struct State {
    taken: Vec<Taken>,
    connections: usize,
    manner: Manner,
}

/// The server. Dropped, it is stopped.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    running: Option<JoinHandle<()>>,
}

impl MailServer {
    /// Starts one on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the mail server")?;
        let (address, state) = (listener.local_addr()?, Arc::new(Mutex::new(State::default())));
        let running = Some(tokio::spawn(accept(listener, Arc::clone(&state))));
        Ok(Self { address, state, running })
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
        self.running = Some(tokio::spawn(accept(listener, Arc::clone(&self.state))));
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

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    // Aborted with it: a stopped server cuts its connections.
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
        let state = Arc::clone(&state);
        open.spawn(async move {
            let _ = converse(stream, &state).await;
        });
    }
}

async fn converse(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut to, mut line) = (Vec::new(), String::new());
    say(&mut stream, "220 test ESMTP").await?;
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let manner = state.lock().unwrap_or_else(PoisonError::into_inner).manner.clone();
        let command = line.trim_end().to_owned();
        let verb = command.to_ascii_uppercase();
        if verb.starts_with("EHLO") {
            say(&mut stream, "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8").await?;
        } else if verb.starts_with("MAIL FROM") && manner.busy {
            say(&mut stream, "450 4.3.2 later, says <postmaster@test.example>").await?;
        } else if verb.starts_with("MAIL FROM") {
            to.clear();
            say(&mut stream, "250 ok").await?;
        } else if verb.starts_with("RCPT TO") {
            let address = command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            if manner.unknown.contains(&address) {
                say(&mut stream, &format!("550 5.1.1 <{address}> unknown")).await?;
            } else {
                to.push(address);
                say(&mut stream, "250 ok").await?;
            }
        } else if verb == "DATA" {
            say(&mut stream, "354 go on").await?;
            let data = read_data(&mut stream).await?;
            let letter = Taken { to: std::mem::take(&mut to), data };
            state.lock().unwrap_or_else(PoisonError::into_inner).taken.push(letter);
            if manner.silent {
                // Until the sender gives up or dies.
                line.clear();
                let _ = stream.read_line(&mut line).await?;
                return Ok(());
            }
            say(&mut stream, "250 2.0.0 taken").await?;
        } else if verb == "QUIT" {
            say(&mut stream, "221 bye").await?;
            return Ok(());
        } else {
            say(&mut stream, "250 ok").await?;
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
