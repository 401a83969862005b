//! What is known of a person goes in its time although the device was given away: nothing about a child stays in a need
//! that names nobody, and the days after the last return are counted as if the loan still said whose it was.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        borrower::Borrower,
        loan::{Condition, Loan, LoanState, Return},
        policy::Policy,
        programme::Programme,
        school_calendar::Zone,
        scope::Scope,
    },
    jobs::identity_erasure,
    store::{
        borrower, lending_bulk,
        site::{self, NewSite},
    },
};
use cartable_tests::{
    donation::{People, people},
    fleet::at,
    lending, on_both_engines,
    raw::Raw,
    simulator::site::uai_code,
    stores::TestStore,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    what_a_need_says_of_a_child_goes_with_the_device,
    a_gift_neither_hastens_nor_delays_forgetting,
}

/// Two devices that are ready to be given, a programme, a borrower of a site.
async fn started(test: &TestStore, now: UtcMillis) -> (People, [DeviceId; 2], Programme, Borrower) {
    let who = people(&test.store, now).await.unwrap();
    let devices = [who.ready(&test.store, "N1", now).await.unwrap(), who.ready(&test.store, "N2", now).await.unwrap()];
    let mut tx = test.store.write().await.unwrap();
    let uai = uai_code(96, 1).parse().unwrap();
    let new = NewSite { uai, name: "Collège 1".into(), commune: "Valmarin".into(), zone: Zone::A };
    let site = site::put(&mut tx, &new, now).await.unwrap();
    let programme = lending::programme(&mut tx, now).await.unwrap();
    let borrower = lending::borrower(&mut tx, Some(site), now).await.unwrap();
    tx.commit().await.unwrap();
    (who, devices, programme, borrower)
}

/// A loan of a device that began and ended then; the device waits in the intake.
async fn returned(
    test: &TestStore,
    device: DeviceId,
    (borrower, programme): (&Borrower, &Programme),
    (began, ended): (UtcMillis, UtcMillis),
) -> Loan {
    let back = Return { at: ended, condition: Condition::Good, missing: vec![] };
    let state = LoanState::Returned(lending::handed(began, None), back);
    let loan = lending::loan_of(device, borrower, programme, began, state);
    let mut tx = test.store.write().await.unwrap();
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    tx.commit().await.unwrap();
    loan
}

/// A need of an ULIS that the loan met, and the line of the proposal that set the device aside for it.
async fn need_met_by(raw: &mut Raw, (number, who): (u128, &People), loan: &Loan) {
    let (id, borrower) = (raw.uuid(Uuid::from_u128(number)), raw.uuid(loan.borrower));
    let (loan, device) = (raw.uuid(loan.id), raw.uuid(loan.device.0));
    let hash = raw.bytes(&number.to_be_bytes());
    let explanation = r#"{"parts":[{"reason":"ulis","points":30}],"by_floor":true,"given":null}"#;
    for sql in [
        format!(
            "INSERT INTO need (id, natural_key_hash, site_id, programme_id, level, reasons, borrower_id, state, \
             entered_by, entered_at, ended_at, loan_id) SELECT {id}, {hash}, site_id, programme_id, '6e', \
             '[\"ulis\"]', {borrower}, 'met', 'rita', 1, 2, id FROM loan WHERE id = {loan}"
        ),
        format!(
            "INSERT INTO allocation (id, state, proposed_by, proposed_at, decided_by, decided_at, terms) \
             VALUES ({id}, 'approved', {}, 1, {}, 2, '{{}}')",
            raw.uuid(who.bruno),
            raw.uuid(who.anne)
        ),
        format!(
            "INSERT INTO allocation_line (allocation_id, rank, need_id, site_id, state, score, explanation, device_id, \
             loan_id) SELECT {id}, 1, {id}, site_id, 'reserved', 30, '{explanation}', {device}, id FROM loan \
             WHERE id = {loan}"
        ),
    ] {
        raw.execute(&sql).await.unwrap();
    }
}

async fn what_a_need_says_of_a_child_goes_with_the_device(test: &TestStore) {
    let now = at(0, 0, 0);
    let (who, devices, programme, borrower) = started(test, now).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for (number, device) in (1..).zip(devices) {
        let loan = returned(test, device, (&borrower, &programme), (at(-90, 0, 0), at(-5, 0, 0))).await;
        need_met_by(&mut raw, (number, &who), &loan).await;
    }
    who.give(&test.store, &devices[..1], now).await.unwrap();
    let needs = "SELECT state || ' ' || COALESCE(level, '-') || ' ' || reasons || \
                 CASE WHEN natural_key_hash IS NULL THEN '' ELSE ' hash' END || \
                 CASE WHEN borrower_id IS NULL THEN ' nobody' ELSE ' hers' END FROM need ORDER BY id";
    assert_eq!(
        raw.texts(needs).await.unwrap(),
        ["met - [] nobody", "met 6e [\"ulis\"] hash hers"],
        "nothing about her in the one, and the one of the device that stays as it was"
    );
    let lines = "SELECT score || ' ' || explanation FROM allocation_line ORDER BY allocation_id";
    let [given, kept] = <[String; 2]>::try_from(raw.texts(lines).await.unwrap()).unwrap();
    assert!(given.starts_with("30 ") && given.contains("\"parts\":[]"), "the score stays, its parts go: {given}");
    assert!(given.contains("\"by_floor\":true") && kept.contains("ulis"), "{given} {kept}");
}

async fn a_gift_neither_hastens_nor_delays_forgetting(test: &TestStore) {
    let now = at(0, 0, 0);
    let (who, [given, kept], programme, _) = started(test, now).await;
    let third = who.ready(&test.store, "N3", now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let old = lending::borrower(&mut tx, None, at(-500, 0, 0)).await.unwrap();
    let corrected = lending::borrower(&mut tx, None, at(-30, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    returned(test, given, (&old, &programme), (at(-90, 0, 0), at(-5, 0, 0))).await;
    returned(test, kept, (&old, &programme), (at(-300, 0, 0), at(-50, 0, 0))).await;
    returned(test, third, (&corrected, &programme), (at(-90, 0, 0), at(-5, 0, 0))).await;
    who.give(&test.store, &[given, third], now).await.unwrap();
    let policy = Policy::from_toml("[privacy]\nidentity_days = 90\nunused_identity_days = 400\n").unwrap();
    let running = CancellationToken::new();
    let forgotten = async |day| {
        identity_erasure::run(&test.store, &policy, at(day, 0, 0), &running).await.unwrap();
        let mut tx = test.store.read().await.unwrap();
        let mut forgotten = Vec::new();
        for id in [old.id, corrected.id] {
            let row = borrower::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap();
            forgotten.push(row.identity_erased_at.is_some());
        }
        forgotten
    };
    assert_eq!(forgotten(1).await, [false, false], "what was entered long ago is kept after the last return");
    assert_eq!(forgotten(45).await, [false, false], "the loan of the device that was given ended last");
    assert_eq!(forgotten(84).await, [false, false]);
    assert_eq!(forgotten(86).await, [true, true], "90 days after the return, not 400 after the entry");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let kept = "SELECT count(*) FROM borrower WHERE last_loan_ended_at IS NOT NULL";
    assert_eq!(raw.number(kept).await.unwrap(), 0, "nor when it ended");
}
