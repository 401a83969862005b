//! Programmes through the console and the API: made, changed, closed; and who is in one is shown to nobody else.

use axum::http::Method;
use cartable_common::{DeviceId, report::Hardware};
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        device::DeviceStatus,
        enrolment_token::{TokenTerms, TokenText},
        scope::Scope,
    },
    store::{
        audit,
        device::{self, NewDevice},
        enrolment_token, programme,
    },
};
use cartable_tests::{
    in_process::InProcess,
    on_both_engines,
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_engines! {
    a_programme_is_made_changed_closed_and_reopened,
    who_is_in_a_programme_reaches_nobody_else,
    nor_do_its_needs_proposals_and_loans_tell_it,
    who_hands_over_learns_the_programme_at_the_desk_alone,
}

const FORM: &str = "code=d5&name=Pr%C3%AAt&kind=individual_loan&term=days&term_days=30&renewals=2&accessories=Chargeur%0D%0AHousse\
                    &owner=D%C3%A9partement&template=agreement&notice_days=-7%2C0&referent=on";

async fn a_programme_is_made_changed_closed_and_reopened(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    cartable.person("paul", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let paul = cartable.signed_in("paul").await.unwrap();
    let made = paul.post("/programmes", FORM).await.unwrap();
    assert_eq!(made.status, 303, "{}", made.body);
    let address = made.header("location").split('?').next().unwrap().to_owned();
    let again = paul.post("/programmes", FORM).await.unwrap();
    assert_eq!(again.status, 422, "a code is given once");
    assert!(again.body.contains("Un autre dispositif porte déjà ce code."), "{}", again.body);
    let wrong = FORM.replace("code=d5", "code=d6").replace("term_days=30", "term_days=0");
    assert_eq!(paul.post("/programmes", &wrong).await.unwrap().status, 422);

    let changed = FORM.replace("code=d5", "code=d7").replace("renewals=2", "renewals=3").replace("&referent=on", "");
    assert_eq!(paul.post(&address, &changed).await.unwrap().status, 303);
    for act in ["close", "close", "reopen", "close"] {
        assert_eq!(paul.post(&format!("{address}/{act}"), "reason=fini").await.unwrap().status, 303);
    }
    let mut tx = test.store.read().await.unwrap();
    let one = programme::find_by_code(&mut tx, &"D5".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((one.renewals_allowed, one.open, one.membership.len()), (3, false, 0), "the code stayed");
    let acts = audit::of_object(&mut tx, "programme", &one.id.to_string(), 20).await.unwrap();
    let acts: Vec<&str> = acts.iter().rev().map(|act| act.action.as_str()).collect();
    assert_eq!(
        acts,
        ["programme.create", "programme.change", "programme.close", "programme.reopen", "programme.close"]
    );
    drop(tx);
    let token = cartable.token("paul").await.unwrap();
    let read = cartable.get(&format!("/api/v1{address}"), &token).await.unwrap().json();
    assert_eq!((&read["code"], &read["open"], &read["term"]["days"]), (&"D5".into(), &false.into(), &30.into()));
    assert_eq!(read["accessories"], json!(["Chargeur", "Housse"]));
    let terms = "SELECT details FROM audit WHERE action = 'programme.create'";
    let terms = Raw::connect(test.url()).await.unwrap().texts(terms).await.unwrap();
    assert!(terms[0].contains("\"term\":\"30\""), "in words of ours, not of the program's language: {terms:?}");
}

/// A device's page without the programmes that its record may be given: all that lend, none of them marked as its own.
fn told(page: &str) -> String {
    let Some((before, rest)) = page.split_once("<select id=\"record-programme\"") else { return page.to_owned() };
    let (offered, after) = rest.split_once("</select>").unwrap();
    assert!(!offered.contains("value=\"ZQ9\" selected"), "{offered}");
    format!("{before}{after}")
}

async fn who_is_in_a_programme_reaches_nobody_else(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let (site, now, device) = (cartable.site(1).await.unwrap(), clock::now(), DeviceId(Uuid::new_v4()));
    for role in Role::ALL {
        let login = role.as_str().replace('_', "-");
        cartable.person(&login, role, Scope::Everything).await.unwrap();
    }
    // Referents see D5's members; D9, which no collège should know of, is shown to nobody but those who run it.
    let paul = cartable.signed_in("programme-manager").await.unwrap();
    paul.post("/programmes", FORM).await.unwrap();
    let restricted = FORM.replace("code=d5", "code=zq9").replace("&referent=on", "");
    assert_eq!(paul.post("/programmes", &restricted).await.unwrap().status, 303);
    let mut tx = test.store.write().await.unwrap();
    let new = NewDevice {
        id: device,
        status: DeviceStatus::Active,
        hardware: Hardware::default(),
        asset_tag: Some("T-1".to_owned()),
        programme: Some("ZQ9".to_owned()),
        site: Some(site),
        enrolled_at: Some(now),
    };
    device::insert(&mut tx, &new, now).await.unwrap();
    let known = DeviceId(Uuid::new_v4());
    let new = NewDevice { id: known, asset_tag: Some("T-2".to_owned()), programme: Some("D5".to_owned()), ..new };
    device::insert(&mut tx, &new, now).await.unwrap();
    let terms = TokenTerms::new("6e A", Some("ZQ9"), 1, 24, now).unwrap();
    let token =
        enrolment_token::create(&mut tx, &TokenText::from_random([3; 17]), &terms, site, "test", now).await.unwrap();
    tx.commit().await.unwrap();

    for role in Role::ALL {
        let login = role.as_str().replace('_', "-");
        let (pages, api) = (cartable.signed_in(&login).await.unwrap(), cartable.token(&login).await.unwrap());
        let all = matches!(role, Role::Administrator | Role::ProgrammeManager);
        let page = pages.get(&format!("/devices/{device}")).await.unwrap();
        assert_eq!((page.status.as_u16(), told(&page.body).contains("ZQ9")), (200, all), "{role:?}");
        let page = pages.get(&format!("/devices/{known}")).await.unwrap().body;
        assert_eq!(page.contains("<dd>D5</dd>"), all || role == Role::Referent, "{role:?}");
        let body = cartable.get(&format!("/api/v1/devices/{device}"), &api).await.unwrap();
        assert_eq!(body.json()["programme"].as_str() == Some("ZQ9"), all, "{role:?}");
        assert_eq!(body.body.contains("ZQ9"), all, "{role:?}");
        for list in ["/devices", "/devices?q=ZQ9", "/devices.csv", "/flags", "/"] {
            let seen = pages.get(list).await.unwrap();
            assert_eq!(seen.status, 200, "{role:?} {list}");
            // The address that was asked for stands in the page; what it found does not.
            let names = device.to_string();
            let told = seen.body.contains(if list.contains("ZQ9") { &names } else { "ZQ9" });
            // The file that is taken away has the column, for those who may know.
            assert_eq!(told, all && list == "/devices.csv", "{role:?} {list} tells who is in it");
        }
        let found = cartable.get("/api/v1/devices?search=ZQ9", &api).await.unwrap().json();
        assert_eq!(found["items"].as_array().map(Vec::len), Some(0), "{role:?}: no search finds members");
        let tokens = cartable.get("/api/v1/enrolment-tokens", &api).await.unwrap();
        if tokens.status == 200 {
            assert_eq!(tokens.body.contains("ZQ9"), all, "{role:?}");
        }
        if role == Role::Technician {
            let path = format!("/api/v1/enrolment-tokens/{token}/revoke");
            let revoked = cartable.call(&Method::POST, &path, Some(&api), None).await.unwrap();
            assert!(revoked.status == 200 && !revoked.body.contains("ZQ9"), "{}", revoked.body);
        }
    }
}

/// A need under a programme that shows its members to nobody, and the loan that met it.
struct Met {
    cartable: InProcess,
    device: Uuid,
    label: String,
    programme: Uuid,
    allocation: String,
    loan: String,
    reference: String,
}

impl Met {
    async fn begin(test: &TestStore) -> Self {
        let (cartable, now) = (InProcess::new(&test.store), clock::now());
        let school = School::found(&test.store, 1, 1, now).await.unwrap();
        // Some of the stock stays in reserve.
        school.stock(&test.store, &labels(8), now).await.unwrap();
        let mut raw = Raw::connect(test.url()).await.unwrap();
        raw.execute("UPDATE device SET contact_expected = 'none'").await.unwrap();
        for role in Role::ALL {
            let login = role.as_str().replace('_', "-");
            cartable.person(&login, role, Scope::Everything).await.unwrap();
        }
        let paul = cartable.signed_in("programme-manager").await.unwrap();
        let restricted = FORM.replace("code=d5&name=Pr%C3%AAt", "code=zq9&name=ZQ9").replace("&referent=on", "");
        let made = paul.post("/programmes", &restricted).await.unwrap();
        let programme = made.header("location").split(['/', '?']).nth(2).unwrap().parse().unwrap();
        let rita = cartable.signed_in("referent").await.unwrap();
        let reference = school.borrowers[0].reference.to_string();
        let need =
            format!("site={}&programme={programme}&count=1&ulis=on&level=segpa&borrower={reference}", school.site);
        assert_eq!(rita.post("/needs", &need).await.unwrap().status, 303);
        let (allocation, loan, label) = (String::new(), String::new(), String::new());
        let mut met = Self { cartable, device: Uuid::nil(), label, programme, allocation, loan, reference };
        let proposed =
            met.api("programme-manager", &Method::POST, "/allocations", Some(json!({ "programme": "ZQ9" }))).await;
        proposed["id"].as_str().unwrap().clone_into(&mut met.allocation);
        let path = format!("/allocations/{}/approve", met.allocation);
        let approved = met.api("administrator", &Method::POST, &path, None).await;
        assert_eq!(approved, json!({ "reserved": 1, "refused": 0 }));
        let loans = met.api("administrator", &Method::GET, "/loans", None).await;
        let loan = &loans["items"][0];
        loan["id"].as_str().unwrap().clone_into(&mut met.loan);
        loan["device"]["asset_tag"].as_str().unwrap().clone_into(&mut met.label);
        met.device = loan["device"]["id"].as_str().unwrap().parse().unwrap();
        met
    }

    async fn api(&self, login: &str, method: &Method, path: &str, body: Option<Value>) -> Value {
        let token = self.cartable.token(login).await.unwrap();
        self.cartable.call(method, &format!("/api/v1{path}"), Some(&token), body).await.unwrap().json()
    }

    /// The need and its line, as that person's scripts read them.
    async fn rows(&self, login: &str) -> (Value, Value, Value) {
        let first = async |path: &str| self.api(login, &Method::GET, path, None).await["items"][0].clone();
        let lines = format!("/allocations/{}/lines", self.allocation);
        (first("/needs").await, first(&lines).await, first("/allocations").await)
    }
}

async fn nor_do_its_needs_proposals_and_loans_tell_it(test: &TestStore) {
    let met = Met::begin(test).await;
    let (need, line, proposal) = met.rows("programme-manager").await;
    assert_eq!((&need["level"], &need["borrower"]), (&json!("segpa"), &json!(met.reference)));
    assert_eq!((&need["loan_id"], &line["loan_id"]), (&json!(met.loan), &json!(met.loan)));
    assert_eq!((&line["given"]["device_id"], &line["level"]), (&json!(met.device), &json!("segpa")));
    assert_eq!(
        (&need["programme"], &line["programme"], &proposal["programme"]),
        (&"ZQ9".into(), &"ZQ9".into(), &"ZQ9".into())
    );

    // The auditor sees that it was fair, not whose it is.
    let (need, line, proposal) = met.rows("auditor").await;
    assert_eq!((&need["reasons"], &need["state"]), (&json!(["ulis"]), &json!("met")));
    assert_eq!((&line["parts"][0]["reason"], &line["state"]), (&json!("ulis"), &json!("reserved")));
    for hidden in ["programme", "level", "borrower", "loan_id"] {
        assert_eq!(need[hidden], Value::Null, "a need's {hidden}");
    }
    for hidden in ["programme", "level", "given", "loan_id"] {
        assert_eq!(line[hidden], Value::Null, "a line's {hidden}");
    }
    assert_eq!(proposal["programme"], Value::Null);
    let (pages, token) =
        (met.cartable.signed_in("auditor").await.unwrap(), met.cartable.token("auditor").await.unwrap());
    let device = met.device.to_string();
    let whose = [&device, &met.label, &met.loan, &met.reference, "ZQ9", "segpa", "SEGPA", "Segpa"];
    let (one, file) =
        (format!("/allocations/{}", met.allocation), format!("/allocations/{}/lines.csv", met.allocation));
    for page in ["/needs", "/exports/needs.csv", "/allocations", &one, &file, "/exports/allocations.csv"] {
        let seen = pages.get(page).await.unwrap();
        let told = whose.iter().find(|text| seen.body.contains(**text));
        assert_eq!((seen.status.as_u16(), told), (200, None), "{page}");
    }
    let loan = format!("/loans/{}", met.loan);
    for page in ["/loans", &loan, "/exports/loans.csv"] {
        let seen = pages.get(page).await.unwrap();
        assert!(
            seen.status == 200 && !seen.body.contains("ZQ9") && !seen.body.to_lowercase().contains("segpa"),
            "{page}"
        );
    }
    // No filter tells it either.
    let by_programme = format!("programme={}", met.programme);
    for filter in ["level=segpa", by_programme.as_str()] {
        for page in ["/needs", "/exports/needs.csv"] {
            assert_eq!(pages.get(&format!("{page}?{filter}")).await.unwrap().status, 400, "{page}?{filter}");
        }
    }
    for filter in ["level=segpa", "programme=ZQ9"] {
        let path = format!("/api/v1/needs?{filter}");
        assert_eq!(met.cartable.get(&path, &token).await.unwrap().status, 400, "{path}");
    }
    no_act_tells_it(test, &met).await;
}

/// Nothing in the audit's chain, which cannot be erased, says for whom, under what or why.
async fn no_act_tells_it(test: &TestStore, met: &Met) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let acts = raw.texts("SELECT action || ' ' || details FROM audit WHERE object_kind <> 'programme'").await.unwrap();
    let borrower = raw.texts("SELECT details FROM audit WHERE action = 'need.enter'").await.unwrap();
    assert!(borrower[0].contains("needs") && acts.iter().any(|act| act.starts_with("loan.reserve")), "{acts:?}");
    let programme = met.programme.to_string();
    for secret in [programme.as_str(), "ZQ9", "ulis", "segpa", &met.reference] {
        let told: Vec<&String> = acts.iter().filter(|act| act.contains(secret)).collect();
        assert!(told.is_empty(), "{secret}: {told:?}");
    }
    let read = met.api("auditor", &Method::GET, "/audit", None).await;
    let reserved = read["items"].as_array().unwrap().iter().find(|act| act["action"] == "loan.reserve").unwrap();
    assert_eq!(reserved["object_id"], json!(met.loan), "what happened to which loan is there");
    assert_eq!(reserved["details"]["device"], json!(met.device));
}

async fn who_hands_over_learns_the_programme_at_the_desk_alone(test: &TestStore) {
    let met = Met::begin(test).await;
    let rita = met.cartable.signed_in("referent").await.unwrap();
    for page in [format!("/loans/{}", met.loan), format!("/devices/{}", met.device), "/loans".to_owned()] {
        let seen = rita.get(&page).await.unwrap();
        assert!(seen.status == 200 && !seen.body.contains("ZQ9"), "{page}");
    }
    // Which agreement is signed and what goes with the device, she must know.
    let desk = rita.get(&format!("/hand-over?code={}", met.label)).await.unwrap();
    let confirm = format!("name=\"programme\" value=\"{}\"", met.programme);
    assert!(desk.status == 200 && desk.body.contains(&confirm) && desk.body.contains("Housse"), "{}", desk.body);
    for login in ["technician", "refurbisher", "auditor"] {
        let pages = met.cartable.signed_in(login).await.unwrap();
        assert_eq!(pages.get(&format!("/hand-over?code={}", met.label)).await.unwrap().status, 403, "{login}");
    }
    met.cartable
        .person("elsewhere", Role::Referent, Scope::Sites(vec![met.cartable.site(2).await.unwrap()]))
        .await
        .unwrap();
    let elsewhere = met.cartable.signed_in("elsewhere").await.unwrap();
    let unseen = elsewhere.get(&format!("/hand-over?code={}", met.label)).await.unwrap();
    assert!(unseen.status == 200 && !unseen.body.contains(&confirm), "not even that it is reserved");
}
