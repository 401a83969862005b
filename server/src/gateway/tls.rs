//! TLS of the device port: one listener, two configurations that share nothing but the gateway's certificate.
//!
//! A client that offers the enrolment ALPN name gets a configuration without client authentication, whose router
//! knows enrolment alone. Everyone else must present a device certificate. Each configuration has its own ticket
//! keys: a session of the first can never resume on the second (rustls would take over its "no certificate").

use std::sync::{Arc, PoisonError, RwLock};

use cartable_common::protocol::ENROL_ALPN;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::pki::GatewayCertificate;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library refused a certificate, a key or a setting.
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    /// The device authority cannot verify clients.
    #[error("TLS: client verification: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// The gateway's present certificate; handshakes take it from here, so that a renewal needs no restart.
#[derive(Debug)]
pub struct CurrentCertificate {
    current: RwLock<Arc<CertifiedKey>>,
}

impl CurrentCertificate {
    /// Starts with `certificate`.
    pub fn new(certificate: &GatewayCertificate) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self { current: RwLock::new(certified(certificate)?) }))
    }

    /// Uses `certificate` from the next handshake on.
    pub fn replace(&self, certificate: &GatewayCertificate) -> Result<(), TlsError> {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = certified(certificate)?;
        Ok(())
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(certificate: &GatewayCertificate) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = PrivateKeyDer::Pkcs8(certificate.key.clone_key());
    Ok(Arc::new(CertifiedKey::from_der(certificate.chain.clone(), key, &provider())?))
}

/// The two configurations.
#[derive(Clone, Debug)]
pub struct DeviceTls {
    enrol: Arc<ServerConfig>,
    device: Arc<ServerConfig>,
}

impl DeviceTls {
    /// Builds both: device certificates must chain to one of `devices`.
    pub fn new(certificate: Arc<CurrentCertificate>, devices: &[CertificateDer<'static>]) -> Result<Self, TlsError> {
        // The intermediates themselves are the anchors: the root certifies the gateway's too, and one signature less is
        // verified in each handshake.
        let mut anchors = RootCertStore::empty();
        for intermediate in devices {
            anchors.add(intermediate.clone())?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), provider()).build()?;
        let mut device = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        device.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Resumption halves the cost of an hourly check-in.
        device.ticketer = aws_lc_rs::Ticketer::new()?;
        device.send_tls13_tickets = 1;
        device.session_storage = Arc::new(NoServerSessionStorage {});

        let mut enrol = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        enrol.alpn_protocols = vec![ENROL_ALPN.to_vec()];
        // An agent enrols once: nothing to resume.
        enrol.send_tls13_tickets = 0;
        enrol.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { enrol: Arc::new(enrol), device: Arc::new(device) })
    }

    /// The configuration for a client that says hello like this, and whether it is the one for enrolment.
    pub fn choose(&self, hello: &ClientHello<'_>) -> (Arc<ServerConfig>, Purpose) {
        if hello.alpn().is_some_and(|mut names| names.any(|name| name == ENROL_ALPN)) {
            (Arc::clone(&self.enrol), Purpose::Enrol)
        } else {
            (Arc::clone(&self.device), Purpose::Device)
        }
    }
}

/// What a connection of the device port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Enrolment, without a client certificate.
    Enrol,
    /// Everything else, with one.
    Device,
}

/// A configuration for the console: any browser, TLS 1.2 and 1.3.
pub fn console(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Several providers are compiled into a workspace build: this one is named, never a process-wide default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
