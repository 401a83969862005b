//! Exams: times in which the laptops of a site, or of the whole programme, make no contact and ask no drive.
//!
//! An answer can only say "for so many seconds from now", and a laptop asks about once an hour: one that heard nothing
//! before an exam would come back in the middle of it. So [`tell`] looks at when the laptop would come back. Where that
//! would be in an exam it is told now, and is silent a little earlier than it need be, which harms nobody; until then it
//! is told nothing. Where one answer cannot reach to the end (an exam that is a day away, for laptops that come back once
//! a day) it is asked back sooner instead.
//!
//! What nobody can do: a laptop that was off or away since before the last answer, and is switched on in the exam, makes
//! one contact, within a minute of its start, and hears of it then. And what was told cannot be taken back: where an exam
//! ends early, the laptops that know of it come back at the end that they were told.

use cartable_common::{
    UtcMillis,
    limits::{AFTER_EXAMS_SECONDS, MAX_EXAMS_SECONDS},
};
use uuid::Uuid;

use super::{authority::Object, verdict::text_enum};

/// Longest exam in hours: each day of a longer one is an exam of its own. With it one answer, which reaches a day at
/// most ([`MAX_EXAMS_SECONDS`]), always reaches from the last contact before an exam to its end.
pub const MAX_HOURS: i64 = 12;

/// Longest label in characters.
pub const MAX_LABEL_CHARS: usize = 80;

/// Seconds by which a contact may be later than it was told and still not fall into an exam: a laptop that woke up, or
/// found its network again.
pub const HEADROOM_SECONDS: i64 = 15 * 60;

/// How far ahead an answer looks, in milliseconds: the longest that a laptop may stay away (a day), and then some.
pub const AHEAD_MILLIS: i64 = 2 * UtcMillis::DAY;

/// An exam to order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExam {
    label: String,
    begins_at: UtcMillis,
    ends_at: UtcMillis,
}

/// Why an exam cannot be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExam {
    /// The label is empty, too long or no line.
    #[error("the label is a line of 1 to {MAX_LABEL_CHARS} characters")]
    Label,
    /// It ends before it begins.
    #[error("the end must come after the beginning")]
    Backwards,
    /// It lasts too long.
    #[error("an exam lasts at most {MAX_HOURS} hours: order each day of a longer one by itself")]
    TooLong,
    /// It is over.
    #[error("the end is in the past")]
    Past,
}

impl NewExam {
    /// An exam called `label` from `begins_at` to `ends_at`, ordered at `now`. It may have begun.
    pub fn new(label: &str, begins_at: UtcMillis, ends_at: UtcMillis, now: UtcMillis) -> Result<Self, InvalidExam> {
        let label = label.trim();
        if label.is_empty() || label.chars().count() > MAX_LABEL_CHARS || label.contains(char::is_control) {
            return Err(InvalidExam::Label);
        }
        if ends_at <= begins_at {
            return Err(InvalidExam::Backwards);
        }
        if ends_at.millis_since(begins_at) > MAX_HOURS * 3_600_000 {
            return Err(InvalidExam::TooLong);
        }
        if ends_at <= now {
            return Err(InvalidExam::Past);
        }
        Ok(Self { label: label.to_owned(), begins_at, ends_at })
    }

    /// What people call it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// When it begins.
    pub const fn begins_at(&self) -> UtcMillis {
        self.begins_at
    }

    /// When it ends.
    pub const fn ends_at(&self) -> UtcMillis {
        self.ends_at
    }
}

text_enum! {
    /// Where an exam stands.
    pub enum ExamState {
        /// It has not begun.
        Coming = "coming",
        /// It is being sat.
        Current = "current",
        /// It is over.
        Past = "past",
    }
}

/// When an exam is, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exam {
    /// The site; without one, the whole programme.
    pub site: Option<Uuid>,
    /// When it begins.
    pub begins_at: UtcMillis,
    /// When it ends: the first moment after it.
    pub ends_at: UtcMillis,
}

impl Exam {
    /// Where it stands at `now`.
    pub fn state(&self, now: UtcMillis) -> ExamState {
        if now < self.begins_at {
            ExamState::Coming
        } else if now < self.ends_at {
            ExamState::Current
        } else {
            ExamState::Past
        }
    }

    /// What whoever orders it or calls it off must have a right to.
    pub const fn object(&self) -> Object {
        match self.site {
            Some(_) => Object::OfSite(self.site),
            None => Object::Programme,
        }
    }

    /// Whether it is one of a device of `site`. A device without a site sits those of the whole programme.
    fn covers(&self, site: Option<Uuid>) -> bool {
        self.site.is_none() || self.site == site
    }
}

