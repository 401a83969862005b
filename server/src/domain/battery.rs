//! Judges a battery by what it still holds of its design capacity.
//!
//! Energy is compared with energy and charge with charge, never one with the other. Cycle counts are not judged: many
//! machines do not count, or count to 255 only.

use cartable_common::{
    Percent,
    report::{Battery, Chassis, HealthReport, Subject, UnreadReason},
};

use super::{
    policy::{Policy, source_of},
    verdict::{Judgement, Reason, Verdict},
    wording::{Said, percent},
};

/// What `battery`'s values support.
pub fn judge(battery: &Battery, policy: &Policy) -> Judgement {
    let Some(health) = health_percent(battery) else {
        let missing = Said::new(
            "La capacité d'origine ou la capacité actuelle manque, ou les deux ne s'accordent pas.",
            "The design capacity or the present one is missing, or the two do not agree.",
        );
        return Judgement { verdict: Verdict::Unknown, reasons: Vec::new(), missing: vec![missing] };
    };
    let missing = health.clamped.then(|| {
        Said::new(
            "La batterie annonce plus que sa capacité d'origine : cette dernière est douteuse.",
            "The battery claims more than its design capacity: the latter is in doubt.",
        )
    });
    let reason = capacity(health, policy);
    let verdict = reason.verdict;
    let reasons = (verdict != Verdict::Healthy).then_some(reason);
    Judgement { verdict, reasons: reasons.into_iter().collect(), missing: missing.into_iter().collect() }
}

/// What speaks for a healthy `battery`: the share that it holds and the threshold above which that stands.
#[must_use]
pub fn evidence(battery: &Battery, policy: &Policy) -> Option<Reason> {
    health_percent(battery).map(|health| capacity(health, policy)).filter(|reason| reason.verdict == Verdict::Healthy)
}

fn capacity(health: BatteryHealth, policy: &Policy) -> Reason {
    let (verdict, threshold, setting) = grade(health, policy);
    let shown = percent(u64::from(health.percent.get()));
    let said = if verdict == Verdict::Healthy {
        Said::new(
            format!("elle tient encore {} de sa capacité d'origine", shown.fr),
            format!("it still holds {} of its design capacity", shown.en),
        )
    } else {
        Said::new(
            format!("elle ne tient plus que {} de sa capacité d'origine", shown.fr),
            format!("it holds only {} of its design capacity", shown.en),
        )
    };
    Reason {
        code: "battery_capacity",
        verdict,
        value: shown,
        threshold: Some(percent(u64::from(threshold))),
        source: source_of(setting),
        said,
    }
}

/// The verdict, the threshold it met and the setting that holds it.
fn grade(health: BatteryHealth, policy: &Policy) -> (Verdict, u32, &'static str) {
    let policy = &policy.battery;
    match u32::from(health.percent.get()) {
        left if left < policy.replace_percent => (Verdict::Failing, policy.replace_percent, "battery.replace_percent"),
        left if left < policy.long_loan_percent => {
            (Verdict::Worn, policy.long_loan_percent, "battery.long_loan_percent")
        }
        left if left < policy.relend_percent => (Verdict::Worn, policy.relend_percent, "battery.relend_percent"),
        _ => (Verdict::Healthy, policy.relend_percent, "battery.relend_percent"),
    }
}

/// The verdict on all batteries of `report` together; unknown when it lists none.
#[must_use]
pub fn worst(report: &HealthReport, policy: &Policy) -> Verdict {
    report.batteries.iter().map(|b| judge(b, policy).verdict).reduce(Verdict::worse).unwrap_or(Verdict::Unknown)
}

/// What is known of a machine's batteries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batteries {
    /// The verdict on all of them together.
    Judged(Verdict),
    /// The machine is of a kind that runs on mains alone, and none was found.
    NoneExpected(Chassis),
    /// It was looked for and none was found, in a machine that ought to have one or of a kind that is not known.
    NoneFound,
    /// Nothing was read.
    NotRead,
}

/// What `report` tells of the batteries. Only a machine whose own kind says so has none to expect: a laptop without is
/// missing one, and what was not read is not known.
#[must_use]
pub fn known(report: &HealthReport, policy: &Policy) -> Batteries {
    if !report.batteries.is_empty() {
        return Batteries::Judged(worst(report, policy));
    }
    let mut said = report.unread.iter().filter(|unread| unread.subject == Some(Subject::Batteries)).peekable();
    let looked_for = said.peek().is_some();
    if said.any(|unread| unread.reason != Some(UnreadReason::NotPresent)) {
        return Batteries::NotRead;
    }
    match report.hardware.chassis {
        Some(chassis @ (Chassis::Desktop | Chassis::Server | Chassis::Virtual)) => Batteries::NoneExpected(chassis),
        Some(_) | None if looked_for => Batteries::NoneFound,
        Some(_) | None => Batteries::NotRead,
    }
}

/// What a battery still holds, as a share of its design capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatteryHealth {
    /// The share, at most 100.
    pub percent: Percent,
    /// Whether more than the believable 105 % was read, so that the design capacity is in doubt.
    pub clamped: bool,
}

