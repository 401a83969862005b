//! The figures of a year, and the units behind each of them.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    extract::{Path, Query},
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        figures::{Figures, Line, ListName, Model, Saved, Year},
        paris,
    },
    store::figures,
};

/// How many units stand in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CountBody {
    /// Which list.
    list: &'static str,
    /// How many.
    units: usize,
    /// What it is called.
    title: String,
    /// How it is counted.
    means: String,
    /// Of units that are left out, how many for which reason.
    reasons: Vec<ReasonBody>,
}

/// How many units are left out for a reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReasonBody {
    /// A code.
    code: &'static str,
    /// In words.
    detail: String,
    /// How many.
    units: usize,
}

/// A/B of décret 2023-266.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReuseBody {
    /// A/B in thousandths, rounded down; null where B is zero: then it is not defined.
    #[schema(example = 523)]
    per_mille: Option<u64>,
    /// A.
    reused: usize,
    /// B.
    stock: usize,
    /// How many of A are in B.
    reused_of_stock: usize,
    /// The year's target in percent.
    target_percent: Option<u32>,
    /// Whether it is reached; null where the ratio is not defined, or there is no target.
    reached: Option<bool>,
    /// In words.
    detail: String,
}

/// Ages at reform.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgesBody {
    /// At most ten years.
    within: usize,
    /// More.
    over: usize,
    /// Either, as far as is known.
    unknown: usize,
    /// The median age in months of those whose day of purchase is known.
    median_months: Option<i64>,
    /// In words.
    detail: String,
}

/// What refurbished units avoid in a year of use, in grams.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SavedBody {
    /// How many units.
    units: usize,
    /// CO2 equivalent.
    co2_grams: u64,
    /// Materials extracted.
    material_grams: u64,
    /// Electronic waste.
    waste_grams: u64,
}

impl SavedBody {
    fn new(units: usize, saved: Saved) -> Self {
        let Saved { co2_grams, material_grams, waste_grams } = saved;
        Self { units, co2_grams, material_grams, waste_grams }
    }
}

/// What came of a model's orders.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelBody {
    /// Maker and model; null where it is not known, and for all models together.
    model: Option<String>,
    /// Orders that were closed.
    orders: u64,
    /// To be lent again.
    relend: u64,
    /// To be given.
    donate: u64,
    /// For parts.
    parts: u64,
    /// To be recycled.
    recycle: u64,
    /// The share that is fit for use, in thousandths.
    yield_per_mille: Option<u64>,
    /// What the orders cost, in cents.
    cents: u64,
    /// That for each unit that is fit for use.
    cents_per_ready: Option<u64>,
}

impl From<&Model> for ModelBody {
    fn from(model: &Model) -> Self {
        Self {
            model: model.name.clone(),
            orders: model.orders(),
            relend: model.relend,
            donate: model.donate,
            parts: model.parts,
            recycle: model.recycle,
            yield_per_mille: model.yield_per_mille(),
            cents: model.cents,
            cents_per_ready: model.cents_per_ready(),
        }
    }
}

/// A unit behind a number.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FigureUnitBody {
    /// The device.
    device: Uuid,
    /// Its serial number.
    serial_number: Option<String>,
    /// Its label.
    asset_tag: Option<String>,
    /// Maker and model.
    model: Option<String>,
    /// The day that put it there.
    #[schema(example = "2026-06-15")]
    day: String,
    /// What happened then.
    event: String,
    /// When it was reformed, if it was.
    reformed: Option<String>,
    /// It was not bought before this day; null where nothing says so.
    bought_earliest: Option<String>,
    /// It was not bought after this day.
    bought_latest: String,
    /// Whether it was more than ten years old: `within`, `over` or `unknown`.
    age: &'static str,
    /// Why it is left out, where it is.
    reason: Option<&'static str>,
    /// Of an order: minutes on the bench.
    minutes: Option<u64>,
    /// Of an order: what it cost, in cents.
    cents: Option<u64>,
}

impl From<&Line> for FigureUnitBody {
    fn from(line: &Line) -> Self {
        Self {
            device: line.unit.id.0,
            serial_number: line.unit.serial.clone(),
            asset_tag: line.unit.asset_tag.clone(),
            model: line.unit.model.clone(),
            day: line.day.to_string(),
            event: line.event.said().en,
            reformed: line.reformed.map(|day| day.to_string()),
            bought_earliest: line.born.earliest.map(|day| day.to_string()),
            bought_latest: line.born.latest.to_string(),
            age: line.age.as_str(),
            reason: line.reason.map(crate::domain::figures::Reason::as_str),
            minutes: line.work.map(|work| work.minutes),
            cents: line.work.map(crate::domain::figures::Work::cents),
        }
    }
}

