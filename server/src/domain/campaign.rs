//! Return campaigns: which loans one takes back, and when each comes to which desk.
//!
//! Places are given in one order (level, then reference), so that a class comes together and the same loans always get
//! the same places.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    borrower::Level,
    loan::LoanStateName,
    school_calendar::{Closure, Zone, is_school_day},
    verdict::text_enum,
};

text_enum! {
    /// Where a campaign stands.
    pub enum CampaignState {
        /// Nothing was asked of anybody yet.
        Planned = "planned",
        /// Its loans have their places, and returns are counted.
        Running = "running",
        /// Over: what is missing stays listed.
        Closed = "closed",
    }
}

text_enum! {
    /// Where a loan stands in a campaign.
    pub enum ReturnState {
        /// Not back yet.
        Expected = "expected",
        /// Taken back.
        Returned = "returned",
        /// Does not have to come, with a reason.
        Excused = "excused",
        /// Lost, stolen, written off or ceded meanwhile.
        Ended = "ended",
    }
}

impl ReturnState {
    /// Where it stands after its loan came to `loan`; none if that changes nothing.
    #[must_use]
    pub fn after(self, loan: LoanStateName) -> Option<Self> {
        let next = match loan {
            LoanStateName::Returned => Self::Returned,
            LoanStateName::Lost | LoanStateName::Stolen | LoanStateName::WrittenOff | LoanStateName::Ceded => {
                Self::Ended
            }
            // A return was undone: it is expected again. An excuse outlives an extension.
            LoanStateName::HandedOver if self != Self::Excused => Self::Expected,
            LoanStateName::HandedOver | LoanStateName::Reserved | LoanStateName::Cancelled => return None,
        };
        (next != self).then_some(next)
    }
}

/// Which loans a campaign takes back. An empty list stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Only these programmes.
    pub programmes: Vec<Uuid>,
    /// Only these levels.
    pub levels: Vec<Level>,
    /// Only these sites.
    pub sites: Vec<Uuid>,
    /// Only pupils who leave: those of troisième, and those who left their site already.
    pub leaving: bool,
}

/// An open loan, as far as a campaign asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The loan.
    pub loan: Uuid,
    /// Who holds it.
    pub borrower: Uuid,
    /// What stands for the borrower.
    pub reference: String,
    /// Under which programme.
    pub programme: Uuid,
    /// The site that answers for it.
    pub site: Uuid,
    /// The borrower's level.
    pub level: Option<Level>,
    /// Whether the borrower left its site.
    pub left_site: bool,
}

impl Choice {
    /// Whether the campaign takes this loan back.
    #[must_use]
    pub fn takes(&self, held: &Held) -> bool {
        let among = |list: &[Uuid], id: Uuid| list.is_empty() || list.contains(&id);
        among(&self.programmes, held.programme)
            && among(&self.sites, held.site)
            && (self.levels.is_empty() || held.level.is_some_and(|level| self.levels.contains(&level)))
            && (!self.leaving || held.left_site || held.level == Some(Level::Troisieme))
    }
}

/// A site's desks in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desks {
    /// How many desks.
    pub desks: u32,
    /// How many returns each takes in a day.
    pub slots: u32,
}

/// Most desks at a site.
pub const MOST_DESKS: u32 = 20;
/// Most returns that a desk takes in a day.
pub const MOST_SLOTS: u32 = 1_000;
/// Most days of a campaign: one of a whole year asks nobody for anything.
pub const MOST_DAYS: i32 = 366;
/// Longest name of a campaign, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// Why a campaign cannot be planned like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// Its name.
    #[error("a campaign has a name of 1 to {MAX_NAME_CHARS} printable characters")]
    Name,
    /// Its days.
    #[error("a campaign's last day does not come before its first")]
    Window,
    /// Too many of them.
    #[error("a campaign lasts {MOST_DAYS} days at most")]
    TooLong,
    /// Its desks.
    #[error("a site has 1 to {MOST_DESKS} desks, each with 1 to {MOST_SLOTS} returns a day")]
    Desks,
    /// A programme, level or site that does not exist.
    #[error("a programme, level or site that is chosen does not exist")]
    Choice,
}

