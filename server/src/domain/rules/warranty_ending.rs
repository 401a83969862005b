//! Warranty ending while lent: what is broken should be shown to the maker before.

use cartable_common::UtcMillis;

use super::{Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{paris, policy::source_of, wording::date};

pub(super) fn find(lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let (loan, handed_over_at) = lending.running()?;
    let until = lending.warranty_until?;
    let left = days_until(paris::date(now), until);
    let threshold = i64::from(policy.loan.warranty_days);
    // A device that comes back before is looked at then.
    let back_before = loan.due.is_some_and(|due| due < until && due >= paris::date(now));
    if !(0..=threshold).contains(&left) || back_before {
        return None;
    }
    let (on, left) = (date(until), days(left));
    Some(Finding::from(Statement {
        code: FlagCode::WarrantyEnding,
        subject: String::new(),
        severity: Severity::Info,
        value: left.clone(),
        threshold: Some(days(threshold)),
        source: source_of("loan.warranty_days"),
        evidence_at: Some(handed_over_at),
        sentence: Said::new(
            format!(
                "La garantie s'arrête le {}, dans {}, alors que l'appareil est prêté : le faire vérifier avant.",
                on.fr, left.fr
            ),
            format!(
                "The warranty ends on {}, in {}, while the device is lent: have it checked before.",
                on.en, left.en
            ),
        ),
        missing: Vec::new(),
    }))
}
