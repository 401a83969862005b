//! The certificate of another system's agent by the API and on the device's page: shown with its end, ended by a technician of
//! the device's own site, once, under audit.

use axum::http::Method;
use cartable_common::{DeviceId, EnrolmentId, SerialNumber, report::Hardware};
use cartable_server::{
    auth::Role,
    clock,
    domain::{device::DeviceStatus, policy::Policy, reading::agents::Tool, scope::Scope},
    store::{
        audit,
        device::{self, NewDevice},
        foreign_agent,
        lending::Clerk,
    },
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, envelope, laptop},
    in_process::InProcess,
    on_both_engines,
    stores::TestStore,
};
use serde_json::json;
use uuid::Uuid;

on_both_engines! {
    a_certificate_is_shown_and_ended_within_ones_own_sites,
}

/// A device of `site` on which GLPI Agent reported a moment ago.
async fn reported(test: &TestStore, site: Uuid, key: u8) -> DeviceId {
    let (id, now, policy) = (DeviceId(Uuid::new_v4()), clock::now(), Policy::default());
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2CART7").into(), ..Hardware::default() };
    let site = Some(site);
    let status = DeviceStatus::Active;
    let new = NewDevice { id, status, hardware, asset_tag: None, programme: None, site, enrolled_at: None };
    let clerk = Clerk { actor: "root", token: None, scope: &Scope::Everything, policy: &policy, now };
    let mut tx = test.store.write().await.unwrap();
    device::insert(&mut tx, &new, now).await.unwrap();
    let named = (EnrolmentId(Uuid::now_v7()), [key; 16]);
    let lease = foreign_agent::issue(&mut tx, id, &[key; 32], named, clerk).await.unwrap();
    foreign_agent::remember_tool(&mut tx, lease.enrolment, Tool::Glpi).await.unwrap();
    tx.commit().await.unwrap();
    let one = Enrolled { device: id, enrolment: lease.enrolment };
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(now, vec![envelope(1, now, laptop(50))])).await.unwrap();
    running.stop().await;
    id
}

async fn a_certificate_is_shown_and_ended_within_ones_own_sites(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let (own, foreign) = (cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap());
    let (ours, theirs) = (reported(test, own, 1).await, reported(test, foreign, 2).await);
    cartable.person("tom", Role::Technician, Scope::Sites(vec![own])).await.unwrap();
    let token = cartable.token("tom").await.unwrap();
    let pages = cartable.signed_in("tom").await.unwrap().speaking("en");
    let page = pages.get(&format!("/devices/{ours}")).await.unwrap().body;
    assert!(page.contains("reported by the GLPI agent, ") && page.contains("GLPI, certificate until "), "{page}");
    let shown = cartable.get(&format!("/api/v1/devices/{ours}"), &token).await.unwrap().json();
    assert_eq!((&shown["health"]["reported_by"], &shown["health"]["imported_from"]), (&json!("glpi"), &json!(null)));

    assert!(page.contains("End this certificate"), "{page}");
    let end = async |device: DeviceId| {
        let path = format!("/api/v1/devices/{device}/foreign-agent/revoke");
        cartable.call(&Method::POST, &path, Some(&token), None).await.unwrap().status.as_u16()
    };
    assert_eq!(end(theirs).await, 404, "a foreign device does not exist");
    assert_eq!(end(ours).await, 204);
    assert_eq!(end(ours).await, 422, "once");
    let page = pages.get(&format!("/devices/{ours}")).await.unwrap().body;
    assert!(page.contains("reported by the GLPI agent, ") && !page.contains("certificate until "), "{page}");
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::of_object(&mut tx, "device", &ours.to_string(), 10).await.unwrap();
    assert_eq!((acts[0].actor.as_str(), acts[0].action.as_str()), ("tom", "device.revoke_foreign_agent"));
    let theirs = audit::of_object(&mut tx, "device", &theirs.to_string(), 10).await.unwrap();
    assert_eq!(theirs.len(), 1, "nothing was done to the other one");
}
