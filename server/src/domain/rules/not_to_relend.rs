//! Not to be lent again although due back soon: time to plan its repair or its replacement.

use cartable_common::UtcMillis;
use jiff::civil::Date;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days_until};
use crate::domain::{battery, drive, paris, policy::source_of, verdict::Verdict, wording::date};

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    let (health, due) = (facts.health?, due_soon(lending, policy, now)?);
    let (of_drives, of_batteries) = (
        drive::worst(health.report, health.past, health.history_until(), policy),
        battery::worst(health.report, policy),
    );
    let unfit = |verdict| matches!(verdict, Verdict::Worn | Verdict::Failing);
    let what = match (unfit(of_drives), unfit(of_batteries)) {
        (true, true) => Said::new("son disque et sa batterie", "its drive and its battery"),
        (true, false) => Said::new("son disque", "its drive"),
        (false, true) => Said::new("sa batterie", "its battery"),
        (false, false) => return None,
    };
    let verdict = if of_drives == Verdict::Failing {
        Said::new("risque de panne", "risk of failure")
    } else {
        Said::new("usure", "wear")
    };
    let day = date(due);
    Some(Finding::from(Statement {
        code: FlagCode::NotToRelend,
        subject: String::new(),
        severity: Severity::Warning,
        value: Said::new(format!("{} : {}", what.fr, verdict.fr), format!("{}: {}", what.en, verdict.en)),
        threshold: Some(Said::new("bon état", "healthy")),
        source: source_of("loan.due_soon_days"),
        evidence_at: Some(health.evidence_at()),
        sentence: Said::new(
            format!(
                "Rendu bientôt, le {}, mais à ne pas reprêter tel quel à cause de {} : prévoir sa réparation ou son \
                 remplacement.",
                day.fr, what.fr
            ),
            format!(
                "Due back soon, on {}, but not to be lent again as it is because of {}: plan its repair or its \
                 replacement.",
                day.en, what.en
            ),
        ),
        missing: Vec::new(),
    }))
}

/// The day on which it is due back, where it is lent and that is within days.
pub(super) fn due_soon(lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> Option<Date> {
    let due = lending.running()?.0.due?;
    let left = days_until(paris::date(now), due);
    (0..=i64::from(policy.loan.due_soon_days)).contains(&left).then_some(due)
}
