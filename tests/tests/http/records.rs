//! Records corrected and made by hand, in the console and by API, on both engines: devices without an agent, needs while
//! they are open, programmes, sites and borrowers; each act in the audit, by API with the token that it came by.

use axum::http::Method;
use cartable_common::DeviceId;
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        device_record::ContactExpected,
        grade::Grade,
        loan::LendingState,
        need::{NeedReason, NeedState},
        scope::Scope,
    },
    store::{audit, borrower, device, device_record, loan, need, site},
};
use cartable_tests::{
    in_process::{Answer, InProcess},
    on_both_engines,
    school::{School, labels},
    simulator::site::uai_code,
    stores::TestStore,
};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_engines! {
    a_device_is_only_reserved_from_the_console,
    a_record_is_corrected_but_never_against_an_open_loan,
    a_device_is_recorded_in_the_depot_by_those_who_see_all,
    a_need_is_changed_while_it_is_open,
    programmes_sites_and_referents_are_made_by_api,
    a_borrower_is_recorded_changed_exported_and_erased_by_api,
    a_desk_a_flag_list_and_an_archive_work_by_api,
}

const ALL: Scope = Scope::Everything;

struct Town {
    cartable: InProcess,
    school: School,
    devices: Vec<DeviceId>,
    token: String,
}

