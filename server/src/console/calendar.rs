//! The school calendar: until when it is known, what was imported of it, and what a file would change.

use askama::Template;
use cartable_common::UtcMillis;

use super::{
    component::{Badge, Choice, Tone, When},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        calendar_import::{ChangeKind, ClosureChange},
        ical::InvalidCalendar,
        school_calendar::{Closure, KNOWN_UNTIL, Zone},
    },
    store::school_closure::ClosureRow,
};

/// The choice of every zone that a file names.
pub(super) const ALL_ZONES: &str = "all";

/// A file that was sent, and what is asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CalendarForm {
    /// Its zone, or [`ALL_ZONES`].
    pub(super) zone: String,
    /// What the file is called.
    pub(super) name: String,
    /// What it holds.
    pub(super) text: String,
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The word alone.
    Word(&'static str),
    /// The file.
    File(InvalidCalendar),
}

impl Problem {
    fn say(&self, words: Words) -> String {
        match self {
            Self::Word(key) => words.say(key),
            Self::File(invalid) => {
                let (kind, about) = invalid.fault.parts();
                let fault = words.with(&format!("calendar-fault-{kind}"), about);
                words.with_two("calendar-line", &invalid.line.to_string(), &fault)
            }
        }
    }
}

#[derive(Debug)]
struct Change {
    kind: Badge,
    label: String,
    days: String,
    before: Option<String>,
}

/// One zone's school year.
#[derive(Debug)]
struct Year {
    id: String,
    title: String,
    changes: Vec<Change>,
}

/// What a file would change.
#[derive(Debug)]
struct Preview {
    summary: String,
    years: Vec<Year>,
    matters: bool,
    form: CalendarForm,
}

#[derive(Debug)]
struct Known {
    zone: String,
    label: String,
    days: String,
    source: String,
    at: When,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "calendar.html")]
pub(super) struct CalendarPage {
    shell: Shell,
    csrf: String,
    until: Vec<(String, String)>,
    known: Vec<Known>,
    may_import: bool,
    problem: Option<String>,
    zones: Vec<Choice>,
    preview: Option<Preview>,
}

/// What became of the form.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) form: CalendarForm,
    pub(super) problem: Option<Problem>,
    /// What the file would change, where it could be read.
    pub(super) changes: Option<Vec<ClosureChange>>,
}

impl CalendarPage {
    /// The page for what was imported, to somebody who may import or not.
    pub(super) fn new(
        shell: Shell,
        imported: &[ClosureRow],
        may_import: bool,
        Outcome { form, problem, changes }: Outcome,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let known = |one: &ClosureRow| Known {
            zone: one.closure.zone.map_or_else(String::new, |zone| zone.as_str().to_owned()),
            label: one.label.clone(),
            days: days(one.closure, words),
            source: one.source.clone(),
            at: When::relative(one.imported_at, now, words),
        };
        Self {
            csrf: shell.csrf(),
            until: Zone::ALL.iter().map(|zone| until(*zone, imported, words)).collect(),
            known: imported.iter().map(known).collect(),
            may_import,
            problem: problem.map(|problem| problem.say(words)),
            zones: zones(&form.zone, words),
            preview: changes.map(|changes| preview(&changes, form, words)),
            shell,
        }
    }
}

/// A zone, and the last day of which it is known whether there is school.
fn until(zone: Zone, imported: &[ClosureRow], words: Words) -> (String, String) {
    let of_zone = imported.iter().map(|row| row.closure).filter(|closure| closure.zone.is_none_or(|of| of == zone));
    let last = of_zone.map(|closure| closure.last).max().map_or(KNOWN_UNTIL, |last| last.max(KNOWN_UNTIL));
    (words.with("site-zone-named", zone.as_str()), format::civil_date(last, words))
}

fn zones(present: &str, words: Words) -> Vec<Choice> {
    let choice = |value: &str, label: String| Choice { value: value.to_owned(), label, selected: value == present };
    let all = choice(ALL_ZONES, words.say("calendar-all-zones"));
    let one = |zone: &Zone| choice(zone.as_str(), words.with("site-zone-named", zone.as_str()));
    std::iter::once(choice("", words.say("handing-choose"))).chain(Zone::ALL.iter().map(one)).chain([all]).collect()
}

fn days(closure: Closure, words: Words) -> String {
    let day = |day| format::civil_date(day, words);
    words.with_two("calendar-from-to", &day(closure.first), &day(closure.last))
}

fn preview(changes: &[ClosureChange], form: CalendarForm, words: Words) -> Preview {
    let count = |kind: ChangeKind| changes.iter().filter(|change| change.kind == kind).count();
    let counted = ChangeKind::ALL.iter().map(|kind| {
        let count = i64::try_from(count(*kind)).unwrap_or(i64::MAX);
        words.count(&format!("calendar-count-{kind}"), count)
    });
    let mut years: Vec<Year> = Vec::new();
    for change in changes {
        let (zone, year) = (change.zone, change.school_year());
        let id = format!("year-{}-{year}", zone.as_str().to_lowercase());
        if years.last().is_none_or(|last| last.id != id) {
            let name = format!("{year}-{}", year.saturating_add(1));
            let title = words.with_two("calendar-zone-year", zone.as_str(), &name);
            years.push(Year { id, title, changes: Vec::new() });
        }
        if let Some(last) = years.last_mut() {
            last.changes.push(changed(change, words));
        }
    }
    let matters = changes.iter().any(ClosureChange::matters);
    Preview { summary: counted.collect::<Vec<_>>().join(" · "), years, matters, form }
}

fn changed(change: &ClosureChange, words: Words) -> Change {
    let tone = match change.kind {
        ChangeKind::New => Tone::Good,
        ChangeKind::Moved => Tone::Warning,
        ChangeKind::Same => Tone::Plain,
        ChangeKind::Gone => Tone::Critical,
    };
    Change {
        kind: Badge::new(tone, words.word("calendar-change", change.kind.as_str())),
        label: change.label.clone(),
        days: days(change.closure, words),
        before: change.before.map(|before| words.with("calendar-before", &days(before, words))),
    }
}
