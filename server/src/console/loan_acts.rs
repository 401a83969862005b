//! What people do with a loan on its page: each act is one unit of work, and ends on the page it came from.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    acts::Bare,
    error::{Refusal, require},
    loan,
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{loan::Condition, signature::Drawing},
    store::{
        audit::{self, NewAudit},
        lending::{Clerk, Lending, LendingError},
        loan::find,
        loan_signature,
    },
};

/// The person signed in, as the store's clerk.
pub(super) fn clerk<'a>(app: &'a App, signed_in: &'a SignedIn) -> Clerk<'a> {
    Clerk {
        actor: signed_in.person.login.as_str(),
        token: None,
        scope: &signed_in.person.scope,
        policy: &app.policy,
        now: signed_in.now,
    }
}

impl From<LendingError> for Refusal {
    fn from(error: LendingError) -> Self {
        use crate::store::lending::Refused;
        match error {
            LendingError::Store(error) => error.into(),
            LendingError::Refused(Refused::NoDevice | Refused::NoLoan) => Self::NotFound,
            LendingError::Refused(_) => Self::Nonsense,
        }
    }
}

/// Begins a unit of work of someone who may do `action` within the own sites.
async fn begin<'a>(app: &'a App, signed_in: &'a SignedIn, action: Action) -> Result<Lending<'a>, Refusal> {
    require(signed_in.person.can(action, Object::OwnScope))?;
    Ok(Lending::begin(&app.store, clerk(app, signed_in)).await?)
}

/// Back on `page`, with what became of the act. What does not exist is a refusal; everything else a message.
async fn end<T>(lending: Lending<'_>, done: Result<T, LendingError>, page: &str) -> Result<Response, Refusal> {
    let outcome = match done {
        Ok(_) => {
            lending.commit().await?;
            "saved".to_owned()
        }
        Err(LendingError::Refused(refused))
            if Refusal::from(LendingError::Refused(refused.clone())) != Refusal::NotFound =>
        {
            format!("refused-{}", refused.code())
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("{page}?done={outcome}")).into_response())
}

fn loan_id(id: &str) -> Result<Uuid, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

/// `POST /loans/{id}/cancel`
pub(super) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut lending = begin(&app, &signed_in, Action::HandOver).await?;
    let done = lending.cancel(loan_id(&id)?).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// A new due date.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExtendForm {
    due: String,
}

/// `POST /loans/{id}/extend`
pub(super) async fn extend(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ExtendForm>,
) -> Result<Response, Refusal> {
    let mut lending = begin(&app, &signed_in, Action::ChangeLoan).await?;
    let id = loan_id(&id)?;
    let Ok(due) = form.due.trim().parse::<Date>() else {
        find(lending.tx(), &signed_in.person.scope, id).await?.ok_or(Refusal::NotFound)?;
        return Ok(Redirect::to(&format!("/loans/{id}?done=due-needed")).into_response());
    };
    let done = lending.extend(id, due).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// The names of `known` whose numbered field stands in the form.
pub(super) fn ticked(form: &BTreeMap<String, String>, known: &[String]) -> Vec<String> {
    let chosen = |(index, _): &(usize, &String)| form.contains_key(&format!("accessory-{index}"));
    known.iter().enumerate().filter(chosen).map(|(_, name)| name.clone()).collect()
}

/// `POST /loans/{id}/return`
pub(super) async fn take_back(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let condition = form.get("condition").and_then(|text| text.parse::<Condition>().ok()).ok_or(Refusal::Nonsense)?;
    let mut lending = begin(&app, &signed_in, Action::TakeBack).await?;
    let found = find(lending.tx(), &signed_in.person.scope, loan_id(&id)?).await?.ok_or(Refusal::NotFound)?;
    let handed = found.state.handed_over().map(|handed| handed.accessories.clone()).unwrap_or_default();
    let done = lending.take_back(found.id, condition, ticked(&form, &handed)).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// `POST /loans/{id}/undo-return`
pub(super) async fn undo_return(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut lending = begin(&app, &signed_in, Action::TakeBack).await?;
    let done = lending.undo_return(loan_id(&id)?).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// `POST /loans/{id}/lose`
pub(super) async fn lose(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut lending = begin(&app, &signed_in, Action::ChangeLoan).await?;
    let done = lending.lose(loan_id(&id)?).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// A theft's complaint.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct TheftForm {
    police_report: String,
}

/// `POST /loans/{id}/steal`
pub(super) async fn steal(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<TheftForm>,
) -> Result<Response, Refusal> {
    let mut lending = begin(&app, &signed_in, Action::ChangeLoan).await?;
    let done = lending.steal(loan_id(&id)?, &form.police_report).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// `POST /loans/{id}/write-off`
pub(super) async fn write_off(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut lending = begin(&app, &signed_in, Action::EndLoan).await?;
    let done = lending.write_off(loan_id(&id)?).await;
    end(lending, done, &format!("/loans/{id}")).await
}

/// `POST /devices/{id}/stock`
pub(super) async fn put_in_stock(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let device: DeviceId = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut lending = begin(&app, &signed_in, Action::TakeBack).await?;
    let done = lending.put_in_stock(device).await;
    end(lending, done, &format!("/devices/{id}")).await
}

/// `POST /loans/{id}/signature`: shows it, and writes down that it was shown.
pub(super) async fn show_signature(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeIdentity, Object::OwnScope))?;
    let mut tx = app.store.write().await?;
    let read = loan::read(&mut tx, &signed_in, &app, &id).await?;
    let sealed = loan_signature::sealed(&mut tx, read.loan.id).await?.ok_or(Refusal::NotFound)?;
    let drawing = app.vault.open("signature", read.loan.id, &sealed).map_err(|error| {
        tracing::error!(%error, loan = %read.loan.id, "a signature cannot be opened");
        Refusal::Broken
    })?;
    let drawing: Drawing = String::from_utf8_lossy(&drawing).parse().map_err(|_| Refusal::Broken)?;
    let (actor, object_id) = (signed_in.person.login.as_str(), read.loan.id.to_string());
    let details = serde_json::json!({});
    let row = NewAudit { actor, action: "loan.see_signature", object_kind: "loan", object_id: &object_id, details };
    audit::append(&mut tx, row, signed_in.now).await?;
    tx.commit().await?;
    Ok(loan::show(&signed_in, &visitor, read, Some(drawing.path())))
}
