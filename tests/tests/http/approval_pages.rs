//! The approval queue in the console and by API: a selection is previewed, decided once, and a row that somebody else decided
//! meanwhile is told; tokens that let recorded devices in alone are made by form and by API.

use axum::http::Method;
use cartable_server::{auth::Role, domain::scope::Scope};
use cartable_tests::{authority::make, in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};
use serde_json::json;

on_both_engines! {
    a_selection_is_previewed_and_decided_once,
    a_refusal_says_why_and_sent_twice_does_nothing,
    a_token_for_recorded_devices_is_made_by_form_and_by_api,
}

/// What a page's hidden field holds.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    page.split_once(&start).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default()
}

async fn a_selection_is_previewed_and_decided_once(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let (foreign, own) = (make(&cartable, 2).await.unwrap(), make(&cartable, 1).await.unwrap());
    let scope = Scope::Sites(vec![own.get("site").parse().unwrap()]);
    let theo = cartable.desk("theo", Role::Technician, scope).await.unwrap();
    let overview = theo.get("/").await.unwrap().body;
    assert!(overview.contains("href=\"/devices/waiting\"") && overview.contains("ask to join"), "{overview}");
    let (newcomer, enrolment) = (own.get("newcomer"), own.get("enrolment"));
    let list = theo.get("/devices/waiting").await.unwrap().body;
    assert!(list.contains("3 requests") && list.contains("Without a serial number"), "{list}");
    assert_eq!(list.matches("lapses within 90 days").count(), 1, "the newcomer; keys that were let in wait on: {list}");
    for name in ["newcomer", "enrolment", "recovery"] {
        assert!(list.contains(&format!("name=\"id-{}\"", own.get(name))), "{name}");
        assert!(!list.contains(foreign.get(name)), "{name} of another site");
    }
    let filtered = theo.get("/devices/waiting?reason=unlisted_serial").await.unwrap().body;
    assert!(filtered.contains(newcomer) && !filtered.contains(enrolment));
    assert_eq!(theo.get("/devices/waiting?reason=boredom").await.unwrap().status, 400);

    let nothing = theo.post("/devices/waiting/preview", "which=chosen").await.unwrap();
    assert_eq!(nothing.status, 422);
    let of_page = theo.post("/devices/waiting/preview", &format!("which=page&page-{newcomer}=")).await.unwrap().body;
    assert!(of_page.contains("1 of 1 can join") && of_page.contains("A new device joins the fleet"), "{of_page}");
    let both = format!("which=chosen&id-{newcomer}=&id-{enrolment}=");
    let preview = theo.post("/devices/waiting/preview", &both).await.unwrap().body;
    assert!(preview.contains("2 of 2 can join") && preview.contains("is replaced"), "{preview}");
    let mark = |id: &str| field(&preview, &format!("id-{id}")).to_owned();
    assert!(mark(newcomer).starts_with(&format!("new_device:{}:", own.get("site"))), "{}", mark(newcomer));
    assert!(preview.contains("badge warning"), "a key that is replaced is no small thing: {preview}");
    assert!(!of_page.contains("badge warning"), "{of_page}");
    assert!(mark(enrolment).starts_with("replaces:"), "{}", mark(enrolment));

    // Before theo decides, somebody else refuses one of them by API.
    cartable.person("tom", Role::Technician, Scope::Everything).await.unwrap();
    let token = cartable.token("tom").await.unwrap();
    let decide = "/api/v1/enrolment-requests/decide";
    let body = json!({ "decision": "refuse", "ids": [newcomer], "reason": "not ours" });
    let refused = cartable.call(&Method::POST, decide, Some(&token), Some(body)).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.json()["items"][0]["outcome"].as_str()), (200, Some("refused")));
    let form =
        format!("how=approve&id-{newcomer}={}&id-{enrolment}={}", mark(newcomer), mark(enrolment)).replace(':', "%3A");
    let told = theo.post("/devices/waiting/decide", &form).await.unwrap();
    assert_eq!(told.status, 200, "{}", told.body);
    assert!(told.body.contains("Decided already") && told.body.contains("1 of 2 done"), "{}", told.body);
    // Sent again, nothing happens.
    let again = theo.post("/devices/waiting/decide", &form).await.unwrap();
    assert_eq!((again.status.as_u16(), again.header("location")), (303, "/devices/waiting?done=already"));
    // The recovery went with the key that was replaced.
    assert!(theo.get("/devices/waiting").await.unwrap().body.contains("No machine waits."));
    assert!(!theo.get("/").await.unwrap().body.contains("ask to join"));

    let list = cartable.get("/api/v1/enrolment-requests", &token).await.unwrap().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "the foreign ones still wait: {list}");
    let lapsing = list["items"].as_array().unwrap().iter().filter(|one| one["lapses_at"].is_string());
    assert_eq!(lapsing.map(|one| one["source"].as_str().unwrap()).collect::<Vec<_>>(), ["newcomer"], "{list}");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let decisions = "SELECT actor || ' ' || action FROM audit WHERE action IN ('enrolment.approve', 'newcomer.refuse') \
                     ORDER BY seq";
    assert_eq!(raw.texts(decisions).await.unwrap(), ["tom newcomer.refuse", "theo enrolment.approve"]);
}

