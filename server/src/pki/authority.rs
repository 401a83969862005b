//! The authority's directory: made once by `init`, read at each start.
//!
//! Layout: `root`, `devices`, `gateway-ca`, `gateway` and `actions`, each `.pem` (certificate) and `.key` (sealed private key).
//! `root.key` may be moved away: nothing but a rotation or a new signer of orders needs it. After a rotation,
//! `authority.json` names the keys in use (`manifest`). An authority that was made before there were orders has no `actions`
//! until it is given one.

use std::path::{Path, PathBuf};

use cartable_common::{
    UtcMillis,
    trust::{FIRST_BUNDLE, TrustChain},
};
use rcgen::{Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{
    ActionSigner, DeviceIssuer, GatewayCertificate, MasterKey, Nonces, PkiError, files,
    manifest::{self, ACTIONS, DEVICES, GATEWAY_CA, Manifest, ROOT},
    template::{self, Intermediate},
};

const GATEWAY: &str = "gateway";

/// The authority of a running server: signs device and gateway certificates.
#[derive(Debug)]
pub struct Authority {
    directory: PathBuf,
    key: MasterKey,
    devices: DeviceIssuer,
    gateway: Issuer<'static, KeyPair>,
    gateway_ca_pem: String,
    accepted: Vec<CertificateDer<'static>>,
    roots_pem: String,
    bundle: u32,
    chain: TrustChain,
    nonces: Nonces,
    actions: Option<ActionSigner>,
}

impl Authority {
    /// Makes the directory `directory` with a new authority and a gateway certificate for `hosts`: whole, or not at
    /// all.
    pub fn create(directory: &Path, key: &MasterKey, hosts: &[String], now: UtcMillis) -> Result<(), PkiError> {
        if directory.exists() {
            return Err(PkiError::Exists { path: directory.to_owned() });
        }
        let mut name = directory.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let fresh = directory.with_file_name(name);
        let failed = |source| PkiError::File { path: fresh.clone(), source };
        if fresh.exists() {
            // Left over from an attempt that did not finish: nothing was ever signed with it.
            std::fs::remove_dir_all(&fresh).map_err(failed)?;
        }
        files::create_private_dir(&fresh).map_err(failed)?;
        Self::fill(&fresh, key, hosts, now)?;
        std::fs::rename(&fresh, directory).map_err(failed)?;
        files::sync_parent(directory).map_err(failed)
    }

    fn fill(directory: &Path, master: &MasterKey, hosts: &[String], now: UtcMillis) -> Result<(), PkiError> {
        let root_key = KeyPair::generate()?;
        let root_params = template::root(template::FIRST, now)?;
        let root = root_params.self_signed(&root_key)?;
        store(directory, ROOT, master, &root.pem(), &root_key.serialize_der())?;
        let root = Issuer::new(root_params, root_key);
        for (name, which) in [(DEVICES, Intermediate::Devices), (GATEWAY_CA, Intermediate::Gateway)] {
            let key = KeyPair::generate()?;
            let certificate = template::intermediate(which, template::FIRST, now)?.signed_by(&key, &root)?;
            store(directory, name, master, &certificate.pem(), &key.serialize_der())?;
        }
        let key = KeyPair::generate()?;
        let certificate = template::action_signer(now)?.signed_by(&key, &root)?;
        store(directory, ACTIONS, master, &certificate.pem(), &key.serialize_der())?;
        Self::load(directory, master)?.issue_gateway(hosts, now).map(drop)
    }

    /// Reads the authority. The root's key need not be there.
    pub fn load(directory: &Path, key: &MasterKey) -> Result<Self, PkiError> {
        let manifest = Manifest::load(directory)?;
        let (devices_pem, devices_der, devices_key) = load(directory, &manifest.devices, key)?;
        let (gateway_ca_pem, gateway_der, gateway_key) = load(directory, &manifest.gateway_ca, key)?;
        let mut accepted = vec![devices_der.clone()];
        for name in &manifest.accepted {
            accepted.push(manifest::certificate(directory, name)?);
        }
        let trusted = manifest.trusted();
        Ok(Self {
            directory: directory.to_owned(),
            key: key.clone(),
            devices: DeviceIssuer::new(devices_pem, devices_der, devices_key)?,
            gateway: Issuer::from_ca_cert_der(&gateway_der, gateway_key)?,
            gateway_ca_pem,
            accepted,
            roots_pem: trusted.to_pem(),
            bundle: trusted.number,
            chain: manifest.chain(),
            nonces: Nonces::new(key),
            actions: manifest.actions.as_deref().map(|name| action_signer(directory, key, name)).transpose()?,
        })
    }

    /// The certificates that agents pin, PEM, below the number of their bundle. Needs no key.
    pub fn roots(directory: &Path) -> Result<String, PkiError> {
        Ok(Manifest::load(directory)?.trusted().to_pem())
    }

    /// The certificates that agents pin, PEM, below the number of their bundle.
    pub fn roots_pem(&self) -> &str {
        &self.roots_pem
    }

    /// The chain of trust bundles.
    pub const fn chain(&self) -> &TrustChain {
        &self.chain
    }

    /// The number of the newest bundle, where an agent says that it holds another.
    pub fn newer_bundle(&self, held: Option<u32>) -> Option<u32> {
        (held.unwrap_or(FIRST_BUNDLE) != self.bundle).then_some(self.bundle)
    }

    /// The intermediates whose device certificates are accepted, the signing one first.
    pub fn accepted(&self) -> &[CertificateDer<'static>] {
        &self.accepted
    }

    /// Whether the device certificate in `chain_pem` (leaf first) is under an accepted intermediate.
    pub fn accepts(&self, chain_pem: &str) -> bool {
        let issuer = CertificateDer::pem_slice_iter(chain_pem.as_bytes()).filter_map(Result::ok).nth(1);
        issuer.is_some_and(|issuer| self.accepted.contains(&issuer))
    }

    /// Signs device certificates.
    pub const fn devices(&self) -> &DeviceIssuer {
        &self.devices
    }

    /// Gives and checks the nonces of recoveries.
    pub const fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    /// Signs what people order of agents; none until it was made ([`super::Rotation::renew_signer`]).
    pub const fn actions(&self) -> Option<&ActionSigner> {
        self.actions.as_ref()
    }

    /// The gateway's certificate for `hosts`: the stored one while it is good, else a new one.
    pub fn gateway_certificate(&self, hosts: &[String], now: UtcMillis) -> Result<GatewayCertificate, PkiError> {
        let chain = read(&self.directory.join(format!("{GATEWAY}.pem"))).ok();
        // Another intermediate signed the stored one: it was changed since.
        let chain = chain.filter(|chain| chain.ends_with(&self.gateway_ca_pem));
        let key = unseal(&self.directory, GATEWAY, &self.key).ok();
        let stored = chain.zip(key).and_then(|(chain, key)| GatewayCertificate::reuse(&chain, &key, hosts, now));
        stored.map_or_else(|| self.issue_gateway(hosts, now), Ok)
    }

    fn issue_gateway(&self, hosts: &[String], now: UtcMillis) -> Result<GatewayCertificate, PkiError> {
        let (certificate, pem) = GatewayCertificate::issue(&self.gateway, &self.gateway_ca_pem, hosts, now)?;
        store(&self.directory, GATEWAY, &self.key, &pem, certificate.key.secret_pkcs8_der())?;
        Ok(certificate)
    }
}

/// The signer of orders `name`.
fn action_signer(directory: &Path, master: &MasterKey, name: &str) -> Result<ActionSigner, PkiError> {
    let (_, certificate, key) = load(directory, name, master)?;
    let path = directory.join(format!("{name}.pem"));
    let why = "it is not the certificate of the key beside it: run `cartable-server authority renew-signer`";
    ActionSigner::new(certificate, key).ok_or(PkiError::Damaged { path, why })
}

/// Writes the certificate and the sealed key `name`.
pub(super) fn store(
    directory: &Path,
    name: &str,
    master: &MasterKey,
    pem: &str,
    key_der: &[u8],
) -> Result<(), PkiError> {
    let write = |path: PathBuf, content: &str| {
        files::write_private(&path, content.as_bytes()).map_err(|source| PkiError::File { path, source })
    };
    write(directory.join(format!("{name}.key")), &master.seal(name, key_der)?)?;
    write(directory.join(format!("{name}.pem")), pem)
}

fn load(
    directory: &Path,
    name: &str,
    master: &MasterKey,
) -> Result<(String, CertificateDer<'static>, KeyPair), PkiError> {
    let pem = read(&directory.join(format!("{name}.pem")))?;
    let der = manifest::certificate(directory, name)?;
    let key = KeyPair::try_from(unseal(directory, name, master)?)?;
    Ok((pem, der, key))
}

fn unseal(directory: &Path, name: &str, master: &MasterKey) -> Result<Vec<u8>, PkiError> {
    unseal_file(&directory.join(format!("{name}.key")), name, master)
}

fn unseal_file(path: &Path, name: &str, master: &MasterKey) -> Result<Vec<u8>, PkiError> {
    let sealed = read(path)?;
    master.open(name, &sealed).ok_or_else(|| PkiError::WrongKey { path: path.to_owned() })
}

/// A file's text.
pub(super) fn read(path: &Path) -> Result<String, PkiError> {
    std::fs::read_to_string(path).map_err(|source| PkiError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use x509_parser::parse_x509_certificate;

    use super::*;

    fn hosts() -> Vec<String> {
        vec!["cartable.example".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]
    }

    fn made() -> (tempfile::TempDir, PathBuf, MasterKey, UtcMillis) {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("pki");
        let (key, now) = (MasterKey([3; 32]), UtcMillis::new(1_796_000_000_000).unwrap());
        Authority::create(&directory, &key, &hosts(), now).unwrap();
        (home, directory, key, now)
    }

    #[test]
    fn it_serves_without_the_roots_key_and_only_with_its_own_key() {
        let (_home, directory, key, now) = made();
        std::fs::remove_file(directory.join("root.key")).unwrap();
        Authority::load(&directory, &key).unwrap().gateway_certificate(&hosts(), now).unwrap();
        let error = Authority::load(&directory, &MasterKey([4; 32])).unwrap_err();
        assert!(matches!(error, PkiError::WrongKey { .. }), "{error}");
        let again = Authority::create(&directory, &key, &hosts(), now).unwrap_err();
        assert!(matches!(again, PkiError::Exists { .. }), "{again}");
    }

    #[test]
    fn the_gateways_certificate_is_kept_until_it_is_due_or_its_names_change() {
        let (_home, directory, key, now) = made();
        let authority = Authority::load(&directory, &key).unwrap();
        let first = authority.gateway_certificate(&hosts(), now).unwrap();
        assert_eq!(first.chain.len(), 2);
        let same = authority.gateway_certificate(&hosts(), now.plus_days(59)).unwrap();
        assert_eq!(first.chain, same.chain);
        let renewed = authority.gateway_certificate(&hosts(), now.plus_days(61)).unwrap();
        assert_ne!(first.chain[0], renewed.chain[0]);
        let moved = authority.gateway_certificate(&["other.example".to_owned()], now.plus_days(61)).unwrap();
        assert_ne!(renewed.chain[0], moved.chain[0]);
    }

    #[test]
    fn a_signer_of_orders_whose_certificate_is_not_its_own_is_told() {
        let (_home, directory, key, _) = made();
        assert!(Authority::load(&directory, &key).unwrap().actions().is_some());
        std::fs::copy(directory.join("devices.pem"), directory.join("actions.pem")).unwrap();
        let error = Authority::load(&directory, &key).unwrap_err();
        assert!(error.to_string().contains("renew-signer"), "{error}");
        for name in ["actions.key", "actions.pem"] {
            std::fs::remove_file(directory.join(name)).unwrap();
        }
        assert!(Authority::load(&directory, &key).unwrap().actions().is_none(), "older than orders");
    }

    #[test]
    fn the_signer_of_orders_comes_from_the_root_for_that_alone() {
        let (_home, directory, _, _) = made();
        let pem = std::fs::read(directory.join("actions.pem")).unwrap();
        let der = CertificateDer::from_pem_slice(&pem).unwrap();
        let (_, leaf) = parse_x509_certificate(&der).unwrap();
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(!usage.any && !usage.client_auth && !usage.server_auth && usage.other.len() == 1);
        assert_eq!(usage.other[0].as_bytes(), cartable_common::action::ACTION_PURPOSE);
        let root = Authority::roots(&directory).unwrap();
        let root = CertificateDer::from_pem_slice(root.as_bytes()).unwrap();
        let (_, root) = parse_x509_certificate(&root).unwrap();
        assert_eq!(leaf.issuer(), root.subject());
    }

    #[cfg(unix)]
    #[test]
    fn its_files_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_home, directory, _, _) = made();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("PRIVATE KEY"), "{}", path.display());
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
        names.sort();
        let kinds = ["actions", "devices", "gateway-ca", "gateway", "root"];
        let expected: Vec<String> =
            kinds.iter().flat_map(|kind| ["key", "pem"].map(|end| format!("{kind}.{end}"))).collect();
        assert_eq!(names, expected);
    }
}
