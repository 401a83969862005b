//! Returned but still checking in: the unit that was scanned at the desk is perhaps not the one that came back.

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
    if lending.state != LendingState::Intake {
        return None;
    }
    let (back, last) = (lending.ended_in(LoanStateName::Returned)?, facts.last_contact?);
    let after = days_until(paris::date(back), paris::date(last));
    let allowed = i64::from(policy.loan.returned_contact_days);
    if after <= allowed || super::stock_in_use::is_old(last, policy, now) {
        return None;
    }
    let (after, returned, heard) = (days(after), date(paris::date(back)), date(paris::date(last)));
    Some(Finding::from(Statement {
        code: FlagCode::ReturnedInUse,
        subject: String::new(),
        severity: Severity::Warning,
        value: after.clone(),
        threshold: Some(days(allowed)),
        source: source_of("loan.returned_contact_days"),
        evidence_at: Some(last),
        sentence: Said::new(
            format!(
                "Rendu le {}, mais encore en usage le {}, {} après : un autre appareil a peut-être été scanné.",
                returned.fr, heard.fr, after.fr
            ),
            format!(
                "Returned on {}, but still in use on {}, {} later: another unit may have been scanned.",
                returned.en, heard.en, after.en
            ),
        ),
        missing: Vec::new(),
    }))
}
