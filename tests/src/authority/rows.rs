//! Who may what: one line for each route. Without its line a route fails the test.

use super::{
    On::{Programme, Public, Scope, Site, SiteInBody},
    Row,
};

/// Every route of the console and the API. The second column: Administrator, Programme manager, Technician, Referent,
/// reFurbisher, aUditor.
pub const ROWS: &[Row] = &[
    // The API.
    Row::new("GET /api/openapi.json", "APTRFU", Public, 200),
    Row::new("GET /api/v1/me", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/overview", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/devices", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/devices/{device}", "APTRFU", Site, 200),
    Row::new("GET /api/v1/flags", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/enrolment-tokens", "A-T--U", Scope, 200),
    Row::new("POST /api/v1/enrolment-tokens", "A-T---", SiteInBody(422), 201)
        .sends(r#"{"label":"6e B","site":"{uai}"}"#),
    Row::new("POST /api/v1/enrolment-tokens/{token}/revoke", "A-T---", Site, 200),
    Row::new("GET /api/v1/sites", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/audit", "A----U", Programme, 200),
    // The console. Acts answer 303 to the page they were done on.
    Row::new("GET /", "APTRFU", Scope, 200),
    Row::new("GET /devices", "APTRFU", Scope, 200),
    Row::new("GET /devices.csv", "APTRFU", Scope, 200),
    Row::new("GET /devices/{device}", "APTRFU", Site, 200),
    Row::new("POST /devices/{device}/asset-tag", "APT-F-", Site, 303).sends("asset_tag={unique}"),
    // There is no report yet whose parts could be accepted: allowed, and nonsense.
    Row::new("POST /devices/{device}/baseline", "APT-F-", Site, 400).sends("reason=x"),
    Row::new("POST /devices/{device}/status", "A-T---", Site, 303).sends("status=active&reason=x"),
    Row::new("POST /devices/{device}/archive", "APT-F-", Site, 303).sends("reason=x"),
    Row::new("GET /flags", "APTRFU", Scope, 200),
    Row::new("POST /flags/{flag}/handle", "APT-F-", Site, 303).sends("how=acknowledge&reason=x"),
    Row::new("GET /tokens", "A-T--U", Scope, 200),
    Row::new("POST /tokens", "A-T---", SiteInBody(422), 201).sends("label=x&site={site}&programme=&cap=1&hours=24"),
    Row::new("POST /tokens/{token}/revoke", "A-T---", Site, 303),
    Row::new("GET /audit", "A----U", Programme, 200),
    Row::new("GET /design", "APTRFU", Scope, 200),
    Row::new("GET /static/{file}", "APTRFU", Public, 404),
    Row::new("GET /sign-in", "APTRFU", Public, 200),
    Row::new("POST /sign-in", "APTRFU", Public, 422).sends("login=nobody&password=x"),
    Row::new("POST /language", "APTRFU", Public, 303).sends("language=en&next=/"),
    Row::new("POST /sign-out", "APTRFU", Public, 303),
];
