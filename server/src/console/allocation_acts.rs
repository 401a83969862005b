//! What people do about proposals: propose, look, exchange a device, drop a line, approve what another proposed, export.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, reason, record},
    allocation::{AllocationPage, AllocationsPage, Approval, Found, LinesAsked, May},
    allocation_sheet::{AllocationFairness, AllocationLines},
    download,
    error::{Refusal, parsed, require},
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{borrower::Reference, scope::Scope},
    random,
    store::{
        StoreError,
        allocation::{self, AllocationState, LineState},
        allocation_adjust::{self, AdjustError, AdjustRefused, Adjustment},
        allocation_approval::{self, ApprovalError, ApprovalRefused},
        allocation_line::{self, LineQuery},
        device_list::{self, DeviceQuery},
        lending::Clerk,
        programme, site,
    },
};

/// `GET /allocations`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeAllocations, Object::Programme))?;
    let mut tx = app.store.read().await?;
    let rows = allocation::list(&mut tx).await?;
    let programmes = programme::list(&mut tx).await?;
    let may = person.can(Action::ProposeAllocation, Object::Programme).is_allowed();
    let shell = visitor.shell(Section::Allocations, visitor.words.say("allocations-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &AllocationsPage::new(shell, &rows, &programmes, (person.role, may), signed_in.now)))
}

/// For which programme to propose.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProposeForm {
    programme: String,
}

/// `POST /allocations`
pub(super) async fn propose(
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<ProposeForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ProposeAllocation, Object::Programme))?;
    let programme: Option<Uuid> = super::device_list::optional(&form.programme)?;
    let mut tx = app.store.write().await?;
    if let Some(id) = programme {
        programme::find(&mut tx, id)
            .await?
            .filter(|programme| programme.open)
            .ok_or(Refusal::Told("need-problem-programme"))?;
    }
    let id = allocation::propose(&mut tx, programme, &app.policy, person.id, signed_in.now).await?;
    record(&mut tx, &signed_in, "allocation.propose", ("allocation", id), json!({})).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/allocations/{id}")).into_response())
}

/// `GET /allocations/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(asked): Query<LinesAsked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeAllocations, Object::Programme))?;
    let (id, query) = (parsed(&id)?, asked.query()?);
    let mut tx = app.store.read().await?;
    let row = allocation::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let counts = allocation_line::counts(&mut tx, id).await?;
    let draft = row.state == AllocationState::Draft;
    let can = |action| person.can(action, Object::Programme).is_allowed();
    let own = allocation::is_own(&mut tx, &row, person.id).await?;
    let approve = match row.state {
        _ if own || !can(Action::ApproveAllocation) => Approval::Closed,
        AllocationState::Draft => Approval::Open,
        AllocationState::Approved if counts.contains_key(&LineState::Proposed) => Approval::Unfinished,
        AllocationState::Approved | AllocationState::Dropped => Approval::Closed,
    };
    let may = May { role: person.role, adjust: draft && can(Action::ProposeAllocation), approve, own };
    let found = Found {
        counts,
        stale: allocation_line::stale_count(&mut tx, id, &app.policy.allocation).await?,
        shares: allocation::fairness(&mut tx, id).await?,
        page: allocation_line::list(&mut tx, id, &query, &app.policy.allocation).await?,
        sites: site::list(&mut tx, &Scope::Everything).await?,
        programmes: programme::list(&mut tx).await?,
        row,
    };
    let shell = visitor.shell(Section::Allocations, visitor.words.say("allocation-title"), &signed_in);
    let page = AllocationPage::new(shell, (&asked, &query), found, may, signed_in.now);
    Ok(shell::page(StatusCode::OK, &page))
}

/// Another device for a line, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SwapForm {
    rank: i64,
    device: String,
    reason: String,
}

/// A line to drop, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DropForm {
    rank: i64,
    reason: String,
}

const fn code(refused: AdjustRefused) -> &'static str {
    match refused {
        AdjustRefused::NotDraft => "not-draft",
        AdjustRefused::NoLine => "no-line",
        AdjustRefused::NotInStock => "not-in-stock",
        AdjustRefused::Unfit(_) => "unfit",
        AdjustRefused::NotForIt => "not-for-it",
        AdjustRefused::Taken => "taken",
    }
}

fn back(id: Uuid, problem: &str) -> Response {
    Redirect::to(&format!("/allocations/{id}?problem={problem}")).into_response()
}

fn done(id: Uuid) -> Response {
    Redirect::to(&format!("/allocations/{id}?done=saved")).into_response()
}

