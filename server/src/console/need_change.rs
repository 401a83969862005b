//! Changing a need that is open: its form, and what becomes of it.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::record,
    component::Choice,
    device_list::{Select, optional},
    error::{Refusal, require},
    need::{NeedForm, fields, programme_choices},
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        import::cells::Wanted,
        need::{NeedReason, NeedState, Reasons},
        programme::Programme,
    },
    store::{
        Tx, borrower, need,
        need::NeedRow,
        need_change::{self, Change, ChangeError, ChangeRefused},
        programme, site,
    },
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "need_change.html")]
pub(super) struct NeedChangePage {
    shell: Shell,
    csrf: String,
    id: Uuid,
    site: String,
    problem: Option<String>,
    programmes: Vec<Choice>,
    fields: Vec<Select>,
    form: NeedForm,
}

impl NeedChangePage {
    /// The form of the need `id`, with what is wrong with it.
    pub(super) fn new(
        shell: Shell,
        (id, site): (Uuid, String),
        programmes: &[Programme],
        (form, problem): (NeedForm, Option<&'static str>),
    ) -> Self {
        let words = shell.words;
        // A closed programme stays what it is, and is offered to no other need.
        let offered = programmes.iter().filter(|one| one.open || one.id.to_string() == form.programme);
        Self {
            csrf: shell.csrf(),
            id,
            site,
            problem: problem.map(|key| words.say(key)),
            programmes: programme_choices(offered, &form.programme),
            fields: fields(&form, words),
            form,
            shell,
        }
    }
}

/// The form of a need that is there.
fn form_of(found: &NeedRow, borrower: Option<String>) -> NeedForm {
    let need = &found.need;
    let one = |some: &[NeedReason]| {
        let reason = need.reasons.iter().find(|reason| some.contains(reason));
        reason.map_or_else(String::new, |reason| reason.as_str().to_owned())
    };
    let ticked = |reason| need.reasons.iter().any(|one| one == reason).then(|| "yes".to_owned());
    NeedForm {
        site: need.site.to_string(),
        programme: need.programme.to_string(),
        level: need.level.map_or_else(String::new, |level| level.as_str().to_owned()),
        home: one(&[NeedReason::NoComputer, NeedReason::Shared]),
        band: one(&[NeedReason::Band1, NeedReason::Band2, NeedReason::Band3]),
        ulis: ticked(NeedReason::Ulis),
        replacement: ticked(NeedReason::Replacement),
        borrower: borrower.unwrap_or_default(),
        ..NeedForm::default()
    }
}

/// An open need that this person may change.
async fn open_need(tx: &mut Tx, signed_in: &SignedIn, id: &str) -> Result<NeedRow, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::ChangeNeeds, Object::OwnScope))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let found = need::find(tx, &person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(person.can(Action::ChangeNeeds, Object::OfSite(Some(found.need.site))))?;
    if found.state == NeedState::Open { Ok(found) } else { Err(Refusal::Told("need-problem-not-open")) }
}

/// `GET /needs/{id}/change`
pub(super) async fn form(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let found = open_need(&mut tx, &signed_in, &id).await?;
    let known = match found.need.borrower {
        Some(id) => borrower::find(&mut tx, &signed_in.person.scope, id).await?,
        None => None,
    };
    let form = form_of(&found, known.map(|known| known.reference.to_string()));
    show(&mut tx, (&signed_in, &visitor), &found, StatusCode::OK, (form, None)).await
}

async fn show(
    tx: &mut Tx,
    (signed_in, visitor): (&SignedIn, &Visitor),
    found: &NeedRow,
    status: StatusCode,
    typed: (NeedForm, Option<&'static str>),
) -> Result<Response, Refusal> {
    let programmes = programme::list(tx).await?;
    let site = site::find(tx, &signed_in.person.scope, found.need.site).await?.ok_or(Refusal::NotFound)?;
    let shell = visitor.shell(Section::Needs, visitor.words.say("need-change-title"), signed_in);
    let page = NeedChangePage::new(shell, (found.need.id, site.name), &programmes, typed);
    Ok(shell::page(status, &page))
}

/// What the form asks, or the key of what is wrong with it.
fn change_of(form: &NeedForm) -> Result<Change, &'static str> {
    let reasons = form.reasons().map_err(|_| "need-problem-form")?;
    let level = optional(&form.level).map_err(|_| "need-problem-form")?;
    let borrower = match form.borrower.trim() {
        "" => Wanted::Erase,
        text => Wanted::Set(text.parse().map_err(|_| "need-problem-borrower")?),
    };
    Ok(Change {
        programme: Some(form.programme.parse().map_err(|_| "need-problem-programme")?),
        level: level.map_or(Wanted::Erase, Wanted::Set),
        reasons: Some(Reasons::new(reasons).map_err(|_| "need-problem-form")?),
        borrower,
    })
}

const fn problem(refused: ChangeRefused) -> &'static str {
    match refused {
        ChangeRefused::NotOpen => "need-problem-not-open",
        ChangeRefused::Programme => "need-problem-programme",
        ChangeRefused::Proposed => "need-problem-proposed",
        ChangeRefused::Borrower => "need-problem-borrower",
    }
}

/// `POST /needs/{id}/change`
pub(super) async fn change(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<NeedForm>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = open_need(&mut tx, &signed_in, &id).await?;
    let wrong = match change_of(&form) {
        Ok(wanted) => match need_change::change(&mut tx, &signed_in.person.scope, &found, wanted).await {
            Ok(changed) => {
                let details = json!({ "changed": changed });
                record(&mut tx, &signed_in, "need.change", ("need", found.need.id), details).await?;
                tx.commit().await?;
                return Ok(Redirect::to("/needs?done=saved").into_response());
            }
            Err(ChangeError::Refused(refused)) => problem(refused),
            Err(ChangeError::Store(error)) => return Err(error.into()),
        },
        Err(key) => key,
    };
    let typed = (form, Some(wrong));
    show(&mut tx, (&signed_in, &visitor), &found, StatusCode::UNPROCESSABLE_ENTITY, typed).await
}
