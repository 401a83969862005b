//! One key on several machines: what the others measure never enters the device's history and is never acknowledged, and a
//! check-in of the machine that the key is bound to costs nothing for it. And what a contact after a silence leaves behind.

use cartable_common::{
    EnrolmentId, SerialNumber, SystemUuid, UtcMillis,
    machine::Likeness,
    protocol::ReportEnvelope,
    report::{Hardware, HealthReport},
};
use cartable_server::{
    domain::{
        clone::Suspicion,
        enrolment::EnrolmentStatus,
        flag::{FlagCode, Severity},
        policy::Policy,
        scope::Scope,
    },
    store::{
        cloned_key::{self, Healing},
        device,
        enrolment::{self, NewEnrolment},
        flag,
        ingest::{CheckIn, IngestError},
        review, sweep,
    },
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    what_a_clone_measures_is_not_the_devices_and_not_acknowledged,
    an_exchanged_main_board_is_doubtful_and_a_person_says_that_it_is_the_device,
    a_corrected_serial_number_is_no_other_machine,
    the_devices_own_check_ins_read_nothing_about_clones,
    two_machines_in_one_batch_are_told_apart,
    a_device_that_was_silent_is_back_for_a_week,
}

fn of(serial: &str, uuid: u128) -> Hardware {
    Hardware {
        serial_number: SerialNumber::parse(serial).into(),
        system_uuid: SystemUuid::parse(&Uuid::from_u128(uuid).to_string()).into(),
        ..Hardware::default()
    }
}

/// A report of the machine with that serial number.
fn report(sequence: u64, now: UtcMillis, serial: &str, free: u64) -> ReportEnvelope {
    let uuid = serial.bytes().fold(1_u128, |sum, byte| sum * 7 + u128::from(byte));
    envelope(sequence, now, HealthReport { hardware: of(serial, uuid), ..laptop(free) })
}

/// A check-in that says what the machine has now, without a report.
fn unchanged(one: Enrolled, now: UtcMillis, held: &HealthReport) -> CheckIn {
    let mut check_in = one.check_in(now, Vec::new());
    check_in.request.content_hash = Some(held.content_hash());
    check_in
}

async fn number(test: &TestStore, sql: &str) -> i64 {
    Raw::connect(test.url()).await.unwrap().number(sql).await.unwrap()
}

async fn texts(test: &TestStore, sql: &str) -> Vec<String> {
    Raw::connect(test.url()).await.unwrap().texts(sql).await.unwrap()
}

async fn told(test: &TestStore, one: Enrolled) -> Option<Severity> {
    let mut tx = test.store.read().await.unwrap();
    let open = flag::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
    open.into_iter().find(|flag| flag.code == FlagCode::IdentityCloned).map(|flag| flag.severity)
}

