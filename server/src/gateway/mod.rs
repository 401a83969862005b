//! The device port: TLS listener, device identity, enrolment, check-in, renewal, recovery, healing of cloned keys, trust
//! bundles. Only this module knows TLS.
//!
//! Connections with a client certificate and those for enrolment have routers of different state types: a handler
//! that needs [`DeviceIdentity`](identity::DeviceIdentity) cannot be mounted where there is no certificate.

mod actions;
mod check_in;
mod connection;
mod enrol;
mod exam;
pub mod foreign;
mod grant;
mod heal;
pub mod identity;
pub mod limits;
mod lost_key;
pub mod message;
pub mod port;
mod readmit;
mod recent;
mod recover;
pub mod refusal;
mod registry;
mod renew;
mod roots;
mod throttle;
pub mod tls;
mod unread;
mod update;

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use cartable_common::{
    protocol::{CHECK_IN_PATH, ENROL_PATH, HEAL_PATH, RECOVER_NONCE_PATH, RECOVER_PATH, RENEW_PATH, ROOTS_PATH},
    update::{UPDATE_FILES_PATH, UPDATE_MANIFEST_PATH},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use self::{
    exam::Exams,
    refusal::Refusal,
    registry::Registry,
    throttle::{Network, Throttle},
    update::Stages,
};
use crate::{
    domain::{disclosure::Discloser, policy::LivePolicy},
    fault,
    pki::Authority,
    store::{Store, enrolment::KeyHash, ingest::Ingest},
};

/// What is told to whoever uses another method.
const METHODS: &str = "Use POST, or GET for the chain of trust bundles.";

/// What the routes of connections with a client certificate share.
#[derive(Clone, Debug)]
pub struct DevicePort {
    registry: Registry,
    ingest: Ingest,
    authority: Arc<Authority>,
    store: Store,
    policy: LivePolicy,
    exams: Exams,
    stages: Stages,
    discloser: Arc<Discloser>,
    unknown_fields: Arc<AtomicU64>,
}

/// What the routes of enrolment connections share, recovery among them.
#[derive(Clone, Debug)]
pub struct EnrolPort {
    authority: Arc<Authority>,
    store: Store,
    policy: LivePolicy,
    throttle: Arc<Throttle<Network>>,
    /// Of recoveries apart: a laptop that was forgotten by the server must not keep its school from enrolling others.
    recoveries: Arc<Throttle<Network>>,
    /// Of recoveries that are written down, by the key that proved itself.
    proven: Arc<Throttle<KeyHash>>,
    turns: Arc<Semaphore>,
}

impl DevicePort {
    /// Unknown fields are ignored; their number tells that agents are newer than the server.
    fn count_unknown_fields(&self, count: u32) {
        if count > 0 {
            let total = self.unknown_fields.fetch_add(u64::from(count), Ordering::Relaxed) + u64::from(count);
            tracing::debug!(count, total, "a message has fields that this version does not know");
        }
    }
}

/// The routes of connections with a client certificate.
pub fn device_router(
    store: Store,
    authority: Arc<Authority>,
    ingest: Ingest,
    policy: LivePolicy,
    discloser: Discloser,
    tasks: &TaskTracker,
) -> Router {
    let registry = Registry::start(store.clone(), tasks);
    let (exams, stages) = (Exams::new(store.clone()), Stages::new(store.clone()));
    let discloser = Arc::new(discloser);
    let unknown_fields = Arc::default();
    let port = DevicePort { registry, ingest, authority, store, policy, exams, stages, discloser, unknown_fields };
    let routes = Router::new()
        .route(CHECK_IN_PATH, post(check_in::check_in))
        .route(RENEW_PATH, post(renew::renew))
        .route(HEAL_PATH, post(heal::heal))
        .route(foreign::PATH, post(foreign::take))
        .route(UPDATE_MANIFEST_PATH, get(update::manifest))
        .route(&format!("{UPDATE_FILES_PATH}/{{sha256}}/{{from}}"), get(update::file))
        .with_state(port);
    guarded(routes)
}

/// The routes of enrolment connections.
pub fn enrol_router(store: Store, authority: Arc<Authority>, policy: LivePolicy) -> Router {
    let port = EnrolPort {
        authority,
        store,
        policy,
        throttle: Arc::default(),
        recoveries: Arc::default(),
        proven: Arc::default(),
        turns: Arc::new(Semaphore::new(limits::ENROLMENTS_AT_ONCE)),
    };
    let routes = Router::new()
        .route(ENROL_PATH, post(enrol::enrol))
        .route(RECOVER_NONCE_PATH, post(recover::nonce))
        .route(RECOVER_PATH, post(recover::recover))
        .route(ROOTS_PATH, get(roots::roots))
        .with_state(port);
    guarded(routes)
}

/// Adds what every route of the device port has: problem details for unknown paths, a time limit, and a barrier
/// behind which one request's panic stays.
fn guarded(routes: Router) -> Router {
    routes
        .fallback(|| async {
            let detail = "This connection has no such path. Enrolment and check-ins use different connections.";
            Refusal::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
        })
        .method_not_allowed_fallback(|| async {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", METHODS)
        })
        .layer(axum::middleware::from_fn(unread::answer_after_the_body))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits::REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(panicked))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    fault::log("a request of the device port", &*panic);
    Refusal::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use tower::ServiceExt as _;

    use super::*;

    async fn boom() -> String {
        panic!("as intended")
    }

    #[tokio::test]
    async fn a_panicking_handler_answers_with_a_problem_and_the_next_request_is_served() {
        let router = guarded(Router::new().route("/boom", get(boom)).route("/fine", get(|| async { "fine" })));
        let ask =
            async |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        for _ in 0..3 {
            let answer = ask("/boom").await;
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["type"], "urn:cartable:problem:internal");
            assert!(!String::from_utf8_lossy(&body).contains("as intended"), "nothing of the inside is told");
            assert_eq!(ask("/fine").await.status(), StatusCode::OK);
        }
    }
}
