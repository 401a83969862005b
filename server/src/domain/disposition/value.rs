//! What a device is worth and what work on it costs, from the prices of the policy.

use cartable_common::UtcMillis;

use super::{Cost, Evidence};
use crate::domain::{
    fitness::{Answer, Facts},
    policy::Policy,
    verdict::Verdict,
};

const MINUTES: u64 = 60;

/// Parts and minutes of all repairs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Repairs {
    pub(super) parts_euros: u32,
    pub(super) minutes: u32,
    needed: u32,
}

impl Repairs {
    pub(super) const fn is_empty(self) -> bool {
        self.needed == 0
    }

    const fn add(&mut self, parts_euros: u32, minutes: u32) {
        self.parts_euros = self.parts_euros.saturating_add(parts_euros);
        self.minutes = self.minutes.saturating_add(minutes);
        self.needed += 1;
    }
}

/// What must be repaired before a loan.
pub(super) fn repairs(evidence: Evidence, policy: &Policy) -> Repairs {
    let rules = &policy.disposition;
    let mut all = Repairs::default();
    if matches!(evidence.drives, Verdict::Worn | Verdict::Failing) {
        all.add(rules.drive_euros, rules.drive_minutes);
    }
    if evidence.battery_below(policy.battery.relend_percent) {
        all.add(rules.battery_euros, rules.battery_minutes);
    }
    if evidence.broken == Answer::Met {
        all.add(rules.fault_euros, rules.fault_minutes);
    }
    if evidence.dead {
        // A second fault behind the one that keeps it from starting is the rule, not the exception.
        all.add(rules.fault_euros, rules.fault_minutes);
    }
    all
}

/// Parts and minutes, the minutes priced.
pub(super) fn cost(policy: &Policy, parts_euros: u32, minutes: u32) -> Cost {
    let bench = (u64::from(minutes) * u64::from(policy.disposition.bench_euros_per_hour)).div_ceil(MINUTES);
    let euros = u32::try_from(u64::from(parts_euros) + bench).unwrap_or(u32::MAX);
    Cost { parts_euros, minutes, euros }
}

/// The months that are left until the age at which a device is recycled.
fn months_left(facts: &Facts, policy: &Policy, now: UtcMillis) -> u32 {
    let left = i64::from(policy.disposition.recycle_years) * 12 - facts.least_age(policy, now).0;
    u32::try_from(left.max(0)).unwrap_or(u32::MAX)
}

/// What a device is worth once it is in order: each month that is left has its price.
pub(super) fn after_repair(facts: &Facts, policy: &Policy, now: UtcMillis) -> u32 {
    months_left(facts, policy, now).saturating_mul(policy.disposition.month_euros)
}

/// Its unit value, as art. L.3212-2 of the CG3P asks for before a gift: an estimate, in whole euros.
#[must_use]
pub fn of_unit(facts: &Facts, policy: &Policy, now: UtcMillis) -> u32 {
    after_repair(facts, policy, now)
}
