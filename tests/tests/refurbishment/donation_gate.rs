//! No device changes owner without every condition of DESIGN 6.6: not through the program, which is asked with each of
//! them missing, at approval and again at the hand-over; not by SQL written by hand, on either engine; not by a file or a
//! loan. That no route does it, single or bulk, the authority matrix counts after it has asked them all.

use cartable_common::DeviceId;
use cartable_server::{
    domain::{
        donation::{RecipientClass, Terms, basis::LegalBasis},
        import::{Blanks, Kind, OnError},
        loan::{LendingState, LoanState},
        paris,
        scope::Scope,
    },
    exchange::run::{GoOn, Runner},
    store::{
        device_archive, donation_approval,
        donation_delivery::{self, HandOver},
        donation_line::{self, Valued},
        donation_lot::{self, LotRefused},
        lending_bulk,
    },
};
use cartable_tests::{
    donation::{laptop, people, place, recipient, refusal, terms, worth},
    fleet::at,
    imports, lending, on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    each_condition_alone_keeps_a_lot_from_being_approved_and_from_being_handed_over,
    nobody_approves_what_they_put_together_not_even_by_sql,
    what_was_approved_does_not_change,
    sql_written_by_hand_gives_nothing_away,
    no_loan_and_no_file_gives_anything_away,
}

/// What may be missing, and how: each is done to the lot and its device after all was well.
const MISSING: [&str; 12] = [
    "evidence",
    "purge",
    "witness",
    "use since",
    "basis",
    "recipient",
    "class",
    "commitment",
    "proof",
    "value",
    "ceiling",
    "place",
];

/// Takes one condition away; whatever that takes, also where the program itself would not do it.
async fn spoil(test: &TestStore, (lot, id): (Uuid, DeviceId), what: &str) -> bool {
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let (lot, device) = (raw.uuid(lot), raw.uuid(id.0));
    let of_recipient = |set: &str| {
        format!(
            "UPDATE donation_recipient SET {set} WHERE id = (SELECT recipient_id FROM donation_lot WHERE id = {lot})"
        )
    };
    if matches!(what, "evidence" | "purge") {
        // What was recorded of an erasure is never changed: only somebody who owns the database gets so far.
        let table = if matches!(raw, Raw::Postgres(_)) { " ON erasure" } else { "" };
        raw.execute(&format!("DROP TRIGGER IF EXISTS erasure_unchanged{table}")).await.unwrap();
    }
    let sql = match what {
        "evidence" => format!("UPDATE erasure SET outcome = 'aborted' WHERE device_id = {device}"),
        "purge" => format!(
            "UPDATE erasure SET method = 'overwrite', level = 'clear', medium = 'flash' WHERE device_id = {device}"
        ),
        "witness" => format!("UPDATE erasure SET witness = NULL, witnessed_at = NULL WHERE device_id = {device}"),
        "use since" => format!("UPDATE erasure SET used_again = 1 WHERE device_id = {device}"),
        "basis" => format!("UPDATE donation_lot SET basis = NULL WHERE id = {lot}"),
        "recipient" => of_recipient("ended_at = 1"),
        "class" => of_recipient("class = 'own_staff'"),
        "commitment" => of_recipient("commitments = NULL"),
        "proof" => of_recipient("proof = NULL"),
        "value" => format!(
            "UPDATE donation_line SET value_cents = NULL, estimation = NULL, estimation_note = NULL, valued_by = NULL, \
             valued_at = NULL WHERE lot_id = {lot}"
        ),
        "ceiling" => format!("UPDATE donation_line SET value_cents = 30001 WHERE lot_id = {lot}"),
        _ => {
            let mut tx = test.store.write().await.unwrap();
            device_archive::archive(&mut tx, &Scope::Everything, id, "test", at(0, 0, 1)).await.unwrap();
            tx.commit().await.unwrap();
            return true;
        }
    };
    raw.execute(&sql).await.is_ok()
}

