//! The gate of the erasure stage: what lets an order pass, and what is missing.
//!
//! Not to know which drives a unit has is no proof that there is nothing to erase.

use cartable_common::UtcMillis;

use crate::domain::verdict::text_enum;

/// What is missing before a unit's drives are proved erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Each drive without a proof, by model and serial number as the machine reported it. Empty where no drive was ever
    /// reported: then nobody knows which there are.
    pub drives: Vec<String>,
}

/// What stands at the gate of the erasure stage for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErasureState {
    /// Each of its drives is proved erased, or accounted for.
    Proved,
    /// Somebody with the right has put down why there is nothing to erase here. No erasure is claimed by it.
    Waived,
    /// Neither: the order cannot pass.
    Missing(Missing),
}

text_enum! {
    /// What let an order pass the erasure stage.
    pub enum ErasureBasis {
        /// A waiver with its reason.
        Waived = "waived",
        /// The proof that each of its drives was erased.
        Proved = "proved",
    }
}

impl ErasureState {
    /// What lets an order pass; none keeps it.
    #[must_use]
    pub const fn basis(&self) -> Option<ErasureBasis> {
        match self {
            Self::Proved => Some(ErasureBasis::Proved),
            Self::Waived => Some(ErasureBasis::Waived),
            Self::Missing(_) => None,
        }
    }
}

/// Why an order may pass the erasure stage without an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// When it was put down.
    pub at: UtcMillis,
    /// The login of the one who did.
    pub by: String,
    /// Why: the unit has no drive, its drive was taken out and destroyed…
    pub reason: String,
}

/// Longest reason of a waiver, in characters.
pub const MAX_WAIVER_CHARS: usize = 300;
