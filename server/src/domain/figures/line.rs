//! One unit behind a number: which, the day and the event that put it there, and why it is left out where it is.

use jiff::civil::Date;

use super::{
    age::{AgeClass, Born},
    fact::{Unit, Way},
};
use crate::domain::{donation::basis::LegalBasis, verdict::text_enum, work_order::Disposition};

text_enum! {
    /// The lists behind the numbers.
    pub enum ListName {
        /// A: steered to reuse in the year.
        Reused = "reused",
        /// Left in the year, and not in A.
        NotReused = "not-reused",
        /// B: reformed and in stock on 1 January.
        Stock = "stock",
        /// Reformed and in stock on 1 January, and not in B.
        NotInStock = "not-in-stock",
        /// Reformed in the year.
        Reformed = "reformed",
        /// Given in the year, refurbished, of a kind with a factor.
        Given = "given",
        /// Lent again in the year for the first time after the workshop.
        LentAgain = "lent-again",
        /// Given or lent again, with nothing counted as avoided.
        NoImpact = "no-impact",
        /// Orders that were closed in the year.
        Orders = "orders",
        /// Orders that were closed in the year and open again at its end.
        Reopened = "reopened",
    }
}

text_enum! {
    /// Why a unit is not counted.
    pub enum Reason {
        /// It belongs to a partner.
        NotOurs = "not_ours",
        /// It was more than ten years old when it was reformed.
        TooOld = "too_old",
        /// Nothing says that it was at most ten years old.
        AgeUnknown = "age_unknown",
        /// Its owner changed without a recorded legal basis.
        NoLegalBasis = "no_legal_basis",
        /// It was put away after it was set aside for recycling or for its parts.
        Recycled = "recycled",
        /// It was put away after it was set aside for donation, and given to nobody.
        NotGiven = "not_given",
        /// It was put away, and nothing says what became of it.
        PutAway = "put_away",
        /// Its loan was written off.
        WrittenOff = "written_off",
        /// It left once already.
        CountedBefore = "counted_before",
        /// Given without an order that was closed for donation: nobody at the workshop said that it is fit to be given.
        NotRefurbished = "not_refurbished",
        /// The policy has no factor for its kind.
        NoFactor = "no_factor",
        /// Its order is open again.
        Open = "open",
    }
}

/// How a unit was reformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// Its work order was closed so.
    Workshop(Disposition),
    /// The lot of this name, of which it is one, was approved.
    Lot(String),
}

/// What happened to a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A recipient took it.
    Delivered {
        /// The lot's name.
        lot: String,
        /// To whom.
        recipient: String,
        /// Under which text.
        basis: LegalBasis,
    },
    /// It left otherwise.
    Left(Way),
    /// It was reformed.
    Reformed(How),
    /// It was lent again.
    LentAgain,
    /// Its order was closed.
    Closed(Disposition),
}

/// What an order took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Minutes on the bench.
    pub minutes: u64,
    /// Visits to a bench that were longer than is counted.
    pub capped: u64,
    /// Parts, in cents.
    pub parts_cents: u64,
    /// The minutes, in cents.
    pub bench_cents: u64,
}

impl Work {
    /// All of it, in cents.
    #[must_use]
    pub const fn cents(self) -> u64 {
        self.parts_cents.saturating_add(self.bench_cents)
    }
}

/// One unit behind a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub unit: Unit,
    /// The day that put it there.
    pub day: Date,
    /// What happened then.
    pub event: Event,
    /// Between which days it was bought.
    pub born: Born,
    /// When it was reformed, if it was.
    pub reformed: Option<Date>,
    /// Whether it was more than ten years old when it was reformed, or on the day where it was not.
    pub age: AgeClass,
    /// Why it is left out, where it is.
    pub reason: Option<Reason>,
    /// Of an order: what it took.
    pub work: Option<Work>,
}

impl Line {
    /// The order of every list.
    pub(super) fn sort(lines: &mut [Self]) {
        lines.sort_by(|a, b| {
            let key = |line: &Self| (line.day, line.unit.serial.clone(), line.unit.id);
            key(a).cmp(&key(b))
        });
    }
}
