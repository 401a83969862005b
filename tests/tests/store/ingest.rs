//! The promises of the ingest: acknowledged is durable and counted once, whatever the order, the repeats and the
//! neighbours; an unchanged check-in adds nothing.

use cartable_common::{
    ReportId,
    protocol::{RefusalReason, RefusedReport},
    report::{Drive, SelfAssessment},
};
use cartable_server::{
    domain::{device::DeviceStatus, flag::FlagCode, scope::Scope},
    store::{detail, device, flag, ingest::IngestError},
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use futures_util::future::join_all;
use uuid::Uuid;

on_both_engines! {
    a_hundred_repeats_at_once_are_one_row_and_a_hundred_acknowledgements,
    an_unchanged_check_in_adds_no_row,
    another_body_under_a_known_identifier_is_refused,
    a_list_past_its_limit_is_refused_and_its_neighbour_is_stored,
    any_order_of_a_months_reports_ends_in_the_same_state,
    the_same_identifier_from_two_devices_is_two_reports,
    a_device_out_of_service_stores_nothing,
    one_check_in_that_cannot_be_stored_harms_no_other,
    without_a_store_nothing_is_acknowledged,
    a_contact_clears_silence_and_a_wrong_clock_is_flagged_without_a_report,
    a_stop_writes_what_waits,
}

async fn enrolled(test: &TestStore) -> Enrolled {
    enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap()
}

async fn number(test: &TestStore, sql: &str) -> i64 {
    Raw::connect(test.url()).await.unwrap().number(sql).await.unwrap()
}

async fn open_codes(test: &TestStore, one: Enrolled) -> Vec<FlagCode> {
    let mut tx = test.store.read().await.unwrap();
    let open = flag::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
    open.into_iter().map(|flag| flag.code).collect()
}

async fn a_hundred_repeats_at_once_are_one_row_and_a_hundred_acknowledgements(test: &TestStore) {
    let one = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    let report = envelope(1, at(0, 0, 0), laptop(50));
    let repeats = (0..100).map(|_| running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report.clone()])));
    for receipt in join_all(repeats).await {
        let receipt = receipt.unwrap();
        assert_eq!(receipt.acknowledged, [report.report_id]);
        assert_eq!(receipt.refused, []);
        assert_eq!(receipt.content_hash, Some(report.report.content_hash()));
    }
    assert_eq!(number(test, "SELECT count(*) FROM report").await, 1);
    assert_eq!(number(test, "SELECT check_ins FROM contact").await, 100);
    assert_eq!(number(test, "SELECT reports FROM contact_hourly").await, 1);
    assert_eq!(number(test, "SELECT check_ins FROM contact_hourly").await, 100);
}

const TABLES: [&str; 10] = [
    "device",
    "contact",
    "health",
    "report",
    "health_change",
    "health_daily",
    "flag",
    "counter",
    "contact_hourly",
    "audit",
];

async fn rows(test: &TestStore) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in TABLES {
        counts.push(number(test, &format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}

async fn an_unchanged_check_in_adds_no_row(test: &TestStore) {
    let one = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    let report = envelope(1, at(0, 0, 0), laptop(1));
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report.clone()])).await.unwrap();
    assert_eq!(open_codes(test, one).await, [FlagCode::DiskNearlyFull], "a standing flag must not change it");
    let before = rows(test).await;
    let receipt = running.ingest.check_in(one.check_in(at(0, 0, 30), Vec::new())).await.unwrap();
    assert_eq!(receipt.content_hash, Some(report.report.content_hash()));
    assert_eq!(rows(test).await, before);
    assert_eq!(number(test, "SELECT last_at FROM contact").await, at(0, 0, 30).get());
    assert_eq!(open_codes(test, one).await, [FlagCode::DiskNearlyFull]);
}

async fn another_body_under_a_known_identifier_is_refused(test: &TestStore) {
    let one = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    let report = envelope(1, at(0, 0, 0), laptop(50));
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report.clone()])).await.unwrap();
    let mut other = report.clone();
    other.report = laptop(40);
    let receipt = running.ingest.check_in(one.check_in(at(0, 1, 0), vec![other])).await.unwrap();
    let refused = RefusedReport { report_id: report.report_id, reason: RefusalReason::SameIdOtherContent };
    assert_eq!((receipt.acknowledged, receipt.refused), (Vec::new(), vec![refused]));
    assert_eq!(receipt.content_hash, Some(report.report.content_hash()), "the first stays");
}

async fn a_list_past_its_limit_is_refused_and_its_neighbour_is_stored(test: &TestStore) {
    let one = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    let good = envelope(1, at(0, 0, 0), laptop(50));
    let mut crowded = envelope(2, at(0, 0, 0), laptop(50));
    crowded.report.drives = vec![Drive::default(); 17];
    let refused = RefusedReport { report_id: crowded.report_id, reason: RefusalReason::TooMany };
    let receipt = running.ingest.check_in(one.check_in(at(0, 0, 0), vec![good.clone(), crowded])).await.unwrap();
    assert_eq!((receipt.acknowledged, receipt.refused), (vec![good.report_id], vec![refused]));
}

