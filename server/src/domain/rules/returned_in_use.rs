//! Returned but still checking in: the unit that was scanned at the desk is perhaps not the one that came back.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, used_since::UsedSince};
use crate::domain::loan::{LendingState, LoanStateName};

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    if lending.state != LendingState::Intake {
        return None;
    }
    let back = lending.ended_in(LoanStateName::Returned)?;
    let used = UsedSince::new(back, facts.last_contact, policy.loan.returned_contact_days, policy, now)?;
    Some(used.finding(FlagCode::ReturnedInUse, "loan.returned_contact_days", |returned, heard, after| {
        Said::new(
            format!(
                "Rendu le {}, mais encore en usage le {}, {} après : un autre appareil a peut-être été scanné.",
                returned.fr, heard.fr, after.fr
            ),
            format!(
                "Returned on {}, but still in use on {}, {} later: another unit may have been scanned.",
                returned.en, heard.en, after.en
            ),
        )
    }))
}
