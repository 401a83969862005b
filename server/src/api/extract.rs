//! What a request says, or a problem that says what is wrong with it and what would be right.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Parameters of the address. Unknown ones are refused with the names of those that are known, because a filter that
/// is misspelt and ignored answers another question than the one that was asked.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(query) = axum::extract::Query::try_from_uri(&parts.uri).map_err(|rejection| {
            let reason =
                std::error::Error::source(&rejection).map_or_else(|| rejection.body_text(), ToString::to_string);
            Problem::invalid(format!("The address's parameters cannot be read: {reason}."))
        })?;
        Ok(Self(query))
    }
}

/// Parts of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        let axum::extract::Path(path) =
            path.map_err(|_| Problem::invalid("The address holds an id that is not a UUID."))?;
        Ok(Self(path))
    }
}

/// A JSON body. Unknown fields are refused where the type says so.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

fn refused(rejection: &JsonRejection) -> Problem {
    let mut reason: &dyn std::error::Error = rejection;
    while let Some(source) = reason.source() {
        reason = source;
    }
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("The body is larger than 64 KiB."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::unsupported_media_type("Send the body as JSON, with `Content-Type: application/json`.")
        }
        _ => Problem::invalid(format!("The body cannot be read: {reason}.")),
    }
}
