//! A drive that a device was ever seen with is asked about when the device leaves, however long ago that was: forgetting the
//! history does not forget it, nor does taking the present parts for the right ones.

use cartable_common::{
    SerialNumber, Text,
    report::{Drive, DriveKind, HealthReport},
};
use cartable_server::{
    domain::{
        erasure::{Medium, gap::Demand},
        policy::Policy,
        scope::Scope,
    },
    jobs::{history_months, retention},
    store::{device, erasure_gap},
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    a_drive_that_went_long_ago_is_still_asked_about,
}

fn with(serial: &str, kind: DriveKind) -> HealthReport {
    let drive = Drive {
        serial_number: SerialNumber::parse(serial).into(),
        model: Text::meaningful("Disk"),
        kind: Some(kind),
        ..Drive::default()
    };
    HealthReport { drives: vec![drive], ..laptop(50) }
}

/// The drives that stand in the way of a donation.
async fn missing(test: &TestStore, one: Enrolled) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let gaps = erasure_gap::of_device(&mut tx, &found, Demand::Leave, &Policy::default().erasure).await.unwrap();
    gaps.into_iter().map(|gap| gap.key.unwrap().to_string()).collect()
}

async fn a_drive_that_went_long_ago_is_still_asked_about(test: &TestStore) {
    let running = CancellationToken::new();
    history_months::run(&test.store, at(-90, 0, 0), &running).await.unwrap();
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    // The first is known from the baseline alone, the second from the history alone.
    let drives = [("OLD1", DriveKind::Hdd), ("MID2", DriveKind::Ssd), ("NEW3", DriveKind::Nvme)];
    for (sequence, (serial, kind)) in (1..).zip(drives) {
        let when = at(-80 + i64::try_from(sequence).unwrap(), 0, 0);
        let report = envelope(sequence, when, with(serial, kind));
        ingest.ingest.check_in(one.check_in(when, vec![report])).await.unwrap();
    }
    ingest.stop().await;
    let all = ["MID2", "NEW3", "OLD1"];
    assert_eq!(missing(test, one).await, all);
    let mut tx = test.store.write().await.unwrap();
    let policy = Policy::default();
    assert!(device::accept_baseline(&mut tx, &Scope::Everything, one.device, &policy, at(-70, 0, 0)).await.unwrap());
    tx.commit().await.unwrap();
    for years in [6, 7] {
        retention::run(&test.store, at(years * 366, 0, 0), &running).await.unwrap();
        assert_eq!(missing(test, one).await, all, "after {years} years");
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM health_change").await.unwrap(), 0, "the history is forgotten");
    // What it was is known still: an SSD must be purged, a disk need not.
    let mut tx = test.store.read().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let seen = erasure_gap::seen_of(&mut tx, &found).await.unwrap();
    let medium = |key: &str| seen.iter().find(|drive| drive.key.as_str() == key).map(|drive| drive.medium);
    assert_eq!((medium("OLD1"), medium("MID2")), (Some(Medium::Rotating), Some(Medium::Flash)));
}
