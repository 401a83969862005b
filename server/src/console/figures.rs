//! The figures of a year: each number with its sentence, and the way to the units behind it; the report as files.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::civil::Date;
use serde::Deserialize;

use super::{
    component::{Badge, Choice, Tone},
    device_list::{Nonsense, device_name, optional},
    download::{self, Downloads},
    error::{Refusal, require},
    format,
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{
        figures::{FIRST_YEAR, Figures, Line, ListName, Model, Reason, Year, said},
        paris,
        wording::money,
    },
    exchange::figures::{sheet, workbook},
    store::figures,
};

/// Units on a page of a list.
const UNITS_A_PAGE: usize = 100;

/// What an address asks for; without a year, the present one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    year: String,
    list: String,
    page: String,
}

/// The year that an address names.
fn year_of(text: &str, today: Date) -> Result<Year, Refusal> {
    let number = if text.is_empty() { today.year() } else { text.parse().map_err(|_| Refusal::Nonsense)? };
    Year::new(number, today).ok_or(Refusal::NoFigures)
}

#[derive(Debug)]
struct Counted {
    title: String,
    count: String,
    href: String,
    means: String,
    parts: Vec<String>,
}

#[derive(Debug)]
struct Block {
    id: &'static str,
    title: String,
    value: String,
    sentences: Vec<String>,
    lists: Vec<Counted>,
}

#[derive(Debug)]
struct ModelRow {
    name: String,
    counts: [String; 5],
    share: String,
    cost: String,
}

/// The page of a year.
#[derive(Debug, Template)]
#[template(path = "figures.html")]
pub(super) struct FiguresPage {
    shell: Shell,
    years: Vec<Choice>,
    year: i16,
    standing: String,
    target: Badge,
    blocks: Vec<Block>,
    models: Vec<ModelRow>,
    notes: Vec<String>,
    fingerprint: String,
}

impl FiguresPage {
    /// The page of these figures, counted on `today`.
    pub(super) fn new(shell: Shell, figures: &Figures, today: Date) -> Self {
        let words = shell.words;
        let year = figures.year.number();
        let choice =
            |number: i16| Choice { value: number.to_string(), label: number.to_string(), selected: number == year };
        let blocks = figures.sections().into_iter().map(|section| Block {
            id: section.id,
            title: words.said(&section.title),
            value: words.said(&section.value),
            sentences: section.sentences.iter().map(|said| words.said(said)).collect(),
            lists: section.lists.iter().map(|name| counted(figures, *name, words)).collect(),
        });
        Self {
            years: (FIRST_YEAR..=today.year()).rev().map(choice).collect(),
            year,
            standing: words.said(&said::standing(figures.year, today)),
            target: target(figures, words),
            blocks: blocks.collect(),
            models: figures.workshop.models.iter().map(|model| model_row(model, words)).collect(),
            notes: said::limits().iter().map(|said| words.said(said)).collect(),
            fingerprint: figures.fingerprint().to_string(),
            shell,
        }
    }
}

fn target(figures: &Figures, words: Words) -> Badge {
    let percent = figures
        .reuse
        .target
        .map_or_else(String::new, |target| format::percent(i64::from(target.percent), words.language));
    match (figures.reuse.target, figures.reuse.is_reached()) {
        (None, _) => Badge::new(Tone::Plain, words.say("figures-no-target")),
        (Some(_), None) => Badge::new(Tone::Unknown, words.with("figures-target-undefined", &percent)),
        (Some(_), Some(true)) => Badge::new(Tone::Good, words.with("figures-target-reached", &percent)),
        (Some(_), Some(false)) => Badge::new(Tone::Warning, words.with("figures-target-missed", &percent)),
    }
}

fn amount(count: usize, words: Words) -> String {
    format::number(i64::try_from(count).unwrap_or(i64::MAX), words.language)
}

fn counted(figures: &Figures, name: ListName, words: Words) -> Counted {
    let part = |what: String, count: usize| words.with_two("figures-part", &what, &amount(count, words));
    let parts = if name == ListName::Reused {
        let by_basis = figures.reused_by_basis().into_iter();
        by_basis.map(|(basis, count)| part(words.said(&said::basis(basis)), count)).collect()
    } else {
        let reasons = figures.reasons(name).into_iter();
        reasons.map(|(reason, count)| part(words.said(&reason.said()), count)).collect()
    };
    Counted {
        title: words.said(&name.title()),
        count: amount(figures.list(name).len(), words),
        href: format!("/figures?year={}&list={name}", figures.year.number()),
        means: words.said(&name.means()),
        parts,
    }
}

fn model_row(model: &Model, words: Words) -> ModelRow {
    let shown = |count: u64| format::number(i64::try_from(count).unwrap_or(i64::MAX), words.language);
    let none = || "–".to_owned();
    ModelRow {
        name: model.name.clone().unwrap_or_else(|| words.say("figures-model-unknown")),
        counts: [model.orders(), model.relend, model.donate, model.parts, model.recycle].map(shown),
        share: model.yield_per_mille().map_or_else(none, |share| words.said(&said::share(share))),
        cost: model.cents_per_ready().map_or_else(none, |cents| words.said(&money(cents))),
    }
}

