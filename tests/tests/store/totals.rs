//! The totals that lists show always equal a recount, after whatever was done in whatever order, also by several
//! server processes at once.

use cartable_common::report::SelfAssessment;
use cartable_server::{
    domain::{device::DeviceStatus, policy::Policy, scope::Scope},
    jobs::flag_sweep,
    store::{Store, device, device_archive},
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

on_both_engines! {
    totals_equal_a_recount_after_anything,
    several_processes_store_each_report_once_and_keep_the_totals,
}

const ALL: Scope = Scope::Everything;

/// A small generator of numbers: failures repeat with the seed they print.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

const RECOUNTS: [(&str, &str); 4] = [
    ("device_status", "SELECT status AS key, count(*) AS n FROM device WHERE archived_at IS NULL GROUP BY status"),
    (
        "device_status",
        "SELECT 'archived' AS key, count(*) AS n FROM device WHERE archived_at IS NOT NULL HAVING count(*) > 0",
    ),
    ("flag_code", "SELECT code AS key, count(*) AS n FROM flag WHERE cleared_at IS NULL GROUP BY code"),
    (
        "flag_severity",
        "SELECT CAST(worst AS TEXT) AS key, count(*) AS n FROM (SELECT device_id, max(severity) AS worst FROM flag \
         WHERE cleared_at IS NULL GROUP BY device_id) AS w GROUP BY worst",
    ),
];

async fn check(test: &TestStore, context: &str) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut recounted = Vec::new();
    for (name, sql) in RECOUNTS {
        let lines = raw.texts(&format!("SELECT '{name} ' || key || ' ' || n FROM ({sql}) AS x")).await.unwrap();
        recounted.extend(lines);
    }
    recounted.sort();
    let sql = "SELECT name || ' ' || key || ' ' || sum(value) FROM counter GROUP BY name, key HAVING sum(value) <> 0";
    let mut kept = raw.texts(sql).await.unwrap();
    kept.sort();
    assert_eq!(kept, recounted, "{context}");
    let copies = "SELECT count(*) FROM device d WHERE open_flags <> \
                  (SELECT count(*) FROM flag f WHERE f.device_id = d.id AND cleared_at IS NULL) OR worst_severity <> \
                  (SELECT COALESCE(max(severity), 0) FROM flag f WHERE f.device_id = d.id AND cleared_at IS NULL)";
    assert_eq!(raw.number(copies).await.unwrap(), 0, "{context}");
}

async fn act(store: &Store, running: &RunningIngest, one: Enrolled, dice: &mut Dice, step: u64) {
    let now = at(step.cast_signed() / 4, 0, 0);
    let mut report = laptop(dice.below(100));
    if dice.below(3) == 0 {
        report.drives[0].self_assessment = Some(SelfAssessment::Failed);
    }
    if dice.below(3) == 0 {
        report.memory.total_bytes = cartable_common::Bytes::new((1 + dice.below(3)) << 30);
    }
    let choice = dice.below(12);
    if choice < 6 {
        let mut check_in = one.check_in(now, if choice < 4 { vec![envelope(step, now, report)] } else { Vec::new() });
        check_in.request.sent_at = now.plus_days(dice.below(3).cast_signed() * 10);
        // A device that was just put out of service is refused; that too must leave the totals right.
        let _ = running.ingest.check_in(check_in).await;
        return;
    }
    if choice == 11 {
        flag_sweep::run(store, &Policy::default(), now, &CancellationToken::new()).await.unwrap();
        return;
    }
    let mut tx = store.write().await.unwrap();
    match choice {
        6 => {
            let status = DeviceStatus::ALL[usize::try_from(dice.below(5)).unwrap()];
            device::set_status(&mut tx, &ALL, one.device, status).await.unwrap();
        }
        7 | 8 => {
            device::set_status(&mut tx, &ALL, one.device, DeviceStatus::Active).await.unwrap();
        }
        9 if dice.below(2) == 0 => {
            device_archive::archive(&mut tx, &ALL, one.device, "test", now).await.unwrap();
        }
        9 => {
            device_archive::unarchive(&mut tx, &ALL, one.device, &Policy::default(), now).await.unwrap();
        }
        _ => {
            device::accept_baseline(&mut tx, &ALL, one.device, &Policy::default(), now).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

async fn totals_equal_a_recount_after_anything(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    let mut fleet = Vec::new();
    for _ in 0..5 {
        fleet.push(enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap());
    }
    let mut dice = Dice(20_261_124);
    for step in 1..=240 {
        let one = fleet[usize::try_from(dice.below(5)).unwrap()];
        act(&test.store, &running, one, &mut dice, step).await;
        if step % 8 == 0 {
            check(test, &format!("after step {step}")).await;
        }
    }
}

async fn several_processes_store_each_report_once_and_keep_the_totals(test: &TestStore) {
    let mut fleet = Vec::new();
    for _ in 0..30 {
        fleet.push(enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap());
    }
    let second = Store::open(test.url()).await.unwrap();
    let processes = [RunningIngest::start(&test.store), RunningIngest::start(&second)];
    for round in 0..6_u64 {
        let now = at(round.cast_signed(), 0, 0);
        let reports: Vec<_> = fleet
            .iter()
            .enumerate()
            .map(|(place, one)| {
                let mut report = laptop((place as u64 * 7 + round * 13) % 100);
                if (place as u64 + round).is_multiple_of(3) {
                    report.drives[0].self_assessment = Some(SelfAssessment::Failed);
                }
                (*one, envelope(round + 1, now, report))
            })
            .collect();
        // Each report reaches both processes, in opposite orders.
        let forward = reports.iter().map(|(one, report)| (&processes[0], one, report));
        let backward = reports.iter().rev().map(|(one, report)| (&processes[1], one, report));
        let answers = forward.chain(backward).map(|(process, one, report)| async move {
            let receipt = process.ingest.check_in(one.check_in(now, vec![report.clone()])).await.unwrap();
            assert_eq!(receipt.acknowledged, [report.report_id]);
        });
        join_all(answers).await;
        check(test, &format!("after round {round}")).await;
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM report").await.unwrap(), 180);
    assert_eq!(raw.number("SELECT CAST(sum(reports) AS BIGINT) FROM contact_hourly").await.unwrap(), 180);
    assert_eq!(raw.number("SELECT CAST(sum(check_ins) AS BIGINT) FROM contact").await.unwrap(), 360);
    second.close().await;
}
