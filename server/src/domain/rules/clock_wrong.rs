//! Clock wrong: the device's clock differs too much from the server's, as seen at its last contact.

use super::{DeviceFacts, Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{policy::source_of, wording::duration};

const MINUTE: u64 = 60_000;

pub(super) fn find(facts: &DeviceFacts<'_>, policy: &Policy) -> Option<Finding> {
    let (skew, seen_at) = facts.skew_millis.zip(facts.last_contact)?;
    let difference = skew.unsigned_abs();
    let rules = &policy.clock;
    let (severity, threshold, setting) = if difference >= u64::from(rules.critical_minutes) * MINUTE {
        (Severity::Critical, rules.critical_minutes, "clock.critical_minutes")
    } else if difference >= u64::from(rules.warning_minutes) * MINUTE {
        (Severity::Warning, rules.warning_minutes, "clock.warning_minutes")
    } else {
        return None;
    };
    let shown = duration(difference);
    let sentence = if skew > 0 {
        Said::new(
            format!("L'horloge avance de {} : vérifier l'heure, puis la pile de la carte mère.", shown.fr),
            format!("The clock is {} fast: check the time, then the main board's coin cell.", shown.en),
        )
    } else {
        Said::new(
            format!("L'horloge retarde de {} : vérifier l'heure, puis la pile de la carte mère.", shown.fr),
            format!("The clock is {} slow: check the time, then the main board's coin cell.", shown.en),
        )
    };
    Some(Finding::from(Statement {
        code: FlagCode::ClockWrong,
        subject: String::new(),
        severity,
        value: shown,
        threshold: Some(duration(u64::from(threshold) * MINUTE)),
        source: source_of(setting),
        evidence_at: Some(seen_at),
        sentence,
        missing: Vec::new(),
    }))
}
