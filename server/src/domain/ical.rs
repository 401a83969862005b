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
#[error("line {line}: {reason}")]
pub struct InvalidCalendar {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

fn wrong(line: usize, reason: impl Into<String>) -> InvalidCalendar {
    InvalidCalendar { line, reason: reason.into() }
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
        return Err(wrong(1, "the file is larger than 1 MiB: this is not a school calendar"));
    }
    let lines = unfolded(text.trim_start_matches('\u{feff}'));
    if lines.first().is_none_or(|(_, line)| !line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(wrong(1, "an iCalendar file begins with BEGIN:VCALENDAR"));
    }
    let (mut found, mut event, mut ended) = (Vec::new(), None::<Event>, false);
    for (number, line) in &lines {
        let (number, Some((name, value))) = (*number, line.split_once(':')) else { continue };
        let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
        match (name.to_ascii_uppercase().as_str(), value.trim()) {
            ("BEGIN", "VEVENT") => event = Some(Event { line: number, ..Event::default() }),
            ("END", "VEVENT") => {
                let event = event.take().ok_or_else(|| wrong(number, "an event ends that did not begin"))?;
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
                return Err(wrong(number, "an event that repeats is not a school holiday of the Ministry's calendars"));
            }
            _ => {}
        }
    }
    if !ended {
        return Err(wrong(lines.len(), "the file ends before END:VCALENDAR: it was cut off"));
    }
    found.sort_by_key(|one: &Holiday| (one.closure.first, one.closure.last));
    found.dedup_by_key(|one| one.closure);
    if found.is_empty() {
        return Err(wrong(1, format!("there are no holidays of zone {zone} in this file")));
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
    parsed
        .filter(|_| whole_days)
        .ok_or_else(|| wrong(line, format!("{value} is not a whole day such as VALUE=DATE:20261017")))
}

/// The holiday that an event is, if it is one of `zone`.
fn holiday(event: &Event, zone: Zone) -> Result<Option<Holiday>, InvalidCalendar> {
    let summary = event.summary.to_lowercase();
    let is_summer = summary.contains("été") || summary.contains("ete ");
    let is_holiday = ["vacances", "début des vacances", "pont "].iter().any(|start| summary.starts_with(start));
    if !is_holiday || !concerns(&event.summary, zone) {
        return Ok(None);
    }
    let first =
        event.first.ok_or_else(|| wrong(event.line, format!("{}: the event has no first day", event.summary)))?;
    // The end is the first day with school again; an event of one day may leave it out.
    let after = event.after.or_else(|| first.tomorrow().ok());
    let last = after.and_then(|after| after.yesterday().ok()).filter(|last| *last >= first);
    let last =
        last.ok_or_else(|| wrong(event.line, format!("{}: the last day comes before the first", event.summary)))?;
    // The Ministry names only the day on which summer begins: it lasts until the end of August.
    let summer = Date::new(first.year(), 8, 31).unwrap_or(last);
    let last = if is_summer && last < summer && matches!(first.month(), 6 | 7) { summer } else { last };
    if first.until(last).map_or(i32::MAX, |span| span.get_days()) > LONGEST_DAYS {
        return Err(wrong(
            event.line,
            format!("{}: these holidays are longer than {LONGEST_DAYS} days", event.summary),
        ));
    }
    let label: String = event.summary.chars().filter(|c| !c.is_control()).take(120).collect();
    Ok(Some(Holiday { closure: Closure { zone: Some(zone), first, last }, label }))
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
}
