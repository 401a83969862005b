//! In stock but in use: it checks in although no loan says that anybody has it.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{loan::LendingState, paris, policy::source_of, wording::date};

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
    let last = facts.last_contact?;
    let prepared = lending.stocked_at.max(facts.enrolled_at).unwrap_or(facts.created_at);
    let after = days_until(paris::date(prepared), paris::date(last));
    let allowed = i64::from(policy.loan.stock_contact_days);
    if after <= allowed || is_old(last, policy, now) {
        return None;
    }
    let heard = date(paris::date(last));
    Some(Finding::from(Statement {
        code: FlagCode::StockInUse,
        subject: String::new(),
        severity: Severity::Warning,
        value: days(after),
        threshold: Some(days(allowed)),
        source: source_of("loan.stock_contact_days"),
        evidence_at: Some(last),
        sentence: Said::new(
            format!("En stock, mais en usage : dernier contact le {}. A-t-il été remis sans prêt ?", heard.fr),
            format!("In stock, but in use: last contact on {}. Was it handed over without a loan?", heard.en),
        ),
        missing: Vec::new(),
    }))
}

/// Whether a contact is too long ago to say that the device is in use.
pub(super) fn is_old(last: UtcMillis, policy: &Policy, now: UtcMillis) -> bool {
    days_until(paris::date(last), paris::date(now)) > i64::from(policy.loan.in_use_days)
}
