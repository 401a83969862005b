//! When notices are written and when they leave: the programme's schedule around a due date, quiet days, and how long
//! to wait between attempts.

use cartable_common::UtcMillis;
use jiff::{
    ToSpan as _,
    civil::{Date, DateTime},
};

use super::{
    notice::Quiet,
    policy::Policy,
    school_calendar::{Closure, Zone, is_school_day},
};

/// The days and hours on which notices leave for one place.
#[derive(Clone, Copy, Debug)]
pub struct Calm<'a> {
    /// Whether notices wait for school days at all.
    pub on_holidays: bool,
    /// The place's zone; without one, a day on which any zone has school will do.
    pub zone: Option<Zone>,
    /// Days without school that were added.
    pub closures: &'a [Closure],
}

/// Longest stretch without school that is looked through: two summers' worth.
const FARTHEST_DAYS: u32 = 150;

impl<'a> Calm<'a> {
    /// As the policy says, in `zone`.
    pub const fn new(policy: &'a Policy, zone: Option<Zone>) -> Self {
        Self { on_holidays: policy.notices.quiet_on_holidays, zone, closures: policy.calendar.closures.as_slice() }
    }

    /// Whether something may leave on `day`.
    #[must_use]
    pub fn allows(&self, quiet: Quiet, day: Date) -> bool {
        quiet == Quiet::AnyDay || !self.on_holidays || is_school_day(day, self.zone, self.closures)
    }

    /// The first day on or after `day` on which something may leave.
    #[must_use]
    pub fn first_allowed(&self, quiet: Quiet, day: Date) -> Date {
        let mut candidate = day;
        for _ in 0..FARTHEST_DAYS {
            if self.allows(quiet, candidate) {
                return candidate;
            }
            let Ok(next) = candidate.tomorrow() else { break };
            candidate = next;
        }
        day
    }
}

/// Whether the hour is one at which notices leave.
#[must_use]
pub fn in_hours(policy: &Policy, now: DateTime) -> bool {
    let hour = u32::try_from(now.hour()).unwrap_or_default();
    (policy.notices.from_hour..policy.notices.until_hour).contains(&hour)
}

/// One reminder about a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Days relative to the due date, as the programme's schedule has it.
    pub step: i32,
    /// The day on which it leaves.
    pub day: Date,
    /// The last day on which it still means something.
    pub until: Date,
}

/// The reminder that is to be written on `today` about a loan that was handed over on `handed_over` and is due on
/// `due`: the latest of the schedule whose day has come. Earlier ones that were missed are not made up for; one whose
/// day lies more than the policy's `catch_up_days` back isn't either, nor one from before the hand-over.
#[must_use]
pub fn due_step(
    (handed_over, due): (Date, Date),
    schedule: &[i32],
    today: Date,
    calm: &Calm<'_>,
    policy: &Policy,
) -> Option<Step> {
    let mut steps: Vec<i32> = schedule.to_vec();
    steps.sort_unstable();
    let latest = steps.into_iter().rev().find_map(|step| {
        let planned = due.checked_add(i64::from(step).days()).ok()?;
        let day = calm.first_allowed(Quiet::SchoolDays, planned);
        (day <= today).then_some((step, planned, day))
    });
    let (step, planned, day) = latest?;
    let until = day.checked_add(i64::from(policy.notices.catch_up_days).days()).unwrap_or(Date::MAX);
    (planned > handed_over && today <= until).then_some(Step { step, day, until })
}

/// First wait after a failed attempt.
const FIRST_WAIT: i64 = 5 * 60 * 1000;
/// Longest wait between two attempts.
const LONGEST_WAIT: i64 = 4 * 60 * 60 * 1000;
/// How long attempts go on, as mail servers do it among themselves (RFC 5321, 4.5.4.1: at least four to five days).
const PATIENCE: i64 = 5 * UtcMillis::DAY;

/// When to try again after `attempts` (at least one) failed ones: at doubling distances, up to four hours.
#[must_use]
pub fn next_attempt(attempts: i64, now: UtcMillis) -> UtcMillis {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 20)).unwrap_or_default();
    now.plus_millis(FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT))
}

/// Whether something that first should have left at `since` is given up.
#[must_use]
pub const fn out_of_patience(since: UtcMillis, now: UtcMillis) -> bool {
    now.millis_since(since) > PATIENCE
}

