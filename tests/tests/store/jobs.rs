//! Periodic work, shown by moving `now`: time raises and clears flags, and what is old is known less exactly, then
//! forgotten. One process at a time does it, and people see when nobody does.

use std::time::Duration;

use cartable_common::{DeviceId, UtcMillis, report::Hardware};
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        device::DeviceStatus,
        flag::FlagCode,
        job::Job,
        loan::{Loan, LoanState},
        policy::Policy,
        scope::Scope,
    },
    jobs::{
        flag_sweep,
        holding::{Held, Holding},
        identity_erasure, retention,
    },
    pki::MasterKey,
    store::{audit, borrower, detail, device, flag, job_run, lease, loan, retention as kept},
    vault::Vault,
};
use cartable_tests::{
    fleet::{RunningIngest, at, enrol, envelope, laptop},
    in_process::InProcess,
    lent::Lent,
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    the_hour_of_a_contact_is_forgotten_after_a_month,
    what_stands_open_or_waits_is_known_to_the_day_too,
    what_is_past_its_time_is_deleted_and_devices_never_are,
    a_sweep_reads_the_whole_fleet_and_follows_the_policy,
    a_lease_lasts_as_long_as_the_work_and_its_loss_stops_the_work,
    a_job_that_stopped_is_seen_by_people_and_by_monitoring,
    forgetting_waits_for_nobody_while_others_wait_for_its_audit_rows,
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

async fn what_stands_open_or_waits_is_known_to_the_day_too(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-1, 5, 5)).await.unwrap();
    let ingest = RunningIngest::start(&test.store);
    let when = at(0, 1, 7);
    ingest.ingest.check_in(one.check_in(when, vec![envelope(1, when, laptop(1))])).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut exact = async || {
        let mut exact = Vec::new();
        for moment in ["since % 86400000 <> 0 FROM flag", "updated_at % 86400000 <> 0 FROM flag"] {
            let (condition, table) = moment.split_once(" FROM ").unwrap();
            let sql = format!("SELECT count(*) FROM {table} WHERE cleared_at IS NULL AND {condition}");
            exact.push(raw.number(&sql).await.unwrap());
        }
        exact.push(raw.number("SELECT count(*) FROM enrolment WHERE created_at % 86400000 <> 0").await.unwrap());
        exact
    };
    let before = exact().await;
    assert!(before.iter().all(|count| *count > 0), "{before:?}");
    retention::run(&test.store, at(29, 0, 0), &running()).await.unwrap();
    assert_eq!(exact().await, before, "a month has not passed");
    retention::run(&test.store, at(32, 0, 0), &running()).await.unwrap();
    assert_eq!(exact().await, [0, 0, 0]);
    let mut tx = test.store.read().await.unwrap();
    let open = flag::open_of_device(&mut tx, &ALL, one.device).await.unwrap();
    let disk = open.iter().find(|flag| flag.code == FlagCode::DiskNearlyFull).unwrap();
    assert_eq!(disk.since.day_number(), when.day_number(), "it stands since that day");
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

async fn a_lease_lasts_as_long_as_the_work_and_its_loss_stops_the_work(test: &TestStore) {
    let (mine, other) = (Uuid::new_v4(), Uuid::new_v4());
    let holding = Holding { store: &test.store, job: "notices", holder: mine, lasts: Duration::from_secs(5) };
    let take = async |holder: Uuid, now: UtcMillis| {
        let mut tx = test.store.write().await.unwrap();
        let taken = lease::take(&mut tx, "notices", holder, now, holding.until(now)).await.unwrap();
        tx.commit().await.unwrap();
        taken
    };
    let begun = clock::now();
    assert!(take(mine, begun).await);
    let shutdown = running();
    let long = async |stop: CancellationToken| {
        tokio::time::sleep(holding.lasts + Duration::from_secs(2)).await;
        (stop.is_cancelled(), take(other, clock::now()).await)
    };
    let done = holding.during(holding.until(begun), &shutdown, long).await;
    assert_eq!(done, ((false, false), Held::Throughout), "another process keeps out of it until the end");
    // Another process believes that this one is dead.
    let now = clock::now();
    assert!(take(mine, now).await);
    let stopped = async |stop: CancellationToken| {
        assert!(take(other, now.plus_days(1)).await);
        stop.cancelled().await;
    };
    let done = tokio::time::timeout(holding.lasts, holding.during(holding.until(now), &shutdown, stopped)).await;
    assert_eq!(done.expect("the work is told to stop").1, Held::Lost);
    assert!(!shutdown.is_cancelled(), "the process goes on");
}

