//! What people do to borrowers: record them, change what is known, mark that they left, forget who they were.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Reasoned, reason, record},
    borrower::Shown,
    borrower_form::{BorrowerForm, IdentityForm, Wanted, institution_name, level, problem},
    borrower_pages::{borrower_to_change, show, show_new},
    device_list::optional,
    error::{Refusal, require},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        borrower::{Borrower, BorrowerKind, Reference},
        identity::may_be_erased,
        scope::Scope,
    },
    random,
    store::{Tx, borrower, borrower_entry, site},
};

fn back(id: Uuid, done: &str) -> Response {
    Redirect::to(&format!("/borrowers/{id}?done={done}")).into_response()
}

/// `POST /borrowers`
pub(super) async fn create(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<BorrowerForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeBorrowers, Object::OwnScope))?;
    let mut tx = app.store.write().await?;
    let id = match made_before(&mut tx, &signed_in, &form).await? {
        Before::Made(there) => return Ok(on_from(&form, &there, "already")),
        Before::Free(id) => id,
    };
    let made = match form.read() {
        Ok(wanted) => try_create(&app, &mut tx, &signed_in, (id, wanted)).await?,
        Err(wrong) => Err(wrong),
    };
    match made {
        Ok(new) => {
            tx.commit().await?;
            Ok(on_from(&form, &new, "saved"))
        }
        Err(wrong) => {
            drop(tx);
            let mut tx = app.store.read().await?;
            if let Before::Made(there) = made_before(&mut tx, &signed_in, &form).await? {
                return Ok(on_from(&form, &there, "already"));
            }
            show_new(&mut tx, &signed_in, &visitor, StatusCode::UNPROCESSABLE_ENTITY, (form, Some(wrong))).await
        }
    }
}

/// Where it goes on once the borrower is recorded: back to the hand-over that waits, else to the borrower.
fn on_from(form: &BorrowerForm, borrower: &Borrower, done: &str) -> Response {
    if form.way.leads_back() {
        return Redirect::to(&form.way.back_with(&borrower.reference)).into_response();
    }
    back(borrower.id, done)
}

/// What became of this very form before.
enum Before {
    /// It recorded this borrower.
    Made(Box<Borrower>),
    /// Nothing: the borrower may have this id.
    Free(Uuid),
}

async fn made_before(tx: &mut Tx, signed_in: &SignedIn, form: &BorrowerForm) -> Result<Before, Refusal> {
    let Some(id) = form.id() else { return Ok(Before::Free(Uuid::now_v7())) };
    Ok(match borrower::find(tx, &Scope::Everything, id).await? {
        None => Before::Free(id),
        Some(there) if signed_in.person.scope.covers(there.site) => Before::Made(Box::new(there)),
        // Nobody learns here that there is such a borrower elsewhere.
        Some(_) => Before::Free(Uuid::now_v7()),
    })
}

/// The new borrower, or the word for what is wrong.
async fn try_create(
    app: &App,
    tx: &mut Tx,
    signed_in: &SignedIn,
    (id, wanted): (Uuid, Wanted),
) -> Result<Result<Borrower, &'static str>, Refusal> {
    let person = &signed_in.person;
    if let Some(site) = wanted.site
        && site::find(tx, &person.scope, site).await?.is_none()
    {
        return Ok(Err("borrower-problem-site"));
    }
    if !person.can(Action::ChangeBorrowers, Object::OfSite(wanted.site)).is_allowed() {
        return Ok(Err("borrower-problem-site"));
    }
    let random = random::bytes().map_err(|error| {
        tracing::error!(%error, "no randomness for a reference");
        Refusal::Broken
    })?;
    let new = Borrower {
        id,
        reference: Reference::from_random(random),
        kind: wanted.kind,
        institution_name: wanted.institution,
        site: wanted.site,
        level: wanted.level,
        left_site_day: None,
        created_at: signed_in.now,
        identity_erased_at: None,
    };
    let key = wanted.number.map(|number| app.vault.natural_key(&number));
    let sealed = wanted.identity.as_ref().map(|identity| app.vault.seal_identity(new.id, identity)).transpose()?;
    let key = key.as_ref().map(<[u8; 32]>::as_slice);
    let entered = match borrower_entry::enter(tx, &new, key, sealed.as_deref(), signed_in.now).await {
        // The same form came twice at once, and the other was quicker.
        Err(error) if error.is_duplicate_of("borrower_pkey") => None,
        other => other?,
    };
    let Some(details) = entered else { return Ok(Err("borrower-problem-number-taken")) };
    record(tx, signed_in, "borrower.create", ("borrower", new.id), details).await?;
    Ok(Ok(new))
}

