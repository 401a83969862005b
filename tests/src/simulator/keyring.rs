//! The keys and certificates of simulated devices, in one file, so that a fleet that is started again is the same one.
//!
//! A file of JSON lines, only ever appended to; a device's last line counts. Made readable for its owner alone.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use cartable_agent::identity::Key;
use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::CertificateGrant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the fleet is, told by the file's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetHeader {
    /// What the machines are drawn from.
    pub seed: u64,
    /// How many there are.
    pub devices: usize,
    /// When the fleet began; parts were exchanged at that moment.
    pub epoch: UtcMillis,
}

/// One device's key, and its enrolment where it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its place in the fleet.
    pub index: u64,
    /// Chosen once; repeated until the enrolment is granted.
    pub request_id: Uuid,
    /// The private key. Of no use anywhere but in this simulation.
    pub key_pem: String,
    /// What the server granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Granted>,
}

/// An enrolment as a simulated device remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Which device it is to the server.
    pub device_id: DeviceId,
    /// Its enrolment.
    pub enrolment_id: EnrolmentId,
    /// Its certificate.
    pub certificate_chain_pem: String,
}

impl From<CertificateGrant> for Granted {
    fn from(grant: CertificateGrant) -> Self {
        let CertificateGrant { device_id, enrolment_id, certificate_chain_pem, .. } = grant;
        Self { device_id, enrolment_id, certificate_chain_pem }
    }
}

impl Identity {
    /// A new one, not enrolled.
    pub fn generate(index: u64) -> anyhow::Result<Self> {
        Ok(Self { index, request_id: Uuid::new_v4(), key_pem: Key::generate()?.to_pem(), granted: None })
    }

    /// Its key.
    pub fn key(&self) -> anyhow::Result<Key> {
        Ok(Key::from_pem(&self.key_pem)?)
    }
}

/// The file.
#[derive(Debug)]
pub struct Keyring {
    header: FleetHeader,
    file: Mutex<File>,
    identities: Mutex<HashMap<u64, Identity>>,
}

impl Keyring {
    /// Opens the file at `path`, or makes it for the fleet that `new` describes.
    pub fn open(path: &Path, new: FleetHeader) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).with_context(|| format!("{}", path.display()))?;
        let mut lines = BufReader::new(file.try_clone()?).lines();
        let header = if let Some(line) = lines.next() {
            serde_json::from_str(&line?).with_context(|| format!("the first line of {}", path.display()))?
        } else {
            writeln!(file, "{}", serde_json::to_string(&new)?)?;
            new
        };
        let mut identities = HashMap::new();
        for line in lines {
            // A line cut by a crash is the last one, and its device simply starts anew.
            let Ok(identity) = serde_json::from_str::<Identity>(&line?) else { continue };
            identities.insert(identity.index, identity);
        }
        Ok(Self { header, file: Mutex::new(file), identities: Mutex::new(identities) })
    }

    /// What the fleet is.
    pub const fn header(&self) -> FleetHeader {
        self.header
    }

    /// The identity of the device at `index`, made and kept where there is none.
    pub fn identity(&self, index: u64) -> anyhow::Result<Identity> {
        if let Some(known) = self.known(index) {
            return Ok(known);
        }
        let identity = Identity::generate(index)?;
        self.keep(identity.clone())?;
        Ok(identity)
    }

    /// Keeps an identity.
    pub fn keep(&self, identity: Identity) -> anyhow::Result<()> {
        let line = serde_json::to_string(&identity)? + "\n";
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())?;
        self.identities.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.index, identity);
        Ok(())
    }

    /// How many devices are enrolled.
    pub fn enrolled(&self) -> usize {
        let identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        identities.values().filter(|identity| identity.granted.is_some()).count()
    }

    fn known(&self, index: u64) -> Option<Identity> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner).get(&index).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_that_is_opened_again_is_the_same_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fleet");
        let header = FleetHeader { seed: 1, devices: 2, epoch: UtcMillis::default() };
        let keyring = Keyring::open(&path, header).unwrap();
        let mut identity = keyring.identity(1).unwrap();
        identity.granted = Some(Granted {
            device_id: DeviceId(Uuid::nil()),
            enrolment_id: EnrolmentId(Uuid::nil()),
            certificate_chain_pem: "chain".to_owned(),
        });
        keyring.keep(identity.clone()).unwrap();
        drop(keyring);
        // A crash in the middle of a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"index\":0,").unwrap();

        let again = Keyring::open(&path, FleetHeader { seed: 9, ..header }).unwrap();
        assert_eq!((again.header(), again.enrolled()), (header, 1));
        assert_eq!(again.identity(1).unwrap(), identity);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
