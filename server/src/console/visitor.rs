//! In which language somebody reads, and from which page they ask.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::{
    alarm::JobMissed,
    i18n::{Words, preferred},
    shell::{Notice, Section, Shell, Signed, offered},
};
use crate::{
    auth::{Action, Object, SignedIn},
    domain::language::Language,
};

/// The cookie that holds a chosen language. It says nothing about anybody, so it needs no consent (CNIL, guidelines
/// of 17 September 2020, article 5: exempt, chosen by the reader).
pub(super) const LANGUAGE_COOKIE: &str = "cartable-language";

/// Whoever reads the page.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) words: Words,
    here: String,
    done: Option<String>,
    job_missed: bool,
}

/// The words a request asks for: the chosen language, else the browser's.
pub(super) fn words_asked(headers: &HeaderMap) -> Words {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Words::of(chosen(headers).unwrap_or_else(|| preferred(accepted)))
}

fn chosen(headers: &HeaderMap) -> Option<Language> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == LANGUAGE_COOKIE)
        .and_then(|(_, value)| value.parse().ok())
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // Present once the person was looked up: ask for `SignedIn` first.
        let own = parts.extensions.get::<SignedIn>().and_then(|signed_in| signed_in.person.language);
        let words = match (chosen(&parts.headers), own) {
            (None, Some(language)) => Words::of(language),
            _ => words_asked(&parts.headers),
        };
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let done = parts
            .uri
            .query()
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("done=")).map(str::to_owned));
        let job_missed = parts.extensions.get::<JobMissed>().is_some();
        Ok(Self { words, here, done, job_missed })
    }
}

impl Visitor {
    /// A visitor of whom only these headers are known.
    #[cfg(test)]
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        Self { words: words_asked(headers), here: "/".to_owned(), done: None, job_missed: false }
    }

    /// What surrounds a page for a person signed in.
    pub(super) fn shell(&self, section: Section, title: String, signed_in: &SignedIn) -> Shell {
        let person = Signed {
            name: signed_in.person.display_name.clone(),
            csrf: signed_in.csrf.as_str().to_owned(),
            adds_devices: signed_in.person.can(Action::AddDevice, Object::OwnScope).is_allowed(),
            offered: offered(|action, object| signed_in.person.can(action, object).is_allowed()),
        };
        // Only an administrator can do something about it.
        let alarm = self.job_missed && signed_in.person.can(Action::ChangeNotices, Object::Programme).is_allowed();
        Shell { person: Some(person), section, alarm, ..self.bare(title) }
    }

    /// What surrounds a page for nobody in particular.
    pub(super) fn bare(&self, title: String) -> Shell {
        Shell {
            words: self.words,
            title,
            here: self.here.clone(),
            section: Section::Elsewhere,
            person: None,
            alarm: false,
            notice: self.done.as_deref().and_then(|done| Notice::after(done, self.words)),
        }
    }
}
