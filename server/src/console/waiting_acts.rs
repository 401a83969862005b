//! What people do about machines that ask to be let in: read the list, look at what a selection would become, decide.
//!
//! The preview does everything and keeps nothing, so that it says exactly what the act will say. The act holds each
//! request against what the preview showed. Sent twice, it finds the requests decided and does nothing.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{
    acts::reason,
    error::{Refusal, require},
    loan_acts::clerk,
    shell::{self, Section},
    visitor::Visitor,
    waiting::{Asked, PreviewPage, Stage, WaitingPage, chosen},
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::approval::{MOST_AT_ONCE, Ruling},
    store::{
        approval::{self, DecideError, Decided, Outcome},
        approval_queue, site,
    },
};

/// The fields of the form, by name.
type Fields = BTreeMap<String, String>;

impl From<DecideError> for Refusal {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Unknown => Self::NotFound,
            DecideError::TooMany => Self::Told("waiting-too-many"),
            DecideError::Store(error) => error.into(),
        }
    }
}

/// `GET /devices/waiting`
pub(super) async fn list(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::AdmitDevice, Object::OwnScope))?;
    let query = asked.query()?;
    let mut tx = app.store.read().await?;
    let page = approval_queue::list(&mut tx, &person.scope, &query).await?;
    let sites = site::list(&mut tx, &person.scope).await?;
    let shell = visitor.shell(Section::Waiting, visitor.words.say("waiting-title"), &signed_in);
    let page = WaitingPage::new(shell, (&asked, &query), &page, &sites, signed_in.now);
    Ok(shell::page(StatusCode::OK, &page))
}

/// `POST /devices/waiting/preview`
pub(super) async fn preview(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<Fields>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::AdmitDevice, Object::OwnScope))?;
    let prefix = match form.get("which").map(String::as_str) {
        None | Some("chosen") => "id-",
        Some("page") => "page-",
        Some(_) => return Err(Refusal::Nonsense),
    };
    let mut chosen = chosen(&form, prefix);
    if chosen.is_empty() {
        return Err(Refusal::Told("waiting-none-chosen"));
    }
    if chosen.len() > MOST_AT_ONCE {
        return Err(DecideError::TooMany.into());
    }
    let mut tx = app.store.write().await?;
    // The look itself: what only somebody who looked may do is shown as possible.
    for (id, shown) in &mut chosen {
        let asked = approval_queue::find(&mut tx, &signed_in.person.scope, *id).await?;
        *shown = asked.map(|asked| asked.mark());
    }
    let decided = approval::decide(&mut tx, clerk(&app, &signed_in), Ruling::Approve, None, &chosen).await?;
    // Nothing of it is kept.
    drop(tx);
    Ok(show(&signed_in, &visitor, Stage::Preview, &decided))
}

fn show(signed_in: &SignedIn, visitor: &Visitor, stage: Stage, decided: &[Decided]) -> Response {
    let shell = visitor.shell(Section::Waiting, visitor.words.say("waiting-preview-title"), signed_in);
    shell::page(StatusCode::OK, &PreviewPage::new(shell, stage, decided, signed_in.now))
}

/// `POST /devices/waiting/decide`
pub(super) async fn decide(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<Fields>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::AdmitDevice, Object::OwnScope))?;
    let text = |name: &str| form.get(name).map_or("", String::as_str);
    let ruling: Ruling = text("how").parse().map_err(|_| Refusal::Nonsense)?;
    let why = match ruling {
        Ruling::Approve => None,
        Ruling::Refuse => Some(reason(text("reason"))?),
    };
    let chosen = chosen(&form, "id-");
    if chosen.is_empty() {
        return Err(Refusal::Told("waiting-none-chosen"));
    }
    let mut tx = app.store.write().await?;
    let decided = approval::decide(&mut tx, clerk(&app, &signed_in), ruling, why, &chosen).await?;
    tx.commit().await?;
    if decided.iter().all(|one| one.outcome.is_done()) {
        return Ok(Redirect::to("/devices/waiting?done=saved").into_response());
    }
    if decided.iter().all(|one| one.outcome == Outcome::Already) {
        return Ok(Redirect::to("/devices/waiting?done=already").into_response());
    }
    Ok(show(&signed_in, &visitor, Stage::Decided, &decided))
}
