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
    /// A longer window is no campaign.
    const MOST: usize = 366;
    let open = |day: &Date| is_school_day(*day, Some(zone), closures);
    first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).take(MOST).filter(open).collect()
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