/// A new battery may hold a little more than it was designed for.
const BELIEVABLE_PERCENT: u64 = 105;
/// Beyond this, one of the two values is not a capacity: some firmware writes 3 Wh for a laptop's battery.
const ABSURD_PERCENT: u64 = 150;

/// The share of its design capacity that `battery` still holds; absent unless both are known in the same unit and
/// agree.
#[must_use]
pub fn health_percent(battery: &Battery) -> Option<BatteryHealth> {
    let energy = battery.full_milliwatt_hours.zip(battery.design_milliwatt_hours);
    let charge = battery.full_milliamp_hours.zip(battery.design_milliamp_hours);
    energy
        .and_then(|(full, design)| share(full.get(), design.get()))
        .or_else(|| charge.and_then(|(full, design)| share(full.get(), design.get())))
}

fn share(full: u32, design: u32) -> Option<BatteryHealth> {
    if full == 0 || design == 0 {
        return None;
    }
    let read = u64::from(full) * 100 / u64::from(design);
    let percent = u8::try_from(read.min(100)).ok().and_then(Percent::new)?;
    (read <= ABSURD_PERCENT).then_some(BatteryHealth { percent, clamped: read > BELIEVABLE_PERCENT })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{MilliampHours, MilliwattHours};
    use proptest::prelude::*;

    fn energy(full: u32, design: u32) -> Battery {
        Battery {
            full_milliwatt_hours: MilliwattHours::new(full),
            design_milliwatt_hours: MilliwattHours::new(design),
            ..Battery::default()
        }
    }

    #[test]
    fn verdicts_at_their_thresholds() {
        let verdict = |left: u32| judge(&energy(left * 500, 50_000), &Policy::default()).verdict.as_str();
        assert_eq!([80, 79, 60, 59, 50, 49].map(verdict), ["healthy", "worn", "worn", "worn", "worn", "failing"]);
    }

    #[test]
    fn units_are_never_mixed() {
        let mixed = Battery {
            full_milliwatt_hours: MilliwattHours::new(40_000),
            design_milliamp_hours: MilliampHours::new(4_000),
            ..Battery::default()
        };
        assert_eq!(judge(&mixed, &Policy::default()).verdict, Verdict::Unknown);
    }

    #[test]
    fn more_than_all_is_clamped_then_disbelieved() {
        assert_eq!(health_percent(&energy(50_060, 47_520)).map(|h| (h.percent.get(), h.clamped)), Some((100, false)));
        assert_eq!(health_percent(&energy(55_000, 47_520)).map(|h| (h.percent.get(), h.clamped)), Some((100, true)));
        assert_eq!(health_percent(&energy(45_000, 3_000)), None);
        assert_eq!(health_percent(&energy(0, 50_000)), None);
    }

    #[test]
    fn a_machine_on_mains_has_none_to_expect_and_a_laptop_lacks_one() {
        use cartable_common::report::{Hardware, Unread};
        let report = |chassis: Option<Chassis>, reason: Option<UnreadReason>| HealthReport {
            hardware: Hardware { chassis, ..Hardware::default() },
            unread: reason
                .map(|reason| Unread { subject: Some(Subject::Batteries), reason: Some(reason), ..Unread::default() })
                .into_iter()
                .collect(),
            ..HealthReport::default()
        };
        let known = |chassis, reason| known(&report(chassis, reason), &Policy::default());
        let (absent, denied) = (Some(UnreadReason::NotPresent), Some(UnreadReason::PermissionDenied));
        for chassis in [Chassis::Desktop, Chassis::Server, Chassis::Virtual] {
            assert_eq!(known(Some(chassis), absent), Batteries::NoneExpected(chassis));
            assert_eq!(known(Some(chassis), denied), Batteries::NotRead, "what could not be read is not known");
        }
        for chassis in [Some(Chassis::Laptop), Some(Chassis::Tablet), None] {
            assert_eq!(known(chassis, absent), Batteries::NoneFound);
            assert_eq!(known(chassis, denied), Batteries::NotRead);
            assert_eq!(known(chassis, None), Batteries::NotRead, "nothing was said of them");
        }
        let worn = HealthReport { batteries: vec![energy(20_000, 50_000)], ..report(Some(Chassis::Desktop), denied) };
        assert_eq!(super::known(&worn, &Policy::default()), Batteries::Judged(Verdict::Failing));
        // The verdict that is stored and that rules ask for stays what it was: no battery is no health.
        assert_eq!(worst(&report(Some(Chassis::Desktop), absent), &Policy::default()), Verdict::Unknown);
    }

    proptest! {
        #[test]
        fn a_fuller_battery_is_never_judged_worse(low in 1_u32..100_000, more in 0_u32..20_000) {
            let rank = |full| match judge(&energy(full, 80_000), &Policy::default()).verdict {
                Verdict::Healthy => 0,
                Verdict::Worn => 1,
                Verdict::Failing => 2,
                Verdict::Unknown => 3,
            };
            prop_assert!(rank(low + more) <= rank(low) || rank(low + more) == 3);
        }
    }
}
