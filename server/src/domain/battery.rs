//! Judges a battery by what it still holds of its design capacity.

use cartable_common::{
    Percent,
    report::{Battery, HealthReport},
};

use super::{
    policy::Policy,
    verdict::{Judgement, Verdict},
};

/// What `battery`'s values support.
pub fn judge(_battery: &Battery, _policy: &Policy) -> Judgement {
    Judgement { verdict: Verdict::Unknown, reasons: Vec::new(), missing: Vec::new() }
}

/// The verdict on all batteries of `report` together; unknown when it lists none.
#[must_use]
pub fn worst(report: &HealthReport, policy: &Policy) -> Verdict {
    report.batteries.iter().map(|b| judge(b, policy).verdict).reduce(Verdict::worse).unwrap_or(Verdict::Unknown)
}

/// What a battery still holds, as a share of its design capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatteryHealth {
    /// The share, at most 100.
    pub percent: Percent,
    /// Whether more than the believable 105 % was read, so that the design capacity is in doubt.
    pub clamped: bool,
}

/// The share of its design capacity that `battery` still holds; absent unless both are known in the same unit.
#[must_use]
pub fn health_percent(battery: &Battery) -> Option<BatteryHealth> {
    let ratio = |full: u32, design: u32| {
        let percent = (design > 0 && full > 0).then(|| u64::from(full) * 100 / u64::from(design))?;
        let shown = u8::try_from(percent.min(100)).ok().and_then(Percent::new)?;
        Some(BatteryHealth { percent: shown, clamped: percent > 105 })
    };
    let energy = battery.full_milliwatt_hours.zip(battery.design_milliwatt_hours);
    let charge = battery.full_milliamp_hours.zip(battery.design_milliamp_hours);
    energy
        .and_then(|(full, design)| ratio(full.get(), design.get()))
        .or_else(|| charge.and_then(|(full, design)| ratio(full.get(), design.get())))
}
