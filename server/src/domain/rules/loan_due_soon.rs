//! Loan due soon: the day on which the device must be back is near.

use cartable_common::UtcMillis;

use super::{Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{paris, policy::source_of, wording::date};

pub(super) fn find(lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let (loan, handed_over_at) = lending.running()?;
    let due = loan.due?;
    let left = days_until(paris::date(now), due);
    let threshold = i64::from(policy.loan.due_soon_days);
    if !(0..=threshold).contains(&left) {
        return None;
    }
    let day = date(due);
    let sentence = match left {
        0 => Said::new(format!("À rendre aujourd'hui, {}.", day.fr), format!("Due back today, {}.", day.en)),
        1 => Said::new(format!("À rendre demain, {}.", day.fr), format!("Due back tomorrow, {}.", day.en)),
        _ => {
            let left = days(left);
            Said::new(
                format!("À rendre le {}, dans {}.", day.fr, left.fr),
                format!("Due back on {}, in {}.", day.en, left.en),
            )
        }
    };
    Some(Finding::from(Statement {
        code: FlagCode::LoanDueSoon,
        subject: String::new(),
        severity: Severity::Info,
        value: days(left),
        threshold: Some(days(threshold)),
        source: source_of("loan.due_soon_days"),
        evidence_at: Some(handed_over_at),
        sentence,
        missing: Vec::new(),
    }))
}
