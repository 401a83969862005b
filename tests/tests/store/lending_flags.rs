//! What a contact alone says about a loan is said at once, and a contact that says nothing reads no loan; what is
//! recorded in bulk reads back as it was.

use cartable_common::UtcMillis;
use cartable_server::{
    domain::{
        flag::FlagCode,
        loan::{Condition, LendingState, Loan, LoanState, Return, Theft},
        policy::Policy,
        scope::Scope,
    },
    store::{flag, lending_bulk, loan, review},
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol},
    lending::{borrower, handed, loan_of, programme},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_contact_from_a_device_that_should_be_silent_is_flagged_at_once,
    an_overdue_device_that_speaks_again_is_no_longer_presumed_lost,
    a_contact_that_says_nothing_about_its_loan_reads_none,
    loans_recorded_in_bulk_read_back_as_they_were,
}

/// A device whose newest loan is in the state that `made` gives to what was handed over sixty days ago.
async fn device(
    test: &TestStore,
    due: Option<i64>,
    made: impl Fn(cartable_server::domain::loan::HandedOver) -> LoanState,
) -> (Enrolled, Loan) {
    let one = enrol(&test.store, test.url(), None, at(-70, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let programme = programme(&mut tx, at(-70, 0, 0)).await.unwrap();
    let borrower = borrower(&mut tx, None, at(-70, 0, 0)).await.unwrap();
    let state = made(handed(at(-60, 0, 0), due.map(|days| at(days, 0, 0))));
    let loan = loan_of(one.device, &borrower, &programme, at(-60, 0, 0), state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
    (one, loan)
}

async fn codes(test: &TestStore, one: Enrolled) -> Vec<FlagCode> {
    let mut tx = test.store.read().await.unwrap();
    let open = flag::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap();
    let mut codes: Vec<FlagCode> = open.into_iter().map(|flag| flag.code).collect();
    codes.sort();
    codes
}

async fn judged(test: &TestStore, one: Enrolled, now: UtcMillis) -> Vec<FlagCode> {
    let mut tx = test.store.write().await.unwrap();
    review::device(&mut tx, one.device, &Policy::default(), now).await.unwrap();
    tx.commit().await.unwrap();
    codes(test, one).await
}

async fn a_contact_from_a_device_that_should_be_silent_is_flagged_at_once(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    let ended = at(-20, 0, 0);
    let theft = || Theft { at: ended, police_report: "PV 2026/1".to_owned() };
    let back = || Return { at: ended, condition: Condition::Good, missing: vec![] };
    let cases = [
        (device(test, None, |handed| LoanState::Lost(handed, ended)).await.0, FlagCode::MissingCheckedIn),
        (device(test, None, |handed| LoanState::Stolen(handed, theft())).await.0, FlagCode::MissingCheckedIn),
        (device(test, None, |handed| LoanState::Returned(handed, back())).await.0, FlagCode::ReturnedInUse),
    ];
    for (one, code) in cases {
        assert_eq!(judged(test, one, at(0, 0, 0)).await, [], "not heard from: as it should be");
        running.ingest.check_in(one.check_in(at(0, 0, 0), Vec::new())).await.unwrap();
        assert_eq!(codes(test, one).await, [code]);
    }
    running.stop().await;
}

async fn an_overdue_device_that_speaks_again_is_no_longer_presumed_lost(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    let (one, _) = device(test, Some(-30), LoanState::HandedOver).await;
    running.ingest.check_in(one.check_in(at(-55, 0, 0), Vec::new())).await.unwrap();
    assert_eq!(judged(test, one, at(0, 0, 0)).await, [FlagCode::Silent, FlagCode::OverdueSilent]);
    running.ingest.check_in(one.check_in(at(0, 0, 5), Vec::new())).await.unwrap();
    assert_eq!(codes(test, one).await, [FlagCode::OverdueAlive]);
    running.stop().await;
}

async fn a_contact_that_says_nothing_about_its_loan_reads_none(test: &TestStore) {
    let running = RunningIngest::start(&test.store);
    let (lent, _) = device(test, Some(200), LoanState::HandedOver).await;
    let (lost, _) = device(test, None, |handed| LoanState::Lost(handed, at(-20, 0, 0))).await;
    let stock = enrol(&test.store, test.url(), None, at(-70, 0, 0)).await.unwrap();
    for one in [lent, stock] {
        running.ingest.check_in(one.check_in(at(0, 0, 0), Vec::new())).await.unwrap();
    }
    // Whoever asks for loans now gets an error, and would be told so.
    Raw::connect(test.url()).await.unwrap().execute("ALTER TABLE loan RENAME TO loan_away").await.unwrap();
    for one in [lent, stock] {
        running.ingest.check_in(one.check_in(at(0, 0, 30), Vec::new())).await.unwrap();
    }
    running.ingest.check_in(lost.check_in(at(0, 0, 30), Vec::new())).await.unwrap_err();
    running.stop().await;
}

async fn loans_recorded_in_bulk_read_back_as_they_were(test: &TestStore) {
    let (one, first) = device(test, Some(10), |handed| {
        LoanState::Returned(
            handed,
            Return { at: at(-40, 0, 0), condition: Condition::Worn, missing: vec!["chargeur".into()] },
        )
    })
    .await;
    let mut tx = test.store.write().await.unwrap();
    let (programme, borrower) =
        (programme(&mut tx, at(-40, 0, 0)).await.unwrap(), borrower(&mut tx, None, at(-40, 0, 0)).await.unwrap());
    let state = LoanState::HandedOver(handed(at(-30, 0, 0), Some(at(30, 0, 0))));
    let second = loan_of(one.device, &borrower, &programme, at(-30, 0, 0), state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&second), "test").await.unwrap();
    assert_eq!(loan::find(&mut tx, &Scope::Everything, first.id).await.unwrap(), Some(first));
    assert_eq!(loan::open_of_device(&mut tx, &Scope::Everything, one.device).await.unwrap(), Some(second.clone()));
    assert_eq!(loan::lending_state(&mut tx, one.device).await.unwrap(), Some(LendingState::Lent));
    let again = Loan { id: uuid::Uuid::new_v4(), ..second };
    let refused = lending_bulk::record(&mut tx, &[again], "test").await.unwrap_err();
    assert!(refused.is_duplicate_of("loan_open_of_device") || refused.is_duplicate_of("device_id"), "{refused}");
}