/// Everything about a device that must not depend on the order in which its reports arrived.
async fn state(test: &TestStore, one: Enrolled) -> String {
    let mut tx = test.store.read().await.unwrap();
    let found = detail::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let health = found.health.unwrap();
    let mut flags: Vec<_> = found.flags.iter().map(|flag| (flag.code, &flag.subject, flag.severity)).collect();
    flags.sort();
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sql = format!(
        "SELECT day || ' ' || COALESCE(system_volume_available_percent, -1) FROM health_daily WHERE device_id = {} ORDER BY day",
        raw.uuid(one.device.0)
    );
    let days = raw.texts(&sql).await.unwrap();
    format!(
        "{:?} {} {:?} {flags:?} {} {} {days:?} {:?}",
        health.report,
        health.sequence,
        found.device.baseline,
        found.device.worst_severity,
        found.device.open_flags,
        found.contact.unwrap().content_hash,
    )
}

async fn any_order_of_a_months_reports_ends_in_the_same_state(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    // A disk that fills up; memory that shrinks on the way; a drive that fails at the end.
    let month: Vec<_> = (0..30_u64)
        .map(|day| {
            let mut report = laptop(90 - day * 3);
            if day > 10 {
                report.memory.total_bytes = cartable_common::Bytes::new(4 << 30);
            }
            if day == 29 {
                report.drives[0].self_assessment = Some(SelfAssessment::Failed);
            }
            envelope(day + 1, at(-30 + day.cast_signed(), 0, 0), report)
        })
        .collect();
    let mut states = Vec::new();
    for step in [1, 7, 11, 29] {
        let one = enrolled(test).await;
        // Multiplying by a number prime to 30 shuffles; 1 keeps the order, 29 reverses it.
        for place in 0..30 {
            let report = month[place * step % 30].clone();
            let receipt = running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report.clone()])).await.unwrap();
            assert_eq!(receipt.acknowledged, [report.report_id]);
        }
        states.push(state(test, one).await);
    }
    assert!(states[0].contains("DriveFailing") && states[0].contains("MemoryChanged"), "{}", states[0]);
    for other in &states[1..] {
        assert_eq!(other, &states[0]);
    }
}

async fn the_same_identifier_from_two_devices_is_two_reports(test: &TestStore) {
    let (one, two) = (enrolled(test).await, enrolled(test).await);
    let running = RunningIngest::start(&test.store);
    let mine = envelope(1, at(0, 0, 0), laptop(50));
    let mut theirs = envelope(1, at(0, 0, 0), laptop(30));
    theirs.report_id = mine.report_id;
    let (a, b) = tokio::join!(
        running.ingest.check_in(one.check_in(at(0, 0, 0), vec![mine.clone()])),
        running.ingest.check_in(two.check_in(at(0, 0, 0), vec![theirs.clone()])),
    );
    assert_eq!(a.unwrap().content_hash, Some(mine.report.content_hash()));
    assert_eq!(b.unwrap().content_hash, Some(theirs.report.content_hash()));
    assert_eq!(number(test, "SELECT count(*) FROM report").await, 2);
}

async fn a_device_out_of_service_stores_nothing(test: &TestStore) {
    let one = enrolled(test).await;
    let other = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    let empty = rows(test).await;
    for status in [DeviceStatus::Revoked, DeviceStatus::Pending, DeviceStatus::Released] {
        let mut tx = test.store.write().await.unwrap();
        device::set_status(&mut tx, &Scope::Everything, one.device, status).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let refused =
            running.ingest.check_in(one.check_in(at(0, 0, 0), vec![envelope(1, at(0, 0, 0), laptop(9))])).await;
        assert_eq!(refused, Err(IngestError::NotInService(Some(status))));
    }
    // Another device's enrolment, and an enrolment that was replaced.
    let foreign = Enrolled { device: other.device, enrolment: one.enrolment };
    let refused = running.ingest.check_in(foreign.check_in(at(0, 0, 0), Vec::new())).await;
    assert_eq!(refused, Err(IngestError::NotInService(Some(DeviceStatus::Active))));
    Raw::connect(test.url()).await.unwrap().execute("UPDATE enrolment SET status = 'replaced'").await.unwrap();
    let refused = running.ingest.check_in(other.check_in(at(0, 0, 0), Vec::new())).await;
    assert_eq!(refused, Err(IngestError::NotInService(Some(DeviceStatus::Active))));
    let unknown = Enrolled { device: cartable_common::DeviceId(Uuid::new_v4()), ..one };
    let refused = running.ingest.check_in(unknown.check_in(at(0, 0, 0), Vec::new())).await;
    assert_eq!(refused, Err(IngestError::NotInService(None)));
    let after = rows(test).await;
    for ((table, before), after) in TABLES.iter().zip(empty).zip(after).filter(|((table, _), _)| **table != "counter") {
        assert_eq!(before, after, "{table}");
    }
}

