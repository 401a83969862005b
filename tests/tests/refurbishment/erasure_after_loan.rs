//! A loan is a use of the drives that were in the device, whether an agent tells of it or not: what was erased before or
//! during it proves nothing once the device is back.

use cartable_common::{
    SerialNumber, UtcMillis,
    report::{Drive, DriveKind, HealthReport},
};
use cartable_server::{
    domain::{
        erasure::{Method, gap::Why, hand::ByHand},
        loan::{Condition, LoanState, Return},
        paris,
        policy::Policy,
        scope::Scope,
    },
    store::{
        device,
        erasure_entry::{self, By},
        lending_bulk,
    },
};
use cartable_tests::{
    erasing::{erased, missing},
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    lending::{borrower, handed, loan_of, programme},
    on_both_engines,
    stores::TestStore,
};

on_both_engines! {
    a_laptop_that_was_silent_while_it_was_lent_is_erased_anew,
    while_it_is_lent_nothing_is_proven,
    a_tablet_without_agent_is_erased_anew_after_each_loan,
    a_drive_that_was_taken_out_before_the_loan_stays_proven,
}

/// A device whose agent reported this drive on each of these days.
async fn reported(test: &TestStore, reports: &[(i64, &str)]) -> Enrolled {
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let running = RunningIngest::start(&test.store);
    for (sequence, (day, serial)) in (1..).zip(reports) {
        let serial_number = SerialNumber::parse(serial).into();
        let drive = Drive { serial_number, kind: Some(DriveKind::Nvme), ..Drive::default() };
        let (when, report) = (at(*day, 0, 0), HealthReport { drives: vec![drive], ..laptop(50) });
        running.ingest.check_in(one.check_in(when, vec![envelope(sequence, when, report)])).await.unwrap();
    }
    running.stop().await;
    one
}

/// Lent at -28; given back on that day, or not yet.
async fn lent(test: &TestStore, one: Enrolled, back: Option<i64>) {
    let mut tx = test.store.write().await.unwrap();
    let programme = programme(&mut tx, at(-90, 0, 0)).await.unwrap();
    let borrower = borrower(&mut tx, None, at(-90, 0, 0)).await.unwrap();
    let out = handed(at(-28, 0, 0), None);
    let state = match back {
        Some(day) => {
            LoanState::Returned(out, Return { at: at(day, 0, 0), condition: Condition::Good, missing: vec![] })
        }
        None => LoanState::HandedOver(out),
    };
    let loan = loan_of(one.device, &borrower, &programme, at(-28, 0, 0), state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
}

/// Enters by hand, and confirms, that `serial` was sanitized on the day of that moment.
async fn by_hand(test: &TestStore, one: Enrolled, serial: &str, when: UtcMillis) {
    let policy = Policy::default();
    let by = |login| By { login, now: when, policy: &policy };
    let typed = ByHand {
        drive: serial.to_owned(),
        model: String::new(),
        method: Method::NvmeSanitizeCrypto,
        with: "bench".to_owned(),
        on: paris::date(when),
    };
    let mut tx = test.store.write().await.unwrap();
    let found = device::find(&mut tx, &Scope::Everything, one.device).await.unwrap().unwrap();
    let reading = typed.read(when).unwrap();
    let (id, _) = erasure_entry::enter_by_hand(&mut tx, &found, &reading, by("rosa")).await.unwrap();
    erasure_entry::witness(&mut tx, &found, id, by("anne")).await.unwrap();
    tx.commit().await.unwrap();
}

fn used(serial: &str) -> [(String, Why); 1] {
    [(serial.to_owned(), Why::UsedSince)]
}

async fn a_laptop_that_was_silent_while_it_was_lent_is_erased_anew(test: &TestStore) {
    let one = reported(test, &[(-40, "S1")]).await;
    erased(test, one, "S1", at(-30, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);
    lent(test, one, Some(-10)).await;
    assert_eq!(missing(test, one).await.unwrap(), used("S1"));
    erased(test, one, "S1", at(-20, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), used("S1"), "nor while it was out");
    erased(test, one, "S1", at(-9, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);
}

async fn while_it_is_lent_nothing_is_proven(test: &TestStore) {
    let one = reported(test, &[(-40, "S1")]).await;
    lent(test, one, None).await;
    erased(test, one, "S1", at(-9, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), used("S1"));
}

async fn a_tablet_without_agent_is_erased_anew_after_each_loan(test: &TestStore) {
    let one = reported(test, &[]).await;
    by_hand(test, one, "TAB1", at(-30, 0, 0)).await;
    assert_eq!(missing(test, one).await.unwrap(), []);
    lent(test, one, Some(-10)).await;
    assert_eq!(missing(test, one).await.unwrap(), used("TAB1"));
    by_hand(test, one, "TAB1", at(-10, 0, 0)).await;
    assert_eq!(missing(test, one).await.unwrap(), [], "on the day on which it came back");
}

async fn a_drive_that_was_taken_out_before_the_loan_stays_proven(test: &TestStore) {
    let one = reported(test, &[(-40, "OLD1"), (-38, "NEW2")]).await;
    erased(test, one, "OLD1", at(-39, 0, 0)).await.unwrap();
    lent(test, one, Some(-10)).await;
    erased(test, one, "NEW2", at(-9, 0, 0)).await.unwrap();
    assert_eq!(missing(test, one).await.unwrap(), []);
}
