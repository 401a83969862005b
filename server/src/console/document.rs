//! Documents: an agreement before and after its hand-over, a receipt, a site's list, each made when its form is sent; and
//! what is recorded of one, where its QR code leads.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    acts::Bare,
    error::{Refusal, require},
    facts::{Fact, fact},
    format, hand_over,
    i18n::Words,
    loan_acts::ticked,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    documents::{HandOverWanted, Made, MakeError, Maker, Names, Signatories},
    domain::{document::DocumentNumber, identity::MAX_GUARDIANS},
    store::{
        document::{self, Document, Subject},
        programme,
    },
};

impl From<MakeError> for Refusal {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::NotFound => Self::NotFound,
            MakeError::NoSuchHolder(_)
            | MakeError::NotInState
            | MakeError::NotErased
            | MakeError::Nothing
            | MakeError::TooMany(_) => Self::Nonsense,
            MakeError::Busy => Self::Busy,
            MakeError::Store(error) => error.into(),
            MakeError::Vault(error) => error.into(),
            MakeError::TooLong | MakeError::Broken | MakeError::Template(_) => {
                tracing::error!(%error, "a document could not be made");
                Self::Broken
            }
        }
    }
}

/// The person signed in, as one who has documents made.
pub(super) fn maker<'a>(app: &'a App, signed_in: &'a SignedIn) -> Maker<'a> {
    app.maker(&signed_in.person, None, signed_in.now)
}

/// The PDF, to be shown by the browser; nothing keeps it.
pub(super) fn pdf(made: Made) -> Response {
    let name = format!("inline; filename=\"{}.pdf\"", made.document.number);
    let headers = [(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, made.pdf).into_response()
}

/// Who signs: `all`, or the place of one holder of parental authority.
fn signatories(asked: Option<&str>) -> Result<Signatories, Refusal> {
    match asked {
        None | Some("" | "all") => Ok(Signatories::All),
        Some(place) => place.parse().map(Signatories::One).map_err(|_| Refusal::Nonsense),
    }
}

/// The places that a form offers, besides `all`.
pub(super) fn places(words: Words) -> Vec<(usize, String)> {
    (1..=MAX_GUARDIANS).map(|place| (place, words.with("document-one-holder", &place.to_string()))).collect()
}

/// The key of what is said where it was asked, if it was not made for a reason that people can see to.
const fn told(error: &MakeError) -> Option<&'static str> {
    match error {
        MakeError::NoSuchHolder(_) => Some("document-no-holder"),
        MakeError::NotInState => Some("document-not-in-state"),
        MakeError::NotFound
        | MakeError::NotErased
        | MakeError::Nothing
        | MakeError::TooMany(_)
        | MakeError::Busy
        | MakeError::TooLong
        | MakeError::Broken
        | MakeError::Template(_)
        | MakeError::Store(_)
        | MakeError::Vault(_) => None,
    }
}

/// The PDF, or back to the loan with what is wrong.
fn answer(made: Result<Made, MakeError>, loan: Uuid) -> Result<Response, Refusal> {
    match made {
        Ok(made) => Ok(pdf(made)),
        Err(error) => match told(&error) {
            Some(key) => Ok(Redirect::to(&format!("/loans/{loan}?done={key}")).into_response()),
            None => Err(error.into()),
        },
    }
}

/// Who signs the agreement.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AgreementForm {
    holders: Option<String>,
}

/// `POST /loans/{id}/agreement`
pub(super) async fn agreement(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<AgreementForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    require(signed_in.person.can(Action::SeeIdentity, Object::OwnScope))?;
    let loan: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let who = signatories(form.holders.as_deref())?;
    answer(app.documents.agreement(maker(&app, &signed_in), loan, who).await, loan)
}

/// `POST /loans/{id}/receipt`
pub(super) async fn receipt(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::TakeBack, Object::OwnScope))?;
    let loan: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    answer(app.documents.receipt(maker(&app, &signed_in), loan).await, loan)
}

