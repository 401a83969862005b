//! The stock of parts: what there is, what it costs, what came from other units.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::record,
    component::{Choice, When},
    device_list::{address, optional},
    error::{Refusal, require},
    format,
    i18n::Words,
    once,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        forecast::Wanting,
        part::{NewPart, PartKind, cents},
    },
    store::{
        forecast,
        part::{self, PartRow, Stock, UseRow},
        work_order_act::counted,
    },
};

/// The kinds of parts to choose from.
pub(super) fn kinds(chosen: Option<PartKind>, words: Words) -> Vec<Choice> {
    let choice = |kind: &PartKind| Choice {
        value: kind.to_string(),
        label: words.word("part-kind", kind.as_str()),
        selected: Some(*kind) == chosen,
    };
    PartKind::ALL.iter().map(choice).collect()
}

/// A part in stock.
#[derive(Debug)]
pub(super) struct PartLine {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) model: String,
    pub(super) origin: String,
    pub(super) from: Option<String>,
    pub(super) price: String,
    pub(super) count: i64,
}

impl PartLine {
    /// The line of a part.
    pub(super) fn new(part: &PartRow, words: Words) -> Self {
        Self {
            id: part.id,
            kind: words.word("part-kind", part.kind.as_str()),
            model: part.model.clone().unwrap_or_else(|| words.say("part-any-model")),
            origin: words.word("part-origin", part.origin.as_str()),
            from: part.from_order.map(|order| format!("/work-orders/{order}")),
            price: format::euros(part.unit_cents, words.language),
            count: part.count,
        }
    }
}

/// A part that was used.
#[derive(Debug)]
pub(super) struct UsedLine {
    pub(super) what: String,
    pub(super) origin: String,
    pub(super) price: String,
    pub(super) when: When,
}

impl UsedLine {
    /// The line of a use.
    pub(super) fn new(used: &UseRow, words: Words) -> Self {
        Self {
            what: words.word("part-kind", used.kind.as_str()),
            origin: words.word("part-origin", used.origin.as_str()),
            price: format::euros(used.unit_cents * used.count, words.language),
            when: When::exact(used.at, words),
        }
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PartsAsked {
    pub(super) kind: String,
    pub(super) all: Option<String>,
    /// Where the page before ended.
    pub(super) after: String,
}

impl PartsAsked {
    /// The address of the page after that part, or of the first one.
    fn address(&self, after: Option<Uuid>) -> String {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let all = if self.all.is_some() { "yes" } else { "" };
        address("/parts", &[("kind", self.kind.as_str()), ("all", all), ("after", after.as_str())])
    }
}

/// A part as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PartForm {
    pub(super) kind: String,
    pub(super) model: String,
    pub(super) price: String,
    pub(super) count: String,
    /// What tells this form from every other: see [`super::once`].
    pub(super) once: String,
}

impl PartForm {
    /// The id of what it makes, with what else was typed.
    pub(super) fn id(&self, more: &[&str]) -> Uuid {
        let typed = [&[self.kind.as_str(), &self.model, &self.price, &self.count][..], more].concat();
        once::id(&self.once, &typed).unwrap_or_else(Uuid::now_v7)
    }

    /// What it says, or the key of what is wrong with it.
    pub(super) fn read(&self) -> Result<NewPart, &'static str> {
        let kind: PartKind = self.kind.parse().map_err(|_| "bench-refused-bad-part")?;
        let cents = cents(&self.price).ok_or("part-problem-price")?;
        let count = self.count.trim().parse().map_err(|_| "part-problem-count")?;
        NewPart::new(kind, &self.model, cents, count).map_err(|_| "bench-refused-bad-part")
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "parts.html")]
pub(super) struct PartsPage {
    shell: Shell,
    csrf: String,
    may_act: bool,
    problem: Option<String>,
    filter: Vec<Choice>,
    all: bool,
    kinds: Vec<Choice>,
    form: PartForm,
    lines: Vec<PartLine>,
    value: String,
    /// Where the first page is, from another one.
    first: Option<String>,
    /// Where the next page is.
    next: Option<String>,
    /// What is missing on the benches today.
    wanting: Vec<String>,
    /// Whether the forecast is for this reader.
    forecast: bool,
}

