//! The approval queue in the console and by API: a selection is previewed, decided once, and a row that somebody else decided
//! meanwhile is told; tokens that let recorded devices in alone are made by form and by API.

use axum::http::Method;
use cartable_common::{DeviceId, SerialNumber, report::Hardware};
use cartable_server::{
    auth::Role,
    clock,
    domain::{approval::WaitsFor, device::DeviceStatus, scope::Scope},
    store::{
        device::{self, NewDevice},
        newcomer::{self, NewNewcomer},
    },
};
use cartable_tests::{authority::make, in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};
use serde_json::json;
use uuid::Uuid;

on_both_engines! {
    a_selection_is_previewed_and_decided_once,
    a_refusal_says_why_and_sent_twice_does_nothing,
    what_only_a_look_may_do_is_shown_and_a_revocation_that_is_lifted_too,
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

async fn what_only_a_look_may_do_is_shown_and_a_revocation_that_is_lifted_too(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let own = make(&cartable, 1).await.unwrap();
    let anne = cartable.desk("anne", Role::Administrator, Scope::Everything).await.unwrap();
    let (stolen, enrolment) = (own.get("device"), own.get("enrolment"));
    let mut tx = test.store.write().await.unwrap();
    let revoked = DeviceStatus::Revoked;
    device::set_status(&mut tx, &Scope::Everything, stolen.parse().unwrap(), revoked).await.unwrap();
    // Recorded and revoked before it ever had a key.
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2LISTED").into(), ..Hardware::default() };
    let listed = NewDevice {
        id: DeviceId(Uuid::now_v7()),
        status: revoked,
        hardware: hardware.clone(),
        asset_tag: None,
        programme: None,
        site: Some(own.get("site").parse().unwrap()),
        enrolled_at: None,
    };
    device::insert(&mut tx, &listed, clock::now()).await.unwrap();
    let new = NewNewcomer {
        request: Uuid::new_v4(),
        key: &[9; 32],
        token: own.get("token").parse().unwrap(),
        waits_for: WaitsFor::UnlistedSerial,
        hardware: &hardware,
        listed_as: None,
    };
    let claims = newcomer::insert(&mut tx, &new, clock::now()).await.unwrap();
    tx.commit().await.unwrap();

    let lifted = "This device is revoked: your approval lifts that";
    for page in ["/devices/waiting".to_owned(), format!("/devices/{stolen}")] {
        let shown = anne.get(&page).await.unwrap().body;
        assert!(shown.contains(lifted), "{page}: {shown}");
    }
    let preview = anne.post("/devices/waiting/preview", &format!("which=chosen&id-{claims}=")).await.unwrap().body;
    assert!(preview.contains("1 of 1 can join") && preview.contains("badge warning"), "{preview}");
    assert!(preview.contains(lifted) && preview.contains("last asked on"), "{preview}");
    let mark = field(&preview, &format!("id-{claims}"));
    assert!(mark.ends_with(":revoked"), "{mark}");

    // On the device's own page too it leaves its row.
    let approve = format!("/devices/{stolen}/enrolments/{enrolment}/approve");
    assert_eq!(anne.post(&approve, "").await.unwrap().status, 303);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let rows = "SELECT details FROM audit WHERE action = 'device.set_status' AND actor = 'anne'";
    let told = raw.texts(rows).await.unwrap();
    assert!(told.len() == 1 && told[0].contains("\"before\":\"revoked\""), "{told:?}");
    // The other is put back in service before it is decided: that is not what was looked at.
    let mut tx = test.store.write().await.unwrap();
    device::set_status(&mut tx, &Scope::Everything, listed.id, DeviceStatus::Active).await.unwrap();
    tx.commit().await.unwrap();
    let form = format!("how=approve&id-{claims}={mark}").replace(':', "%3A");
    let late = anne.post("/devices/waiting/decide", &form).await.unwrap().body;
    assert!(late.contains("Something changed since the preview") && !late.contains(lifted), "{late}");
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
