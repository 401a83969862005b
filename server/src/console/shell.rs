//! What surrounds every page: title, navigation, language, the person signed in.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{assets, component::Tone, i18n::Words};
use crate::domain::language::Language;

/// Where in the console a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The overview.
    Overview,
    /// Devices.
    Devices,
    /// Flags to handle.
    Flags,
    /// Enrolment tokens.
    Tokens,
    /// The audit.
    Audit,
    /// None of them.
    Elsewhere,
}

/// The person signed in, as the page shows and uses it.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// For greeting.
    pub(super) name: String,
    /// What forms carry to prove that they come from this session.
    pub(super) csrf: String,
    /// Whether the audit is offered.
    pub(super) sees_audit: bool,
}

/// What surrounds a page.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// The language's words.
    pub(super) words: Words,
    /// The page's title and main heading.
    pub(super) title: String,
    /// The page's own address, to come back to after changing the language.
    pub(super) here: String,
    /// Where it stands.
    pub(super) section: Section,
    /// Who is signed in.
    pub(super) person: Option<Signed>,
    /// What was just done, or was not.
    pub(super) notice: Option<Notice>,
}

/// A message at the head of a page.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// How it looks.
    pub(super) tone: Tone,
    /// What it says.
    pub(super) text: String,
}

impl Notice {
    /// The message after an act whose outcome stands in the address. Only known outcomes say anything.
    pub(super) fn after(outcome: &str, words: Words) -> Option<Self> {
        let (tone, key) = match outcome {
            "saved" => (Tone::Good, "done-saved"),
            "token-revoked" => (Tone::Good, "done-token-revoked"),
            "asset-tag-taken" => (Tone::Critical, "device-asset-tag-taken"),
            _ => return None,
        };
        Some(Self { tone, text: words.say(key) })
    }
}

/// One entry of the navigation.
#[derive(Clone, Debug)]
pub(super) struct NavItem {
    /// Where it leads.
    pub(super) href: &'static str,
    /// What it says.
    pub(super) label: String,
    /// Whether this is the page.
    pub(super) current: bool,
}

impl Shell {
    /// The navigation's entries.
    pub(super) fn nav(&self) -> Vec<NavItem> {
        let audit = self.person.as_ref().is_some_and(|person| person.sees_audit);
        [
            (Section::Overview, "/", "nav-overview", true),
            (Section::Devices, "/devices", "nav-devices", true),
            (Section::Flags, "/flags", "nav-flags", true),
            (Section::Tokens, "/tokens", "nav-tokens", true),
            (Section::Audit, "/audit", "nav-audit", audit),
        ]
        .into_iter()
        .filter(|(_, _, _, shown)| *shown)
        .map(|(section, href, key, _)| NavItem { href, label: self.words.say(key), current: section == self.section })
        .collect()
    }

    /// The stylesheet's address.
    pub(super) fn stylesheet() -> &'static str {
        &assets::STYLESHEET.address
    }

    /// The icon's address.
    pub(super) fn icon() -> &'static str {
        &assets::ICON.address
    }

    /// The language that the switch offers.
    pub(super) const fn other_language(&self) -> Language {
        match self.words.language {
            Language::French => Language::English,
            Language::English => Language::French,
        }
    }

    /// That language's name in itself.
    pub(super) fn other_language_name(&self) -> String {
        Words::of(self.other_language()).say("language-name")
    }
}

/// A page as an answer.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
