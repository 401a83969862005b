//! What becomes of each device in the simulated year, and which flags it must then have: written out by hand, without
//! asking the rules.

use cartable_server::domain::{flag::FlagCode, loan::LendingState};
use jiff::{
    ToSpan as _,
    civil::{Date, date},
};

/// What happens to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// Lent to a pupil in September, back in June.
    Pupil,
    /// The same, but the pupil keeps it another year.
    Extended,
    /// Not given back in June though it is in use; brought in September.
    Late,
    /// Falls silent in spring and never comes back.
    Silent,
    /// Lost in November, and not heard from again.
    Lost,
    /// Declared lost in November, but goes on checking in.
    LostHeard,
    /// Stolen in November, and not heard from again.
    Stolen,
    /// Declared stolen in November, but goes on checking in.
    StolenHeard,
    /// Broken in November and brought back.
    Broken,
    /// Its pupil leaves the collège in March, and brings it in June.
    Left,
    /// Marked as returned in June, but another unit was scanned: it stays in use.
    WrongUnit,
    /// Its battery wears out in June, before it comes back.
    Worn,
    /// Its warranty ends in May.
    Warranty,
    /// A tablet: no agent.
    Tablet,
    /// A tablet that is brought only in September.
    TabletLate,
    /// A teacher's, for years.
    Staff,
    /// Taken back in March, to be given away.
    Given,
    /// Said to be back in March, to be given away, but still in use.
    GivenHeard,
    /// In reserve all year.
    Reserve,
    /// In reserve, but somebody uses it.
    ReserveUsed,
}

/// How many of a hundred devices have each fate.
const OF_A_HUNDRED: [(Fate, u32); 20] = [
    (Fate::Pupil, 60),
    (Fate::Extended, 4),
    (Fate::Late, 2),
    (Fate::Silent, 2),
    (Fate::Lost, 1),
    (Fate::LostHeard, 1),
    (Fate::Stolen, 1),
    (Fate::StolenHeard, 1),
    (Fate::Broken, 3),
    (Fate::Left, 2),
    (Fate::WrongUnit, 1),
    (Fate::Worn, 2),
    (Fate::Warranty, 2),
    (Fate::Tablet, 8),
    (Fate::TabletLate, 2),
    (Fate::Staff, 4),
    (Fate::Given, 1),
    (Fate::GivenHeard, 1),
    (Fate::Reserve, 1),
    (Fate::ReserveUsed, 1),
];

/// The day on which the year's pupils' loans are due: the last school day.
pub const DUE: Date = date(2027, 7, 2);
/// Losses and thefts.
pub const LOSSES: Date = date(2026, 11, 16);
/// Broken ones come back.
pub const BREAKAGE: Date = date(2026, 11, 25);
/// The day on which some pupils leave.
pub const LEFT: Date = date(2027, 3, 15);
/// Devices of the recycled programme come back, to be given away.
pub const CESSION: Date = date(2027, 3, 1);
/// The last day of some warranties.
pub const WARRANTY: Date = date(2027, 5, 15);
/// Extensions, and until when.
pub const EXTENSION: Date = date(2027, 5, 20);
/// The return campaign.
pub const CAMPAIGN: Date = date(2027, 6, 22);
/// The late ones come back, and the workshop's go into stock.
pub const SEPTEMBER: Date = date(2027, 9, 2);

/// A reminder of the programme's schedule: its place relative to the due date, whose families get it, and about whose
/// devices the collège's referent gets it too.
type Reminder = (i32, fn(Fate) -> bool, fn(Fate) -> bool);

/// The reminders of the year. What falls into the summer waits for September, when only the latest is still written: the
/// one of seven days after is none.
pub const REMINDERS: [Reminder; 6] = [
    (-21, |fate| fate.returns_in_june() || fate.is_kept_over_summer(), |_| false),
    (-7, Fate::is_kept_over_summer, |_| false),
    (-1, Fate::is_kept_over_summer, |_| false),
    (0, Fate::is_kept_over_summer, |_| false),
    (7, |_| false, |_| false),
    (21, Fate::is_kept_over_summer, Fate::is_kept_over_summer),
];

impl Fate {
    /// The fate of the `number`th device.
    pub fn of(number: usize) -> Self {
        let mut place = u32::try_from(number % 100).unwrap_or_default();
        for (fate, share) in OF_A_HUNDRED {
            if place < share {
                return fate;
            }
            place -= share;
        }
        Self::Pupil
    }

    /// Whether an agent is on it.
    pub fn has_agent(self) -> bool {
        !matches!(self, Self::Tablet | Self::TabletLate)
    }

    /// Whether anybody borrows it in September.
    pub fn is_lent(self) -> bool {
        !matches!(self, Self::Reserve | Self::ReserveUsed)
    }

