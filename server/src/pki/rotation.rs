//! Changes the authority's keys: an intermediate at once, the root in three steps that overlap.
//!
//! *Begin* makes the new root and a trust bundle that holds both, signed by the old root's key. *Switch* makes intermediates
//! and a signer of orders under the new root: what is issued from then on chains to it. *Retire* makes the bundle without the old root, signed by the
//! new one's key, and stops accepting certificates under the old one. Running servers read all of it when they start.
//!
//! A root's key is needed for each step and may lie on another medium: it is read from there and stays there.

use std::path::{Path, PathBuf};

use cartable_common::{
    UtcMillis,
    trust::{TrustBundle, trust_message},
};
use data_encoding::BASE64;
use rcgen::{Issuer, KeyPair, SigningKey as _};
use rustls_pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;

use super::{
    MasterKey, PkiError,
    authority::{read, store},
    manifest::{self, ACTIONS, DEVICES, GATEWAY_CA, Manifest, ROOT},
    template::{self, Intermediate},
};

/// The authority of a data directory, to be changed.
#[derive(Debug)]
pub struct Rotation {
    directory: PathBuf,
    master: MasterKey,
    manifest: Manifest,
}

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

impl Rotation {
    /// The authority in `directory`.
    pub fn open(directory: &Path, master: &MasterKey) -> Result<Self, PkiError> {
        let manifest = Manifest::load(directory)?;
        Ok(Self { directory: directory.to_owned(), master: master.clone(), manifest })
    }

    /// The number of the newest trust bundle.
    pub fn bundle(&self) -> u32 {
        self.manifest.trusted().number
    }

    /// Makes a new intermediate for device certificates. Those under the earlier one are accepted until
    /// [`Self::drop_earlier`]. `root_key` is where the root's key lies, if not beside its certificate.
    pub fn renew_devices(&mut self, root_key: Option<&Path>, now: UtcMillis) -> Result<(), PkiError> {
        let root = self.issuer(&self.manifest.root, root_key)?;
        let made = self.intermediate(Intermediate::Devices, &root, now)?;
        let mut next = self.manifest.clone();
        next.accepted.push(std::mem::replace(&mut next.devices, made));
        self.keep(next)
    }

    /// Makes a new intermediate for the gateway's certificate, which servers make anew when they start.
    pub fn renew_gateway(&mut self, root_key: Option<&Path>, now: UtcMillis) -> Result<(), PkiError> {
        let root = self.issuer(&self.manifest.root, root_key)?;
        let gateway_ca = self.intermediate(Intermediate::Gateway, &root, now)?;
        self.keep(Manifest { gateway_ca, ..self.manifest.clone() })
    }

    /// Makes a new signer of orders to agents, or the first of an authority that is older than orders. What the signer before
    /// signed stays good until its certificate ends, or its root is retired: agents ask nobody.
    pub fn renew_signer(&mut self, root_key: Option<&Path>, now: UtcMillis) -> Result<(), PkiError> {
        let root = self.issuer(&self.manifest.root, root_key)?;
        let actions = Some(self.signer(&root, now)?);
        self.keep(Manifest { actions, ..self.manifest.clone() })
    }

    /// Stops accepting device certificates of earlier intermediates: whoever still has one recovers by its key.
    pub fn drop_earlier(&mut self) -> Result<(), PkiError> {
        self.keep(Manifest { accepted: Vec::new(), ..self.manifest.clone() })
    }

    /// Makes the root that is to take the present one's place, and the bundle with both.
    pub fn begin(&mut self, root_key: Option<&Path>, now: UtcMillis) -> Result<(), PkiError> {
        if self.manifest.next_root.is_some() {
            return Err(PkiError::Step { why: "a new root was made already; switch to it" });
        }
        if self.manifest.old_root.is_some() {
            return Err(PkiError::Step { why: "the root before this one is still trusted; retire it first" });
        }
        let signer = self.key(&self.manifest.root, root_key)?;
        let (name, number) = self.fresh(ROOT);
        let key = KeyPair::generate()?;
        let certificate = template::root(number, now)?.self_signed(&key)?;
        store(&self.directory, &name, &self.master, &certificate.pem(), &key.serialize_der())?;
        let roots = [&self.certificate(&self.manifest.root)?, certificate.der()].map(|root| root.to_vec());
        let mut next = Manifest { next_root: Some(name), ..self.manifest.clone() };
        next.bundles.push(self.signed(&roots, &signer, now)?);
        self.keep(next)
    }