impl Town {
    /// A school with two devices in stock and one lent; `paul` runs programmes.
    async fn begin(test: &TestStore) -> Self {
        let (cartable, now) = (InProcess::new(&test.store), clock::now());
        let school = School::found(&test.store, 1, 2, now).await.unwrap();
        let devices = school.stock(&test.store, &labels(3), now).await.unwrap();
        school.lend(&test.store, &devices[..1], now).await.unwrap();
        cartable.person("paul", Role::ProgrammeManager, ALL).await.unwrap();
        cartable.person("rita", Role::Referent, Scope::Sites(vec![school.site])).await.unwrap();
        cartable.person("tom", Role::Technician, Scope::Sites(vec![school.site])).await.unwrap();
        let token = cartable.token("paul").await.unwrap();
        Self { cartable, school, devices, token }
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Answer {
        let path = format!("/api/v1{path}");
        let answer = self.cartable.call(&Method::POST, &path, Some(&self.token), Some(body)).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        answer
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.cartable.get(&format!("/api/v1{path}"), &self.token).await.unwrap();
        assert_eq!(answer.status.as_u16(), 200, "{path}: {answer:?}");
        answer.json()
    }

    /// The newest act on something, and its details.
    async fn last_act(&self, kind: &str, id: &impl ToString) -> (String, Value) {
        let mut tx = self.cartable.app.store.read().await.unwrap();
        let act = audit::of_object(&mut tx, kind, &id.to_string(), 1).await.unwrap().remove(0);
        (act.action, serde_json::from_str(&act.details).unwrap())
    }
}

async fn a_device_is_only_reserved_from_the_console(test: &TestStore) {
    let town = Town::begin(test).await;
    let rita = town.cartable.signed_in("rita").await.unwrap();
    let (device, school) = (town.devices[1], &town.school);
    let reference = &school.borrowers[1].reference;
    let asked = format!("/hand-over?code={device}&borrower={reference}&programme={}", school.programme);
    assert!(rita.get(&asked).await.unwrap().body.contains("/hand-over/reserve"));
    let form = format!("device={device}&borrower={reference}&programme={}", school.programme);
    let done = rita.post("/hand-over/reserve", &form).await.unwrap();
    assert_eq!(done.status, 303, "{}", done.body);
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(loan::lending_state(&mut tx, device).await.unwrap(), Some(LendingState::Reserved));
    let reserved = loan::open_of_device(&mut tx, &ALL, device).await.unwrap().unwrap();
    drop(tx);
    assert_eq!(reserved.borrower, school.borrowers[1].id);
    let (action, details) = town.last_act("loan", &reserved.id).await;
    assert_eq!((action.as_str(), details.get("api_token")), ("loan.reserve", None));
    let again = rita.post("/hand-over/reserve", &form).await.unwrap();
    assert_eq!(again.status, 422, "it is not in stock any more");
    assert!(!rita.get(&asked).await.unwrap().body.contains("/hand-over/reserve"), "only handed over from here");
    // What a script does says which token it came by.
    town.post(&format!("/loans/{}/cancel", reserved.id), json!({}), 200).await;
    let (action, details) = town.last_act("loan", &reserved.id).await;
    assert!(action == "loan.cancel" && details["api_token"].is_string(), "{details}");
}

async fn a_record_is_corrected_but_never_against_an_open_loan(test: &TestStore) {
    let town = Town::begin(test).await;
    let other = town.cartable.site(2).await.unwrap();
    let made =
        town.post("/devices", json!({ "serial_number": "TAB-1", "kind": "tablet", "site": uai_code(96, 1) }), 201);
    let id: Uuid = made.await.json()["id"].as_str().unwrap().parse().unwrap();
    let (path, page) = (format!("/devices/{id}/record"), format!("/devices/{id}"));
    let all = json!({ "site": uai_code(96, 2), "programme": "D1", "serial_number": "TAB-2", "manufacturer": "Lenovo",
        "model": "Tab M10", "warranty_until": "2028-08-31", "grade": "B", "contact_expected": "agent" });
    town.post(&path, all, 204).await;
    let read = town.read(&page).await;
    assert_eq!((&read["grade"], &read["warranty_until"]), (&json!("B"), &json!("2028-08-31")));
    assert_eq!((&read["site"]["id"], &read["programme"]), (&json!(other), &json!("D1")));
    assert_eq!((&read["serial_number"], &read["status"]), (&json!("TAB-2"), &json!("pending")));
    let (action, details) = town.last_act("device", &id).await;
    assert_eq!((action.as_str(), &details["before"]["serial"]), ("device.correct", &json!("TAB-1")));
    assert!(!details.to_string().contains("D1") && details["api_token"].is_string(), "{details}");
    // It can be found by what it is called now.
    assert_eq!(town.read("/devices?search=tab-2").await["items"].as_array().unwrap().len(), 1);
    let paul = town.cartable.signed_in("paul").await.unwrap();
    let shown = paul.get(&page).await.unwrap().body;
    assert!(shown.contains("B : des marques sans importance") && shown.contains("Corriger la fiche"), "{shown}");
    let form = "contact=none&grade=&manufacturer=&model=Tab&programme=-&site=";
    assert_eq!(
        paul.post(&format!("{page}/record"), form).await.unwrap().header("location"),
        format!("{page}?done=saved")
    );
    let read = town.read(&page).await;
    assert_eq!((&read["grade"], &read["manufacturer"], &read["site"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&read["contact_expected"], &read["status"]), (&json!("none"), &json!("active")));
    // Two of one maker with one serial number, one without any name.
    town.post(&path, json!({ "serial_number": null }), 422).await;
    town.post("/devices", json!({ "serial_number": "TAB-9", "kind": "tablet" }), 201).await;
    town.post(&path, json!({ "serial_number": "TAB-9" }), 422).await;
    town.post(&path, json!({ "warranty_until": "soon" }), 400).await;
    town.post(&path, json!({ "grade": "Z" }), 400).await;

    // Lent, and with an agent.
    let lent = format!("/devices/{}/record", town.devices[0]);
    let elsewhere = town.post(&lent, json!({ "site": uai_code(96, 2) }), 422).await;
    assert!(elsewhere.body.contains("open loan of another site"), "{}", elsewhere.body);
    town.post(&lent, json!({ "programme": "D1" }), 422).await;
    town.post(&lent, json!({ "model": "Other" }), 422).await;
    town.post(&lent, json!({ "grade": "C" }), 204).await;
    let mut tx = test.store.read().await.unwrap();
    let recorded = device_record::of_device(&mut tx, town.devices[0]).await.unwrap();
    assert_eq!((recorded.grade, recorded.contact_expected), (Some(Grade::C), ContactExpected::Agent));
    drop(tx);
    // Somebody of one site moves nothing out of it.
    let tom = town.cartable.signed_in("tom").await.unwrap();
    let own = format!("/devices/{}", town.devices[1]);
    for site in [other.to_string(), String::new()] {
        let refused = tom.post(&format!("{own}/record"), &format!("site={site}")).await.unwrap();
        assert_eq!(refused.header("location"), format!("{own}?done=record-site"));
    }
    assert_eq!(tom.post(&format!("{page}/record"), "grade=A").await.unwrap().status, 404, "not of that site");
    let archive = json!({ "reason": "cassé" });
    town.post(&format!("/devices/{}/archive", town.devices[2]), archive, 204).await;
    town.post(&format!("/devices/{}/record", town.devices[2]), json!({ "grade": "D" }), 422).await;
}

async fn a_device_is_recorded_in_the_depot_by_those_who_see_all(test: &TestStore) {
    let town = Town::begin(test).await;
    let form = |serial: &str| {
        format!("serial={serial}&asset_tag=&kind=tablet&manufacturer=&model=&site=&programme=&warranty=")
    };
    let tom = town.cartable.signed_in("tom").await.unwrap();
    assert_eq!(tom.post("/devices", &form("DEPOT-1")).await.unwrap().status, 422);
    let paul = town.cartable.signed_in("paul").await.unwrap();
    let made = paul.post("/devices", &form("DEPOT-1")).await.unwrap();
    assert_eq!(made.status, 303, "{}", made.body);
    let id: DeviceId = made.header("location").split(['/', '?']).nth(2).unwrap().parse().unwrap();
    let mut tx = test.store.read().await.unwrap();
    let found = device::find(&mut tx, &ALL, id).await.unwrap().unwrap();
    assert_eq!((found.site, found.serial_number.as_deref()), (None, Some("DEPOT-1")));
    drop(tx);
    assert_eq!(tom.get(&format!("/devices/{id}")).await.unwrap().status, 404);
}

async fn a_need_is_changed_while_it_is_open(test: &TestStore) {
    let town = Town::begin(test).await;
    let entered = town.post("/needs", json!({ "site": uai_code(96, 1), "programme": "D1", "level": "6e" }), 201).await;
    let id: Uuid = entered.json()["ids"][0].as_str().unwrap().parse().unwrap();
    let reference = town.school.borrowers[1].reference.to_string();
    let path = format!("/needs/{id}/change");
    town.post(&path, json!({ "level": "5e", "reasons": ["ulis"], "borrower": reference }), 204).await;
    let (action, details) = town.last_act("need", &id).await;
    assert_eq!((action.as_str(), &details["changed"]), ("need.change", &json!(["level", "reasons", "borrower"])));
    assert!(!details.to_string().contains("ulis"), "no child's situation in the audit: {details}");
    town.post(&path, json!({ "reasons": ["band_1", "band_2"] }), 422).await;
    town.post(&path, json!({ "borrower": "B-0000-0000" }), 422).await;
    town.post(&path, json!({ "programme": "D9" }), 422).await;
    let rita = town.cartable.signed_in("rita").await.unwrap();
    let shown = rita.get(&path).await.unwrap();
    assert!(shown.status == 200 && shown.body.contains(&reference), "{}", shown.body);
    let form = format!("programme={}&level=4e&home=shared&band=&borrower=", town.school.programme);
    assert_eq!(rita.post(&path, &form).await.unwrap().status, 303);
    let mut tx = test.store.read().await.unwrap();
    let found = need::find(&mut tx, &ALL, id).await.unwrap().unwrap();
    drop(tx);
    assert_eq!((found.state, found.need.borrower), (NeedState::Open, None));
    assert_eq!(found.need.reasons.iter().collect::<Vec<_>>(), [NeedReason::Shared]);
    // A proposal counts on its programme.
    School::found(&test.store, 2, 0, clock::now()).await.unwrap();
    let mut raw = cartable_tests::raw::Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE device SET contact_expected = 'none'").await.unwrap();
    let proposal = town.post("/allocations", json!({}), 201).await.json();
    let refused = town.post(&path, json!({ "programme": "D2" }), 422).await;
    assert!(refused.body.contains("proposal that waits"), "{}", refused.body);
    town.post(&path, json!({ "level": "3e" }), 204).await;
    // Approved by another through a token, the proposal's rows name the token too.
    town.cartable.person("anne", Role::ProgrammeManager, ALL).await.unwrap();
    let (anne, allocation) = (town.cartable.token("anne").await.unwrap(), proposal["id"].as_str().unwrap().to_owned());
    let approve = format!("/api/v1/allocations/{allocation}/approve");
    let approved = town.cartable.call(&Method::POST, &approve, Some(&anne), None).await.unwrap();
    assert_eq!(approved.json()["reserved"], 1, "{approved:?}");
    let (action, details) = town.last_act("allocation", &allocation).await;
    assert!(action == "allocation.approve" && details["api_token"].is_string(), "{details}");
    town.post(&path, json!({ "level": "6e" }), 422).await;
    assert_eq!(rita.get(&path).await.unwrap().status, 422, "it is met");
}

async fn programmes_sites_and_referents_are_made_by_api(test: &TestStore) {
    let town = Town::begin(test).await;
    let new = json!({ "code": "k7", "name": " Prêt ", "kind": "individual_loan", "term": { "kind": "days", "days": 30 },
        "renewals_allowed": 1, "owner": "Département", "membership_roles": ["referent"] });
    let made = town.post("/programmes", new.clone(), 201).await.json();
    assert_eq!((&made["code"], &made["name"]), (&json!("K7"), &json!("Prêt")));
    assert_eq!((&made["agreement_template"], &made["notice_days"][0]), (&json!("agreement"), &json!(-21)));
    town.post("/programmes", new, 422).await;
    let (id, path) = (made["id"].as_str().unwrap().to_owned(), format!("/programmes/{}", made["id"].as_str().unwrap()));
    let wrong = json!({ "term": { "kind": "days", "days": 0 } });
    town.post(&format!("{path}/change"), wrong, 422).await;
    let change = json!({ "renewals_allowed": 3, "membership_roles": [] });
    let changed = town.post(&format!("{path}/change"), change, 200).await.json();
    assert_eq!((&changed["renewals_allowed"], &changed["term"]["days"]), (&json!(3), &json!(30)));
    town.post(&format!("{path}/close"), json!({ "reason": "" }), 422).await;
    town.post(&format!("{path}/close"), json!({ "reason": "fini" }), 204).await;
    assert_eq!(town.read(&path).await["open"], false);
    town.post(&format!("{path}/reopen"), json!({ "reason": "si" }), 204).await;
    assert_eq!(town.last_act("programme", &id).await.0, "programme.reopen");

    let new = json!({ "uai": uai_code(96, 7), "name": "Collège 7", "commune": "Valmarin", "zone": "B" });
    let made = town.post("/sites", new.clone(), 201).await.json();
    town.post("/sites", new, 422).await;
    let path = format!("/sites/{}", made["id"].as_str().unwrap());
    let changed = town.post(&format!("{path}/change"), json!({ "zone": "C" }), 200).await.json();
    assert_eq!((&changed["zone"], &changed["name"]), (&json!("C"), &json!("Collège 7")));
    town.post(&format!("{path}/change"), json!({ "name": "a\nb" }), 422).await;
    let who = json!({ "name": "Anne Martin", "email": "Anne@College.example" });
    let added = town.post(&format!("{path}/referents"), who.clone(), 201).await.json();
    town.post(&format!("{path}/referents"), who, 422).await;
    assert_eq!(town.read(&path).await["referents"][0]["email"], "anne@college.example");
    let end = format!("{path}/referents/{}/end", added["id"].as_str().unwrap());
    town.post(&end, json!({}), 204).await;
    town.post(&end, json!({}), 404).await;
    let mut tx = test.store.read().await.unwrap();
    let sites = site::list(&mut tx, &ALL).await.unwrap();
    drop(tx);
    assert_eq!(sites.len(), 2);
    let (_, details) = town.last_act("site", &made["id"].as_str().unwrap()).await;
    assert!(details["api_token"].is_string(), "{details}");
}

async fn a_borrower_is_recorded_changed_exported_and_erased_by_api(test: &TestStore) {
    let town = Town::begin(test).await;
    let person = json!({ "kind": "person", "site": uai_code(96, 1), "level": "5e", "number": "INE-1",
        "identity": { "name": "Inès Martin", "class": "5e B" } });
    let made = town.post("/borrowers", person.clone(), 201).await.json();
    town.post("/borrowers", person, 422).await;
    town.post("/borrowers", json!({ "kind": "institution", "level": "5e", "institution_name": "x" }), 422).await;
    let school = json!({ "kind": "institution", "site": uai_code(96, 1), "institution_name": "Collège 1" });
    town.post("/borrowers", school, 201).await;
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let path = format!("/borrowers/{id}");
    let identity = json!({ "level": null, "identity": { "name": "Inès Martin-Roy" } });
    town.post(&format!("{path}/change"), identity, 204).await;
    town.post(&format!("{path}/change"), json!({ "institution_name": "x" }), 422).await;
    town.post(&format!("{path}/change"), json!({ "identity": { "name": "" } }), 422).await;
    let (_, details) = town.last_act("borrower", &id).await;
    assert!(!details.to_string().contains("Martin"), "{details}");
    town.post(&format!("{path}/left"), json!({ "day": "1999-07-03" }), 422).await;
    town.post(&format!("{path}/left"), json!({ "day": "2026-07-03" }), 204).await;
    assert_eq!(town.read(&path).await["left_site_on"], "2026-07-03");
    town.post(&format!("{path}/left"), json!({ "day": null }), 204).await;
    assert_eq!(town.read(&path).await["left_site_on"], Value::Null);
    let whole = town.post(&format!("{path}/export"), json!({}), 200).await.json();
    assert_eq!(whole["identity"]["name"], "Inès Martin-Roy");
    assert_eq!(town.last_act("borrower", &id).await.0, "borrower.export");
    let holder = format!("/borrowers/{}/erase", town.school.borrowers[0].id);
    town.post(&holder, json!({ "reason": "demande" }), 422).await;
    town.post(&format!("{path}/erase"), json!({ "reason": "demande" }), 204).await;
    let mut tx = test.store.read().await.unwrap();
    assert!(!borrower::is_identity_known(&mut tx, id).await.unwrap());
    drop(tx);
    let (action, details) = town.last_act("borrower", &id).await;
    assert!(action == "borrower.erase_identity" && details["api_token"].is_string(), "{details}");
}

async fn a_desk_a_flag_list_and_an_archive_work_by_api(test: &TestStore) {
    let town = Town::begin(test).await;
    let back = json!({ "code": "CD-0001", "condition": "damaged", "missing_accessories": ["sacoche"] });
    let returned = town.post("/returns", back.clone(), 200).await.json();
    assert_eq!(returned["state"], "returned");
    town.post("/returns", back, 422).await;
    town.post("/returns", json!({ "code": "nobody", "condition": "good" }), 422).await;
    let undo = format!("/loans/{}/undo-return", returned["id"].as_str().unwrap());
    assert_eq!(town.post(&undo, json!({}), 200).await.json()["state"], "handed_over");
    town.post(&undo, json!({}), 422).await;

    let device = town.devices[1];
    town.post(&format!("/devices/{device}/asset-tag"), json!({ "asset_tag": "CD-0001" }), 422).await;
    town.post(&format!("/devices/{device}/asset-tag"), json!({ "asset_tag": "NEW-1" }), 204).await;
    assert_eq!(town.read(&format!("/devices/{device}")).await["asset_tag"], "NEW-1");
    // A device that awaits an agent for ever says so.
    let waits = json!({ "serial_number": "WAITS-1", "kind": "laptop", "contact_expected": "agent" });
    let waits = town.post("/devices", waits, 201).await.json();
    let mut tx = test.store.write().await.unwrap();
    let id = DeviceId(waits["id"].as_str().unwrap().parse().unwrap());
    let later = clock::now().plus_days(60);
    cartable_server::store::review::device(&mut tx, id, &town.cartable.app.policy, later).await.unwrap();
    tx.commit().await.unwrap();
    let flags = town.read(&format!("/devices/{id}")).await["flags"].clone();
    let flag = flags[0]["id"].as_str().unwrap().to_owned();
    town.post(&format!("/flags/{flag}/snooze"), json!({ "days": 0, "reason": "x" }), 422).await;
    town.post(&format!("/flags/{flag}/snooze"), json!({ "days": 7, "reason": "vacances" }), 204).await;
    town.post(&format!("/flags/{flag}/acknowledge"), json!({ "reason": "vu" }), 204).await;
    let read = town.read(&format!("/devices/{id}")).await;
    assert!(read["flags"][0]["acknowledged_at"].is_string() || read["flags"][0]["acknowledged"].is_object(), "{read}");
    town.post(&format!("/devices/{id}/archive"), json!({ "reason": "jamais installé" }), 204).await;
    assert_eq!(town.read(&format!("/devices/{id}")).await["archive_reason"], "jamais installé");
    town.post(&format!("/flags/{flag}/acknowledge"), json!({ "reason": "vu" }), 404).await;
}
