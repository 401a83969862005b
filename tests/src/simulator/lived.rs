//! Machines of a fleet that have lived: what their agents read of batteries and drives follows from their life since
//! they were bought ([`super::ageing`]), and not from a condition that was drawn once.
//!
//! A machine of which the roster tells a story keeps it: a drive that fails now, a part exchanged when the fleet began.
//! Pure: the same seed and beginning give the same reports, however often the fleet is started again.

use std::{collections::HashSet, iter::Peekable, slice};

use cartable_common::{UtcMillis, report::HealthReport};

use super::{
    ageing::{Ageing, Calendar, Life, Week, calendar::week_of},
    condition::{DriveCondition, Exchange},
    machine::Machine,
};

/// No machine of the catalogue is older, in days.
const OLDEST_DAYS: i64 = 14 * 366;
/// For how many days after it began a fleet goes on ageing: whoever lets a demonstration run for longer sees it stand still.
const GOES_ON_DAYS: i64 = 3 * 366;

/// Which machines have lived, and through which weeks.
#[derive(Clone, Debug)]
pub struct Lived {
    ageing: Ageing,
    epoch: UtcMillis,
    calendar: Calendar,
    machines: HashSet<u64>,
}

impl Lived {
    /// Those of `machines` that no story is told of, in a fleet that was drawn from `seed` and began at `epoch`.
    pub fn new<'m>(seed: u64, epoch: UtcMillis, machines: impl IntoIterator<Item = &'m Machine>) -> Self {
        let today = epoch.day_number();
        Self {
            ageing: Ageing { seed, battery_need: 1.0 },
            epoch,
            calendar: Calendar::of_days(today - OLDEST_DAYS, today + GOES_ON_DAYS),
            machines: machines.into_iter().filter(|one| !has_a_story(one)).map(|one| one.index).collect(),
        }
    }

    /// The day on which `machine` was bought, since 1970; none for one that has not lived.
    pub fn bought(&self, machine: &Machine) -> Option<i64> {
        self.machines.contains(&machine.index).then(|| self.begun(machine).bought())
    }

    /// `machine` from the day it was bought, or as it was drawn.
    pub fn life<'a>(&'a self, machine: &'a Machine) -> Told<'a> {
        let life = self.machines.contains(&machine.index).then(|| {
            let life = self.begun(machine);
            let weeks = self.calendar.weeks(life.bought(), self.epoch.day_number() + GOES_ON_DAYS);
            (life, weeks.iter().peekable())
        });
        Told { machine, epoch: self.epoch, life }
    }

    fn begun<'m>(&self, machine: &'m Machine) -> Life<'m> {
        Life::of(machine, self.ageing, self.epoch.day_number())
    }
}

fn has_a_story(machine: &Machine) -> bool {
    machine.condition.drive == DriveCondition::Failing || machine.condition.exchange != Exchange::Nothing
}

/// A machine that is asked for reports, at moments that only move on.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    machine: &'a Machine,
    epoch: UtcMillis,
    life: Option<(Life<'a>, Peekable<slice::Iter<'a, Week>>)>,
}

impl Told<'_> {
    /// What its agent reads at `at`.
    pub fn report(&mut self, at: UtcMillis) -> HealthReport {
        let Some((life, weeks)) = &mut self.life else { return self.machine.report(at, self.epoch) };
        let this_week = week_of(at.day_number());
        while let Some(week) = weeks.next_if(|week| week.number <= this_week) {
            life.week(week);
        }
        life.report(at, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{Hours, MilliampHours, MilliwattHours, report::Battery};

    use super::*;
    use crate::simulator::Roster;

    const YEAR_DAYS: i64 = 364;

    fn epoch() -> UtcMillis {
        UtcMillis::new(1_795_000_000_000).unwrap()
    }

    /// What a battery holds, in its own unit.
    fn full(report: &HealthReport) -> Option<u32> {
        let energy = |one: &Battery| one.full_milliwatt_hours.map(MilliwattHours::get);
        let charge = |one: &Battery| one.full_milliamp_hours.map(MilliampHours::get);
        report.batteries.first().and_then(|one| energy(one).or_else(|| charge(one)))
    }

    fn hours(report: &HealthReport) -> Option<u32> {
        report.drives.first().and_then(|drive| drive.power_on_hours).map(Hours::get)
    }

    #[test]
    fn in_a_year_most_batteries_fade_and_most_drives_count_more_hours() {
        let roster = Roster::drawn(3, 400);
        let lived = Lived::new(3, epoch(), &roster.machines);
        let (mut batteries, mut faded, mut drives, mut worn) = (0, 0, 0, 0);
        for machine in roster.machines.iter().filter(|machine| lived.bought(machine).is_some()) {
            let mut life = lived.life(machine);
            let [then, today] = [-YEAR_DAYS, 0].map(|days| life.report(epoch().plus_days(days)));
            today.check().unwrap();
            if let (Some(then), Some(today)) = (full(&then), full(&today)) {
                batteries += 1;
                faded += usize::from(today < then);
            }
            if let (Some(then), Some(today)) = (hours(&then), hours(&today)) {
                drives += 1;
                worn += usize::from(today > then);
            }
        }
        assert!(batteries > 100 && faded * 3 > batteries * 2, "{faded} of {batteries} batteries faded");
        assert!(drives > 100 && worn * 10 > drives * 9, "{worn} of {drives} drives were used");
    }

    #[test]
    fn a_machine_says_the_same_whenever_it_is_asked_anew() {
        let roster = Roster::drawn(3, 60);
        let (lived, again) = (Lived::new(3, epoch(), &roster.machines), Lived::new(3, epoch(), &roster.machines));
        for machine in &roster.machines {
            let mut life = lived.life(machine);
            for days in [-YEAR_DAYS, -80, 0, 5] {
                let at = epoch().plus_days(days);
                assert_eq!(life.report(at), again.life(machine).report(at), "machine {}", machine.index);
            }
        }
    }

    #[test]
    fn a_story_of_the_roster_is_told_as_it_was() {
        let roster = Roster::drawn(3, 2_000);
        let lived = Lived::new(3, epoch(), &roster.machines);
        let stories: Vec<&Machine> = roster.machines.iter().filter(|machine| lived.bought(machine).is_none()).collect();
        assert!(stories.iter().any(|one| one.condition.drive == DriveCondition::Failing));
        assert!(stories.iter().any(|one| one.condition.exchange == Exchange::Drive));
        for machine in stories {
            assert_eq!(lived.life(machine).report(epoch()), machine.report(epoch(), epoch()));
        }
    }
}
