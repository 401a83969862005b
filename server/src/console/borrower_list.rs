//! The list of borrowers, the form of a new one, and the search by name within one site.

use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    borrower_form::{BorrowerForm, level, levels},
    component::{Badge, Choice, Pager, Tone},
    device_list::{Nonsense, address, optional},
    download::Downloads,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::borrower::{BorrowerKind, Reference},
    store::{
        borrower_list::{BorrowerQuery, BorrowerSummary},
        page::Page,
        site::SiteRow,
    },
};

/// Longest search in characters.
const MAX_SEARCH_CHARS: usize = 100;

/// The list's address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    kind: String,
    site: String,
    level: String,
    holding: String,
    after: String,
}

impl Asked {
    /// The query. `levels` says whether the reader may know class levels.
    pub(super) fn query(&self, levels: bool) -> Result<BorrowerQuery, Nonsense> {
        let text = self.q.trim();
        let reference: Option<Reference> = text.parse().ok();
        let name: String = text.chars().take(MAX_SEARCH_CHARS).collect();
        let institution = Some(name).filter(|name| !name.is_empty() && reference.is_none());
        let level = level(&self.level).map_err(|_| Nonsense)?;
        if level.is_some() && !levels {
            return Err(Nonsense);
        }
        Ok(BorrowerQuery {
            reference,
            institution,
            kind: optional(&self.kind)?,
            site: optional(&self.site)?,
            level,
            holding: match self.holding.as_str() {
                "" => false,
                "yes" => true,
                _ => return Err(Nonsense),
            },
            after: optional(&self.after)?,
            limit: 0,
        })
    }

    fn address(&self, path: &str) -> String {
        let parts = [
            ("q", self.q.as_str()),
            ("kind", &self.kind),
            ("site", &self.site),
            ("level", &self.level),
            ("holding", &self.holding),
        ];
        address(path, &parts)
    }

    fn filtered(&self) -> bool {
        [&self.q, &self.kind, &self.site, &self.level, &self.holding].iter().any(|value| !value.is_empty())
    }
}

/// What the reader may know and do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// See who borrowers are, and their class level.
    pub(super) identity: bool,
    /// Record them.
    pub(super) change: bool,
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    reference: Option<String>,
    kind: String,
    site: Option<(String, String)>,
    level: Option<String>,
    open: i64,
    identity: Badge,
}

/// Somebody whom a search by name found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: Uuid,
    pub(super) reference: String,
    pub(super) name: String,
    pub(super) class: String,
}

