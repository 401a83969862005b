//! Never enrolled: recorded long ago, but no agent has ever been installed.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    paris,
    policy::source_of,
    wording::{count, date},
};

pub(super) fn find(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let none_expected = facts.lending.is_some_and(|lending| !lending.agent_expected);
    if none_expected || facts.enrolled_at.is_some() || facts.last_contact.is_some() {
        return None;
    }
    let threshold = policy.never_enrolled.warning_days;
    let waited = u64::try_from(now.millis_since(facts.created_at) / UtcMillis::DAY).unwrap_or_default();
    if waited < u64::from(threshold) {
        return None;
    }
    let days = |days| count(days, ("jour", "day"), ("jours", "days"));
    let waited = days(waited);
    let since = date(paris::date(facts.created_at));
    Some(Finding::from(Statement {
        code: FlagCode::NeverEnrolled,
        subject: String::new(),
        severity: Severity::Warning,
        value: waited.clone(),
        threshold: Some(days(u64::from(threshold))),
        source: source_of("never_enrolled.warning_days"),
        evidence_at: Some(facts.created_at),
        sentence: Said::new(
            format!("Enregistré le {}, il y a {}, mais l'agent n'a jamais été installé.", since.fr, waited.fr),
            format!("Recorded on {}, {} ago, but the agent was never installed.", since.en, waited.en),
        ),
        missing: Vec::new(),
    }))
}
