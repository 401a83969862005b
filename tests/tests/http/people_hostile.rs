//! What people's browsers and scripts may send and no form of ours does: text that a database refuses even in a
//! question, cursors of another list, values without end. Refused or harmless on both engines, never a fault of ours.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use cartable_common::DeviceId;
use cartable_server::{
    auth::Role,
    clock,
    domain::scope::Scope,
    store::page::{Cursor, CursorKey},
};
use cartable_tests::{in_process::InProcess, on_both_engines, raw::Raw, simulator::site::uai_code, stores::TestStore};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

on_both_engines! {
    no_query_breaks_a_list,
    no_form_and_no_body_breaks_an_act,
    a_cursor_of_another_sort_is_refused,
}

/// Values, percent-encoded.
fn values() -> Vec<String> {
    let cursor = |key| Cursor { key, id: Uuid::nil() }.to_string();
    let mut values: Vec<String> =
        ["%00", "a%00b", "%FF%FE", "%ED%A0%80", "'", "%25", "-1", "99999999999999999999", "NaN", "%F4%8F%BF%BF"]
            .map(str::to_owned)
            .to_vec();
    values.push("x+".repeat(3_000));
    for key in [
        CursorKey::Text("a\0".to_owned()),
        CursorKey::Text("a".to_owned()),
        CursorKey::Number(i64::MAX),
        CursorKey::Pair(i64::MIN, i64::MAX),
        CursorKey::Absent,
    ] {
        values.push(cursor(key));
    }
    values
}

async fn started(test: &TestStore) -> (InProcess, String, String, String) {
    let cartable = InProcess::new(&test.store);
    cartable.person("anne", Role::Administrator, Scope::Everything).await.unwrap();
    cartable.site(1).await.unwrap();
    let (token, cookie) = (cartable.token("anne").await.unwrap(), cartable.cookie("anne", clock::now()).await.unwrap());
    let csrf = Raw::connect(test.url()).await.unwrap().texts("SELECT csrf_token FROM session").await.unwrap().remove(0);
    (cartable, token, cookie, csrf)
}

async fn no_query_breaks_a_list(test: &TestStore) {
    let (cartable, token, cookie, _) = started(test).await;
    let names = ["q", "search", "status", "site", "flag", "severity", "archived", "sort", "order", "after", "limit"];
    let more = ["min_severity", "code", "handling", "done", "next", "before", "from"];
    let mut broken = Vec::new();
    for value in values() {
        for name in names.into_iter().chain(more) {
            let sorts: &[&str] = if name == "after" { &["", "&sort=severity", "&sort=contact"] } else { &[""] };
            for sort in sorts {
                let query = format!("?{name}={value}{sort}");
                for path in ["/api/v1/devices", "/api/v1/flags", "/api/v1/audit", "/api/v1/sites"] {
                    let answer = cartable.get(&format!("{path}{query}"), &token).await.unwrap();
                    if answer.status.is_server_error() {
                        broken.push(format!("{path}{}: {}", &query[..query.len().min(80)], answer.status));
                    }
                }
                for path in ["/", "/devices", "/devices.csv", "/flags", "/tokens", "/audit", "/sign-in"] {
                    let request = Request::builder().uri(format!("{path}{query}")).header(header::COOKIE, &cookie);
                    let answer = cartable.send(request.body(Body::empty()).unwrap()).await.unwrap();
                    if answer.status.is_server_error() {
                        broken.push(format!("{path}{}: {}", &query[..query.len().min(80)], answer.status));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

async fn no_form_and_no_body_breaks_an_act(test: &TestStore) {
    let (cartable, token, cookie, csrf) = started(test).await;
    let device = DeviceId(Uuid::new_v4());
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let id = raw.uuid(device.0);
    raw.execute(&format!(
        "INSERT INTO device (id, status, created_at, sort_serial, sort_model, sort_site, search_text) \
         VALUES ({id}, 'active', 0, '', '', '', '')"
    ))
    .await
    .unwrap();
    let mut broken = Vec::new();
    for value in ["\0", "a\0b", "\u{10ffff}", "' OR 1=1 --", &"é".repeat(20_000)] {
        let coded = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        for (path, form) in [
            ("/sign-in".to_owned(), format!("login={coded}&password=x")),
            ("/sign-in".to_owned(), format!("login=anne&password={coded}")),
            ("/sign-in".to_owned(), format!("login=anne&password=x&next={coded}")),
            (format!("/devices/{device}/asset-tag"), format!("asset_tag={coded}")),
            (format!("/devices/{device}/status"), format!("status={coded}&reason={coded}")),
            (format!("/devices/{device}/archive"), format!("reason={coded}")),
            (format!("/flags/{device}/handle"), format!("how={coded}&reason={coded}")),
            ("/tokens".to_owned(), format!("label={coded}&site={coded}&programme={coded}&cap={coded}&hours={coded}")),
            ("/tokens".to_owned(), format!("label={coded}&site=&programme={coded}&cap=1&hours=1")),
            ("/language".to_owned(), format!("language={coded}&next={coded}")),
        ] {
            let request = Request::post(&path)
                .header(header::HOST, "cartable.example")
                .header(header::ORIGIN, "https://cartable.example")
                .header(header::COOKIE, &cookie)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = cartable.send(request.body(Body::from(format!("{form}&csrf={csrf}"))).unwrap()).await.unwrap();
            if answer.status.is_server_error() {
                broken.push(format!("{path} {:?}: {}", &form[..form.len().min(80)], answer.status));
            }
        }
        let uai = uai_code(96, 1);
        for body in [
            serde_json::json!({ "label": value, "site": uai }),
            serde_json::json!({ "label": "x", "site": value }),
            serde_json::json!({ "label": "x", "site": uai, "programme": value }),
        ] {
            let path = "/api/v1/enrolment-tokens";
            let answer = cartable.call(&Method::POST, path, Some(&token), Some(body.clone())).await.unwrap();
            if answer.status.is_server_error() {
                broken.push(format!("{path} {value:.20?}: {}", answer.status));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

async fn a_cursor_of_another_sort_is_refused(test: &TestStore) {
    let (cartable, token, ..) = started(test).await;
    let cursor = |key| Cursor { key, id: Uuid::nil() }.to_string();
    let (text, number) = (cursor(CursorKey::Text("a".to_owned())), cursor(CursorKey::Number(1)));
    for (sort, after, status) in
        [("serial", &text, 200), ("serial", &number, 400), ("severity", &number, 200), ("severity", &text, 400)]
    {
        let answer = cartable.get(&format!("/api/v1/devices?sort={sort}&after={after}"), &token).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{sort}: {}", answer.body);
    }
}
