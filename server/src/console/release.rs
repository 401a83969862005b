//! Releases of the agent: how far each is offered, and taking one back. Taking packages in and publishing them is done at the
//! command line, where the key is.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::AgentVersion;
use serde::Deserialize;
use serde_json::json;

use super::{
    acts::{Bare, record},
    component::{Badge, Tone},
    error::{Refusal, parsed, require},
    format,
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    store::{
        agent_package::{self, ReleaseRow},
        agent_publication::{self, Published},
    },
};

/// What the person may do with releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// Read.
    Read,
    /// Offer them, take them back.
    Change,
}

#[derive(Debug)]
struct Row {
    release: String,
    percent: u8,
    share: String,
    sites: String,
    state: Badge,
    /// Whether it can still be offered or taken back.
    open: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "releases.html")]
pub(super) struct ReleasesPage {
    shell: Shell,
    csrf: String,
    published: String,
    rows: Vec<Row>,
    changes: bool,
}

impl ReleasesPage {
    /// The page for these releases, and what was published last.
    pub(super) fn new(shell: Shell, last: Option<&Published>, releases: &[ReleaseRow], rights: Rights) -> Self {
        let words = shell.words;
        let published = last.map_or_else(
            || words.say("releases-unpublished"),
            |last| words.with("releases-published", &format::date_time(last.expires_at, words)),
        );
        let rows = releases.iter().rev().map(|one| row(one, words)).collect();
        Self { csrf: shell.csrf(), published, rows, changes: rights == Rights::Change, shell }
    }
}

fn row(one: &ReleaseRow, words: Words) -> Row {
    let is_offered = one.percent > 0 || !one.sites.is_empty();
    let (tone, state) = match (one.halted_at, is_offered) {
        (Some(_), _) => (Tone::Warning, "release-halted"),
        (None, true) => (Tone::Good, "release-offered"),
        (None, false) => (Tone::Plain, "release-waits"),
    };
    Row {
        release: one.release.to_string(),
        percent: one.percent,
        share: format::percent(i64::from(one.percent), words.language),
        sites: one.sites.join(", "),
        state: Badge::new(tone, words.say(state)),
        open: one.halted_at.is_none(),
    }
}

/// `GET /releases`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeReleases, Object::Programme))?;
    let may_change = person.can(Action::OfferReleases, Object::Programme).is_allowed();
    let rights = if may_change { Rights::Change } else { Rights::Read };
    let mut tx = app.store.read().await?;
    let last = agent_publication::last(&mut tx).await?;
    let releases = agent_package::releases(&mut tx).await?;
    let shell = visitor.shell(Section::Releases, visitor.words.say("releases-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &ReleasesPage::new(shell, last.as_ref(), &releases, rights)))
}

/// A share, as typed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Share {
    percent: String,
}

/// `POST /releases/{release}/stage`
pub(super) async fn stage(
    State(app): State<App>,
    Path(release): Path<String>,
    CsrfForm { signed_in, form: Share { percent } }: CsrfForm<Share>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::OfferReleases, Object::Programme))?;
    let release: AgentVersion = parsed(&release)?;
    let percent = percent.trim().parse().ok().filter(|percent: &u8| *percent <= 100);
    let percent = percent.ok_or(Refusal::Told("release-percent-needed"))?;
    let mut tx = app.store.write().await?;
    if !agent_package::set_percent(&mut tx, release, percent, signed_in.now).await? {
        return Err(Refusal::NotFound);
    }
    let details = json!({ "percent": percent });
    record(&mut tx, &signed_in, "agent_release.stage", ("agent_release", release), details).await?;
    tx.commit().await?;
    Ok(back("saved"))
}

/// `POST /releases/{release}/halt`
pub(super) async fn halt(
    State(app): State<App>,
    Path(release): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::OfferReleases, Object::Programme))?;
    let release: AgentVersion = parsed(&release)?;
    let mut tx = app.store.write().await?;
    if agent_package::halt(&mut tx, release, signed_in.now).await? {
        record(&mut tx, &signed_in, "agent_release.halt", ("agent_release", release), json!({})).await?;
        tx.commit().await?;
        return Ok(back("saved"));
    }
    // Two people at once: it is what both want.
    let is_known = agent_package::releases(&mut tx).await?.iter().any(|row| row.release == release);
    if is_known { Ok(back("already")) } else { Err(Refusal::NotFound) }
}

fn back(done: &str) -> Response {
    Redirect::to(&format!("/releases?done={done}")).into_response()
}
