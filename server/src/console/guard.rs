//! What every answer carries: headers that tell browsers to trust nothing but us, and a page in the reader's language
//! where something was refused.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::{error::Refusal, shell::Scripted, visitor};
use crate::app::App;

/// Nothing but our own stylesheet, images and forms; no script, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                                       base-uri 'none'; frame-ancestors 'none'";
/// The same on the desks' pages, with our own script and its requests to this server.
const WITH_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                           connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
/// On the desks' pages a telephone's camera may read bar codes.
const WITH_CAMERA: &str = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()";
/// Two years, as the preload lists ask; only ever sent over HTTPS.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// Adds the protective headers. Pages hold personal work and are never kept; static files say otherwise themselves.
pub(super) async fn protect(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let scripted = response.extensions().get::<Scripted>().is_some();
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, if scripted { WITH_SCRIPT } else { CONTENT_SECURITY_POLICY }),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, which are then refused.
        (header::REFERRER_POLICY, "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), if scripted { WITH_CAMERA } else { PERMISSIONS }),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if app.secure_cookies {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT_SECURITY));
    }
    response
}

/// Gives every refusal that is not a page yet its page.
pub(super) async fn dress_refusals(request: Request, next: Next) -> Response {
    let words = visitor::words_asked(request.headers());
    let response = next.run(request).await;
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if !refused || is_page(response.headers()) {
        return response;
    }
    let mut page = refusal(response.status()).page(words);
    *page.status_mut() = response.status();
    if let Some(seconds) = response.headers().get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    page
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn refusal(status: StatusCode) -> Refusal {
    match status {
        StatusCode::FORBIDDEN => Refusal::Forbidden,
        StatusCode::NOT_FOUND => Refusal::NotFound,
        StatusCode::SERVICE_UNAVAILABLE => Refusal::Busy,
        status if status.is_server_error() => Refusal::Broken,
        _ => Refusal::Nonsense,
    }
}