async fn one_check_in_that_cannot_be_stored_harms_no_other(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    let mut fleet = Vec::new();
    for _ in 0..20 {
        fleet.push(enrolled(test).await);
    }
    let bad = envelope(13, at(0, 0, 0), laptop(50));
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let id = raw.uuid(bad.report_id.0);
    let trigger = match &raw {
        Raw::Sqlite(_) => format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON report WHEN NEW.report_id = {id} \
             BEGIN SELECT RAISE(ABORT, 'planted'); END"
        ),
        Raw::Postgres(_) => format!(
            "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$ LANGUAGE plpgsql; \
             CREATE TRIGGER refuse BEFORE INSERT ON report FOR EACH ROW WHEN (NEW.report_id = {id}) \
             EXECUTE FUNCTION refuse()"
        ),
    };
    raw.execute(&trigger).await.unwrap();
    let reports: Vec<_> =
        (0..20).map(|n| if n == 7 { bad.clone() } else { envelope(1, at(0, 0, 0), laptop(50)) }).collect();
    let all = fleet
        .iter()
        .zip(&reports)
        .map(|(one, report)| running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report.clone()])));
    for (place, answer) in join_all(all).await.into_iter().enumerate() {
        if place == 7 {
            assert!(matches!(&answer, Err(IngestError::Unstorable(why)) if why.contains("planted")), "{answer:?}");
        } else {
            assert_eq!(answer.unwrap().acknowledged, [reports[place].report_id]);
        }
    }
    assert_eq!(number(test, "SELECT count(*) FROM report").await, 19);
    assert_eq!(number(test, "SELECT count(*) FROM contact").await, 19);
}

async fn without_a_store_nothing_is_acknowledged(test: &TestStore) {
    let one = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    test.store.close().await;
    let answer = running.ingest.check_in(one.check_in(at(0, 0, 0), vec![envelope(1, at(0, 0, 0), laptop(50))])).await;
    assert!(matches!(answer, Err(IngestError::Unavailable(_))), "{answer:?}");
}

async fn a_contact_clears_silence_and_a_wrong_clock_is_flagged_without_a_report(test: &TestStore) {
    use cartable_server::{domain::policy::Policy, jobs::flag_sweep};
    let one = enrolled(test).await;
    let shutdown = tokio_util::sync::CancellationToken::new();
    let swept = flag_sweep::run(&test.store, &Policy::default(), at(0, 0, 0), &shutdown).await.unwrap();
    assert_eq!((swept.devices, swept.raised), (1, 1));
    assert_eq!(open_codes(test, one).await, [FlagCode::Silent]);
    let again = flag_sweep::run(&test.store, &Policy::default(), at(0, 0, 10), &shutdown).await.unwrap();
    assert_eq!((again.raised, again.cleared), (0, 0), "a sweep that finds nothing new writes nothing");

    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(at(0, 0, 20), Vec::new())).await.unwrap();
    assert_eq!(open_codes(test, one).await, []);

    let mut fast = one.check_in(at(0, 1, 0), Vec::new());
    fast.request.sent_at = at(30, 0, 0);
    running.ingest.check_in(fast.clone()).await.unwrap();
    assert_eq!(open_codes(test, one).await, [FlagCode::ClockWrong]);
    fast.request.sent_at = at(30, 0, 5);
    let before = rows(test).await;
    running.ingest.check_in(fast).await.unwrap();
    assert_eq!(rows(test).await, before);
    running.ingest.check_in(one.check_in(at(0, 2, 0), Vec::new())).await.unwrap();
    assert_eq!(open_codes(test, one).await, []);

    let mut tx = test.store.read().await.unwrap();
    let history = flag::history_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
    let told: Vec<_> = history.iter().map(|flag| (flag.code, flag.since, flag.cleared_at)).collect();
    assert_eq!(
        told,
        [(FlagCode::ClockWrong, at(0, 1, 0), Some(at(0, 2, 0))), (FlagCode::Silent, at(0, 0, 0), Some(at(0, 0, 20))),]
    );
}

async fn a_stop_writes_what_waits(test: &TestStore) {
    let one = enrolled(test).await;
    let running = RunningIngest::start(&test.store);
    let ingest = running.ingest.clone();
    let reports: Vec<_> = (1..=40).map(|n| envelope(n, at(0, 0, 0), laptop(50))).collect();
    let waiting: Vec<_> = reports
        .iter()
        .map(|report| {
            let (ingest, check_in) = (ingest.clone(), one.check_in(at(0, 0, 0), vec![report.clone()]));
            tokio::spawn(async move { ingest.check_in(check_in).await })
        })
        .collect();
    tokio::task::yield_now().await;
    running.stop().await;
    let mut acknowledged: Vec<ReportId> = Vec::new();
    for answer in join_all(waiting).await {
        match answer.unwrap() {
            Ok(receipt) => acknowledged.extend(receipt.acknowledged),
            Err(refused) => assert!(matches!(refused, IngestError::Unavailable(_)), "{refused}"),
        }
    }
    let stored = number(test, "SELECT count(*) FROM report").await;
    assert_eq!(usize::try_from(stored).unwrap(), acknowledged.len());
    let late = ingest.check_in(one.check_in(at(0, 0, 0), Vec::new())).await;
    assert!(matches!(late, Err(IngestError::Unavailable(_))), "{late:?}");
}
