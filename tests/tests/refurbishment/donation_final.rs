//! What was given away is somebody else's for good, on both engines: no loan, no list and no SQL brings it back.

use cartable_server::{
    domain::{
        import::{Blanks, Kind, OnError, OutcomeName},
        loan::{Condition, LendingState, LoanState},
    },
    exchange::{
        bad_rows,
        run::{GoOn, Runner},
    },
    store::{
        donation_lot, import,
        lending::{Lending, LendingError, Refused},
        lending_bulk,
    },
};
use cartable_tests::{
    donation::{people, place},
    fleet::at,
    imports, lending, on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    a_device_that_changed_owner_does_not_come_back,
    a_list_of_loans_brings_no_link_back_and_lends_nothing_that_is_promised,
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

/// Why the row of a list of loans was refused.
async fn refused_loan(test: &TestStore, row: &str) -> String {
    let text = format!("serial_number,reference,programme,start_day,end_day,condition\n{row}\n");
    let import = imports::begun(test, Kind::Loans, &text, (OnError::Skip, Blanks::Keep), true).await.unwrap();
    Runner::new(test.store.clone(), imports::vault()).run(import, |_| GoOn::Yes).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let rows = import::rows(&mut tx, import, Some(OutcomeName::Bad), 0, 10).await.unwrap();
    rows.iter().flat_map(bad_rows::faults).map(|fault| fault.reason.to_string()).collect()
}

async fn a_list_of_loans_brings_no_link_back_and_lends_nothing_that_is_promised(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let (given, promised) =
        (who.ready(&test.store, "L1", now).await.unwrap(), who.ready(&test.store, "L2", now).await.unwrap());
    let mut tx = test.store.write().await.unwrap();
    let (programme, borrower) =
        (lending::programme(&mut tx, now).await.unwrap(), lending::borrower(&mut tx, None, now).await.unwrap());
    tx.commit().await.unwrap();
    who.give(&test.store, &[given], now).await.unwrap();
    let lot = who.draft(&test.store, &[promised], now).await.unwrap();
    let of = |serial: &str, rest: &str| format!("{serial},{},{},{rest}", borrower.reference, programme.code);
    let past = "2026-01-12,2026-06-30,Bon";
    assert_eq!(refused_loan(test, &of("L1", past)).await, "device_archived", "it would name a child again");
    assert_eq!(refused_loan(test, &of("L2", "2026-09-01,,")).await, "in_lot");
    // What was is told of a promised device; and one of a lot that was given up is lent as any other.
    assert_eq!(refused_loan(test, &of("L2", past)).await, "");
    let mut tx = test.store.write().await.unwrap();
    donation_lot::drop_lot(&mut tx, lot, now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(refused_loan(test, &of("L2", "2026-09-01,,")).await, "");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let states =
        "SELECT d.serial_number || ' ' || l.state FROM loan l JOIN device d ON d.id = l.device_id ORDER BY l.state";
    assert_eq!(raw.texts(states).await.unwrap(), ["L2 handed_over", "L2 returned"]);
}
