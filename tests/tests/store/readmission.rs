//! Devices that a restored database has forgotten, on both engines: let in again under their own names within the rule, once,
//! under audit; and what the database remembers stands.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        enrolment::EnrolmentStatus,
        restored::{Admission, Restored},
        scope::Scope,
    },
    store::{
        audit, device,
        enrolment::{self, KeyHash, Registered},
        readmission::{self, Shown},
    },
};
use cartable_tests::{
    fleet::{at, enrol},
    on_both_engines,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    a_forgotten_device_is_let_in_once_under_its_own_name,
    a_known_devices_forgotten_key_takes_over_with_its_first_use_or_waits_for_a_person,
    what_is_remembered_stands,
}

/// A key made after the backup.
const KEY: KeyHash = [7; 32];

/// Backup on day 0, restored on day 10.
async fn restored(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    assert_eq!(readmission::restored(&mut tx).await.unwrap(), None);
    let word = Restored::new(at(0, 0, 0), None, at(10, 0, 0), 30).unwrap();
    readmission::declare(&mut tx, &word).await.unwrap();
    assert_eq!(readmission::restored(&mut tx).await.unwrap(), Some(word));
    tx.commit().await.unwrap();
}

/// A certificate issued on day 5.
fn shown(device: DeviceId) -> Shown {
    Shown { device, enrolment: EnrolmentId(Uuid::now_v7()), not_before: at(4, 23, 0) }
}

async fn admit(test: &TestStore, key: &KeyHash, shown: &Shown, now: UtcMillis) -> Admission {
    readmission::admit(&test.store, key, shown, now).await.unwrap()
}

async fn registered(test: &TestStore, key: &KeyHash) -> Option<Registered> {
    let mut tx = test.store.read().await.unwrap();
    enrolment::of_key(&mut tx, key).await.unwrap()
}

async fn acts(test: &TestStore) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    audit::list(&mut tx, None, 10).await.unwrap().into_iter().map(|act| act.action).collect()
}

async fn a_forgotten_device_is_let_in_once_under_its_own_name(test: &TestStore) {
    let one = shown(DeviceId(Uuid::now_v7()));
    assert_eq!(admit(test, &KEY, &one, at(11, 0, 0)).await, Admission::Refused, "nobody said that it was restored");
    restored(test).await;
    for _ in 0..2 {
        assert_eq!(admit(test, &KEY, &one, at(11, 0, 0)).await, Admission::ByItself);
    }
    let found = registered(test, &KEY).await.unwrap();
    assert_eq!((found.device, found.enrolment, found.status), (one.device, one.enrolment, EnrolmentStatus::Active));
    assert_eq!(found.device_status, DeviceStatus::Active);
    assert_eq!(acts(test).await, ["enrolment.readmit"]);
    let mut tx = test.store.read().await.unwrap();
    let act = audit::list(&mut tx, None, 1).await.unwrap().remove(0);
    drop(tx);
    assert_eq!(act.at.get() % (24 * 60 * 60 * 1000), 0, "a contact that nobody decided: the audit knows the day alone");
    // Another key that says that it is the same enrolment.
    assert_eq!(admit(test, &[8; 32], &one, at(11, 0, 0)).await, Admission::Refused);
    // Too late for a device that nobody knows.
    assert_eq!(admit(test, &[9; 32], &shown(DeviceId(Uuid::now_v7())), at(40, 0, 0)).await, Admission::Refused);
}

async fn a_known_devices_forgotten_key_takes_over_with_its_first_use_or_waits_for_a_person(test: &TestStore) {
    restored(test).await;
    let first = enrol(&test.store, test.url(), None, at(-5, 0, 0)).await.unwrap();
    assert_eq!(admit(test, &KEY, &shown(first.device), at(11, 0, 0)).await, Admission::ByItself);
    assert_eq!(registered(test, &KEY).await.unwrap().status, EnrolmentStatus::Active);

    let second = enrol(&test.store, test.url(), None, at(-5, 0, 0)).await.unwrap();
    let late = shown(second.device);
    assert_eq!(admit(test, &[8; 32], &late, at(41, 0, 0)).await, Admission::Waits);
    assert_eq!(registered(test, &[8; 32]).await.unwrap().status, EnrolmentStatus::Pending);
    // One at a time: whoever has many certificates does not fill the queue.
    assert_eq!(admit(test, &[9; 32], &shown(second.device), at(41, 0, 0)).await, Admission::Refused);
    let mut tx = test.store.write().await.unwrap();
    assert!(enrolment::approve(&mut tx, late.enrolment, at(41, 0, 0)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(registered(test, &[8; 32]).await.unwrap().status, EnrolmentStatus::Active);
}

async fn what_is_remembered_stands(test: &TestStore) {
    restored(test).await;
    let gone = enrol(&test.store, test.url(), None, at(-5, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    device::set_status(&mut tx, &Scope::Everything, gone.device, DeviceStatus::Revoked).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(admit(test, &KEY, &shown(gone.device), at(11, 0, 0)).await, Admission::Refused);
    assert_eq!(registered(test, &KEY).await, None);
    let old = Shown { not_before: at(-1, 0, 0), ..shown(DeviceId(Uuid::now_v7())) };
    assert_eq!(admit(test, &KEY, &old, at(11, 0, 0)).await, Admission::Refused, "issued before the backup");
    assert!(acts(test).await.is_empty());
}
