//! Advice compared with what the simulator knows happened: for each summer of some years, "will this device need a repair
//! before its next loan ends?", answered by Cartable's advice and by three baselines.
//!
//! Pure domain functions over simulated reports; no server, no database. Nobody acts on the advice: devices are repaired
//! when they break and not before. Gifts are left out: nobody lends them again.

pub mod device;
pub mod method;
pub mod score;
pub mod told;
pub mod watch;

use std::{ops::Range, thread};

use cartable_common::UtcMillis;
use cartable_server::domain::policy::Policy;
use jiff::civil::date;

pub use device::{Decision, Followed, Warned};

use crate::simulator::{
    Machine, Roster,
    ageing::{Ageing, Calendar, Week, calendar::day_number},
    programme::Programme,
};

/// The first school year that is followed as a loan.
const FIRST_YEAR: i16 = 2026;
/// How many loans are followed.
const LOANS: i16 = 3;
/// Most years that a device of the catalogue is old.
const OLDEST_YEARS: i64 = 14;

/// When what happens, the same for every device.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How devices age.
    pub ageing: Ageing,
    /// The days of school.
    pub calendar: Calendar,
    /// The first day of the study, since 1970: agents begin to report some weeks before the first decision.
    pub begins: i64,
    /// Its last day.
    pub ends: i64,
    /// The school years of the loans that are followed.
    years: Range<i16>,
}

impl Plan {
    /// Three loans of a school year each, from September 2026, decided about in the July before.
    pub fn new(ageing: Ageing) -> Self {
        let begins = day_number(date(FIRST_YEAR, 6, 1));
        let ends = day_number(date(FIRST_YEAR + LOANS, 7, 5));
        let calendar = Calendar::of_days(begins - OLDEST_YEARS * 366, ends);
        Self { ageing, calendar, begins, ends, years: FIRST_YEAR..FIRST_YEAR + LOANS }
    }

    /// The moment it begins.
    pub fn epoch(&self) -> UtcMillis {
        UtcMillis::default().plus_days(self.begins)
    }

    /// Whether the summer's decisions are taken in this week: the first of July without school.
    fn decides_in(&self, week: &Week) -> bool {
        let july = |year: i16| day_number(date(year, 7, 4));
        let first = |year: i16| (0..7).contains(&(week.monday() - july(year)));
        self.years.clone().any(first)
    }

    /// Whether what is needed in this week is needed in one of the loans that are followed.
    fn is_counted(&self, week: &Week) -> bool {
        self.years.contains(&week.school_year)
    }
}

/// What was asked for, and what became of each device, in the order of the roster.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Devices of the fleet.
    pub devices: usize,
    /// Those that are lent, which the study follows.
    pub followed: Vec<Followed>,
}

/// Follows a fleet of so many devices, advised under `policy`.
pub fn run(devices: usize, ageing: Ageing, policy: &Policy) -> Study {
    let roster = Roster::drawn(ageing.seed, devices);
    let lent: Vec<&Machine> = roster.machines.iter().filter(|machine| is_lent(machine)).collect();
    let plan = Plan::new(ageing);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = lent.len().div_ceil(threads).max(1);
    let followed = thread::scope(|scope| {
        let part = |range: Range<usize>| {
            let (machines, plan) = (&lent[range], &plan);
            scope
                .spawn(move || machines.iter().map(|machine| device::follow(machine, plan, policy)).collect::<Vec<_>>())
        };
        let starts = (0..lent.len()).step_by(share);
        let working: Vec<_> = starts.map(|start| part(start..(start + share).min(lent.len()))).collect();
        working.into_iter().flat_map(|one| one.join().unwrap_or_default()).collect()
    });
    Study { devices, followed }
}

/// Whether it is lent: gifts are not.
pub fn is_lent(machine: &Machine) -> bool {
    !matches!(machine.programme, Programme::RecycledToPupils | Programme::RecycledToAssociations)
}
