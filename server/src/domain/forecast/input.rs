//! What a forecast is told: the units, what was seen before, what lies on the shelf, and what is asked.

use jiff::civil::Date;

use crate::domain::{
    disposition::Disposition as Advised,
    part::PartKind,
    school_calendar::{Closure, Zone},
    verdict::{Verdict, text_enum},
    work_order::{Disposition, Stage},
};

text_enum! {
    /// What units are to be ready for.
    pub enum ReadyFor {
        /// To be given: set aside for donation.
        Donate = "donate",
        /// To be lent: in stock.
        Lend = "lend",
    }
}

/// Days ahead at most: what lies beyond a year is not forecast but guessed.
pub const MOST_DAYS: i32 = 366;
/// Most units asked for.
pub const MOST_TARGET: u32 = 100_000;
/// Runs where nothing else is said.
pub const RUNS: u32 = 1_000;
/// Most runs.
pub const MOST_RUNS: u32 = 10_000;
/// The seed where none is said: any will do, and the same one gives the same answer.
pub const SEED: u64 = 1;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Ready for what.
    pub ready: ReadyFor,
    /// How many.
    pub target: u32,
    /// Until when, that day included.
    pub by: Date,
    /// What the dice are thrown with.
    pub seed: u64,
    /// How many futures are played.
    pub runs: u32,
}

/// Why it cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuestion {
    /// The day.
    #[error("the day must come after today, and within {MOST_DAYS} days")]
    By,
    /// The number of units.
    #[error("the target is a whole number from 1 to {MOST_TARGET}")]
    Target,
    /// The number of runs.
    #[error("there are 1 to {MOST_RUNS} runs")]
    Runs,
}

impl Question {
    /// The question, if it makes sense on `today`.
    pub fn checked(self, today: Date) -> Result<Self, InvalidQuestion> {
        if !(1..=MOST_DAYS).contains(&days_between(today, self.by)) {
            return Err(InvalidQuestion::By);
        }
        if !(1..=MOST_TARGET).contains(&self.target) {
            return Err(InvalidQuestion::Target);
        }
        if !(1..=MOST_RUNS).contains(&self.runs) {
            return Err(InvalidQuestion::Runs);
        }
        Ok(self)
    }
}

/// Whole days from one day to another, negative if it lies before.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map(|span| span.get_days()).unwrap_or_default()
}

/// A set of kinds of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// Adds one.
    pub fn add(&mut self, kind: PartKind) {
        self.0 |= 1 << place(kind);
    }

    /// Takes one out.
    pub fn remove(&mut self, kind: PartKind) {
        self.0 &= !(1 << place(kind));
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn holds(self, kind: PartKind) -> bool {
        self.0 & (1 << place(kind)) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = PartKind> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let kind = PartKind::ALL.get(usize::try_from(left.trailing_zeros()).ok()?)?;
            left &= left - 1;
            Some(*kind)
        })
    }
}

impl FromIterator<PartKind> for Kinds {
    fn from_iter<T: IntoIterator<Item = PartKind>>(kinds: T) -> Self {
        let mut all = Self::default();
        kinds.into_iter().for_each(|kind| all.add(kind));
        all
    }
}

/// How many kinds of parts there are.
pub(super) const KINDS: usize = PartKind::ALL.len();

/// The place of a kind in tables.
pub(super) const fn place(kind: PartKind) -> usize {
    // `ALL` is in the order of the declaration.
    kind as usize
}

/// Where a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With a borrower.
    Lent {
        /// The due day.
        due: Option<Date>,
        /// The appointment of a running campaign.
        appointed: Option<Date>,
        /// Whether the loan was extended already.
        extended: bool,
        /// The zone of its school holidays.
        zone: Option<Zone>,
    },
    /// Back, or in stock and not to be lent again: nobody has begun.
    Waiting,
    /// On the bench.
    Bench(Stage),
}

