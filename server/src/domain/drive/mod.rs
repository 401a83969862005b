//! Judges a drive by what it says of itself.

use cartable_common::report::{Drive, HealthReport};

use super::{
    policy::Policy,
    verdict::{Judgement, Verdict},
};

/// What `drive`'s own values support.
pub fn judge(_drive: &Drive, _policy: &Policy) -> Judgement {
    Judgement { verdict: Verdict::Unknown, reasons: Vec::new(), missing: Vec::new() }
}

/// The verdict on all drives of `report` together; unknown when it lists none.
#[must_use]
pub fn worst(report: &HealthReport, policy: &Policy) -> Verdict {
    report.drives.iter().map(|drive| judge(drive, policy).verdict).reduce(Verdict::worse).unwrap_or(Verdict::Unknown)
}
