//! Enrolment tokens: the page that lists them, makes one and ends one. A token's text is shown once.

use askama::Template;
use cartable_common::UtcMillis;
use serde::Deserialize;

use super::{
    component::{Badge, Choice, Tone, When},
    download::Downloads,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::enrolment_token::{Admits, DEFAULT_HOURS},
    exchange::export::ExportKind,
    store::{
        enrolment_token::{TokenRow, TokenState},
        site::SiteRow,
    },
};

/// What the form holds, as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct TokenForm {
    pub(super) label: String,
    pub(super) site: String,
    pub(super) programme: String,
    pub(super) cap: String,
    pub(super) hours: String,
    /// Ticked: only recorded devices come in by themselves.
    pub(super) recorded: Option<String>,
}

impl Default for TokenForm {
    fn default() -> Self {
        Self {
            label: String::new(),
            site: String::new(),
            programme: String::new(),
            cap: "1".to_owned(),
            hours: DEFAULT_HOURS.to_string(),
            recorded: None,
        }
    }
}

#[derive(Debug)]
struct Row {
    id: String,
    label: String,
    by: String,
    site: String,
    uai: String,
    state: Badge,
    used: String,
    expires: When,
    open: bool,
    recorded_only: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "tokens.html")]
pub(super) struct TokensPage {
    shell: Shell,
    csrf: String,
    created: Option<String>,
    problem: Option<String>,
    rows: Vec<Row>,
    sites: Vec<Choice>,
    form: TokenForm,
    downloads: Downloads,
}

/// What happened to the form before the page is shown again.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// The new token's text, this once.
    pub(super) created: Option<String>,
    /// Why none was made.
    pub(super) problem: Option<String>,
    /// What was typed, to be corrected.
    pub(super) form: TokenForm,
}

impl TokensPage {
    /// The page for these tokens and sites.
    pub(super) fn new(
        shell: Shell,
        tokens: Vec<TokenRow>,
        sites: Vec<SiteRow>,
        outcome: Outcome,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let choice = |site: SiteRow| Choice {
            selected: site.id.to_string() == outcome.form.site,
            value: site.id.to_string(),
            label: words.with_two("site-named", &site.name, &site.uai),
        };
        Self {
            csrf: shell.csrf(),
            rows: tokens.into_iter().map(|token| row(token, now, words)).collect(),
            sites: sites.into_iter().map(choice).collect(),
            created: outcome.created,
            problem: outcome.problem,
            downloads: Downloads::whole(ExportKind::Tokens, words),
            form: outcome.form,
            shell,
        }
    }
}

fn row(token: TokenRow, now: UtcMillis, words: Words) -> Row {
    let state = token.state(now);
    let tone = match state {
        TokenState::Open => Tone::Good,
        TokenState::Exhausted | TokenState::Expired => Tone::Plain,
        TokenState::Revoked => Tone::Warning,
    };
    Row {
        id: token.id.to_string(),
        open: state == TokenState::Open,
        recorded_only: token.admits == Admits::Recorded,
        state: Badge::new(tone, words.word("token", state.as_str())),
        by: words.with("token-by", &token.created_by),
        label: token.label,
        site: token.site_name,
        uai: token.site_uai,
        used: words.with_two("token-used-of", &token.used.to_string(), &token.cap.to_string()),
        expires: When::exact(token.expires_at, words),
    }
}
