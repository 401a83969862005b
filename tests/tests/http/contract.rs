//! Promises of the API to those who program against it: one document, one form of error, no parameter ignored, every
//! page reachable, every device whole.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use cartable_server::{auth::Role, clock, domain::scope::Scope};
use cartable_tests::{
    fleet::{RunningIngest, enrol, envelope, laptop},
    harness::binaries::workspace,
    in_process::{Answer, InProcess},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use serde_json::{Value, json};

on_both_engines! {
    every_refusal_is_a_problem,
    a_misspelt_parameter_is_refused_with_the_names_of_the_right_ones,
    no_column_and_no_sql_can_be_sorted_by,
    pages_reach_every_device_once,
    a_device_is_given_whole,
    an_enrolment_token_is_shown_once_and_audited,
    a_token_ends_when_revoked_expired_or_malformed,
}

/// Renews docs/openapi.json: `CARTABLE_BLESS=1 cargo test -p cartable-tests --test http contract`.
#[test]
fn the_committed_document_is_the_served_one() {
    let path = workspace().join("docs/openapi.json");
    let document = serde_json::to_string_pretty(&cartable_server::api::document()).unwrap() + "\n";
    if std::env::var_os("CARTABLE_BLESS").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == document, "docs/openapi.json is stale: run this test again with CARTABLE_BLESS=1");
}

