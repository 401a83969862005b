//! Who may what: one line for each route. Without its line a route fails the test.

use super::{
    On::{Programme, Public, Scope, Shared, Site, SiteInBody},
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
    Row::new("GET /api/v1/loans", "APTRFU", Scope, 200),
    Row::new("POST /api/v1/loans", "AP-R--", SiteInBody(422), 201)
        .sends(r#"{"device":"{device}","borrower":"{borrower-reference}","programme":"{programme-code}"}"#),
    Row::new("GET /api/v1/loans/{loan}", "APTRFU", Site, 200),
    Row::new("POST /api/v1/loans/{reservation}/hand-over", "AP-R--", Site, 200).sends("{}"),
    Row::new("POST /api/v1/loans/{reservation}/cancel", "AP-R--", Site, 200),
    Row::new("POST /api/v1/loans/{loan}/extend", "AP-R--", Site, 200).sends(r#"{"due":"2035-01-01"}"#),
    Row::new("POST /api/v1/loans/{loan}/return", "APTRF-", Site, 200).sends(r#"{"condition":"good"}"#),
    Row::new("POST /api/v1/loans/{loan}/lose", "AP-R--", Site, 200),
    Row::new("POST /api/v1/loans/{loan}/steal", "AP-R--", Site, 200).sends(r#"{"police_report":"x"}"#),
    Row::new("POST /api/v1/loans/{loan}/write-off", "AP----", Site, 200),
    Row::new("POST /api/v1/loans/{loan}/cede", "AP----", Site, 200),
    Row::new("POST /api/v1/devices/{returned-device}/stock", "APTRF-", Site, 204),
    Row::new("GET /api/v1/sites", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/needs", "AP-R-U", Scope, 200),
    Row::new("POST /api/v1/needs", "AP-R--", SiteInBody(422), 201)
        .sends(r#"{"site":"{uai}","programme":"{programme-code}","reasons":["ulis"],"count":2}"#),
    Row::new("POST /api/v1/needs/{need}/withdraw", "AP-R--", Site, 204).sends(r#"{"reason":"x"}"#),
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
    Row::new("POST /devices/{returned-device}/stock", "APTRF-", Site, 303),
    Row::new("GET /loans", "APTRFU", Scope, 200),
    Row::new("GET /loans.csv", "APTRFU", Scope, 200),
    Row::new("GET /loans/{loan}", "APTRFU", Site, 200),
    Row::new("POST /loans/{reservation}/cancel", "AP-R--", Site, 303),
    Row::new("POST /loans/{loan}/extend", "AP-R--", Site, 303).sends("due=2035-01-01"),
    Row::new("POST /loans/{loan}/return", "APTRF-", Site, 303).sends("condition=good"),
    Row::new("POST /loans/{loan}/undo-return", "APTRF-", Site, 303),
    Row::new("POST /loans/{loan}/lose", "AP-R--", Site, 303),
    Row::new("POST /loans/{loan}/steal", "AP-R--", Site, 303).sends("police_report=x"),
    Row::new("POST /loans/{loan}/write-off", "AP----", Site, 303),
    Row::new("POST /loans/{loan}/cede", "AP----", Site, 303),
    // Nothing was drawn under this loan: allowed, and nothing to show.
    Row::new("POST /loans/{loan}/signature", "AP-R--", Site, 404),
    Row::new("GET /hand-over", "AP-R--", Scope, 200),
    Row::new("POST /hand-over", "AP-R--", SiteInBody(422), 303)
        .sends("device={device}&borrower={borrower-reference}&programme={programme}"),
    Row::new("GET /hand-over/class", "AP-R--", Scope, 200),
    Row::new("POST /hand-over/class", "AP-R--", Scope, 200)
        .sends("lines={device};{borrower-reference}&programme={programme}"),
    Row::new("GET /returns", "APTRF-", Scope, 200),
    // A code that means nothing to this person is answered by a line that says so.
    Row::new("POST /returns", "APTRF-", Scope, 200).sends("code={lent-device}"),
    Row::new("POST /returns/undo", "APTRF-", SiteInBody(404), 303).sends("loan={loan}"),
    Row::new("GET /flags", "APTRFU", Scope, 200),
    Row::new("POST /flags/{flag}/handle", "APT-F-", Site, 303).sends("how=acknowledge&reason=x"),
    Row::new("GET /tokens", "A-T--U", Scope, 200),
    Row::new("POST /tokens", "A-T---", SiteInBody(422), 201).sends("label=x&site={site}&programme=&cap=1&hours=24"),
    Row::new("POST /tokens/{token}/revoke", "A-T---", Site, 303),
    Row::new("GET /exports", "APTRFU", Scope, 200),
    Row::new("GET /exports/{export}", "AP-R-U", Scope, 200),
    Row::new("GET /imports", "AP----", Programme, 200),
    // What the matrix sends is no form with a file: allowed, and nonsense.
    Row::new("POST /imports", "AP----", Programme, 400),
    Row::new("GET /imports/{import}", "AP----", Programme, 200),
    // Its columns hold nothing yet: allowed, and told to choose.
    Row::new("POST /imports/{import}/check", "AP----", Programme, 422),
    Row::new("POST /imports/{import}/apply", "AP----", Programme, 303).sends("on_error=stop"),
    Row::new("GET /imports/{import}/bad.csv", "AP----", Programme, 200),
    Row::new("POST /imports/{import}/delete", "AP----", Programme, 303),
    Row::new("GET /needs", "AP-R-U", Scope, 200),
    Row::new("POST /needs", "AP-R--", SiteInBody(422), 303)
        .sends("site={site}&programme={programme}&count=1&home=no_computer"),
    Row::new("POST /needs/{need}/withdraw", "AP-R--", Site, 303).sends("reason=x"),
    Row::new("GET /allocations", "AP---U", Programme, 200),
    Row::new("POST /allocations", "AP----", Programme, 303).sends("programme="),
    Row::new("GET /allocations/{allocation}", "AP---U", Programme, 200),
    Row::new("GET /allocations/{allocation}/lines.csv", "AP---U", Programme, 200),
    // What makes no sense (an unknown device, a line that is dropped twice) is said on the proposal's page.
    Row::new("POST /allocations/{allocation}/swap", "AP----", Programme, 303).sends("rank=1&device=zz&reason=x"),
    Row::new("POST /allocations/{allocation}/drop-line", "AP----", Programme, 303).sends("rank=1&reason=x"),
    Row::new("POST /allocations/{allocation}/approve", "AP----", Programme, 303),
    Row::new("POST /allocations/{allocation}/drop", "AP----", Programme, 303),
    Row::new("GET /campaigns", "APTRFU", Scope, 200),
    Row::new("POST /campaigns", "AP----", Programme, 303)
        .sends("name=x&first=2027-06-14&last=2027-06-18&desks=1&slots=500"),
    Row::new("GET /campaigns/{campaign}", "APTRFU", Shared, 200),
    Row::new("GET /campaigns/{campaign}/missing.csv", "APTRFU", Shared, 200),
    // It runs already: allowed, and said so.
    Row::new("POST /campaigns/{campaign}/start", "AP----", Programme, 422),
    Row::new("POST /campaigns/{campaign}/close", "AP----", Programme, 303),
    Row::new("POST /campaigns/{campaign}/desks", "AP----", Programme, 400).sends("site={site}&desks=1&slots=1"),
    Row::new("POST /campaigns/{campaign}/excuse", "AP-R--", SiteInBody(404), 303).sends("loan={loan}&reason=x"),
    Row::new("GET /audit", "A----U", Programme, 200),
    Row::new("GET /design", "APTRFU", Scope, 200),
    Row::new("GET /static/{file}", "APTRFU", Public, 404),
    Row::new("GET /sign-in", "APTRFU", Public, 200),
    Row::new("POST /sign-in", "APTRFU", Public, 422).sends("login=nobody&password=x"),
    Row::new("POST /language", "APTRFU", Public, 303).sends("language=en&next=/"),
    Row::new("POST /sign-out", "APTRFU", Public, 303),
];
