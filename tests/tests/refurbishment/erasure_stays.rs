//! What was proven of a drive stays so, and what was refuted stays refuted, whoever looks later: also of a drive that was
//! exchanged.

use cartable_common::{
    SerialNumber, Text, UtcMillis,
    report::{AtaAttribute, Drive, DriveKind, HealthReport},
};
use cartable_server::{
    domain::{
        erasure::{
            BenchClock, Method,
            evidence::{self, File},
            gap::Why,
            hand::ByHand,
        },
        paris,
        policy::Policy,
        scope::Scope,
    },
    store::{
        device,
        erasure_entry::{self, By, EntryError, Refused, Strangers},
        erasure_file, retention,
    },
};
use cartable_tests::{
    erasing::{missing, nvme_sanitized},
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_use_of_a_drive_that_was_exchanged_since_stays_known,
    a_drive_of_a_late_or_a_crowded_report_is_asked_about,
    nothing_that_was_recorded_is_written_over,
    soldered_flash_leaves_destroyed_or_not_at_all,
    a_file_that_is_chosen_twice_or_brought_by_two_is_kept_once,
}

/// What nwipe 0.38 wrote of a loop device.
const NWIPE: &str = include_str!("../../../server/src/domain/erasure/samples/nwipe-0.38-zero.log");
const PDF: &[u8] = include_bytes!("../../../server/src/domain/erasure/samples/nwipe-0.38-zero.pdf.zst");

/// Named by its serial number.
fn drive(serial: &str) -> Drive {
    Drive { serial_number: SerialNumber::parse(serial).into(), kind: Some(DriveKind::Nvme), ..Drive::default() }
}

/// Tells no serial number: named by its model.
fn nameless(model: &str) -> Drive {
    Drive { model: Text::meaningful(model), kind: Some(DriveKind::Nvme), ..Drive::default() }
}

/// A report with these drives; another `free` makes it another report.
fn with(drives: &[Drive], free: u64) -> HealthReport {
    HealthReport { drives: drives.to_vec(), ..laptop(free) }
}

/// A new device whose agent sent these reports.
async fn reported(test: &TestStore, reports: &[(UtcMillis, HealthReport)]) -> Enrolled {
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    for (sequence, (when, report)) in (1..).zip(reports) {
        running.ingest.check_in(one.check_in(*when, vec![envelope(sequence, *when, report.clone())])).await.unwrap();
    }
    running.stop().await;
    one
}