#[test]
fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(cartable_server::api::document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["responses"]["401"].is_object(), "{method} {path} does not say that it needs a token");
        }
    }
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.push(reference.clone());
            }
            fields.values().for_each(|field| collect_references(field, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An API with one administrator, and that person's token.
async fn started(test: &TestStore) -> (InProcess, String) {
    let cartable = InProcess::new(&test.store);
    cartable.person("anne", Role::Administrator, Scope::Everything).await.unwrap();
    let token = cartable.token("anne").await.unwrap();
    (cartable, token)
}

fn assert_problem(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["type"], format!("urn:cartable:problem:{name}"), "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert!(
        problem["title"].is_string() && problem["detail"].as_str().is_some_and(|text| text.len() > 20),
        "{problem}"
    );
}

async fn every_refusal_is_a_problem(test: &TestStore) {
    let (cartable, token) = started(test).await;
    let get = async |path: &str| cartable.get(path, &token).await.unwrap();
    assert_problem(&get("/api/v1/nothing").await, 404, "not-found");
    assert_problem(&get("/api/v2/devices").await, 404, "not-found");
    assert_problem(&get("/api/v1/devices/not-a-uuid").await, 400, "invalid-request");
    assert_problem(&get("/api/v1/devices/00000000-0000-0000-0000-000000000000").await, 404, "not-found");
    for query in ["limit=0", "limit=201", "limit=x", "limit=99999", "after=x", "status=nonsense"] {
        assert_problem(&get(&format!("/api/v1/devices?{query}")).await, 400, "invalid-request");
    }
    let call = async |method: Method, path: &str, body: Option<Value>| {
        cartable.call(&method, path, Some(&token), body).await.unwrap()
    };
    let wrong_method = call(Method::DELETE, "/api/v1/devices", None).await;
    assert_problem(&wrong_method, 405, "method-not-allowed");
    assert!(wrong_method.header("allow").contains("GET"), "{wrong_method:?}");
    let tokens = "/api/v1/enrolment-tokens";
    assert_problem(&call(Method::POST, tokens, None).await, 415, "unsupported-media-type");
    assert_problem(&call(Method::POST, tokens, Some(json!({}))).await, 400, "invalid-request");
    let extra = json!({ "label": "x", "site": "0960001X", "role": "administrator" });
    assert_problem(&call(Method::POST, tokens, Some(extra)).await, 400, "invalid-request");
    let nowhere = json!({ "label": "x", "site": "not a code" });
    assert_problem(&call(Method::POST, tokens, Some(nowhere)).await, 422, "unprocessable");
    let large = json!({ "label": "x".repeat(70_000), "site": "x" });
    assert_problem(&call(Method::POST, tokens, Some(large)).await, 413, "too-large");
    let nobody = cartable.call(&Method::GET, "/api/v1/devices", None, None).await.unwrap();
    assert_problem(&nobody, 401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), r#"Bearer realm="cartable""#);
    let wrong = cartable.get("/api/v1/devices", "cartable_wrong").await.unwrap();
    assert_problem(&wrong, 401, "unauthorized");
    assert!(wrong.header("www-authenticate").contains(r#"error="invalid_token""#), "{wrong:?}");
}

async fn a_misspelt_parameter_is_refused_with_the_names_of_the_right_ones(test: &TestStore) {
    let (cartable, token) = started(test).await;
    let refused = cartable.get("/api/v1/devices?staus=active", &token).await.unwrap();
    assert_problem(&refused, 400, "invalid-request");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    for name in ["staus", "search", "status", "site", "flag", "min_severity", "archived", "sort", "order", "limit"] {
        assert!(detail.contains(&format!("`{name}`")), "{name} is not in: {detail}");
    }
    let refused = cartable.get("/api/v1/devices?status=lost", &token).await.unwrap();
    assert!(refused.json()["detail"].as_str().unwrap().contains("`quarantined`"), "{refused:?}");
}

async fn no_column_and_no_sql_can_be_sorted_by(test: &TestStore) {
    let (cartable, token) = started(test).await;
    for sort in ["serial", "model", "site", "severity", "contact"] {
        for order in ["ascending", "descending"] {
            let answer = cartable.get(&format!("/api/v1/devices?sort={sort}&order={order}"), &token).await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sql = if test.url().starts_with("sqlite:") {
        "SELECT name FROM pragma_table_info('device') UNION SELECT name FROM pragma_table_info('person')"
    } else {
        "SELECT column_name::text FROM information_schema.columns WHERE table_name IN ('device', 'person')"
    };
    let mut columns = raw.texts(sql).await.unwrap();
    assert!(columns.iter().any(|name| name == "password_hash"), "{columns:?}");
    columns.extend(["1;DROP%20TABLE%20device".to_owned(), "serial%20DESC".to_owned(), "(SELECT%201)".to_owned()]);
    // The device's column `model` bears the name of a sort that exists.
    for column in columns.iter().filter(|column| *column != "model") {
        let answer = cartable.get(&format!("/api/v1/devices?sort={column}"), &token).await.unwrap();
        assert_problem(&answer, 400, "invalid-request");
    }
}

async fn pages_reach_every_device_once(test: &TestStore) {
    let (cartable, token) = started(test).await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(enrol(&test.store, test.url(), None, clock::now()).await.unwrap().device.to_string());
    }
    expected.sort();
    for sort in ["serial", "severity", "contact"] {
        let (mut found, mut path) = (Vec::new(), format!("/api/v1/devices?sort={sort}&limit=3"));
        loop {
            let page = cartable.get(&path, &token).await.unwrap().json();
            assert_eq!(page["total"], json!({ "count": 7, "exact": true }), "{page}");
            found.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/devices?sort={sort}&limit=3&after={next}");
        }
        found.sort();
        assert_eq!(found, expected, "{sort}");
    }
}

async fn a_device_is_given_whole(test: &TestStore) {
    let (cartable, token) = started(test).await;
    let now = clock::now();
    let one = enrol(&test.store, test.url(), None, now).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let report = laptop(2);
    for (sequence, free) in [(1, 50), (2, 2)] {
        let reports = vec![envelope(sequence, now, laptop(free))];
        running.ingest.check_in(one.check_in(now, reports)).await.unwrap();
    }
    running.stop().await;
    let device = cartable.get(&format!("/api/v1/devices/{}", one.device), &token).await.unwrap().json();
    assert_eq!(device["status"], "active");
    assert_eq!(device["health"]["report"], serde_json::to_value(&report).unwrap(), "the report stands there unchanged");
    assert_eq!(device["health"]["sequence"], 2);
    let flag = device["flags"].as_array().unwrap().iter().find(|flag| flag["code"] == "disk_nearly_full").unwrap();
    for part in ["value", "threshold", "source", "sentence_fr", "sentence_en", "evidence_at"] {
        assert!(flag["evidence"][part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {flag}");
    }
    assert_eq!(device["contact"]["check_ins"], 2);
    assert!(device["contact"]["last_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(device["daily"][0]["system_volume_available_percent"], 2);
    assert_eq!(device["daily"][0]["date"].as_str().unwrap().len(), 10);
    assert!(!device["changes"].as_array().unwrap().is_empty(), "{device}");
    let list = cartable.get("/api/v1/flags?code=disk_nearly_full", &token).await.unwrap().json();
    assert_eq!(list["items"][0]["device"]["id"], one.device.to_string());
    let counts = cartable.get("/api/v1/overview", &token).await.unwrap().json();
    assert_eq!(counts["devices"], 1);
}

async fn an_enrolment_token_is_shown_once_and_audited(test: &TestStore) {
    let (cartable, token) = started(test).await;
    cartable.site(1).await.unwrap();
    let uai = cartable_tests::simulator::site::uai_code(96, 1);
    let path = "/api/v1/enrolment-tokens";
    let body = json!({ "label": "6e B", "site": uai, "cap": 30 });
    let made = cartable.call(&Method::POST, path, Some(&token), Some(body)).await.unwrap();
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let (id, text) = (made.json()["id"].clone(), made.json()["token"].as_str().unwrap().to_owned());
    let listed = cartable.get(path, &token).await.unwrap();
    assert_eq!(listed.json()["items"][0]["id"], id);
    assert!(!listed.body.contains(&text), "its text is never shown again");
    let revoke = format!("{path}/{}/revoke", id.as_str().unwrap());
    for _ in 0..2 {
        let revoked = cartable.call(&Method::POST, &revoke, Some(&token), None).await.unwrap();
        assert_eq!(revoked.json()["state"], "revoked", "{revoked:?}");
    }
    let audit = cartable.get("/api/v1/audit?limit=3", &token).await.unwrap();
    assert!(!audit.body.contains(&text));
    let acts: Vec<_> = audit.json()["items"].as_array().unwrap().iter().map(|act| act["action"].clone()).collect();
    assert_eq!(acts, ["enrolment_token.revoke", "enrolment_token.create", "api_token.create"]);
    let next = audit.json()["next"].as_i64().unwrap();
    let older = cartable.get(&format!("/api/v1/audit?limit=3&after={next}"), &token).await.unwrap().json();
    assert_eq!(older["items"][0]["action"], "person.create");
}

async fn a_token_ends_when_revoked_expired_or_malformed(test: &TestStore) {
    let (cartable, token) = started(test).await;
    let status = async |value: &str| {
        let request = Request::get("/api/v1/me").header(header::AUTHORIZATION, value).body(Body::empty()).unwrap();
        cartable.send(request).await.unwrap().status.as_u16()
    };
    assert_eq!(status(&format!("bearer {token}")).await, 200);
    for wrong in
        [token.clone(), format!("Basic {token}"), format!("Bearer {token}x"), "Bearer ".into(), "Bearer é".into()]
    {
        assert_eq!(status(&wrong).await, 401, "{wrong}");
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE api_token SET expires_at = 1").await.unwrap();
    assert_eq!(status(&format!("Bearer {token}")).await, 401);
    let second = cartable.token("anne").await.unwrap();
    assert_eq!(status(&format!("Bearer {second}")).await, 200);
    raw.execute("UPDATE api_token SET revoked_at = 1").await.unwrap();
    assert_eq!(status(&format!("Bearer {second}")).await, 401);
}
