//! Disk not encrypted: whoever takes the drive of a lost laptop out can read it. A volume whose encryption nobody could tell is
//! neither encrypted nor not.

use cartable_common::report::{Switch, VolumeRole};

use super::{Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{facts::HealthFacts, policy::source_of};

pub(super) fn find(health: &HealthFacts<'_>, policy: &Policy) -> Option<Finding> {
    if !policy.disk.encryption_expected {
        return None;
    }
    // Start partitions are never encrypted: only the system's own volume counts.
    let mut systems = health.report.volumes.iter().filter(|volume| volume.role == Some(VolumeRole::System));
    systems.find(|volume| volume.encryption == Some(Switch::Off))?;
    Some(Finding::from(Statement {
        code: FlagCode::DiskNotEncrypted,
        subject: String::new(),
        severity: Severity::Info,
        value: Said::new("non chiffré", "not encrypted"),
        threshold: Some(Said::new("chiffré", "encrypted")),
        source: source_of("disk.encryption_expected"),
        evidence_at: Some(health.evidence_at()),
        sentence: Said::new(
            "Le volume système n'est pas chiffré : perdu ou volé, l'appareil livre ce qu'il contient. À chiffrer à la \
             prochaine réinstallation.",
            "The system volume is not encrypted: lost or stolen, the device gives away what is on it. Encrypt it when it is \
             next reinstalled.",
        ),
        missing: Vec::new(),
    }))
}