/// What a search by name came to.
#[derive(Clone, Debug, Default)]
pub(super) struct NameSearch {
    pub(super) name: String,
    pub(super) site: String,
    pub(super) found: Option<Vec<Found>>,
    pub(super) problem: Option<&'static str>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "borrowers.html")]
pub(super) struct BorrowersPage {
    shell: Shell,
    csrf: String,
    search: String,
    kinds: Vec<Choice>,
    sites: Vec<Choice>,
    levels: Vec<Choice>,
    holding: bool,
    filtered: bool,
    allowed: Allowed,
    rows: Vec<Row>,
    pager: Pager,
    by_name: NameSearch,
    name_problem: Option<String>,
    name_sites: Vec<Choice>,
    downloads: Downloads,
}

fn sites(sites: &[SiteRow], present: &str, any: Option<String>, words: Words) -> Vec<Choice> {
    let any = any.map(|label| Choice { value: String::new(), label, selected: present.is_empty() });
    let choice = |site: &SiteRow| Choice {
        selected: site.id.to_string() == present,
        value: site.id.to_string(),
        label: words.with_two("site-named", &site.name, &site.uai),
    };
    any.into_iter().chain(sites.iter().map(choice)).collect()
}

impl BorrowersPage {
    /// The page for what was asked and found.
    pub(super) fn new(
        shell: Shell,
        asked: &Asked,
        (query, page): (&BorrowerQuery, Page<BorrowerSummary>),
        known: &[SiteRow],
        (allowed, by_name): (Allowed, NameSearch),
    ) -> Self {
        let words = shell.words;
        let pager = Pager::new(&page, "borrowers-found", &asked.address("/borrowers"), query.after.as_ref(), words);
        let kind = |kind: &BorrowerKind| Choice {
            value: kind.as_str().to_owned(),
            label: words.word("borrower-kind", kind.as_str()),
            selected: kind.as_str() == asked.kind,
        };
        let any = Choice { value: String::new(), label: words.say("any"), selected: asked.kind.is_empty() };
        let mut level_choices = levels(&asked.level, words);
        if let Some(first) = level_choices.first_mut() {
            first.label = words.say("any");
        }
        Self {
            csrf: shell.csrf(),
            search: asked.q.clone(),
            kinds: std::iter::once(any).chain(BorrowerKind::ALL.iter().map(kind)).collect(),
            sites: sites(known, &asked.site, Some(words.say("any")), words),
            levels: level_choices,
            holding: asked.holding == "yes",
            filtered: asked.filtered(),
            allowed,
            rows: page.rows.into_iter().map(|one| row(one, allowed, words)).collect(),
            pager,
            name_problem: by_name.problem.map(|key| words.say(key)),
            name_sites: sites(known, &by_name.site, None, words),
            by_name,
            downloads: Downloads::new("/exports/borrowers", |path| asked.address(path), words),
            shell,
        }
    }
}

fn row(one: BorrowerSummary, allowed: Allowed, words: Words) -> Row {
    let (tone, key) = match (one.kind, one.identity_known, one.identity_erased_at) {
        (BorrowerKind::Institution, ..) => (Tone::Plain, "borrower-identity-none"),
        (BorrowerKind::Person, true, _) => (Tone::Good, "borrower-identity-known"),
        (BorrowerKind::Person, false, Some(_)) => (Tone::Plain, "borrower-identity-erased"),
        (BorrowerKind::Person, false, None) => (Tone::Unknown, "borrower-identity-unknown"),
    };
    let level = one.level.filter(|_| allowed.identity).map(|level| words.word("level", level.as_str()));
    let reference = one.reference.to_string();
    Row {
        href: format!("/borrowers/{}", one.id),
        reference: one.institution_name.is_some().then(|| reference.clone()),
        name: one.institution_name.unwrap_or(reference),
        kind: words.word("borrower-kind", one.kind.as_str()),
        site: one.site.map(|site| (site.name, words.with_two("site-place", &site.uai, &site.commune))),
        level,
        open: one.open_loans,
        identity: Badge::new(tone, words.say(key)),
    }
}

/// The form of a new borrower.
#[derive(Debug, Template)]
#[template(path = "borrower_new.html")]
pub(super) struct NewBorrowerPage {
    shell: Shell,
    csrf: String,
    problem: Option<String>,
    kinds: Vec<Choice>,
    sites: Vec<Choice>,
    levels: Vec<Choice>,
    form: BorrowerForm,
    english: bool,
}

impl NewBorrowerPage {
    /// The form, with what was typed before and what is wrong with it. `anywhere`: the person may record borrowers of
    /// no site.
    pub(super) fn new(
        shell: Shell,
        known: &[SiteRow],
        anywhere: bool,
        (form, problem): (BorrowerForm, Option<&'static str>),
    ) -> Self {
        let words = shell.words;
        let kind = |kind: &BorrowerKind| Choice {
            value: kind.as_str().to_owned(),
            label: words.word("borrower-kind", kind.as_str()),
            selected: kind.as_str() == form.kind,
        };
        Self {
            csrf: shell.csrf(),
            problem: problem.map(|key| words.say(key)),
            kinds: BorrowerKind::ALL.iter().map(kind).collect(),
            sites: sites(known, &form.site, anywhere.then(|| words.say("no-site")), words),
            levels: levels(&form.level, words),
            english: form.identity.language == "en",
            form,
            shell,
        }
    }
}
