//! The promises of erasures in the store: a drive seen in any past report counts, evidence outlives its device and cannot be
//! taken away, a use after the erasure takes the proof away, and stays known when contacts are rounded to the day. nwipe's
//! log and its certificate are one record, and neither is taken altered.

use anyhow::Context as _;
use cartable_common::{
    SerialNumber, Text, UtcMillis,
    report::{Drive, DriveKind, HealthReport},
};
use cartable_server::{
    domain::{
        erasure::{
            BenchClock, Method, Reading, Source,
            evidence::{self, File, Unreadable},
            gap::Why,
            hand::ByHand,
        },
        flag::FlagCode,
        loan::{Condition, LoanState, Return},
        policy::Policy,
        scope::Scope,
    },
    store::{
        device, device_archive, erasure,
        erasure_entry::{self, By, EntryError, Refused, Strangers},
        erasure_file, flag, lending_bulk, retention, review,
    },
};
use cartable_tests::{
    erasing::{missing, nvme_sanitized},
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    lending::{borrower, handed, loan_of, programme},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_drive_of_a_past_report_counts_until_it_is_erased_or_declared_gone,
    evidence_outlives_its_device_and_is_never_deleted_or_changed,
    a_use_after_the_erasure_takes_the_proof_away_and_stays_known,
    a_clock_that_was_misread_is_corrected_by_the_same_file,
    a_log_and_its_certificate_are_one_record_and_neither_is_taken_altered,
    what_is_entered_by_hand_needs_another_account,
    a_returned_device_is_flagged_until_its_drive_is_proven_erased,
}

const POLICY: fn() -> Policy = Policy::default;

fn drive(serial: &str, kind: DriveKind) -> Drive {
    Drive {
        serial_number: SerialNumber::parse(serial).into(),
        model: Text::meaningful("Disk"),
        kind: Some(kind),
        ..Drive::default()
    }
}

fn with(drives: Vec<Drive>) -> HealthReport {
    HealthReport { drives, ..laptop(50) }
}

fn read(text: &str, now: UtcMillis) -> Vec<Reading> {
    evidence::read(&[File { name: "x.txt", bytes: text.as_bytes() }], BenchClock::Utc, now).unwrap()
}

fn by<'a>(login: &'a str, now: UtcMillis, policy: &'a Policy) -> By<'a> {
    By { login, now, policy }
}