/// `POST /hand-over/agreement`: the agreement for what the form of the hand-over says, before it is done.
pub(super) async fn before(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    require(signed_in.person.can(Action::SeeIdentity, Object::OwnScope))?;
    let text = |name: &str| form.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let programme: Uuid = text("programme").and_then(|text| text.parse().ok()).ok_or(Refusal::Nonsense)?;
    let Ok(due) = text("due").map(str::parse::<Date>).transpose() else {
        let problem = visitor.words.say("handing-due-unreadable");
        return hand_over::again(&app, &signed_in, &visitor, &form, problem).await;
    };
    let mut tx = app.store.read().await?;
    let known = programme::find(&mut tx, programme).await?.ok_or(Refusal::NotFound)?.accessories;
    let borrower = hand_over::borrower_of(&mut tx, &signed_in, text("borrower").unwrap_or_default()).await?;
    drop(tx);
    let wanted = HandOverWanted {
        device: text("device").and_then(|text| text.parse().ok()).ok_or(Refusal::Nonsense)?,
        borrower: borrower.ok().flatten().ok_or(Refusal::NotFound)?.id,
        programme,
        due,
        accessories: ticked(&form, &known),
    };
    let who = signatories(text("holders"))?;
    match app.documents.agreement_before(maker(&app, &signed_in), wanted, who).await {
        Ok(made) => Ok(pdf(made)),
        Err(error) => match told(&error) {
            Some(key) => hand_over::again(&app, &signed_in, &visitor, &form, visitor.words.say(key)).await,
            None => Err(error.into()),
        },
    }
}

/// Whether a list shows names.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ListForm {
    names: Option<String>,
}

/// `POST /sites/{id}/list`
pub(super) async fn site_list(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ListForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeLoans, Object::OwnScope))?;
    let site: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let names = if form.names.is_some() { Names::Shown } else { Names::Hidden };
    let language = visitor.words.language;
    Ok(pdf(app.documents.site_list(maker(&app, &signed_in), site, language, names).await?))
}

/// What is recorded of a document.
#[derive(Debug, Template)]
#[template(path = "document.html")]
pub(super) struct DocumentPage {
    shell: Shell,
    about: Option<(String, String)>,
    facts: Vec<Fact>,
}

impl DocumentPage {
    /// The page of `document`.
    pub(super) fn new(shell: Shell, document: &Document) -> Self {
        let words = shell.words;
        let about = match document.subject {
            Subject::Loan { loan, .. } => Some((format!("/loans/{loan}"), words.say("document-its-loan"))),
            Subject::HandOver { device, .. } => Some((format!("/devices/{device}"), words.say("document-its-device"))),
            Subject::Campaign { campaign, .. } => {
                Some((format!("/campaigns/{campaign}"), words.say("document-its-campaign")))
            }
            Subject::Erasure { device, .. } => {
                Some((format!("/devices/{device}/erasures"), words.say("document-its-device")))
            }
            Subject::Lot(lot) => Some((format!("/lots/{lot}"), words.say("document-its-lot"))),
            Subject::Site(site) => site.map(|site| (format!("/sites/{site}"), words.say("document-its-site"))),
        };
        let own = |key, text: String| fact(words, key, Some(text));
        let facts = vec![
            own("document-kind", words.word("document", document.number.kind.as_str())),
            own("document-made", format::date_time(document.made_at, words)),
            own("loan-by", document.made_by.clone()),
            own("document-language", Words::of(document.language).say("language-name")),
            own("document-template", document.label()),
            own("document-template-hash", HEXLOWER.encode(&document.template_sha256)),
            own("document-pdf-hash", HEXLOWER.encode(&document.pdf_sha256)),
        ];
        Self { shell, about, facts }
    }
}

/// `GET /documents/{number}`
pub(super) async fn show(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeLoans, Object::OwnScope))?;
    let number: DocumentNumber = number.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.read().await?;
    let found = document::find(&mut tx, &signed_in.person.scope, number).await?.ok_or(Refusal::NotFound)?;
    let shell = visitor.shell(Section::Loans, number.to_string(), &signed_in);
    Ok(shell::page(StatusCode::OK, &DocumentPage::new(shell, &found)))
}

/// A document in a loan's list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) kind: String,
    pub(super) when: String,
    pub(super) by: String,
}

impl Line {
    /// The line of `document`.
    pub(super) fn new(document: &Document, words: Words) -> Self {
        Self {
            href: format!("/documents/{}", document.number),
            number: document.number.to_string(),
            kind: words.word("document", document.number.kind.as_str()),
            when: format::date_time(document.made_at, words),
            by: document.made_by.clone(),
        }
    }
}
