//! What people do about lots of donation: put them together, approve what others put together, record their hand-over.
//! Their units are in `donation_units`, their papers in `donation_papers`.

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
    acts::{Bare, record},
    donation::{Found, LotPage, LotsPage, May, Typed},
    error::{Refusal, parsed, require},
    i18n::Words,
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, Person, SignedIn},
    domain::{
        document::DocumentNumber,
        donation::{
            LotState,
            entry::{InvalidEntry, TermsEntry},
        },
    },
    store::{
        Tx, document, donation_approval,
        donation_delivery::{self, HandOver},
        donation_line,
        donation_lot::{self, LotError, LotRefused, LotRow},
        donation_recipient,
        lending::Clerk,
    },
};

fn may(person: &Person, action: Action) -> bool {
    person.can(action, Object::Programme).is_allowed()
}

pub(super) fn done(id: Uuid) -> Response {
    Redirect::to(&format!("/lots/{id}?done=saved")).into_response()
}

/// Why an act is refused, in words; or the answer that says less.
pub(super) fn told(error: LotError, words: Words) -> Result<String, Refusal> {
    match error {
        LotError::Store(error) => Err(error.into()),
        LotError::Refused(LotRefused::NoLot) => Err(Refusal::NotFound),
        LotError::Refused(refused @ LotRefused::Unmet(units)) => {
            Ok(words.count(&format!("lot-problem-{}", refused.code()), i64::try_from(units).unwrap_or(i64::MAX)))
        }
        LotError::Refused(LotRefused::InLot { device, lot }) => Ok(words.with_two("lot-problem-in-lot", &device, &lot)),
        LotError::Refused(LotRefused::Ceded(device)) => Ok(words.with("lot-problem-ceded", &device)),
        LotError::Refused(LotRefused::NoDevice(id)) => Ok(words.with("lot-problem-no-device", &id)),
        LotError::Refused(refused) => Ok(words.word("lot-problem", refused.code())),
    }
}

pub(super) fn invalid(entry: InvalidEntry, words: Words) -> String {
    words.word("donation-invalid", entry.code())
}

/// `GET /lots`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    show_list(&signed_in, &visitor, &app, (StatusCode::OK, None, TermsEntry::default())).await
}

async fn show_list(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    (status, problem, entry): (StatusCode, Option<String>, TermsEntry),
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeDonations, Object::Programme))?;
    let mut tx = app.store.read().await?;
    let (lots, recipients) = (donation_lot::list(&mut tx).await?, donation_recipient::list(&mut tx).await?);
    let shell = visitor.shell(Section::Donations, visitor.words.say("lots-title"), signed_in);
    let outcome = (may(person, Action::PrepareDonation), problem, entry);
    Ok(shell::page(status, &LotsPage::new(shell, (&lots, &recipients), outcome, signed_in.now)))
}

/// `POST /lots`
pub(super) async fn create(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<TermsEntry>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::PrepareDonation, Object::Programme))?;
    let refuse = async |problem| {
        show_list(&signed_in, &visitor, &app, (StatusCode::UNPROCESSABLE_ENTITY, Some(problem), form.clone())).await
    };
    let (name, terms) = match form.read() {
        Ok(read) => read,
        Err(wrong) => return refuse(invalid(wrong, visitor.words)).await,
    };
    let mut tx = app.store.write().await?;
    let id = match donation_lot::create(&mut tx, &name, &terms, person.id, signed_in.now).await {
        Ok(id) => id,
        Err(error) => {
            drop(tx);
            return refuse(told(error, visitor.words)?).await;
        }
    };
    let details = json!({ "name": name, "recipient": terms.recipient, "basis": terms.basis });
    record(&mut tx, &signed_in, "donation_lot.create", ("donation_lot", id), details).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/lots/{id}")).into_response())
}

/// `GET /lots/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    show(&signed_in, &visitor, &app, parsed(&id)?, (StatusCode::OK, None, Typed::default())).await
}

async fn show(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    id: Uuid,
    (status, problem, typed): (StatusCode, Option<String>, Typed),
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeDonations, Object::Programme))?;
    let mut tx = app.store.read().await?;
    let lot = donation_lot::find(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    let allowed = allowed(&mut tx, &lot, person).await?;
    let found = Found {
        lines: donation_line::of_lot(&mut tx, &lot, &app.policy, signed_in.now).await?,
        recipients: donation_recipient::list(&mut tx).await?,
        papers: document::of_lot(&mut tx, id).await?,
        lot,
    };
    let shell = visitor.shell(Section::Donations, found.lot.name.clone(), signed_in);
    Ok(shell::page(status, &LotPage::new(shell, found, allowed, (problem, typed), signed_in.now)))
}