async fn a_job_that_stopped_is_seen_by_people_and_by_monitoring(test: &TestStore) {
    const BANNER: &str = "<p class=\"notice critical\" role=\"alert\">";
    let now = clock::now();
    let mut tx = test.store.write().await.unwrap();
    for job in Job::ALL {
        job_run::started(&mut tx, job.as_str(), now).await.unwrap();
        job_run::finished(&mut tx, job.as_str(), None, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    let seen = async |cartable: &InProcess| {
        let ada = cartable.signed_in("ada").await.unwrap().speaking("en");
        let rita = cartable.signed_in("rita").await.unwrap().speaking("en");
        let (first, other) = (ada.get("/devices").await.unwrap().body, rita.get("/devices").await.unwrap().body);
        let jobs = cartable.get("/api/v1/jobs", &cartable.token("ada").await.unwrap()).await.unwrap();
        let body = jobs.json();
        let missed = body["items"].as_array().unwrap().iter().filter(|job| job["missed"] == true);
        let missed: Vec<String> = missed.map(|job| job["job"].to_string()).collect();
        (first.contains(BANNER), other.contains(BANNER), jobs.status.as_u16(), missed)
    };
    let cartable = InProcess::new(&test.store);
    cartable.person("ada", Role::Administrator, ALL).await.unwrap();
    cartable.person("rita", Role::Technician, ALL).await.unwrap();
    assert_eq!(seen(&cartable).await, (false, false, 200, vec![]));
    // Three of its intervals and ten minutes later, nobody has written to people.
    let late = now.plus_millis(-26 * 60_000).get();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sql = format!("UPDATE job_run SET started_at = {late}, finished_at = {late}, succeeded_at = {late}");
    raw.execute(&format!("{sql} WHERE job = 'notices'")).await.unwrap();
    // Another server process: this one has just looked.
    let missed = seen(&InProcess::new(&test.store)).await;
    assert_eq!(missed, (true, false, 503, vec!["\"notices\"".to_owned()]), "administrators read it on every page");
}

async fn forgetting_waits_for_nobody_while_others_wait_for_its_audit_rows(test: &TestStore) {
    let lent = Lent::new(&test.store, test.url(), &Vault::new(&MasterKey::of([7; 32])), at(0, 0, 0)).await.unwrap();
    let first = lent.family(1, &["f1@x.example"], at(0, 0, 0)).await.unwrap();
    let second = lent.family(2, &["f2@x.example"], at(0, 0, 0)).await.unwrap();
    assert!(first < second, "the order in which they are forgotten");
    let now = at(3_000, 0, 0);
    // Somebody lends to the second at this moment; the audit row comes last, as for every act of lending.
    let mut lending = test.store.write().await.unwrap();
    let device = DeviceId(Uuid::new_v4());
    let new = device::NewDevice {
        id: device,
        status: DeviceStatus::Active,
        hardware: Hardware::default(),
        asset_tag: None,
        programme: None,
        site: Some(lent.site),
        enrolled_at: None,
    };
    device::insert(&mut lending, &new, now).await.unwrap();
    let loan = Loan {
        id: Uuid::now_v7(),
        device,
        borrower: second,
        programme: lent.programme.id,
        site: Some(lent.site),
        reserved_at: now,
        state: LoanState::Reserved,
    };
    loan::reserve(&mut lending, &loan, "test", now).await.unwrap();
    let lent_at_last = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let row = audit::NewAudit {
            actor: "test",
            action: "loan.reserve",
            object_kind: "loan",
            object_id: "1",
            details: serde_json::Value::Null,
        };
        audit::append(&mut lending, row, now).await.unwrap();
        lending.commit().await.unwrap();
    };
    let (policy, running) = (Policy::default(), running());
    let (erased, ()) = tokio::join!(identity_erasure::run(&test.store, &policy, now, &running), lent_at_last);
    assert_eq!(erased.unwrap(), 1);
    let mut tx = test.store.read().await.unwrap();
    assert!(!borrower::is_identity_known(&mut tx, first).await.unwrap());
    assert!(borrower::is_identity_known(&mut tx, second).await.unwrap(), "who has just borrowed is known");
}
