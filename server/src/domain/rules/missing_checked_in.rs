//! Lost or stolen, but checked in since: it is somewhere, and switched on. Nothing says where: agents report no place.

use super::{DeviceFacts, Finding, FlagCode, LendingFacts, Said, Severity, Statement, days, days_until};
use crate::domain::{
    loan::{LendingState, LoanStateName},
    paris,
    wording::date,
};

pub(super) fn find(facts: &DeviceFacts<'_>, lending: &LendingFacts) -> Option<Finding> {
    let (declared, fr, en) = match lending.state {
        LendingState::Lost => (
            lending.ended_in(LoanStateName::Lost)?,
            ("Déclaré perdu", "Demander au dernier détenteur s'il l'a retrouvé."),
            ("Declared lost", "Ask its last holder whether it was found."),
        ),
        LendingState::Stolen => (
            lending.ended_in(LoanStateName::Stolen)?,
            ("Déclaré volé", "Le faire savoir à qui suit la plainte."),
            ("Declared stolen", "Tell whoever follows the complaint."),
        ),
        LendingState::InStock
        | LendingState::Reserved
        | LendingState::Lent
        | LendingState::Intake
        | LendingState::Refurbishment
        | LendingState::SetAside
        | LendingState::WrittenOff
        | LendingState::Ceded => return None,
    };
    let last = facts.last_contact.filter(|last| *last > declared)?;
    let after = days(days_until(paris::date(declared), paris::date(last)));
    let (on, heard) = (date(paris::date(declared)), date(paris::date(last)));
    Some(Finding::from(Statement {
        code: FlagCode::MissingCheckedIn,
        subject: String::new(),
        severity: Severity::Critical,
        value: after,
        threshold: Some(days(0)),
        source: Said::new("La déclaration de perte ou de vol", "The declaration of loss or theft"),
        evidence_at: Some(last),
        sentence: Said::new(
            format!("{} le {}, mais en contact le {}. {}", fr.0, on.fr, heard.fr, fr.1),
            format!("{} on {}, but in contact on {}. {}", en.0, on.en, heard.en, en.1),
        ),
        missing: Vec::new(),
    }))
}
