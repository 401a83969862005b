//! Whether now is a fair moment to speak or to ask the drives. Pure: no clock, no files, no waiting.
//!
//! The laptop is a pupil's: an exam, the last percents of the battery and a telephone's data come first. But an agent
//! that always finds a reason to be silent is lost, so battery and network hold it back for a day at most, and an exam
//! as long as the server said, a day at most too. What is not known holds nothing back.

use std::time::Duration;

use cartable_common::{
    UtcMillis,
    limits::{AFTER_EXAMS_SECONDS, MAX_EXAMS_SECONDS},
};
use serde::{Deserialize, Serialize};

use crate::schedule::draw;

/// Below this the battery is the pupil's alone.
pub const LOW_BATTERY_PERCENT: u8 = 15;

/// Longest time that battery and network hold contacts back. Then one takes place: 4 KB, a few milliseconds.
pub const LONGEST_HOLD_MILLIS: i64 = UtcMillis::DAY;

/// A drive is asked at most once in this time.
pub const DRIVES_EVERY_MILLIS: i64 = UtcMillis::DAY;

/// A drive that slept is asked again after this time: no sooner than any other, and at another hour of the day, for a drive
/// that sleeps at this one sleeps at it tomorrow.
pub const SLEEPERS_EVERY_MILLIS: i64 = DRIVES_EVERY_MILLIS + 5 * 60 * 60 * 1000;

/// How long to wait before looking again: no more often than a check-in would.
const LOOK_AGAIN_SECONDS: (u32, u32) = (45 * 60, 60 * 60);

/// What the laptop runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// The mains.
    Mains,
    /// Its own battery.
    Battery {
        /// What is left in all its batteries together.
        percent: u8,
    },
    /// Not told.
    #[default]
    Unknown,
}

/// Whether somebody pays for each megabyte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Yes, or the system guesses so: a telephone shares its data.
    Metered,
    /// No.
    Free,
    /// Not told.
    #[default]
    Unknown,
}

/// What counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// What it runs on.
    pub power: Power,
    /// Who pays for the network.
    pub network: Network,
    /// The end of the exam, by this machine's clock.
    pub exams_until: Option<UtcMillis>,
    /// Since when contacts are held back by battery or network.
    pub held_since: Option<UtcMillis>,
}

/// Why not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Pupils sit an exam.
    Exams,
    /// The battery is nearly empty.
    LowBattery,
    /// Each megabyte costs.
    Metered,
}

impl Because {
    /// In words, for the log and `systemctl status`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Exams => "Silent during an exam",
            Self::LowBattery => "Silent while the battery is nearly empty",
            Self::Metered => "Silent on a metered network",
        }
    }
}

/// The decision.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Speak.
    Now,
    /// Not yet.
    Later {
        /// Why.
        because: Because,
        /// When to look again.
        wait: Duration,
    },
}

/// Whether a planned contact may take place. `random` is any random number.
pub fn may_speak(around: &Surroundings, now: UtcMillis, random: u64) -> Decision {
    if let Some(left) = exams_left(around.exams_until, now) {
        let spread = Duration::from_secs(u64::from(draw(0, AFTER_EXAMS_SECONDS, random)));
        return Decision::Later { because: Because::Exams, wait: left + spread };
    }
    let Some(because) = held_by(around) else { return Decision::Now };
    // Held since a moment to come: the clock went back, and nobody knows for how long.
    let is_long = around.held_since.is_some_and(|since| !(0..LONGEST_HOLD_MILLIS).contains(&now.millis_since(since)));
    if is_long {
        return Decision::Now;
    }
    let (shortest, longest) = LOOK_AGAIN_SECONDS;
    Decision::Later { because, wait: Duration::from_secs(u64::from(draw(shortest, longest, random))) }
}

/// When a drive was asked last, and whether it heard the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastQuestion {
    /// It answered, or it was in vain for another reason than sleep.
    Put(UtcMillis),
    /// It slept.
    Slept(UtcMillis),
}

impl LastQuestion {
    /// Whether it is too soon for another. A question from the future was put by a clock that has jumped since.
    #[must_use]
    pub fn is_recent(self, now: UtcMillis) -> bool {
        let (at, every) = match self {
            Self::Put(at) => (at, DRIVES_EVERY_MILLIS),
            Self::Slept(at) => (at, SLEEPERS_EVERY_MILLIS),
        };
        (0..every).contains(&now.millis_since(at))
    }
}