async fn what_a_clone_measures_is_not_the_devices_and_not_acknowledged(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let own = report(1, at(0, 0, 0), "PF2MASTER", 50);
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![own.clone()])).await.unwrap();

    // The clone's spool holds what came with the image, and its own.
    let (copied, foreign) = (report(2, at(0, 0, 10), "PF2MASTER", 49), report(3, at(0, 0, 20), "PF2CLONE1", 70));
    for minute in [20, 80] {
        let check_in = one.check_in(at(0, 0, minute), vec![copied.clone(), foreign.clone()]);
        assert_eq!(running.ingest.check_in(check_in).await, Err(IngestError::KeyCloned));
    }
    assert_eq!(number(test, "SELECT count(*) FROM report").await, 1, "nothing of it is stored");
    assert_eq!(number(test, "SELECT check_ins FROM contact").await, 1);
    assert_eq!(number(test, "SELECT count(*) FROM health_change").await, 0);
    assert!(texts(test, "SELECT report FROM health").await[0].contains("PF2MASTER"));
    assert_eq!(texts(test, "SELECT status FROM enrolment").await, ["quarantined"]);
    assert_eq!(texts(test, "SELECT action FROM audit").await, ["enrolment.quarantine"], "once");
    assert_eq!(number(test, "SELECT count(*) FROM cloned_key").await, 1);
    assert_eq!(told(test, one).await, Some(Severity::Critical), "twenty minutes after the device itself");

    // A hash alone: only the one that is held is the device's.
    let clones = unchanged(one, at(0, 2, 0), &foreign.report);
    assert_eq!(running.ingest.check_in(clones).await, Err(IngestError::KeyCloned));
    assert_eq!(running.ingest.check_in(one.check_in(at(0, 2, 0), Vec::new())).await, Err(IngestError::KeyCloned));
    running.ingest.check_in(unchanged(one, at(0, 2, 1), &own.report)).await.unwrap();
    // The device itself goes on reporting under its old key until it has another one, and what is told of it stays.
    let next = report(4, at(0, 3, 0), "PF2MASTER", 40);
    let receipt = running.ingest.check_in(one.check_in(at(0, 3, 0), vec![next.clone()])).await.unwrap();
    assert_eq!(receipt.acknowledged, [next.report_id]);
    assert_eq!(told(test, one).await, Some(Severity::Critical));
    let nameless = envelope(5, at(0, 3, 1), laptop(30));
    let nameless = one.check_in(at(0, 3, 1), vec![nameless]);
    assert_eq!(running.ingest.check_in(nameless).await, Err(IngestError::KeyCloned), "whose it is, it does not say");
    running.stop().await;

    let mut tx = test.store.read().await.unwrap();
    assert!(cloned_key::is_cloned(&mut tx, one.enrolment).await.unwrap());
    assert_eq!(cloned_key::suspicion(&mut tx, one.device).await.unwrap(), Suspicion::Cloned);
    drop(tx);
    let mut tx = test.store.write().await.unwrap();
    review::device(&mut tx, one.device, &Policy::default(), at(31, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(told(test, one).await, None, "a month without a clone");
}

async fn an_exchanged_main_board_is_doubtful_and_a_person_says_that_it_is_the_device(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let before = report(1, at(-4, 0, 0), "PF2OLDBOARD", 50);
    running.ingest.check_in(one.check_in(at(-4, 0, 0), vec![before])).await.unwrap();
    let after = report(2, at(0, 0, 0), "PF2NEWBOARD", 50);
    let refused = running.ingest.check_in(one.check_in(at(0, 0, 0), vec![after.clone()])).await;
    assert_eq!(refused, Err(IngestError::KeyCloned));
    assert_eq!(told(test, one).await, Some(Severity::Warning), "silent while it was repaired");

    // Its agent asked for a key of its own, and a person approves.
    let new = Enrolled { enrolment: EnrolmentId(Uuid::now_v7()), ..one };
    let mut tx = test.store.write().await.unwrap();
    assert_eq!(cloned_key::suspicion(&mut tx, one.device).await.unwrap(), Suspicion::Doubtful);
    let row = NewEnrolment {
        id: new.enrolment,
        device: one.device,
        request: Uuid::now_v7(),
        key: &[7; 32],
        token: None,
        status: EnrolmentStatus::Pending,
    };
    enrolment::insert(&mut tx, &row, at(0, 0, 0)).await.unwrap();
    let healing = Healing { old: one.enrolment, hardware: after.report.hardware.clone() };
    cloned_key::healed(&mut tx, new.enrolment, &healing, at(0, 0, 0)).await.unwrap();
    assert_eq!(cloned_key::healings_since(&mut tx, one.enrolment, at(-7, 0, 0)).await.unwrap(), 1);
    assert_eq!(cloned_key::healing_of(&mut tx, new.enrolment).await.unwrap(), Some(healing));
    assert!(enrolment::approve(&mut tx, new.enrolment, at(0, 1, 0)).await.unwrap());
    review::device(&mut tx, one.device, &Policy::default(), at(0, 1, 0)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(told(test, one).await, None);
    let mut tx = test.store.read().await.unwrap();
    let row = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    assert_eq!(row.serial_number.as_deref(), Some("PF2NEWBOARD"), "the record names the machine as it calls itself");
    drop(tx);
    let receipt = running.ingest.check_in(new.check_in(at(0, 1, 1), vec![after.clone()])).await.unwrap();
    assert_eq!(receipt.acknowledged, [after.report_id], "what waited in its spool was not lost");
    running.stop().await;
    assert_eq!(number(test, "SELECT count(*) FROM enrolment WHERE status = 'replaced'").await, 1);
}

async fn a_corrected_serial_number_is_no_other_machine(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report(1, at(0, 0, 0), "PF2FIRMWARE", 50)])).await.unwrap();
    // Staff wrote what stands on the label; the firmware says something else, as before.
    let sql = "UPDATE device SET serial_number = 'PF2LABEL', system_uuid = NULL";
    Raw::connect(test.url()).await.unwrap().execute(sql).await.unwrap();
    running.ingest.check_in(one.check_in(at(0, 1, 0), vec![report(2, at(0, 1, 0), "PF2FIRMWARE", 40)])).await.unwrap();
    // A new main board whose firmware was given the label's number.
    running.ingest.check_in(one.check_in(at(3, 0, 0), vec![report(3, at(3, 0, 0), "PF2LABEL", 30)])).await.unwrap();
    running.stop().await;
    assert_eq!(told(test, one).await, None);
    let mut tx = test.store.read().await.unwrap();
    let whose = cloned_key::whose_of_device(&mut tx, one.device, &of("PF2ELSE", 99)).await.unwrap();
    assert_eq!(whose, Likeness::Other);
}

