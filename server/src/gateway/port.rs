//! A listening port: accepts, bounds and serves connections. The device port and the console's run on the same loop.
//!
//! Whoever sends nothing, sends slowly or opens many connections costs a bounded amount and is cut off; nobody else
//! waits for it: handshakes and requests run on tasks of their own.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{connection, limits, tls::DeviceTls};

/// How long to wait when the operating system gives no connection (no file descriptor left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is spoken on a port.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// Plain HTTP: loopback, or behind a reverse proxy.
    Plain(Router),
    /// HTTPS without client certificates.
    Tls(Arc<ServerConfig>, Router),
    /// The device port.
    Device {
        /// Both TLS configurations.
        tls: DeviceTls,
        /// Routes of connections with a client certificate.
        device: Router,
        /// Routes of connections for enrolment.
        enrol: Router,
    },
}

/// Accepts connections until `stop`; each runs in `tasks`.
pub async fn serve(listener: TcpListener, protocol: Protocol, stop: CancellationToken, tasks: TaskTracker) {
    let room = Arc::new(Semaphore::new(limits::MAX_CONNECTIONS));
    let sources = Arc::new(Sources::default());
    let protocol = Arc::new(protocol);
    loop {
        // A full house leaves newcomers in the operating system's queue, where they wait at no cost.
        let place = tokio::select! {
            () = stop.cancelled() => return,
            place = Arc::clone(&room).acquire_owned() => place,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(seat) = sources.enter(peer.ip()) else {
                    tracing::warn!(source = %peer.ip(), "too many connections from one address: refused");
                    continue;
                };
                let (protocol, stop) = (Arc::clone(&protocol), stop.clone());
                tasks.spawn(one(stream, peer, protocol, stop, (place, seat)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn one(
    stream: TcpStream,
    peer: SocketAddr,
    protocol: Arc<Protocol>,
    stop: CancellationToken,
    _held: (OwnedSemaphorePermit, Seat),
) {
    // What is wrong with one connection is its client's business; at debug, because anybody can cause it.
    if let Err(error) = connection::serve(stream, peer, &protocol, stop).await {
        tracing::debug!(source = %peer.ip(), %error, "a connection ended early");
    }
}

/// How many connections each address holds.
#[derive(Debug, Default)]
struct Sources {
    held: Mutex<HashMap<IpAddr, usize>>,
}

impl Sources {
    fn enter(self: &Arc<Self>, source: IpAddr) -> Option<Seat> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(source).or_default();
        if *count >= limits::MAX_CONNECTIONS_PER_SOURCE {
            return None;
        }
        *count += 1;
        Some(Seat { sources: Arc::clone(self), source })
    }
}

/// One connection's place among those of its address; given back when dropped.
#[derive(Debug)]
struct Seat {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.sources.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.source);
            }
        }
    }
}

/// Binds `address`.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_never_takes_all_places() {
        let sources = Arc::new(Sources::default());
        let (greedy, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let seats: Vec<_> = std::iter::from_fn(|| sources.enter(greedy)).collect();
        assert_eq!(seats.len(), limits::MAX_CONNECTIONS_PER_SOURCE);
        const { assert!(limits::MAX_CONNECTIONS_PER_SOURCE < limits::MAX_CONNECTIONS) };
        assert!(sources.enter(other).is_some());
        drop(seats);
        assert!(sources.enter(greedy).is_some());
        assert!(sources.held.lock().unwrap().is_empty());
    }
}