    /// Whether it comes back in the campaign.
    pub fn returns_in_june(self) -> bool {
        matches!(self, Self::Pupil | Self::Left | Self::WrongUnit | Self::Worn | Self::Warranty | Self::Tablet)
    }

    /// Whether it comes back in September.
    pub fn returns_late(self) -> bool {
        matches!(self, Self::Late | Self::TabletLate)
    }

    /// Whether it is out, and should not be, while the summer lasts.
    pub fn is_kept_over_summer(self) -> bool {
        self.returns_late() || self == Self::Silent
    }

    /// Whether it checks in on `day`.
    pub fn speaks_on(self, day: Date) -> bool {
        match self {
            Self::Tablet | Self::TabletLate | Self::Reserve => false,
            Self::Silent => day <= date(2027, 3, 25),
            Self::Lost | Self::Stolen => day < LOSSES,
            Self::Broken => day < BREAKAGE,
            Self::Given => day < CESSION,
            Self::Pupil | Self::Left | Self::Worn | Self::Warranty => day < CAMPAIGN,
            Self::Extended
            | Self::Late
            | Self::LostHeard
            | Self::StolenHeard
            | Self::WrongUnit
            | Self::Staff
            | Self::GivenHeard
            | Self::ReserveUsed => true,
        }
    }

    /// Whether it came back a month before `day` or longer ago, and lies there since with the drive that it reported.
    fn lies_unerased_on(self, day: Date) -> bool {
        let back = match self {
            Self::Broken => BREAKAGE,
            Self::Given | Self::GivenHeard => CESSION,
            Self::Tablet => return false,
            // In September it is put in stock.
            other if other.returns_in_june() && day < SEPTEMBER => CAMPAIGN,
            _ => return false,
        };
        day >= back + 30.days()
    }

    /// The flags that it must have on `day`, one of the year's checkpoints.
    pub fn flags_on(self, day: Date) -> Vec<FlagCode> {
        let june = day > date(2027, 6, 10) && day < CAMPAIGN;
        let summer = day > DUE && day < SEPTEMBER;
        // Contacts of the last week prove use; over holidays nobody is in contact.
        let in_use = !matches!((day.month(), day.day()), (11, 2) | (1, 3) | (8, 31)) && day < SEPTEMBER;
        let mut flags = vec![];
        let mut flag = |code, stands| {
            if stands {
                flags.push(code);
            }
        };
        let due_in_june = self.returns_in_june() || self.returns_late() || self == Self::Silent;
        flag(FlagCode::LoanDueSoon, june && due_in_june);
        flag(FlagCode::ErasureMissing, self.lies_unerased_on(day));
        match self {
            Self::Late => flag(FlagCode::OverdueAlive, summer),
            Self::TabletLate => flag(FlagCode::LoanOverdue, summer),
            Self::Silent => {
                flag(FlagCode::Silent, june || summer);
                flag(FlagCode::OverdueSilent, summer);
            }
            Self::LostHeard | Self::StolenHeard => flag(FlagCode::MissingCheckedIn, day > date(2026, 12, 10)),
            Self::Left => flag(FlagCode::BorrowerLeft, day >= LEFT && day < CAMPAIGN),
            Self::WrongUnit => flag(FlagCode::ReturnedInUse, summer && in_use),
            Self::Worn => {
                flag(FlagCode::BatteryWorn, day > date(2027, 6, 10));
                flag(FlagCode::NotToRelend, june);
            }
            // Silent since March, as was found when its loan was extended in May; heard again in June.
            Self::Extended => flag(FlagCode::BackAgain, june),
            Self::Warranty => flag(FlagCode::WarrantyEnding, day == date(2027, 3, 26)),
            Self::GivenHeard => flag(FlagCode::ReturnedInUse, day > CESSION && in_use),
            Self::ReserveUsed => flag(FlagCode::StockInUse, in_use),
            Self::Pupil
            | Self::Lost
            | Self::Stolen
            | Self::Broken
            | Self::Tablet
            | Self::Staff
            | Self::Given
            | Self::Reserve => {}
        }
        flags
    }

    /// Where the device must be when the year is over.
    pub fn ends_in(self) -> LendingState {
        match self {
            Self::Extended | Self::Staff => LendingState::Lent,
            Self::Silent | Self::Lost | Self::LostHeard => LendingState::Lost,
            Self::Stolen | Self::StolenHeard => LendingState::Stolen,
            Self::Broken | Self::Given | Self::GivenHeard => LendingState::Intake,
            Self::Pupil
            | Self::Late
            | Self::Left
            | Self::WrongUnit
            | Self::Worn
            | Self::Warranty
            | Self::Tablet
            | Self::TabletLate
            | Self::Reserve
            | Self::ReserveUsed => LendingState::InStock,
        }
    }
}
