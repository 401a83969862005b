//! One erased drive proves one device: a drive that is another's is refused, one that was never seen in the device needs a
//! second person, and one that was moved belongs to the device that shows it.

use cartable_common::{
    SerialNumber, UtcMillis,
    report::{Drive, DriveKind, HealthReport},
};
use cartable_server::{
    domain::{
        erasure::{
            BenchClock, Method,
            evidence::{self, File},
            gap::{Demand, Why},
            hand::ByHand,
        },
        paris,
        policy::Policy,
        scope::Scope,
    },
    store::{
        device::{self, DeviceRow},
        erasure,
        erasure_entry::{self, By, EntryError, Refused, Strangers},
        erasure_gap,
    },
};
use cartable_tests::{
    erasing::nvme_sanitized,
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    stores::TestStore,
};

on_both_engines! {
    a_drive_that_is_proven_for_one_device_proves_no_other,
    a_drive_that_was_moved_proves_the_device_that_shows_it,
}

async fn silent(test: &TestStore) -> Enrolled {
    enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap()
}

async fn reports(test: &TestStore, one: Enrolled, when: UtcMillis, (serial, kind): (&str, DriveKind)) {
    let drive = Drive { serial_number: SerialNumber::parse(serial).into(), kind: Some(kind), ..Drive::default() };
    let report = HealthReport { drives: vec![drive], ..laptop(50) };
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(when, vec![envelope(1, when, report)])).await.unwrap();
    running.stop().await;
}

async fn found(test: &TestStore, one: Enrolled) -> DeviceRow {
    let mut tx = test.store.read().await.unwrap();
    device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap()
}

/// Rosa brings a transcript of the erasure of `serial`, and says that the drive was in the device.
async fn brought(test: &TestStore, one: Enrolled, serial: &str, ended: UtcMillis) -> Result<(), EntryError> {
    let (policy, now, text) = (Policy::default(), ended.plus_days(1), nvme_sanitized(serial, ended));
    let files = [File { name: "x.txt", bytes: text.as_bytes() }];
    let readings = evidence::read(&files, BenchClock::Utc, now).unwrap();
    let device = found(test, one).await;
    let by = By { login: "rosa", now, policy: &policy };
    let mut tx = test.store.write().await.unwrap();
    erasure_entry::enter_files(&mut tx, &device, &readings, &files, Strangers::Taken, by).await?;
    tx.commit().await.unwrap();
    Ok(())
}

/// Somebody confirms the newest record of the device.
async fn confirmed(test: &TestStore, one: Enrolled, login: &str) -> Result<(), EntryError> {
    let (policy, device) = (Policy::default(), found(test, one).await);
    let mut tx = test.store.write().await.unwrap();
    let newest = erasure::of_device(&mut tx, one.device).await.unwrap().remove(0).id;
    let by = By { login, now: at(0, 0, 0), policy: &policy };
    erasure_entry::witness(&mut tx, &device, newest, by).await?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn missing(test: &TestStore, one: Enrolled) -> Vec<Why> {
    let device = found(test, one).await;
    let mut tx = test.store.read().await.unwrap();
    let gaps = erasure_gap::of_device(&mut tx, &device, Demand::Leave, &Policy::default().erasure).await.unwrap();
    gaps.into_iter().map(|gap| gap.why).collect()
}

async fn a_drive_that_is_proven_for_one_device_proves_no_other(test: &TestStore) {
    let (first, second) = (silent(test).await, silent(test).await);
    brought(test, first, "S1", at(-9, 0, 0)).await.unwrap();
    assert_eq!(missing(test, first).await, [Why::Unwitnessed], "no report ever showed it there");
    let own = confirmed(test, first, "Rosa").await;
    assert!(matches!(own, Err(EntryError::Refused(Refused::OwnWitness))), "{own:?}");
    confirmed(test, first, "anne").await.unwrap();
    assert_eq!(missing(test, first).await, []);
    let twice = confirmed(test, first, "bruno").await;
    assert!(matches!(twice, Err(EntryError::Refused(Refused::Witnessed))), "{twice:?}");

    // The same file, and the same drive by hand, for another device.
    let known = found(test, first).await;
    let label = known.asset_tag.or(known.serial_number).unwrap_or_else(|| first.device.to_string());
    let refused = brought(test, second, "S1", at(-9, 0, 0)).await;
    assert!(
        matches!(&refused, Err(EntryError::Refused(Refused::OtherDevice { device, .. })) if *device == label),
        "{refused:?}"
    );
    let (policy, now, device) = (Policy::default(), at(0, 0, 0), found(test, second).await);
    let typed = ByHand {
        drive: "s1".to_owned(),
        model: String::new(),
        method: Method::Destruction,
        with: "shredder".to_owned(),
        on: paris::date(now),
    };
    let mut tx = test.store.write().await.unwrap();
    let by = By { login: "rosa", now, policy: &policy };
    let refused = erasure_entry::enter_by_hand(&mut tx, &device, &typed.read(now).unwrap(), by).await;
    assert!(matches!(refused, Err(EntryError::Refused(Refused::OtherDevice { .. }))), "{refused:?}");
    drop(tx);
    assert_eq!(missing(test, second).await, [Why::NoDriveKnown], "nothing came of it");
}

async fn a_drive_that_was_moved_proves_the_device_that_shows_it(test: &TestStore) {
    let (old, new) = (silent(test).await, silent(test).await);
    reports(test, old, at(-40, 0, 0), ("S1", DriveKind::Emmc)).await;
    brought(test, old, "S1", at(-30, 0, 0)).await.unwrap();
    reports(test, new, at(-20, 0, 0), ("S1", DriveKind::Nvme)).await;
    brought(test, new, "S1", at(-10, 0, 0)).await.unwrap();
    // What another device knows of it still counts: it is soldered flash.
    assert_eq!(missing(test, new).await, [Why::LevelTooLow]);
    let none = confirmed(test, new, "anne").await;
    assert!(matches!(none, Err(EntryError::Refused(Refused::NeedsNone))), "{none:?}");
}
