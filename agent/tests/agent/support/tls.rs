//! The gateway's side of TLS: with a device's certificate, or without one for who enrols, as the client's ALPN says.

use std::{net::TcpStream, sync::Arc};

use cartable_common::protocol::ENROL_ALPN;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection,
    server::{Acceptor, WebPkiClientVerifier},
};

use super::Authority;

pub(super) struct Tls {
    device: Arc<ServerConfig>,
    enrol: Arc<ServerConfig>,
}

impl Tls {
    /// With a certificate of `authority`, for devices of `devices`.
    pub(super) fn new(authority: &Authority, devices: &Authority, ended: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(devices.certificate.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let (certificate, key) = authority.gateway(ended);
        let builder = || {
            ServerConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
        };
        let chain = vec![certificate];
        let mut device = builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key().into())
            .unwrap();
        device.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
        device.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut enrol = builder().with_no_client_auth().with_single_cert(chain, key.into()).unwrap();
        enrol.alpn_protocols = vec![ENROL_ALPN.to_vec()];
        Self { device: Arc::new(device), enrol: Arc::new(enrol) }
    }
}

pub(super) fn accept(stream: &mut TcpStream, tls: &Tls) -> std::io::Result<(ServerConnection, bool)> {
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        acceptor.read_tls(stream)?;
        if let Some(accepted) = acceptor.accept().map_err(|(error, _)| std::io::Error::other(error))? {
            break accepted;
        }
    };
    let enrols = accepted.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == ENROL_ALPN));
    let config = if enrols { &tls.enrol } else { &tls.device };
    let connection = accepted.into_connection(config.clone()).map_err(|(error, _)| std::io::Error::other(error))?;
    Ok((connection, enrols))
}
