//! Signs device certificates: the intermediate's key, a proven public key and a recorded lease in, a chain out.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use rcgen::{Issuer, KeyPair};
use rustls_pki_types::CertificateDer;

use super::{PkiError, ProvenKey, template};

/// Life of a device certificate in days: longer than a summer away from school.
const DEVICE_DAYS: i64 = 180;
/// When an agent begins to renew, in days after issue.
const RENEW_FROM_DAYS: i64 = 60;
/// How far agents' renewals spread, in days: a class enrolled together does not renew together.
const RENEW_SPREAD_DAYS: u64 = 10;
/// When the server asks for a renewal itself, in days after issue: that agent's clock or schedule is wrong.
const RENEW_ASKED_DAYS: i64 = 75;

/// What a certificate is issued for. Recorded before it is signed, so that none exists unrecorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Names the certificate.
    pub serial: [u8; 16],
    /// The device.
    pub device: DeviceId,
    /// The enrolment whose key it certifies.
    pub enrolment: EnrolmentId,
    /// When it begins.
    pub not_before: UtcMillis,
    /// When it ends.
    pub not_after: UtcMillis,
}

impl Lease {
    /// A new lease from `now`, with a serial number of its own.
    pub fn new(device: DeviceId, enrolment: EnrolmentId, now: UtcMillis) -> Result<Self, PkiError> {
        Ok(Self {
            serial: template::random_serial()?,
            device,
            enrolment,
            not_before: whole_seconds(now.plus_millis(-template::BACKDATED_MILLIS)),
            not_after: whole_seconds(now.plus_days(DEVICE_DAYS)),
        })
    }

    /// From when on the agent should renew; spread by `random`.
    pub fn renew_from(&self, random: u64) -> UtcMillis {
        let spread = i64::try_from(random % (RENEW_SPREAD_DAYS * 86_400)).unwrap_or_default() * 1000;
        self.not_before.plus_days(RENEW_FROM_DAYS).plus_millis(spread)
    }
}

/// Whether a certificate that began at `not_before` is so old at `now` that the server asks for a renewal.
pub fn is_renewal_overdue(not_before: UtcMillis, now: UtcMillis) -> bool {
    not_before.plus_days(RENEW_ASKED_DAYS) <= now
}

/// Certificates count in whole seconds; the record must say the same.
fn whole_seconds(moment: UtcMillis) -> UtcMillis {
    moment.plus_millis(-(moment.get() % 1000))
}

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
        let params = template::device(lease.device, lease.enrolment, lease.serial, lease.not_before, lease.not_after)?;
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
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
    use rustls_pki_types::pem::PemObject as _;
    use x509_parser::{extensions::ParsedExtension, parse_x509_certificate};

    use super::*;
    use crate::pki::template::Intermediate;

    fn issuer() -> DeviceIssuer {
        let key = KeyPair::generate().unwrap();
        let certificate = template::intermediate(Intermediate::Devices, now()).unwrap().self_signed(&key).unwrap();
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
        let lease = Lease::new(DeviceId(uuid::Uuid::now_v7()), EnrolmentId(uuid::Uuid::now_v7()), now()).unwrap();
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

    #[test]
    fn each_lease_has_a_serial_of_its_own() {
        let (device, enrolment) = (DeviceId(uuid::Uuid::nil()), EnrolmentId(uuid::Uuid::nil()));
        let leases: std::collections::HashSet<_> =
            (0..100).map(|_| Lease::new(device, enrolment, now()).unwrap().serial).collect();
        assert_eq!(leases.len(), 100);
    }

    #[test]
    fn renewal_begins_on_day_60_and_is_asked_for_on_day_75() {
        let lease = Lease::new(DeviceId(uuid::Uuid::nil()), EnrolmentId(uuid::Uuid::nil()), now()).unwrap();
        for random in [0, 1, u64::MAX] {
            let day = lease.renew_from(random).millis_since(lease.not_before) / UtcMillis::DAY;
            assert!((60..70).contains(&day), "{day}");
        }
        assert!(!is_renewal_overdue(lease.not_before, lease.not_before.plus_days(74)));
        assert!(is_renewal_overdue(lease.not_before, lease.not_before.plus_days(75)));
    }
}
