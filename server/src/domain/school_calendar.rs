//! School days: the calendar of the French academies, so that a laptop left in a drawer over Christmas is not silent.
//!
//! Sources of the dates:
//! - 2025-2026: arrêté du 7 décembre 2022 fixant le calendrier scolaire (JO du 8 décembre 2022).
//! - 2026-2027: arrêté du 22 octobre 2025 (Légifrance JORFTEXT000052416058).
//! - The end of summer 2027 was not published when this was written; the end of August is assumed.
//!
//! Outside these years only July, August and public holidays are taken for holidays; a programme adds what it knows
//! as `calendar.closures` in its policy.

use jiff::civil::{Date, Weekday, date};

use super::verdict::text_enum;

text_enum! {
    /// The zone of an academy's winter and spring holidays.
    pub enum Zone {
        /// Besançon, Bordeaux, Clermont-Ferrand, Dijon, Grenoble, Limoges, Lyon, Poitiers.
        A = "A",
        /// Aix-Marseille, Amiens, Lille, Nancy-Metz, Nantes, Nice, Normandie, Orléans-Tours, Reims, Rennes, Strasbourg.
        B = "B",
        /// Créteil, Montpellier, Paris, Toulouse, Versailles.
        C = "C",
    }
}

/// Days without school, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The zone; without one, all of them.
    pub zone: Option<Zone>,
    /// The first day without school.
    pub first: Date,
    /// The last day without school.
    pub last: Date,
}

/// The days that the table covers.
pub const KNOWN_FROM: Date = date(2025, 7, 5);
/// The last day that the table covers.
pub const KNOWN_UNTIL: Date = date(2027, 8, 31);

const fn all(first: Date, last: Date) -> Closure {
    Closure { zone: None, first, last }
}

const fn of(zone: Zone, first: Date, last: Date) -> Closure {
    Closure { zone: Some(zone), first, last }
}

/// Holidays and bridges, in order.
const HOLIDAYS: [Closure; 21] = [
    all(date(2025, 7, 5), date(2025, 8, 31)),
    all(date(2025, 10, 18), date(2025, 11, 2)),
    all(date(2025, 12, 20), date(2026, 1, 4)),
    of(Zone::A, date(2026, 2, 7), date(2026, 2, 22)),
    of(Zone::B, date(2026, 2, 14), date(2026, 3, 1)),
    of(Zone::C, date(2026, 2, 21), date(2026, 3, 8)),
    of(Zone::A, date(2026, 4, 4), date(2026, 4, 19)),
    of(Zone::B, date(2026, 4, 11), date(2026, 4, 26)),
    of(Zone::C, date(2026, 4, 18), date(2026, 5, 3)),
    all(date(2026, 5, 15), date(2026, 5, 15)),
    all(date(2026, 7, 4), date(2026, 8, 31)),
    all(date(2026, 10, 17), date(2026, 11, 1)),
    all(date(2026, 12, 19), date(2027, 1, 3)),
    of(Zone::C, date(2027, 2, 6), date(2027, 2, 21)),
    of(Zone::A, date(2027, 2, 13), date(2027, 2, 28)),
    of(Zone::B, date(2027, 2, 20), date(2027, 3, 7)),
    of(Zone::C, date(2027, 4, 3), date(2027, 4, 18)),
    of(Zone::A, date(2027, 4, 10), date(2027, 4, 25)),
    of(Zone::B, date(2027, 4, 17), date(2027, 5, 2)),
    all(date(2027, 5, 7), date(2027, 5, 7)),
    all(date(2027, 7, 3), date(2027, 8, 31)),
];

/// More school days than any rule asks for: counting stops there.
pub const MOST_COUNTED: u32 = 400;

/// School days after `from`, up to and including `to`; at most [`MOST_COUNTED`].
#[must_use]
pub fn school_days_between(from: Date, to: Date, zone: Option<Zone>, closures: &[Closure]) -> u32 {
    let mut days = 0;
    let mut day = from;
    while day < to && days < MOST_COUNTED {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        days += u32::from(is_school_day(day, zone, closures));
    }
    days
}

/// Whether pupils of `zone` have school on `day`; without a zone, whether those of any zone have.
#[must_use]
pub fn is_school_day(day: Date, zone: Option<Zone>, closures: &[Closure]) -> bool {
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) || is_public_holiday(day) {
        return false;
    }
    if !(KNOWN_FROM..=KNOWN_UNTIL).contains(&day) && matches!(day.month(), 7 | 8) {
        return false;
    }
    let closed = |zone: Zone| {
        HOLIDAYS
            .iter()
            .chain(closures)
            .any(|closure| closure.zone.is_none_or(|of| of == zone) && (closure.first..=closure.last).contains(&day))
    };
    match zone {
        Some(zone) => !closed(zone),
        None => !Zone::ALL.iter().all(|zone| closed(*zone)),
    }
}

