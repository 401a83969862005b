//! Periodic work, shown by moving `now`: time raises and clears flags, and what is old is known less exactly, then
//! forgotten.

use cartable_server::{
    domain::{flag::FlagCode, policy::Policy, scope::Scope},
    jobs::{flag_sweep, retention},
    store::{audit, detail, device, flag, retention as kept},
};
use cartable_tests::{
    fleet::{RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    the_hour_of_a_contact_is_forgotten_after_a_month,
    what_is_past_its_time_is_deleted_and_devices_never_are,
    a_sweep_reads_the_whole_fleet_and_follows_the_policy,
}

const ALL: Scope = Scope::Everything;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn running() -> CancellationToken {
    CancellationToken::new()
}

async fn inexact(test: &TestStore) -> i64 {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut exact = 0;
    for (table, columns) in [
        ("contact", &["first_at", "last_at"][..]),
        ("report", &["received_at", "measured_at"]),
        ("health", &["received_at", "measured_at"]),
        ("health_change", &["received_at", "measured_at"]),
        ("health_daily", &["measured_at"]),
        ("flag", &["since", "updated_at", "cleared_at"]),
    ] {
        for column in columns {
            let sql = format!("SELECT count(*) FROM {table} WHERE {column} % {DAY} <> 0");
            exact += raw.number(&sql).await.unwrap();
        }
    }
    exact
}

async fn the_hour_of_a_contact_is_forgotten_after_a_month(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    for (sequence, free) in [(1, 50), (2, 1), (3, 50)] {
        let when = at(0, sequence, 7);
        let report = envelope(sequence.cast_unsigned(), when, laptop(free));
        ingest.ingest.check_in(one.check_in(when, vec![report])).await.unwrap();
    }
    let exact = inexact(test).await;
    assert!(exact >= 12, "{exact}: every table holds an exact moment");
    let done = retention::run(&test.store, at(29, 0, 0), &running()).await.unwrap();
    assert_eq!((done.coarsened, done.deleted), (0, 0), "a month has not passed");
    assert_eq!(inexact(test).await, exact);
    retention::run(&test.store, at(31, 0, 0), &running()).await.unwrap();
    assert_eq!(inexact(test).await, 0);
    let again = retention::run(&test.store, at(31, 0, 0), &running()).await.unwrap();
    assert_eq!((again.coarsened, again.deleted), (0, 0), "it may be repeated at will");
    let mut tx = test.store.read().await.unwrap();
    let found = detail::find(&mut tx, &ALL, one.device).await.unwrap().unwrap();
    assert_eq!(found.contact.unwrap().last_at.day_number(), at(0, 3, 7).day_number());
    let cleared = flag::history_of_device(&mut tx, &ALL, one.device).await.unwrap().remove(0);
    assert_eq!(cleared.code, FlagCode::DiskNearlyFull);
    assert_eq!(cleared.evidence.evidence_at.unwrap().get() % DAY, 0);
    let acts = audit::list(&mut tx, None, 10).await.unwrap();
    assert_eq!(acts.iter().map(|act| act.action.as_str()).collect::<Vec<_>>(), ["retention.apply"]);
    // A repeat is still recognised, and the next report still counts as newer.
    drop(tx);
    let receipt = ingest.ingest.check_in(one.check_in(at(32, 0, 0), vec![envelope(4, at(32, 0, 0), laptop(40))])).await;
    assert_eq!(receipt.unwrap().content_hash, Some(laptop(40).content_hash()));
}

async fn what_is_past_its_time_is_deleted_and_devices_never_are(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    for (sequence, free) in [(1, 50), (2, 1), (3, 50)] {
        let when = at(0, sequence, 7);
        let report = envelope(sequence.cast_unsigned(), when, laptop(free));
        ingest.ingest.check_in(one.check_in(when, vec![report])).await.unwrap();
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut left = Vec::new();
    // History goes by the month: a month goes when all of it is past its time.
    for days in [kept::HOURLY_DAYS, kept::REPORT_DAYS, kept::CHANGE_DAYS + 31] {
        retention::run(&test.store, at(days + 1, 12, 0), &running()).await.unwrap();
        let mut counts = Vec::new();
        for table in
            ["contact_hourly", "report", "health_change", "health_daily", "flag", "health", "contact", "device"]
        {
            counts.push(raw.number(&format!("SELECT count(*) FROM {table}")).await.unwrap().min(1));
        }
        left.push(counts);
    }
    assert_eq!(left, [[0, 1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1],]);
}

async fn a_sweep_reads_the_whole_fleet_and_follows_the_policy(test: &TestStore) {
    // More devices than one chunk holds.
    let mut tx = test.store.write().await.unwrap();
    for _ in 0..620 {
        let new = device::NewDevice {
            id: cartable_common::DeviceId(uuid::Uuid::new_v4()),
            status: cartable_server::domain::device::DeviceStatus::Active,
            hardware: cartable_common::report::Hardware::default(),
            asset_tag: None,
            programme: None,
            site: None,
            enrolled_at: Some(at(-60, 0, 0)),
        };
        device::insert(&mut tx, &new, at(-60, 0, 0)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    ingest.ingest.check_in(one.check_in(at(0, 0, 0), vec![envelope(1, at(0, 0, 0), laptop(7))])).await.unwrap();
    let policy = Policy::default();
    let first = flag_sweep::run(&test.store, &policy, at(0, 0, 1), &running()).await.unwrap();
    assert_eq!((first.devices, first.raised, first.cleared), (621, 620, 0));
    let second = flag_sweep::run(&test.store, &policy, at(0, 0, 2), &running()).await.unwrap();
    assert_eq!((second.devices, second.raised, second.cleared), (621, 0, 0));
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(flag::open_of_device(&mut tx, &ALL, one.device).await.unwrap().len(), 1, "7 % is nearly full");
    drop(tx);
    let lenient = Policy::from_toml("[disk]\nwarning_percent = 6\n").unwrap();
    let third = flag_sweep::run(&test.store, &lenient, at(0, 0, 3), &running()).await.unwrap();
    assert_eq!((third.raised, third.cleared), (0, 1), "a new policy is followed at once, report by report");
}
