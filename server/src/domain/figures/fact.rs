//! The dated facts that figures are counted from, as the store reads them. Their order never matters.

use cartable_common::{DeviceId, UtcMillis, report::Chassis};
use jiff::civil::Date;
use uuid::Uuid;

use super::age::Birth;
use crate::domain::{
    donation::basis::LegalBasis,
    work_order::{Disposition, Stage},
};

/// A device, as lists of figures name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Which.
    pub id: DeviceId,
    /// Its label.
    pub asset_tag: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Maker and model.
    pub model: Option<String>,
    /// Laptop, tablet…
    pub kind: Option<Chassis>,
    /// Who owns it, as its programme says; none without a programme.
    pub owner: Option<String>,
    /// What tells when it was made.
    pub birth: Birth,
}

/// What a step of a work order means to figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// It was decided what becomes of the unit.
    Closed(Disposition),
    /// It is gone through once more.
    Reopened,
    /// Anything else.
    Other,
}

/// A step of a work order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place among the order's steps.
    pub number: i64,
    /// When.
    pub at: UtcMillis,
    /// What it means.
    pub kind: StepKind,
    /// Where the order then was; none once closed.
    pub stage: Option<Stage>,
}

/// Pieces of a part that an order used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartUsed {
    /// When.
    pub at: UtcMillis,
    /// How many.
    pub count: u32,
    /// The price of one then, in cents.
    pub unit_cents: u32,
}

/// A work order. Of one that was not closed in the year, the closings and reopenings are enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which.
    pub id: Uuid,
    /// Its unit.
    pub device: DeviceId,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The parts it used.
    pub parts: Vec<PartUsed>,
}

/// A unit of a lot of donation that was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotUnit {
    /// The unit.
    pub device: DeviceId,
    /// The lot's name.
    pub lot: String,
    /// Under which text.
    pub basis: LegalBasis,
    /// To whom.
    pub recipient: String,
    /// The day of the approval.
    pub approved: Date,
    /// The day on which the lot was given up.
    pub dropped: Option<Date>,
    /// The day on which the recipient took it.
    pub delivered: Option<Date>,
}

/// How a unit left the fleet otherwise than in a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By its loan, as earlier versions allowed: without a legal basis, a value, an erasure.
    CededByLoan,
    /// Its loan was written off.
    WrittenOff,
    /// It was put away.
    Archived,
}

/// A unit that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The unit.
    pub device: DeviceId,
    /// When.
    pub day: Date,
    /// How.
    pub way: Way,
}

/// A loan that began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent {
    /// The unit.
    pub device: DeviceId,
    /// When it was handed over.
    pub at: UtcMillis,
}

/// Everything that the figures of a year are counted from: nothing in it happened after that year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Every unit that the others name. What is not here is counted nowhere.
    pub units: Vec<Unit>,
    /// Orders that were ever closed.
    pub orders: Vec<Order>,
    /// Units of lots that were ever approved.
    pub lots: Vec<LotUnit>,
    /// Units that left otherwise. One that was given in a lot is archived by that, and does not stand here for it.
    pub left: Vec<Left>,
    /// Loans of units that went through the workshop.
    pub loans: Vec<Lent>,
}
