//! Which of the authority's keys are in use, and the chain of trust bundles: one file, replaced whole, so that each step of
//! a rotation happened or did not.
//!
//! Keys are never overwritten: a step makes new ones under new names, then writes this file. An authority that was never
//! changed has none.

use std::{fs, io, path::Path};

use cartable_common::{
    UtcMillis,
    limits::MAX_TRUST_BUNDLES,
    trust::{FIRST_BUNDLE, TrustBundle, TrustChain, Trusted, trust_message},
};
use data_encoding::BASE64;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use x509_parser::parse_x509_certificate;

use super::{PkiError, PresentedKey, authority::read, files};

/// The file's name.
pub(super) const FILE: &str = "authority.json";
/// The names of a new authority's keys.
pub(super) const ROOT: &str = "root";
pub(super) const DEVICES: &str = "devices";
pub(super) const GATEWAY_CA: &str = "gateway-ca";
pub(super) const ACTIONS: &str = "actions";

/// The names of the keys in use, each a `.pem` and, where it is needed or not moved away, a `.key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The root under which intermediates are made.
    pub(super) root: String,
    /// The root that is to take its place, during a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next_root: Option<String>,
    /// The root whose place was taken, until it is retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) old_root: Option<String>,
    /// The intermediate that signs device certificates.
    pub(super) devices: String,
    /// The intermediate that signs the gateway's certificate.
    pub(super) gateway_ca: String,
    /// The signer of orders to agents; none in an authority that is older than orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<String>,
    /// Earlier intermediates whose device certificates are still accepted.
    #[serde(default)]
    pub(super) accepted: Vec<String>,
    /// The trust bundles, oldest first.
    pub(super) bundles: Vec<TrustBundle>,
}

impl Manifest {
    /// The manifest of the authority in `directory`.
    pub(super) fn load(directory: &Path) -> Result<Self, PkiError> {
        let path = directory.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::first(directory),
            Err(source) => return Err(PkiError::File { path, source }),
        };
        let mut manifest: Self = serde_json::from_str(&text)
            .map_err(|_| PkiError::Damaged { path: path.clone(), why: "this is not what Cartable wrote there" })?;
        if !is_chain(&manifest.bundles) {
            return Err(PkiError::Damaged { path, why: "a trust bundle does not follow from the one before it" });
        }
        // What an earlier version wrote names no signer of orders, though one may lie there.
        if manifest.actions.is_none() {
            manifest.actions = first_signer(directory, &manifest.trusted());
        }
        Ok(manifest)
    }

    /// What an authority is that was never changed.
    fn first(directory: &Path) -> Result<Self, PkiError> {
        let root = certificate(directory, ROOT)?;
        let began = parse_x509_certificate(&root).ok().map(|(_, root)| root.validity().not_before.timestamp());
        let not_before = began.and_then(|seconds| UtcMillis::new(seconds.checked_mul(1000)?)).unwrap_or_default();
        let roots = vec![BASE64.encode(&root)];
        let first = TrustBundle { number: FIRST_BUNDLE, not_before, roots, signature: String::new() };
        let trusted = Trusted { number: FIRST_BUNDLE, roots: vec![root.to_vec()] };
        Ok(Self {
            root: ROOT.to_owned(),
            next_root: None,
            old_root: None,
            devices: DEVICES.to_owned(),
            gateway_ca: GATEWAY_CA.to_owned(),
            actions: first_signer(directory, &trusted),
            accepted: Vec::new(),
            bundles: vec![first],
        })
    }

    /// Writes it: from now on the names in it count.
    pub(super) fn keep(&self, directory: &Path) -> Result<(), PkiError> {
        let path = directory.join(FILE);
        let failed = |source| PkiError::File { path: path.clone(), source };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(io::Error::other(error)))?;
        text.push('\n');
        files::write_private(&path, text.as_bytes()).map_err(failed)
    }

    /// The newest bundle.
    pub(super) fn trusted(&self) -> Trusted {
        let newest = self.bundles.last().and_then(TrustBundle::trusted);
        newest.unwrap_or_else(|| Trusted { number: FIRST_BUNDLE, roots: Vec::new() })
    }

    /// What `/v1/roots` answers.
    pub(super) fn chain(&self) -> TrustChain {
        let begin = self.bundles.len().saturating_sub(MAX_TRUST_BUNDLES);
        TrustChain { bundles: self.bundles[begin..].to_vec() }
    }

    /// Every name in use.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let roots = [Some(&self.root), self.next_root.as_ref(), self.old_root.as_ref()];
        let others = [&self.devices, &self.gateway_ca].into_iter().chain(&self.actions);
        roots.into_iter().flatten().chain(others).chain(&self.accepted)
    }
}

/// Whether `bundles` are what `/v1/roots` may give: each can be verified by whoever holds the one before it.
#[must_use]
pub fn is_chain(bundles: &[TrustBundle]) -> bool {
    let follows = |pair: &[TrustBundle]| {
        let [before, next] = pair else { return false };
        let (Some(held), Some(made)) = (before.trusted(), next.trusted()) else { return false };
        let message = trust_message(next.number, next.not_before, &made.roots);
        before.number.checked_add(1) == Some(next.number)
            && held.roots.iter().any(|root| has_signed(root, &message, &next.signature))
    };
    bundles.last().is_some_and(|newest| newest.trusted().is_some()) && bundles.windows(2).all(follows)
}

/// The signer of orders that `init` or the first `renew-signer` made, if it is there. One of a root that agents trust no more
/// is none: they would obey nothing of it, and people would wait. Whatever else is wrong with it, whoever reads it says.
fn first_signer(directory: &Path, trusted: &Trusted) -> Option<String> {
    if !directory.join(format!("{ACTIONS}.pem")).exists() {
        return None;
    }
    let signer = certificate(directory, ACTIONS);
    let is_of_the_past = signer.is_ok_and(|signer| !trusted.roots.iter().any(|root| is_under(&signer, root)));
    (!is_of_the_past).then(|| ACTIONS.to_owned())
}

/// Whether the key of the certificate `root` signed `certificate`, both in DER.
pub(super) fn is_under(certificate: &[u8], root: &[u8]) -> bool {
    let (Ok((_, certificate)), Ok((_, root))) = (parse_x509_certificate(certificate), parse_x509_certificate(root))
    else {
        return false;
    };
    certificate.verify_signature(Some(root.public_key())).is_ok()
}

/// Whether the key of the certificate `root` (in DER) has signed `message`.
pub(super) fn has_signed(root: &[u8], message: &[u8], signature: &str) -> bool {
    let Ok((_, certificate)) = parse_x509_certificate(root) else { return false };
    let key = PresentedKey::from_base64(&BASE64.encode(certificate.public_key().raw));
    key.is_ok_and(|key| key.has_signed(message, signature))
}

/// The certificate `name` of `directory`.
pub(super) fn certificate(directory: &Path, name: &str) -> Result<CertificateDer<'static>, PkiError> {
    let path = directory.join(format!("{name}.pem"));
    CertificateDer::from_pem_slice(read(&path)?.as_bytes())
        .map_err(|_| PkiError::Damaged { path, why: "this is not a certificate in PEM" })
}
