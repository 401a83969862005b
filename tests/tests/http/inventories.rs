//! Inventories of GLPI Agent brought by API and shown: to a device of one's own sites alone, once, with the token in the audit,
//! and with where it came from on the device's page.

use axum::http::Method;
use cartable_common::{DeviceId, SerialNumber, Text, report::Hardware};
use cartable_server::{
    auth::Role,
    clock,
    domain::{device::DeviceStatus, scope::Scope, timestamp},
    store::{
        audit,
        device::{self, NewDevice},
    },
};
use cartable_tests::{in_process::InProcess, on_both_engines, stores::TestStore};
use serde_json::{Value, json};
use uuid::Uuid;

const SAMPLE: &str = include_str!("../../../server/src/domain/reading/agents/samples/glpi-agent-1.11.json");
const PATH: &str = "/api/v1/inventories";

on_both_engines! {
    an_inventory_is_brought_to_a_device_of_ones_own_sites,
}

async fn recorded(test: &TestStore, site: Uuid, serial: &str) -> DeviceId {
    let id = DeviceId(Uuid::new_v4());
    let hardware = Hardware {
        manufacturer: Text::meaningful("Dell Inc."),
        serial_number: SerialNumber::parse(serial).into(),
        ..Hardware::default()
    };
    let new = NewDevice {
        id,
        status: DeviceStatus::Active,
        hardware,
        asset_tag: None,
        programme: None,
        site: Some(site),
        enrolled_at: None,
    };
    let mut tx = test.store.write().await.unwrap();
    device::insert(&mut tx, &new, clock::now()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// A moment three days ago, as inventories write it: the sample's clock is UTC.
fn three_days_ago() -> String {
    let text = timestamp::rfc3339(clock::now().plus_days(-3)).replace('T', " ");
    text.split('.').next().unwrap().to_owned()
}

/// The sample of the machine with that serial number, made then.
fn inventory(serial: &str, made_at: &str) -> Value {
    let mut file: Value = serde_json::from_str(SAMPLE).unwrap();
    file["content"]["bios"]["ssn"] = json!(serial);
    file["content"]["accesslog"]["logdate"] = json!(made_at);
    file
}

async fn an_inventory_is_brought_to_a_device_of_ones_own_sites(test: &TestStore) {
    let (cartable, made_at) = (InProcess::new(&test.store), three_days_ago());
    let (own, foreign) = (cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap());
    let ours = recorded(test, own, "GLPI0001").await;
    recorded(test, foreign, "GLPI0002").await;
    cartable.person("tom", Role::Technician, Scope::Sites(vec![own])).await.unwrap();
    let token = cartable.token("tom").await.unwrap();
    let send = async |body: Value| cartable.call(&Method::POST, PATH, Some(&token), Some(body)).await.unwrap();

    let refused = send(inventory("GLPI0002", &made_at)).await;
    assert_eq!(refused.status.as_u16(), 422, "{refused:?}");
    let nowhere = send(inventory("GLPI0003", &made_at)).await;
    assert_eq!(refused.body.replace("GLPI0002", "GLPI0003"), nowhere.body, "a foreign device does not exist");
    let other = send(json!({"smartctl": {"exit_status": 0}})).await;
    assert_eq!(other.status.as_u16(), 422, "{other:?}");

    for imported_before in [false, true] {
        let answer = send(inventory("GLPI0001", &made_at)).await;
        let expected = json!({"device": ours.0, "imported_before": imported_before});
        assert_eq!((answer.status.as_u16(), answer.json()), (200, expected), "{answer:?}");
    }
    let shown = cartable.get(&format!("/api/v1/devices/{ours}"), &token).await.unwrap().json();
    let health = &shown["health"];
    assert_eq!(health["imported_from"], "glpi");
    assert!(health["measured_at"].as_str().unwrap().starts_with(&made_at.replace(' ', "T")), "{health}");
    assert_eq!(shown["contact"], Value::Null);

    let mut tx = test.store.read().await.unwrap();
    let acts = audit::of_object(&mut tx, "device", &ours.to_string(), 10).await.unwrap();
    let [act] = acts.as_slice() else { panic!("{acts:?}") };
    assert_eq!((act.actor.as_str(), act.action.as_str()), ("tom", "device.bring_inventory"));
    let details: Value = serde_json::from_str(&act.details).unwrap();
    assert_eq!(details["inventory_of"], "GLPI");
    assert!(details["api_token"].is_string(), "{details}");
    drop(tx);

    let pages = cartable.signed_in("tom").await.unwrap().speaking("en");
    let page = pages.get(&format!("/devices/{ours}")).await.unwrap();
    assert!(page.body.contains("from a GLPI inventory of "), "{}", page.body);
}