async fn a_refusal_says_why_and_sent_twice_does_nothing(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let own = make(&cartable, 1).await.unwrap();
    let anne = cartable.desk("anne", Role::Administrator, Scope::Everything).await.unwrap();
    let (newcomer, enrolment) = (own.get("newcomer"), own.get("enrolment"));
    let decide = "/devices/waiting/decide";
    let mute = anne.post(decide, &format!("how=refuse&reason=+&id-{newcomer}=")).await.unwrap();
    assert_eq!(mute.status, 422);
    assert_eq!(anne.post(decide, &format!("how=shrug&id-{newcomer}=")).await.unwrap().status, 400);
    let form = format!("how=refuse&reason=not+ours&id-{newcomer}=&id-{enrolment}=");
    for done in ["saved", "already"] {
        let answer = anne.post(decide, &form).await.unwrap();
        assert_eq!(answer.header("location"), format!("/devices/waiting?done={done}"), "{}", answer.body);
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let refusals = "SELECT count(*) FROM audit WHERE action IN ('newcomer.refuse', 'enrolment.refuse') \
                    AND details LIKE '%not ours%'";
    assert_eq!(raw.number(refusals).await.unwrap(), 2);
    assert_eq!(raw.texts("SELECT state FROM newcomer").await.unwrap(), ["refused"]);
    let page = anne.get("/audit").await.unwrap().body;
    assert!(page.contains("Newcomer refused") && page.contains("Serial number not recorded"), "{page}");
}

async fn a_token_for_recorded_devices_is_made_by_form_and_by_api(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let own = make(&cartable, 1).await.unwrap();
    let anne = cartable.desk("anne", Role::Administrator, Scope::Everything).await.unwrap();
    let site = own.get("site");
    for (label, choice) in [("by form", "&recorded=on"), ("everybody", "")] {
        let fields = format!("label={label}&site={site}&programme=&cap=2&hours=24{choice}").replace(' ', "+");
        assert_eq!(anne.post("/tokens", &fields).await.unwrap().status, 201);
    }
    assert!(anne.get("/tokens").await.unwrap().body.contains("Recorded devices only"));
    let token = cartable.token("anne").await.unwrap();
    let body = json!({ "label": "by API", "site": own.get("uai"), "admits": "recorded" });
    let made = cartable.call(&Method::POST, "/api/v1/enrolment-tokens", Some(&token), Some(body)).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let labels = "SELECT label FROM enrolment_token WHERE admits = 'recorded' ORDER BY label";
    assert_eq!(raw.texts(labels).await.unwrap(), ["by API", "by form"]);
}
