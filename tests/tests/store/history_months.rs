//! History by the month on PostgreSQL: months are made ahead, take in what came before them, and go whole; what is
//! kept and forgotten is the same on SQLite. An installation of the first version keeps its rows.

use cartable_server::{
    domain::month::Month,
    jobs::{history_months, retention},
    store::{Store, audit, history, retention as kept},
};
use cartable_tests::{
    fleet::{RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    postgres::Database,
    raw::Raw,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    history_is_kept_and_forgotten_by_the_month,
    a_wrong_clock_makes_no_month,
}

const ALL: cartable_server::domain::scope::Scope = cartable_server::domain::scope::Scope::Everything;
const PARTITIONS: &str = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r' ORDER BY c.relname";

fn running() -> CancellationToken {
    CancellationToken::new()
}

fn is_postgres(test: &TestStore) -> bool {
    test.url().starts_with("postgres")
}

/// Rows of both histories, in all and in the tables that take what belongs to no month.
async fn rows(test: &TestStore) -> (i64, i64) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let count = |suffix: &str| {
        format!("SELECT (SELECT count(*) FROM health_change{suffix}) + (SELECT count(*) FROM health_daily{suffix})")
    };
    let all = raw.number(&count("")).await.unwrap();
    let stray = if is_postgres(test) { raw.number(&count("_default")).await.unwrap() } else { 0 };
    (all, stray)
}

async fn history_is_kept_and_forgotten_by_the_month(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    // Far from the day of the test, so that all first lies where everything without a month does.
    let far = 100_000;
    for (sequence, day) in [(1, far), (2, far + 1), (3, far + 40)] {
        let when = at(day, 0, 7);
        let report = envelope(sequence, when, laptop(50 - sequence * 10));
        ingest.ingest.check_in(one.check_in(when, vec![report])).await.unwrap();
    }
    let (all, stray) = rows(test).await;
    assert!(all >= 5, "{all}: three days and two changes");
    if is_postgres(test) {
        assert_eq!(stray, all);
    }
    let made = history_months::run(&test.store, at(far, 0, 0), &running()).await.unwrap();
    assert_eq!(made, if is_postgres(test) { 6 } else { 0 }, "this month and two ahead, of two histories");
    assert_eq!(rows(test).await, (all, 0), "the new months took in what was theirs");
    assert_eq!(history_months::run(&test.store, at(far, 1, 0), &running()).await.unwrap(), 0);
    let when = at(far + 41, 0, 7);
    ingest.ingest.check_in(one.check_in(when, vec![envelope(4, when, laptop(3))])).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let changes = history::changes_of(&mut tx, &ALL, one.device).await.unwrap();
    let days = history::daily_of(&mut tx, &ALL, one.device, 0).await.unwrap();
    drop(tx);
    assert_eq!(days.len(), 4);
    assert!(changes.is_sorted_by(|newer, older| newer.received_at >= older.received_at), "{changes:?}");
    assert_eq!(changes.len() + days.len(), usize::try_from(rows(test).await.0).unwrap());

    // The last moment of the first month that is still kept, then the first at which it is not.
    let first = Month::of(at(far, 0, 0));
    let gone = first.next().first_millis() + kept::CHANGE_DAYS * 24 * 60 * 60 * 1000;
    let moment = |millis: i64| cartable_common::UtcMillis::new(millis).unwrap();
    let before = rows(test).await.0;
    retention::run(&test.store, moment(gone - 1), &running()).await.unwrap();
    assert_eq!(rows(test).await.0, before);
    retention::run(&test.store, moment(gone), &running()).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let left = history::daily_of(&mut tx, &ALL, one.device, 0).await.unwrap();
    assert!(!left.is_empty() && left.len() < 4 && left.iter().all(|day| day.day >= first.next().first_day()));
    let acts: Vec<String> = audit::list(&mut tx, None, 20)
        .await
        .unwrap()
        .into_iter()
        .map(|act| format!("{} {}", act.action, act.object_id))
        .collect();
    let dropped = acts.iter().filter(|act| **act == format!("retention.drop_month {first}")).count();
    assert_eq!(dropped, if is_postgres(test) { 2 } else { 0 }, "{acts:?}");
    if is_postgres(test) {
        let mut raw = Raw::connect(test.url()).await.unwrap();
        let partitions = raw.texts(PARTITIONS).await.unwrap();
        assert!(!partitions.contains(&format!("health_daily_{first}")), "{partitions:?}");
        assert!(partitions.contains(&format!("health_daily_{}", first.next())), "{partitions:?}");
    }
}

