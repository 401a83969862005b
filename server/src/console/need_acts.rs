//! What people do about needs: read the list, enter one or several, withdraw one.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{reason, record, was_last},
    error::{Refusal, require},
    need::{Around, Asked, NeedForm, NeedsPage},
    once,
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::need::{NeedState, Reasons},
    store::{
        audit::{self, NewAudit},
        need,
        need_entry::{self, Entry, EntryError, EntryRefused},
        need_list, programme, site,
    },
};

/// `GET /needs`
pub(super) async fn list(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    show(&signed_in, &visitor, &app, &asked, (StatusCode::OK, None, NeedForm::default())).await
}

async fn show(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    asked: &Asked,
    (status, problem, mut form): (StatusCode, Option<String>, NeedForm),
) -> Result<Response, Refusal> {
    if form.once.is_empty() {
        form.once = once::mark();
    }
    let person = &signed_in.person;
    require(person.can(Action::SeeNeeds, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let programmes = programme::list(&mut tx).await?;
    let query = asked.query(person.role, &programmes)?;
    let page = need_list::list(&mut tx, &person.scope, &query).await?;
    let around = Around {
        totals: need_list::totals(&mut tx, &person.scope, &query).await?,
        sites: site::list(&mut tx, &person.scope).await?,
        programmes,
        form,
        problem,
    };
    let may_change = person.can(Action::ChangeNeeds, Object::OwnScope).is_allowed();
    let shell = visitor.shell(Section::Needs, visitor.words.say("needs-title"), signed_in);
    let page = NeedsPage::new(shell, (person, may_change), (asked, &query), page, around, signed_in.now);
    Ok(shell::page(status, &page))
}

/// What the form asks, or the key of what is wrong with it.
fn entry(form: &NeedForm) -> Result<Entry, &'static str> {
    let reasons = form.reasons().map_err(|_| "need-problem-form")?;
    let reference = Some(form.borrower.trim()).filter(|text| !text.is_empty()).map(str::parse).transpose();
    Ok(Entry {
        site: form.site.parse().map_err(|_| "need-problem-site")?,
        programme: form.programme.parse().map_err(|_| "need-problem-programme")?,
        level: super::device_list::optional(&form.level).map_err(|_| "need-problem-form")?,
        reasons: Reasons::new(reasons).map_err(|_| "need-problem-form")?,
        borrower: reference.map_err(|_| "need-problem-borrower")?,
        count: form.count.trim().parse().map_err(|_| "need-problem-count")?,
    })
}

const fn problem(refused: EntryRefused) -> &'static str {
    match refused {
        EntryRefused::Site => "need-problem-site",
        EntryRefused::Programme => "need-problem-programme",
        EntryRefused::Borrower => "need-problem-borrower",
        EntryRefused::Count => "need-problem-count",
    }
}

/// `POST /needs`
pub(super) async fn enter(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<NeedForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeNeeds, Object::OwnScope))?;
    let wrong = match entry(&form) {
        Ok(entry) => match try_enter(&app, &signed_in, &entry, form.id()).await {
            Ok(done) => return Ok(Redirect::to(&format!("/needs?done={done}")).into_response()),
            Err(EntryError::Refused(refused)) => problem(refused),
            Err(EntryError::Store(error)) => return Err(error.into()),
        },
        Err(key) => key,
    };
    let outcome = (StatusCode::UNPROCESSABLE_ENTITY, Some(visitor.words.say(wrong)), form);
    show(&signed_in, &visitor, &app, &Asked::default(), outcome).await
}

/// Enters them, unless this very form has done so already; gives what is said of it.
async fn try_enter(
    app: &App,
    signed_in: &SignedIn,
    entry: &Entry,
    form: Option<Uuid>,
) -> Result<&'static str, EntryError> {
    let (person, now) = (&signed_in.person, signed_in.now);
    let mut tx = app.store.write().await?;
    let object_id = entry.site.to_string();
    if let Some(form) = form {
        // The audit says which form it was.
        let form = json!(form);
        if was_last(&mut tx, ("site", entry.site), "need.enter", |details| details["form"] == form).await? {
            return Ok("already");
        }
    }
    let ids = need_entry::enter(&mut tx, &person.scope, entry, person.login.as_str(), now).await?;
    let mut details = need_entry::details(&ids);
    if let Some(form) = form {
        details["form"] = json!(form);
    }
    let row = NewAudit {
        actor: person.login.as_str(),
        action: "need.enter",
        object_kind: "site",
        object_id: &object_id,
        details,
    };
    audit::append(&mut tx, row, now).await?;
    tx.commit().await?;
    Ok("saved")
}

/// Why a need is withdrawn.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WithdrawForm {
    reason: String,
}

/// `POST /needs/{id}/withdraw`
pub(super) async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<WithdrawForm>,
) -> Result<Response, Refusal> {
    let reason = reason(&form.reason)?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.write().await?;
    let person = &signed_in.person;
    require(person.can(Action::ChangeNeeds, Object::OwnScope))?;
    let found = need::find(&mut tx, &person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(person.can(Action::ChangeNeeds, Object::OfSite(Some(found.need.site))))?;
    if found.state == NeedState::Withdrawn {
        return Ok(Redirect::to("/needs?done=already").into_response());
    }
    if !need::withdraw(&mut tx, &person.scope, id, signed_in.now).await? {
        return Err(Refusal::Told("need-problem-not-open"));
    }
    record(&mut tx, &signed_in, "need.withdraw", ("need", id), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(Redirect::to("/needs?done=saved").into_response())
}
