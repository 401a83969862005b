//! A network between a laptop and its server, in which things go wrong as told: portals, cuts, lost bytes, silence; and a
//! proxy (HTTP CONNECT) in which the same goes wrong.
//!
//! It sees what a stranger on the way sees, and no more: it holds no key and opens nothing.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::{JoinHandle, JoinSet},
};

/// Longest head of a CONNECT request.
const HEAD_LIMIT: usize = 8192;

/// How the network is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// As it should be.
    #[default]
    Fair,
    /// Something else answers whatever comes with these bytes, in clear: a portal, noise in place of a handshake.
    Stranger(&'static [u8]),
    /// After so many whole connections each one breaks, once so many bytes came back from the server.
    Cut {
        /// Connections that are left alone, since this weather began.
        whole: usize,
        /// Bytes from the server until the break.
        after: usize,
    },
    /// After so many bytes to the server each connection breaks.
    CutUpwards(usize),
    /// One byte of so many is lost on the way from the server.
    Lossy(usize),
    /// Each piece from the server comes so much later.
    Slow(Duration),
    /// Nobody answers, and nobody says so.
    Silent,
}

/// Where connections lead.
#[derive(Clone, Debug)]
enum Way {
    /// To one server.
    To(String),
    /// Where the client's CONNECT says.
    Asked,
}

#[derive(Debug, Default)]
struct State {
    weather: Weather,
    /// Connections since this weather began.
    since: usize,
}

/// The network. Dropped, it is gone, with what is on its way.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    running: JoinHandle<()>,
}

impl Relay {
    /// A way to the server at `authority` (`127.0.0.1:PORT`), which need not be there yet.
    pub async fn to(authority: &str) -> anyhow::Result<Self> {
        Self::start(Way::To(authority.to_owned())).await
    }

    /// A proxy that leads wherever it is asked to.
    pub async fn proxy() -> anyhow::Result<Self> {
        Self::start(Way::Asked).await
    }

    async fn start(way: Way) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the relay")?;
        let (address, state) = (listener.local_addr()?, Arc::default());
        let running = tokio::spawn(accept(listener, way, Arc::clone(&state)));
        Ok(Self { address, state, running })
    }

    /// `127.0.0.1:PORT`, where clients come.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Changes the weather, for connections from now on.
    pub fn turns(&self, weather: Weather) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State { weather, since: 0 };
    }

    /// How many connections came since the weather last changed.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).since
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn accept(listener: TcpListener, way: Way, state: Arc<Mutex<State>>) {
    // Ends with the relay.
    let mut open = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let weather = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.since += 1;
            match state.weather {
                Weather::Cut { whole, .. } if state.since <= whole => Weather::Fair,
                weather => weather,
            }
        };
        let way = way.clone();
        // A client or a server that leaves in the middle is the test's business.
        open.spawn(async move { drop(serve(client, &way, weather).await) });
    }
}

async fn serve(mut client: TcpStream, way: &Way, weather: Weather) -> io::Result<()> {
    match weather {
        Weather::Stranger(words) => {
            if client.read(&mut [0; 4096]).await? > 0 {
                client.write_all(words).await?;
            }
            return client.shutdown().await;
        }
        Weather::Silent => {
            while client.read(&mut [0; 4096]).await? > 0 {}
            return Ok(());
        }
        Weather::Fair | Weather::Cut { .. } | Weather::CutUpwards(_) | Weather::Lossy(_) | Weather::Slow(_) => {}
    }
    let server = match way {
        Way::To(authority) => TcpStream::connect(authority).await?,
        Way::Asked => asked(&mut client).await?,
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The server's last words (an alert) may still come after the client's: only what comes back ends it, or a break.
    tokio::select! {
        done = down(from_server, to_client, weather) => done,
        broken = up(from_client, to_server, weather) => broken,
    }
}

/// Reads a CONNECT request, and connects.
async fn asked(client: &mut TcpStream) -> io::Result<TcpStream> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > HEAD_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let server = TcpStream::connect(target.ok_or(io::ErrorKind::InvalidData)?).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    Ok(server)
}

/// From the client to the server. Comes to an end only by a break.
async fn up(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, weather: Weather) -> io::Result<()> {
    if let Weather::CutUpwards(limit) = weather {
        let whole = u64::try_from(limit).unwrap_or(u64::MAX);
        if copy(&mut (&mut client).take(whole), &mut server).await? == whole {
            return Ok(());
        }
    } else {
        copy(&mut client, &mut server).await?;
    }
    server.shutdown().await?;
    std::future::pending().await
}

/// From the server to the client, through the weather.
async fn down(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, weather: Weather) -> io::Result<()> {
    let (mut piece, mut passed) = ([0; 4096], 0);
    loop {
        let length = server.read(&mut piece).await?;
        if length == 0 {
            return client.shutdown().await;
        }
        let mut bytes = piece[..length].to_vec();
        match weather {
            Weather::Cut { after, .. } if passed + length >= after => {
                client.write_all(&bytes[..after.saturating_sub(passed)]).await?;
                return client.flush().await;
            }
            Weather::Lossy(one_of) => {
                let mut at = passed;
                bytes.retain(|_| {
                    at += 1;
                    at % one_of != 0
                });
            }
            Weather::Slow(by) => tokio::time::sleep(by).await,
            Weather::Fair | Weather::Stranger(_) | Weather::Cut { .. } | Weather::CutUpwards(_) | Weather::Silent => {}
        }
        passed += length;
        client.write_all(&bytes).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    drop(copy(&mut from, &mut to).await);
                });
            }
        });
        authority
    }

    async fn sent(relay: &Relay, words: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(relay.authority()).await.unwrap();
        let mut answer = Vec::new();
        // A break may be a reset, at any of these.
        drop(stream.write_all(words).await);
        drop(stream.shutdown().await);
        drop(stream.read_to_end(&mut answer).await);
        answer
    }

    #[tokio::test]
    async fn the_weather_is_as_told() {
        let relay = Relay::to(&echo().await).await.unwrap();
        assert_eq!(sent(&relay, b"0123456789").await, b"0123456789");
        relay.turns(Weather::Cut { whole: 1, after: 4 });
        assert_eq!(sent(&relay, b"0123456789").await, b"0123456789", "the first is whole");
        assert_eq!(sent(&relay, b"0123456789").await, b"0123");
        assert_eq!(relay.connections(), 2);
        relay.turns(Weather::Lossy(5));
        assert_eq!(sent(&relay, b"0123456789").await, b"01235678");
        relay.turns(Weather::CutUpwards(0));
        assert!(sent(&relay, b"0123456789").await.is_empty());
        relay.turns(Weather::Stranger(b"portal"));
        assert_eq!(sent(&relay, b"0123456789").await, b"portal");
        relay.turns(Weather::Slow(Duration::from_millis(5)));
        assert_eq!(sent(&relay, b"0123456789").await, b"0123456789");
    }

    #[tokio::test]
    async fn a_proxy_leads_where_it_is_asked_to() {
        let (proxy, target) = (Relay::proxy().await.unwrap(), echo().await);
        let answer = sent(&proxy, format!("CONNECT {target} HTTP/1.1\r\nhost: x\r\n\r\nwords").as_bytes()).await;
        assert_eq!(answer, b"HTTP/1.1 200 Connection established\r\n\r\nwords");
    }
}