/// What a laptop is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Seconds from now until which it is silent, at most [`MAX_EXAMS_SECONDS`]; none where it need not be.
    pub exams_for_seconds: Option<u32>,
    /// Seconds to its next contact.
    pub next_check_in_seconds: u32,
}

/// What a laptop of `site` is told at `now`, when it would come back after `next_check_in_seconds`. `exams` are those
/// that are not over, in any order.
#[must_use]
pub fn tell(exams: &[Exam], site: Option<Uuid>, next_check_in_seconds: u32, now: UtcMillis) -> Told {
    let usual = Told { exams_for_seconds: None, next_check_in_seconds };
    let Some((begins_at, ends_at)) = silence(exams, site, now) else { return usual };
    // Negative once it has begun.
    let before = begins_at.millis_since(now).div_euclid(1000);
    if before > i64::from(next_check_in_seconds) + HEADROOM_SECONDS {
        return usual;
    }
    let left = ends_at.millis_since(now).saturating_add(999) / 1000;
    let most = i64::from(MAX_EXAMS_SECONDS);
    if left > most && before > HEADROOM_SECONDS {
        // One answer does not reach its end: the next, from halfway, may.
        let sooner = u32::try_from(before / 2).unwrap_or(next_check_in_seconds);
        return Told { next_check_in_seconds: sooner.min(next_check_in_seconds), ..usual };
    }
    Told { exams_for_seconds: u32::try_from(left.min(most)).ok(), ..usual }
}

/// Beginning and end of the first silence of a device of `site` that is not over at `now`. Exams that follow each other
/// before the laptops are back from the one before are one silence.
fn silence(exams: &[Exam], site: Option<Uuid>, now: UtcMillis) -> Option<(UtcMillis, UtcMillis)> {
    let mine = exams.iter().filter(|exam| exam.covers(site) && exam.ends_at > now);
    let first = mine.min_by_key(|exam| exam.begins_at)?;
    let mut ends_at = first.ends_at;
    while let Some(later) = prolonged(exams, site, ends_at) {
        ends_at = later;
    }
    Some((first.begins_at, ends_at))
}

