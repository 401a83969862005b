//! How many units will be ready by a day, and what holds them up.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{advice::SaidBody, extract::Query, problem::Problem};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        forecast::{
            Bottleneck, Constraint, Forecast, PartOrder, Question, RUNS, ReadyFor, Rests, SEED, Week, constraint_said,
        },
        paris,
        part::PartKind,
        policy::Policy,
    },
    store::forecast_answer,
};

/// What is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForecastQuery {
    /// Ready for what: `donate` unless said otherwise.
    #[param(inline)]
    ready: Option<ReadyFor>,
    /// How many units, 1 to 100,000. Must be said.
    target: Option<u32>,
    /// Until when, that day included, such as 2027-05-15: after today, and within 366 days. Must be said.
    by: Option<String>,
    /// What the dice are thrown with: the same seed gives the same answer to the same state. 1 unless said otherwise.
    seed: Option<u64>,
    /// How many futures are played, 1 to 10,000; 1,000 unless said otherwise.
    runs: Option<u32>,
}

/// How many units are ready on a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastWeekBody {
    /// The day.
    day: String,
    /// Below which 5 % of the futures lie.
    p5: u32,
    /// Below which 25 % lie.
    p25: u32,
    /// The middle one.
    p50: u32,
    /// Below which 75 % lie.
    p75: u32,
    /// Below which 95 % lie.
    p95: u32,
}

/// Which limit is meant.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintName {
    /// Hands at the bench.
    Bench,
    /// Loans that come back late or not at all.
    Returns,
    /// Parts of all kinds.
    Parts,
    /// Parts of one kind and model.
    Part,
}

/// What would be if one limit were none.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BottleneckBody {
    /// The limit.
    constraint: ConstraintName,
    /// Of `part`: the kind.
    part: Option<PartKind>,
    /// Of `part`: the model; null for those that are too few to stand alone.
    model: Option<String>,
    /// It in words.
    said: SaidBody,
    /// The chance then, in percent.
    percent: u32,
    /// The chance with it, in the same futures: fewer are played for this than for the answer.
    percent_now: u32,
    /// The median of units then.
    median: u32,
    /// The median with it.
    median_now: u32,
}

/// A part to order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartOrderBody {
    /// What.
    part: PartKind,
    /// The model that it is to fit; null for those that are too few to stand alone.
    model: Option<String>,
    /// How many.
    quantity: u32,
    /// How many lie on the shelf for that model alone.
    on_shelf: u32,
    /// The price of a piece, in cents.
    unit_cents: u32,
    /// The price of all, in cents.
    cents: u64,
    /// Whether the price is an estimate of the policy.
    price_is_estimated: bool,
}

/// What the answer rests on.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RestsBody {
    /// Loans whose return was seen.
    returns: u32,
    /// Orders that were closed.
    orders: u32,
    /// Working days on which the pace of the bench could be seen.
    pace_days: u32,
    /// Minutes at the bench per working day, as now believed.
    bench_minutes: u32,
    /// Units that may become ready.
    units: u32,
    /// Whether there were more units than are looked at.
    more: bool,
}

impl From<Rests> for RestsBody {
    fn from(rests: Rests) -> Self {
        let Rests { returns, orders, pace_days, bench_minutes, units, more } = rests;
        Self { returns, orders, pace_days, bench_minutes, units, more }
    }
}

/// The answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastBody {
    /// Ready for what.
    ready: ReadyFor,
    /// How many were asked for.
    target: u32,
    /// Until when.
    by: String,
    /// What the dice were thrown with.
    seed: u64,
    /// How many futures were played.
    runs: u32,
    /// In how many of them the target was met.
    met: u32,
    /// The same in percent: never 0 or 100 while some said otherwise.
    percent: u32,
    /// The answer in words.
    sentence: SaidBody,
    /// Units that are ready now.
    ready_now: u32,
    /// Today, every seventh day from it, and the day that was asked for.
    weeks: Vec<ForecastWeekBody>,
    /// What holds the units up most; null where no limit alone does.
    bottleneck: Option<BottleneckBody>,
    /// Every limit that was tried, the one that gains most first.
    limits: Vec<BottleneckBody>,
    /// Parts to order so that none is missing by then, most pieces first.
    parts: Vec<PartOrderBody>,
    /// What it rests on.
    rests_on: RestsBody,
    /// The version of the policy.
    policy_version: String,
}