/// The figures of a year.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FiguresBody {
    /// The year, in Paris.
    year: i16,
    /// Whether it is over: until then figures change.
    over: bool,
    /// What tells these figures from others: the report names it too.
    fingerprint: String,
    /// A/B.
    reuse: ReuseBody,
    /// Ages at reform.
    ages: AgesBody,
    /// What units that were given avoid.
    given: SavedBody,
    /// What units that were lent again avoid; never to be added to the other.
    lent_again: SavedBody,
    /// All orders of the workshop.
    workshop: ModelBody,
    /// They by model, the most first.
    models: Vec<ModelBody>,
    /// The lists behind the numbers.
    lists: Vec<CountBody>,
    /// The units of the list that was asked for.
    units: Option<Vec<FigureUnitBody>>,
}

/// Which units.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FiguresQuery {
    /// The units of this list too: `reused` (A), `not-reused`, `stock` (B), `not-in-stock`, `reformed`, `given`,
    /// `lent-again`, `no-impact`, `orders` or `reopened`.
    list: Option<String>,
}

/// The figures of a year, and the units behind them
///
/// Roles: administrator, programme manager, refurbisher, auditor, who see all sites. How each is counted: docs/figures.md.
#[utoipa::path(get, path = "/v1/figures/{year}", tag = "figures", params(
    ("year" = i16, Path, description = "From 2021 to the present year."), FiguresQuery), responses(
    (status = 200, body = FiguresBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(year): Path<String>,
    Query(query): Query<FiguresQuery>,
) -> Result<Json<FiguresBody>, Problem> {
    Problem::check(bearer.person.can(Action::SeeFigures, Object::Programme), "")?;
    let today = paris::date(bearer.now);
    let year = year.parse().ok().and_then(|year| Year::new(year, today));
    let year = year.ok_or_else(|| Problem::not_found("There are figures from 2021 to the present year."))?;
    let list = query.list.map(|name| name.parse::<ListName>()).transpose();
    let list = list.map_err(|_| Problem::invalid(format!("`list` is one of {}.", names().join(", "))))?;
    let found = figures::of_year(&mut app.store.read().await?, year, &app.policy).await?;
    Ok(Json(body(&found, list, today >= year.end())))
}

fn names() -> Vec<&'static str> {
    ListName::ALL.iter().map(|name| name.as_str()).collect()
}

fn body(found: &Figures, list: Option<ListName>, over: bool) -> FiguresBody {
    let (reuse, ages, impact) = (&found.reuse, &found.ages, &found.impact);
    FiguresBody {
        year: found.year.number(),
        over,
        fingerprint: found.fingerprint().to_string(),
        reuse: ReuseBody {
            per_mille: reuse.per_mille(),
            reused: reuse.reused.len(),
            stock: reuse.stock.len(),
            reused_of_stock: reuse.reused_of_stock,
            target_percent: reuse.target.map(|target| target.percent),
            reached: reuse.is_reached(),
            detail: found.reuse_said().en,
        },
        ages: AgesBody {
            within: ages.within,
            over: ages.over,
            unknown: ages.unknown,
            median_months: ages.median(),
            detail: found.ages_said().en,
        },
        given: SavedBody::new(impact.given.len(), impact.saved_given),
        lent_again: SavedBody::new(impact.lent_again.len(), impact.saved_lent_again),
        workshop: ModelBody::from(&found.workshop.all),
        models: found.workshop.models.iter().map(ModelBody::from).collect(),
        lists: ListName::ALL.iter().map(|name| count(found, *name)).collect(),
        units: list.map(|name| found.list(name).iter().map(FigureUnitBody::from).collect()),
    }
}

fn count(found: &Figures, name: ListName) -> CountBody {
    let reason = |(reason, units): (crate::domain::figures::Reason, usize)| ReasonBody {
        code: reason.as_str(),
        detail: reason.said().en,
        units,
    };
    CountBody {
        list: name.as_str(),
        units: found.list(name).len(),
        title: name.title().en,
        means: name.means().en,
        reasons: found.reasons(name).into_iter().map(reason).collect(),
    }
}