#[derive(Debug)]
struct UnitRow {
    href: String,
    name: String,
    tag: Option<String>,
    model: Option<String>,
    day: String,
    event: String,
    reason: Option<String>,
    reformed: Option<String>,
    age: String,
    born: String,
    cost: Option<(String, String)>,
}

/// The page of the units behind a number.
#[derive(Debug, Template)]
#[template(path = "figures_list.html")]
pub(super) struct FiguresListPage {
    shell: Shell,
    back: String,
    back_label: String,
    means: String,
    rows: Vec<UnitRow>,
    costs: bool,
    total: String,
    first: Option<String>,
    next: Option<String>,
    downloads: Downloads,
}

impl FiguresListPage {
    /// The list, from its page of that number on, counted from zero.
    pub(super) fn new(shell: Shell, figures: &Figures, name: ListName, page: usize) -> Self {
        let words = shell.words;
        let (year, lines) = (figures.year.number(), figures.list(name));
        let from = page.saturating_mul(UNITS_A_PAGE);
        let address = format!("/figures?year={year}&list={name}");
        let rows = lines.iter().skip(from).take(UNITS_A_PAGE).map(|line| unit_row(line, words)).collect();
        Self {
            back: format!("/figures?year={year}"),
            back_label: words.with("figures-of", &year.to_string()),
            means: words.said(&name.means()),
            rows,
            costs: name == ListName::Orders,
            total: words.count("devices-found", i64::try_from(lines.len()).unwrap_or(i64::MAX)),
            first: (page > 0).then(|| address.clone()),
            next: (from.saturating_add(UNITS_A_PAGE) < lines.len()).then(|| format!("{address}&page={}", page + 1)),
            downloads: Downloads::new(&format!("/figures/{year}/{name}"), |path| format!("{path}?"), words),
            shell,
        }
    }
}

fn unit_row(line: &Line, words: Words) -> UnitRow {
    let (unit, day) = (&line.unit, |day: Date| format::civil_date(day, words));
    UnitRow {
        href: format!("/devices/{}", unit.id),
        name: device_name(unit.serial.as_deref(), unit.asset_tag.as_deref(), unit.id),
        tag: unit.asset_tag.clone().filter(|_| unit.serial.is_some()),
        model: unit.model.clone(),
        day: day(line.day),
        event: words.said(&line.event.said()),
        reason: line.reason.map(Reason::said).map(|said| words.said(&said)),
        reformed: line.reformed.filter(|reformed| *reformed != line.day).map(day),
        age: words.said(&line.age.said()),
        born: words.said(&line.born.said()),
        cost: line.work.map(|work| {
            let minutes = i64::try_from(work.minutes).unwrap_or(i64::MAX);
            (words.said(&money(work.cents())), words.count("figures-minutes", minutes))
        }),
    }
}

/// `GET /figures`
pub(super) async fn page(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeFigures, Object::Programme))?;
    let today = paris::date(signed_in.now);
    let year = year_of(&asked.year, today)?;
    let list: Option<ListName> = optional(&asked.list)?;
    let number: Option<usize> =
        if asked.page.is_empty() { None } else { Some(asked.page.parse().map_err(|_| Nonsense)?) };
    let found = figures::of_year(&mut app.store.read().await?, year, &app.policy).await?;
    let words = visitor.words;
    if let Some(name) = list {
        let title = words.with_two("figures-list-title", &words.said(&name.title()), &year.number().to_string());
        let shell = visitor.shell(Section::Figures, title, &signed_in);
        return Ok(shell::page(StatusCode::OK, &FiguresListPage::new(shell, &found, name, number.unwrap_or_default())));
    }
    let title = words.with("figures-of", &year.number().to_string());
    let shell = visitor.shell(Section::Figures, title, &signed_in);
    Ok(shell::page(StatusCode::OK, &FiguresPage::new(shell, &found, today)))
}

/// `GET /figures/{year}/{file}`: `report.pdf`, `report.xlsx`, or a list such as `reused.csv`.
pub(super) async fn file(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path((year, file)): Path<(String, String)>,
    Query(how): Query<download::Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeFigures, Object::Programme))?;
    require(signed_in.person.can(Action::ExportData, Object::OwnScope))?;
    let today = paris::date(signed_in.now);
    let year = year_of(&year, today)?;
    let language = visitor.words.language;
    let (name, _) = file.split_once('.').ok_or(Refusal::NotFound)?;
    let list = if name == "report" { None } else { Some(name.parse::<ListName>().map_err(|_| Refusal::NotFound)?) };
    let found = figures::of_year(&mut app.store.read().await?, year, &app.policy).await?;
    let number = year.number();
    if let Some(list) = list {
        return download::send(&app, &format!("{number}-{file}"), &how, sheet(&found, list, language)).await;
    }
    let (kind, bytes) = match file.as_str() {
        "report.pdf" => ("application/pdf", app.documents.yearly_report(&found, language, today).await?),
        "report.xlsx" => {
            let book = tokio::task::spawn_blocking(move || workbook(&found, language, today)).await;
            let bytes = book.map_err(|_| Refusal::Broken)?.map_err(|error| {
                tracing::error!(%error, "a yearly report could not be written");
                Refusal::Broken
            })?;
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", bytes)
        }
        _ => return Err(Refusal::NotFound),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"cartable-{number}-{file}\"")),
    ];
    Ok((headers, bytes).into_response())
}
