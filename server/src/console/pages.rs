//! The pages that people read.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use cartable_common::{DeviceId, protocol::Disclosure};
use serde::Deserialize;

use super::{
    audit::{self, AuditPage},
    design::DesignPage,
    device::{Allowed, CHART_DAYS, DevicePage, DeviceRead, title},
    device_action::OrdersRead,
    device_action_bulk,
    device_correction::Offered,
    device_list::{self, DevicesPage},
    error::{Refusal, require},
    flag_list::{self, FlagsPage},
    loan,
    overview::OverviewPage,
    shell::{self, Section, Shell},
    token::{Outcome, TokensPage},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{device_action::Kind, loan::LendingState, scope::Scope},
    store::{
        self, Tx, advice, detail, device_action, device_record, enrolment, enrolment_token, flag, flag_list::FlagQuery,
        history, newcomer, recovery, site,
    },
};

/// Flags that the overview shows.
const WAITING_SHOWN: usize = 8;

/// `GET /`
pub(super) async fn overview(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeOverview, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let figures = store::overview::read(&mut tx, &person.scope, signed_in.now).await?;
    let query = FlagQuery { limit: WAITING_SHOWN, ..FlagQuery::default() };
    let waiting = store::flag_list::list(&mut tx, &person.scope, &query, signed_in.now).await?;
    let shell = visitor.shell(Section::Overview, visitor.words.say("overview-title"), &signed_in);
    let mut page = OverviewPage::new(shell, &figures, waiting.rows, signed_in.now);
    if person.can(Action::AdmitDevice, Object::OwnScope).is_allowed() {
        page = page.with_asking(store::approval_queue::waiting(&mut tx, &person.scope).await?);
    }
    Ok(shell::page(StatusCode::OK, &page))
}

/// `GET /devices`
pub(super) async fn devices(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<device_list::Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeDevices, Object::OwnScope))?;
    let query = asked.query()?;
    let mut tx = app.store.read().await?;
    let page = store::device_list::list(&mut tx, &signed_in.person.scope, &query).await?;
    let shell = visitor.shell(Section::Devices, visitor.words.say("devices-title"), &signed_in);
    let mut page = DevicesPage::new(shell, &asked, &query, page, signed_in.now);
    if !device_action_bulk::offered(&signed_in.person).is_empty() {
        page = page.with_orders(&asked);
    }
    Ok(shell::page(StatusCode::OK, &page))
}

/// `GET /devices/{id}`
pub(super) async fn device(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeDevices, Object::OwnScope))?;
    let id: DeviceId = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.read().await?;
    let from_day = signed_in.now.day_number() - CHART_DAYS;
    let mut read = read_device(&mut tx, &person.scope, id, from_day).await?;
    read.advice = advice::of_device(&mut tx, id, &app.policy, signed_in.now).await?;
    read.loans = loan::card(&mut tx, &signed_in, &read.detail.device).await?;
    let due = store::loan::due_of_device(&mut tx, id).await?;
    read.disclosed = app.documents.discloser().of_loan(due);
    let shown = store::programme::visibility(&mut tx, person.role).await?;
    read.detail.device.programme = shown.filter(read.detail.device.programme.take());
    let owner = Object::OfSite(read.detail.device.site);
    let may = |action| person.can(action, owner).is_allowed();
    let allowed = Allowed { change: may(Action::ChangeDevice), admit: may(Action::AdmitDevice) };
    read.orders.may = Kind::ALL.iter().copied().filter(|kind| may(kind.right())).collect();
    read.orders.reads_logs = may(Action::OrderActions);
    read.orders.due = due;
    if allowed.change {
        read.offered = Some(Offered::read(&mut tx, &signed_in).await?);
    }
    let shell = visitor.shell(Section::Devices, title(&read.detail), &signed_in);
    let page = DevicePage::new(shell, read, allowed, &app.policy, signed_in.now);
    Ok(shell::page(StatusCode::OK, &page))
}

async fn read_device(tx: &mut Tx, scope: &Scope, id: DeviceId, from_day: i64) -> Result<DeviceRead, Refusal> {
    Ok(DeviceRead {
        detail: detail::find(tx, scope, id).await?.ok_or(Refusal::NotFound)?,
        changes: history::changes_of(tx, scope, id).await?,
        days: history::daily_of(tx, scope, id, from_day).await?,
        flags_ever: flag::history_of_device(tx, scope, id).await?,
        loans: None,
        advice: None,
        decided: advice::kept(tx, id).await?,
        recorded: device_record::of_device(tx, id).await?,
        offered: None,
        waiting: enrolment::pending(tx, scope).await?.into_iter().filter(|one| one.device == id).collect(),
        askers: newcomer::waiting_with_key_of(tx, id).await?,
        disclosed: Disclosure::default(),
        recoveries: recovery::waiting_of(tx, scope, id).await?,
        orders: OrdersRead {
            rows: device_action::of_device(tx, id).await?,
            has_agent: device_action::speaks_for(tx, id).await?.is_some(),
            ..OrdersRead::default()
        },
        given: store::loan::lending_state(tx, id).await? == Some(LendingState::Ceded),
    })
}

/// `GET /flags`
pub(super) async fn flags(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<flag_list::Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeFlags, Object::OwnScope))?;
    let query = asked.query()?;
    let mut tx = app.store.read().await?;
    let page = store::flag_list::list(&mut tx, &signed_in.person.scope, &query, signed_in.now).await?;
    let shell = visitor.shell(Section::Flags, visitor.words.say("flags-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &FlagsPage::new(shell, &asked, &query, page, signed_in.now)))
}

/// `GET /tokens`
pub(super) async fn tokens(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    show_tokens(&signed_in, &visitor, &app, StatusCode::OK, Outcome::default()).await
}

/// The page of tokens, with what became of the form.
pub(super) async fn show_tokens(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    status: StatusCode,
    outcome: Outcome,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeEnrolmentTokens, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let tokens = enrolment_token::list(&mut tx, &person.scope).await?;
    let sites = site::list(&mut tx, &person.scope).await?;
    let shell = visitor.shell(Section::Tokens, visitor.words.say("tokens-title"), signed_in);
    Ok(shell::page(status, &TokensPage::new(shell, tokens, sites, outcome, signed_in.now)))
}

/// Where in the audit a page begins.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuditAsked {
    after: Option<i64>,
}

/// `GET /audit`
pub(super) async fn audit(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<AuditAsked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeAudit, Object::Programme))?;
    let mut tx = app.store.read().await?;
    let limit = i64::try_from(audit::ROWS + 1).unwrap_or(i64::MAX);
    let acts = store::audit::list(&mut tx, asked.after, limit).await?;
    let shell = visitor.shell(Section::Audit, visitor.words.say("audit-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &AuditPage::new(shell, acts, asked.after.is_some())))
}

/// `GET /design`
pub(super) async fn design(signed_in: SignedIn, visitor: Visitor) -> Response {
    let shell: Shell = visitor.shell(Section::Elsewhere, visitor.words.say("design-title"), &signed_in);
    shell::page(StatusCode::OK, &DesignPage::new(shell, signed_in.now))
}

/// Any other address.
pub(super) async fn nowhere() -> Refusal {
    Refusal::NotFound
}