/// What first should have left before this moment is [`out_of_patience`] at `now`.
#[must_use]
pub fn given_up_before(now: UtcMillis) -> UtcMillis {
    now.plus_millis(-PATIENCE)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::programme::DEFAULT_NOTICE_DAYS;

    const ZONE_A: Calm<'_> = Calm { on_holidays: true, zone: Some(Zone::A), closures: &[] };

    fn step(due: Date, today: Date) -> Option<(i32, Date)> {
        let found = due_step((date(2026, 9, 7), due), &DEFAULT_NOTICE_DAYS, today, &ZONE_A, &Policy::default());
        found.map(|step| (step.step, step.day))
    }

    #[test]
    fn each_reminder_has_its_day_and_waits_for_school() {
        // Tuesday 15 June 2027.
        let due = date(2027, 6, 15);
        assert_eq!(step(due, date(2027, 5, 24)), None);
        assert_eq!(step(due, date(2027, 5, 25)), Some((-21, date(2027, 5, 25))));
        assert_eq!(step(due, date(2027, 6, 8)), Some((-7, date(2027, 6, 8))));
        assert_eq!(step(due, date(2027, 6, 14)), Some((-1, date(2027, 6, 14))));
        assert_eq!(step(due, date(2027, 6, 15)), Some((0, date(2027, 6, 15))));
        // 21 days after it is in the summer: it waits for September and takes the place of what waited longer.
        assert_eq!(step(due, date(2027, 7, 10)), None, "the one of 22 June is too old");
        assert_eq!(step(due, date(2027, 9, 1)), Some((21, date(2027, 9, 1))));
        // Due on a Sunday: Monday.
        assert_eq!(step(date(2027, 6, 13), date(2027, 6, 13)), Some((-7, date(2027, 6, 7))));
        assert_eq!(step(date(2027, 6, 13), date(2027, 6, 14)), Some((0, date(2027, 6, 14))));
    }

    #[test]
    fn three_missed_days_are_one_reminder_and_a_long_gone_one_is_none() {
        let due = date(2027, 6, 15);
        // Nothing ran on the 14th and 15th: on the 16th only "due today" is written, once, late.
        assert_eq!(step(due, date(2027, 6, 16)), Some((0, date(2027, 6, 15))));
        assert_eq!(step(date(2026, 10, 5), date(2027, 1, 20)), None);
    }

    #[test]
    fn nothing_is_written_about_the_time_before_the_hand_over() {
        let handed = (date(2027, 6, 10), date(2027, 6, 15));
        let at = |today| due_step(handed, &DEFAULT_NOTICE_DAYS, today, &ZONE_A, &Policy::default());
        assert_eq!(at(date(2027, 6, 11)), None);
        assert_eq!(at(date(2027, 6, 14)).map(|step| step.step), Some(-1));
    }

    #[test]
    fn quiet_days_are_quiet_unless_the_policy_or_the_desk_says_otherwise() {
        let christmas = date(2026, 12, 24);
        assert!(!ZONE_A.allows(Quiet::SchoolDays, christmas));
        assert!(ZONE_A.allows(Quiet::AnyDay, christmas));
        assert!(Calm { on_holidays: false, ..ZONE_A }.allows(Quiet::SchoolDays, christmas));
        assert_eq!(ZONE_A.first_allowed(Quiet::SchoolDays, christmas), date(2027, 1, 4));
        let policy = Policy::default();
        assert!(!in_hours(&policy, christmas.at(7, 59, 0, 0)) && in_hours(&policy, christmas.at(8, 0, 0, 0)));
        assert!(!in_hours(&policy, christmas.at(19, 0, 0, 0)));
    }

    #[test]
    fn waits_double_up_to_four_hours_for_five_days() {
        let now = UtcMillis::default();
        let minutes = |attempts| next_attempt(attempts, now).get() / 60_000;
        assert_eq!([1, 2, 3, 6, 7, 99].map(minutes), [5, 10, 20, 160, 240, 240]);
        assert!(!out_of_patience(now, now.plus_days(5)) && out_of_patience(now, now.plus_days(6)));
        assert_eq!(given_up_before(now.plus_days(6)), now.plus_days(1));
    }
}
