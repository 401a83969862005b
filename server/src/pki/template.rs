//! What each kind of certificate says. The only place where certificate fields are chosen.

use std::time::Duration;

use cartable_common::{UtcMillis, action::ACTION_PURPOSE};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};

use crate::{
    domain::lease::{self, Lease},
    random,
};

/// Life of the root: longer than any laptop's.
const ROOT_DAYS: i64 = 20 * 365;
/// Life of the two intermediates.
const INTERMEDIATE_DAYS: i64 = 10 * 365;
/// Life of the certificate of whoever signs orders.
const ACTION_SIGNER_DAYS: i64 = 10 * 365;
/// The object identifier of the extended key usage (RFC 5280, 4.2.1.12).
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
/// How far a certificate begins in the past: laptops' clocks run behind.
pub(super) const BACKDATED_MILLIS: i64 = 60 * 60 * 1000;

/// The number of the authorities that `init` makes.
pub(super) const FIRST: u32 = 1;

/// Which intermediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intermediate {
    /// Signs device certificates.
    Devices,
    /// Signs the gateway's certificate.
    Gateway,
}

fn random_serial() -> Result<[u8; 16], random::NoRandomness> {
    random::bytes().map(lease::serial)
}

/// A name that no other authority of its kind has: whoever looks for an issuer by name must not take one for another, or a
/// certificate of an authority that is gone looks forged instead of unknown.
fn numbered(name: &str, number: u32) -> String {
    if number == FIRST { name.to_owned() } else { format!("{name} {number}") }
}

/// The root, that is the `number`-th.
pub(super) fn root(number: u32, now: UtcMillis) -> Result<CertificateParams, super::PkiError> {
    let mut params = blank(&numbered("Cartable root", number), random_serial()?, now, now.plus_days(ROOT_DAYS))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// The `number`-th intermediate of its kind: it signs end entities of one purpose, never another authority.
pub(super) fn intermediate(
    which: Intermediate,
    number: u32,
    now: UtcMillis,
) -> Result<CertificateParams, super::PkiError> {
    let (name, purpose) = match which {
        Intermediate::Devices => ("Cartable devices", ExtendedKeyUsagePurpose::ClientAuth),
        Intermediate::Gateway => ("Cartable gateway", ExtendedKeyUsagePurpose::ServerAuth),
    };
    let name = numbered(name, number);
    // No later than what it signs: a laptop whose clock is behind judges the chain at the leaf's beginning.
    let begin = now.plus_millis(-BACKDATED_MILLIS);
    let mut params = blank(&name, random_serial()?, begin, now.plus_days(INTERMEDIATE_DAYS))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// The gateway's certificate for `hosts` (names or addresses).
pub(super) fn gateway(hosts: &[String], now: UtcMillis, days: i64) -> Result<CertificateParams, super::PkiError> {
    let mut params = blank("Cartable gateway", random_serial()?, now, now.plus_days(days))?;
    params.subject_alt_names = CertificateParams::new(hosts.to_vec())?.subject_alt_names;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// The certificate of whoever signs orders to agents: for that purpose, which is in no certificate for TLS.
pub(super) fn action_signer(now: UtcMillis) -> Result<CertificateParams, super::PkiError> {
    let begin = now.plus_millis(-BACKDATED_MILLIS);
    let mut params = blank("Cartable actions", random_serial()?, begin, now.plus_days(ACTION_SIGNER_DAYS))?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions = vec![CustomExtension::from_oid_content(EXTENDED_KEY_USAGE, action_purpose())];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A list of one purpose, in DER. rcgen writes it only where each arc of the identifier fits into 64 bits, and one that is
/// made of a UUID has 128.
fn action_purpose() -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    // Short lengths are one byte (X.690, 8.1.3.4); this one is 20.
    let length = u8::try_from(ACTION_PURPOSE.len()).unwrap_or_default();
    [&[SEQUENCE, length + 2, OBJECT_IDENTIFIER, length][..], ACTION_PURPOSE].concat()
}

/// A device's certificate. The names in it are for people who look at it: identity is its key alone.
pub(super) fn device(lease: &Lease) -> Result<CertificateParams, super::PkiError> {
    let mut params = blank(&lease.device.to_string(), lease.serial, lease.not_before, lease.not_after)?;
    params.subject_alt_names = vec![SanType::URI(format!("urn:uuid:{}", lease.enrolment).try_into()?)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn blank(
    name: &str,
    serial: [u8; 16],
    not_before: UtcMillis,
    not_after: UtcMillis,
) -> Result<CertificateParams, super::PkiError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let epoch = date_time_ymd(1970, 1, 1);
    // Certificates count in whole seconds.
    params.not_before = epoch + Duration::from_secs(not_before.get().unsigned_abs() / 1000);
    params.not_after = epoch + Duration::from_secs(not_after.get().unsigned_abs() / 1000);
    Ok(params)
}
