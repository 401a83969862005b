//! A device that came back is put in stock again only when what its last borrower left is erased, or its drive is declared
//! gone; what staff do with it afterwards takes nothing away.

use cartable_common::{
    SerialNumber, Text, UtcMillis,
    report::{Drive, DriveKind, HealthReport},
};
use cartable_server::{
    domain::{
        import::{Blanks, Kind, OnError, OutcomeName, fault::Reason},
        loan::{Condition, LoanState, Return},
        policy::Policy,
        scope::Scope,
    },
    exchange::{
        bad_rows,
        run::{GoOn, Runner},
    },
    store::{
        import,
        lending::{Clerk, Lending, LendingError, Refused},
        lending_bulk,
    },
};
use cartable_tests::{
    erasing::erased,
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    imports,
    lending::{borrower, handed, loan_of, programme},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};

on_both_engines! {
    nothing_goes_back_in_stock_with_what_its_last_borrower_left,
    a_device_without_any_known_drive_goes_back_in_stock,
    a_file_puts_no_device_in_stock_that_the_desk_would_refuse,
    a_lost_device_that_a_file_finds_is_erased_first,
}

fn with(serials: &[&str]) -> HealthReport {
    let drive = |serial: &&str| Drive {
        serial_number: SerialNumber::parse(serial).into(),
        model: Text::meaningful("Disk"),
        kind: Some(DriveKind::Nvme),
        ..Drive::default()
    };
    HealthReport { drives: serials.iter().map(drive).collect(), ..laptop(50) }
}

async fn reports(test: &TestStore, one: Enrolled, sequence: u64, when: UtcMillis, report: HealthReport) {
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(when, vec![envelope(sequence, when, report)])).await.unwrap();
    running.stop().await;
}

/// Lent at -85 and returned at -60.
async fn returned(test: &TestStore) -> Enrolled {
    let back = Return { at: at(-60, 0, 0), condition: Condition::Good, missing: vec![] };
    lent_until(test, LoanState::Returned(handed(at(-85, 0, 0), None), back)).await
}

/// A device whose loan of -85 ended so.
async fn lent_until(test: &TestStore, state: LoanState) -> Enrolled {
    let one = enrol(&test.store, test.url(), None, at(-90, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let programme = programme(&mut tx, at(-90, 0, 0)).await.unwrap();
    let borrower = borrower(&mut tx, None, at(-90, 0, 0)).await.unwrap();
    let loan = loan_of(one.device, &borrower, &programme, at(-85, 0, 0), state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
    one
}

async fn put_in_stock(test: &TestStore, one: Enrolled, now: UtcMillis) -> Result<(), Refused> {
    let policy = Policy::default();
    let clerk = Clerk { actor: "anne", token: None, scope: &Scope::Everything, policy: &policy, now };
    let mut lending = Lending::begin(&test.store, clerk).await.unwrap();
    match lending.put_in_stock(one.device).await {
        Ok(()) => {
            lending.commit().await.unwrap();
            Ok(())
        }
        Err(LendingError::Refused(refused)) => Err(refused),
        Err(error) => panic!("{error}"),
    }
}

async fn nothing_goes_back_in_stock_with_what_its_last_borrower_left(test: &TestStore) {
    let one = returned(test).await;
    reports(test, one, 1, at(-80, 0, 0), with(&["OLD1"])).await;
    reports(test, one, 2, at(-70, 0, 0), with(&["NEW2"])).await;
    let both = Refused::NotErased("NEW2, OLD1".to_owned());
    assert_eq!(put_in_stock(test, one, at(-59, 0, 0)).await, Err(both));
    // An erasure of before the loan proves nothing of it.
    erased(test, one, "OLD1", at(-88, 0, 0)).await.unwrap();
    erased(test, one, "NEW2", at(-55, 0, 0)).await.unwrap();
    assert_eq!(put_in_stock(test, one, at(-53, 0, 0)).await, Err(Refused::NotErased("OLD1".to_owned())));
    erased(test, one, "OLD1", at(-52, 0, 0)).await.unwrap();
    // Installed anew, and heard from: that is no borrower's use.
    reports(test, one, 3, at(-50, 0, 0), with(&["NEW2"])).await;
    assert_eq!(put_in_stock(test, one, at(-49, 0, 0)).await, Ok(()));
}

async fn a_device_without_any_known_drive_goes_back_in_stock(test: &TestStore) {
    let one = returned(test).await;
    assert_eq!(put_in_stock(test, one, at(-59, 0, 0)).await, Ok(()));
}

/// What becomes of a file's "T1 is in stock, of grade A": how many rows change something, and why others are refused.
async fn said_in_stock(test: &TestStore, write: bool) -> (i64, Vec<Reason>) {
    let text = "Étiquette;État de prêt;Grade\nT1;in_stock;A\n";
    let id = imports::begun(test, Kind::Devices, text, (OnError::Skip, Blanks::Keep), write).await.unwrap();
    let done = Runner::new(test.store.clone(), imports::vault()).run(id, |_| GoOn::Yes).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let bad = import::rows(&mut tx, id, Some(OutcomeName::Bad), 0, i64::MAX).await.unwrap();
    (done.counts.changed, bad.iter().flat_map(bad_rows::faults).map(|fault| fault.reason).collect())
}

async fn a_file_puts_no_device_in_stock_that_the_desk_would_refuse(test: &TestStore) {
    let one = returned(test).await;
    reports(test, one, 1, at(-80, 0, 0), with(&["OLD1"])).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE device SET asset_tag = 'T1'").await.unwrap();
    let state = "SELECT lending_state FROM device";
    for write in [false, true] {
        assert_eq!(said_in_stock(test, write).await, (0, vec![Reason::NotErased]), "the check says it already");
        assert_eq!(raw.texts(state).await.unwrap(), ["intake"]);
    }
    erased(test, one, "OLD1", at(-55, 0, 0)).await.unwrap();
    assert_eq!(said_in_stock(test, true).await, (1, vec![]));
    assert_eq!(raw.texts(state).await.unwrap(), ["in_stock"]);
}

/// Nobody at a desk took it back: whoever finds it in a cupboard writes it in a file.
async fn a_lost_device_that_a_file_finds_is_erased_first(test: &TestStore) {
    let one = lent_until(test, LoanState::Lost(handed(at(-85, 0, 0), None), at(-60, 0, 0))).await;
    reports(test, one, 1, at(-80, 0, 0), with(&["OLD1"])).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    raw.execute("UPDATE device SET asset_tag = 'T1'").await.unwrap();
    erased(test, one, "OLD1", at(-70, 0, 0)).await.unwrap();
    assert_eq!(said_in_stock(test, true).await, (0, vec![Reason::NotErased]), "erased before it was lost");
    erased(test, one, "OLD1", at(-55, 0, 0)).await.unwrap();
    assert_eq!(said_in_stock(test, true).await, (1, vec![]));
    assert_eq!(raw.texts("SELECT lending_state FROM device").await.unwrap(), ["in_stock"]);
}