/// The latest end of an exam that begins before the laptops are back from one that ended at `ends_at`.
fn prolonged(exams: &[Exam], site: Option<Uuid>, ends_at: UtcMillis) -> Option<UtcMillis> {
    let back_at = ends_at.plus_millis(i64::from(AFTER_EXAMS_SECONDS) * 1000);
    let follows = |exam: &&Exam| exam.covers(site) && exam.begins_at <= back_at && exam.ends_at > ends_at;
    exams.iter().filter(follows).map(|exam| exam.ends_at).max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        paris,
        policy::Policy,
        school_calendar::{Zone, school_days_between},
    };

    const HOUR: i64 = 3_600_000;
    const SITE: Uuid = Uuid::from_u128(1);

    /// A school day, eight o'clock in Paris.
    fn eight() -> UtcMillis {
        UtcMillis::new("2027-06-14T06:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    fn exam(site: Option<Uuid>, from_hour: i64, to_hour: i64) -> Exam {
        let at = |hour: i64| eight().plus_millis(hour * HOUR);
        Exam { site, begins_at: at(from_hour), ends_at: at(to_hour) }
    }

    fn told(exams: &[Exam], site: Option<Uuid>, minutes: i64) -> Option<u32> {
        tell(exams, site, 3_600, eight().plus_millis(minutes * 60_000)).exams_for_seconds
    }

    #[test]
    fn a_laptop_is_told_before_and_during_and_not_after() {
        let exams = [exam(Some(SITE), 0, 4)];
        assert_eq!(told(&exams, Some(SITE), -76), None, "it comes back before");
        assert_eq!(told(&exams, Some(SITE), -75), Some((75 + 240) * 60), "it would come back in it");
        assert_eq!(told(&exams, Some(SITE), 0), Some(4 * 3_600));
        assert_eq!(told(&exams, Some(SITE), 239), Some(60));
        assert_eq!(told(&exams, Some(SITE), 240), None, "over");
        let almost = tell(&exams, Some(SITE), 3_600, eight().plus_millis(4 * HOUR - 1));
        assert_eq!(almost.exams_for_seconds, Some(1), "never a moment short");
    }

    #[test]
    fn an_exam_is_its_sites_or_everybodys() {
        let other = Some(Uuid::from_u128(2));
        assert_eq!(told(&[exam(Some(SITE), 0, 4)], other, 0), None);
        assert_eq!(told(&[exam(Some(SITE), 0, 4)], None, 0), None, "a device of no site");
        for site in [Some(SITE), other, None] {
            assert_eq!(told(&[exam(None, 0, 4)], site, 0), Some(4 * 3_600), "{site:?}");
        }
    }

    #[test]
    fn what_follows_at_once_is_one_silence_and_a_lunch_is_none() {
        let mut afternoon = exam(None, 4, 6);
        afternoon.begins_at = afternoon.begins_at.plus_millis(10 * 60_000);
        let exams = [afternoon, exam(Some(SITE), 0, 4)];
        assert_eq!(told(&exams, Some(SITE), 0), Some(6 * 3_600), "nobody is back before it begins");
        let exams = [exam(None, 5, 8), exam(Some(SITE), 0, 4), exam(Some(SITE), 1, 3)];
        assert_eq!(told(&exams, Some(SITE), 0), Some(4 * 3_600));
        assert_eq!(told(&exams, Some(SITE), 4 * 60 + 5), Some((55 + 180) * 60), "told again in between");
    }

    #[test]
    fn only_an_exam_that_can_be_sat_is_ordered() {
        let (begins, ends) = (eight(), eight().plus_millis(4 * HOUR));
        let new = |label: &str, begins, ends| NewExam::new(label, begins, ends, eight());
        assert_eq!(new(" Brevet blanc ", begins, ends).unwrap().label(), "Brevet blanc");
        assert!(new("x", begins.plus_millis(-HOUR), ends).is_ok(), "it has begun");
        for label in [" ", "a\nb", &"x".repeat(MAX_LABEL_CHARS + 1)] {
            assert_eq!(new(label, begins, ends), Err(InvalidExam::Label));
        }
        assert_eq!(new("x", begins, begins), Err(InvalidExam::Backwards));
        assert_eq!(new("x", begins, begins.plus_millis(MAX_HOURS * HOUR + 1)), Err(InvalidExam::TooLong));
        assert_eq!(new("x", begins.plus_millis(-4 * HOUR), begins), Err(InvalidExam::Past));
        assert_eq!(exam(None, 0, 4).state(ends), ExamState::Past);
    }

    /// The rule "silent" counts school days after the last contact. A laptop that comes back every hour is last heard on
    /// the day of its exam: what we ordered is not taken for silence.
    #[test]
    fn an_exam_costs_no_school_day_of_silence() {
        let exams = [exam(None, 0, 10)];
        let policy = Policy::default();
        let last_told = eight().plus_millis(-75 * 60_000);
        let back = last_told.plus_millis(i64::from(told(&exams, None, -75).unwrap()) * 1000);
        let (heard, today) = (paris::date(last_told), paris::date(back));
        assert_eq!(school_days_between(heard, today, Some(Zone::C), &policy.calendar.closures), 0);
    }

    proptest! {
        /// An agent that does as it is told, whatever the interval and from wherever it starts.
        #[test]
        fn nobody_who_was_heard_before_makes_contact_in_an_exam(
            lead in 901_i64..300_000, millis in 1_i64..=MAX_HOURS * HOUR,
            intervals in prop::collection::vec(30_u32..=86_400, 1..400), spread in 0_u32..AFTER_EXAMS_SECONDS,
        ) {
            let exam = Exam { site: None, begins_at: eight(), ends_at: eight().plus_millis(millis) };
            let mut now = eight().plus_millis(-lead * 1000);
            for interval in intervals {
                prop_assert!(exam.state(now) != ExamState::Current, "an exam was disturbed");
                let told = tell(&[exam], None, interval, now);
                prop_assert!(told.next_check_in_seconds <= interval);
                let next = i64::from(told.next_check_in_seconds);
                let wait = match told.exams_for_seconds {
                    Some(seconds) if i64::from(seconds) > next => i64::from(seconds) + i64::from(spread),
                    _ => next,
                };
                now = now.plus_millis(wait * 1000);
            }
        }

        #[test]
        fn no_answer_reaches_further_than_a_day(spans in prop::collection::vec((0_i64..200, 1_i64..=12), 0..30), now in 0_i64..300) {
            let exams: Vec<Exam> = spans.iter().map(|(from, hours)| exam(None, *from, from + hours)).collect();
            let told = tell(&exams, None, 3_600, eight().plus_millis(now * HOUR));
            prop_assert!(told.exams_for_seconds.is_none_or(|seconds| (1..=MAX_EXAMS_SECONDS).contains(&seconds)));
            prop_assert!((30..=3_600).contains(&told.next_check_in_seconds));
        }
    }
}
