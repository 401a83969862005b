//! What people see and do of exams: everybody who sees sites reads those that concern them; a technician orders them and
//! calls them off.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use uuid::Uuid;

use super::{
    acts::{Bare, gone, record},
    error::{Refusal, parsed, require},
    exam::{ExamForm, ExamsAsked, ExamsPage, Orders},
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    store::{
        Tx,
        exam::{self, CalledOff, ExamRow},
        page::{Cursor, Page},
        site,
    },
};

/// `GET /exams`
pub(super) async fn list(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<ExamsAsked>,
) -> Result<Response, Refusal> {
    let after = asked.after()?;
    let mut tx = app.store.read().await?;
    show(&mut tx, &signed_in, &visitor, after.as_ref(), (ExamForm::default(), None)).await
}

async fn show(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    after: Option<&Cursor>,
    typed: (ExamForm, Option<&'static str>),
) -> Result<Response, Refusal> {
    let (person, now) = (&signed_in.person, signed_in.now);
    require(person.can(Action::SeeExams, Object::OwnScope))?;
    let may = |object| person.can(Action::OrderExams, object).is_allowed();
    let orders = match (may(Object::Programme), may(Object::OwnScope)) {
        (true, _) => Orders::Everywhere,
        (false, true) => Orders::OwnSites,
        (false, false) => Orders::Nothing,
    };
    let found = exam::list(tx, &person.scope, (after, 0), now).await?;
    let judged = |row: ExamRow| {
        let may_call_off = may(row.exam.object());
        (row, may_call_off)
    };
    let rows: Vec<(ExamRow, bool)> = found.rows.into_iter().map(judged).collect();
    let exams = Page { rows, next: found.next, total: found.total };
    let sites = site::list(tx, &person.scope).await?;
    let status = if typed.1.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Exams, visitor.words.say("exams-title"), signed_in);
    let page = ExamsPage::new(shell, (exams, after), (orders, &sites), typed, now);
    Ok(shell::page(status, &page))
}

/// `POST /exams`
pub(super) async fn order(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<ExamForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::OrderExams, Object::OwnScope))?;
    let mut tx = app.store.write().await?;
    match try_order(&mut tx, &signed_in, &form).await? {
        Ok(done) => {
            tx.commit().await?;
            Ok(back(done))
        }
        Err(problem) => show(&mut tx, &signed_in, &visitor, None, (form, Some(problem))).await,
    }
}

/// Orders what the form asks for; the word for what is wrong with it.
async fn try_order(
    tx: &mut Tx,
    signed_in: &SignedIn,
    form: &ExamForm,
) -> Result<Result<&'static str, &'static str>, Refusal> {
    let person = &signed_in.person;
    let (new, chosen) = match (form.read(signed_in.now), form.sites()) {
        (Ok(new), Ok(chosen)) => (new, chosen),
        (Err(problem), _) | (_, Err(problem)) => return Ok(Err(problem)),
    };
    let known = site::list(tx, &person.scope).await?;
    if chosen.iter().any(|id| !known.iter().any(|site| site.id == *id)) {
        return Ok(Err("exam-problem-site"));
    }
    let sites: Vec<Option<Uuid>> = if chosen.is_empty() {
        if !person.can(Action::OrderExams, Object::Programme).is_allowed() {
            return Ok(Err("exam-sites-needed"));
        }
        vec![None]
    } else {
        chosen.into_iter().map(Some).collect()
    };
    let ordered = exam::add(tx, &new, &sites, person.login.as_str(), signed_in.now).await?;
    for (id, ordered) in &ordered {
        record(tx, signed_in, "exam.order", ("exam", *id), exam::details(new.label(), ordered)).await?;
    }
    Ok(Ok(if ordered.is_empty() { "already" } else { "saved" }))
}

fn back(done: &str) -> Response {
    Redirect::to(&format!("/exams?done={done}")).into_response()
}

/// `POST /exams/{id}/end`
pub(super) async fn call_off(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::OrderExams, Object::OwnScope))?;
    let id: Uuid = parsed(&id)?;
    let mut tx = app.store.write().await?;
    let Some(row) = exam::find(&mut tx, &person.scope, id).await? else {
        drop(tx);
        return gone(&app, ("exam", id), "exam.remove", "/exams").await;
    };
    require(person.can(Action::OrderExams, row.exam.object()))?;
    let action = match exam::call_off(&mut tx, &row, signed_in.now).await? {
        CalledOff::Ended => "exam.end",
        CalledOff::Removed => "exam.remove",
        CalledOff::Over => return Ok(back("already")),
    };
    record(&mut tx, &signed_in, action, ("exam", id), exam::details(&row.label, &row.exam)).await?;
    tx.commit().await?;
    Ok(back("saved"))
}
