//! What every answer carries: headers that tell browsers to trust nothing but us, and a page in the reader's language
//! where something was refused; and for a form that came after its session's end, the way to sign in and back.

use std::any::Any;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    came_from::came_from,
    error::{ErrorPage, Refusal},
    shell::{self, Scripted},
    visitor,
};
use crate::{
    app::App,
    auth::{FormFault, session::SIGN_IN_PATH},
    fault,
};

/// Nothing but our own stylesheet, images and forms; no script, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                                       base-uri 'none'; frame-ancestors 'none'";
/// The same on the desks' pages, with our own script and its requests to this server.
const WITH_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                           connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
/// On the desks' pages a telephone's camera may read bar codes.
const WITH_CAMERA: &str = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()";
/// Where forms lead to the sign-in page although nobody's session ended.
const TO_SIGN_IN: [&str; 2] = ["/sign-out", "/language"];
/// Two years, as the preload lists ask; only ever sent over HTTPS.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// Adds what every address of the console has: a page for each refusal and for a panic, and protective headers.
pub(super) fn guarded(routes: Router<App>, app: App) -> Router {
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(dress_refusals))
        .layer(from_fn_with_state(app.clone(), protect))
        .with_state(app)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    fault::log("a page", &*panic);
    Refusal::Broken.into_response()
}

/// Adds the protective headers. Pages hold personal work and are never kept; static files say otherwise themselves.
async fn protect(State(app): State<App>, request: Request, next: Next) -> Response {
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
async fn dress_refusals(request: Request, next: Next) -> Response {
    let words = visitor::words_asked(request.headers());
    let back = came_from(request.headers(), request.uri());
    let form = request.method() == Method::POST && !TO_SIGN_IN.contains(&request.uri().path());
    let above = above(request.uri().path());
    let response = next.run(request).await;
    if form && leads_to_sign_in(&response) {
        return sign_in_again(back.as_deref());
    }
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if !refused || is_page(response.headers()) {
        return response;
    }
    let (status, refusal) = (response.status(), refusal(&response));
    // An address that only takes forms was opened as a page: what the form was about stands above it.
    let back = if refusal == Refusal::NoPage { above } else { back };
    let mut page = shell::page(status, &ErrorPage::new(refusal, status, back, words));
    if let Some(seconds) = response.headers().get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    page
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn leads_to_sign_in(response: &Response) -> bool {
    let location = response.headers().get(header::LOCATION);
    response.status() == StatusCode::SEE_OTHER && location.is_some_and(|to| to.as_bytes() == SIGN_IN_PATH.as_bytes())
}

/// To the sign-in page, which says that the form was not recorded, and back to the form's page afterwards.
fn sign_in_again(back: Option<&str>) -> Response {
    let next = back.map_or_else(String::new, |back| format!("&next={}", utf8_percent_encode(back, NON_ALPHANUMERIC)));
    Redirect::to(&format!("{SIGN_IN_PATH}?ended=form{next}")).into_response()
}

/// The address without its last part; nothing for one that has a single part.
fn above(path: &str) -> Option<String> {
    path.rsplit_once('/').map(|(above, _)| above.to_owned()).filter(|above| !above.is_empty())
}

fn refusal(response: &Response) -> Refusal {
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        return *refusal;
    }
    match response.extensions().get::<FormFault>() {
        Some(FormFault::Foreign) => return Refusal::OldForm,
        Some(FormFault::TooLarge { most }) => return Refusal::TooLarge(Some(*most)),
        None => {}
    }
    match response.status() {
        StatusCode::FORBIDDEN => Refusal::Forbidden,
        StatusCode::NOT_FOUND => Refusal::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Refusal::NoPage,
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge(None),
        StatusCode::SERVICE_UNAVAILABLE => Refusal::Busy,
        status if status.is_server_error() => Refusal::Broken,
        _ => Refusal::Nonsense,
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn boom() -> String {
        panic!("as intended")
    }

    #[tokio::test]
    async fn a_panicking_page_is_answered_by_one_that_says_so_and_the_next_is_served() {
        let (app, _directory) = App::for_tests().await;
        let router = guarded(Router::new().route("/boom", get(boom)).route("/fine", get(async || "fine")), app);
        for (language, html) in [("fr", "<html lang=\"fr\">"), ("en", "<html lang=\"en\">")] {
            let ask = async |path: &str| {
                let request = Request::get(path).header(header::ACCEPT_LANGUAGE, language);
                router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
            };
            let answer = ask("/boom").await;
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let page = String::from_utf8_lossy(&body);
            assert!(page.contains(html) && page.contains("<h1"), "{page}");
            assert!(!page.contains("as intended"), "nothing of the inside is told");
            assert_eq!(ask("/fine").await.status(), StatusCode::OK);
        }
    }
}