async fn allowed(tx: &mut Tx, lot: &LotRow, person: &Person) -> Result<May, Refusal> {
    let (prepares, approves) = (may(person, Action::PrepareDonation), may(person, Action::ApproveDonation));
    let own = donation_lot::is_own(tx, lot, person.id).await?;
    let (draft, ready) = (lot.state == LotState::Draft, lot.state == LotState::Approved);
    Ok(May {
        change: draft && prepares,
        approve: draft && approves && !own && lot.units > 0,
        own: draft && approves && own,
        print: prepares && lot.units > 0 && lot.state != LotState::Dropped,
        deliver: ready && prepares,
        give_up: (draft || ready) && prepares,
    })
}

/// The lot's page with what was refused on it.
pub(super) async fn refused(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    id: Uuid,
    (problem, typed): (String, Typed),
) -> Result<Response, Refusal> {
    show(signed_in, visitor, app, id, (StatusCode::UNPROCESSABLE_ENTITY, Some(problem), typed)).await
}

/// `POST /lots/{id}/terms`
pub(super) async fn set_terms(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<TermsEntry>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::PrepareDonation, Object::Programme))?;
    let id: Uuid = parsed(&id)?;
    let typed = || Typed { terms: Some(form.clone()), ..Typed::default() };
    let (name, terms) = match form.read() {
        Ok(read) => read,
        Err(wrong) => {
            return refused(&signed_in, &visitor, &app, id, (invalid(wrong, visitor.words), typed())).await;
        }
    };
    let mut tx = app.store.write().await?;
    if let Err(error) = donation_lot::set_terms(&mut tx, id, (&name, &terms), person.id, signed_in.now).await {
        drop(tx);
        return refused(&signed_in, &visitor, &app, id, (told(error, visitor.words)?, typed())).await;
    }
    let details = json!({ "name": name, "recipient": terms.recipient, "basis": terms.basis });
    record(&mut tx, &signed_in, "donation_lot.set_terms", ("donation_lot", id), details).await?;
    tx.commit().await?;
    Ok(done(id))
}

fn clerk<'a>(app: &'a App, signed_in: &'a SignedIn) -> Clerk<'a> {
    let person = &signed_in.person;
    Clerk { actor: person.login.as_str(), token: None, scope: &person.scope, policy: &app.policy, now: signed_in.now }
}

/// `POST /lots/{id}/approve`
pub(super) async fn approve(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ApproveDonation, Object::Programme))?;
    let id: Uuid = parsed(&id)?;
    let mut tx = app.store.write().await?;
    if let Err(error) = donation_approval::approve(&mut tx, id, person.id, clerk(&app, &signed_in)).await {
        drop(tx);
        let problem = told(error, visitor.words)?;
        return refused(&signed_in, &visitor, &app, id, (problem, Typed::default())).await;
    }
    tx.commit().await?;
    Ok(done(id))
}

/// The hand-over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeliverForm {
    day: String,
    deed: String,
}

/// `POST /lots/{id}/deliver`
pub(super) async fn deliver(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<DeliverForm>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::PrepareDonation, Object::Programme))?;
    let id: Uuid = parsed(&id)?;
    let words = visitor.words;
    let typed = || Typed { day: form.day.clone(), deed: form.deed.clone(), ..Typed::default() };
    let (day, deed) = (form.day.trim().parse::<Date>(), form.deed.parse::<DocumentNumber>());
    let hand_over = match (day, deed) {
        (Ok(day), Ok(deed)) => HandOver { day, deed },
        (Err(_), _) => {
            let problem = words.word("lot-problem", LotRefused::BadDay.code());
            return refused(&signed_in, &visitor, &app, id, (problem, typed())).await;
        }
        (_, Err(_)) => {
            let problem = words.word("lot-problem", LotRefused::NoDeed.code());
            return refused(&signed_in, &visitor, &app, id, (problem, typed())).await;
        }
    };
    let mut tx = app.store.write().await?;
    let given = donation_delivery::deliver(&mut tx, id, person.id, hand_over, clerk(&app, &signed_in)).await;
    if let Err(error) = given {
        drop(tx);
        return refused(&signed_in, &visitor, &app, id, (told(error, words)?, typed())).await;
    }
    tx.commit().await?;
    Ok(done(id))
}

/// `POST /lots/{id}/drop`
pub(super) async fn give_up(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::PrepareDonation, Object::Programme))?;
    let id: Uuid = parsed(&id)?;
    let mut tx = app.store.write().await?;
    if let Err(error) = donation_lot::drop_lot(&mut tx, id, signed_in.now).await {
        drop(tx);
        let problem = told(error, visitor.words)?;
        return refused(&signed_in, &visitor, &app, id, (problem, Typed::default())).await;
    }
    record(&mut tx, &signed_in, "donation_lot.drop", ("donation_lot", id), json!({})).await?;
    tx.commit().await?;
    Ok(done(id))
}