/// `POST /borrowers/{id}/identity/change`
pub(super) async fn change_identity(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<IdentityForm>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = borrower_to_change(&mut tx, &signed_in, &id).await?;
    require(signed_in.person.can(Action::SeeIdentity, Object::OfSite(found.site)))?;
    if found.kind != BorrowerKind::Person {
        return Err(Refusal::Nonsense);
    }
    if found.identity_erased_at.is_some() {
        // Another person under an old reference would answer for loans that were never theirs.
        let shown = Shown { problem: Some("borrower-problem-erased"), ..Shown::default() };
        return show(&mut tx, &signed_in, &visitor, found, (StatusCode::CONFLICT, shown)).await;
    }
    let before = match borrower::sealed_identity(&mut tx, &signed_in.person.scope, found.id).await? {
        Some(sealed) => Some(app.vault.open_identity(found.id, &sealed)?),
        None => None,
    };
    match form.read(before.as_ref()) {
        Ok(identity) => {
            let sealed = app.vault.seal_identity(found.id, &identity)?;
            borrower::put_identity(&mut tx, found.id, &sealed, signed_in.now).await?;
            let details = json!({ "known_before": before.is_some() });
            record(&mut tx, &signed_in, "borrower.change_identity", ("borrower", found.id), details).await?;
            tx.commit().await?;
            Ok(back(found.id, "saved"))
        }
        Err(wrong) => {
            let shown = Shown { identity: None, form: Some(form), problem: Some(problem(wrong)) };
            show(&mut tx, &signed_in, &visitor, found, (StatusCode::UNPROCESSABLE_ENTITY, shown)).await
        }
    }
}

/// What else is known of a borrower.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DetailsForm {
    level: String,
    institution: String,
}

/// `POST /borrowers/{id}/change`
pub(super) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<DetailsForm>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let mut found = borrower_to_change(&mut tx, &signed_in, &id).await?;
    match found.kind {
        BorrowerKind::Person => found.level = level(&form.level).map_err(|_| Refusal::Nonsense)?,
        BorrowerKind::Institution => {
            found.institution_name = Some(institution_name(&form.institution).ok_or(Refusal::Nonsense)?);
        }
    }
    borrower::set_details(&mut tx, &found).await?;
    // The class level is not in the audit: it may reveal a person's situation.
    let details = json!({ "institution": found.institution_name });
    record(&mut tx, &signed_in, "borrower.change", ("borrower", found.id), details).await?;
    tx.commit().await?;
    Ok(back(found.id, "saved"))
}

/// When a person left the site; empty for one who is back.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LeftForm {
    day: String,
}

/// `POST /borrowers/{id}/left`
pub(super) async fn left(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<LeftForm>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = borrower_to_change(&mut tx, &signed_in, &id).await?;
    let id = found.id;
    let details = match optional::<Date>(form.day.trim()) {
        Ok(day) => borrower_entry::leave(&mut tx, found.clone(), day, signed_in.now).await?,
        Err(_) => None,
    };
    let Some(details) = details else {
        let shown = Shown { problem: Some("borrower-problem-left"), ..Shown::default() };
        return show(&mut tx, &signed_in, &visitor, found, (StatusCode::UNPROCESSABLE_ENTITY, shown)).await;
    };
    record(&mut tx, &signed_in, "borrower.left_site", ("borrower", id), details).await?;
    tx.commit().await?;
    Ok(back(id, "saved"))
}

/// `POST /borrowers/{id}/erase`: forgets who it was (RGPD art. 17).
pub(super) async fn erase(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    let reason = reason(&form.reason)?;
    let mut tx = app.store.write().await?;
    let found = borrower_to_change(&mut tx, &signed_in, &id).await?;
    if may_be_erased(borrower::open_loans(&mut tx, found.id).await?).is_err() {
        let shown = Shown { problem: Some("borrower-problem-still-needed"), ..Shown::default() };
        return show(&mut tx, &signed_in, &visitor, found, (StatusCode::CONFLICT, shown)).await;
    }
    if borrower::erase_identity(&mut tx, found.id, signed_in.now).await? {
        let details = json!({ "reason": reason });
        record(&mut tx, &signed_in, "borrower.erase_identity", ("borrower", found.id), details).await?;
        tx.commit().await?;
    }
    Ok(back(found.id, "identity-erased"))
}
