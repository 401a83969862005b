//! A lost key that is named proves nothing: few such requests wait for one device, the queue says whose key it is, and no list of
//! serial numbers lets one in.

use cartable_common::{DeviceId, identity::SerialNumber, protocol::CertificateGrant, report::Hardware};
use cartable_server::{
    domain::scope::Scope,
    gateway::limits::LOST_KEYS_WAITING_PER_DEVICE,
    store::{
        Store,
        approval_queue::{self, Asking, QueueQuery},
    },
};
use cartable_tests::gateway_client::{Port, SITE, enrol_request};
use rcgen::KeyPair;

use crate::enrolment::in_place_of;

on_both_engines! {
    few_wait_for_one_device_and_the_queue_names_it,
    a_list_of_serial_numbers_lets_in_nobody_who_may_be_another,
}

fn hardware(serial: &str) -> Hardware {
    Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() }
}

/// Lets in a machine with a token, and gives its key and its device.
async fn let_in(port: &Port, token: &str, serial: &str) -> (KeyPair, DeviceId) {
    let key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(token, &key, hardware(serial)).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    (key, serde_json::from_slice::<CertificateGrant>(&answer.body).unwrap().device_id)
}

/// Asks in place of a token with that lost key.
async fn names(port: &Port, lost: &KeyPair, serial: &str) -> u16 {
    port.enrol(&in_place_of(lost, &KeyPair::generate().unwrap(), serial)).await.unwrap().status
}

async fn waiting(port: &Port) -> Vec<Asking> {
    let store = Store::open(&port.installation.database_url()).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let rows = approval_queue::list(&mut tx, &Scope::Everything, &QueueQuery::default()).await.unwrap().rows;
    drop(tx);
    store.close().await;
    rows
}

async fn few_wait_for_one_device_and_the_queue_names_it(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 2).unwrap();
    let (lost, device) = let_in(&port, &token, "PF2LENT").await;
    let (other, _) = let_in(&port, &token, "PF2OTHER").await;
    let asking = in_place_of(&lost, &KeyPair::generate().unwrap(), "PF2LENT");
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    for number in 1..=LOST_KEYS_WAITING_PER_DEVICE {
        let expected = if number < LOST_KEYS_WAITING_PER_DEVICE { 202 } else { 429 };
        assert_eq!(names(&port, &lost, &format!("FLOOD{number}")).await, expected, "{number}");
    }
    let rows = waiting(&port).await;
    assert_eq!(rows.len(), usize::try_from(LOST_KEYS_WAITING_PER_DEVICE).unwrap());
    for row in &rows {
        assert_eq!((row.by_lost_key, row.lost_key_of.as_ref().map(|known| known.id)), (true, Some(device)), "{row:?}");
    }
    // Who waits already goes on, and the same token has room for everybody else.
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202);
    assert_eq!(names(&port, &other, "PF2OTHER").await, 202);
    let late = enrol_request(&token, &KeyPair::generate().unwrap(), hardware("PF2LATE")).unwrap();
    assert_eq!(port.enrol(&late).await.unwrap().status, 202);
    assert!(waiting(&port).await.iter().any(|row| !row.by_lost_key), "that one named none");
    // A place is given back, and a person's word about the token is one about this too.
    port.installation.run("device refuse", &[&rows[1].id.to_string()], "").unwrap();
    assert_eq!(names(&port, &lost, "FLOOD9").await, 202);
    port.installation.run("device refuse", &[&rows[2].id.to_string()], "").unwrap();
    let tokens = port.installation.run("token list", &[], "").unwrap();
    port.installation.run("token revoke", &[tokens.split('\t').next().unwrap()], "").unwrap();
    assert_eq!(names(&port, &lost, "FLOOD10").await, 403);
    assert_eq!(port.enrol(&asking).await.unwrap().status, 202, "who waits already waits on");
}

async fn a_list_of_serial_numbers_lets_in_nobody_who_may_be_another(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let (lent, _) = let_in(&port, &token, "PF2LENT").await;
    assert_eq!(names(&port, &lent, "PF2LISTED").await, 202);
    for serial in ["PF2LENT", "PF2TWICE", "pf2twice", "PF2FINE"] {
        let asked = enrol_request(&token, &KeyPair::generate().unwrap(), hardware(serial)).unwrap();
        assert_eq!(port.enrol(&asked).await.unwrap().status, 202, "{serial}");
    }
    let list = port.installation.directory().join("delivery.txt");
    std::fs::write(&list, "PF2LISTED\nPF2LENT\nPF2TWICE\nPF2FINE\n").unwrap();
    port.installation.run("device approve", &["--serials", list.to_str().unwrap()], "").unwrap();
    let mut left: Vec<String> = waiting(&port).await.into_iter().filter_map(|row| row.serial_number).collect();
    left.sort();
    assert_eq!(left, ["PF2LENT", "PF2LISTED", "PF2TWICE", "pf2twice"]);
    let told = port.installation.run("device waiting", &[], "").unwrap();
    assert_eq!(told.matches("\tlost key of ").count(), 1, "{told}");
}
