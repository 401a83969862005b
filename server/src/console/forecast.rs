//! How many units will be ready by a day: a sentence, a fan, what holds it up, and the parts to order.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use cartable_common::UtcMillis;
use jiff::{Span, civil::Date};
use serde::Deserialize;

use super::{
    chart::Legend,
    chart_fan::Fan,
    component::{Badge, Choice, Tone},
    download::{self, Downloads},
    error::{Refusal, require},
    forecast_sheet::parts_to_order,
    format,
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{
        forecast::{
            Forecast, InvalidQuestion, MOST_TARGET, PartOrder, Question, RUNS, ReadyFor, SEED, constraint_said,
            days_between,
        },
        paris,
        policy::Policy,
    },
    store::forecast_answer,
};

/// What the form proposes where no day was asked for: a school term from today.
const DAYS_AHEAD: i64 = 90;

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) ready: String,
    pub(super) target: String,
    pub(super) by: String,
    pub(super) seed: String,
}

impl Asked {
    /// The question; none where nothing was asked yet, or the key of what is wrong with it.
    pub(super) fn question(&self, today: Date) -> Result<Option<Question>, &'static str> {
        if self.target.is_empty() && self.by.is_empty() {
            return Ok(None);
        }
        let ready = match self.ready.as_str() {
            "" => ReadyFor::Donate,
            other => other.parse().map_err(|_| "forecast-problem-ready")?,
        };
        let target = self.target.trim().parse().map_err(|_| "forecast-problem-target")?;
        let by = self.by.trim().parse().map_err(|_| "forecast-problem-by")?;
        let seed = match self.seed.trim() {
            "" => SEED,
            typed => typed.parse().map_err(|_| "forecast-problem-seed")?,
        };
        let question = Question { ready, target, by, seed, runs: RUNS };
        question.checked(today).map(Some).map_err(|error| match error {
            InvalidQuestion::By => "forecast-problem-by",
            InvalidQuestion::Target => "forecast-problem-target",
            InvalidQuestion::Runs => "forecast-problem-seed",
        })
    }
}

#[derive(Debug)]
struct WeekLine {
    day: String,
    units: Vec<String>,
}

#[derive(Debug)]
struct LimitLine {
    name: String,
    chance: String,
    median: String,
    most: Option<Badge>,
}

#[derive(Debug)]
pub(super) struct PartLine {
    pub(super) part: String,
    pub(super) model: String,
    pub(super) quantity: String,
    pub(super) on_shelf: String,
    pub(super) price: String,
    pub(super) all: String,
    pub(super) estimated: bool,
}

#[derive(Debug)]
struct Answer {
    sentence: String,
    chance: String,
    now: String,
    chart: Fan,
    weeks: Vec<WeekLine>,
    heads: Vec<String>,
    limits: Vec<LimitLine>,
    limits_now: String,
    parts: Vec<PartLine>,
    parts_cost: String,
    downloads: Downloads,
    rests: Vec<String>,
    more: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "forecast.html")]
pub(super) struct ForecastPage {
    shell: Shell,
    problem: Option<String>,
    ready: Vec<Choice>,
    target: String,
    by: String,
    seed: String,
    first: String,
    last: String,
    most: u32,
    answer: Option<Answer>,
}

impl ForecastPage {
    /// The page with what was asked, and what came of it.
    pub(super) fn new(
        shell: Shell,
        asked: &Asked,
        found: Result<Option<&Forecast>, &'static str>,
        policy: &Policy,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let today = paris::date(now);
        let after = |days: i64| Span::new().try_days(days).and_then(|span| today.checked_add(span)).unwrap_or(today);
        let (found, problem) = match found {
            Ok(found) => (found, None),
            Err(key) => (None, Some(words.say(key))),
        };
        let ready = ReadyFor::ALL.iter().map(|one| Choice {
            value: one.to_string(),
            label: words.word("forecast-ready", one.as_str()),
            selected: asked.ready == one.as_str(),
        });
        Self {
            problem,
            ready: ready.collect(),
            target: asked.target.clone(),
            by: if asked.by.is_empty() { after(DAYS_AHEAD).to_string() } else { asked.by.clone() },
            seed: if asked.seed.is_empty() { SEED.to_string() } else { asked.seed.clone() },
            first: after(1).to_string(),
            last: after(i64::from(crate::domain::forecast::MOST_DAYS)).to_string(),
            most: MOST_TARGET,
            answer: found.map(|found| answer(found, policy, words)),
            shell,
        }
    }
}

