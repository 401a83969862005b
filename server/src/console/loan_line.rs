//! A loan as lists, cards and desks show it; what the reader's role must not see is not in it.

use jiff::civil::Date;

use super::{
    component::{Badge, Tone},
    device_list::{device_name, model_name},
    format,
    i18n::Words,
};
use crate::{
    auth::{Action, Object, SignedIn},
    domain::{
        authority::Role,
        loan::{LendingState, LoanStateName},
        paris,
    },
    store::loan_list::LoanSummary,
};

/// What of a loan its reader may see, and on which day it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) borrowers: bool,
    pub(super) role: Role,
    pub(super) today: Date,
}

impl Sight {
    /// The sight of the person signed in.
    pub(super) fn of(signed_in: &SignedIn) -> Self {
        Self {
            borrowers: signed_in.person.can(Action::SeeBorrowers, Object::OwnScope).is_allowed(),
            role: signed_in.person.role,
            today: paris::date(signed_in.now),
        }
    }
}

impl From<LoanStateName> for Tone {
    fn from(state: LoanStateName) -> Self {
        match state {
            LoanStateName::Reserved => Self::Info,
            LoanStateName::HandedOver => Self::Good,
            LoanStateName::Lost => Self::Warning,
            LoanStateName::Stolen => Self::Critical,
            LoanStateName::Cancelled | LoanStateName::Returned | LoanStateName::WrittenOff | LoanStateName::Ceded => {
                Self::Plain
            }
        }
    }
}

impl From<LendingState> for Tone {
    fn from(state: LendingState) -> Self {
        match state {
            LendingState::InStock | LendingState::Lent => Self::Good,
            LendingState::Reserved | LendingState::Intake | LendingState::Refurbishment => Self::Info,
            LendingState::Lost => Self::Warning,
            LendingState::Stolen => Self::Critical,
            LendingState::SetAside | LendingState::WrittenOff | LendingState::Ceded => Self::Plain,
        }
    }
}

/// Where a device is in its lending.
pub(super) fn lending_badge(state: LendingState, words: Words) -> Badge {
    Badge::new(state, words.word("lending", state.as_str()))
}

/// A loan in a list.
#[derive(Clone, Debug)]
pub(super) struct LoanLine {
    pub(super) href: String,
    pub(super) state: Badge,
    pub(super) device: String,
    pub(super) device_href: String,
    pub(super) asset_tag: Option<String>,
    pub(super) model: String,
    /// Its reference or the institution's name; none for readers who must not see borrowers.
    pub(super) borrower: Option<String>,
    pub(super) borrower_kind: String,
    pub(super) programme: Option<String>,
    pub(super) programme_name: Option<String>,
    pub(super) site: Option<(String, String)>,
    pub(super) since: String,
    pub(super) due: Option<String>,
    pub(super) overdue: Option<Badge>,
    pub(super) ended: Option<String>,
}

impl LoanLine {
    /// The line of `loan` for this reader.
    pub(super) fn new(loan: &LoanSummary, sight: Sight, words: Words) -> Self {
        let shows_programme = loan.shows_programme_to(sight.role);
        let open = loan.state == LoanStateName::HandedOver;
        let late = loan.due.filter(|due| open && *due < sight.today);
        let days = late.and_then(|due| due.until(sight.today).ok()).map(|span| i64::from(span.get_days()));
        Self {
            href: format!("/loans/{}", loan.id),
            state: Badge::new(loan.state, words.word("loan", loan.state.as_str())),
            device: device_name(loan.serial_number.as_deref(), loan.asset_tag.as_deref(), loan.device),
            device_href: format!("/devices/{}", loan.device),
            asset_tag: loan.asset_tag.clone().filter(|_| loan.serial_number.is_some()),
            model: model_name(loan.manufacturer.as_deref(), loan.model.as_deref(), words),
            borrower: sight
                .borrowers
                .then(|| loan.institution_name.clone().unwrap_or_else(|| loan.reference.to_string())),
            borrower_kind: words.word("borrower", loan.borrower_kind.as_str()),
            programme: shows_programme.then(|| loan.programme_code.clone()),
            programme_name: shows_programme.then(|| loan.programme_name.clone()),
            site: loan.site_name.clone().zip(loan.site_uai.clone()),
            since: format::date(loan.handed_over_at.unwrap_or(loan.reserved_at), words),
            due: loan.due.map(|due| format::civil_date(due, words)),
            overdue: days.map(|days| Badge::new(Tone::Warning, words.count("loan-days-late", days))),
            ended: loan.ended_at.map(|at| format::date(at, words)),
        }
    }
}
