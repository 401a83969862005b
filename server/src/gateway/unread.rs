//! Reads what a refused request still has to send before it is answered.
//!
//! A request can be refused by its certificate or its path alone. Answered at once, with the body still on its way, the
//! connection ends in a broken pipe: the agent never sees that it was revoked, and a person reads of a network fault.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::message::drain;

/// A body that two may read, one after the other.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// Answers, and where the answer is a refusal, first reads the rest of the body as far as [`drain`] goes.
pub(super) async fn answer_after_the_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body)));
    let rest = shared.clone();
    let response = next.run(Request::from_parts(parts, Body::new(shared))).await;
    // Who says that the connection ends has read what it wanted.
    let ends = response.headers().contains_key(header::CONNECTION);
    if response.status().is_client_error() && !ends && !rest.is_end_stream() {
        drain(Body::new(rest)).await;
    }
    response
}
