//! The pages of imports: the list with its form, and one import through all its states.

use askama::Template;
use cartable_common::UtcMillis;
use serde::Deserialize;

use super::{
    component::{Badge, Choice, Tone, When},
    download::Downloads,
    format,
    i18n::Words,
    shell::{Notice, Shell},
};
use crate::{
    domain::import::{
        Blanks, ImportState, Kind, OutcomeName,
        fault::Fault,
        field::Field,
        foreign::Format,
        mapping::{InvalidMapping, Mapping},
    },
    exchange::{bad_rows, export::ExportKind, ledger::Preview, run},
    store::import::{Import, RowReport},
};

/// Which rows of a report are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReportAsked {
    /// Only this outcome; empty for all.
    pub(super) outcome: String,
    /// After this line.
    pub(super) after: i64,
}

fn tone(state: ImportState) -> Tone {
    match state {
        ImportState::Mapping | ImportState::Checking | ImportState::Applying => Tone::Info,
        ImportState::Checked => Tone::Plain,
        ImportState::Done => Tone::Good,
        ImportState::Refused => Tone::Warning,
        ImportState::Failed => Tone::Critical,
    }
}

fn state_badge(state: ImportState, words: Words) -> Badge {
    Badge::new(tone(state), words.word("import-state", state.as_str()))
}

#[derive(Debug)]
struct Line {
    id: String,
    name: String,
    kind: String,
    state: Badge,
    total: String,
    at: When,
    by: String,
}

/// The list, with the form for a new file.
#[derive(Debug, Template)]
#[template(path = "imports.html")]
pub(super) struct ImportsPage {
    shell: Shell,
    csrf: String,
    problem: Option<String>,
    kinds: Vec<Choice>,
    rows: Vec<Line>,
    downloads: Downloads,
}

impl ImportsPage {
    /// The page for these imports; `problem` tells why the last file was not taken in.
    pub(super) fn new(shell: Shell, imports: Vec<Import>, problem: Option<(Kind, String)>, now: UtcMillis) -> Self {
        let words = shell.words;
        let chosen = problem.as_ref().map(|(kind, _)| *kind);
        let choice = |kind: &Kind| Choice {
            value: kind.as_str().to_owned(),
            label: words.word("import-kind", kind.as_str()),
            selected: chosen == Some(*kind),
        };
        let line = |import: Import| Line {
            id: import.id.to_string(),
            name: import.file_name,
            kind: words.word("import-kind", import.kind.as_str()),
            state: state_badge(import.state, words),
            total: format::number(import.total, words.language),
            at: When::relative(import.created_at, now, words),
            by: import.created_by,
        };
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            problem: problem.map(|(_, problem)| problem),
            kinds: Kind::ALL.iter().map(choice).collect(),
            downloads: Downloads::whole(ExportKind::Imports, words),
            rows: imports.into_iter().map(line).collect(),
            shell,
        }
    }
}

