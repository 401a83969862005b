//! Signs device certificates: the intermediate's key, a proven public key and a recorded lease in, a chain out.

use rcgen::{Issuer, KeyPair};
use rustls_pki_types::CertificateDer;

use super::{PkiError, ProvenKey, template};
use crate::domain::lease::Lease;

/// Signs device certificates.
#[derive(Debug)]
pub struct DeviceIssuer {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
}

impl DeviceIssuer {
    pub(super) fn new(
        certificate_pem: String,
        certificate: CertificateDer<'static>,
        key: KeyPair,
    ) -> Result<Self, PkiError> {
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate, certificate_pem })
    }

    /// The chain for `key` under `lease`, leaf first, PEM.
    pub fn sign(&self, key: &ProvenKey, lease: &Lease) -> Result<String, PkiError> {
        let params = template::device(lease)?;
        let leaf = params.signed_by(key.spki(), &self.issuer)?;
        Ok(format!("{}{}", leaf.pem(), self.certificate_pem))
    }

    /// The intermediate that device certificates chain to.
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
    use rustls_pki_types::pem::PemObject as _;
    use x509_parser::{extensions::ParsedExtension, parse_x509_certificate};

    use super::*;
    use crate::pki::template::Intermediate;

    fn issuer() -> DeviceIssuer {
        let key = KeyPair::generate().unwrap();
        let certificate =
            template::intermediate(Intermediate::Devices, template::FIRST, now()).unwrap().self_signed(&key).unwrap();
        DeviceIssuer::new(certificate.pem(), certificate.der().clone(), key).unwrap()
    }

    fn now() -> UtcMillis {
        UtcMillis::new(1_796_000_000_123).unwrap()
    }

    /// The DER of everything after the public key: the extensions, whole.
    fn extensions(chain: &str) -> Vec<Vec<u8>> {
        let leaf = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
        let (_, parsed) = parse_x509_certificate(&leaf).unwrap();
        let bytes = |e: &x509_parser::extensions::X509Extension<'_>| {
            [format!("{} {} ", e.oid, e.critical).as_bytes(), e.value].concat()
        };
        parsed.extensions().iter().map(bytes).collect()
    }

    #[test]
    fn extensions_are_the_templates_whatever_the_request_asks() {
        let key = KeyPair::generate().unwrap();
        let plain = CertificateParams::new(Vec::new()).unwrap().serialize_request(&key).unwrap();
        let mut greedy = CertificateParams::new(vec!["gateway.example".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        greedy.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        greedy.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
        let greedy = greedy.serialize_request(&key).unwrap();

        let issuer = issuer();
        let lease = Lease::new(DeviceId(uuid::Uuid::now_v7()), EnrolmentId(uuid::Uuid::now_v7()), [9; 16], now());
        let sign = |csr: rcgen::CertificateSigningRequest| {
            issuer.sign(&ProvenKey::from_csr_pem(&csr.pem().unwrap()).unwrap(), &lease).unwrap()
        };
        let (plain, greedy) = (sign(plain), sign(greedy));
        assert_eq!(extensions(&plain), extensions(&greedy));

        let leaf = CertificateDer::from_pem_slice(greedy.as_bytes()).unwrap();
        let (_, parsed) = parse_x509_certificate(&leaf).unwrap();
        assert_eq!(parsed.subject().to_string(), format!("CN={}", lease.device));
        assert_eq!(parsed.raw_serial(), lease.serial);
        assert_eq!(parsed.validity().not_before.timestamp() * 1000, lease.not_before.get());
        assert_eq!(parsed.validity().not_after.timestamp() * 1000, lease.not_after.get());
        let mut names: Vec<String> = Vec::new();
        for extension in parsed.extensions() {
            #[expect(clippy::wildcard_enum_match_arm, reason = "any other extension fails the test")]
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(_) => names.push("authority key".to_owned()),
                ParsedExtension::SubjectKeyIdentifier(_) => names.push("subject key".to_owned()),
                ParsedExtension::SubjectAlternativeName(names_) => {
                    names.extend(names_.general_names.iter().map(ToString::to_string));
                }
                ParsedExtension::KeyUsage(usage) => names.push(format!("usage {}", usage.flags)),
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    assert!(usage.client_auth && !usage.server_auth && !usage.any && usage.other.is_empty());
                    names.push("clientAuth".to_owned());
                }
                ParsedExtension::BasicConstraints(constraints) => names.push(format!("ca {}", constraints.ca)),
                other => panic!("{other:?}"),
            }
        }
        names.sort();
        let san = format!("URI(urn:uuid:{})", lease.enrolment);
        assert_eq!(names, [san.as_str(), "authority key", "ca false", "clientAuth", "subject key", "usage 1"]);
    }
}
