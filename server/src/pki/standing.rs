//! How an authority stands: the roots that agents trust, the number of their bundle, the intermediates that still count. To see
//! it takes no key.

use std::path::Path;

use cartable_common::UtcMillis;
use rustls_pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;

use super::{
    PkiError,
    manifest::{self, Manifest},
};

/// Where a root stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootRole {
    /// Intermediates are made under it.
    Issuing,
    /// It is to take the issuing one's place.
    Next,
    /// Its place was taken; it is still trusted.
    Old,
}

/// A root that agents trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootInfo {
    /// The name of its files.
    pub name: String,
    /// Where it stands.
    pub role: RootRole,
    /// When it ends.
    pub not_after: UtcMillis,
}

/// How an authority stands. To see it takes no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number of the newest trust bundle.
    pub bundle: u32,
    /// The roots in it.
    pub roots: Vec<RootInfo>,
    /// How many earlier intermediates there are whose device certificates are still accepted.
    pub earlier: usize,
}

impl Standing {
    /// Of the authority in `directory`.
    pub fn of(directory: &Path) -> Result<Self, PkiError> {
        let manifest = Manifest::load(directory)?;
        let roles = [
            (Some(&manifest.root), RootRole::Issuing),
            (manifest.next_root.as_ref(), RootRole::Next),
            (manifest.old_root.as_ref(), RootRole::Old),
        ];
        let mut roots = Vec::with_capacity(2);
        for (name, role) in roles {
            let Some(name) = name else { continue };
            let not_after = end_of(&manifest::certificate(directory, name)?);
            roots.push(RootInfo { name: name.clone(), role, not_after });
        }
        Ok(Self { bundle: manifest.trusted().number, roots, earlier: manifest.accepted.len() })
    }
}

fn end_of(certificate: &CertificateDer<'_>) -> UtcMillis {
    let end = parse_x509_certificate(certificate).ok().map(|(_, parsed)| parsed.validity().not_after.timestamp());
    end.and_then(|seconds| UtcMillis::new(seconds.checked_mul(1000)?)).unwrap_or_default()
}