#[derive(Debug)]
struct Column {
    name: String,
    heading: String,
    samples: Vec<String>,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Progress {
    value: i64,
    max: i64,
    text: String,
}

#[derive(Debug)]
struct Row {
    line: String,
    outcome: Badge,
    texts: Vec<String>,
}

/// What was read for the page of an import.
#[derive(Debug)]
pub(super) struct Seen {
    /// Whether the reader may see examples from the file.
    pub(super) samples: bool,
    /// The headings and examples of the file, while its columns may be changed.
    pub(super) preview: Option<Preview>,
    /// Rows of the report, one more than shown when there are more.
    pub(super) rows: Vec<RowReport>,
    /// Rows that are shown.
    pub(super) most: i64,
    /// Only this outcome.
    pub(super) outcome: Option<OutcomeName>,
    /// Why the form was not accepted.
    pub(super) problem: Option<String>,
}

/// One import.
#[expect(clippy::struct_excessive_bools, reason = "each part of the page is there or not")]
#[derive(Debug, Template)]
#[template(path = "import.html")]
pub(super) struct ImportPage {
    shell: Shell,
    csrf: String,
    id: String,
    kind: String,
    state: Badge,
    told: Option<Notice>,
    problem: Option<String>,
    progress: Option<Progress>,
    figures: Vec<(String, String)>,
    may_apply: bool,
    may_be_whole: bool,
    shows_report: bool,
    outcomes: Vec<Choice>,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    has_bad: bool,
    may_map: bool,
    samples_shown: bool,
    columns: Vec<Column>,
    erases: bool,
    may_delete: bool,
}

impl ImportPage {
    /// The page for `import`.
    pub(super) fn new(shell: Shell, import: &Import, mut seen: Seen, asked: &ReportAsked) -> Self {
        let words = shell.words;
        let running = matches!(import.state, ImportState::Checking | ImportState::Applying);
        let counted = !running && import.state != ImportState::Mapping;
        let address = format!("/imports/{}?outcome={}", import.id, asked.outcome);
        let most = usize::try_from(seen.most).unwrap_or(usize::MAX);
        let more = seen.rows.len() > most;
        seen.rows.truncate(most);
        let next = seen.rows.last().filter(|_| more).map(|row| format!("{address}&after={}", row.line));
        let writable = import.counts.new + import.counts.changed > 0;
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            id: import.id.to_string(),
            kind: words.word("import-kind", import.kind.as_str()),
            state: state_badge(import.state, words),
            told: told(import, writable, words),
            problem: seen.problem,
            progress: running.then(|| progress(import, words)),
            figures: if counted { figures(import, words) } else { Vec::new() },
            may_apply: import.state.may_be_written() && writable,
            may_be_whole: run::may_be_whole(import.total),
            shows_report: counted,
            outcomes: outcomes(import, seen.outcome, words),
            rows: seen.rows.iter().map(|report| row(report, words)).collect(),
            first: (asked.after > 0).then(|| address.clone()),
            next,
            has_bad: import.counts.bad > 0,
            may_map: seen.preview.is_some(),
            samples_shown: seen.samples,
            columns: seen.preview.map(|preview| columns(import, preview, seen.samples, words)).unwrap_or_default(),
            erases: import.blanks == Blanks::Erase,
            may_delete: !running,
            shell,
        }
    }
}

fn told(import: &Import, writable: bool, words: Words) -> Option<Notice> {
    let (tone, key) = match (import.state, import.mapping.format) {
        (ImportState::Refused, _) => (Tone::Warning, "import-refused"),
        (ImportState::Failed, _) => (Tone::Critical, "import-failed"),
        (ImportState::Checked, _) if !writable && import.counts.bad == 0 => (Tone::Good, "import-nothing-to-do"),
        (ImportState::Done, _) if !writable => (Tone::Good, "import-nothing-changed"),
        (ImportState::Mapping, Format::SnipeIt) => (Tone::Info, "import-format-snipe-it"),
        (ImportState::Mapping, Format::Glpi) => (Tone::Info, "import-format-glpi"),
        _ => return None,
    };
    Some(Notice { tone, text: words.say(key) })
}

fn progress(import: &Import, words: Words) -> Progress {
    let number = |count| format::number(count, words.language);
    let text = words.with_two("import-progress", &number(import.done), &number(import.total));
    Progress { value: import.done, max: import.total.max(1), text }
}

fn figures(import: &Import, words: Words) -> Vec<(String, String)> {
    let counts = import.counts;
    let named = [
        (counts.new, words.say("import-new")),
        (counts.changed, words.say("import-changed")),
        (counts.same, words.say("import-same")),
        (counts.bad, words.say("import-bad")),
    ];
    named.into_iter().map(|(count, name)| (format::number(count, words.language), name)).collect()
}

