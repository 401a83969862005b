//! Ceded but still reporting: the device belongs to somebody else, and our agent is still on it.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, used_since::UsedSince};
use crate::domain::loan::{LendingState, LoanStateName};

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    if lending.state != LendingState::Ceded {
        return None;
    }
    let ceded = lending.ended_in(LoanStateName::Ceded)?;
    let used = UsedSince::new(ceded, facts.last_contact, policy.loan.ceded_contact_days, policy, now)?;
    Some(used.finding(FlagCode::CededReporting, "loan.ceded_contact_days", |on, heard, _| {
        Said::new(
            format!("Cédé le {}, mais l'agent envoie encore des relevés, le {} : le retirer.", on.fr, heard.fr),
            format!("Ceded on {}, but the agent still reports, on {}: remove it.", on.en, heard.en),
        )
    }))
}
