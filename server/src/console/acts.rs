//! What people do: each act is one unit of work with its audit row, and ends on the page it came from.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    error::{Refusal, require},
    pages::show_tokens,
    token::{Outcome, TokenForm},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn, safe_next},
    domain::{
        device::DeviceStatus,
        enrolment_token::{Admits, InvalidTerms, RANDOM_BYTES, TokenTerms, TokenText},
    },
    store::{
        StoreError, Tx,
        audit::{self, NewAudit},
        device::{self, DeviceRow},
        device_archive::{self, Archiving, Unarchiving},
        enrolment_token, flag, review, site,
    },
};

/// Longest reason in characters.
const MAX_REASON_CHARS: usize = 300;
/// Longest asset tag in characters: labels have room for far fewer.
const MAX_ASSET_TAG_CHARS: usize = 64;

/// A form with a reason.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reasoned {
    pub(super) reason: String,
}

impl Reasoned {
    /// The reason, as typed.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }
}

pub(super) fn reason(text: &str) -> Result<&str, Refusal> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= MAX_REASON_CHARS && !text.contains(char::is_control);
    fits.then_some(text).ok_or(Refusal::Told("reason-needed"))
}

/// Acts on one thing in which a form that is sent once more looks for its first arrival.
const RECENT_ACTS: i64 = 50;

/// Whether `action` is the newest act on a thing whose details `are_meant`: a form that comes a second time did its work
/// the first time, and nothing undid it since.
pub(super) async fn was_last(
    tx: &mut Tx,
    (object_kind, object): (&str, impl std::fmt::Display),
    action: &str,
    are_meant: impl Fn(&Value) -> bool,
) -> Result<bool, StoreError> {
    let acts = audit::of_object(tx, object_kind, &object.to_string(), RECENT_ACTS).await?;
    let meant = |details: &str| serde_json::from_str::<Value>(details).is_ok_and(|details| are_meant(&details));
    Ok(acts.iter().find(|act| meant(&act.details)).is_some_and(|act| act.action == action))
}

/// What is said of a thing that is not there: `action` removed it before, which its list at `path` says; or there never
/// was one.
pub(super) async fn gone(app: &App, thing: (&str, Uuid), action: &str, path: &str) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let removed = was_last(&mut tx, thing, action, |_| true).await?;
    removed.then(|| Redirect::to(&format!("{path}?done=already")).into_response()).ok_or(Refusal::NotFound)
}

fn back_to_device(id: DeviceId, done: &str) -> Response {
    Redirect::to(&format!("/devices/{id}?done={done}")).into_response()
}

/// Writes down who did what to which thing, in the unit of work that does it.
pub(super) async fn record(
    tx: &mut Tx,
    signed_in: &SignedIn,
    action: &str,
    (object_kind, object): (&str, impl std::fmt::Display),
    details: Value,
) -> Result<(), Refusal> {
    let (actor, object_id) = (signed_in.person.login.as_str(), object.to_string());
    audit::append(tx, NewAudit { actor, action, object_kind, object_id: &object_id, details }, signed_in.now).await?;
    Ok(())
}

/// The device, if this person may do `action` to it.
pub(super) async fn device_for(
    tx: &mut Tx,
    signed_in: &SignedIn,
    id: &str,
    action: Action,
) -> Result<DeviceRow, Refusal> {
    let id: DeviceId = id.parse().map_err(|_| Refusal::NotFound)?;
    let found = device::find(tx, &signed_in.person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(signed_in.person.can(action, Object::OfSite(found.site)))?;
    Ok(found)
}

/// A device's label.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AssetTagForm {
    asset_tag: String,
}

/// `POST /devices/{id}/asset-tag`
pub(super) async fn set_asset_tag(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<AssetTagForm>,
) -> Result<Response, Refusal> {
    let tag = form.asset_tag.trim();
    if tag.chars().count() > MAX_ASSET_TAG_CHARS || tag.contains(char::is_control) {
        return Err(Refusal::Nonsense);
    }
    let tag = Some(tag).filter(|tag| !tag.is_empty());
    let mut tx = app.store.write().await?;
    let before = device_for(&mut tx, &signed_in, &id, Action::ChangeDevice).await?;
    match device::set_asset_tag(&mut tx, &signed_in.person.scope, before.id, tag).await {
        Err(error) if error.is_duplicate_of("asset_tag") => return Ok(back_to_device(before.id, "asset-tag-taken")),
        other => other?,
    };
    let details = json!({ "before": before.asset_tag, "after": tag });
    record(&mut tx, &signed_in, "device.set_asset_tag", ("device", before.id.0), details).await?;
    tx.commit().await?;
    Ok(back_to_device(before.id, "saved"))
}

