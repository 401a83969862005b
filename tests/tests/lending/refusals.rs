//! What a desk is refused, by API on both engines: each refusal says what to do, and keeps nothing. Found by a hostile
//! and a confused user.

use axum::http::Method;
use cartable_common::DeviceId;
use cartable_server::{auth::Role, clock, domain::scope::Scope};
use cartable_tests::{
    donation,
    in_process::{Answer, InProcess},
    on_both_engines,
    school::{School, labels},
    stores::TestStore,
};
use serde_json::{Value, json};

on_both_engines! {
    a_lent_device_is_not_archived_and_one_in_the_archive_is_not_lent_by_an_undo,
    who_is_forgotten_or_gone_is_lent_nothing,
    a_term_that_is_over_asks_for_a_day,
    an_extension_ends_in_a_future_that_somebody_can_mean,
    codes_that_differ_in_case_are_one,
    a_text_with_a_nul_is_refused_and_breaks_nothing,
    what_is_ceded_is_not_taken_back,
}

struct Desk {
    cartable: InProcess,
    school: School,
    devices: Vec<DeviceId>,
    token: String,
}

impl Desk {
    /// A school with three devices in stock and three borrowers.
    async fn open(test: &TestStore) -> Self {
        let (cartable, now) = (InProcess::new(&test.store), clock::now());
        let school = School::found(&test.store, 1, 3, now).await.unwrap();
        let devices = school.stock(&test.store, &labels(3), now).await.unwrap();
        cartable.person("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
        let token = cartable.token("paul").await.unwrap();
        Self { cartable, school, devices, token }
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Answer {
        let path = format!("/api/v1{path}");
        let answer = self.cartable.call(&Method::POST, &path, Some(&self.token), Some(body)).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        answer
    }

    async fn refused(&self, path: &str, body: Value, why: &str) {
        let answer = self.post(path, body, 422).await;
        assert!(answer.body.contains(why), "{path}: {}", answer.body);
    }

    fn wish(&self, device: usize, borrower: usize, handing: Value) -> Value {
        json!({ "device": self.devices[device].0, "borrower": self.school.borrowers[borrower].reference.as_str(),
            "programme": "D1", "handing_over": handing })
    }

    async fn lend(&self, device: usize, borrower: usize) -> String {
        let due = clock::now().plus_days(30);
        let due = cartable_server::domain::paris::date(due).to_string();
        let lent = self.post("/loans", self.wish(device, borrower, json!({ "due": due })), 201).await.json();
        lent["id"].as_str().unwrap().to_owned()
    }
}

async fn a_lent_device_is_not_archived_and_one_in_the_archive_is_not_lent_by_an_undo(test: &TestStore) {
    let desk = Desk::open(test).await;
    let loan = desk.lend(0, 0).await;
    let device = format!("/devices/{}", desk.devices[0]);
    let why = json!({ "reason": "rangement" });
    desk.refused(&format!("{device}/archive"), why.clone(), "take it back").await;
    desk.post(&format!("/loans/{loan}/return"), json!({ "condition": "good" }), 200).await;
    desk.post(&format!("{device}/archive"), why.clone(), 204).await;
    desk.refused(&format!("/loans/{loan}/undo-return"), json!({}), "no longer be undone").await;
    desk.refused("/loans", desk.wish(0, 1, Value::Null), "archived").await;
    desk.post(&format!("{device}/unarchive"), why.clone(), 204).await;
    desk.post(&format!("/loans/{loan}/undo-return"), json!({}), 200).await;
    // Set aside is as good as lent.
    desk.post("/loans", desk.wish(1, 1, Value::Null), 201).await;
    desk.refused(&format!("/devices/{}/archive", desk.devices[1]), why, "reserved").await;
}

async fn who_is_forgotten_or_gone_is_lent_nothing(test: &TestStore) {
    let desk = Desk::open(test).await;
    let loan = desk.lend(0, 0).await;
    desk.post(&format!("/loans/{loan}/return"), json!({ "condition": "good" }), 200).await;
    let borrower = format!("/borrowers/{}", desk.school.borrowers[0].id);
    let today = cartable_server::domain::paris::date(clock::now()).to_string();
    desk.post(&format!("{borrower}/left"), json!({ "day": today }), 204).await;
    desk.refused("/loans", desk.wish(1, 0, json!({})), "left the site").await;
    desk.post(&format!("{borrower}/left"), json!({ "day": null }), 204).await;
    desk.post(&format!("{borrower}/erase"), json!({ "reason": "demande" }), 204).await;
    desk.refused("/loans", desk.wish(1, 0, json!({})), "record the person anew").await;
    desk.refused(&format!("/loans/{loan}/undo-return"), json!({}), "no longer be undone").await;
    let another = json!({ "identity": { "name": "Quelqu’un d’autre" } });
    desk.refused(&format!("{borrower}/change"), another, "record the person anew").await;
}

async fn a_term_that_is_over_asks_for_a_day(test: &TestStore) {
    let desk = Desk::open(test).await;
    let term = json!({ "term": { "kind": "date", "date": "2026-07-03" } });
    desk.post(&format!("/programmes/{}/change", desk.school.programme), term, 200).await;
    desk.refused("/loans", desk.wish(0, 0, json!({})), "choose a due date").await;
    let reserved = desk.post("/loans", desk.wish(0, 0, Value::Null), 201).await.json();
    let path = format!("/loans/{}/hand-over", reserved["id"].as_str().unwrap());
    desk.refused(&path, json!({}), "choose a due date").await;
    let due = cartable_server::domain::paris::date(clock::now().plus_days(9)).to_string();
    assert_eq!(desk.post(&path, json!({ "due": due }), 200).await.json()["due"], due);
}

async fn an_extension_ends_in_a_future_that_somebody_can_mean(test: &TestStore) {
    let desk = Desk::open(test).await;
    let loan = desk.lend(0, 0).await;
    let path = format!("/loans/{loan}/extend");
    desk.refused(&path, json!({ "due": "9999-12-31" }), "twenty years").await;
    desk.refused("/loans", desk.wish(1, 1, json!({ "due": "9999-12-31" })), "twenty years").await;
    // Overdue since: an extension to a day that has passed would only spend it.
    let mut raw = cartable_tests::raw::Raw::connect(test.url()).await.unwrap();
    let long_ago = "UPDATE loan SET reserved_at = 0, handed_over_at = 0, due_day = 20000 WHERE state = 'handed_over'";
    raw.execute(long_ago).await.unwrap();
    desk.refused(&path, json!({ "due": "2025-01-01" }), "already passed").await;
    let due = cartable_server::domain::paris::date(clock::now().plus_days(9)).to_string();
    desk.post(&path, json!({ "due": due }), 200).await;
}

async fn codes_that_differ_in_case_are_one(test: &TestStore) {
    let desk = Desk::open(test).await;
    let recorded = json!({ "serial_number": "PFX1CE545", "kind": "laptop", "asset_tag": "Vm-7" });
    let first = desk.post("/devices", recorded, 201).await.json();
    desk.post("/devices", json!({ "serial_number": "pfx1ce545", "kind": "laptop" }), 422).await;
    let second = desk.post("/devices", json!({ "serial_number": "OTHER", "kind": "laptop" }), 201).await.json();
    let tag = format!("/devices/{}/asset-tag", second["id"].as_str().unwrap());
    desk.post(&tag, json!({ "asset_tag": "vM-7" }), 422).await;
    desk.post(&tag, json!({ "asset_tag": "VM-8" }), 204).await;
    for code in ["vm-7", "VM-7", "Vm-7", "pfx1CE545"] {
        let scanned = desk.cartable.get(&format!("/api/v1/loans?code={code}"), &desk.token).await.unwrap();
        assert_eq!(scanned.status.as_u16(), 200, "{scanned:?}");
        let answer = desk.post("/returns", json!({ "code": code, "condition": "good" }), 422).await;
        assert!(answer.body.contains("not lent"), "{code} is found: {}", answer.body);
    }
    assert!(first["id"].is_string());
}

async fn a_text_with_a_nul_is_refused_and_breaks_nothing(test: &TestStore) {
    let desk = Desk::open(test).await;
    let loan = desk.lend(0, 0).await;
    let nul = "PV\u{0}1";
    desk.post("/returns", json!({ "code": nul, "condition": "good" }), 422).await;
    desk.post(&format!("/loans/{loan}/steal"), json!({ "police_report": nul }), 422).await;
    desk.post(&format!("/loans/{loan}/steal"), json!({ "police_report": "PV\n1" }), 422).await;
    let found = desk.cartable.get("/api/v1/devices?search=a%00b", &desk.token).await.unwrap();
    assert!(found.status.as_u16() < 500, "{found:?}");
}

async fn what_is_ceded_is_not_taken_back(test: &TestStore) {
    let desk = Desk::open(test).await;
    let now = clock::now();
    let people = donation::people(&test.store, now).await.unwrap();
    let given = people.ready(&test.store, "PF2GIVEN", now).await.unwrap();
    people.give(&test.store, &[given], now).await.unwrap();
    desk.refused("/returns", json!({ "code": "PF2GIVEN", "condition": "good" }), "ceded").await;
}