/// Brings a transcript at `now`.
async fn bring(test: &TestStore, one: Enrolled, text: &str, now: UtcMillis) -> Result<(), EntryError> {
    let policy = POLICY();
    let files = [File { name: "x.txt", bytes: text.as_bytes() }];
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let readings = read(text, now);
    let entered =
        erasure_entry::enter_files(&mut tx, &found, &readings, &files, Strangers::LeftOut, by("rosa", now, &policy))
            .await;
    entered?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn reported(test: &TestStore, reports: &[(i64, HealthReport)]) -> Enrolled {
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    for (sequence, (day, report)) in (1..).zip(reports) {
        let when = at(*day, 0, 0);
        running.ingest.check_in(one.check_in(when, vec![envelope(sequence, when, report.clone())])).await.unwrap();
    }
    running.stop().await;
    one
}

async fn a_drive_of_a_past_report_counts_until_it_is_erased_or_declared_gone(test: &TestStore) {
    let old = drive("old1", DriveKind::Nvme);
    let one = reported(test, &[(-20, with(vec![old])), (-10, with(vec![drive("NEW2", DriveKind::Nvme)]))]).await;
    let both = [("NEW2".to_owned(), Why::NothingRecorded), ("OLD1".to_owned(), Why::NothingRecorded)];
    assert_eq!(missing(test, one).await.unwrap(), both);
    bring(test, one, &nvme_sanitized("new2", at(-5, 0, 0)), at(-4, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), [("OLD1".to_owned(), Why::NothingRecorded)]);
    // Of a drive that was never in it: left out, and said so.
    let other = bring(test, one, &nvme_sanitized("ELSE9", at(-5, 0, 0)), at(-4, 0, 0)).await;
    assert!(matches!(other, Err(EntryError::Refused(Refused::OtherDrives(_)))), "{other:?}");
    let again = bring(test, one, &nvme_sanitized("new2", at(-5, 0, 0)), at(-4, 0, 0)).await;
    assert!(matches!(again, Err(EntryError::Refused(Refused::Known))), "{again:?}");
    // The old drive was erased after the last report that had it, before the one that no longer did.
    bring(test, one, &nvme_sanitized("OLD1", at(-15, 0, 0)), at(-4, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);

    let other = reported(test, &[(-20, with(vec![drive("OLD3", DriveKind::Hdd)])), (-10, with(vec![]))]).await;
    assert_eq!(missing(test, other).await.unwrap(), [("OLD3".to_owned(), Why::NothingRecorded)]);
    let policy = POLICY();
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, other.device).await.unwrap().unwrap();
    let key = "old3".parse().unwrap();
    // Neither one that it never had, nor for a reason that says nothing.
    for (name, reason, code) in [
        ("x", "taken out for parts", "unknown_drive"),
        ("old3", ".", "short_reason"),
        ("old3", "   parts   ", "short_reason"),
    ] {
        let by = by("rosa", at(-4, 0, 0), &policy);
        let refused = erasure_entry::declare_absent(&mut tx, &found, &name.parse().unwrap(), reason, by).await;
        assert!(
            matches!(&refused, Err(EntryError::Refused(one)) if one.code() == code),
            "{name} {reason}: {refused:?}"
        );
    }
    erasure_entry::declare_absent(&mut tx, &found, &key, "taken out for parts", by("rosa", at(-4, 0, 0), &policy))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(missing(test, other).await.unwrap(), []);
    assert_eq!(
        missing(test, enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap()).await.unwrap(),
        [(String::new(), Why::NoDriveKnown)]
    );
}

async fn evidence_outlives_its_device_and_is_never_deleted_or_changed(test: &TestStore) {
    let one = reported(test, &[(-20, with(vec![drive("S1", DriveKind::Nvme)]))]).await;
    let text = nvme_sanitized("S1", at(-5, 0, 0));
    bring(test, one, &text, at(-4, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    device_archive::archive(&mut tx, &Scope::Everything, one.device, "given away", at(-3, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    // Years later: everything that is forgotten of a device is.
    let mut tx = test.store.write().await.unwrap();
    retention::devices(&mut tx, &[one.device.0], at(4_000, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let kept = erasure::of_device(&mut tx, one.device).await.unwrap();
    let files = erasure_file::of_device(&mut tx, one.device).await.unwrap();
    assert_eq!((kept.len(), files.len()), (1, 1));
    assert_eq!(files[0].proves, [kept[0].id]);
    let (_, content) = erasure_file::content(&mut tx, one.device, files[0].id).await.unwrap().unwrap();
    assert_eq!(content, text.as_bytes(), "byte for byte");
    let (_, hashed) = (content, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes())));
    assert_eq!(files[0].sha256, hashed);
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for sql in [
        "DELETE FROM erasure",
        "DELETE FROM erasure_file",
        "DELETE FROM erasure_evidence",
        "UPDATE erasure_file SET name = 'x'",
        "DELETE FROM device",
        "UPDATE erasure SET witness = 'rosa', witnessed_at = 1",
    ] {
        assert!(raw.execute(sql).await.is_err(), "{sql}");
    }
    assert_eq!(raw.number("SELECT COUNT(*) FROM erasure").await.unwrap(), 1);
}

async fn a_use_after_the_erasure_takes_the_proof_away_and_stays_known(test: &TestStore) {
    let report = with(vec![drive("S1", DriveKind::Nvme)]);
    let one = reported(test, &[(-20, report.clone())]).await;
    bring(test, one, &nvme_sanitized("S1", at(-19, -2, 0)), at(-19, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);
    let running = RunningIngest::start(&test.store);
    // The same day, later, with nothing new to say: an unchanged check-in is a use too.
    running.ingest.check_in(one.check_in(at(-19, 3, 0), Vec::new())).await.unwrap();
    running.stop().await;
    assert_eq!(missing(test, one).await.unwrap(), [("S1".to_owned(), Why::UsedSince)]);
    let mut tx = test.store.write().await.unwrap();
    retention::devices(&mut tx, &[one.device.0], at(40, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        missing(test, one).await.unwrap(),
        [("S1".to_owned(), Why::UsedSince)],
        "rounded to the day, and still known"
    );

    // And one that was not used again is not taken for it when its last contact is rounded.
    let other = reported(test, &[(-20, with(vec![drive("S2", DriveKind::Nvme)]))]).await;
    bring(test, other, &nvme_sanitized("S2", at(-20, 2, 0)), at(-20, 3, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    retention::devices(&mut tx, &[other.device.0], at(40, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(missing(test, other).await.unwrap(), []);
}

/// What nwipe 0.38 wrote of a loop device, in its bench's time.
const NWIPE: &str = include_str!("../../../server/src/domain/erasure/samples/nwipe-0.38-zero.log");

async fn a_clock_that_was_misread_is_corrected_by_the_same_file(test: &TestStore) {
    // Seen at 20:00 UTC, wiped at 20:26 UTC, which is 19:26 UTC to whoever takes the log's times for those of Paris.
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let (seen, now) = (at(5, 8, 0), at(5, 10, 0));
    let report = with(vec![drive("CTBL-LOOP-0001", DriveKind::Hdd)]);
    running.ingest.check_in(one.check_in(seen, vec![envelope(1, seen, report)])).await.unwrap();
    running.stop().await;
    let policy = POLICY();
    let files = [File { name: "nwipe.log", bytes: NWIPE.as_bytes() }];
    let enter = async |clock: BenchClock| {
        let mut tx = test.store.write().await.unwrap();
        let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
        let readings = evidence::read(&files, clock, now).unwrap();
        let by = by("rosa", now, &policy);
        erasure_entry::enter_files(&mut tx, &found, &readings, &files, Strangers::LeftOut, by).await?;
        tx.commit().await.unwrap();
        Ok::<(), EntryError>(())
    };
    // The size is missing in that report: what the tool counts decides alone.
    enter(BenchClock::Paris).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), [("CTBL-LOOP-0001".to_owned(), Why::UsedSince)]);
    enter(BenchClock::Utc).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);
    assert!(matches!(enter(BenchClock::Utc).await, Err(EntryError::Refused(Refused::Known))));
    let mut tx = test.store.read().await.unwrap();
    let files = erasure_file::of_device(&mut tx, one.device).await.unwrap();
    assert_eq!((files.len(), files[0].proves.len()), (1, 2), "kept once, for both readings");
}

/// The certificate that nwipe wrote of the same run, compressed.
const CERTIFICATE: &[u8] = include_bytes!("../../../server/src/domain/erasure/samples/nwipe-0.38-zero.pdf.zst");

/// Reads the files of a bench whose clock is UTC and records what they say, as whoever brings them does.
async fn bring_run(test: &TestStore, one: Enrolled, files: &[File<'_>], now: UtcMillis) -> anyhow::Result<()> {
    let policy = POLICY();
    let readings = evidence::read(files, BenchClock::Utc, now)?;
    let mut tx = test.store.write().await?;
    let found = device::find(&mut tx, &Scope::Everything, one.device).await?.context("a device")?;
    let by = by("rosa", now, &policy);
    erasure_entry::enter_files(&mut tx, &found, &readings, files, Strangers::LeftOut, by).await?;
    Ok(tx.commit().await?)
}

/// A log and its certificate under the names that a bench gives them.
const fn run_of<'a>(log: &'a [u8], certificate: &'a [u8]) -> [File<'a>; 2] {
    [File { name: "nwipe.log", bytes: log }, File { name: "report.pdf", bytes: certificate }]
}

async fn a_log_and_its_certificate_are_one_record_and_neither_is_taken_altered(test: &TestStore) {
    // Reported on the day of the run, eight hours before it.
    let one = reported(test, &[(5, with(vec![drive("CTBL-LOOP-0001", DriveKind::Hdd)]))]).await;
    let now = at(5, 10, 0);
    let certificate = zstd::decode_all(CERTIFICATE).unwrap();
    let serial = certificate.windows(16).position(|text| text == b"(CTBL-LOOP-0001)").unwrap();
    let mut forged = certificate.clone();
    forged[serial + 14] = b'2';
    let short = NWIPE.replacen("67108864 bytes read", "67108863 bytes read", 1);
    assert_ne!(short, NWIPE);
    for (what, log, certificate) in
        [("certificate", NWIPE, &forged), ("log", short.as_str(), &certificate), ("both", short.as_str(), &forged)]
    {
        let refused = bring_run(test, one, &run_of(log.as_bytes(), certificate), now).await.unwrap_err();
        assert!(refused.is::<Unreadable>(), "{what}: {refused}");
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for table in ["erasure", "erasure_file", "erasure_evidence"] {
        assert_eq!(raw.number(&format!("SELECT COUNT(*) FROM {table}")).await.unwrap(), 0, "{table}");
    }
    assert_eq!(missing(test, one).await.unwrap(), [("CTBL-LOOP-0001".to_owned(), Why::NothingRecorded)]);

    let files = run_of(NWIPE.as_bytes(), &certificate);
    bring_run(test, one, &files, now).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);
    let mut tx = test.store.read().await.unwrap();
    let records = erasure::of_device(&mut tx, one.device).await.unwrap();
    let mut kept = erasure_file::of_device(&mut tx, one.device).await.unwrap();
    drop(tx);
    assert_eq!(records.len(), 1, "{records:?}");
    let reading = &records[0].reading;
    assert_eq!((reading.drive.as_str(), reading.source), ("CTBL-LOOP-0001", Source::NwipeLogAndPdf));
    kept.sort_by(|left, right| left.name.cmp(&right.name));
    let told: Vec<_> = kept.iter().map(|file| (file.name.as_str(), file.sha256, file.proves.clone())).collect();
    let brought = files.map(|file| {
        let hashed = <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(file.bytes));
        (file.name, hashed, vec![records[0].id])
    });
    assert_eq!(told, brought);
    assert_eq!(raw.number("SELECT COUNT(*) FROM erasure_evidence").await.unwrap(), 2);
    let again = bring_run(test, one, &files, now).await.unwrap_err();
    assert!(matches!(again.downcast_ref::<EntryError>(), Some(EntryError::Refused(Refused::Known))), "{again}");
}

async fn what_is_entered_by_hand_needs_another_account(test: &TestStore) {
    let one = reported(test, &[(-20, with(vec![drive("S1", DriveKind::Nvme)]))]).await;
    let (policy, now) = (POLICY(), at(0, 0, 0));
    let typed = ByHand {
        drive: "S1".into(),
        model: String::new(),
        method: Method::Destruction,
        with: "shredder, receipt 12".into(),
        on: cartable_server::domain::paris::date(now),
    };
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let reading = typed.read(now).unwrap();
    let (id, _) = erasure_entry::enter_by_hand(&mut tx, &found, &reading, by("rosa", now, &policy)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), [("S1".to_owned(), Why::Unwitnessed)]);
    let witness = async |login: &str| {
        let mut tx = test.store.write().await.unwrap();
        let done = erasure_entry::witness(&mut tx, &found, id, by(login, now, &policy)).await;
        if done.is_ok() {
            tx.commit().await.unwrap();
        }
        done.map(drop)
    };
    for own in ["rosa", "Rosa"] {
        assert!(matches!(witness(own).await, Err(EntryError::Refused(Refused::OwnWitness))), "{own}");
    }
    witness("anne").await.unwrap();
    assert!(matches!(witness("bruno").await, Err(EntryError::Refused(Refused::Witnessed))));
    assert_eq!(missing(test, one).await.unwrap(), []);
}

async fn a_returned_device_is_flagged_until_its_drive_is_proven_erased(test: &TestStore) {
    let one = reported(test, &[(-80, with(vec![drive("S1", DriveKind::Nvme)]))]).await;
    let mut tx = test.store.write().await.unwrap();
    let programme = programme(&mut tx, at(-90, 0, 0)).await.unwrap();
    let borrower = borrower(&mut tx, None, at(-90, 0, 0)).await.unwrap();
    let back = Return { at: at(-60, 0, 0), condition: Condition::Good, missing: vec![] };
    let state = LoanState::Returned(handed(at(-85, 0, 0), None), back);
    let loan = loan_of(one.device, &borrower, &programme, at(-85, 0, 0), state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
    let flagged = async |now: UtcMillis| {
        let mut tx = test.store.write().await.unwrap();
        review::device(&mut tx, one.device, &POLICY(), now).await.unwrap();
        let open = flag::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
        tx.commit().await.unwrap();
        open.iter().any(|flag| flag.code == FlagCode::ErasureMissing)
    };
    assert!(!flagged(at(-31, 0, 0)).await, "29 days after its return");
    assert!(flagged(at(-30, 0, 0)).await);
    // Evidence clears it in the same unit of work.
    bring(test, one, &nvme_sanitized("S1", at(-10, 0, 0)), at(-9, 0, 0)).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let open = flag::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
    assert!(open.iter().all(|flag| flag.code != FlagCode::ErasureMissing), "{open:?}");
}
