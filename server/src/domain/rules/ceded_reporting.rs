//! Ceded but still reporting: the device belongs to somebody else, and our agent is still on it.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{
    loan::{LendingState, LoanStateName},
    paris,
    policy::source_of,
    wording::date,
};

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    if lending.state != LendingState::Ceded {
        return None;
    }
    let (ceded, last) = (lending.ended_in(LoanStateName::Ceded)?, facts.last_contact?);
    let after = days_until(paris::date(ceded), paris::date(last));
    let allowed = i64::from(policy.loan.ceded_contact_days);
    if after <= allowed || super::stock_in_use::is_old(last, policy, now) {
        return None;
    }
    let (on, heard) = (date(paris::date(ceded)), date(paris::date(last)));
    Some(Finding::from(Statement {
        code: FlagCode::CededReporting,
        subject: String::new(),
        severity: Severity::Warning,
        value: days(after),
        threshold: Some(days(allowed)),
        source: source_of("loan.ceded_contact_days"),
        evidence_at: Some(last),
        sentence: Said::new(
            format!("Cédé le {}, mais l'agent envoie encore des relevés, le {} : le retirer.", on.fr, heard.fr),
            format!("Ceded on {}, but the agent still reports, on {}: remove it.", on.en, heard.en),
        ),
        missing: Vec::new(),
    }))
}