fn answer(found: &Forecast, policy: &Policy, words: Words) -> Answer {
    let units = |count: u32| format::number(i64::from(count), words.language);
    let percent = |share: u32| format::percent(i64::from(share), words.language);
    let limits = found.relaxed.iter().map(|one| LimitLine {
        name: words.said(&constraint_said(one.constraint, &found.models)),
        chance: percent(one.percent),
        median: units(one.median),
        most: found
            .bottleneck
            .filter(|most| most.constraint == one.constraint)
            .map(|_| Badge::new(Tone::Warning, words.say("forecast-bottleneck"))),
    });
    let now = found.relaxed.first().map_or_else(String::new, |one| {
        words.with_two("forecast-limits-now", &percent(one.percent_now), &units(one.median_now))
    });
    let cost: u64 = found.parts.iter().map(PartOrder::cents).sum();
    let weeks = found.weeks.iter().map(|week| WeekLine {
        day: format::civil_date(week.day, words),
        units: week.units.iter().map(|count| units(*count)).collect(),
    });
    let rests = &found.rests;
    Answer {
        sentence: words.said(&found.sentence(policy)),
        chance: percent(found.percent()),
        now: units(found.ready_now),
        chart: fan(found, words),
        weeks: weeks.collect(),
        heads: ["5", "25", "50", "75", "95"].map(|share| words.with("forecast-below", share)).to_vec(),
        limits: limits.collect(),
        limits_now: now,
        parts: part_lines(found, words),
        parts_cost: format::euros(i64::try_from(cost).unwrap_or(i64::MAX), words.language),
        downloads: downloads(found, words),
        rests: vec![
            words.count("forecast-rests-units", i64::from(rests.units)),
            words.count("forecast-rests-returns", i64::from(rests.returns)),
            words.count("forecast-rests-orders", i64::from(rests.orders)),
            words.with_two("forecast-rests-pace", &units(rests.bench_minutes), &units(rests.pace_days)),
            words.with_two("forecast-rests-runs", &units(found.question.runs), &found.question.seed.to_string()),
        ],
        more: rests.more,
    }
}

fn fan(found: &Forecast, words: Words) -> Fan {
    let first = found.weeks.first().map_or(found.question.by, |week| week.day);
    let points: Vec<(i64, [i64; 5])> =
        found.weeks.iter().map(|week| (i64::from(days_between(first, week.day)), week.units.map(i64::from))).collect();
    let day = format::civil_date(found.question.by, words);
    let target = format::number(i64::from(found.question.target), words.language);
    let last = found
        .weeks
        .last()
        .map_or([0; 5], |week| week.units)
        .map(|count| format::number(i64::from(count), words.language));
    let [low, _, middle, _, high] = last;
    let legend = Legend {
        label: String::new(),
        from: format::civil_date(first, words),
        peak: words.with("forecast-wanted", &target),
        to: day.clone(),
    };
    let title = words.with("forecast-chart", &day);
    let describes = format!(
        "{} {}",
        words.with_two("forecast-chart-ends", &low, &high),
        words.with("forecast-chart-middle", &middle)
    );
    let keys = ["forecast-key-outer", "forecast-key-inner", "forecast-key-middle", "forecast-key-target"];
    Fan::new(&points, i64::from(found.question.target), (title, describes), legend, keys.map(|key| words.say(key)))
}

/// The parts to order, as lists show them.
pub(super) fn part_lines(found: &Forecast, words: Words) -> Vec<PartLine> {
    let line = |one: &PartOrder| {
        let model = found.models.get(one.model).filter(|name| !name.is_empty());
        PartLine {
            part: words.word("part-kind", one.kind.as_str()),
            model: model.cloned().unwrap_or_else(|| words.say("forecast-other-models")),
            quantity: format::number(i64::from(one.quantity), words.language),
            on_shelf: format::number(i64::from(one.on_shelf), words.language),
            price: format::euros(i64::from(one.unit_cents), words.language),
            all: format::euros(i64::try_from(one.cents()).unwrap_or(i64::MAX), words.language),
            estimated: one.estimated,
        }
    };
    found.parts.iter().map(line).collect()
}

fn downloads(found: &Forecast, words: Words) -> Downloads {
    let Question { ready, target, by, seed, .. } = found.question;
    let address = |path: &str| format!("{path}?ready={ready}&target={target}&by={by}&seed={seed}&");
    Downloads::new("/forecast/parts", address, words)
}

/// `GET /forecast`
pub(super) async fn page(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeForecast, Object::Programme))?;
    let question = asked.question(paris::date(signed_in.now));
    let found = match question {
        Ok(Some(question)) => {
            Some(forecast_answer::answer(&app.store, &person.scope, &app.policy, question, signed_in.now).await?)
        }
        Ok(None) | Err(_) => None,
    };
    let status = if question.is_err() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Forecast, visitor.words.say("forecast-title"), &signed_in);
    let shown = question.map(|_| found.as_ref());
    Ok(shell::page(status, &ForecastPage::new(shell, &asked, shown, &app.policy, signed_in.now)))
}

/// `GET /forecast/{file}`: `parts.csv`, `parts.xlsx`
pub(super) async fn export(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(file): Path<String>,
    Query(asked): Query<Asked>,
    Query(how): Query<download::Asked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeForecast, Object::Programme))?;
    if !["parts.csv", "parts.xlsx"].contains(&file.as_str()) {
        return Err(Refusal::NotFound);
    }
    let question = asked.question(paris::date(signed_in.now)).map_err(|_| Refusal::Nonsense)?;
    let question = question.ok_or(Refusal::Nonsense)?;
    let found = forecast_answer::answer(&app.store, &person.scope, &app.policy, question, signed_in.now).await?;
    download::send(&app, &file, &how, parts_to_order(&found, visitor.words)).await
}
