//! What is known of a lot and of each of its units when its conditions are asked for.

use cartable_common::report::Chassis;

use crate::domain::{
    donation::{Deliberation, Recipient, Valuation, basis::LegalBasis},
    loan::LendingState,
    verdict::Verdict,
    work_order::Disposition,
};

/// What proves that the drives of a device were erased, and for which of them nothing does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Each drive with verified evidence of the level that a donation asks for (Purge for flash), or whose absence was
    /// declared with a reason: its name, and the record that says so.
    pub proofs: Vec<Proof>,
    /// Each drive that any report ever showed and that has neither: its name, and what is missing.
    pub gaps: Vec<Gap>,
}

/// A drive, and the record that proves its erasure.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proof {
    /// What the drive is known by.
    pub drive: String,
    /// The erasure's record.
    pub record: String,
}

/// A drive, and why nothing proves its erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What the drive is known by.
    pub drive: String,
    /// What is missing: a code of the erasure gate.
    pub why: String,
}

/// One unit of a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFacts {
    /// Laptop, tablet…
    pub kind: Option<Chassis>,
    /// Where it is in its lending.
    pub place: LendingState,
    /// What its newest work order made of it, once that was closed.
    pub became: Option<Disposition>,
    /// Whether it was put away.
    pub archived: bool,
    /// The verdict on its battery.
    pub battery: Verdict,
    /// Its drives.
    pub erasure: Erasure,
    /// Its value.
    pub valuation: Option<Valuation>,
}

/// What all units of a lot share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LotFacts {
    /// To whom.
    pub recipient: Option<Recipient>,
    /// Under which text.
    pub basis: Option<LegalBasis>,
    /// What was decided.
    pub deliberation: Option<Deliberation>,
}
