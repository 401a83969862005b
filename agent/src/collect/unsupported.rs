//! Operating systems whose collector is not written yet: says so instead of inventing values.

use std::path::Path;

use cartable_common::report::{HealthReport, OperatingSystem, OsFamily, Subject, UnreadReason};

use super::{Found, unread};

/// "Unsupported" for every part.
pub(super) fn machine(_root: &Path) -> std::future::Ready<Found> {
    let subjects = Subject::ALL.iter().filter(|subject| !matches!(subject, Subject::Unknown));
    std::future::ready(Found {
        report: HealthReport {
            operating_system: OperatingSystem { family: Some(OsFamily::Unknown), ..OperatingSystem::default() },
            unread: subjects.map(|subject| unread(*subject, UnreadReason::Unsupported, "")).collect(),
            ..HealthReport::default()
        },
        drive_names: Vec::new(),
    })
}
