//! Signing in and out, and choosing a language.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use super::{
    error::Refusal,
    shell::{self, Shell},
    visitor::{LANGUAGE_COOKIE, Visitor},
};
use crate::{
    app::App,
    auth::{self, ClientAddress, CsrfForm, SignInRefused, csrf::is_same_origin, safe_next},
    clock,
    domain::language::Language,
};

/// A year: nobody chooses a language twice.
const LANGUAGE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The page.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    shell: Shell,
    next: String,
    login: String,
    problem: Option<String>,
    /// Whether a form was sent after its session had ended.
    ended: bool,
}

impl SignInPage {
    /// The page, empty or after a refusal.
    pub(super) fn new(visitor: &Visitor, next: &str, login: &str, problem: Option<String>) -> Self {
        let mut shell = visitor.bare(visitor.words.say("sign-in-title"));
        // Coming back after a change of language must not lose where the person was going.
        auth::session::SIGN_IN_PATH.clone_into(&mut shell.here);
        Self { shell, next: next.to_owned(), login: login.to_owned(), problem, ended: false }
    }

    /// The same page, which says why somebody is here who has just sent a form.
    pub(super) fn after_a_lost_form(self) -> Self {
        Self { ended: true, ..self }
    }
}

/// Where to go afterwards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NextAsked {
    next: Option<String>,
    /// What was lost at the end of a session: `form`.
    ended: Option<String>,
}

/// `GET /sign-in`
pub(super) async fn form(visitor: Visitor, Query(asked): Query<NextAsked>) -> Response {
    let page = SignInPage::new(&visitor, safe_next(asked.next.as_deref()), "", None);
    let page = if asked.ended.is_some() { page.after_a_lost_form() } else { page };
    shell::page(StatusCode::OK, &page)
}

/// What the form holds.
#[derive(Clone, Deserialize)]
pub(super) struct SignInForm {
    login: String,
    password: String,
    next: Option<String>,
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    visitor: Visitor,
    client: ClientAddress,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<Response, Refusal> {
    if !is_same_origin(&headers) {
        return Err(Refusal::Forbidden);
    }
    let next = safe_next(form.next.as_deref());
    let words = visitor.words;
    let (status, problem) = match auth::sign_in(&app, &form.login, &form.password, client, clock::now()).await {
        Ok(cookie) => return Ok((cookie, Redirect::to(next)).into_response()),
        Err(SignInRefused::Wrong) => (StatusCode::UNPROCESSABLE_ENTITY, words.say("sign-in-wrong")),
        Err(SignInRefused::Throttled { retry_after_seconds }) => {
            (StatusCode::TOO_MANY_REQUESTS, words.count("sign-in-throttled", retry_after_seconds))
        }
        Err(SignInRefused::Busy) => (StatusCode::SERVICE_UNAVAILABLE, words.say("sign-in-busy")),
        Err(SignInRefused::Store(error)) => return Err(error.into()),
        Err(SignInRefused::Failed(error)) => {
            tracing::error!(error, "sign-in failed");
            return Err(Refusal::Broken);
        }
    };
    Ok(shell::page(status, &SignInPage::new(&visitor, next, &form.login, Some(problem))))
}

/// `POST /sign-out`
pub(super) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    CsrfForm { .. }: CsrfForm<super::acts::Bare>,
) -> Result<Response, Refusal> {
    let cookie = auth::sign_out(&app, &headers).await?;
    Ok((cookie, Redirect::to(auth::session::SIGN_IN_PATH)).into_response())
}

/// A choice of language.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LanguageForm {
    language: String,
    next: Option<String>,
}

/// `POST /language`: changes nothing but what this browser reads, so it carries no proof and needs nobody signed in.
pub(super) async fn choose_language(
    State(app): State<App>,
    Form(form): Form<LanguageForm>,
) -> Result<Response, Refusal> {
    let language: Language = form.language.parse().map_err(|_| Refusal::Nonsense)?;
    let secure = if app.secure_cookies { "; Secure" } else { "" };
    let cookie = format!(
        "{LANGUAGE_COOKIE}={}; Path=/; Max-Age={LANGUAGE_SECONDS}; HttpOnly; SameSite=Lax{secure}",
        language.as_str()
    );
    let next = match form.next.as_deref() {
        // The sign-in page is no place to go after signing in, but it is one to read in another language.
        Some(auth::session::SIGN_IN_PATH) => auth::session::SIGN_IN_PATH,
        next => safe_next(next),
    };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}
