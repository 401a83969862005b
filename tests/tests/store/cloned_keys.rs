//! One key on several machines: what the others measure never enters the device's history and is never acknowledged, and a
//! check-in of the machine that the key is bound to costs nothing for it. What strangers leave behind is bounded and forgotten
//! in time; who waits is shown as what it says it is, and let in as what is true then. And what a contact after a silence
//! leaves behind.

use cartable_common::{
    DeviceId, SerialNumber, SystemUuid, UtcMillis,
    machine::{Likeness, fingerprint},
    protocol::ReportEnvelope,
    report::{Hardware, HealthReport},
};
use cartable_server::{
    domain::{
        approval::{Effect, Hindrance, Ruling, WaitsFor},
        clone::{MACHINES_PER_KEY, Suspicion},
        device::DeviceStatus,
        flag::{FlagCode, Severity},
        policy::Policy,
        scope::Scope,
    },
    jobs::retention,
    store::{
        approval::{self, Outcome},
        approval_queue::{self, Asking, QueueQuery},
        cloned_key::{self, Healing},
        device::{self, NewDevice},
        enrolment, flag,
        ingest::{CheckIn, IngestError},
        lending::Clerk,
        newcomer, review, sweep,
    },
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    what_a_clone_measures_is_not_the_devices_and_not_acknowledged,
    an_exchanged_main_board_is_doubtful_and_a_person_says_that_it_is_the_device,
    who_waits_is_let_in_as_what_is_true_by_then,
    no_device_is_given_the_serial_number_of_another,
    a_check_in_leaves_one_machine_and_a_key_so_many,
    a_new_uuid_alone_is_doubtful_until_the_old_one_speaks_again,
    what_strangers_left_is_forgotten_in_time,
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

/// A machine that showed the key of `one` asks for a key of its own, and waits.
async fn asks(test: &TestStore, one: Enrolled, (key, hardware): (u8, &Hardware), now: UtcMillis) -> Uuid {
    let mut tx = test.store.write().await.unwrap();
    let request = (Uuid::new_v4(), &[key; 32]);
    let id = newcomer::insert_vouched(&mut tx, request, (one.enrolment, hardware), now).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn asking(test: &TestStore) -> Vec<Asking> {
    let mut tx = test.store.read().await.unwrap();
    approval_queue::list(&mut tx, &Scope::Everything, &QueueQuery::default()).await.unwrap().rows
}

/// What a person says to one request, having seen that effect of it.
async fn decide(test: &TestStore, ruling: Ruling, chosen: (Uuid, Option<String>), now: UtcMillis) -> Outcome {
    let (policy, scope) = (Policy::default(), Scope::Everything);
    let by = Clerk { actor: "anne", token: None, scope: &scope, policy: &policy, now };
    let mut tx = test.store.write().await.unwrap();
    let chosen = [chosen].into_iter().collect();
    let decided = approval::decide(&mut tx, by, ruling, Some("atelier"), &chosen).await.unwrap();
    tx.commit().await.unwrap();
    decided[0].outcome
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
    let exact = "SELECT count(*) FROM audit WHERE at % 86400000 <> 0";
    assert_eq!(number(test, exact).await, 0, "a contact that nobody decided: the audit knows the day alone");
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

    // Its agent asked for a key of its own, and a person approves what they see.
    let hardware = &after.report.hardware;
    let id = asks(test, one, (7, hardware), at(0, 0, 0)).await;
    let rows = asking(test).await;
    assert_eq!(rows.iter().map(|row| (row.id, row.waits_for)).collect::<Vec<_>>(), [(id, WaitsFor::ClonedKey)]);
    assert_eq!(rows[0].effect, Effect::Replaces(one.device));
    let known = rows[0].known.as_ref().unwrap();
    assert_eq!(rows[0].serial_number.as_deref(), Some("PF2NEWBOARD"), "the machine that asks");
    assert_eq!(known.serial_number.as_deref(), Some("PF2OLDBOARD"), "and the device that it may be");
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(cloned_key::suspicion(&mut tx, one.device).await.unwrap(), Suspicion::Doubtful);
    assert_eq!(cloned_key::vouched_for(&mut tx, one.device, at(-7, 0, 0)).await.unwrap(), 1);
    drop(tx);
    let shown = Some(rows[0].mark());
    assert_eq!(decide(test, Ruling::Approve, (id, shown), at(0, 1, 0)).await, Outcome::Approved(one.device));

    assert_eq!(told(test, one).await, None);
    let mut tx = test.store.read().await.unwrap();
    let row = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    assert_eq!(row.serial_number.as_deref(), Some("PF2NEWBOARD"), "the record names the machine as it calls itself");
    let new = enrolment::of_key(&mut tx, &[7; 32]).await.unwrap().unwrap();
    let healing = cloned_key::healing_of(&mut tx, new.enrolment).await.unwrap().unwrap();
    assert_eq!(healing, Healing { old: one.enrolment, machine: fingerprint(hardware).to_string() });
    drop(tx);
    let details = texts(test, "SELECT details FROM audit WHERE action = 'newcomer.approve'").await;
    assert!(details[0].contains("PF2NEWBOARD") && details[0].contains("PF2OLDBOARD"), "{details:?}");
    let new = Enrolled { enrolment: new.enrolment, ..one };
    let receipt = running.ingest.check_in(new.check_in(at(0, 1, 1), vec![after.clone()])).await.unwrap();
    assert_eq!(receipt.acknowledged, [after.report_id], "what waited in its spool was not lost");
    running.stop().await;
    assert_eq!(number(test, "SELECT count(*) FROM enrolment WHERE status = 'replaced'").await, 1);
}

async fn who_waits_is_let_in_as_what_is_true_by_then(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let own = report(1, at(-4, 0, 0), "PF2MASTER", 50);
    running.ingest.check_in(one.check_in(at(-4, 0, 0), vec![own.clone()])).await.unwrap();
    let (first, second) = (report(2, at(0, 0, 0), "PF2CLONE1", 50), report(2, at(0, 1, 0), "PF2CLONE2", 50));
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![first.clone()])).await.unwrap_err();
    let id = asks(test, one, (1, &first.report.hardware), at(0, 0, 0)).await;
    let shown = asking(test).await.remove(0);
    assert_eq!(shown.effect, Effect::Replaces(one.device), "it may be the device with a new main board");
    // Between the preview and the decision another machine comes: none of them is the device.
    running.ingest.check_in(one.check_in(at(0, 1, 0), vec![second.clone()])).await.unwrap_err();
    assert_eq!(decide(test, Ruling::Approve, (id, Some(shown.mark())), at(0, 2, 0)).await, Outcome::Changed);
    assert_eq!(number(test, "SELECT count(*) FROM enrolment").await, 1, "nothing was done");
    let Outcome::Approved(made) = decide(test, Ruling::Approve, (id, None), at(0, 2, 1)).await else {
        panic!("let in")
    };
    assert_ne!(made, one.device);
    assert_eq!(texts(test, "SELECT status FROM enrolment ORDER BY created_at").await, ["quarantined", "active"]);
    // The other one is refused, and the device itself goes on and finds its own key.
    let id = asks(test, one, (2, &second.report.hardware), at(0, 3, 0)).await;
    assert_eq!(decide(test, Ruling::Refuse, (id, None), at(0, 3, 1)).await, Outcome::Refused);
    assert_eq!(number(test, "SELECT count(*) FROM cloned_key WHERE settled = 0").await, 0, "nobody waits any more");
    assert_eq!(told(test, one).await, Some(Severity::Critical), "its own key is set aside still");
    running.ingest.check_in(unchanged(one, at(0, 4, 0), &own.report)).await.unwrap();
    running.stop().await;
}