impl ForecastBody {
    /// What is said of a forecast under a policy.
    #[must_use]
    pub fn new(found: &Forecast, policy: &Policy) -> Self {
        let name = |model: usize| found.models.get(model).cloned().filter(|name| !name.is_empty());
        let limit = |one: &Bottleneck| {
            let (constraint, part) = match one.constraint {
                Constraint::Bench => (ConstraintName::Bench, None),
                Constraint::Returns => (ConstraintName::Returns, None),
                Constraint::Parts => (ConstraintName::Parts, None),
                Constraint::Part(kind, model) => (ConstraintName::Part, Some((kind, model))),
            };
            BottleneckBody {
                constraint,
                part: part.map(|(kind, _)| kind),
                model: part.and_then(|(_, model)| name(model)),
                said: constraint_said(one.constraint, &found.models).into(),
                percent: one.percent,
                percent_now: one.percent_now,
                median: one.median,
                median_now: one.median_now,
            }
        };
        let part = |one: &PartOrder| PartOrderBody {
            part: one.kind,
            model: name(one.model),
            quantity: one.quantity,
            on_shelf: one.on_shelf,
            unit_cents: one.unit_cents,
            cents: one.cents(),
            price_is_estimated: one.estimated,
        };
        let week = |week: &Week| {
            let [p5, p25, p50, p75, p95] = week.units;
            ForecastWeekBody { day: week.day.to_string(), p5, p25, p50, p75, p95 }
        };
        let Question { ready, target, by, seed, runs } = found.question;
        Self {
            ready,
            target,
            by: by.to_string(),
            seed,
            runs,
            met: found.met,
            percent: found.percent(),
            sentence: found.sentence(policy).into(),
            ready_now: found.ready_now,
            weeks: found.weeks.iter().map(week).collect(),
            bottleneck: found.bottleneck.as_ref().map(limit),
            limits: found.relaxed.iter().map(limit).collect(),
            parts: found.parts.iter().map(part).collect(),
            rests_on: found.rests.into(),
            policy_version: policy.version(),
        }
    }
}

/// How many units will be ready by a day
///
/// Roles: administrator, programme manager, technician, refurbisher, auditor, for the programme as a whole. A simulation
/// of returns, bench and parts from what is stored now; docs/forecast.md says how, and what it does not know. Takes a
/// second or two for 21,000 devices.
#[utoipa::path(get, path = "/v1/forecast", tag = "work orders", params(ForecastQuery),
    responses((status = 200, body = ForecastBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Query(asked): Query<ForecastQuery>,
) -> Result<Json<ForecastBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeForecast, Object::Programme), "")?;
    let by = asked.by.and_then(|by| by.parse().ok());
    let by = by.ok_or_else(|| Problem::unprocessable("Say `by`: a day such as 2027-05-15."))?;
    let target = asked.target.ok_or_else(|| Problem::unprocessable("Say `target`: how many units."))?;
    let question = Question {
        ready: asked.ready.unwrap_or(ReadyFor::Donate),
        target,
        by,
        seed: asked.seed.unwrap_or(SEED),
        runs: asked.runs.unwrap_or(RUNS),
    };
    let question = question
        .checked(paris::date(bearer.now))
        .map_err(|error| Problem::unprocessable(format!("This cannot be forecast: {error}.")))?;
    let found = forecast_answer::answer(&app.store, &bearer.person.scope, &app.policy, question, bearer.now).await?;
    Ok(Json(ForecastBody::new(&found, &app.policy)))
}
