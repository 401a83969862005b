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
use cartable_tests::{in_process::InProcess, on_both_engines, stores::TestStore};
use uuid::Uuid;

on_both_engines! {
    a_programme_is_made_changed_closed_and_reopened,
    who_is_in_a_programme_reaches_nobody_else,
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
    assert_eq!(read["accessories"], serde_json::json!(["Chargeur", "Housse"]));
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
        assert_eq!((page.status.as_u16(), page.body.contains("ZQ9")), (200, all), "{role:?}");
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