impl Desks {
    /// So many desks with so many returns a day.
    pub fn new(desks: u32, slots: u32) -> Result<Self, InvalidPlan> {
        let fits = (1..=MOST_DESKS).contains(&desks) && (1..=MOST_SLOTS).contains(&slots);
        fits.then_some(Self { desks, slots }).ok_or(InvalidPlan::Desks)
    }
}

/// What somebody plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What people call it.
    pub name: String,
    /// The first day on which devices come back.
    pub first: Date,
    /// The last one.
    pub last: Date,
    /// At each site that has none of its own.
    pub desks: Desks,
    /// Which loans it takes back.
    pub choice: Choice,
}

impl Plan {
    /// A campaign of that name between those days. Whether what is chosen exists, the store says.
    pub fn new(name: &str, (first, last): (Date, Date), desks: Desks, choice: Choice) -> Result<Self, InvalidPlan> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control) {
            return Err(InvalidPlan::Name);
        }
        if last < first {
            return Err(InvalidPlan::Window);
        }
        if first.until(last).is_ok_and(|span| span.get_days() >= MOST_DAYS) {
            return Err(InvalidPlan::TooLong);
        }
        Ok(Self { name: name.to_owned(), first, last, desks, choice })
    }
}

/// When and where a loan comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The day.
    pub day: Date,
    /// The desk, from 1.
    pub desk: u32,
    /// The place in that desk's day, from 1.
    pub slot: u32,
}

/// The school days of a window: nobody comes on others.
#[must_use]
pub fn days(first: Date, last: Date, zone: Zone, closures: &[Closure]) -> Vec<Date> {
    let open = |day: &Date| is_school_day(*day, Some(zone), closures);
    first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).filter(open).collect()
}

