//! Ceded but still reporting: the device belongs to somebody else, and our agent is still on it.
//!
//! The agent of a donated device is told at its next contact to remove itself, and does so at once. One that comes back
//! afterwards did not: it is too old to understand, could not, or its key lives in a copied drive.

use cartable_common::UtcMillis;

use super::{
    DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days_until, used_since::UsedSince,
};
use crate::domain::{
    facts::ReleaseFacts,
    loan::{LendingState, LoanStateName},
    paris,
    policy::source_of,
    wording::date,
};

const SETTING: &str = "loan.ceded_contact_days";

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    if lending.state != LendingState::Ceded {
        return None;
    }
    if let Some(release) = lending.release {
        return came_back(release, policy, now);
    }
    // Ceded out of a borrower's hands, by an earlier version.
    let ceded = lending.ended_in(LoanStateName::Ceded)?;
    let used = UsedSince::new(ceded, facts.last_contact, policy.loan.ceded_contact_days, policy, now)?;
    Some(used.finding(FlagCode::CededReporting, SETTING, |on, heard, _| {
        Said::new(
            format!("Cédé le {}, mais l'agent envoie encore des relevés, le {} : le retirer.", on.fr, heard.fr),
            format!("Ceded on {}, but the agent still reports, on {}: remove it.", on.en, heard.en),
        )
    }))
}

/// A contact after the agent was told; forgotten once it lies too far back to prove any use.
fn came_back(release: ReleaseFacts, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let (told, again) = (release.told_at?, release.again_at?);
    if days_until(paris::date(again), paris::date(now)) > i64::from(policy.loan.in_use_days) {
        return None;
    }
    let day = |at| date(paris::date(at));
    let (given, told_on, heard) = (day(release.ordered_at), day(told), day(again));
    Some(Finding::from(Statement {
        code: FlagCode::CededReporting,
        subject: String::new(),
        severity: Severity::Warning,
        sentence: Said::new(
            format!(
                "Donné le {}, l'agent a reçu le {} l'ordre de se retirer, mais il s'est encore manifesté le {} : le retirer.",
                given.fr, told_on.fr, heard.fr
            ),
            format!(
                "Donated on {}, the agent was told on {} to remove itself, but came back on {}: remove it.",
                given.en, told_on.en, heard.en
            ),
        ),
        value: heard,
        threshold: Some(told_on),
        source: source_of(SETTING),
        evidence_at: Some(again),
        missing: Vec::new(),
    }))
}
