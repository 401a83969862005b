//! Recipients of donations: the page that lists them, and what people do about them.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, record},
    component::Choice,
    donation::choices,
    donation_acts::invalid,
    error::{Refusal, require},
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::donation::{Recipient, RecipientClass, entry::RecipientEntry},
    store::donation_recipient,
};

#[derive(Debug)]
struct RecipientRow {
    id: Uuid,
    name: String,
    class: String,
    legal_form: String,
    registration: String,
    commitments: Option<String>,
    proof: Option<String>,
    ended: bool,
}

/// The recipients.
#[derive(Debug, Template)]
#[template(path = "recipients.html")]
pub(super) struct RecipientsPage {
    shell: Shell,
    csrf: String,
    may_prepare: bool,
    problem: Option<String>,
    rows: Vec<RecipientRow>,
    entry: RecipientEntry,
    classes: Vec<Choice>,
}

impl RecipientsPage {
    /// The page for these recipients.
    pub(super) fn new(
        shell: Shell,
        recipients: Vec<Recipient>,
        (may_prepare, problem, entry): (bool, Option<String>, RecipientEntry),
    ) -> Self {
        let words = shell.words;
        let classes: Vec<&str> = RecipientClass::ALL.iter().map(|class| class.as_str()).collect();
        let row = |one: Recipient| RecipientRow {
            id: one.id,
            class: words.word("recipient-class", one.class.as_str()),
            name: one.name,
            legal_form: one.legal_form,
            registration: one.registration.unwrap_or_default(),
            commitments: one.commitments,
            proof: one.proof,
            ended: one.ended_at.is_some(),
        };
        Self {
            csrf: shell.csrf(),
            may_prepare,
            problem,
            rows: recipients.into_iter().map(row).collect(),
            classes: choices("recipient-class", &classes, &entry.class, words),
            entry,
            shell,
        }
    }
}

/// `GET /recipients`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    show(&signed_in, &visitor, &app, (StatusCode::OK, None, RecipientEntry::default())).await
}

async fn show(
    signed_in: &SignedIn,
    visitor: &Visitor,
    app: &App,
    (status, problem, entry): (StatusCode, Option<String>, RecipientEntry),
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeDonations, Object::Programme))?;
    let mut tx = app.store.read().await?;
    let found = donation_recipient::list(&mut tx).await?;
    let shell = visitor.shell(Section::Donations, visitor.words.say("recipients-title"), signed_in);
    let may = person.can(Action::PrepareDonation, Object::Programme).is_allowed();
    let outcome = (may, problem, entry);
    Ok(shell::page(status, &RecipientsPage::new(shell, found, outcome)))
}

/// `POST /recipients`
pub(super) async fn create(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<RecipientEntry>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::PrepareDonation, Object::Programme))?;
    let made = match form.read(Uuid::now_v7(), signed_in.now) {
        Ok(made) => made,
        Err(wrong) => {
            let outcome = (StatusCode::UNPROCESSABLE_ENTITY, Some(invalid(wrong, visitor.words)), form);
            return show(&signed_in, &visitor, &app, outcome).await;
        }
    };
    let mut tx = app.store.write().await?;
    donation_recipient::insert(&mut tx, &made, signed_in.person.login.as_str()).await?;
    let details = json!({ "name": made.name, "class": made.class });
    record(&mut tx, &signed_in, "donation_recipient.create", ("donation_recipient", made.id), details).await?;
    tx.commit().await?;
    Ok(Redirect::to("/recipients?done=saved").into_response())
}

/// `POST /recipients/{id}/end`
pub(super) async fn end(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::PrepareDonation, Object::Programme))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.write().await?;
    if !donation_recipient::end(&mut tx, id, signed_in.now).await? {
        return Err(Refusal::NotFound);
    }
    record(&mut tx, &signed_in, "donation_recipient.end", ("donation_recipient", id), json!({})).await?;
    tx.commit().await?;
    Ok(Redirect::to("/recipients?done=saved").into_response())
}
