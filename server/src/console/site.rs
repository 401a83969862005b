//! Sites: the list, one with its referents, and their forms.

use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::{component::Choice, download::Downloads, i18n::Words, shell::Shell};
use crate::{
    domain::{
        identity::is_email,
        language::Language,
        school_calendar::Zone,
        site::is_name,
        uai::{InvalidUai, UaiCode},
    },
    exchange::export::ExportKind,
    store::{
        site::{NewSite, SiteRow},
        site_referent::Referent,
    },
};

/// A site, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SiteForm {
    pub(super) uai: String,
    pub(super) name: String,
    pub(super) commune: String,
    pub(super) zone: String,
}

/// What is wrong with a form: the word, and what else there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The word alone.
    Word(&'static str),
    /// The letter that would fit the digits of a code.
    CheckLetter(char),
}

impl Problem {
    fn say(self, words: Words) -> String {
        match self {
            Self::Word(key) => words.say(key),
            Self::CheckLetter(letter) => words.with("site-problem-letter", &letter.to_string()),
        }
    }
}

impl SiteForm {
    /// The form of a site that is there.
    pub(super) fn of(site: &SiteRow) -> Self {
        let (name, commune) = (site.name.clone(), site.commune.clone());
        Self { uai: site.uai.clone(), name, commune, zone: site.zone.as_str().to_owned() }
    }

    /// The site that was typed.
    pub(super) fn read(&self) -> Result<NewSite, Problem> {
        let uai: UaiCode = self.uai.parse().map_err(|invalid| match invalid {
            InvalidUai::Form => Problem::Word("site-problem-uai"),
            InvalidUai::CheckLetter { expected } => Problem::CheckLetter(expected),
        })?;
        if !is_name(&self.name) || !is_name(&self.commune) {
            return Err(Problem::Word("site-problem-name"));
        }
        let zone = self.zone.parse().map_err(|_| Problem::Word("site-problem-zone"))?;
        Ok(NewSite { uai, name: self.name.trim().to_owned(), commune: self.commune.trim().to_owned(), zone })
    }
}

/// A referent, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReferentForm {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) language: String,
}

impl ReferentForm {
    /// Name, address and language.
    pub(super) fn read(&self) -> Result<(String, String, Language), Problem> {
        let (name, email) = (self.name.trim(), self.email.trim());
        if !is_name(name) {
            return Err(Problem::Word("site-problem-referent-name"));
        }
        if !is_email(email) {
            return Err(Problem::Word("borrower-problem-email"));
        }
        let language = if self.language == "en" { Language::English } else { Language::French };
        Ok((name.to_owned(), email.to_lowercase(), language))
    }
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    uai: String,
    commune: String,
    zone: String,
    referents: String,
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "sites.html")]
pub(super) struct SitesPage {
    shell: Shell,
    csrf: String,
    total: String,
    rows: Vec<Row>,
    may_create: bool,
    problem: Option<String>,
    form: SiteForm,
    zones: Vec<Choice>,
    downloads: Downloads,
}

fn zones(present: &str) -> Vec<Choice> {
    let choice = |zone: &Zone| Choice {
        value: zone.as_str().to_owned(),
        label: zone.as_str().to_owned(),
        selected: zone.as_str() == present,
    };
    Zone::ALL.iter().map(choice).collect()
}

impl SitesPage {
    /// The page for these sites and their referents.
    pub(super) fn new(
        shell: Shell,
        (sites, referents): (&[SiteRow], &[Referent]),
        may_create: bool,
        (form, problem): (SiteForm, Option<Problem>),
    ) -> Self {
        let words = shell.words;
        let row = |site: &SiteRow| {
            let names: Vec<&str> =
                referents.iter().filter(|one| one.site == site.id).map(|one| one.name.as_str()).collect();
            Row {
                href: format!("/sites/{}", site.id),
                name: site.name.clone(),
                uai: site.uai.clone(),
                commune: site.commune.clone(),
                zone: site.zone.as_str().to_owned(),
                referents: if names.is_empty() { words.say("none") } else { names.join(", ") },
            }
        };
        Self {
            csrf: shell.csrf(),
            total: words.count("sites-found", i64::try_from(sites.len()).unwrap_or(i64::MAX)),
            rows: sites.iter().map(row).collect(),
            downloads: Downloads::whole(ExportKind::Sites, words),
            may_create,
            problem: problem.map(|problem| problem.say(words)),
            zones: zones(&form.zone),
            form,
            shell,
        }
    }
}

#[derive(Debug)]
struct ReferentRow {
    id: Uuid,
    name: String,
    email: String,
    language: String,
}

/// One site.
#[derive(Debug, Template)]
#[template(path = "site.html")]
pub(super) struct SitePage {
    shell: Shell,
    csrf: String,
    id: Uuid,
    place: String,
    zone: String,
    referents: Vec<ReferentRow>,
    may_change: bool,
    /// Whether the list of its loans is offered, and then whether with names.
    list: Option<bool>,
    labels: bool,
    problem: Option<String>,
    form: SiteForm,
    zones: Vec<Choice>,
    referent: ReferentForm,
}

/// What the person may do with a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Change it.
    pub(super) change: bool,
    /// See its loans; and then, who holds them.
    pub(super) list: Option<bool>,
    /// Print its devices' labels.
    pub(super) labels: bool,
}

impl SitePage {
    /// The page of `site`.
    pub(super) fn new(
        shell: Shell,
        site: &SiteRow,
        referents: &[Referent],
        allowed: Allowed,
        (form, referent, problem): (SiteForm, ReferentForm, Option<Problem>),
    ) -> Self {
        let words = shell.words;
        let row = |one: &Referent| ReferentRow {
            id: one.id,
            name: one.name.clone(),
            email: one.email.clone(),
            language: Words::of(one.language).say("language-name"),
        };
        Self {
            csrf: shell.csrf(),
            id: site.id,
            place: words.with_two("site-place", &site.uai, &site.commune),
            zone: words.with("site-zone-named", site.zone.as_str()),
            referents: referents.iter().map(row).collect(),
            may_change: allowed.change,
            list: allowed.list,
            labels: allowed.labels,
            problem: problem.map(|problem| problem.say(words)),
            zones: zones(&form.zone),
            form,
            referent,
            shell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_code_is_told_its_letter() {
        let form = |uai: &str| SiteForm { uai: uai.into(), name: "A".into(), commune: "B".into(), zone: "C".into() };
        assert!(form("0750655E").read().is_ok());
        assert_eq!(form("0750655F").read(), Err(Problem::CheckLetter('E')));
        assert_eq!(form("75").read(), Err(Problem::Word("site-problem-uai")));
        let referent = ReferentForm { name: "Anne".into(), email: "Anne@College.FR".into(), language: "fr".into() };
        assert_eq!(referent.read().unwrap().1, "anne@college.fr");
    }
}
