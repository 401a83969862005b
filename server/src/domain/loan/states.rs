//! Where a loan and its device stand, and what is known of a loan in each state.

use cartable_common::UtcMillis;
use jiff::civil::Date;

use crate::domain::verdict::text_enum;

text_enum! {
    /// Where a device is in its lending: follows from its loan, and from what is done to it in stock.
    pub enum LendingState {
        /// Ready to be lent.
        InStock = "in_stock",
        /// Set aside for a borrower.
        Reserved = "reserved",
        /// In a borrower's hands.
        Lent = "lent",
        /// Came back; to be looked at before it is lent again.
        Intake = "intake",
        /// On the bench: a work order is open.
        Refurbishment = "refurbishment",
        /// Out of the lending: ready for donation, for parts or for recycling, and still here.
        SetAside = "set_aside",
        /// The borrower lost it.
        Lost = "lost",
        /// It was stolen.
        Stolen = "stolen",
        /// Given up: broken beyond repair, never returned.
        WrittenOff = "written_off",
        /// It changed owner: handed over in a lot of donation, and by no other way.
        Ceded = "ceded",
    }
}

text_enum! {
    /// What a loan's state is called.
    pub enum LoanStateName {
        /// Set aside for a borrower.
        Reserved = "reserved",
        /// The reservation was dropped.
        Cancelled = "cancelled",
        /// In the borrower's hands.
        HandedOver = "handed_over",
        /// Taken back.
        Returned = "returned",
        /// Lost.
        Lost = "lost",
        /// Stolen.
        Stolen = "stolen",
        /// Given up.
        WrittenOff = "written_off",
        /// The device changed owner out of the borrower's hands. Only loans of earlier versions ended so: a device is
        /// taken back, erased and given in a lot ([`crate::domain::donation`]).
        Ceded = "ceded",
    }
}

text_enum! {
    /// What the desk saw when a device came back.
    pub enum Condition {
        /// As expected of its age.
        Good = "good",
        /// Marks of use.
        Worn = "worn",
        /// Broken parts.
        Damaged = "damaged",
        /// It does not start.
        NotWorking = "not_working",
    }
}

text_enum! {
    /// How the agreement was signed.
    pub enum Signature {
        /// Drawn on the desk's screen.
        Drawn = "drawn",
        /// On paper, which the site keeps.
        Paper = "paper",
    }
}

/// What is true of a loan from its hand-over on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// When.
    pub at: UtcMillis,
    /// Until when; without a due date for pools and gifts.
    pub due: Option<Date>,
    /// How often it was extended.
    pub extensions: u32,
    /// What went with the device.
    pub accessories: Vec<String>,
    /// How the agreement was signed.
    pub signature: Option<Signature>,
    /// Which version of which template was signed.
    pub agreement_version: Option<String>,
}

/// How a device came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// When.
    pub at: UtcMillis,
    /// What the desk saw.
    pub condition: Condition,
    /// What should have come with it and did not.
    pub missing: Vec<String>,
}

/// A loan's state, with what is known in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoanState {
    /// Set aside for a borrower.
    Reserved,
    /// The reservation was dropped.
    Cancelled {
        /// When.
        at: UtcMillis,
    },
    /// In the borrower's hands.
    HandedOver(HandedOver),
    /// Taken back.
    Returned(HandedOver, Return),
    /// Lost.
    Lost(HandedOver, UtcMillis),
    /// Stolen.
    Stolen(HandedOver, Theft),
    /// Given up.
    WrittenOff(HandedOver, UtcMillis),
    /// The device changed owner.
    Ceded(HandedOver, UtcMillis),
}

/// A theft, with what replacement depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theft {
    /// When it was declared.
    pub at: UtcMillis,
    /// The reference of the complaint to the police.
    pub police_report: String,
}

impl LoanState {
    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> LoanStateName {
        match self {
            Self::Reserved => LoanStateName::Reserved,
            Self::Cancelled { .. } => LoanStateName::Cancelled,
            Self::HandedOver(_) => LoanStateName::HandedOver,
            Self::Returned(..) => LoanStateName::Returned,
            Self::Lost(..) => LoanStateName::Lost,
            Self::Stolen(..) => LoanStateName::Stolen,
            Self::WrittenOff(..) => LoanStateName::WrittenOff,
            Self::Ceded(..) => LoanStateName::Ceded,
        }
    }

    /// What is known since the hand-over, if there was one.
    #[must_use]
    pub const fn handed_over(&self) -> Option<&HandedOver> {
        match self {
            Self::Reserved | Self::Cancelled { .. } => None,
            Self::HandedOver(handed)
            | Self::Returned(handed, _)
            | Self::Lost(handed, _)
            | Self::Stolen(handed, _)
            | Self::WrittenOff(handed, _)
            | Self::Ceded(handed, _) => Some(handed),
        }
    }

    /// When it ended; none while it is open.
    #[must_use]
    pub const fn ended_at(&self) -> Option<UtcMillis> {
        match self {
            Self::Reserved | Self::HandedOver(_) => None,
            Self::Cancelled { at } | Self::Lost(_, at) | Self::WrittenOff(_, at) | Self::Ceded(_, at) => Some(*at),
            Self::Returned(_, back) => Some(back.at),
            Self::Stolen(_, theft) => Some(theft.at),
        }
    }

    /// Where the device is while its newest loan is in this state.
    #[must_use]
    pub const fn lending_state(&self) -> LendingState {
        match self {
            Self::Reserved => LendingState::Reserved,
            Self::Cancelled { .. } => LendingState::InStock,
            Self::HandedOver(_) => LendingState::Lent,
            Self::Returned(..) => LendingState::Intake,
            Self::Lost(..) => LendingState::Lost,
            Self::Stolen(..) => LendingState::Stolen,
            Self::WrittenOff(..) => LendingState::WrittenOff,
            Self::Ceded(..) => LendingState::Ceded,
        }
    }
}
