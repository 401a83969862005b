//! Borrower left the site: whoever holds the device is no longer where it is to be given back.

use cartable_common::UtcMillis;

use super::{Finding, FlagCode, LendingFacts, Said, Severity, Statement, days, days_until};
use crate::domain::{paris, wording::date};

pub(super) fn find(lending: &LendingFacts, now: UtcMillis) -> Option<Finding> {
    let (loan, handed_over_at) = lending.running()?;
    let left = loan.borrower_left?;
    let since = days_until(left, paris::date(now));
    if since < 0 {
        return None;
    }
    let on = date(left);
    Some(Finding::from(Statement {
        code: FlagCode::BorrowerLeft,
        subject: String::new(),
        severity: Severity::Warning,
        value: days(since),
        threshold: Some(days(0)),
        source: Said::new("Le départ enregistré par l'établissement", "The departure that the site recorded"),
        evidence_at: Some(handed_over_at),
        sentence: Said::new(
            format!(
                "Le bénéficiaire a quitté l'établissement le {} : reprendre l'appareil ou transférer le prêt.",
                on.fr
            ),
            format!("The borrower left the site on {}: take the device back or transfer the loan.", on.en),
        ),
        missing: Vec::new(),
    }))
}
