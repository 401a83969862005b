//! Errors of the API as RFC 9457 problem details: what happened and what to do. Never what the server is made of.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cartable_common::protocol::PROBLEM_PREFIX;
use serde::Serialize;

use crate::{
    auth::{Decision, bearer::BearerRefused},
    store::StoreError,
};

/// An error (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "type": "urn:cartable:problem:not-found",
    "title": "Not found",
    "status": 404,
    "detail": "There is no such device, or it lies outside your sites."
}))]
pub struct Problem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// A short text for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do.
    detail: Cow<'static, str>,
    #[serde(skip)]
    #[schema(ignore)]
    header: Option<Box<(header::HeaderName, HeaderValue)>>,
}

impl Problem {
    fn new(status: StatusCode, name: &str, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let kind = format!("{PROBLEM_PREFIX}{name}");
        Self { kind, title, status: status.as_u16(), detail: detail.into(), header: None }
    }

    /// 400: the request cannot be understood.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-request", "Invalid request", detail)
    }

    /// 404: there is no such thing, or it is not for this person to know.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 403: the role does not allow it.
    pub fn forbidden() -> Self {
        let detail = "Your role or your sites do not allow this. An administrator can change them.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    /// 405: the address knows other methods only.
    pub fn method_not_allowed() -> Self {
        let detail = "This address does not know this method; the Allow header names those it knows.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    /// 413: the body is too large.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large", detail)
    }

    /// 415: the body is not JSON.
    pub fn unsupported_media_type(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail)
    }

    /// 422: the request is understood and cannot be done as it is.
    pub fn unprocessable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "Cannot be done", detail)
    }

    /// 500: a defect of the server.
    pub fn internal() -> Self {
        let detail = "The server failed. Its log says more; the administrator can read it.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    fn unauthorized(detail: &'static str, challenge: &'static str) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail);
        Self { header: Some(Box::new((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)))), ..problem }
    }

    /// 503: too much is asked at once.
    pub fn busy() -> Self {
        Self::later("Too many documents are being made. Try again in a few seconds.")
    }

    fn unavailable() -> Self {
        Self::later("The database does not answer at the moment. Try again in a few seconds.")
    }

    fn later(detail: &'static str) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail);
        Self { header: Some(Box::new((header::RETRY_AFTER, HeaderValue::from_static("5")))), ..problem }
    }

    /// What a refusal of [`can`](crate::domain::authority::can) says; `what` names the hidden thing.
    pub fn check(decision: Decision, what: &'static str) -> Result<(), Self> {
        match decision {
            Decision::Allowed => Ok(()),
            Decision::Forbidden => Err(Self::forbidden()),
            Decision::Hidden => Err(Self::not_found(what)),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_unstorable_text() {
            return Self::unprocessable("A text holds a NUL character (U+0000): take it out.");
        }
        if error.is_unavailable() {
            tracing::warn!(%error, "the database does not answer");
            return Self::unavailable();
        }
        tracing::error!(%error, "the store failed");
        Self::internal()
    }
}

impl From<BearerRefused> for Problem {
    fn from(refused: BearerRefused) -> Self {
        match refused {
            BearerRefused::Missing => Self::unauthorized(
                "Send an API token: `Authorization: Bearer cartable_…`. An administrator makes one with \
                 `cartable-server api-token create`.",
                r#"Bearer realm="cartable""#,
            ),
            BearerRefused::Invalid => Self::unauthorized(
                "The API token is unknown, expired or revoked, or its person may no longer sign in.",
                r#"Bearer realm="cartable", error="invalid_token""#,
            ),
            BearerRefused::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for BearerRefused {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let header = self.header.take();
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = header.map(|header| *header) {
            headers.insert(name, value);
        }
        response
    }
}

impl<'r> utoipa::ToResponse<'r> for Problem {
    fn response() -> (&'r str, utoipa::openapi::RefOr<utoipa::openapi::response::Response>) {
        let content =
            utoipa::openapi::ContentBuilder::new().schema(Some(<Self as utoipa::PartialSchema>::schema())).build();
        let response = utoipa::openapi::ResponseBuilder::new()
            .description("Problem details (RFC 9457)")
            .content("application/problem+json", content)
            .build();
        ("Problem", response.into())
    }
}
