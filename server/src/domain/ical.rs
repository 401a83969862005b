//! Reads the school holidays of an iCalendar file as the Ministry publishes them for each zone (education.gouv.fr,
//! data.education.gouv.fr): all-day events whose summary says which holidays they are and for which zones.
//!
//! Strict where a mistake would silence an alarm: a file that is not such a calendar, an event without its days or
//! with its days in the wrong order is refused with its line. Events that are no holidays (back to school, teachers'
//! meetings) are left out.

use jiff::civil::Date;

use super::school_calendar::{Closure, Zone};

/// Largest file in bytes: the Ministry's hold about 30 KB.
pub const MAX_BYTES: usize = 1 << 20;
/// Longest holidays in days: a summer, from the last school day to the first. Anything longer is a mistyped year.
const LONGEST_DAYS: i32 = 75;

/// Days without school, as a calendar names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// The days, and the zone; without one, all of them.
    pub closure: Closure,
    /// What the calendar calls them.
    pub label: String,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct InvalidCalendar {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too many bytes.
    #[error("the file is larger than 1 MiB: this is not a school calendar")]
    TooLarge,
    /// Something else than iCalendar.
    #[error("an iCalendar file begins with BEGIN:VCALENDAR")]
    NoCalendar,
    /// The last line is missing.
    #[error("the file ends before END:VCALENDAR: it was cut off")]
    CutOff,
    /// END:VEVENT without its beginning.
    #[error("an event ends that did not begin")]
    NotBegun,
    /// A rule of repetition.
    #[error("an event that repeats is not a school holiday of the Ministry's calendars")]
    Repeats,
    /// A time of day, or no date at all.
    #[error("{0} is not a whole day such as VALUE=DATE:20261017")]
    NoWholeDay(String),
    /// An event without a beginning, by its name.
    #[error("{0}: the event has no first day")]
    NoFirstDay(String),
    /// An event that ends before it begins, by its name.
    #[error("{0}: the last day comes before the first")]
    Backwards(String),
    /// An event that is too long, by its name.
    #[error("{0}: these holidays are longer than {days} days", days = LONGEST_DAYS)]
    TooLong(String),
    /// Nothing for that zone.
    #[error("there are no holidays of zone {0} in this file")]
    NoHolidays(Zone),
}

impl Fault {
    /// Names of all kinds, as in the console's catalogues.
    pub const CODES: [&'static str; 10] = [
        "too-large",
        "no-calendar",
        "cut-off",
        "not-begun",
        "repeats",
        "no-whole-day",
        "no-first-day",
        "backwards",
        "too-long",
        "no-holidays",
    ];

    /// Its kind, and what it is about.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::TooLarge => ("too-large", ""),
            Self::NoCalendar => ("no-calendar", ""),
            Self::CutOff => ("cut-off", ""),
            Self::NotBegun => ("not-begun", ""),
            Self::Repeats => ("repeats", ""),
            Self::NoWholeDay(text) => ("no-whole-day", text),
            Self::NoFirstDay(name) => ("no-first-day", name),
            Self::Backwards(name) => ("backwards", name),
            Self::TooLong(name) => ("too-long", name),
            Self::NoHolidays(zone) => ("no-holidays", zone.as_str()),
        }
    }
}

const fn wrong(line: usize, fault: Fault) -> InvalidCalendar {
    InvalidCalendar { line, fault }
}

#[derive(Default)]
struct Event {
    line: usize,
    first: Option<Date>,
    after: Option<Date>,
    summary: String,
}

