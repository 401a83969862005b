//! The gateway's own certificate: short-lived, made anew by the gateway intermediate well before it ends.

use cartable_common::UtcMillis;
use rcgen::{Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use x509_parser::parse_x509_certificate;

use super::{PkiError, template};

/// Life of a gateway certificate in days.
const DAYS: i64 = 90;
/// It is made anew when fewer days than this are left.
const RENEW_BEFORE_DAYS: i64 = 30;

/// A certificate, its chain and its key, for the TLS listener.
#[derive(Debug)]
pub struct GatewayCertificate {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's private key.
    pub key: PrivatePkcs8KeyDer<'static>,
    /// When the leaf ends.
    pub not_after: UtcMillis,
}

impl GatewayCertificate {
    /// Makes a new key and certificate for `hosts`. Gives also the chain in PEM.
    pub(super) fn issue(
        issuer: &Issuer<'_, KeyPair>,
        intermediate_pem: &str,
        hosts: &[String],
        now: UtcMillis,
    ) -> Result<(Self, String), PkiError> {
        let key = KeyPair::generate()?;
        let begin = now.plus_millis(-template::BACKDATED_MILLIS);
        let leaf = template::gateway(hosts, begin, DAYS)?.signed_by(&key, issuer)?;
        let chain_pem = format!("{}{intermediate_pem}", leaf.pem());
        let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes()).filter_map(Result::ok).collect();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((Self { chain, key, not_after: begin.plus_days(DAYS) }, chain_pem))
    }

    /// The stored certificate, if it and its key fit together and to `hosts`, and it need not be renewed yet.
    pub(super) fn reuse(chain_pem: &str, key_der: &[u8], hosts: &[String], now: UtcMillis) -> Option<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain_pem.as_bytes()).filter_map(Result::ok).collect();
        let key = KeyPair::try_from(key_der).ok()?;
        let (_, leaf) = parse_x509_certificate(chain.first()?).ok()?;
        let names = leaf.subject_alternative_name().ok()??;
        let wanted = template::gateway(hosts, now, DAYS).ok()?.subject_alt_names;
        let not_after = UtcMillis::new(leaf.validity().not_after.timestamp().checked_mul(1000)?)?;
        let fits = leaf.public_key().raw == rcgen::PublicKeyData::subject_public_key_info(&key)
            && names.value.general_names.len() == wanted.len()
            && wanted.iter().all(|name| names.value.general_names.iter().any(|found| same_name(name, found)));
        let result = Self { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()), not_after };
        (fits && !result.is_renewal_due(now)).then_some(result)
    }

    /// Whether it should be made anew.
    pub fn is_renewal_due(&self, now: UtcMillis) -> bool {
        self.not_after.plus_days(-RENEW_BEFORE_DAYS) <= now
    }
}

fn same_name(wanted: &rcgen::SanType, found: &x509_parser::extensions::GeneralName<'_>) -> bool {
    use rcgen::SanType;
    use x509_parser::extensions::GeneralName;
    match (wanted, found) {
        (SanType::DnsName(name), GeneralName::DNSName(found)) => name.as_str() == *found,
        (SanType::IpAddress(std::net::IpAddr::V4(address)), GeneralName::IPAddress(found)) => {
            address.octets().as_slice() == *found
        }
        (SanType::IpAddress(std::net::IpAddr::V6(address)), GeneralName::IPAddress(found)) => {
            address.octets().as_slice() == *found
        }
        _ => false,
    }
}
