//! Due for refurbishment: still lent, a device at risk is swapped before it dies; returned, it waits for its intake.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, not_to_relend};
use crate::domain::{battery, drive, loan::LendingState, verdict::Verdict};

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    let health = facts.health?;
    let failing = Said::new("à risque", "at risk");
    let of_drives = drive::worst(health.report, health.past, health.history_until(), policy) == Verdict::Failing;
    let of_batteries = battery::worst(health.report, policy) == Verdict::Failing;
    let what = match (of_drives, of_batteries) {
        (true, true) => Said::new("son disque et sa batterie", "its drive and its battery"),
        (true, false) => Said::new("son disque", "its drive"),
        (false, true) => Said::new("sa batterie", "its battery"),
        (false, false) => return None,
    };
    let lent = lending.running().is_some();
    let (severity, sentence) = match lending.state {
        // Due back within days: "not to relend" says so already.
        LendingState::Lent if lent && not_to_relend::due_soon(lending, policy, now).is_none() => (
            Severity::Warning,
            Said::new(
                format!("Encore prêté, mais à reconditionner à cause de {} : l'échanger avant la panne.", what.fr),
                format!("Still lent, but due for refurbishment because of {}: swap it before it dies.", what.en),
            ),
        ),
        LendingState::Intake => (
            Severity::Info,
            Said::new(
                format!("Rendu, et à reconditionner à cause de {}.", what.fr),
                format!("Returned, and due for refurbishment because of {}.", what.en),
            ),
        ),
        LendingState::Lent
        | LendingState::InStock
        | LendingState::Reserved
        | LendingState::Refurbishment
        | LendingState::SetAside
        | LendingState::Lost
        | LendingState::Stolen
        | LendingState::WrittenOff
        | LendingState::Ceded => return None,
    };
    Some(Finding::from(Statement {
        code: FlagCode::DueForRefurbishment,
        subject: String::new(),
        severity,
        value: Said::new(format!("{} : {}", what.fr, failing.fr), format!("{}: {}", what.en, failing.en)),
        threshold: Some(Said::new("sans risque", "no risk")),
        source: Said::new("verdicts du disque et de la batterie", "verdicts on drive and battery"),
        evidence_at: Some(health.evidence_at()),
        sentence,
        missing: Vec::new(),
    }))
}

/// Whether it is where this rule speaks: lent for longer than a few days, or in the intake.
pub(super) fn speaks_of(lending: &LendingFacts, policy: &Policy, now: UtcMillis) -> bool {
    let lent = lending.state == LendingState::Lent && lending.running().is_some();
    lending.state == LendingState::Intake || lent && not_to_relend::due_soon(lending, policy, now).is_none()
}
