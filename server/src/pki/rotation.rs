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
        if self.manifest.accepted.is_empty() {
            return Err(PkiError::Step { why: "there is no earlier intermediate to drop" });
        }
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
            if manifest::is_under(&self.certificate(&name)?, &root) {
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
        let der = self.master.open(root, &sealed).ok_or_else(|| self.unopened(root, path))?;
        Ok(KeyPair::try_from(der)?)
    }

    /// Why the file at `path` does not give the key of the root `root`: where the key at hand opens what the authority works with,
    /// it is the file that is another's.
    fn unopened(&self, root: &str, path: PathBuf) -> PkiError {
        let own = &self.manifest.devices;
        let sealed = read(&self.directory.join(format!("{own}.key")));
        if sealed.is_ok_and(|sealed| self.master.open(own, &sealed).is_some()) {
            PkiError::OtherRootKey { name: root.to_owned(), path }
        } else {
            PkiError::WrongKey { path }
        }
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

#[cfg(test)]
mod tests;