/// Brings these files at `now`.
async fn bring(test: &TestStore, one: Enrolled, files: &[File<'_>], now: UtcMillis) -> Result<(), EntryError> {
    let policy = Policy::default();
    let by = By { login: "rosa", now, policy: &policy };
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let readings = evidence::read(files, BenchClock::Utc, now).unwrap();
    erasure_entry::enter_files(&mut tx, &found, &readings, files, Strangers::LeftOut, by).await?;
    tx.commit().await.unwrap();
    Ok(())
}

/// Brings a transcript of the erasure of `serial`, and says an hour later that it was so.
async fn erased(test: &TestStore, one: Enrolled, serial: &str, ended: UtcMillis) {
    let text = nvme_sanitized(serial, ended);
    let files = [File { name: "x.txt", bytes: text.as_bytes() }];
    bring(test, one, &files, ended.plus_millis(3_600_000)).await.unwrap();
}

/// The names of the files that are kept of it, and how many records each proves.
async fn kept(test: &TestStore, one: Enrolled) -> Vec<(String, usize)> {
    let mut tx = test.store.read().await.unwrap();
    let files = erasure_file::of_device(&mut tx, one.device).await.unwrap();
    let mut told: Vec<_> = files.into_iter().map(|file| (file.name, file.proves.len())).collect();
    told.sort();
    told
}

/// Forgets and rounds what is past its time at `now`.
async fn retained(test: &TestStore, one: Enrolled, now: UtcMillis) {
    let mut tx = test.store.write().await.unwrap();
    retention::devices(&mut tx, &[one.device.0], now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn a_use_of_a_drive_that_was_exchanged_since_stays_known(test: &TestStore) {
    // A letter that the engines write in capitals each in their own way, and what LIKE takes for any letter.
    let (old, name) = (nameless("Disque é_1"), "DISQUE é_1");
    let new = drive("NEW2");
    let next = with(std::slice::from_ref(&new), 50);
    // Erased at 10:00, reinstalled and reported at 14:00, exchanged the next day; the device goes on.
    let used = reported(
        test,
        &[
            (at(-40, 0, 0), with(std::slice::from_ref(&old), 50)),
            (at(-39, 2, 0), with(std::slice::from_ref(&old), 40)),
            (at(-38, 0, 0), next.clone()),
            (at(-1, 0, 0), with(std::slice::from_ref(&new), 30)),
        ],
    )
    .await;
    erased(test, used, "Disque é_1", at(-39, -2, 0)).await;
    let new_one = ("NEW2".to_owned(), Why::NothingRecorded);
    let known = [(name.to_owned(), Why::UsedSince), new_one.clone()];
    assert_eq!(missing(test, used).await.unwrap(), known);
    retained(test, used, at(0, 0, 0)).await;
    assert_eq!(missing(test, used).await.unwrap(), known, "its moments are known to the day only");
    retained(test, used, at(40, 0, 0)).await;
    assert_eq!(missing(test, used).await.unwrap(), known, "and those of the device too");

    // The same of a drive that was said to be gone.
    let gone = reported(
        test,
        &[
            (at(-40, 0, 0), with(&[drive("OLD3"), new.clone()], 50)),
            (at(-39, 2, 0), with(&[drive("OLD3"), new.clone()], 40)),
            (at(-38, 0, 0), next.clone()),
        ],
    )
    .await;
    let policy = Policy::default();
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, gone.device).await.unwrap().unwrap();
    let by = By { login: "rosa", now: at(-39, -2, 0), policy: &policy };
    erasure_entry::declare_absent(&mut tx, &found, &"OLD3".parse().unwrap(), "taken out for parts", by).await.unwrap();
    tx.commit().await.unwrap();
    let known = [new_one.clone(), ("OLD3".to_owned(), Why::SeenAgain)];
    assert_eq!(missing(test, gone).await.unwrap(), known);
    retained(test, gone, at(0, 0, 0)).await;
    assert_eq!(missing(test, gone).await.unwrap(), known);

    // And one that was erased after its last report is not taken for a used one.
    let kept = reported(
        test,
        &[(at(-39, 0, 0), with(&[drive("OLD4")], 50)), (at(-38, 0, 0), next), (at(-1, 0, 0), with(&[new], 40))],
    )
    .await;
    erased(test, kept, "OLD4", at(-39, 2, 0)).await;
    retained(test, kept, at(0, 0, 0)).await;
    retained(test, kept, at(40, 0, 0)).await;
    assert_eq!(missing(test, kept).await.unwrap(), [new_one]);
}

/// Fifteen drives with sixteen attributes each, all `raw`: more changes than the history keeps of one report.
fn crowd(raw: u64) -> Vec<Drive> {
    let attribute = |id| AtaAttribute { id, raw: Some(raw), ..AtaAttribute::default() };
    let crowded =
        |number: u32| Drive { ata_attributes: (200..216).map(attribute).collect(), ..drive(&format!("A{number:02}")) };
    (1..=15).map(crowded).collect()
}

async fn a_drive_of_a_late_or_a_crowded_report_is_asked_about(test: &TestStore) {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let send = async |when: UtcMillis, sequence: u64, report: HealthReport| {
        running.ingest.check_in(one.check_in(when, vec![envelope(sequence, when, report)])).await.unwrap();
    };
    send(at(-40, 0, 0), 1, with(&[drive("NEW2")], 50)).await;
    send(at(-39, 0, 0), 3, with(&[drive("NEW2")], 40)).await;
    send(at(-39, 1, 0), 4, with(&[drive("NEW2")], 40)).await;
    assert_eq!(raw.number("SELECT count(*) FROM drive_seen").await.unwrap(), 0, "the same drives write nothing");
    // Kept back in the spool, and acknowledged when another is current already.
    send(at(-38, 0, 0), 2, with(&[drive("OLD1")], 50)).await;
    running.stop().await;
    let both = [("NEW2".to_owned(), Why::NothingRecorded), ("OLD1".to_owned(), Why::NothingRecorded)];
    assert_eq!(missing(test, one).await.unwrap(), both);

    // It came and went with more changes than the history keeps.
    let crowded = |raw: u64, more: &[Drive]| with(&[crowd(raw), more.to_vec()].concat(), 50);
    let other = reported(
        test,
        &[
            (at(-40, 0, 0), crowded(1, &[])),
            (at(-39, 0, 0), crowded(2, &[drive("Z9")])),
            (at(-38, 0, 0), crowded(3, &[])),
        ],
    )
    .await;
    let told = "SELECT count(*) FROM health_change WHERE path LIKE '%Z9%'";
    assert_eq!(raw.number(told).await.unwrap(), 0, "the history does not tell of it");
    assert!(missing(test, other).await.unwrap().contains(&("Z9".to_owned(), Why::NothingRecorded)));
    for one in [one, other] {
        retained(test, one, at(0, 0, 0)).await;
        assert!(missing(test, one).await.unwrap().iter().any(|(key, _)| key == "OLD1" || key == "Z9"));
    }
    let exact = "SELECT count(*) FROM drive_seen WHERE last_seen % 86400000 <> 0";
    assert_eq!(raw.number(exact).await.unwrap(), 0, "known to the day only, as all moments of contact");
}

async fn nothing_that_was_recorded_is_written_over(test: &TestStore) {
    let one = reported(test, &[(at(-20, 0, 0), with(&[drive("S1"), drive("S2")], 50))]).await;
    erased(test, one, "S1", at(-5, 0, 0)).await;
    let policy = Policy::default();
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let by = By { login: "rosa", now: at(-4, 0, 0), policy: &policy };
    erasure_entry::declare_absent(&mut tx, &found, &"S2".parse().unwrap(), "taken out for parts", by).await.unwrap();
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE erasure SET used_again = 1").await.unwrap();
    raw.execute("UPDATE erasure_absence SET seen_again = 1").await.unwrap();
    for (table, set) in [
        ("erasure", "outcome = 'erased'"),
        ("erasure", "level = 'purge'"),
        ("erasure", "method = 'destruction'"),
        ("erasure", "medium = 'rotating'"),
        ("erasure", "drive_key = 'S2'"),
        ("erasure", "ended_at = ended_at + 1"),
        ("erasure", "capacity_bytes = 1"),
        ("erasure", "verification = 'all_passes', errors = 0"),
        ("erasure", "operator = 'anne'"),
        ("erasure", "used_again = 0"),
        ("erasure_evidence", "file_id = file_id"),
        ("erasure_absence", "drive_key = 'S1'"),
        ("erasure_absence", "declared_at = declared_at + 1"),
        ("erasure_absence", "reason = 'x'"),
        ("erasure_absence", "seen_again = 0"),
    ] {
        let refused = raw.execute(&format!("UPDATE {table} SET {set}")).await.unwrap_err().to_string();
        assert!(refused.contains("erasure_stays"), "{table} {set}: {refused}");
    }
}

async fn soldered_flash_leaves_destroyed_or_not_at_all(test: &TestStore) {
    let (policy, now) = (Policy::default(), at(0, 0, 0));
    let emmc = Drive { kind: Some(DriveKind::Emmc), ..drive("E1") };
    let one = reported(test, &[(at(-20, 0, 0), with(&[emmc], 50))]).await;
    // Chosen by mistake, and confirmed: nothing of it is an eMMC's.
    for (method, missing_then) in
        [(Method::NvmeSanitizeBlock, vec![("E1".to_owned(), Why::LevelTooLow)]), (Method::Destruction, vec![])]
    {
        let typed = ByHand {
            drive: "E1".to_owned(),
            model: String::new(),
            method,
            with: "bench".to_owned(),
            on: paris::date(now),
        };
        let mut tx = test.store.write().await.unwrap();
        let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
        let by = |login| By { login, now, policy: &policy };
        let reading = typed.read(now).unwrap();
        let (id, _) = erasure_entry::enter_by_hand(&mut tx, &found, &reading, by("rosa")).await.unwrap();
        erasure_entry::witness(&mut tx, &found, id, by("anne")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(missing(test, one).await.unwrap(), missing_then, "{method}");
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(
        raw.texts("SELECT medium || ' ' || level FROM erasure ORDER BY level").await.unwrap(),
        ["emmc clear", "emmc destroy"]
    );
}

async fn a_file_that_is_chosen_twice_or_brought_by_two_is_kept_once(test: &TestStore) {
    let one = reported(test, &[(at(-20, 0, 0), with(&[drive("CTBL-LOOP-0001")], 50))]).await;
    let pdf = zstd::decode_all(PDF).unwrap();
    let log = File { name: "nwipe.log", bytes: NWIPE.as_bytes() };
    let twice = [log, File { name: "report.pdf", bytes: &pdf }, File { name: "report (1).pdf", bytes: &pdf }];
    bring(test, one, &twice, at(10, 0, 0)).await.unwrap();
    assert_eq!(kept(test, one).await, [("nwipe.log".to_owned(), 1), ("report.pdf".to_owned(), 1)]);

    // Two people, or two clicks.
    let other = reported(test, &[(at(-20, 0, 0), with(&[drive("S5")], 50))]).await;
    let text = nvme_sanitized("S5", at(-5, 0, 0));
    let file = [File { name: "x.txt", bytes: text.as_bytes() }];
    let now = at(-4, 0, 0);
    let (first, second) = tokio::join!(bring(test, other, &file, now), bring(test, other, &file, now));
    let done = [first, second];
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
    assert!(done.iter().any(|one| matches!(one, Err(EntryError::Refused(Refused::Known)))), "{done:?}");
    assert_eq!(kept(test, other).await, [("x.txt".to_owned(), 1)]);
}
