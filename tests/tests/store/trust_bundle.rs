//! Which trust bundle each device holds, on both engines.

use cartable_common::DeviceId;
use cartable_server::store::trust_bundle::{self, Spread};
use cartable_tests::{
    fleet::{at, enrol},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_fleet_is_counted_and_whoever_is_behind_is_listed_page_by_page,
    who_cannot_come_is_not_waited_for,
}

async fn spread(test: &TestStore, number: u32) -> (i64, i64) {
    let mut tx = test.store.read().await.unwrap();
    let Spread { devices, holders } = trust_bundle::spread(&mut tx, number).await.unwrap();
    (devices, holders)
}

async fn behind(test: &TestStore, number: u32) -> Vec<DeviceId> {
    let mut tx = test.store.read().await.unwrap();
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = trust_bundle::behind(&mut tx, number, after, 2).await.unwrap();
        after = page.last().map(|one| one.device);
        all.extend(page.iter().map(|one| one.device));
        if after.is_none() {
            return all;
        }
    }
}

async fn a_fleet_is_counted_and_whoever_is_behind_is_listed_page_by_page(test: &TestStore) {
    let mut fleet = Vec::new();
    for _ in 0..5 {
        fleet.push(enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap());
    }
    assert_eq!(spread(test, 1).await, (5, 5), "everybody holds what a technician brought");
    assert_eq!(spread(test, 2).await, (5, 0));
    trust_bundle::keep(&test.store, fleet[0].enrolment, 2).await.unwrap();
    trust_bundle::keep(&test.store, fleet[1].enrolment, 3).await.unwrap();
    assert_eq!(spread(test, 2).await, (5, 2));
    assert_eq!(spread(test, 3).await, (5, 1));
    let mut expected: Vec<DeviceId> = fleet[2..].iter().map(|one| one.device).collect();
    expected.sort();
    assert_eq!(behind(test, 2).await, expected);
    assert!(behind(test, 1).await.is_empty());
}

async fn who_cannot_come_is_not_waited_for(test: &TestStore) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for change in ["enrolment SET status = 'revoked', ended_at = 1", "device SET status = 'revoked'"] {
        let gone = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
        let (table, id) =
            if change.starts_with("device") { ("device", gone.device.0) } else { ("enrolment", gone.enrolment.0) };
        let id = raw.uuid(id);
        raw.execute(&format!("UPDATE {change} WHERE {table}.id = {id}")).await.unwrap();
    }
    let stays = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    assert_eq!(spread(test, 2).await, (1, 0));
    assert_eq!(behind(test, 2).await, [stays.device]);
}
