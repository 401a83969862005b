//! Back again: it was told to be silent, and made a contact. Whoever was looking for it may stop; told for some days.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{paris, policy::source_of, wording::date};

pub(super) fn find(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    // Whoever need not be heard was not missed: of one that is lost, `missing_checked_in` tells.
    if facts.lending.is_some_and(|lending| !lending.contact_is_due()) {
        return None;
    }
    let silence = facts.silence?;
    // A silence also ends untold: by holidays that were added, or when the device is put away.
    if facts.last_contact.is_none_or(|heard| heard < silence.ended_at) {
        return None;
    }
    let (told, ended) = (paris::date(silence.told_at), paris::date(silence.ended_at));
    let shown = i64::from(policy.silent.back_again_days);
    if days_until(ended, paris::date(now)) >= shown {
        return None;
    }
    let (told, ended) = (date(told), date(ended));
    Some(Finding::from(Statement {
        code: FlagCode::BackAgain,
        subject: String::new(),
        severity: Severity::Info,
        sentence: Said::new(
            format!("Signalé silencieux le {}, il s'est de nouveau manifesté le {}.", told.fr, ended.fr),
            format!("Flagged as silent on {}, it was heard again on {}.", told.en, ended.en),
        ),
        value: ended,
        threshold: Some(days(shown)),
        source: source_of("silent.back_again_days"),
        evidence_at: Some(silence.ended_at),
        missing: Vec::new(),
    }))
}
