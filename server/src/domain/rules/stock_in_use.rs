//! In stock but in use: it checks in although no loan says that anybody has it.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, used_since::UsedSince};
use crate::domain::loan::LendingState;

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    let in_stock = lending.state == LendingState::InStock;
    if !in_stock || !lending.kept_here {
        return None;
    }
    let prepared = lending.stocked_at.max(facts.enrolled_at).unwrap_or(facts.created_at);
    let used = UsedSince::new(prepared, facts.last_contact, policy.loan.stock_contact_days, policy, now)?;
    Some(used.finding(FlagCode::StockInUse, "loan.stock_contact_days", |_, heard, _| {
        Said::new(
            format!("En stock, mais en usage : dernier contact le {}. A-t-il été remis sans prêt ?", heard.fr),
            format!("In stock, but in use: last contact on {}. Was it handed over without a loan?", heard.en),
        )
    }))
}
