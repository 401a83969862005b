//! Every refusal of the device port, as RFC 9457 problem details.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cartable_common::protocol::{PROBLEM_PREFIX, Problem, ReleaseOrder};

/// Longest detail in characters: a parser's message may quote what it was given.
const MAX_DETAIL_CHARS: usize = 240;

/// A refusal: what a client sees and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    retry_after_seconds: Option<u32>,
    closes: bool,
    release: Option<ReleaseOrder>,
}

impl Refusal {
    /// A refusal of that kind; `detail` says what to do.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, kind, title, detail: detail.into(), retry_after_seconds: None, closes: false, release: None }
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Ends the connection too: what follows on it cannot be understood or is not wanted.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// Tells the agent that asked to remove itself.
    #[must_use]
    pub const fn releasing(mut self, order: ReleaseOrder) -> Self {
        self.release = Some(order);
        self
    }

    /// The server cannot do it now; `random` spreads the retries over half a minute.
    pub fn unavailable(random: u64) -> Self {
        let seconds = 5 + u32::try_from(random % 25).unwrap_or_default();
        let detail = "The server cannot store anything at the moment. Keep what you have and try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again later", detail).retry_after(seconds)
    }

    /// Something broke inside; the log has the details.
    pub fn internal() -> Self {
        let detail = "The server made a mistake. Keep what you have and try again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What it says, within bounds.
    pub(super) fn detail(&self) -> String {
        let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        self.detail.chars().take(MAX_DETAIL_CHARS).map(shown).collect()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("{PROBLEM_PREFIX}{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail(),
            release: self.release,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
