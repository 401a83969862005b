//! JSON API under `/api/v1` with bearer tokens, for people's scripts and other systems. docs/api.md is its guide.
//!
//! Each route stands once, in [`routes`], which feeds the router and the OpenAPI document alike; docs/openapi.json is
//! that document, and a test fails when it is stale. It never reads cookies: a browser cannot be tricked into it.

mod act;
pub mod advice;
pub mod advice_list;
pub mod allocation;
pub mod allocation_act;
pub mod approval;
pub mod audit;
pub mod borrower;
pub mod borrower_act;
pub mod campaign;
pub mod campaign_act;
pub mod campaign_letters;
pub mod device;
pub mod device_act;
pub mod device_action;
pub mod device_action_bulk;
pub mod device_list;
pub mod device_record;
pub mod document;
pub mod donation;
pub mod donation_act;
pub mod donation_recipient;
pub mod enrolment_token;
pub mod erasure;
pub mod erasure_act;
pub mod exam;
pub mod extract;
pub mod figures;
pub mod flag;
pub mod flag_act;
pub mod forecast;
pub mod foreign_agent;
pub mod import;
pub mod import_act;
pub mod inventory;
pub mod job;
pub mod loan;
pub mod loan_act;
pub mod message;
pub mod need;
pub mod need_change;
pub mod overview;
pub mod page;
pub mod person;
pub mod problem;
pub mod programme;
pub mod programme_act;
pub mod recovery;
pub mod return_desk;
pub mod schema;
pub mod site;
pub mod site_act;
pub mod webhook;
pub mod work_order;
pub mod work_order_act;

use std::any::Any;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::problem::Problem;
use crate::{app::App, fault};

/// Largest request body in bytes: what people create here is small.
const MAX_BODY_BYTES: usize = 64 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cartable",
        description = "Health of lent laptops: devices, what needs a person and why.\n\nSend an API token with each \
            request: `Authorization: Bearer cartable_…`. A token carries the rights of the person it belongs to, as of \
            the request. Errors are problem details (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(responses(Problem)),
    security(("token" = [])),
    modifiers(&BearerScheme)
)]
struct Document;

struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Every route of the API, relative to `/api`.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(person::me))
        .routes(routes!(overview::read))
        .routes(routes!(device_list::list, device_record::create))
        .routes(routes!(device::read))
        .routes(routes!(device_record::correct))
        .routes(routes!(advice::read))
        .routes(routes!(advice_list::counts))
        .routes(routes!(advice_list::list))
        .routes(routes!(forecast::read))
        .routes(routes!(flag::list))
        .routes(routes!(figures::read))
        .routes(routes!(enrolment_token::list, enrolment_token::create))
        .routes(routes!(enrolment_token::revoke))
        .routes(routes!(loan::list, loan_act::create))
        .routes(routes!(loan::read))
        .routes(routes!(document::list, document::make))
        .routes(routes!(loan_act::hand_over))
        .routes(routes!(loan_act::cancel))
        .routes(routes!(loan_act::extend))
        .routes(routes!(loan_act::take_back))
        .routes(routes!(loan_act::lose))
        .routes(routes!(loan_act::steal))
        .routes(routes!(loan_act::write_off))
        .routes(routes!(loan_act::put_in_stock))
        .routes(routes!(site::list, site_act::create))
        .routes(routes!(need::list, need::enter))
        .routes(routes!(need::withdraw))
        .routes(routes!(need_change::change))
        .merge(planning())
        .merge(running())
        .merge(donations())
        .merge(imports())
        .merge(erasures())
        .merge(workshop())
        .routes(routes!(site::read))
        .routes(routes!(borrower::list, borrower_act::create))
        .routes(routes!(borrower::read))
        .routes(routes!(borrower::identity))
        .routes(routes!(programme::list, programme_act::create))
        .routes(routes!(programme::read))
        .routes(routes!(audit::list))
        .routes(routes!(message::list))
        .routes(routes!(message::bounce))
        .routes(routes!(job::list))
        .routes(routes!(webhook::list))
}

/// Who gets which device, and when they come back.
fn planning() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(allocation::list, allocation_act::propose))
        .routes(routes!(allocation::read))
        .routes(routes!(allocation::lines))
        .routes(routes!(allocation_act::swap))
        .routes(routes!(allocation_act::drop_line))
        .routes(routes!(allocation_act::approve))
        .routes(routes!(allocation_act::give_up))
        .routes(routes!(campaign::list, campaign_act::plan))
        .routes(routes!(campaign::read, campaign_act::change, campaign_act::drop_planned))
        .routes(routes!(campaign::loans))
        .routes(routes!(campaign_act::set_desks))
        .routes(routes!(campaign_act::start))
        .routes(routes!(campaign_act::close))
        .routes(routes!(campaign_letters::excuse))
        .routes(routes!(campaign_letters::expect))
        .routes(routes!(campaign_letters::write_again))
        .routes(routes!(campaign_letters::letters))
}

