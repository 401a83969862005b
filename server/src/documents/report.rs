//! The figures of a year as a report. It is made on demand and not recorded: what tells one from another is the
//! fingerprint of the figures, which the page and the API give too.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Documents,
    data::{self, Title},
    make::MakeError,
};
use crate::domain::{
    document::{DocumentKind, DocumentNumber},
    figures::{Event, Figures, Line, ListName, Model, Reason, said},
    language::Language,
    wording::{Said, money},
};

/// Most units of one list in the report; the workbook has them all.
const MOST_UNITS: usize = 400;
/// Characters of the fingerprint that stand in for a number.
const SHOWN: usize = 8;
/// The lists whose units the report names: those of the ratio.
const ANNEXES: [ListName; 4] = [ListName::Reused, ListName::NotReused, ListName::Stock, ListName::NotInStock];

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    report: Body,
}

#[derive(Debug, Serialize)]
struct Body {
    year: i16,
    standing: String,
    fingerprint: String,
    sections: Vec<Section>,
    models: Vec<ModelRow>,
    notes: Vec<String>,
    annexes: Vec<Annex>,
}

#[derive(Debug, Serialize)]
struct Section {
    title: String,
    value: String,
    sentences: Vec<String>,
    lists: Vec<Counted>,
}

/// A number with what it means, and what is in it.
#[derive(Debug, Serialize)]
struct Counted {
    title: String,
    count: usize,
    means: String,
    parts: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ModelRow {
    model: Option<String>,
    orders: u64,
    relend: u64,
    donate: u64,
    parts: u64,
    recycle: u64,
    share: Option<String>,
    cost: Option<String>,
}

#[derive(Debug, Serialize)]
struct Annex {
    title: String,
    rows: Vec<Row>,
    /// How many more there are.
    more: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    asset_tag: Option<String>,
    serial: Option<String>,
    model: Option<String>,
    day: String,
    what: String,
    age: String,
}

impl Documents {
    /// The report of a year, counted on `today`, in `language`.
    pub async fn yearly_report(
        &self,
        figures: &Figures,
        language: Language,
        today: Date,
    ) -> Result<Vec<u8>, MakeError> {
        let kind = DocumentKind::YearlyReport;
        let template = self.templates().of_kind(kind, None).ok_or(MakeError::Broken)?;
        let year = figures.year.number();
        let fingerprint = figures.fingerprint().to_string();
        let short: String = fingerprint.chars().filter(char::is_ascii_alphanumeric).take(SHOWN).collect();
        let name = format!("{}-{year}-{short}", kind.prefix());
        let letterhead = self.letterhead();
        let link = letterhead.address(&format!("figures?year={year}")).unwrap_or_else(|| name.clone());
        let title = Title {
            number: DocumentNumber { kind, year, serial: 0 },
            language,
            template,
            letterhead,
            owner: None,
            date: today,
            link: Some(&link),
            name: Some(&name),
        };
        self.print(template, data::data(title, report(figures, language, today))).await
    }
}

fn report(figures: &Figures, language: Language, today: Date) -> Report {
    let say = |said: Said| said.in_language(language).to_owned();
    let sections = figures.sections().into_iter().map(|section| Section {
        title: say(section.title),
        value: say(section.value),
        sentences: section.sentences.into_iter().map(say).collect(),
        lists: section.lists.iter().map(|name| counted(figures, *name, say)).collect(),
    });
    let annex = |name: &ListName| {
        let lines = figures.list(*name);
        Annex {
            title: say(name.title()),
            rows: lines.iter().take(MOST_UNITS).map(|line| row(line, say)).collect(),
            more: lines.len().saturating_sub(MOST_UNITS),
        }
    };
    Report {
        report: Body {
            year: figures.year.number(),
            standing: say(said::standing(figures.year, today)),
            fingerprint: figures.fingerprint().to_string(),
            sections: sections.collect(),
            models: figures.workshop.models.iter().map(|model| model_row(model, say)).collect(),
            notes: said::limits().into_iter().map(say).collect(),
            annexes: ANNEXES.iter().map(annex).collect(),
        },
    }
}

fn counted(figures: &Figures, name: ListName, say: impl Fn(Said) -> String + Copy) -> Counted {
    let part = |what: Said, count: usize| format!("{}\u{a0}: {count}", say(what));
    let parts = if name == ListName::Reused {
        figures.reused_by_basis().into_iter().map(|(basis, count)| part(said::basis(basis), count)).collect()
    } else {
        figures.reasons(name).into_iter().map(|(reason, count)| part(reason.said(), count)).collect()
    };
    Counted { title: say(name.title()), count: figures.list(name).len(), means: say(name.means()), parts }
}

fn model_row(model: &Model, say: impl Fn(Said) -> String + Copy) -> ModelRow {
    ModelRow {
        model: model.name.clone(),
        orders: model.orders(),
        relend: model.relend,
        donate: model.donate,
        parts: model.parts,
        recycle: model.recycle,
        share: model.yield_per_mille().map(|share| say(said::share(share))),
        cost: model.cents_per_ready().map(|cents| say(money(cents))),
    }
}

fn row(line: &Line, say: impl Fn(Said) -> String + Copy) -> Row {
    let event = say(line.event.said());
    Row {
        asset_tag: line.unit.asset_tag.clone(),
        serial: line.unit.serial.clone(),
        model: line.unit.model.clone(),
        day: line.day.to_string(),
        what: line.reason.map(Reason::said).map_or_else(
            || event.clone(),
            |reason| {
                if matches!(line.event, Event::Left(_)) { say(reason) } else { format!("{event}. {}", say(reason)) }
            },
        ),
        age: say(line.age.said()),
    }
}

/// Samples that the template is checked with: a year with every number, and one in which nothing happened.
pub(super) fn sample(whole: bool, language: Language) -> Report {
    use crate::domain::figures::{Year, fact::Facts, figures, sample::a_year};
    let today = jiff::civil::date(2026, 11, 29);
    let facts = if whole { a_year() } else { Facts::default() };
    let year = Year::new(2026, today).map(|year| figures(year, &facts, &crate::domain::policy::Policy::default()));
    let nothing = Report {
        report: Body {
            year: 2026,
            standing: String::new(),
            fingerprint: String::new(),
            sections: Vec::new(),
            models: Vec::new(),
            notes: Vec::new(),
            annexes: Vec::new(),
        },
    };
    year.map_or(nothing, |figures| report(&figures, language, today))
}
