//! What people see when something is not there, not theirs, or broken; in their language and without details that
//! would help nobody but an attacker.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    i18n::Words,
    shell,
    shell::{Section, Shell},
};
use crate::{domain::authority::Decision, store::StoreError};

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
}

impl Refusal {
    /// Every refusal.
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] = [Self::Nonsense, Self::Forbidden, Self::NotFound, Self::Busy, Self::Broken];

    const fn status(self) -> StatusCode {
        match self {
            Self::Nonsense => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
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
        }
    }

    /// The page.
    pub(super) fn page(self, words: Words) -> Response {
        shell::page(self.status(), &ErrorPage::new(self, words))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
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

/// Goes on only if it is allowed.
pub(super) fn require(decision: Decision) -> Result<(), Refusal> {
    match decision {
        Decision::Allowed => Ok(()),
        Decision::Forbidden => Err(Refusal::Forbidden),
        Decision::Hidden => Err(Refusal::NotFound),
    }
}

/// Only the status: [`super::guard::dress_refusals`] makes it a page in the reader's language.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.status().into_response()
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage {
    shell: Shell,
    what: String,
    status: String,
}

impl ErrorPage {
    /// The page for `refusal`.
    pub(super) fn new(refusal: Refusal, words: Words) -> Self {
        let shell = Shell {
            words,
            title: words.word("error-title", refusal.as_str()),
            here: "/".to_owned(),
            section: Section::Elsewhere,
            person: None,
            notice: None,
            alarm: false,
        };
        let status = words.with("error-status", refusal.status().as_str());
        Self { what: words.word("error-what", refusal.as_str()), status, shell }
    }
}