async fn a_wrong_clock_makes_no_month(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    let now = at(0, 0, 7);
    for (sequence, measured) in [(1, at(-20_000, 0, 0)), (2, at(2_000_000, 0, 0)), (3, now)] {
        let report = envelope(sequence, measured, laptop(50 - sequence * 10));
        ingest.ingest.check_in(one.check_in(now, vec![report])).await.unwrap();
    }
    history_months::run(&test.store, now, &running()).await.unwrap();
    let (all, _) = rows(test).await;
    assert!(all >= 4, "{all}");
    if is_postgres(test) {
        let mut raw = Raw::connect(test.url()).await.unwrap();
        let partitions = raw.texts(PARTITIONS).await.unwrap();
        assert!(partitions.len() <= 2 * (1 + 3 + 3), "the database's own months and the job's: {partitions:?}");
    }
    retention::run(&test.store, now, &running()).await.unwrap();
}

/// What lies in tables of the first version is in the months of the second.
#[tokio::test(flavor = "multi_thread")]
async fn an_installation_of_the_first_version_keeps_its_history() {
    let database = Database::create().await.unwrap();
    let mut raw = Raw::connect(database.url()).await.unwrap();
    raw.execute(include_str!("../../../server/migrations/postgres/0001_first.sql")).await.unwrap();
    let device = "'00000000-0000-0000-0000-000000000001'::uuid";
    raw.execute(&format!(
        "INSERT INTO device (id, status, created_at, sort_serial, sort_model, sort_site, search_text)
             VALUES ({device}, 'active', 0, '', '', '', '');
         INSERT INTO health_daily (device_id, day, measured_at)
             SELECT {device}, d, d * 86400000 FROM generate_series(
                 (extract(epoch FROM now()) / 86400)::bigint - 100, (extract(epoch FROM now()) / 86400)::bigint) AS d;
         INSERT INTO health_daily (device_id, day, measured_at) VALUES ({device}, 3, 0), ({device}, 2900000, 0);
         INSERT INTO health_change (device_id, received_at, report_id, path, measured_at, after)
             SELECT device_id, measured_at, gen_random_uuid(), 'memory', measured_at, 'x' FROM health_daily;"
    ))
    .await
    .unwrap();
    raw.execute(include_str!("../../../server/migrations/postgres/0002_large_fleets.sql")).await.unwrap();
    for table in ["health_daily", "health_change"] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await.unwrap(), 103);
    }
    assert_eq!(raw.number("SELECT count(*) FROM health_daily_default").await.unwrap(), 2, "1970 and 9909");
    assert_eq!(raw.number("SELECT count(*) FROM health_change_default").await.unwrap(), 2, "1970, twice");
    let partitions = raw.texts(PARTITIONS).await.unwrap();
    let months = partitions.iter().filter(|name| name.starts_with("health_daily_2")).count();
    assert!((6..=7).contains(&months), "the months of 101 days and two ahead: {partitions:?}");
    assert_eq!(raw.number("SELECT count(*) FROM pg_class WHERE relname LIKE '%whole%'").await.unwrap(), 0);
}

/// Months are made and dropped while check-ins go on: none fails, none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn check_ins_go_on_while_months_come_and_go() {
    let test = TestStore::postgres().await.unwrap();
    let one = enrol(&test.store, test.url(), None, at(-1, 0, 0)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    let other = Store::open(test.url()).await.unwrap();
    let months = tokio::spawn(async move {
        for month in 0..24 {
            let now = at(3_000 + month * 31, 0, 0);
            history_months::run(&other, now, &running()).await.unwrap();
            retention::run(&other, at(3_000 + month * 31 + kept::CHANGE_DAYS + 62, 0, 0), &running()).await.unwrap();
        }
    });
    let mut sequence = 0;
    while !months.is_finished() {
        sequence += 1;
        let when = at(6_000, 0, 0).plus_millis(i64::try_from(sequence).unwrap() * 1000);
        let report = envelope(sequence, when, laptop(10 + sequence % 80));
        let receipt = ingest.ingest.check_in(one.check_in(when, vec![report])).await.unwrap();
        assert_eq!(receipt.acknowledged.len(), 1);
    }
    months.await.unwrap();
    assert!(sequence > 1);
}
