//! What one more check would change: each check that could be made is tried with every result it may have.

use cartable_common::UtcMillis;

use super::{Disposition, Evidence, decide};
use crate::domain::{
    fitness::{Answer, BatteryRead, Facts, facts::AgeFrom},
    policy::Policy,
    verdict::{Verdict, text_enum},
};

text_enum! {
    /// A check that somebody or an agent could make.
    pub enum CheckKind {
        /// Read the drive's health.
        Drive = "drive",
        /// Read the battery's capacities.
        Battery = "battery",
        /// Read what Windows 11 asks for: processor, memory, storage, Secure Boot, TPM.
        System = "system",
        /// Inspect it and grade it.
        Inspection = "inspection",
        /// Look up the day of purchase.
        PurchaseDate = "purchase_date",
    }
}

/// A check, and what the device could become after it instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The check.
    pub kind: CheckKind,
    /// The other dispositions that its results lead to, best first.
    pub may_become: Vec<Disposition>,
}

/// The checks that could change `present`, those that could change it to most first.
pub(super) fn all(facts: &Facts, policy: &Policy, now: UtcMillis, present: Disposition) -> Vec<Check> {
    let evidence = Evidence::of(facts, policy);
    let mut checks: Vec<Check> = CheckKind::ALL
        .iter()
        .map(|kind| {
            let results = results(*kind, evidence, facts, policy, now);
            let mut may_become: Vec<Disposition> = results
                .iter()
                .map(|result| decide(*result, facts, policy, now).disposition)
                .filter(|disposition| *disposition != present)
                .collect();
            may_become.sort_unstable();
            may_become.dedup();
            Check { kind: *kind, may_become }
        })
        .filter(|check| !check.may_become.is_empty())
        .collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.may_become.len()));
    checks
}

/// The evidence after each result that a check may have; none where it was made already.
fn results(kind: CheckKind, known: Evidence, facts: &Facts, policy: &Policy, now: UtcMillis) -> Vec<Evidence> {
    match kind {
        CheckKind::Drive if known.drives == Verdict::Unknown => {
            [Verdict::Healthy, Verdict::Worn, Verdict::Failing].map(|drives| Evidence { drives, ..known }).to_vec()
        }
        CheckKind::Battery if known.battery == BatteryRead::NotRead => {
            let below = |percent: u32| BatteryRead::Left(u8::try_from(percent.saturating_sub(1)).unwrap_or(u8::MAX));
            [
                BatteryRead::Left(100),
                below(policy.battery.relend_percent),
                below(policy.battery.long_loan_percent),
                below(policy.battery.replace_percent),
            ]
            .map(|battery| Evidence { battery, ..known })
            .to_vec()
        }
        CheckKind::System if known.windows == Answer::Unknown => {
            [Answer::Met, Answer::NotMet].map(|windows| Evidence { windows, ..known }).to_vec()
        }
        // What the desk noted is read only until somebody inspected it, whatever grade it had before.
        CheckKind::Inspection if facts.grade.is_none() || facts.returned.is_some() => {
            [Answer::NotMet, Answer::Met].map(|broken| Evidence { broken, dead: false, ..known }).to_vec()
        }
        CheckKind::PurchaseDate => {
            let (age, from) = facts.least_age(policy, now);
            let past = age >= i64::from(policy.disposition.recycle_years) * 12;
            // What was recorded that long ago is certainly as old.
            let certain = past && from == AgeFrom::Recorded;
            if certain { Vec::new() } else { vec![Evidence { too_old: Some(!past), ..known }] }
        }
        CheckKind::Drive | CheckKind::Battery | CheckKind::System | CheckKind::Inspection => Vec::new(),
    }
}