async fn no_device_is_given_the_serial_number_of_another(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let own = envelope(1, at(0, 0, 0), HealthReport { hardware: of("PF2OWN", 7), ..laptop(50) });
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![own])).await.unwrap();
    running.stop().await;
    let mut tx = test.store.write().await.unwrap();
    let other = NewDevice {
        id: DeviceId(Uuid::now_v7()),
        status: DeviceStatus::Active,
        hardware: of("PF2OTHER", 9),
        asset_tag: None,
        programme: None,
        site: None,
        enrolled_at: None,
    };
    device::insert(&mut tx, &other, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    // By its UUID it is the device, by its serial number another one.
    let id = asks(test, one, (1, &of("PF2OTHER", 7)), at(0, 1, 0)).await;
    let taken = Hindrance::SerialTaken;
    assert_eq!(asking(test).await[0].effect, Effect::Impossible(taken));
    assert_eq!(decide(test, Ruling::Approve, (id, None), at(0, 2, 0)).await, Outcome::Impossible(taken));
    let serials = texts(test, "SELECT serial_number FROM device ORDER BY serial_number").await;
    assert_eq!(serials, ["PF2OTHER", "PF2OWN"]);
    // Once somebody corrected the other, it is let in; what it does not say stays in the record.
    let sql = "UPDATE device SET serial_number = 'PF2RIGHT' WHERE serial_number = 'PF2OTHER'";
    Raw::connect(test.url()).await.unwrap().execute(sql).await.unwrap();
    assert_eq!(decide(test, Ruling::Approve, (id, None), at(0, 3, 0)).await, Outcome::Approved(one.device));
    let id = asks(test, one, (2, &of("", 7)), at(0, 4, 0)).await;
    assert_eq!(decide(test, Ruling::Approve, (id, None), at(0, 5, 0)).await, Outcome::Approved(one.device));
    let serials = texts(test, "SELECT serial_number FROM device ORDER BY serial_number").await;
    assert_eq!(serials, ["PF2OTHER", "PF2RIGHT"]);
}

