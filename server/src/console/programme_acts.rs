//! What people see and do of programmes.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    acts::{Reasoned, reason, record},
    error::{Refusal, require},
    programme::{Filled, ProgrammeForm, ProgrammePage, ProgrammesPage, problem},
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::programme::Programme,
    store::{Tx, programme},
};

fn may_change(signed_in: &SignedIn) -> bool {
    signed_in.person.can(Action::ChangeProgrammes, Object::Programme).is_allowed()
}

async fn known(tx: &mut Tx, id: &str) -> Result<Programme, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    programme::find(tx, id).await?.ok_or(Refusal::NotFound)
}

/// `GET /programmes`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeProgrammes, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let programmes = programme::list(&mut tx).await?;
    let shell = visitor.shell(Section::Programmes, visitor.words.say("programmes-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &ProgrammesPage::new(shell, &programmes, may_change(&signed_in))))
}

/// `GET /programmes/new`
pub(super) async fn fresh(signed_in: SignedIn, visitor: Visitor) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeProgrammes, Object::Programme))?;
    let filled = Filled { form: ProgrammeForm::fresh(visitor.words.language), problem: None };
    Ok(show(StatusCode::OK, &signed_in, &visitor, None, filled))
}

/// `GET /programmes/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeProgrammes, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let found = known(&mut tx, &id).await?;
    let filled = Filled { form: ProgrammeForm::of(&found), problem: None };
    Ok(show(StatusCode::OK, &signed_in, &visitor, Some(&found), filled))
}

fn show(
    status: StatusCode,
    signed_in: &SignedIn,
    visitor: &Visitor,
    found: Option<&Programme>,
    filled: Filled,
) -> Response {
    let title = found.map_or_else(|| visitor.words.say("programme-new"), |found| found.name.clone());
    let shell = visitor.shell(Section::Programmes, title, signed_in);
    shell::page(status, &ProgrammePage::new(shell, found, may_change(signed_in), filled))
}

/// What the audit keeps of a programme.
pub(super) fn details(programme: &Programme) -> Value {
    let roles: Vec<&str> = programme.membership.iter().map(|role| role.as_str()).collect();
    json!({
        "code": programme.code.as_str(), "name": programme.name, "kind": programme.kind.as_str(),
        "term": programme.term.text(), "renewals": programme.renewals_allowed, "owner": programme.owner,
        "membership": roles,
    })
}

/// `POST /programmes`
pub(super) async fn create(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<ProgrammeForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeProgrammes, Object::Programme))?;
    let refused = |form, problem| {
        let filled = Filled { form, problem: Some(problem) };
        Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &signed_in, &visitor, None, filled))
    };
    let new = match form.read(Uuid::now_v7()) {
        Ok(new) => new,
        Err(wrong) => return refused(form, problem(wrong)),
    };
    let mut tx = app.store.write().await?;
    match programme::put(&mut tx, &new, signed_in.now).await {
        Err(error) if error.is_duplicate_of("code") => return refused(form, "programme-problem-code-taken"),
        other => other?,
    }
    record(&mut tx, &signed_in, "programme.create", ("programme", new.id), details(&new)).await?;
    tx.commit().await?;
    Ok(back(new.id))
}

fn back(id: Uuid) -> Response {
    Redirect::to(&format!("/programmes/{id}?done=saved")).into_response()
}

/// `POST /programmes/{id}`
pub(super) async fn change(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ProgrammeForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeProgrammes, Object::Programme))?;
    let mut tx = app.store.write().await?;
    let before = known(&mut tx, &id).await?;
    // The code is on devices and labels: it stays.
    let form = ProgrammeForm { code: before.code.as_str().to_owned(), ..form };
    let after = match form.read(before.id) {
        Ok(after) => after,
        Err(wrong) => {
            let filled = Filled { form, problem: Some(problem(wrong)) };
            return Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &signed_in, &visitor, Some(&before), filled));
        }
    };
    programme::put(&mut tx, &after, signed_in.now).await?;
    let both = json!({ "before": details(&before), "after": details(&after) });
    record(&mut tx, &signed_in, "programme.change", ("programme", before.id), both).await?;
    tx.commit().await?;
    Ok(back(before.id))
}

/// `POST /programmes/{id}/close`
pub(super) async fn close(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeProgrammes, Object::Programme))?;
    let reason = reason(&form.reason)?;
    let mut tx = app.store.write().await?;
    let found = known(&mut tx, &id).await?;
    if programme::close(&mut tx, found.id, signed_in.now).await? {
        let details = json!({ "code": found.code.as_str(), "reason": reason });
        record(&mut tx, &signed_in, "programme.close", ("programme", found.id), details).await?;
        tx.commit().await?;
    }
    Ok(back(found.id))
}

/// `POST /programmes/{id}/reopen`
pub(super) async fn reopen(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeProgrammes, Object::Programme))?;
    let reason = reason(&form.reason)?;
    let mut tx = app.store.write().await?;
    let found = known(&mut tx, &id).await?;
    if programme::reopen(&mut tx, found.id).await? {
        let details = json!({ "code": found.code.as_str(), "reason": reason });
        record(&mut tx, &signed_in, "programme.reopen", ("programme", found.id), details).await?;
        tx.commit().await?;
    }
    Ok(back(found.id))
}
