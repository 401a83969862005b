//! Disk nearly full: the system volume, when both its free share and its free room are low. The share alone would
//! accuse large drives, the room alone would accuse small ones that were never larger.

use cartable_common::{Bytes, report::VolumeRole};

use super::{Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    facts::HealthFacts,
    policy::source_of,
    wording::{percent, size},
};

const GIGABYTE: u64 = 1_000_000_000;

pub(super) fn find(health: &HealthFacts<'_>, policy: &Policy) -> Option<Finding> {
    let system = health.report.volumes.iter().find(|volume| volume.role == Some(VolumeRole::System))?;
    let (total, available) = (system.total_bytes?, system.available_bytes?);
    let share = available.get().checked_mul(100)?.checked_div(total.get())?;
    let low =
        |share_at: u32, room_at: u32| share <= u64::from(share_at) && available.get() <= u64::from(room_at) * GIGABYTE;
    let rules = &policy.disk;
    let (severity, share_at, room_at, setting) = if low(rules.critical_percent, rules.critical_gigabytes) {
        (Severity::Critical, rules.critical_percent, rules.critical_gigabytes, "disk.critical_percent")
    } else if low(rules.warning_percent, rules.warning_gigabytes) {
        (Severity::Warning, rules.warning_percent, rules.warning_gigabytes, "disk.warning_percent")
    } else {
        return None;
    };
    let (share, room, whole) = (percent(share.min(100)), size(available), size(total));
    let threshold = (percent(u64::from(share_at)), size(Bytes::new(u64::from(room_at) * GIGABYTE)?));
    let what_then = match severity {
        Severity::Critical => Said::new(
            "Les mises à jour vont échouer et la machine peut se bloquer : libérer de la place maintenant.",
            "Updates will fail and the machine may stop: free some room now.",
        ),
        Severity::Info | Severity::Warning => {
            Said::new("Les prochaines mises à jour risquent de ne plus tenir.", "The next updates may no longer fit.")
        }
    };
    Some(Finding::from(Statement {
        code: FlagCode::DiskNearlyFull,
        subject: String::new(),
        severity,
        value: Said::new(format!("{} ({})", room.fr, share.fr), format!("{} ({})", room.en, share.en)),
        threshold: Some(Said::new(
            format!("{} et {}", threshold.0.fr, threshold.1.fr),
            format!("{} and {}", threshold.0.en, threshold.1.en),
        )),
        source: source_of(setting),
        evidence_at: Some(health.evidence_at()),
        sentence: Said::new(
            format!("Il reste {} sur les {} du volume système ({}). {}", room.fr, whole.fr, share.fr, what_then.fr),
            format!("{} of the system volume's {} are left ({}). {}", room.en, whole.en, share.en, what_then.en),
        ),
        missing: Vec::new(),
    }))
}
