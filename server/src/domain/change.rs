//! What changed between two reports, for the history.

use cartable_common::report::HealthReport;

/// One value that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where in the report: `memory.total_bytes`, `drives[S3X9].ata_attributes[5].raw`.
    pub path: String,
    /// What stood there; absent if nothing did.
    pub before: Option<String>,
    /// What stands there; absent if nothing does.
    pub after: Option<String>,
}

/// What changed from `before` to `after`, without the small movements that mean nothing.
#[must_use]
pub fn changes(_before: &HealthReport, _after: &HealthReport) -> Vec<Change> {
    Vec::new()
}
