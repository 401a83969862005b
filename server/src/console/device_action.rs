//! What a person orders of a device's agent, and what it answered: a card on the device's page, and the agent's log.

use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::{
    UtcMillis,
    action::{LogLine, MAX_PLACE_CHARS},
};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{acts::device_for, component::When, error::Refusal, i18n::Words, loan_acts::clerk};
use crate::{
    app::App,
    auth::{Action, CsrfForm, SignedIn},
    domain::{
        device::DeviceStatus,
        device_action::{Hindrance, Kind, Order},
        paris,
    },
    store::{
        detail::DeviceDetail,
        device_action::{self, ActionRow, Ordered},
    },
};

/// The orders of a device, and what this person may order.
#[derive(Clone, Debug, Default)]
pub(super) struct OrdersRead {
    pub(super) rows: Vec<ActionRow>,
    pub(super) may: Vec<Kind>,
    /// Whether our agent speaks for the device: another system's takes no orders.
    pub(super) has_agent: bool,
    /// Whether the person may read logs.
    pub(super) reads_logs: bool,
    /// When the device is due back, where it is lent until a day.
    pub(super) due: Option<Date>,
}

#[derive(Debug)]
struct Line {
    kind: String,
    state: String,
    outcome: Option<String>,
    when: When,
    by: String,
    /// Where its log is read.
    log: Option<String>,
}

#[derive(Debug)]
struct Form {
    code: &'static str,
    kind: String,
    means: String,
    notice: Option<[String; 2]>,
}

/// The card on the device's page.
#[derive(Debug, Template)]
#[template(path = "device_actions.html")]
pub(super) struct OrdersCard {
    words: Words,
    path: String,
    csrf: String,
    lines: Vec<Line>,
    forms: Vec<Form>,
}

impl HtmlSafe for OrdersCard {}

impl OrdersCard {
    /// The card; none where nothing was ordered and nothing can be.
    pub(super) fn new(
        read: &OrdersRead,
        detail: &DeviceDetail,
        csrf: &str,
        (now, words): (UtcMillis, Words),
    ) -> Option<Self> {
        let device = &detail.device;
        let path = format!("/devices/{}", device.id);
        let can_be_told = device.status == DeviceStatus::Active && device.archived_at.is_none() && read.has_agent;
        let place = detail.site.as_ref().map_or_else(String::new, |site| site.name.clone());
        let kinds = read.may.iter().filter(|_| can_be_told);
        let forms: Vec<Form> = kinds.filter_map(|kind| form(*kind, read.due, &place, words)).collect();
        let lines: Vec<Line> = read.rows.iter().map(|row| line(row, read, &path, (now, words))).collect();
        let is_empty = forms.is_empty() && lines.is_empty();
        (!is_empty).then(|| Self { words, path, csrf: csrf.to_owned(), lines, forms })
    }
}

fn form(kind: Kind, due: Option<Date>, place: &str, words: Words) -> Option<Form> {
    let notice = match (kind, due) {
        // Without a day there is nothing to tell.
        (Kind::ReturnNotice, None) => return None,
        (Kind::ReturnNotice, Some(due)) => Some([due.to_string(), place.chars().take(MAX_PLACE_CHARS).collect()]),
        (Kind::CheckIn | Kind::FullReport | Kind::SelfTest | Kind::SendLog, _) => None,
    };
    let code = kind.as_str();
    Some(Form { code, kind: words.word("action-kind", code), means: words.word("action-means", code), notice })
}

fn line(row: &ActionRow, read: &OrdersRead, path: &str, (now, words): (UtcMillis, Words)) -> Line {
    Line {
        kind: words.word("action-kind", row.order.kind().as_str()),
        state: words.word("action-state", row.state(now).as_str()),
        outcome: row.answer.map(|(outcome, _)| words.word("action-outcome", outcome.as_str())),
        when: When::relative(row.ordered_at, now, words),
        by: row.ordered_by.clone(),
        log: (row.has_log && read.reads_logs).then(|| format!("{path}/actions/{}/log", row.id)),
    }
}

/// An order, as the page's form sends it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OrderForm {
    kind: String,
    #[serde(default)]
    due: String,
    #[serde(default)]
    place: String,
}

/// `POST /devices/{id}/actions`
pub(super) async fn order(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<OrderForm>,
) -> Result<Response, Refusal> {
    let kind: Kind = form.kind.parse().map_err(|_| Refusal::Nonsense)?;
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &signed_in, &id, kind.right()).await?;
    let due = match form.due.as_str() {
        "" => None,
        text => Some(text.parse::<Date>().map_err(|_| Refusal::Nonsense)?),
    };
    let order = Order::new(kind, due, Some(form.place.as_str()), paris::date(signed_in.now));
    let order = order.map_err(|_| Refusal::Told("action-invalid"))?;
    let done = match device_action::order(&mut tx, found.id, &order, clerk(&app, &signed_in)).await? {
        Ordered::Given(_) => "saved",
        Ordered::Hindered(Hindrance::Already) => "already",
        Ordered::Hindered(Hindrance::NotInService) => return Err(Refusal::Told("action-not-in-service")),
        Ordered::Hindered(Hindrance::NoAgent) => return Err(Refusal::Told("action-no-agent")),
        Ordered::Hindered(Hindrance::NotLent) => return Err(Refusal::Told("action-not-lent")),
        Ordered::Hindered(Hindrance::OtherDay) => return Err(Refusal::Told("action-other-day")),
        Ordered::Unknown => return Err(Refusal::NotFound),
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("/devices/{}?done={done}", found.id)).into_response())
}

/// `GET /devices/{id}/actions/{action}/log`: the log that the agent sent, as plain text.
pub(super) async fn log(
    signed_in: SignedIn,
    State(app): State<App>,
    Path((id, action)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let action: Uuid = action.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.read().await?;
    let found = device_for(&mut tx, &signed_in, &id, Action::OrderActions).await?;
    let lines = device_action::log(&mut tx, found.id, action).await?.ok_or(Refusal::NotFound)?;
    let day = |line: &LogLine| line.at.map_or_else(String::new, |day| paris::date(day.start()).to_string());
    let text: Vec<String> = lines.iter().map(|line| format!("{} {} {}\n", day(line), line.level, line.words)).collect();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.concat()).into_response())
}