fn outcomes(import: &Import, shown: Option<OutcomeName>, words: Words) -> Vec<Choice> {
    let all =
        Choice { value: format!("/imports/{}", import.id), label: words.say("import-all"), selected: shown.is_none() };
    let one = |outcome: OutcomeName| Choice {
        value: format!("/imports/{}?outcome={outcome}", import.id),
        label: words.word("import-outcome", outcome.as_str()),
        selected: shown == Some(outcome),
    };
    let kinds = [OutcomeName::Bad, OutcomeName::Changed, OutcomeName::New];
    std::iter::once(all).chain(kinds.into_iter().map(one)).collect()
}

fn row(report: &RowReport, words: Words) -> Row {
    let tone = match report.outcome {
        OutcomeName::New => Tone::Good,
        OutcomeName::Changed => Tone::Info,
        OutcomeName::Same => Tone::Plain,
        OutcomeName::Bad => Tone::Critical,
    };
    let texts = if report.outcome == OutcomeName::Bad {
        bad_rows::faults(report).iter().map(|fault| said(fault, words)).collect()
    } else {
        changes(report, words)
    };
    let outcome = Badge::new(tone, words.word("import-outcome", report.outcome.as_str()));
    Row { line: format::number(report.line, words.language), outcome, texts }
}

/// A reason in the reader's words, with its column and what stood there.
pub(super) fn said(fault: &Fault, words: Words) -> String {
    let mut text = words.word("import-reason", fault.reason.as_str());
    if let Some(value) = &fault.value {
        text = format!("{text} ({value})");
    }
    match &fault.column {
        None => text,
        Some(column) => {
            // A reason that the store found names its field instead of a heading of the file.
            let name = column.parse::<Field>().map_or_else(|_| column.clone(), |field| heading(field, words));
            words.with_two("import-in-column", &name, &text)
        }
    }
}

fn heading(field: Field, words: Words) -> String {
    field.heading(words.language).to_owned()
}

/// What changes, before and after.
fn changes(report: &RowReport, words: Words) -> Vec<String> {
    let list = report.details.as_array().map_or(&[][..], Vec::as_slice);
    let text = |change: &serde_json::Value, key: &str| change[key].as_str().map(str::to_owned);
    list.iter()
        .filter_map(|change| {
            let field: Field = text(change, "f")?.parse().ok()?;
            let what = match (text(change, "b"), text(change, "a")) {
                (None, None) => words.say("import-personal-changes"),
                (before, after) => {
                    let nothing = || words.say("import-nothing");
                    let (before, after) = (before.unwrap_or_else(nothing), after.unwrap_or_else(nothing));
                    words.with_two("import-before-after", &before, &after)
                }
            };
            Some(words.with_two("import-in-column", &heading(field, words), &what))
        })
        .collect()
}

fn columns(import: &Import, preview: Preview, shown: bool, words: Words) -> Vec<Column> {
    let mapping: &Mapping = &import.mapping;
    let choices = |held: Option<Field>| {
        let none = Choice { value: String::new(), label: words.say("import-not-imported"), selected: held.is_none() };
        let one = |field: &Field| Choice {
            value: field.as_str().to_owned(),
            label: heading(*field, words),
            selected: held == Some(*field),
        };
        std::iter::once(none).chain(Field::of(import.kind).iter().map(one)).collect()
    };
    let samples = preview.samples.into_iter().map(|samples| if shown { samples } else { Vec::new() });
    let column = |(index, (heading, samples)): (usize, (String, Vec<String>))| Column {
        name: format!("column-{index}"),
        heading,
        samples,
        choices: choices(mapping.columns.get(index).copied().flatten()),
    };
    preview.headings.into_iter().zip(samples).enumerate().map(column).collect()
}

/// Why a mapping cannot be used.
pub(super) fn mapping_problem(invalid: InvalidMapping, words: Words) -> String {
    words.say(match invalid {
        InvalidMapping::NoKey => "import-mapping-no-key",
        InvalidMapping::Twice(_) => "import-mapping-twice",
        InvalidMapping::Foreign(_) => "import-mapping-foreign",
    })
}
