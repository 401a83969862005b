//! What can be missing before a unit may change owner: what each is called, and the condition that it leaves unmet.

use super::Gap;
use crate::domain::{
    donation::{Cents, RecipientClass, basis::LegalBasis},
    loan::LendingState,
    work_order::Disposition,
};

/// Which of DESIGN 6.6's conditions a finding belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Verified erasure evidence for every drive.
    Erasure,
    /// A legal basis.
    LegalBasis,
    /// A recipient of a class that the basis lists, with its commitment.
    Recipient,
    /// A unit value within its ceiling.
    Value,
    /// The device is the giver's to give: neither lent, nor lost, nor gone already.
    Place,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// A drive without sufficient evidence.
    #[error("drive {}: {}", .0.drive, .0.why)]
    Erasure(Gap),
    /// No drive of the device is known, so nothing proves that none holds data.
    #[error("no drive of this device is known: record its erasure, or that it has none")]
    NoDriveKnown,
    /// No text was chosen.
    #[error("the lot has no legal basis")]
    NoBasis,
    /// The text allows nothing on this day.
    #[error("the legal basis {0} is not in force on this day")]
    BasisNotInForce(LegalBasis),
    /// A deliberation is needed.
    #[error("this legal basis needs the number and the day of the deliberation")]
    NoDeliberation,
    /// The deliberation has not been taken yet.
    #[error("the deliberation's day has not come yet")]
    DeliberationInTheFuture,
    /// Nobody was chosen.
    #[error("the lot has no recipient")]
    NoRecipient,
    /// Nothing goes to it any more.
    #[error("the recipient is no longer one")]
    RecipientEnded,
    /// The text does not list it.
    #[error("the legal basis {1} does not list recipients of the class {0}")]
    ClassNotListed(RecipientClass, LegalBasis),
    /// It committed itself to nothing.
    #[error("the recipient's commitment to reuse is not recorded")]
    NoCommitment,
    /// Nothing proves its commitment.
    #[error("the proof of the recipient's commitment is not recorded")]
    NoProof,
    /// Nobody said what it is worth.
    #[error("the unit has no value")]
    NoValue,
    /// The text names no ceiling for this kind of device.
    #[error("the legal basis {0} allows no device of this kind")]
    NoCeiling(LegalBasis),
    /// Worth too much.
    #[error("the unit's value of {value} € is above the ceiling of {ceiling} €")]
    OverCeiling {
        /// Its value.
        value: Cents,
        /// What the text allows.
        ceiling: Cents,
    },
    /// The text asks for a battery that works.
    #[error("this legal basis asks for a working battery, and nothing shows that this one works")]
    NoWorkingBattery,
    /// It is elsewhere.
    #[error("the device is {0}")]
    Elsewhere(LendingState),
    /// Refurbishment made something else of it.
    #[error("refurbishment set the device aside for another end than donation: reopen its work order first")]
    SetAsideFor(Disposition),
    /// It was put away.
    #[error("the device is archived")]
    Archived,
}

impl Unmet {
    /// Every code, for catalogues of words.
    pub const CODES: [&'static str; 18] = [
        "erasure",
        "no_drive_known",
        "no_basis",
        "basis_not_in_force",
        "no_deliberation",
        "deliberation_in_the_future",
        "no_recipient",
        "recipient_ended",
        "class_not_listed",
        "no_commitment",
        "no_proof",
        "no_value",
        "no_ceiling",
        "over_ceiling",
        "no_working_battery",
        "elsewhere",
        "set_aside_for",
        "archived",
    ];

    /// What it is called in catalogues of words and in the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Erasure(_) => "erasure",
            Self::NoDriveKnown => "no_drive_known",
            Self::NoBasis => "no_basis",
            Self::BasisNotInForce(_) => "basis_not_in_force",
            Self::NoDeliberation => "no_deliberation",
            Self::DeliberationInTheFuture => "deliberation_in_the_future",
            Self::NoRecipient => "no_recipient",
            Self::RecipientEnded => "recipient_ended",
            Self::ClassNotListed(..) => "class_not_listed",
            Self::NoCommitment => "no_commitment",
            Self::NoProof => "no_proof",
            Self::NoValue => "no_value",
            Self::NoCeiling(_) => "no_ceiling",
            Self::OverCeiling { .. } => "over_ceiling",
            Self::NoWorkingBattery => "no_working_battery",
            Self::Elsewhere(_) => "elsewhere",
            Self::SetAsideFor(_) => "set_aside_for",
            Self::Archived => "archived",
        }
    }

    /// The condition that it leaves unmet.
    #[must_use]
    pub const fn condition(&self) -> Condition {
        match self {
            Self::Erasure(_) | Self::NoDriveKnown => Condition::Erasure,
            Self::NoBasis | Self::BasisNotInForce(_) | Self::NoDeliberation | Self::DeliberationInTheFuture => {
                Condition::LegalBasis
            }
            Self::NoRecipient
            | Self::RecipientEnded
            | Self::ClassNotListed(..)
            | Self::NoCommitment
            | Self::NoProof => Condition::Recipient,
            Self::NoValue | Self::NoCeiling(_) | Self::OverCeiling { .. } | Self::NoWorkingBattery => Condition::Value,
            Self::Elsewhere(_) | Self::SetAsideFor(_) | Self::Archived => Condition::Place,
        }
    }
}
