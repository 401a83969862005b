//! Where an order is, and what its unit becomes.

use crate::domain::{loan::LendingState, verdict::text_enum};

text_enum! {
    /// Where an open order is.
    pub enum Stage {
        /// It arrived; nobody has looked at it.
        Intake = "intake",
        /// It is gone through by the checklist.
        Inspection = "inspection",
        /// Its drives are erased.
        Erasure = "erasure",
        /// What does not work is repaired.
        Repair = "repair",
        /// Its system is installed anew.
        Reinstallation = "reinstallation",
        /// It is gone through once more.
        FinalTest = "final_test",
        /// It gets its grade.
        Grading = "grading",
        /// It is decided what becomes of it.
        Disposition = "disposition",
        /// A swollen battery: apart, in a fire-proof place.
        Quarantine = "quarantine",
    }
}

text_enum! {
    /// What a unit becomes.
    pub enum Disposition {
        /// It is lent again.
        Relend = "relend",
        /// It is ready for donation. Nothing here gives it to anybody.
        Donate = "donate",
        /// Its parts serve others.
        Parts = "parts",
        /// It is recycled.
        Recycle = "recycle",
    }
}

impl Disposition {
    /// Whether the unit, or its drives, may leave the house.
    #[must_use]
    pub const fn leaves(self) -> bool {
        match self {
            Self::Relend => false,
            Self::Donate | Self::Parts | Self::Recycle => true,
        }
    }
}

/// What a closed order's stage is called where stages are stored.
pub const CLOSED: &str = "closed";

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// On its way.
    Open(Stage),
    /// At its end.
    Closed(Disposition),
}

impl Position {
    /// The stage of an open order.
    #[must_use]
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Open(stage) => Some(stage),
            Self::Closed(_) => None,
        }
    }

    /// What a closed order's unit became.
    #[must_use]
    pub const fn disposition(self) -> Option<Disposition> {
        match self {
            Self::Open(_) => None,
            Self::Closed(disposition) => Some(disposition),
        }
    }

    /// The stage's name, or [`CLOSED`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open(stage) => stage.as_str(),
            Self::Closed(_) => CLOSED,
        }
    }

    /// Where the device then is.
    #[must_use]
    pub const fn lending_state(self) -> LendingState {
        match self {
            Self::Open(_) => LendingState::Refurbishment,
            Self::Closed(Disposition::Relend) => LendingState::InStock,
            Self::Closed(Disposition::Donate | Disposition::Parts | Disposition::Recycle) => LendingState::SetAside,
        }
    }
}