/// Whether a drive may be asked now.
#[must_use]
pub fn may_ask_drive(around: &Surroundings, last: Option<LastQuestion>, now: UtcMillis) -> bool {
    let is_recent = last.is_some_and(|last| last.is_recent(now));
    !is_recent && !is_low(around.power) && exams_left(around.exams_until, now).is_none()
}

/// Whether something that costs minutes or megabytes may be done now, a test of the drives or a download: not on a low battery,
/// not on a metered network and not in an exam, however long that lasts.
#[must_use]
pub fn may_burden(around: &Surroundings, now: UtcMillis) -> bool {
    held_by(around).is_none() && exams_left(around.exams_until, now).is_none()
}

/// The end of an exam that the server announced for `seconds` from `now`.
#[must_use]
pub fn exams_until(seconds: Option<u32>, now: UtcMillis) -> Option<UtcMillis> {
    let seconds = seconds?.min(MAX_EXAMS_SECONDS);
    (seconds > 0).then(|| now.plus_millis(i64::from(seconds) * 1000))
}

/// What is left of an exam. An end further away than any exam was written by a clock that has jumped since.
#[must_use]
pub fn exams_left(until: Option<UtcMillis>, now: UtcMillis) -> Option<Duration> {
    let left = until?.millis_since(now);
    (1..=i64::from(MAX_EXAMS_SECONDS) * 1000)
        .contains(&left)
        .then(|| Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

/// For how long battery and network hold contacts back; nothing where that is over, or the clock went back since.
#[must_use]
pub fn held_for(since: Option<UtcMillis>, now: UtcMillis) -> Option<Duration> {
    // The last look comes after the longest hold, not at its end.
    let longest = LONGEST_HOLD_MILLIS + i64::from(LOOK_AGAIN_SECONDS.1) * 1000;
    let held = now.millis_since(since?);
    if held > longest { None } else { u64::try_from(held).ok().map(Duration::from_millis) }
}

fn held_by(around: &Surroundings) -> Option<Because> {
    if is_low(around.power) {
        Some(Because::LowBattery)
    } else if around.network == Network::Metered {
        Some(Because::Metered)
    } else {
        None
    }
}

const fn is_low(power: Power) -> bool {
    matches!(power, Power::Battery { percent } if percent < LOW_BATTERY_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn power() -> impl Strategy<Value = Power> {
        prop_oneof![
            Just(Power::Mains),
            Just(Power::Unknown),
            any::<u8>().prop_map(|percent| Power::Battery { percent })
        ]
    }

    fn network() -> impl Strategy<Value = Network> {
        prop_oneof![Just(Network::Metered), Just(Network::Free), Just(Network::Unknown)]
    }

    fn moment() -> impl Strategy<Value = UtcMillis> {
        (0_i64..4_000_000_000_000).prop_map(|millis| UtcMillis::default().plus_millis(millis))
    }

    proptest! {
        #[test]
        fn battery_and_network_hold_back_for_a_day_at_most(power in power(), network in network(), start in moment(), randoms in prop::collection::vec(any::<u64>(), 40)) {
            let (mut now, mut looks) = (start, 0);
            for random in randoms {
                let around = Surroundings { power, network, held_since: Some(start), ..Surroundings::default() };
                let Decision::Later { wait, .. } = may_speak(&around, now, random) else { break };
                prop_assert!((45 * 60..=60 * 60).contains(&wait.as_secs()), "no more wake-ups than check-ins");
                now = now.plus_millis(i64::try_from(wait.as_millis()).unwrap());
                looks += 1;
            }
            prop_assert!(looks <= 32 && now.millis_since(start) <= LONGEST_HOLD_MILLIS + 3_600_000);
        }

        #[test]
        fn a_laptop_on_the_mains_or_well_charged_and_on_a_free_network_is_never_held_back(percent in LOW_BATTERY_PERCENT.., mains in any::<bool>(), known in any::<bool>(), now in moment(), random in any::<u64>(), held_since in prop::option::of(moment())) {
            let power = if mains { Power::Mains } else { Power::Battery { percent } };
            let network = if known { Network::Free } else { Network::Unknown };
            let around = Surroundings { power, network, exams_until: None, held_since };
            prop_assert_eq!(may_speak(&around, now, random), Decision::Now);
        }

        #[test]
        fn an_exam_silences_until_its_end_and_no_longer_than_a_day(power in power(), network in network(), seconds in any::<u32>(), told in moment(), passed in 0_i64..200_000_000, random in any::<u64>()) {
            let until = exams_until(Some(seconds), told);
            let now = told.plus_millis(passed);
            let around = Surroundings { power, network, exams_until: until, held_since: Some(told) };
            let end = until.map_or(told, |until| until);
            match may_speak(&around, now, random) {
                Decision::Later { because: Because::Exams, wait } => {
                    let again = now.plus_millis(i64::try_from(wait.as_millis()).unwrap());
                    prop_assert!(now < end && again >= end && again.millis_since(end) <= 600_000);
                    prop_assert!(!may_ask_drive(&around, None, now));
                }
                Decision::Now | Decision::Later { .. } => prop_assert!(now >= end, "an exam was disturbed"),
            }
            prop_assert!(end.millis_since(told) <= i64::from(MAX_EXAMS_SECONDS) * 1000);
        }

        #[test]
        fn a_clock_that_jumped_silences_nobody(until in moment(), now in moment(), since in moment(), random in any::<u64>()) {
            let around = Surroundings { power: Power::Battery { percent: 3 }, network: Network::Metered, exams_until: Some(until), held_since: Some(since) };
            if let Decision::Later { wait, .. } = may_speak(&around, now, random) {
                prop_assert!(wait.as_secs() <= u64::from(MAX_EXAMS_SECONDS) + 600);
                let in_exams = (1..=i64::from(MAX_EXAMS_SECONDS) * 1000).contains(&until.millis_since(now));
                prop_assert!(in_exams || (0..LONGEST_HOLD_MILLIS).contains(&now.millis_since(since)));
            }
        }

        #[test]
        fn a_drive_is_asked_once_a_day_at_most_asleep_or_not_and_never_on_a_low_battery(steps in prop::collection::vec((1_i64..30_000_000, power(), any::<bool>()), 1..200)) {
            let (mut now, mut last, mut asked) = (UtcMillis::default().plus_days(20_000), None, Vec::new());
            for (step, power, sleeps) in steps {
                now = now.plus_millis(step);
                let around = Surroundings { power, ..Surroundings::default() };
                if may_ask_drive(&around, last, now) {
                    prop_assert!(!is_low(power));
                    last = Some(if sleeps { LastQuestion::Slept(now) } else { LastQuestion::Put(now) });
                    asked.push(now);
                }
            }
            prop_assert!(asked.windows(2).all(|pair| pair[1].millis_since(pair[0]) >= DRIVES_EVERY_MILLIS));
        }
    }

    #[test]
    fn burdens_wait_for_a_free_network_and_a_battery_however_long() {
        let now = UtcMillis::default().plus_days(20_000);
        let fair = Surroundings { power: Power::Mains, network: Network::Free, ..Surroundings::default() };
        assert!(may_burden(&fair, now) && may_burden(&Surroundings::default(), now));
        let long_ago = Some(now.plus_days(-9));
        let metered = Surroundings { network: Network::Metered, held_since: long_ago, ..fair };
        let low = Surroundings { power: Power::Battery { percent: 3 }, held_since: long_ago, ..fair };
        let exam = Surroundings { exams_until: Some(now.plus_millis(1)), ..fair };
        assert!([metered, low, exam].iter().all(|around| !may_burden(around, now)));
    }

    #[test]
    fn contacts_are_held_for_a_day_and_the_hour_of_the_last_look() {
        let now = UtcMillis::default().plus_days(20_000);
        let held = |hours: i64| held_for(Some(now.plus_millis(-hours * 3_600_000)), now);
        assert_eq!((held(0), held(20)), (Some(Duration::ZERO), Some(Duration::from_hours(20))));
        assert_eq!((held(25).is_some(), held(26), held(-1)), (true, None, None));
        assert_eq!(held_for(None, now), None);
    }

    #[test]
    fn a_question_from_the_future_is_put_again() {
        let now = UtcMillis::default().plus_days(20_000);
        let asks = |last| may_ask_drive(&Surroundings::default(), Some(last), now);
        for last in [LastQuestion::Put, LastQuestion::Slept] {
            assert!(asks(last(now.plus_days(9))) && !asks(last(now.plus_millis(-1000))));
        }
    }

    #[test]
    fn a_drive_that_slept_is_asked_at_another_hour_of_the_next_day() {
        let now = UtcMillis::default().plus_days(20_000);
        let hours_ago = |hours: i64| now.plus_millis(-hours * 3_600_000);
        let asks = |last| may_ask_drive(&Surroundings::default(), Some(last), now);
        assert!(!asks(LastQuestion::Put(hours_ago(23))) && asks(LastQuestion::Put(hours_ago(24))));
        assert!(!asks(LastQuestion::Slept(hours_ago(28))) && asks(LastQuestion::Slept(hours_ago(29))));
    }
}
