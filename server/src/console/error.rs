//! What people see when something is not there, not theirs, or broken; in their language and without details that
//! would help nobody but an attacker.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    i18n::Words,
    shell::{Section, Shell},
};
use crate::{
    domain::{authority::Decision, figures::FIRST_YEAR},
    store::StoreError,
};

/// Why a page cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The address or the form makes no sense.
    Nonsense,
    /// The person may not do that.
    Forbidden,
    /// There is no such thing, or it is not for this person to know.
    NotFound,
    /// The store is busy: later.
    Busy,
    /// Something of ours is broken.
    Broken,
    /// What was sent cannot be done as it is: this key's sentence says what to do.
    Told(&'static str),
    /// The form is another session's: its page was open while the person signed in anew.
    OldForm,
    /// What was sent is larger than this many bytes, where it is known what is too large.
    TooLarge(Option<usize>),
    /// The address takes forms and is no page.
    NoPage,
    /// There are no figures of the year that is asked for.
    NoFigures,
}

impl Refusal {
    /// Every refusal.
    #[cfg(test)]
    pub(super) const ALL: [Self; 10] = [
        Self::Nonsense,
        Self::Forbidden,
        Self::NotFound,
        Self::Busy,
        Self::Broken,
        Self::Told("reason-needed"),
        Self::OldForm,
        Self::TooLarge(Some(1 << 20)),
        Self::NoPage,
        Self::NoFigures,
    ];

    /// How it is answered.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Nonsense => StatusCode::BAD_REQUEST,
            Self::Forbidden | Self::OldForm => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoFigures => StatusCode::NOT_FOUND,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Told(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoPage => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The name in the catalogues.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Nonsense => "nonsense",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Busy => "busy",
            Self::Broken => "broken",
            Self::Told(_) => "told",
            Self::OldForm => "old-form",
            Self::TooLarge(_) => "too-large",
            Self::NoPage => "no-page",
            Self::NoFigures => "no-figures",
        }
    }

    /// The sentence that says what is wrong, and what to do.
    fn what(self, words: Words) -> String {
        match self {
            Self::Told(key) => words.say(key),
            Self::NoFigures => words.with("error-what-no-figures", &FIRST_YEAR.to_string()),
            Self::TooLarge(Some(most)) => words.with("error-too-large-most", &size(most, words)),
            Self::TooLarge(None)
            | Self::Nonsense
            | Self::Forbidden
            | Self::NotFound
            | Self::Busy
            | Self::Broken
            | Self::OldForm
            | Self::NoPage => words.word("error-what", self.as_str()),
        }
    }
}

/// A limit in bytes, as people write it.
pub(super) fn size(bytes: usize, words: Words) -> String {
    if bytes >= 1 << 20 {
        words.with("size-mebibytes", &(bytes >> 20).to_string())
    } else {
        words.with("size-kibibytes", &(bytes >> 10).to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_unstorable_text() {
            return Self::Nonsense;
        }
        if error.is_unavailable() {
            tracing::warn!(%error, "the store does not answer");
            return Self::Busy;
        }
        tracing::error!(%error, "the store failed under a page");
        Self::Broken
    }
}

impl From<super::device_list::Nonsense> for Refusal {
    fn from(_: super::device_list::Nonsense) -> Self {
        Self::Nonsense
    }
}

/// The id that an address or a form names; what is no id names nothing.
pub(super) fn parsed<T: std::str::FromStr>(id: &str) -> Result<T, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

/// Goes on only if it is allowed.
pub(super) fn require(decision: Decision) -> Result<(), Refusal> {
    match decision {
        Decision::Allowed => Ok(()),
        Decision::Forbidden => Err(Refusal::Forbidden),
        Decision::Hidden => Err(Refusal::NotFound),
    }
}

/// Only the status, and the refusal itself: [`super::guard::dress_refusals`] makes it a page in the reader's language.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage {
    shell: Shell,
    what: String,
    status: String,
    /// The page that the request came from, to go back to.
    back: Option<String>,
}

impl ErrorPage {
    /// The page for `refusal`, answered with `status`; `back` leads to where the request came from.
    pub(super) fn new(refusal: Refusal, status: StatusCode, back: Option<String>, words: Words) -> Self {
        let shell = Shell {
            words,
            title: words.word("error-title", refusal.as_str()),
            here: "/".to_owned(),
            section: Section::Elsewhere,
            person: None,
            notice: None,
            alarm: false,
        };
        Self { what: refusal.what(words), status: words.with("error-status", status.as_str()), back, shell }
    }
}