/// The holidays in `text` that concern `zone`, in order, each once.
pub fn holidays(text: &str, zone: Zone) -> Result<Vec<Holiday>, InvalidCalendar> {
    if text.len() > MAX_BYTES {
        return Err(wrong(1, Fault::TooLarge));
    }
    let lines = unfolded(text.trim_start_matches('\u{feff}'));
    if lines.first().is_none_or(|(_, line)| !line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(wrong(1, Fault::NoCalendar));
    }
    let (mut found, mut event, mut ended) = (Vec::new(), None::<Event>, false);
    for (number, line) in &lines {
        let (number, Some((name, value))) = (*number, line.split_once(':')) else { continue };
        let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
        match (name.to_ascii_uppercase().as_str(), value.trim()) {
            ("BEGIN", "VEVENT") => event = Some(Event { line: number, ..Event::default() }),
            ("END", "VEVENT") => {
                let event = event.take().ok_or(wrong(number, Fault::NotBegun))?;
                found.extend(holiday(&event, zone)?);
            }
            ("END", "VCALENDAR") => ended = true,
            ("DTSTART", value) => {
                if let Some(event) = &mut event {
                    event.first = Some(date(number, parameters, value)?);
                }
            }
            ("DTEND", value) => {
                if let Some(event) = &mut event {
                    event.after = Some(date(number, parameters, value)?);
                }
            }
            ("SUMMARY", value) => {
                if let Some(event) = &mut event {
                    event.summary = value.replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\");
                }
            }
            ("RRULE" | "RDATE", _) if event.is_some() => {
                return Err(wrong(number, Fault::Repeats));
            }
            _ => {}
        }
    }
    if !ended {
        return Err(wrong(lines.len(), Fault::CutOff));
    }
    found.sort_by_key(|one: &Holiday| (one.closure.first, one.closure.last));
    found.dedup_by_key(|one| one.closure);
    if found.is_empty() {
        return Err(wrong(1, Fault::NoHolidays(zone)));
    }
    Ok(found)
}

/// The lines with their numbers; a line that begins with a space continues the one before (RFC 5545, 3.1).
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

/// A whole day: `20261017`, as `VALUE=DATE`.
fn date(line: usize, parameters: &str, value: &str) -> Result<Date, InvalidCalendar> {
    let whole_days = parameters.split(';').any(|parameter| parameter.eq_ignore_ascii_case("VALUE=DATE"));
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = digits.then(|| Date::strptime("%Y%m%d", value).ok()).flatten();
    parsed.filter(|_| whole_days).ok_or_else(|| wrong(line, Fault::NoWholeDay(label(value))))
}

/// The holiday that an event is, if it is one of `zone`.
fn holiday(event: &Event, zone: Zone) -> Result<Option<Holiday>, InvalidCalendar> {
    let summary = event.summary.to_lowercase();
    let is_summer = summary.contains("été") || summary.contains("ete ");
    let is_holiday = ["vacances", "début des vacances", "pont "].iter().any(|start| summary.starts_with(start));
    if !is_holiday || !concerns(&event.summary, zone) {
        return Ok(None);
    }
    let label = label(&event.summary);
    let first = event.first.ok_or_else(|| wrong(event.line, Fault::NoFirstDay(label.clone())))?;
    // The end is the first day with school again; an event of one day may leave it out.
    let after = event.after.or_else(|| first.tomorrow().ok());
    let last = after.and_then(|after| after.yesterday().ok()).filter(|last| *last >= first);
    let last = last.ok_or_else(|| wrong(event.line, Fault::Backwards(label.clone())))?;
    // The Ministry names only the day on which summer begins: it lasts until the end of August.
    let summer = Date::new(first.year(), 8, 31).unwrap_or(last);
    let last = if is_summer && last < summer && matches!(first.month(), 6 | 7) { summer } else { last };
    if first.until(last).map_or(i32::MAX, |span| span.get_days()) > LONGEST_DAYS {
        return Err(wrong(event.line, Fault::TooLong(label)));
    }
    Ok(Some(Holiday { closure: Closure { zone: Some(zone), first, last }, label }))
}