/// The last school day of the school year that holds `day`: what comes before the summer. A day in the summer belongs
/// to the year that follows it.
#[must_use]
pub fn school_year_end(day: Date, zone: Option<Zone>, closures: &[Closure]) -> Date {
    /// Months of the year in which a hand-over is already for the next school year.
    const FIRST_MONTH_OF_SUMMER: i8 = 7;
    let year = if day.month() >= FIRST_MONTH_OF_SUMMER { day.year().saturating_add(1) } else { day.year() };
    // Summers are known to begin in July: the last school day is in its first days, or at the end of June.
    let mut last = Date::new(year, FIRST_MONTH_OF_SUMMER, 6).unwrap_or(Date::MAX);
    for _ in 0..MOST_COUNTED {
        if is_school_day(last, zone, closures) {
            break;
        }
        let Ok(before) = last.yesterday() else { break };
        last = before;
    }
    last
}

/// Whether `day` is one of the eleven French public holidays (Code du travail, art. L3133-1).
#[must_use]
pub fn is_public_holiday(day: Date) -> bool {
    const FIXED: [(i8, i8); 8] = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    FIXED.contains(&(day.month(), day.day()))
        || easter(day.year()).is_some_and(|easter| {
            let after = easter.until(day).map(|span| span.get_days()).unwrap_or_default();
            // Easter Monday, Ascension Thursday, Whit Monday.
            matches!(after, 1 | 39 | 50)
        })
}

/// Easter Sunday of `year` in the Gregorian calendar (Meeus, *Astronomical Algorithms*, chapter 8).
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let (golden, century, of_century) = (year_number % 19, year_number / 100, year_number % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    let (month, day) = (i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?);
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_hold_no_school_day() {
        for zone in Zone::ALL {
            let christmas = school_days_between(date(2026, 12, 18), date(2027, 1, 3), Some(*zone), &[]);
            assert_eq!(christmas, 0, "{zone}");
            assert_eq!(school_days_between(date(2026, 7, 3), date(2026, 8, 31), Some(*zone), &[]), 0, "{zone}");
        }
        assert_eq!(school_days_between(date(2027, 2, 5), date(2027, 2, 21), Some(Zone::C), &[]), 0);
        assert_eq!(school_days_between(date(2027, 2, 5), date(2027, 2, 21), Some(Zone::A), &[]), 5);
        assert_eq!(school_days_between(date(2027, 2, 5), date(2027, 2, 21), None, &[]), 10, "no day is free for all");
    }

    #[test]
    fn a_school_year_ends_before_its_summer() {
        assert_eq!(school_year_end(date(2025, 9, 1), Some(Zone::A), &[]), date(2026, 7, 3));
        assert_eq!(school_year_end(date(2026, 6, 30), Some(Zone::B), &[]), date(2026, 7, 3));
        assert_eq!(school_year_end(date(2026, 7, 15), None, &[]), date(2027, 7, 2));
        assert_eq!(school_year_end(date(2031, 1, 1), None, &[]), date(2031, 6, 30), "unknown summers hold all of July");
    }

    #[test]
    fn an_ordinary_week_has_five() {
        assert_eq!(school_days_between(date(2026, 11, 15), date(2026, 11, 22), Some(Zone::C), &[]), 5);
        assert!(!is_school_day(date(2026, 11, 11), Some(Zone::C), &[]), "Armistice");
    }

    #[test]
    fn movable_feasts() {
        assert_eq!(easter(2026), Some(date(2026, 4, 5)));
        assert_eq!(easter(2027), Some(date(2027, 3, 28)));
        for feast in [date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25), date(2027, 5, 6), date(2027, 5, 17)] {
            assert!(is_public_holiday(feast), "{feast}");
        }
    }

    #[test]
    fn each_holiday_begins_on_a_saturday_and_ends_on_a_sunday_or_in_summer() {
        for closure in HOLIDAYS.iter().filter(|closure| closure.first != closure.last) {
            assert_eq!(closure.first.weekday(), Weekday::Saturday, "{closure:?}");
            assert!(closure.last.weekday() == Weekday::Sunday || closure.last.month() == 8, "{closure:?}");
        }
    }

    #[test]
    fn a_programme_adds_its_own_closures() {
        let strike = all(date(2026, 11, 16), date(2026, 11, 17));
        assert_eq!(school_days_between(date(2026, 11, 15), date(2026, 11, 22), None, &[strike]), 3);
    }

    #[test]
    fn counting_a_millennium_stops_early() {
        assert_eq!(school_days_between(date(1970, 1, 1), date(9999, 12, 31), None, &[]), MOST_COUNTED);
    }
}