async fn the_devices_own_check_ins_read_nothing_about_clones(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    // Whoever asks for clones now gets an error, and would be told so.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("ALTER TABLE cloned_key RENAME TO cloned_key_away").await.unwrap();
    let first = report(1, at(0, 0, 0), "PF2OWN", 50);
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![first.clone()])).await.unwrap();
    running.ingest.check_in(unchanged(one, at(0, 1, 0), &first.report)).await.unwrap();
    running.ingest.check_in(one.check_in(at(0, 2, 0), vec![report(2, at(0, 2, 0), "PF2OWN", 40)])).await.unwrap();
    running.ingest.check_in(one.check_in(at(0, 3, 0), vec![report(3, at(0, 3, 0), "PF2ELSE", 40)])).await.unwrap_err();
    running.stop().await;
}

async fn two_machines_in_one_batch_are_told_apart(test: &TestStore) {
    // Enrolled without a serial number: the first report says which machine it is.
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let both = vec![report(1, at(0, 0, 0), "PF2FIRST", 50), report(2, at(0, 0, 1), "PF2SECOND", 50)];
    assert_eq!(running.ingest.check_in(one.check_in(at(0, 0, 1), both)).await, Err(IngestError::KeyCloned));
    running.stop().await;
    assert_eq!(number(test, "SELECT count(*) FROM report").await, 0);
}

async fn a_device_that_was_silent_is_back_for_a_week(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-70, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(at(-60, 0, 0), Vec::new())).await.unwrap();
    let policy = Policy::default();
    let swept = async |now: UtcMillis| {
        let mut done = sweep::Swept::default();
        sweep::chunk(&test.store, None, sweep::Rules::Contact, &policy, now, &mut done).await.unwrap();
        let mut tx = test.store.read().await.unwrap();
        let open = flag::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
        open.into_iter().map(|flag| flag.code).collect::<Vec<_>>()
    };
    assert_eq!(swept(at(0, 0, 0)).await, [FlagCode::Silent]);
    running.ingest.check_in(one.check_in(at(0, 1, 0), Vec::new())).await.unwrap();
    assert_eq!(swept(at(0, 2, 0)).await, [FlagCode::BackAgain]);
    // A contact with a report judges by all rules, and leaves it.
    running.ingest.check_in(one.check_in(at(1, 0, 0), vec![report(1, at(1, 0, 0), "PF2BACK", 50)])).await.unwrap();
    running.ingest.check_in(one.check_in(at(1, 1, 0), Vec::new())).await.unwrap();
    assert!(swept(at(1, 2, 0)).await.contains(&FlagCode::BackAgain));
    running.ingest.check_in(one.check_in(at(6, 0, 0), Vec::new())).await.unwrap();
    assert!(swept(at(6, 1, 0)).await.contains(&FlagCode::BackAgain));
    assert!(!swept(at(7, 1, 0)).await.contains(&FlagCode::BackAgain), "a week later");
    running.stop().await;
}
