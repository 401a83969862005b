//! Why an act of lending is not done: in words for the API and the log, as codes for catalogues.

use super::{StoreError, lending::MAX_AGREEMENT_CHARS};
use crate::domain::{
    device::DeviceStatus,
    loan::{LendingState, Refused as Step},
};

/// Why an act of lending is not done. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such device, or it belongs to other sites.
    #[error("there is no such device, or it belongs to a site that is not yours")]
    NoDevice,
    /// The device was put away.
    #[error("the device is archived")]
    Archived,
    /// The device was shut out, or has left the programme.
    #[error("the device is {0}: it cannot be lent")]
    OutOfService(DeviceStatus),
    /// The device is elsewhere.
    #[error("the device is not in stock but {0}")]
    NotInStock(LendingState),
    /// The device is promised to a recipient.
    #[error("the device is in a lot of donation: take it out of the lot first")]
    InLot,
    /// The device is set aside for another borrower, or under another programme.
    #[error("the device is reserved for another borrower or programme")]
    ReservedForOther,
    /// There is no such borrower, or it belongs to other sites.
    #[error("there is no such borrower, or it belongs to a site that is not yours")]
    NoBorrower,
    /// Who it was is forgotten: nobody could be asked for the device.
    #[error("who this borrower is has been erased: record the person anew")]
    ForgottenBorrower,
    /// The person is not at the site any more.
    #[error("the borrower has left the site: record that they are back first")]
    BorrowerLeft,
    /// The programme says no day that is still to come.
    #[error("the programme's term has passed, or no calendar says it: choose a due date")]
    DueNeeded,
    /// There is no such programme.
    #[error("there is no such programme")]
    NoProgramme,
    /// The programme lends no more.
    #[error("the programme is closed: it lends no more")]
    ProgrammeClosed,
    /// Something went with the device that the programme does not know, or is missing that never went.
    #[error("{0:?} is not among the accessories of this loan")]
    UnknownAccessory(String),
    /// The name of the agreement's version is too long or unprintable.
    #[error("the version of the agreement has at most {MAX_AGREEMENT_CHARS} printable characters")]
    BadAgreement,
    /// There is no such loan, or its site is not the clerk's.
    #[error("there is no such loan, or it belongs to a site that is not yours")]
    NoLoan,
    /// The device is with nobody.
    #[error("the device is not lent: it is {0}")]
    NotLent(LendingState),
    /// The return is too old, another's, or something happened since.
    #[error("this return can no longer be undone: something happened since")]
    NotUndoable,
    /// The device is not in intake.
    #[error("only a device in intake is put back into stock; this one is {0}")]
    NotInIntake(LendingState),
    /// What the last borrower left may still be on these drives.
    #[error("not proven erased since it came back: {0}; record the erasure, or declare the drive gone with a reason")]
    NotErased(String),
    /// The loan does not allow the step.
    #[error(transparent)]
    Step(#[from] Step),
}

impl Refused {
    /// Every code, for catalogues of words.
    pub const CODES: [&'static str; 26] = [
        "no-device",
        "archived",
        "out-of-service",
        "not-in-stock",
        "in-lot",
        "reserved-for-other",
        "no-borrower",
        "forgotten-borrower",
        "borrower-left",
        "due-needed",
        "no-programme",
        "programme-closed",
        "unknown-accessory",
        "bad-agreement",
        "no-loan",
        "not-lent",
        "not-undoable",
        "not-in-intake",
        "not-erased",
        "not-from",
        "no-more-renewals",
        "not-later",
        "no-due-date",
        "due-in-the-past",
        "due-too-far",
        "no-police-report",
    ];

    /// What it is called in catalogues of words and in the API's problems.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDevice => "no-device",
            Self::Archived => "archived",
            Self::OutOfService(_) => "out-of-service",
            Self::NotInStock(_) => "not-in-stock",
            Self::InLot => "in-lot",
            Self::ReservedForOther => "reserved-for-other",
            Self::NoBorrower => "no-borrower",
            Self::ForgottenBorrower => "forgotten-borrower",
            Self::BorrowerLeft => "borrower-left",
            Self::DueNeeded => "due-needed",
            Self::NoProgramme => "no-programme",
            Self::ProgrammeClosed => "programme-closed",
            Self::UnknownAccessory(_) => "unknown-accessory",
            Self::BadAgreement => "bad-agreement",
            Self::NoLoan => "no-loan",
            Self::NotLent(_) => "not-lent",
            Self::NotUndoable => "not-undoable",
            Self::NotInIntake(_) => "not-in-intake",
            Self::NotErased(_) => "not-erased",
            Self::Step(Step::NotFrom { .. }) => "not-from",
            Self::Step(Step::NoMoreRenewals { .. }) => "no-more-renewals",
            Self::Step(Step::NotLater) => "not-later",
            Self::Step(Step::NoDueDate) => "no-due-date",
            Self::Step(Step::DueInThePast) => "due-in-the-past",
            Self::Step(Step::DueTooFar) => "due-too-far",
            Self::Step(Step::NoPoliceReport) => "no-police-report",
        }
    }
}

/// Why an act of lending failed.
#[derive(Debug, thiserror::Error)]
pub enum LendingError {
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Step> for LendingError {
    fn from(step: Step) -> Self {
        Self::Refused(Refused::Step(step))
    }
}