/// `POST /devices/{id}/baseline`
pub(super) async fn accept_baseline(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    let reason = reason(&form.reason)?;
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &signed_in, &id, Action::ChangeDevice).await?;
    let scope = &signed_in.person.scope;
    if !device::accept_baseline(&mut tx, scope, found.id, &app.policy, signed_in.now).await? {
        return Err(Refusal::Nonsense);
    }
    let details = json!({ "reason": reason });
    record(&mut tx, &signed_in, "device.accept_baseline", ("device", found.id.0), details).await?;
    tx.commit().await?;
    Ok(back_to_device(found.id, "saved"))
}

/// A device's new status, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StatusForm {
    status: String,
    reason: String,
}

/// `POST /devices/{id}/status`
pub(super) async fn set_status(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<StatusForm>,
) -> Result<Response, Refusal> {
    let reason = reason(&form.reason)?;
    let status: DeviceStatus = form.status.parse().map_err(|_| Refusal::Nonsense)?;
    if !matches!(status, DeviceStatus::Active | DeviceStatus::Revoked) {
        return Err(Refusal::Nonsense);
    }
    let mut tx = app.store.write().await?;
    let before = device_for(&mut tx, &signed_in, &id, Action::AdmitDevice).await?;
    // A revoked or released device does not come back by a form left open: it is enrolled again.
    if matches!(before.status, DeviceStatus::Revoked | DeviceStatus::Released) {
        return Err(Refusal::Nonsense);
    }
    device::set_status(&mut tx, &signed_in.person.scope, before.id, status).await?;
    review::device(&mut tx, before.id, &app.policy, signed_in.now).await?;
    let details = json!({ "before": before.status.as_str(), "after": status.as_str(), "reason": reason });
    record(&mut tx, &signed_in, "device.set_status", ("device", before.id.0), details).await?;
    tx.commit().await?;
    Ok(back_to_device(before.id, "saved"))
}

/// `POST /devices/{id}/archive`
pub(super) async fn archive(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    let reason = reason(&form.reason)?;
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &signed_in, &id, Action::ChangeDevice).await?;
    match device_archive::archive(&mut tx, &signed_in.person.scope, found.id, reason, signed_in.now).await? {
        Archiving::Done => {}
        Archiving::Unknown => return Err(Refusal::NotFound),
        Archiving::Lent => return Ok(back_to_device(found.id, "archive-lent")),
        Archiving::OnBench => return Ok(back_to_device(found.id, "archive-on-bench")),
    }
    record(&mut tx, &signed_in, "device.archive", ("device", found.id.0), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(back_to_device(found.id, "saved"))
}

/// `POST /devices/{id}/unarchive`
pub(super) async fn unarchive(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    let reason = reason(&form.reason)?;
    let mut tx = app.store.write().await?;
    let found = device_for(&mut tx, &signed_in, &id, Action::ChangeDevice).await?;
    match device_archive::unarchive(&mut tx, &signed_in.person.scope, found.id, &app.policy, signed_in.now).await? {
        Unarchiving::Done => {}
        Unarchiving::Unknown => return Err(Refusal::NotFound),
        Unarchiving::Given => return Ok(back_to_device(found.id, "unarchive-given")),
    }
    record(&mut tx, &signed_in, "device.unarchive", ("device", found.id.0), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(back_to_device(found.id, "saved"))
}

/// What to do with a flag, and why.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct HandleForm {
    how: String,
    reason: String,
    next: Option<String>,
}

