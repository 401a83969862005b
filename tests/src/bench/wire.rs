//! A relay on loopback that counts what passes, connection by connection: TCP payload, without the headers of TCP and
//! IP.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// What passed over one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Bytes to the server.
    pub up: u64,
    /// Bytes from it.
    pub down: u64,
}

/// A running relay; it ends with the runtime.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Relay {
    /// Relays to `server`.
    pub async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let relay = Self { address: listener.local_addr()?, passed: Arc::default() };
        let passed = Arc::clone(&relay.passed);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let passed = Arc::clone(&passed);
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await?;
                    let (up, down) = copy_bidirectional(&mut near, &mut far).await?;
                    passed.lock().unwrap_or_else(PoisonError::into_inner).push(Passed { up, down });
                    std::io::Result::Ok(())
                });
            }
        });
        Ok(relay)
    }

    /// The connections that ended so far.
    pub fn passed(&self) -> Vec<Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
