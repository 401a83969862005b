//! The authority matrix: each address of the console and of the API, for nobody, a technician and an administrator of
//! the whole programme, and both of another collège. An address that is not in the table makes this test fail.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use cartable_common::DeviceId;
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        device::DeviceStatus,
        enrolment_token::{TokenTerms, TokenText},
        flag::{Evidence, Finding, FlagCode, Severity},
        scope::Scope,
    },
    store::{
        device::{self, NewDevice},
        enrolment_token, flag,
    },
};
use cartable_tests::{
    harness::binaries::workspace, in_process::InProcess, on_both_engines, raw::Raw, simulator::site::uai_code,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    the_matrix_holds,
    what_another_site_may_not_see_is_not_in_its_lists,
}

/// Who asks, in the order of the columns.
const ACTORS: [&str; 5] = ["nobody", "technician", "administrator", "foreign-technician", "foreign-administrator"];

/// A row: method, address, body, and the status each of [`ACTORS`] is answered. `{device}`, `{flag}`, `{token}` belong
/// to collège 1; the foreign ones work for collège 2 only.
struct Row(&'static str, &'static str, &'static str, [u16; 5]);

/// The API. `{token}` is revoked by whoever may.
const API: &[Row] = &[
    Row("GET", "/api/openapi.json", "", [200; 5]),
    Row("GET", "/api/v1/me", "", [401, 200, 200, 200, 200]),
    Row("GET", "/api/v1/overview", "", [401, 200, 200, 200, 200]),
    Row("GET", "/api/v1/devices", "", [401, 200, 200, 200, 200]),
    Row("GET", "/api/v1/devices/{device}", "", [401, 200, 200, 404, 404]),
    Row("GET", "/api/v1/flags", "", [401, 200, 200, 200, 200]),
    Row("GET", "/api/v1/enrolment-tokens", "", [401, 200, 200, 200, 200]),
    Row("POST", "/api/v1/enrolment-tokens", r#"{"label":"6e B","site":"{uai}"}"#, [401, 201, 201, 422, 422]),
    Row("POST", "/api/v1/enrolment-tokens/{token}/revoke", "", [401, 200, 200, 404, 404]),
    Row("GET", "/api/v1/sites", "", [401, 200, 200, 200, 200]),
    Row("GET", "/api/v1/audit", "", [401, 403, 200, 403, 403]),
];

/// The console. Acts answer 303 to the page they were done on; to nobody, 303 to the sign-in page.
const CONSOLE: &[Row] = &[
    Row("GET", "/", "", [303, 200, 200, 200, 200]),
    Row("GET", "/devices", "", [303, 200, 200, 200, 200]),
    Row("GET", "/devices.csv", "", [303, 200, 200, 200, 200]),
    Row("GET", "/devices/{device}", "", [303, 200, 200, 404, 404]),
    Row("GET", "/flags", "", [303, 200, 200, 200, 200]),
    Row("POST", "/flags/{flag}/handle", "how=acknowledge&reason=x", [303, 303, 303, 404, 404]),
    Row("POST", "/devices/{device}/asset-tag", "asset_tag=A{actor}", [303, 303, 303, 404, 404]),
    // There is no report yet whose parts could be accepted: allowed, and nonsense.
    Row("POST", "/devices/{device}/baseline", "reason=x", [303, 400, 400, 404, 404]),
    Row("POST", "/devices/{device}/status", "status=active&reason=x", [303, 303, 303, 404, 404]),
    Row("POST", "/devices/{device}/archive", "reason=x", [303, 303, 303, 404, 404]),
    Row("GET", "/tokens", "", [303, 200, 200, 200, 200]),
    Row("POST", "/tokens", "label=x&site={site}&programme=&cap=1&hours=24", [303, 201, 201, 422, 422]),
    Row("POST", "/tokens/{token}/revoke", "", [303, 303, 303, 404, 404]),
    Row("GET", "/audit", "", [303, 403, 200, 403, 403]),
    Row("GET", "/design", "", [303, 200, 200, 200, 200]),
    Row("GET", "/static/{file}", "", [404; 5]),
    Row("GET", "/sign-in", "", [200; 5]),
    Row("POST", "/sign-in", "login=nobody&password=x", [422; 5]),
    Row("POST", "/language", "language=en&next=/", [303; 5]),
    Row("POST", "/sign-out", "", [303; 5]),
];

/// What a row's address and body are filled with.
struct Things {
    site: Uuid,
    device: DeviceId,
    flag: Uuid,
    token: Uuid,
}

async fn things(cartable: &InProcess) -> Things {
    let site = cartable.site(1).await.unwrap();
    let (now, device) = (clock::now(), DeviceId(Uuid::new_v4()));
    let mut tx = cartable.app.store.write().await.unwrap();
    let new = NewDevice {
        id: device,
        status: DeviceStatus::Active,
        hardware: serde_json::from_str(r#"{"serial_number":"SECRET-SERIAL"}"#).unwrap(),
        asset_tag: None,
        programme: None,
        site: Some(site),
        enrolled_at: Some(now),
    };
    device::insert(&mut tx, &new, now).await.unwrap();
    let evidence: Evidence = serde_json::from_str(
        r#"{"value":"1","threshold":null,"source":"x","evidence_at":null,"sentence_fr":"x","sentence_en":"x"}"#,
    )
    .unwrap();
    let finding =
        Finding { code: FlagCode::BatteryWorn, subject: String::new(), severity: Severity::Warning, evidence };
    flag::apply(&mut tx, device, vec![finding], now).await.unwrap();
    let flag = flag::open_of_device(&mut tx, &Scope::Everything, device).await.unwrap().remove(0).id;
    let terms = TokenTerms::new("6e A", None, 1, 24, now).unwrap();
    let mut random = [0; 17];
    random[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    let text = TokenText::from_random(random);
    let token = enrolment_token::create(&mut tx, &text, &terms, site, "test", now).await.unwrap();
    tx.commit().await.unwrap();
    Things { site, device, flag, token }
}

async fn staff(cartable: &InProcess) {
    let other = Scope::Sites(vec![cartable.site(2).await.unwrap()]);
    for (login, role, scope) in [
        ("technician", Role::Technician, Scope::Everything),
        ("administrator", Role::Administrator, Scope::Everything),
        ("foreign-technician", Role::Technician, other.clone()),
        ("foreign-administrator", Role::Administrator, other),
    ] {
        cartable.person(login, role, scope).await.unwrap();
    }
}

fn filled(template: &str, things: &Things, actor: usize) -> String {
    template
        .replace("{device}", &things.device.to_string())
        .replace("{flag}", &things.flag.to_string())
        .replace("{token}", &things.token.to_string())
        .replace("{site}", &things.site.to_string())
        .replace("{file}", "nothing.css")
        .replace("{uai}", &uai_code(96, 1))
        .replace("{actor}", &actor.to_string())
}

async fn the_matrix_holds(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    staff(&cartable).await;
    let mut wrong = Vec::new();
    for (index, actor) in ACTORS.into_iter().enumerate() {
        let things = things(&cartable).await;
        let token = if index == 0 { None } else { Some(cartable.token(actor).await.unwrap()) };
        for row in API {
            let (path, body) = (filled(row.1, &things, index), filled(row.2, &things, index));
            let body = (!body.is_empty()).then(|| serde_json::from_str(&body).unwrap());
            let method: Method = row.0.parse().unwrap();
            let answer = cartable.call(&method, &path, token.as_deref(), body).await.unwrap();
            if answer.status.as_u16() != row.3[index] {
                wrong.push(format!("{actor} {} {}: {} instead of {}", row.0, row.1, answer.status, row.3[index]));
            }
        }
        let things = self::things(&cartable).await;
        let session = if index == 0 { None } else { Some(session(test, &cartable, actor).await) };
        for row in CONSOLE {
            let status = console(&cartable, row, session.as_ref(), &things, index).await;
            if status != row.3[index] {
                wrong.push(format!("{actor} {} {}: {status} instead of {}", row.0, row.1, row.3[index]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A session's cookie and CSRF token.
struct Session {
    cookie: String,
    csrf: String,
}

async fn session(test: &TestStore, cartable: &InProcess, login: &str) -> Session {
    let cookie = cartable.cookie(login, clock::now()).await.unwrap();
    let sql = format!("SELECT csrf_token FROM session s JOIN person p ON p.id = s.person_id WHERE p.login = '{login}'");
    let csrf = Raw::connect(test.url()).await.unwrap().texts(&sql).await.unwrap().remove(0);
    Session { cookie, csrf }
}

async fn console(cartable: &InProcess, row: &Row, session: Option<&Session>, things: &Things, actor: usize) -> u16 {
    let mut request = Request::builder().method(row.0).uri(filled(row.1, things, actor));
    request = request.header(header::HOST, "cartable.example").header(header::ORIGIN, "https://cartable.example");
    let mut body = filled(row.2, things, actor);
    if let Some(session) = session {
        request = request.header(header::COOKIE, &session.cookie);
        body = format!("{body}&csrf={}", session.csrf);
    }
    let body = if row.0 == "GET" {
        Body::empty()
    } else {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        Body::from(body)
    };
    cartable.send(request.body(body).unwrap()).await.unwrap().status.as_u16()
}

async fn what_another_site_may_not_see_is_not_in_its_lists(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    staff(&cartable).await;
    let things = things(&cartable).await;
    let (own, foreign) =
        (cartable.token("technician").await.unwrap(), cartable.token("foreign-technician").await.unwrap());
    let names = [things.device.to_string(), "SECRET-SERIAL".to_owned(), things.token.to_string(), uai_code(96, 1)];
    for list in ["/api/v1/devices", "/api/v1/flags", "/api/v1/enrolment-tokens", "/api/v1/sites"] {
        let seen = cartable.get(list, &own).await.unwrap().body;
        assert!(names.iter().any(|name| seen.contains(name)), "{list} shows its own: {seen}");
        let hidden = cartable.get(list, &foreign).await.unwrap().body;
        assert!(names.iter().all(|name| !hidden.contains(name)), "{list} shows a foreign site's: {hidden}");
    }
    let counts = cartable.get("/api/v1/overview", &foreign).await.unwrap().json();
    assert_eq!(counts["devices"], 0);
    let by_site = format!("/api/v1/devices?site={}", uai_code(96, 1));
    assert_eq!(cartable.get(&by_site, &foreign).await.unwrap().status, 400);
}

#[test]
fn every_address_of_the_api_is_in_the_matrix() {
    let document = serde_json::to_value(cartable_server::api::document()).unwrap();
    let mut served: Vec<String> = vec!["GET /api/openapi.json".to_owned()];
    for (path, methods) in document["paths"].as_object().unwrap() {
        served.extend(methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert_eq!(listed(API), sorted(served));
}

/// The console's addresses are read from its source: each stands in one `.route("…", get(…).post(…))`.
#[test]
fn every_address_of_the_console_is_in_the_matrix() {
    let source = std::fs::read_to_string(workspace().join("server/src/console/mod.rs")).unwrap();
    let mut served = Vec::new();
    for route in source.split(".route(").skip(1) {
        let route = route.split("\n        .").next().unwrap();
        let path = route.split('"').nth(1).unwrap();
        let methods: Vec<&str> = ["get(", "post(", "put(", "delete(", "patch(", "any("]
            .into_iter()
            .filter(|method| route.contains(&format!(" {method}")) || route.contains(&format!(".{method}")))
            .collect();
        assert!(!methods.is_empty(), "{route}");
        served.extend(methods.iter().map(|method| format!("{} {path}", method.trim_end_matches('(').to_uppercase())));
    }
    assert_eq!(listed(CONSOLE), sorted(served));
}

/// Method and address of each row, with every `{name}` as `{}`.
fn listed(rows: &[Row]) -> Vec<String> {
    sorted(rows.iter().map(|row| format!("{} {}", row.0, row.1)).collect())
}

fn sorted(addresses: Vec<String>) -> Vec<String> {
    let anonymous = |address: String| {
        let mut parts: Vec<String> = address.split('/').map(str::to_owned).collect();
        for part in &mut parts {
            if part.starts_with('{') {
                "{}".clone_into(part);
            }
        }
        parts.join("/")
    };
    let unique: BTreeMap<String, ()> = addresses.into_iter().map(|address| (anonymous(address), ())).collect();
    unique.into_keys().collect()
}
