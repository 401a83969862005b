//! Ready and unassigned: a unit left the bench fit for use, and days later nobody has been given it.

use cartable_common::UtcMillis;

use super::{Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{
    loan::LendingState,
    paris,
    policy::source_of,
    wording::date,
    work_order::{Disposition, Position},
};

pub(super) fn find(lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let work = lending.work?;
    let (fr, en) = match (work.position, lending.state) {
        (Position::Closed(Disposition::Relend), LendingState::InStock) => {
            // Lent since, and put back in stock without an order: that is another story.
            if lending.loan.is_some_and(|loan| loan.ended_at.is_none_or(|ended| ended > work.since)) {
                return None;
            }
            ("à prêter", "to be lent")
        }
        (Position::Closed(Disposition::Donate), LendingState::SetAside) if !work.in_lot => {
            ("à donner", "to be donated")
        }
        _ => return None,
    };
    let since = paris::date(work.since);
    let waited = days_until(since, paris::date(now));
    let limit = policy.refurbishment.ready_days;
    if waited <= i64::from(limit) {
        return None;
    }
    let (day, age) = (date(since), days(waited));
    Some(Finding::from(Statement {
        code: FlagCode::ReadyUnassigned,
        subject: String::new(),
        severity: Severity::Info,
        value: age.clone(),
        threshold: Some(days(i64::from(limit))),
        source: source_of("refurbishment.ready_days"),
        evidence_at: Some(work.since),
        sentence: Said::new(
            format!("Remis en état et prêt ({fr}) depuis le {}, attribué à personne : {}.", day.fr, age.fr),
            format!("Refurbished and ready ({en}) since {}, assigned to nobody: {}.", day.en, age.en),
        ),
        missing: Vec::new(),
    }))
}