impl PartsPage {
    /// The page for this stock.
    pub(super) fn new(
        shell: Shell,
        stock: &Stock,
        asked: &PartsAsked,
        (may_act, problem, form): (bool, Option<String>, PartForm),
        (wanting, models): (&[Wanting], &[String]),
    ) -> Self {
        let words = shell.words;
        let kind: Option<PartKind> = asked.kind.parse().ok();
        let any = Choice { value: String::new(), label: words.say("part-all-kinds"), selected: kind.is_none() };
        Self {
            csrf: shell.csrf(),
            may_act,
            problem,
            filter: std::iter::once(any).chain(kinds(kind, words)).collect(),
            all: asked.all.is_some(),
            kinds: kinds(form.kind.parse().ok(), words),
            form,
            lines: stock.parts.iter().map(|part| PartLine::new(part, words)).collect(),
            value: format::euros(stock.value_cents, words.language),
            first: (!asked.after.is_empty()).then(|| asked.address(None)),
            next: stock.next.map(|after| asked.address(Some(after))),
            wanting: wanting.iter().map(|one| wanted(*one, models, words)).collect(),
            forecast: shell.person.as_ref().is_some_and(|person| person.offered.contains(&"/forecast")),
            shell,
        }
    }
}

/// A part to order, in words.
fn wanted(one: Wanting, models: &[String], words: Words) -> String {
    let part = words.word("part-kind", one.kind.as_str());
    let named = models.get(one.model).filter(|name| !name.is_empty());
    let what = named.map_or_else(|| part.clone(), |name| format!("{part} · {name}"));
    words.with_two("parts-wanting-line", &format::number(i64::from(one.pieces), words.language), &what)
}

/// `GET /parts`
pub(super) async fn parts(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<PartsAsked>,
) -> Result<Response, Refusal> {
    show(&app, &signed_in, &visitor, &asked, (StatusCode::OK, None, PartForm::default())).await
}

async fn show(
    app: &App,
    signed_in: &SignedIn,
    visitor: &Visitor,
    asked: &PartsAsked,
    (status, problem, mut form): (StatusCode, Option<String>, PartForm),
) -> Result<Response, Refusal> {
    if form.once.is_empty() {
        form.once = once::mark();
    }
    require(signed_in.person.can(Action::SeeWorkOrders, Object::OwnScope))?;
    let (kind, after) = (optional(&asked.kind)?, optional(&asked.after)?);
    let mut tx = app.store.read().await?;
    let stock = part::list(&mut tx, kind, asked.all.is_some(), after).await?;
    let (wanting, models) =
        forecast::wanting_today(&mut tx, &signed_in.person.scope, &app.policy, signed_in.now).await?;
    let may_act = signed_in.person.can(Action::WorkOnOrders, Object::OwnScope).is_allowed();
    let shell = visitor.shell(Section::Parts, visitor.words.say("parts-title"), signed_in);
    let said = (may_act, problem, form);
    Ok(shell::page(status, &PartsPage::new(shell, &stock, asked, said, (&wanting, &models))))
}

/// `POST /parts`
pub(super) async fn add(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<PartForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::WorkOnOrders, Object::OwnScope))?;
    let new = match form.read() {
        Ok(new) => new,
        Err(problem) => {
            let told = (StatusCode::UNPROCESSABLE_ENTITY, Some(visitor.words.say(problem)), form);
            return show(&app, &signed_in, &visitor, &PartsAsked::default(), told).await;
        }
    };
    let mut tx = app.store.write().await?;
    let id = form.id(&[]);
    if part::find(&mut tx, id).await?.is_some() {
        return Ok(Redirect::to("/parts?done=already").into_response());
    }
    part::insert(&mut tx, id, &new, None, signed_in.now).await?;
    let details = json!({
        "part": new.kind.as_str(), "model": new.model, "unit_cents": new.unit_cents, "count": new.count,
    });
    record(&mut tx, &signed_in, "part.add", ("part", id), details).await?;
    tx.commit().await?;
    Ok(Redirect::to("/parts?done=saved").into_response())
}

/// How many there are on the shelf, and why the count was wrong.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct CountForm {
    count: String,
    reason: String,
}

/// `POST /parts/{id}/count`
pub(super) async fn count(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<CountForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::WorkOnOrders, Object::OwnScope))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let reason = super::acts::reason(&form.reason)?;
    let now: i64 = form.count.trim().parse().map_err(|_| Refusal::Nonsense)?;
    let now = counted(now).map_err(|_| Refusal::Nonsense)?;
    let mut tx = app.store.write().await?;
    let before = part::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    part::set_count(&mut tx, id, now).await?;
    let details = json!({ "part": before.kind.as_str(), "before": before.count, "after": now, "reason": reason });
    record(&mut tx, &signed_in, "part.count", ("part", id), details).await?;
    tx.commit().await?;
    Ok(Redirect::to("/parts?done=saved").into_response())
}