/// `POST /allocations/{id}/swap`
pub(super) async fn swap(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<SwapForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ProposeAllocation, Object::Programme))?;
    let (id, remark) = (parsed(&id)?, reason(&form.reason)?);
    let mut tx = app.store.write().await?;
    allocation::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let Some(device) = device_named(&mut tx, form.device.trim()).await? else {
        return Ok(back(id, "not-in-stock"));
    };
    let adjustment = Adjustment { allocation: id, rank: form.rank, remark, by: person.id, now: signed_in.now };
    match allocation_adjust::swap(&mut tx, adjustment, device, &app.policy.allocation).await {
        Ok(()) => {}
        Err(AdjustError::Refused(refused)) => return Ok(back(id, code(refused))),
        Err(AdjustError::Store(error)) => return Err(error.into()),
    }
    // Not the device: beside its rank it would tell the audit's readers whose need it meets. The line has it.
    let details = json!({ "rank": form.rank, "reason": remark });
    record(&mut tx, &signed_in, "allocation.swap", ("allocation", id), details).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// The one device that has this label or serial number.
async fn device_named(tx: &mut crate::store::Tx, name: &str) -> Result<Option<DeviceId>, StoreError> {
    let query = DeviceQuery { search: Some(name.to_owned()), limit: 20, ..DeviceQuery::default() };
    let found = device_list::list(tx, &Scope::Everything, &query).await?;
    let named = |value: &Option<String>| value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(name));
    let mut rows = found.rows.into_iter().filter(|row| named(&row.serial_number) || named(&row.asset_tag));
    let first = rows.next();
    Ok(first.filter(|_| rows.next().is_none()).map(|row| row.id))
}

/// `POST /allocations/{id}/drop-line`
pub(super) async fn drop_line(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<DropForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ProposeAllocation, Object::Programme))?;
    let (id, remark) = (parsed(&id)?, reason(&form.reason)?);
    let mut tx = app.store.write().await?;
    allocation::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let adjustment = Adjustment { allocation: id, rank: form.rank, remark, by: person.id, now: signed_in.now };
    match allocation_adjust::drop_line(&mut tx, adjustment).await {
        Ok(()) => {}
        Err(AdjustError::Refused(refused)) => return Ok(back(id, code(refused))),
        Err(AdjustError::Store(error)) => return Err(error.into()),
    }
    let details = json!({ "rank": form.rank, "reason": remark });
    record(&mut tx, &signed_in, "allocation.drop_line", ("allocation", id), details).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// `POST /allocations/{id}/approve`
pub(super) async fn approve(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let (person, now) = (&signed_in.person, signed_in.now);
    require(person.can(Action::ApproveAllocation, Object::Programme))?;
    let id = parsed(&id)?;
    let clerk = Clerk { actor: person.login.as_str(), token: None, scope: &person.scope, policy: &app.policy, now };
    let mut reference = || random::bytes().ok().map(Reference::from_random);
    match allocation_approval::approve(&app.store, id, person.id, clerk, &mut reference).await {
        Ok(_) => Ok(done(id)),
        Err(ApprovalError::Refused(ApprovalRefused::NoProposal)) => Err(Refusal::NotFound),
        Err(ApprovalError::Refused(ApprovalRefused::NotDraft)) => Ok(back(id, "not-draft")),
        Err(ApprovalError::Refused(ApprovalRefused::Own)) => Ok(back(id, "own")),
        Err(ApprovalError::Refused(ApprovalRefused::NoReference)) => Err(Refusal::Broken),
        Err(ApprovalError::Store(error)) => Err(error.into()),
    }
}

/// `POST /allocations/{id}/drop`
pub(super) async fn give_up(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ProposeAllocation, Object::Programme))?;
    let id = parsed(&id)?;
    let mut tx = app.store.write().await?;
    allocation::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !allocation::drop_proposal(&mut tx, id, person.id, signed_in.now).await? {
        return Ok(back(id, "not-draft"));
    }
    record(&mut tx, &signed_in, "allocation.drop", ("allocation", id), json!({})).await?;
    tx.commit().await?;
    Ok(done(id))
}

/// `GET /allocations/{id}/{file}`
pub(super) async fn export(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path((id, file)): Path<(String, String)>,
    Query(asked): Query<LinesAsked>,
    Query(how): Query<download::Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeAllocations, Object::Programme))?;
    require(signed_in.person.can(Action::ExportData, Object::OwnScope))?;
    let (id, query) = (parsed(&id)?, LineQuery { after: None, ..asked.query()? });
    let mut tx = app.store.read().await?;
    allocation::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    drop(tx);
    let words = visitor.words;
    match file.split('.').next() {
        Some("lines") => {
            let lines = AllocationLines { id, query, policy: app.policy.clone(), role: signed_in.person.role, words };
            download::send(&app, &file, &how, lines).await
        }
        Some("fairness") => download::send(&app, &file, &how, AllocationFairness { id, words }).await,
        Some(_) | None => Err(Refusal::NotFound),
    }
}
