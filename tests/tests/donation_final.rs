//! What was given away is somebody else's for good, on both engines: no loan and no SQL brings it back.

use cartable_server::{
    domain::loan::{Condition, LendingState, LoanState},
    store::{
        lending::{Lending, LendingError, Refused},
        lending_bulk,
    },
};
use cartable_tests::{
    donation::{people, place},
    fleet::at,
    lending, on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_device_that_changed_owner_does_not_come_back,
}

/// Lost with its borrower, found, given: the loan in which it was lost is its newest still.
async fn a_device_that_changed_owner_does_not_come_back(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let id = who.ready(&test.store, "F1", now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let (programme, borrower) =
        (lending::programme(&mut tx, now).await.unwrap(), lending::borrower(&mut tx, None, now).await.unwrap());
    let lost = LoanState::Lost(lending::handed(at(-90, 0, 0), None), at(-5, 0, 0));
    let loan = lending::loan_of(id, &borrower, &programme, at(-90, 0, 0), lost);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let to = |place: &str, id: &str| format!("UPDATE device SET lending_state = '{place}' WHERE id = {id}");
    let device = raw.uuid(id.0);
    raw.execute(&to("in_stock", &device)).await.unwrap();
    who.give(&test.store, &[id], now).await.unwrap();

    let refused = |done: Result<_, LendingError>| {
        matches!(done, Err(LendingError::Refused(Refused::NotLent(LendingState::Ceded))))
    };
    let mut desk = Lending::begin(&test.store, who.clerk("anne", now)).await.unwrap();
    assert!(refused(desk.take_back(loan.id, Condition::Good, vec![]).await));
    assert!(refused(desk.steal(loan.id, "PV 2026/1").await));
    assert!(refused(desk.write_off(loan.id).await));
    desk.commit().await.unwrap();
    for place in ["in_stock", "intake", "lost", "written_off"] {
        let told = raw.execute(&to(place, &device)).await.unwrap_err();
        assert!(format!("{told:#}").contains("device_stays_ceded"), "{place}: {told:#}");
    }
    assert_eq!(place(&test.store, id).await.unwrap(), LendingState::Ceded);
    assert_eq!(raw.texts("SELECT state FROM loan").await.unwrap(), ["lost"]);
}