async fn a_check_in_leaves_one_machine_and_a_key_so_many(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let own = report(1, at(0, 0, 0), "PF2OWN", 50);
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![own.clone()])).await.unwrap();
    let many = (0..8).map(|number| report(2 + number, at(0, 5, 0), &format!("PF2INVENTED{number}"), 50)).collect();
    running.ingest.check_in(one.check_in(at(0, 5, 0), many)).await.unwrap_err();
    let machines = "SELECT count(*) FROM cloned_key";
    assert_eq!(number(test, machines).await, 1);
    assert_eq!(number(test, "SELECT at_once FROM cloned_key").await, 0, "hours after the device itself");
    // Then both speak within the hour: what is known of the machine only grows.
    running.ingest.check_in(unchanged(one, at(0, 6, 0), &own.report)).await.unwrap();
    let again = report(20, at(0, 6, 20), "PF2INVENTED0", 50);
    running.ingest.check_in(one.check_in(at(0, 6, 20), vec![again])).await.unwrap_err();
    assert_eq!(number(test, "SELECT at_once FROM cloned_key").await, 1);
    for invented in 0..u64::try_from(MACHINES_PER_KEY).unwrap() + 5 {
        let next = report(30 + invented, at(0, 7, 0), &format!("PF2MORE{invented}X"), 50);
        assert_eq!(running.ingest.check_in(one.check_in(at(0, 7, 0), vec![next])).await, Err(IngestError::KeyCloned));
    }
    assert_eq!(number(test, machines).await, MACHINES_PER_KEY);
    assert_eq!(number(test, "SELECT count(*) FROM report").await, 1);
    running.stop().await;
}

async fn a_new_uuid_alone_is_doubtful_until_the_old_one_speaks_again(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    let of_uuid = |sequence, now, uuid| envelope(sequence, now, HealthReport { hardware: of("", uuid), ..laptop(50) });
    let own = of_uuid(1, at(0, 0, 0), 7);
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![own])).await.unwrap();
    // Twice the firmware was updated within the hour.
    for (minute, uuid) in [(20, 8), (40, 9)] {
        let updated = of_uuid(2, at(0, 0, minute), uuid);
        running.ingest.check_in(one.check_in(at(0, 0, minute), vec![updated])).await.unwrap_err();
        assert_eq!(told(test, one).await, Some(Severity::Warning), "{minute}");
    }
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(cloned_key::suspicion(&mut tx, one.device).await.unwrap(), Suspicion::Doubtful);
    drop(tx);
    let own = envelope(3, at(0, 1, 0), HealthReport { hardware: of("", 7), ..laptop(30) });
    running.ingest.check_in(one.check_in(at(0, 1, 0), vec![own])).await.unwrap();
    assert_eq!(told(test, one).await, Some(Severity::Critical), "no firmware is updated back");
    running.stop().await;
}

async fn what_strangers_left_is_forgotten_in_time(test: &TestStore) {
    let one = enrol(&test.store, test.url(), None, at(-60, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(at(0, 0, 0), vec![report(1, at(0, 0, 0), "PF2OWN", 50)])).await.unwrap();
    let clones = ["PF2CLONE1", "PF2CLONE2"].map(|serial| report(2, at(0, 1, 2), serial, 50));
    for clone in &clones {
        running.ingest.check_in(one.check_in(at(0, 1, 2), vec![clone.clone()])).await.unwrap_err();
    }
    running.stop().await;
    let id = asks(test, one, (1, &clones[0].report.hardware), at(0, 1, 3)).await;
    assert!(matches!(decide(test, Ruling::Approve, (id, None), at(0, 1, 4)).await, Outcome::Approved(_)));
    let exact = "SELECT (SELECT count(*) FROM cloned_key WHERE first_at % 86400000 <> 0 OR last_at % 86400000 <> 0) \
                 + (SELECT count(*) FROM key_healing WHERE healed_at % 86400000 <> 0)";
    let machines = "SELECT count(*) FROM cloned_key";
    let stop = CancellationToken::new();
    retention::run(&test.store, at(29, 0, 0), &stop).await.unwrap();
    assert_eq!(number(test, exact).await, 3, "a month has not passed");
    assert_eq!(number(test, "SELECT count(*) FROM newcomer WHERE hardware LIKE '%PF2CLONE1%'").await, 1);
    retention::run(&test.store, at(31, 0, 0), &stop).await.unwrap();
    assert_eq!(number(test, exact).await, 0);
    assert_eq!(number(test, "SELECT count(*) FROM newcomer WHERE hardware LIKE '%PF2CLONE1%'").await, 0);
    retention::run(&test.store, at(500, 0, 0), &stop).await.unwrap();
    assert_eq!(number(test, machines).await, 2, "the key is set aside still");
    let sql = "UPDATE enrolment SET status = 'replaced' WHERE status = 'quarantined'";
    Raw::connect(test.url()).await.unwrap().execute(sql).await.unwrap();
    retention::run(&test.store, at(399, 0, 0), &stop).await.unwrap();
    assert_eq!(number(test, machines).await, 2);
    retention::run(&test.store, at(402, 0, 0), &stop).await.unwrap();
    assert_eq!(number(test, machines).await, 0);
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