/// What changes programmes, sites, borrowers and devices; what desks and those who look after devices do.
fn running() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(programme_act::change))
        .routes(routes!(programme_act::close))
        .routes(routes!(programme_act::reopen))
        .routes(routes!(site_act::change))
        .routes(routes!(site_act::add_referent))
        .routes(routes!(site_act::end_referent))
        .routes(routes!(exam::list, exam::order))
        .routes(routes!(exam::call_off))
        .routes(routes!(borrower_act::change))
        .routes(routes!(borrower_act::left))
        .routes(routes!(borrower_act::export))
        .routes(routes!(borrower_act::erase))
        .routes(routes!(device_act::set_asset_tag))
        .routes(routes!(device_act::archive))
        .routes(routes!(device_act::unarchive))
        .routes(routes!(device_act::approve))
        .routes(routes!(device_action::list, device_action::order))
        .routes(routes!(device_action::log))
        .routes(routes!(device_action_bulk::order))
        .routes(routes!(approval::list))
        .routes(routes!(approval::decide))
        .routes(routes!(recovery::approve))
        .routes(routes!(recovery::refuse))
        .routes(routes!(foreign_agent::revoke))
        .routes(routes!(return_desk::scan))
        .routes(routes!(return_desk::undo))
        .routes(routes!(flag_act::acknowledge))
        .routes(routes!(flag_act::snooze))
        .routes(routes!(message::send_again))
}

/// The workshop.
fn workshop() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(work_order::list, work_order_act::take_in))
        .routes(routes!(work_order::read))
        .routes(routes!(work_order_act::take))
        .routes(routes!(work_order_act::waive))
}

/// Who is given what, under which text, and what is missing for it.
fn donations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(donation_recipient::list, donation_recipient::create))
        .routes(routes!(donation_recipient::end))
        .routes(routes!(donation::list, donation_act::create))
        .routes(routes!(donation::read, donation_act::set_terms))
        .routes(routes!(donation_act::add))
        .routes(routes!(donation_act::remove))
        .routes(routes!(donation_act::value))
        .routes(routes!(donation_act::approve))
        .routes(routes!(donation_act::documents))
        .routes(routes!(donation_act::deliver))
        .routes(routes!(donation_act::give_up))
}

/// Files in. Two addresses take bodies as large as files.
fn imports() -> OpenApiRouter<App> {
    let files = OpenApiRouter::new().routes(routes!(import::list, import_act::take_in));
    let inventories = OpenApiRouter::new().routes(routes!(inventory::bring));
    OpenApiRouter::new()
        .merge(files.layer(DefaultBodyLimit::max(import_act::LARGEST_FILE)))
        .merge(inventories.layer(DefaultBodyLimit::max(inventory::LARGEST_FILE)))
        .routes(routes!(import::read, import_act::delete))
        .routes(routes!(import_act::check))
        .routes(routes!(import_act::apply))
        .routes(routes!(import::rows))
}

/// The erasure of drives. One address takes bodies as large as the files of a run.
fn erasures() -> OpenApiRouter<App> {
    let files = OpenApiRouter::new().routes(routes!(erasure_act::bring));
    OpenApiRouter::new()
        .merge(files.layer(DefaultBodyLimit::max(erasure_act::LARGEST_BODY)))
        .routes(routes!(erasure::list, erasure_act::by_hand))
        .routes(routes!(erasure_act::witness))
        .routes(routes!(erasure_act::absent))
        .routes(routes!(erasure_act::certificate))
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    OpenApiRouter::<App>::new().nest("/api", routes()).into_openapi()
}

/// The routes under `/api`, to be merged with the console's.
pub fn router(app: App) -> Router {
    let document = document();
    let (routes, _) = routes().split_for_parts();
    let routes = routes.route("/openapi.json", get(async move || Json(document)));
    Router::new().nest("/api", guarded(routes, app))
}

/// Adds what every address of the API has: a problem for what is not there and for a panic, a bounded body, headers.
fn guarded(routes: Router<App>, app: App) -> Router {
    routes
        .fallback(async || Problem::not_found("There is nothing at this address: see /api/openapi.json."))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .with_state(app)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    fault::log("a call of the API", &*panic);
    Problem::internal().into_response()
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
    async fn a_panicking_call_answers_with_a_problem_and_the_next_is_served() {
        let (app, _directory) = App::for_tests().await;
        let router = guarded(Router::new().route("/boom", get(boom)).route("/fine", get(async || "fine")), app);
        let ask =
            async |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        for _ in 0..3 {
            let answer = ask("/boom").await;
            assert_eq!(answer.status().as_u16(), 500);
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["status"], 500);
            assert!(!String::from_utf8_lossy(&body).contains("as intended"), "nothing of the inside is told");
            assert_eq!(ask("/fine").await.status().as_u16(), 200);
        }
    }
}