/// A text of the file, as it may be shown and stored.
fn label(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The holidays in `text` of each zone that it speaks of: of `only` one, or of all.
pub fn by_zone(text: &str, only: Option<Zone>) -> Result<Vec<(Zone, Vec<Holiday>)>, InvalidCalendar> {
    if let Some(zone) = only {
        return Ok(vec![(zone, holidays(text, zone)?)]);
    }
    let mut found = Vec::new();
    let mut nothing = None;
    for zone in Zone::ALL.iter().copied() {
        match holidays(text, zone) {
            Ok(of_zone) => found.push((zone, of_zone)),
            Err(error) if matches!(error.fault, Fault::NoHolidays(_)) => nothing = Some(error),
            Err(error) => return Err(error),
        }
    }
    if found.is_empty() { Err(nothing.unwrap_or(wrong(1, Fault::NoCalendar))) } else { Ok(found) }
}

/// Whether a summary is about `zone`: `- Zone A`, `- Zones A/B`, `- Zones A B C`, or no zone at all, as in the files
/// of one zone.
fn concerns(summary: &str, zone: Zone) -> bool {
    let Some((_, zones)) = summary.split_once("Zone") else { return true };
    zones.trim_start_matches('s').split(|c: char| !c.is_alphanumeric()).any(|word| word == zone.as_str())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const FILE: &str = "\u{feff}BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//education.gouv.fr//FR\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20250114T124531Z\r\nDTSTART;VALUE=DATE:20271023\r\n\
        DTEND;VALUE=DATE:20271108\r\nLOCATION:Aix-Marseille\\, Besan\r\n çon\r\nSUMMARY:Vacances de la Toussaint - Zones A/B/C\r\n\
        END:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20280205\r\nDTEND;VALUE=DATE:20280221\r\nSUMMARY:Vacances d'Hiver - Zones A/B\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20280219\r\nDTEND;VALUE=DATE:20280306\r\nSUMMARY:Vacances d'Hiver - Zo\r\n\tne C\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20280526\r\nSUMMARY:Pont de l'Ascension\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270901\r\nSUMMARY:Rentrée scolaire des élèves - Zones A/B/C\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20280708\r\nDTEND;VALUE=DATE:20280709\r\nSUMMARY:Début des Vacances d'Été - Zones A/B/C\r\nEND:VEVENT\r\n\
        END:VCALENDAR\r\n";

    #[test]
    fn each_zone_gets_its_own_holidays() {
        let of = |zone| {
            let found = holidays(FILE, zone).unwrap();
            found.into_iter().map(|one| (one.closure.first, one.closure.last)).collect::<Vec<_>>()
        };
        let all = [
            (date(2027, 10, 23), date(2027, 11, 7)),
            (date(2028, 2, 19), date(2028, 3, 5)),
            (date(2028, 5, 26), date(2028, 5, 26)),
            (date(2028, 7, 8), date(2028, 8, 31)),
        ];
        assert_eq!(of(Zone::C), all);
        assert_eq!(of(Zone::A)[1], (date(2028, 2, 5), date(2028, 2, 20)));
        assert_eq!(holidays(FILE, Zone::C).unwrap()[1].label, "Vacances d'Hiver - Zone C", "folded lines are joined");
    }

    #[test]
    fn what_is_no_school_calendar_is_refused_with_its_line() {
        let refused = |file: &str| holidays(file, Zone::C).unwrap_err().to_string();
        assert!(refused("<html>").starts_with("line 1: an iCalendar file begins"));
        assert!(refused(FILE.trim_end().trim_end_matches("END:VCALENDAR")).contains("cut off"));
        assert!(refused(&FILE.replace("20271108", "20271001")).starts_with("line 4: Vacances de la Toussaint"));
        assert!(refused(&FILE.replace("20271108", "20281108")).contains("longer than 75 days"));
        assert!(refused(&FILE.replace("20271023", "20271332")).starts_with("line 7: 20271332 is not a whole day"));
        assert!(refused(&FILE.replace("DTSTART;VALUE=DATE:20271023", "DTSTART:20271023T080000")).contains("line 7"));
        assert!(refused(&FILE.replace("UID:1", "RRULE:FREQ=YEARLY")).contains("repeats"));
        assert!(refused("BEGIN:VCALENDAR\nEND:VCALENDAR\n").contains("no holidays of zone C"));
        assert!(refused(&format!("BEGIN:VCALENDAR\n{}", "x".repeat(MAX_BYTES))).contains("1 MiB"));
    }

    #[test]
    fn a_national_file_is_read_for_every_zone_that_it_names() {
        let zones = |file: &str, only| {
            by_zone(file, only)
                .map(|found| found.into_iter().map(|(zone, holidays)| (zone, holidays.len())).collect::<Vec<_>>())
        };
        assert_eq!(zones(FILE, None), Ok(vec![(Zone::A, 4), (Zone::B, 4), (Zone::C, 4)]));
        assert_eq!(zones(FILE, Some(Zone::B)), Ok(vec![(Zone::B, 4)]));
        let of_c = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20280219\nDTEND;VALUE=DATE:20280306\n\
            SUMMARY:Vacances d'Hiver - Zone C\nEND:VEVENT\nEND:VCALENDAR\n";
        assert_eq!(zones(of_c, None), Ok(vec![(Zone::C, 1)]));
        let refused = |file: &str, only| by_zone(file, only).map_err(|error| error.fault.parts().0);
        assert_eq!(refused(of_c, Some(Zone::A)).err(), Some("no-holidays"));
        assert_eq!(refused("BEGIN:VCALENDAR\nEND:VCALENDAR\n", None).err(), Some("no-holidays"));
        assert_eq!(refused(&FILE.replace("20271108", "20271001"), None).err(), Some("backwards"));
    }
}
