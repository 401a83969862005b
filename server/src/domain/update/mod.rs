//! Releases of the agent: what a package says of itself, the signed texts that are published, and whose turn it is.
//!
//! Linux takes them from a Debian repository by its own package manager ([`repository`]); Windows by a signed manifest
//! (`cartable_common::update`), where [`offered`] decides for each device. Nothing here knows a private key.

pub mod control;
pub mod publication;
pub mod repository;

use cartable_common::{AgentVersion, DeviceId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::verdict::text_enum;

text_enum! {
    /// What installs a package.
    pub enum PackageKind {
        /// apt, on Debian, Ubuntu and PrimTux.
        Deb = "deb",
        /// Windows Installer.
        Msi = "msi",
    }
}

/// How far a release is offered to computers that update themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The release.
    pub release: AgentVersion,
    /// The share of all devices, 0 to 100.
    pub percent: u8,
    /// Sites whose devices all get it.
    pub sites: Vec<Uuid>,
}

impl Stage {
    /// Whether it is this device's turn. Which devices are the first differs from release to release, and a larger share
    /// always contains a smaller one.
    pub fn covers(&self, device: DeviceId, site: Option<Uuid>) -> bool {
        place(device, self.release) < self.percent || site.is_some_and(|site| self.sites.contains(&site))
    }
}

/// The release that this device should have now, where it runs an older one: the highest of those whose turn it is. Those
/// that were halted are not among `stages`.
pub fn offered(stages: &[Stage], device: DeviceId, site: Option<Uuid>, running: AgentVersion) -> Option<AgentVersion> {
    let newer = stages.iter().filter(|stage| stage.release > running && stage.covers(device, site));
    newer.map(|stage| stage.release).max()
}

/// A device's place among a hundred, for one release: the same on every server, and evenly spread.
fn place(device: DeviceId, release: AgentVersion) -> u8 {
    let hash = Sha256::digest(format!("cartable-update-place 1 {device} {release}"));
    let word = hash[..8].iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    u8::try_from(word % 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RUNNING: AgentVersion = AgentVersion::new(0, 1, 0);
    const NEXT: AgentVersion = AgentVersion::new(0, 2, 0);

    fn stage(release: AgentVersion, percent: u8, sites: &[u128]) -> Stage {
        Stage { release, percent, sites: sites.iter().map(|site| Uuid::from_u128(*site)).collect() }
    }

    fn device(number: u128) -> DeviceId {
        DeviceId(Uuid::from_u128(number))
    }

    #[test]
    fn a_share_is_a_share_and_another_release_begins_elsewhere() {
        let turn = |release, percent| {
            (0..10_000).filter(|number| stage(release, percent, &[]).covers(device(*number), None)).collect::<Vec<_>>()
        };
        let (tenth, other) = (turn(NEXT, 10), turn(AgentVersion::new(0, 3, 0), 10));
        assert!((900..1_100).contains(&tenth.len()), "{}", tenth.len());
        let both = tenth.iter().filter(|number| other.contains(number)).count();
        assert!((50..160).contains(&both), "the same devices are not always the first: {both}");
        assert_eq!((turn(NEXT, 0).len(), turn(NEXT, 100).len()), (0, 10_000));
    }

    #[test]
    fn a_site_gets_it_whatever_the_share_and_nobody_is_taken_back() {
        let stages = [stage(NEXT, 0, &[1])];
        assert_eq!(offered(&stages, device(9), Some(Uuid::from_u128(1)), RUNNING), Some(NEXT));
        assert_eq!(offered(&stages, device(9), Some(Uuid::from_u128(2)), RUNNING), None);
        assert_eq!(offered(&stages, device(9), None, RUNNING), None);
        assert_eq!(offered(&stages, device(9), Some(Uuid::from_u128(1)), NEXT), None, "it has it");
        let two = [stage(AgentVersion::new(0, 10, 0), 100, &[]), stage(AgentVersion::new(0, 9, 0), 100, &[])];
        assert_eq!(offered(&two, device(9), None, RUNNING), Some(AgentVersion::new(0, 10, 0)), "as numbers");
    }

    proptest! {
        #[test]
        fn a_larger_share_contains_the_smaller_and_versions_only_grow(number: u128, less in 0_u8..=100, more in 0_u8..=100, running in 0_u32..5, release in 0_u32..5) {
            let (less, more) = (less.min(more), less.max(more));
            if stage(NEXT, less, &[]).covers(device(number), None) {
                prop_assert!(stage(NEXT, more, &[]).covers(device(number), None));
            }
            let (running, release) = (AgentVersion::new(0, running, 0), AgentVersion::new(0, release, 0));
            let told = offered(&[stage(release, 100, &[])], device(number), None, running);
            prop_assert_eq!(told, (release > running).then_some(release));
        }
    }
}