/// Gives each loan of one site its place; how many places are missing if there are too few.
pub fn assign(mut held: Vec<Held>, days: &[Date], desks: Desks) -> Result<Vec<(Held, Slot)>, usize> {
    held.sort_unstable_by(|one, other| {
        (one.level, &one.reference, one.loan).cmp(&(other.level, &other.reference, other.loan))
    });
    let free = days.iter().flat_map(|day| {
        (1..=desks.desks).flat_map(move |desk| (1..=desks.slots).map(move |slot| Slot { day: *day, desk, slot }))
    });
    let wanted = held.len();
    let placed: Vec<(Held, Slot)> = held.into_iter().zip(free).collect();
    if placed.len() < wanted { Err(wanted - placed.len()) } else { Ok(placed) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn held(number: u128, level: Option<Level>) -> Held {
        Held {
            loan: Uuid::from_u128(number),
            borrower: Uuid::from_u128(1000 + number),
            reference: format!("B-{:04}", (number * 7919) % 10_000),
            programme: Uuid::from_u128(1),
            site: Uuid::from_u128(2),
            level,
            left_site: false,
        }
    }

    #[test]
    fn a_choice_takes_those_who_leave() {
        let leaving = Choice { leaving: true, ..Choice::default() };
        assert!(leaving.takes(&held(1, Some(Level::Troisieme))));
        assert!(!leaving.takes(&held(1, Some(Level::Sixieme))));
        assert!(leaving.takes(&Held { left_site: true, ..held(1, None) }));
        let elsewhere = Choice { sites: vec![Uuid::from_u128(3)], ..Choice::default() };
        assert!(!elsewhere.takes(&held(1, None)) && Choice::default().takes(&held(1, None)));
    }

    #[test]
    fn several_of_each_are_chosen_and_all_must_hold() {
        let choice = Choice {
            programmes: vec![Uuid::from_u128(1), Uuid::from_u128(7)],
            levels: vec![Level::Quatrieme, Level::Troisieme],
            sites: vec![Uuid::from_u128(2), Uuid::from_u128(3)],
            leaving: false,
        };
        let one = held(1, Some(Level::Quatrieme));
        assert!(choice.takes(&one) && choice.takes(&Held { programme: Uuid::from_u128(7), ..one.clone() }));
        assert!(choice.takes(&Held { site: Uuid::from_u128(3), ..one.clone() }));
        for other in [
            Held { programme: Uuid::from_u128(8), ..one.clone() },
            Held { site: Uuid::from_u128(4), ..one.clone() },
            held(1, Some(Level::Sixieme)),
            held(1, None),
        ] {
            assert!(!choice.takes(&other), "{other:?}");
        }
    }

    #[test]
    fn a_plan_has_a_name_days_in_order_and_desks() {
        let (days, desks) = ((date(2027, 6, 14), date(2027, 6, 18)), Desks::new(1, 40).unwrap());
        let plan = |name: &str, days| Plan::new(name, days, desks, Choice::default());
        assert_eq!(plan(" Juin ", days).unwrap().name, "Juin");
        assert!(plan("Juin", (days.0, days.0)).is_ok());
        assert_eq!(plan("Juin", (days.1, days.0)), Err(InvalidPlan::Window));
        assert_eq!(plan("Juin", (date(2027, 6, 14), date(9999, 12, 31))), Err(InvalidPlan::TooLong));
        for name in ["", "  ", "a\nb", &"x".repeat(81)] {
            assert_eq!(plan(name, days), Err(InvalidPlan::Name), "{name:?}");
        }
        for (desks, slots) in [(0, 1), (1, 0), (21, 1), (1, 1_001)] {
            assert_eq!(Desks::new(desks, slots), Err(InvalidPlan::Desks));
        }
    }

    #[test]
    fn nobody_comes_on_a_day_without_school() {
        let days = days(date(2027, 6, 25), date(2027, 7, 9), Zone::A, &[]);
        let expected: Vec<Date> = [25, 28, 29, 30].map(|day| date(2027, 6, day)).into_iter().collect();
        assert_eq!(days[..4], expected[..]);
        assert_eq!(days.last(), Some(&date(2027, 7, 2)), "the summer begins");
    }

    #[test]
    fn an_excuse_outlives_an_extension_and_a_return_can_be_undone() {
        use ReturnState::{Ended, Excused, Expected, Returned};
        assert_eq!(Excused.after(LoanStateName::HandedOver), None);
        assert_eq!(Excused.after(LoanStateName::Returned), Some(Returned));
        assert_eq!(Returned.after(LoanStateName::HandedOver), Some(Expected));
        assert_eq!(Expected.after(LoanStateName::Stolen), Some(Ended));
        assert_eq!(Ended.after(LoanStateName::Returned), Some(Returned));
        assert_eq!(Returned.after(LoanStateName::Returned), None);
    }

    proptest! {
        #[test]
        fn everybody_has_a_place_of_their_own_whatever_the_order(
            levels in proptest::collection::vec(0usize..5, 0..60),
            desks in 1u32..4,
            slots in 1u32..6,
            turn in 0usize..60,
        ) {
            let window = days(date(2027, 6, 1), date(2027, 6, 11), Zone::C, &[]);
            let level = |number: usize| Level::ALL.get(number).copied();
            let mut all: Vec<Held> =
                levels.iter().zip(1..).map(|(number, id)| held(id, level(*number))).collect();
            let desks = Desks { desks, slots };
            let before = assign(all.clone(), &window, desks);
            let turn = turn.min(all.len());
            all.rotate_left(turn);
            prop_assert_eq!(&before, &assign(all.clone(), &window, desks));
            let room = window.len() * usize::try_from(desks.desks * desks.slots).unwrap();
            match before {
                Err(missing) => prop_assert_eq!(missing, all.len() - room),
                Ok(placed) => {
                    let slots: BTreeSet<Slot> = placed.iter().map(|(_, slot)| *slot).collect();
                    let loans: BTreeSet<Uuid> = placed.iter().map(|(held, _)| held.loan).collect();
                    prop_assert_eq!((slots.len(), loans.len()), (all.len(), all.len()));
                    // A level comes together.
                    let order: Vec<Option<Level>> = placed.iter().map(|(held, _)| held.level).collect();
                    prop_assert!(order.is_sorted());
                }
            }
        }
    }
}