async fn each_condition_alone_keeps_a_lot_from_being_approved_and_from_being_handed_over(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    for (index, what) in MISSING.into_iter().enumerate() {
        // Before the approval.
        let id = who.ready(&test.store, &format!("B{index}"), now).await.unwrap();
        let lot = who.draft(&test.store, &[id], now).await.unwrap();
        assert!(spoil(test, (lot, id), what).await, "{what}");
        assert_eq!(refusal(who.approve(&test.store, lot, now).await).unwrap(), LotRefused::Unmet(1), "{what}");
        assert_ne!(place(&test.store, id).await.unwrap(), LendingState::Ceded, "{what}");
        // After it: what the database lets change is found at the hand-over.
        let id = who.ready(&test.store, &format!("C{index}"), now).await.unwrap();
        let lot = who.draft(&test.store, &[id], now).await.unwrap();
        who.approve(&test.store, lot, now).await.unwrap();
        let number = who.print(&test.store, lot, now).await.unwrap();
        let fixed = ["basis", "class", "commitment", "proof", "value", "ceiling"];
        assert_eq!(spoil(test, (lot, id), what).await, !fixed.contains(&what), "{what}");
        if fixed.contains(&what) {
            continue;
        }
        assert_eq!(refusal(who.deliver(&test.store, lot, number, now).await).unwrap(), LotRefused::Unmet(1), "{what}");
        assert_ne!(place(&test.store, id).await.unwrap(), LendingState::Ceded, "{what}");
    }
    // A direct gift to families without what decided it, and with it.
    let id = who.ready(&test.store, "D1", now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let college = recipient(&mut tx, RecipientClass::CollegeForFamilies, now).await.unwrap();
    let whole = terms(college, LegalBasis::FamiliesByDeliberation);
    let bare = Terms { deliberation: None, ..whole.clone() };
    let lot = donation_lot::create(&mut tx, "Familles", &bare, who.bruno, now).await.unwrap();
    donation_line::add(&mut tx, lot, &[id], who.bruno, now).await.unwrap();
    donation_line::value(&mut tx, lot, (Valued::One(id), &worth(85)), (who.bruno, "bruno"), now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(refusal(who.approve(&test.store, lot, now).await).unwrap(), LotRefused::Unmet(1));
    let mut tx = test.store.write().await.unwrap();
    donation_lot::set_terms(&mut tx, lot, ("Familles", &whole), who.bruno, now).await.unwrap();
    tx.commit().await.unwrap();
    who.approve(&test.store, lot, now).await.unwrap();
    // A deed of another lot, none, and a day before the approval.
    let other = who.draft(&test.store, &[who.ready(&test.store, "D2", now).await.unwrap()], now).await.unwrap();
    let foreign = who.print(&test.store, other, now).await.unwrap();
    assert_eq!(refusal(who.deliver(&test.store, lot, foreign, now).await).unwrap(), LotRefused::NoDeed);
    let number = who.print(&test.store, lot, now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let early = HandOver { day: paris::date(now.plus_days(-1)), deed: number };
    let done = donation_delivery::deliver(&mut tx, lot, who.bruno, early, who.clerk("bruno", now)).await;
    assert_eq!(refusal(done).unwrap(), LotRefused::BadDay);
}

async fn nobody_approves_what_they_put_together_not_even_by_sql(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let id = who.ready(&test.store, "E1", now).await.unwrap();
    let lot = who.draft(&test.store, &[id], now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let own = donation_approval::approve(&mut tx, lot, who.bruno, who.clerk("bruno", now)).await;
    assert_eq!(refusal(own).unwrap(), LotRefused::Own);
    drop(tx);
    // Whoever valued one unit has put it together too.
    let mut tx = test.store.write().await.unwrap();
    donation_line::value(&mut tx, lot, (Valued::One(id), &worth(80)), (who.anne, "anne"), now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(refusal(who.approve(&test.store, lot, now).await).unwrap(), LotRefused::Own);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let keep = format!(
        "UPDATE donation_line SET state = 'approved', ceiling_cents = 30000, checked_at = 1, \
         erasure_evidence = '[{{\"drive\":\"X\",\"record\":\"absent\"}}]' WHERE lot_id = {}",
        raw.uuid(lot)
    );
    raw.execute(&keep).await.unwrap();
    for person in [who.bruno, who.anne] {
        let sql = format!(
            "UPDATE donation_lot SET state = 'approved', approved_by = {}, approved_at = 1 WHERE id = {}",
            raw.uuid(person),
            raw.uuid(lot)
        );
        assert!(raw.execute(&sql).await.is_err(), "{sql}");
    }
}

async fn what_was_approved_does_not_change(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let (id, other) =
        (who.ready(&test.store, "F1", now).await.unwrap(), who.ready(&test.store, "F2", now).await.unwrap());
    let lot = who.draft(&test.store, &[id], now).await.unwrap();
    who.approve(&test.store, lot, now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let to = recipient(&mut tx, RecipientClass::ReuseBody, now).await.unwrap();
    let changed = terms(to, LegalBasis::Associations);
    assert_eq!(
        refusal(donation_lot::set_terms(&mut tx, lot, ("x", &changed), who.bruno, now).await).unwrap(),
        LotRefused::NotDraft
    );
    assert_eq!(
        refusal(donation_line::add(&mut tx, lot, &[other], who.bruno, now).await).unwrap(),
        LotRefused::NotDraft
    );
    assert_eq!(refusal(donation_line::remove(&mut tx, lot, id, who.bruno, now).await).unwrap(), LotRefused::NotDraft);
    let valued = (Valued::One(id), &worth(1));
    assert_eq!(
        refusal(donation_line::value(&mut tx, lot, valued, (who.bruno, "bruno"), now).await).unwrap(),
        LotRefused::NotDraft
    );
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let (lot_id, device, other) = (raw.uuid(lot), raw.uuid(id.0), raw.uuid(other.0));
    for sql in [
        format!(
            "INSERT INTO donation_line (lot_id, device_id, state, added_at) VALUES ({lot_id}, {other}, 'listed', 1)"
        ),
        format!("DELETE FROM donation_line WHERE lot_id = {lot_id}"),
        format!("UPDATE donation_line SET device_id = {other} WHERE lot_id = {lot_id}"),
        format!("UPDATE donation_line SET erasure_evidence = '[]' WHERE device_id = {device}"),
        format!("UPDATE donation_lot SET deliberation_number = 'x', deliberation_day = 1 WHERE id = {lot_id}"),
        format!("UPDATE donation_lot SET state = 'draft', approved_by = NULL, approved_at = NULL WHERE id = {lot_id}"),
    ] {
        assert!(raw.execute(&sql).await.is_err(), "{sql}");
    }
    // Given up, its devices are free again.
    let mut tx = test.store.write().await.unwrap();
    donation_lot::drop_lot(&mut tx, lot, now).await.unwrap();
    tx.commit().await.unwrap();
    who.draft(&test.store, &[id], now).await.unwrap();
}

async fn sql_written_by_hand_gives_nothing_away(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let id = who.ready(&test.store, "G1", now).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let device = raw.uuid(id.0);
    let cede = format!("UPDATE device SET lending_state = 'ceded' WHERE id = {device}");
    assert!(raw.execute(&cede).await.is_err(), "in no lot");
    let lot = who.draft(&test.store, &[id], now).await.unwrap();
    assert!(raw.execute(&cede).await.is_err(), "in a draft");
    let lot_id = raw.uuid(lot);
    // An approved line whose evidence is made up: the record is not there.
    for evidence in ["[]", "[{\"drive\":\"G1-DISK\",\"record\":\"0\"}]", "[{\"drive\":\"NONE\",\"record\":\"absent\"}]"]
    {
        let sql = format!(
            "UPDATE donation_line SET state = 'approved', ceiling_cents = 30000, checked_at = 1, \
             erasure_evidence = '{evidence}' WHERE lot_id = {lot_id}"
        );
        let taken = raw.execute(&sql).await.is_ok();
        assert_eq!(taken, evidence == "[{\"drive\":\"G1-DISK\",\"record\":\"0\"}]", "{evidence}");
    }
    let approve_it = format!(
        "UPDATE donation_lot SET state = 'approved', approved_by = {}, approved_at = 1 WHERE id = {lot_id}",
        raw.uuid(who.anne)
    );
    raw.execute(&approve_it).await.unwrap();
    assert!(raw.execute(&cede).await.is_err(), "evidence that nobody recorded");
    for sql in [
        format!("UPDATE donation_line SET state = 'delivered' WHERE lot_id = {lot_id}"),
        format!(
            "UPDATE donation_lot SET state = 'delivered', delivered_by = approved_by, delivered_at = 1, \
             delivered_day = 1, deed = 'DON-2026-000001' WHERE id = {lot_id}"
        ),
        format!(
            "INSERT INTO device (id, status, created_at, sort_serial, sort_model, sort_site, search_text, lending_state) \
             VALUES ({}, 'active', 1, '', '', '', '', 'ceded')",
            raw.uuid(Uuid::new_v4())
        ),
        format!(
            "INSERT INTO donation_lot (id, name, state, prepared_by, prepared_at) VALUES ({}, 'x', 'delivered', {}, 1)",
            raw.uuid(Uuid::new_v4()),
            raw.uuid(who.bruno)
        ),
    ] {
        assert!(raw.execute(&sql).await.is_err(), "{sql}");
        // It is this that is refused, and nothing else about the statement.
        let harmless = sql.replace("'ceded')", "'in_stock')");
        if harmless != sql {
            raw.execute(&harmless).await.unwrap();
        }
    }
    assert_eq!(raw.number("SELECT count(*) FROM device WHERE lending_state = 'ceded'").await.unwrap(), 0);
}

async fn no_loan_and_no_file_gives_anything_away(test: &TestStore) {
    let now = at(0, 0, 0);
    let mut tx = test.store.write().await.unwrap();
    let (programme, borrower) =
        (lending::programme(&mut tx, now).await.unwrap(), lending::borrower(&mut tx, None, now).await.unwrap());
    let id = laptop(&mut tx, "H1", now).await.unwrap();
    tx.commit().await.unwrap();
    // In bulk, as a new fleet brings its loans.
    let mut tx = test.store.write().await.unwrap();
    let ceded = LoanState::Ceded(lending::handed(now, None), now);
    let made = lending::loan_of(id, &borrower, &programme, now, ceded);
    assert!(lending_bulk::record(&mut tx, &[made], "test").await.is_err());
    drop(tx);
    // By files.
    let options = (OnError::Skip, Blanks::Keep);
    let files = [
        (Kind::Devices, "serial_number,lending_state\nH1,Cédé\nH2,Cédé\n".to_owned()),
        (
            Kind::Loans,
            format!(
                "serial_number,reference,programme,start_day,end_day,loan_state\nH1,{},{},2026-09-01,2026-10-01,Cédé\n",
                borrower.reference, programme.code
            ),
        ),
    ];
    for (kind, text) in files {
        let import = imports::begun(test, kind, &text, options, true).await.unwrap();
        Runner::new(test.store.clone(), imports::vault()).run(import, |_| GoOn::Yes).await.unwrap();
        let mut raw = Raw::connect(test.url()).await.unwrap();
        let refused = raw.number("SELECT count(*) FROM import_row WHERE outcome = 'bad'").await.unwrap();
        assert!(refused > 0, "{kind}: nothing was refused");
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device WHERE lending_state = 'ceded'").await.unwrap(), 0);
    assert_eq!(raw.number("SELECT count(*) FROM loan WHERE state = 'ceded'").await.unwrap(), 0);
}

/// The state is written in one place of the program: whatever else names it only reads it.
#[test]
fn one_function_writes_the_state_in_which_a_device_belongs_to_somebody_else() {
    let store = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    let mut writers = Vec::new();
    let mut folders = vec![store];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let by_word = ["lending_state = 'ceded' WHERE", "SET lending_state = 'ceded'"];
            let names = flat.contains("LendingState::Ceded.as_str()") || by_word.iter().any(|sql| flat.contains(sql));
            if names {
                writers.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(writers, ["donation_delivery.rs"]);
}