/// A unit that may become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its model's place in [`ForecastInput::models`].
    pub model: usize,
    /// Where it is.
    pub place: Place,
    /// What the advice says of it.
    pub advised: Option<Advised>,
    /// What the machine's last report supports.
    pub verdict: Verdict,
    /// Parts that are known to be needed.
    pub needs: Kinds,
    /// Whether it was inspected: then nothing beyond `needs` is expected.
    pub inspected: bool,
    /// Whether it was given up: it will not be ready.
    pub given_up: bool,
}

text_enum! {
    /// How a past loan ended.
    pub enum LoanEnd {
        /// It came back.
        Returned = "returned",
        /// It is lost, stolen, written off.
        Lost = "lost",
        /// It had not ended when it was last looked at.
        Open = "open",
    }
}

/// For how long a past loan could have come back, in days from the day on which it was to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastLoan {
    /// Whether that day was the appointment of a campaign, or else the due day.
    pub appointed: bool,
    /// From when it was out: negative before that day.
    pub from: i32,
    /// Until when.
    pub until: i32,
    /// How it then ended.
    pub end: LoanEnd,
}

/// Loans that came to an end, and how many of them had been extended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extended {
    /// All of them.
    pub loans: u32,
    /// Those that had been.
    pub extended: u32,
}

/// An order that was closed, or is open and counts only for what was on the benches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastOrder {
    /// The place of its model.
    pub model: usize,
    /// What the machine claimed at the inspection.
    pub verdict: Verdict,
    /// What its unit became; none while it is open.
    pub became: Option<Disposition>,
    /// The kinds of parts that were used on it.
    pub used: Kinds,
    /// When it was taken in.
    pub opened: Date,
    /// When somebody began with it.
    pub begun: Option<Date>,
    /// When it was closed.
    pub closed: Option<Date>,
}

/// Time at a stage, over all past orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// How many orders left it.
    pub orders: u32,
    /// Hours there, all together.
    pub hours: u32,
}

/// Pieces on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// What they are.
    pub kind: PartKind,
    /// The place of the model that they fit; none fits any.
    pub model: Option<usize>,
    /// How many.
    pub count: u32,
    /// The last price of a piece, in cents.
    pub unit_cents: u32,
}

/// What is known on the day of a forecast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastInput {
    /// That day.
    pub today: Date,
    /// The names of models. Those that are few may share one.
    pub models: Vec<String>,
    /// What may become ready.
    pub units: Vec<Unit>,
    /// Units that are ready to be given.
    pub ready_to_donate: u32,
    /// Units that are ready to be lent.
    pub ready_to_lend: u32,
    /// Loans of the past, and those that are open.
    pub loans: Vec<PastLoan>,
    /// How often loans are extended.
    pub extended: Extended,
    /// Orders of the past, and those that are open.
    pub orders: Vec<PastOrder>,
    /// How long stages took.
    pub stages: Vec<StageTime>,
    /// The shelf; also what is used up, for its price.
    pub shelf: Vec<Shelf>,
    /// Days without school beyond those that the program knows.
    pub closures: Vec<Closure>,
    /// Whether there were more units than are looked at.
    pub more: bool,
}

impl ForecastInput {
    /// Nothing at all, on that day.
    #[must_use]
    pub const fn empty(today: Date) -> Self {
        Self {
            today,
            models: Vec::new(),
            units: Vec::new(),
            ready_to_donate: 0,
            ready_to_lend: 0,
            loans: Vec::new(),
            extended: Extended { loans: 0, extended: 0 },
            orders: Vec::new(),
            stages: Vec::new(),
            shelf: Vec::new(),
            closures: Vec::new(),
            more: false,
        }
    }

    /// Units that are ready now.
    #[must_use]
    pub const fn ready_now(&self, ready: ReadyFor) -> u32 {
        match ready {
            ReadyFor::Donate => self.ready_to_donate,
            ReadyFor::Lend => self.ready_to_lend,
        }
    }
}