    /// Issues under the new root from now on. `root_key` is where the new root's key lies.
    pub fn switch(&mut self, root_key: Option<&Path>, now: UtcMillis) -> Result<(), PkiError> {
        let Some(root) = self.manifest.next_root.clone() else {
            return Err(PkiError::Step { why: "there is no new root; begin with one" });
        };
        let issuer = self.issuer(&root, root_key)?;
        let devices = self.intermediate(Intermediate::Devices, &issuer, now)?;
        let gateway_ca = self.intermediate(Intermediate::Gateway, &issuer, now)?;
        let actions = Some(self.signer(&issuer, now)?);
        let mut next = Manifest { next_root: None, gateway_ca, actions, ..self.manifest.clone() };
        next.old_root = Some(std::mem::replace(&mut next.root, root));
        next.accepted.push(std::mem::replace(&mut next.devices, devices));
        self.keep(next)
    }

    /// Retires the old root: the bundle without it, and no certificate under it is accepted any more. `root_key` is where
    /// the present root's key lies.
    pub fn retire(&mut self, root_key: Option<&Path>, now: UtcMillis) -> Result<(), PkiError> {
        if self.manifest.old_root.is_none() {
            return Err(PkiError::Step { why: "there is no old root to retire; begin a rotation and switch first" });
        }
        let signer = self.key(&self.manifest.root, root_key)?;
        let root = self.certificate(&self.manifest.root)?;
        let mut next = Manifest { old_root: None, ..self.manifest.clone() };
        let mut accepted = Vec::with_capacity(next.accepted.len());
        for name in std::mem::take(&mut next.accepted) {
            if is_under(&self.certificate(&name)?, &root) {
                accepted.push(name);
            }
        }
        next.accepted = accepted;
        next.bundles.push(self.signed(&[root.to_vec()], &signer, now)?);
        self.keep(next)
    }

    /// The bundle after the newest one.
    fn signed(&self, roots: &[Vec<u8>], signer: &KeyPair, now: UtcMillis) -> Result<TrustBundle, PkiError> {
        let number = self.bundle().saturating_add(1);
        let signature = BASE64.encode(&signer.sign(&trust_message(number, now, roots))?);
        Ok(TrustBundle {
            number,
            not_before: now,
            roots: roots.iter().map(|root| BASE64.encode(root)).collect(),
            signature,
        })
    }

    /// Makes an intermediate and gives the name of its files.
    fn intermediate(
        &self,
        which: Intermediate,
        root: &Issuer<'_, KeyPair>,
        now: UtcMillis,
    ) -> Result<String, PkiError> {
        let (name, number) = self.fresh(match which {
            Intermediate::Devices => DEVICES,
            Intermediate::Gateway => GATEWAY_CA,
        });
        let key = KeyPair::generate()?;
        let certificate = template::intermediate(which, number, now)?.signed_by(&key, root)?;
        store(&self.directory, &name, &self.master, &certificate.pem(), &key.serialize_der())?;
        Ok(name)
    }

    /// Makes a signer of orders and gives the name of its files.
    fn signer(&self, root: &Issuer<'_, KeyPair>, now: UtcMillis) -> Result<String, PkiError> {
        let (name, _) = self.fresh(ACTIONS);
        let key = KeyPair::generate()?;
        let certificate = template::action_signer(now)?.signed_by(&key, root)?;
        store(&self.directory, &name, &self.master, &certificate.pem(), &key.serialize_der())?;
        Ok(name)
    }

    fn issuer(&self, root: &str, key: Option<&Path>) -> Result<Issuer<'static, KeyPair>, PkiError> {
        Ok(Issuer::from_ca_cert_der(&self.certificate(root)?, self.key(root, key)?)?)
    }

    /// The private key of the root `root`: in `file`, or beside its certificate.
    fn key(&self, root: &str, file: Option<&Path>) -> Result<KeyPair, PkiError> {
        let path = file.map_or_else(|| self.directory.join(format!("{root}.key")), Path::to_owned);
        if !path.exists() {
            return Err(PkiError::NoRootKey { name: root.to_owned(), path });
        }
        let sealed = read(&path)?;
        let der = self.master.open(root, &sealed).ok_or(PkiError::WrongKey { path })?;
        Ok(KeyPair::try_from(der)?)
    }

    fn certificate(&self, name: &str) -> Result<CertificateDer<'static>, PkiError> {
        manifest::certificate(&self.directory, name)
    }

    /// A name that no file has, and its number: what a step left that did not finish stays untouched.
    fn fresh(&self, base: &str) -> (String, u32) {
        let is_free = |name: &String| {
            ["pem", "key"].iter().all(|end| !self.directory.join(format!("{name}.{end}")).exists())
                && !self.manifest.names().any(|used| used == name)
        };
        let mut number = template::FIRST + 1;
        loop {
            let name = format!("{base}-{number}");
            if is_free(&name) {
                return (name, number);
            }
            number += 1;
        }
    }

    fn keep(&mut self, next: Manifest) -> Result<(), PkiError> {
        next.keep(&self.directory)?;
        self.manifest = next;
        Ok(())
    }
}