/// `POST /flags/{id}/handle`
pub(super) async fn handle_flag(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<HandleForm>,
) -> Result<Response, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let reason = reason(&form.reason)?;
    let until = match form.how.as_str() {
        "acknowledge" => None,
        "snooze-7" => Some(signed_in.now.plus_days(7)),
        "snooze-30" => Some(signed_in.now.plus_days(30)),
        "snooze-90" => Some(signed_in.now.plus_days(90)),
        _ => return Err(Refusal::Nonsense),
    };
    let mut tx = app.store.write().await?;
    let person = &signed_in.person;
    require(person.can(Action::HandleFlag, Object::OwnScope))?;
    let (scope, by) = (&person.scope, person.login.as_str());
    let (action, before) = match until {
        None => ("flag.acknowledge", flag::acknowledge(&mut tx, scope, id, by, reason, signed_in.now).await?),
        Some(until) => ("flag.snooze", flag::snooze(&mut tx, scope, id, by, reason, until).await?),
    };
    let before = before.ok_or(Refusal::NotFound)?;
    let details = json!({
        "device": before.device_id, "code": before.code.as_str(), "reason": reason,
        "until": until.map(cartable_common::UtcMillis::get),
    });
    record(&mut tx, &signed_in, action, ("flag", id), details).await?;
    tx.commit().await?;
    let next = safe_next(form.next.as_deref()).split(['?', '#']).next().unwrap_or("/");
    Ok(Redirect::to(&format!("{next}?done=saved")).into_response())
}

/// `POST /tokens`
pub(super) async fn create_token(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<TokenForm>,
) -> Result<Response, Refusal> {
    match try_create_token(&app, &signed_in, &form).await? {
        Ok(text) => {
            let outcome = Outcome { created: Some(text), ..Outcome::default() };
            show_tokens(&signed_in, &visitor, &app, StatusCode::CREATED, outcome).await
        }
        Err(problem) => {
            let outcome = Outcome { problem: Some(visitor.words.say(problem)), form, created: None };
            show_tokens(&signed_in, &visitor, &app, StatusCode::UNPROCESSABLE_ENTITY, outcome).await
        }
    }
}

/// The new token's text, or the word for what is wrong with the form.
async fn try_create_token(
    app: &App,
    signed_in: &SignedIn,
    form: &TokenForm,
) -> Result<Result<String, &'static str>, Refusal> {
    let number = |text: &str| text.trim().parse::<u32>().unwrap_or(0);
    let programme = Some(form.programme.trim()).filter(|text| !text.is_empty());
    let terms = match TokenTerms::new(&form.label, programme, number(&form.cap), number(&form.hours), signed_in.now) {
        Ok(terms) => terms.admitting(if form.recorded.is_some() { Admits::Recorded } else { Admits::Anyone }),
        Err(invalid) => return Ok(Err(problem(&invalid))),
    };
    let Ok(site_id) = form.site.parse::<Uuid>() else { return Ok(Err("token-problem-site")) };
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "no randomness for a token");
        Refusal::Broken
    })?;
    let text = TokenText::from_random(random);
    let mut tx = app.store.write().await?;
    let person = &signed_in.person;
    let Some(site) = site::find(&mut tx, &person.scope, site_id).await? else {
        return Ok(Err("token-problem-site"));
    };
    require(person.can(Action::CreateEnrolmentToken, Object::OfSite(Some(site.id))))?;
    let by = person.login.as_str();
    let id = enrolment_token::create(&mut tx, &text, &terms, site.id, by, signed_in.now).await?;
    let details =
        json!({ "label": terms.label(), "site": site.uai, "cap": terms.cap(), "admits": terms.admits().as_str() });
    record(&mut tx, signed_in, "enrolment_token.create", ("enrolment_token", id), details).await?;
    tx.commit().await?;
    Ok(Ok(text.to_string()))
}

const fn problem(invalid: &InvalidTerms) -> &'static str {
    match invalid {
        InvalidTerms::Label => "token-problem-label",
        InvalidTerms::Programme => "token-problem-programme",
        InvalidTerms::Cap => "token-problem-cap",
        InvalidTerms::Life => "token-problem-life",
    }
}

/// A form with nothing but its proof.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Bare {}

/// `POST /tokens/{id}/revoke`
pub(super) async fn revoke_token(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let person = &signed_in.person;
    let mut tx = app.store.write().await?;
    let token = enrolment_token::find(&mut tx, &person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(person.can(Action::RevokeEnrolmentToken, Object::OfSite(Some(token.site_id))))?;
    if enrolment_token::revoke(&mut tx, &person.scope, id, signed_in.now).await? {
        let details = json!({ "label": token.label });
        record(&mut tx, &signed_in, "enrolment_token.revoke", ("enrolment_token", id), details).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to("/tokens?done=token-revoked").into_response())
}