/// Whether `root`'s key signed `certificate`.
fn is_under(certificate: &CertificateDer<'_>, root: &CertificateDer<'_>) -> bool {
    let (Ok((_, certificate)), Ok((_, root))) = (parse_x509_certificate(certificate), parse_x509_certificate(root))
    else {
        return false;
    };
    certificate.verify_signature(Some(root.public_key())).is_ok()
}

fn end_of(certificate: &CertificateDer<'_>) -> UtcMillis {
    let end = parse_x509_certificate(certificate).ok().map(|(_, parsed)| parsed.validity().not_after.timestamp());
    end.and_then(|seconds| UtcMillis::new(seconds.checked_mul(1000)?)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use cartable_common::trust::{FIRST_BUNDLE, Trusted, bundle_number};
    use rustls_pki_types::pem::PemObject as _;

    use super::*;
    use crate::pki::Authority;

    struct Made {
        _home: tempfile::TempDir,
        directory: PathBuf,
        master: MasterKey,
        now: UtcMillis,
    }

    impl Made {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let directory = home.path().join("pki");
            let (master, now) = (MasterKey([3; 32]), UtcMillis::new(1_796_000_000_000).unwrap());
            Authority::create(&directory, &master, &["localhost".to_owned()], now).unwrap();
            Self { _home: home, directory, master, now }
        }

        fn open(&self) -> Rotation {
            Rotation::open(&self.directory, &self.master).unwrap()
        }

        fn load(&self) -> Authority {
            Authority::load(&self.directory, &self.master).unwrap()
        }

        /// The gateway's chain leaf first, by the names of its issuers' keys.
        fn gateway_issuer(&self) -> CertificateDer<'static> {
            let chain = self.load().gateway_certificate(&["localhost".to_owned()], self.now).unwrap().chain;
            chain[1].clone()
        }
    }

    impl Made {
        /// The certificate that orders come with.
        fn signer(&self) -> CertificateDer<'static> {
            let signed = self.load().actions().unwrap().sign(Vec::new()).unwrap();
            BASE64.decode(signed.certificate.as_bytes()).unwrap().into()
        }
    }

    fn held(authority: &Authority) -> Trusted {
        let pem = authority.roots_pem();
        let roots = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|root| root.unwrap().to_vec()).collect();
        Trusted { number: bundle_number(pem), roots }
    }

    #[test]
    fn a_new_device_intermediate_leaves_the_certificates_of_the_earlier_one_valid_until_it_is_dropped() {
        let made = Made::new();
        let before = made.load();
        made.open().renew_devices(None, made.now).unwrap();
        let after = made.load();
        assert_ne!(after.devices().certificate(), before.devices().certificate());
        let both = [after.devices().certificate().clone(), before.devices().certificate().clone()];
        assert_eq!(after.accepted(), both);
        assert_eq!((after.roots_pem(), held(&after).number), (before.roots_pem(), FIRST_BUNDLE), "agents see nothing");
        made.open().drop_earlier().unwrap();
        assert_eq!(made.load().accepted(), [after.devices().certificate().clone()]);
    }

    #[test]
    fn a_new_gateway_intermediate_signs_another_certificate_at_the_next_start() {
        let made = Made::new();
        let before = made.gateway_issuer();
        made.open().renew_gateway(None, made.now).unwrap();
        let after = made.gateway_issuer();
        assert_ne!(before, after);
        assert!(is_under(&after, &made.open().certificate(ROOT).unwrap()));
        assert_eq!(made.gateway_issuer(), after, "it is kept");
    }

    #[test]
    fn a_root_is_changed_in_three_steps_that_whoever_slept_can_follow() {
        let made = Made::new();
        let asleep = held(&made.load());
        assert!(matches!(made.open().switch(None, made.now), Err(PkiError::Step { .. })));
        assert!(matches!(made.open().retire(None, made.now), Err(PkiError::Step { .. })));

        made.open().begin(None, made.now).unwrap();
        assert!(matches!(made.open().begin(None, made.now), Err(PkiError::Step { .. })));
        let begun = made.load();
        assert_eq!((held(&begun).number, held(&begun).roots.len()), (2, 2));
        assert_eq!(begun.newer_bundle(None), Some(2));
        assert_eq!(begun.newer_bundle(Some(2)), None);
        assert!(
            is_under(&made.gateway_issuer(), &made.open().certificate(ROOT).unwrap()),
            "nothing is issued by it yet"
        );

        made.open().switch(None, made.now).unwrap();
        let switched = made.load();
        assert_eq!(held(&switched), held(&begun));
        assert_eq!(switched.accepted().len(), 2);
        assert!(is_under(&made.gateway_issuer(), &made.open().certificate("root-2").unwrap()));
        assert!(matches!(made.open().begin(None, made.now), Err(PkiError::Step { .. })));

        assert!(
            is_under(&made.signer(), &made.open().certificate("root-2").unwrap()),
            "or nobody obeyed after the end"
        );

        made.open().retire(None, made.now).unwrap();
        let retired = made.load();
        assert_eq!(retired.accepted(), [switched.devices().certificate().clone()]);
        assert_eq!((held(&retired).number, held(&retired).roots.len()), (3, 1));
        // Whoever slept through all of it.
        assert_eq!(retired.chain().newest(&asleep, manifest::has_signed), Some(held(&retired)));
        assert_eq!(retired.chain().newest(&held(&begun), manifest::has_signed), Some(held(&retired)));
        // And once more.
        made.open().begin(None, made.now).unwrap();
        made.open().switch(None, made.now).unwrap();
        made.open().retire(None, made.now).unwrap();
        let again = made.load();
        assert_eq!(again.chain().newest(&asleep, manifest::has_signed), Some(held(&again)));
        assert_eq!(held(&again).number, 5);
    }

    #[test]
    fn an_authority_that_is_older_than_orders_gets_a_signer_and_another_one_later() {
        let made = Made::new();
        for name in ["actions.key", "actions.pem"] {
            std::fs::remove_file(made.directory.join(name)).unwrap();
        }
        assert!(made.load().actions().is_none());
        made.open().renew_signer(None, made.now).unwrap();
        let first = made.signer();
        made.open().renew_signer(None, made.now).unwrap();
        assert_ne!(made.signer(), first);
        assert!(is_under(&made.signer(), &made.open().certificate(ROOT).unwrap()));
    }

    #[test]
    fn a_file_of_names_that_is_older_than_orders_hides_no_signer() {
        let made = Made::new();
        let signer = made.signer();
        made.open().renew_devices(None, made.now).unwrap();
        let path = made.directory.join(manifest::FILE);
        let mut names: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(names.as_object_mut().unwrap().remove("actions").is_some());
        std::fs::write(&path, names.to_string()).unwrap();
        assert_eq!(made.signer(), signer);
    }

    #[test]
    fn a_roots_key_may_lie_elsewhere_and_no_other_key_serves() {
        let made = Made::new();
        let elsewhere = made.directory.with_file_name("medium.key");
        std::fs::rename(made.directory.join("root.key"), &elsewhere).unwrap();
        let before = std::fs::read_dir(&made.directory).unwrap().count();
        let error = made.open().begin(None, made.now).unwrap_err();
        assert!(error.to_string().contains("--root-key"), "{error}");
        let wrong = made.directory.join("devices.key");
        assert!(matches!(made.open().begin(Some(&wrong), made.now), Err(PkiError::WrongKey { .. })));
        assert_eq!(std::fs::read_dir(&made.directory).unwrap().count(), before, "nothing was made");
        made.open().begin(Some(&elsewhere), made.now).unwrap();
        assert!(!made.directory.join("root.key").exists());
        let standing = Standing::of(&made.directory).unwrap();
        let roles: Vec<RootRole> = standing.roots.iter().map(|root| root.role).collect();
        assert_eq!(roles, [RootRole::Issuing, RootRole::Next]);
    }

    #[test]
    fn a_chain_that_does_not_follow_is_no_authority() {
        let made = Made::new();
        made.open().begin(None, made.now).unwrap();
        let path = made.directory.join(manifest::FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"number\": 2", "\"number\": 3")).unwrap();
        let error = Authority::load(&made.directory, &made.master).unwrap_err();
        assert!(matches!(error, PkiError::Damaged { .. }), "{error}");
    }
}
