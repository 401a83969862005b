//! A lot from its draft to its new owners, on both engines: what happens at the hand-over, what the agent that comes back
//! is told, what is forgotten, and of what whoever chooses or approves a gift to families is warned. That nothing is given
//! away otherwise is in `donation_gate`.

use axum::http;
use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    api,
    domain::{
        document::DocumentKind,
        donation::{LotState, RecipientClass, Terms, basis::LegalBasis},
        erasure::Method,
        flag::FlagCode,
        loan::{Condition, LendingState, LoanState, Return},
        policy::Policy,
        scope::Scope,
    },
    store::{
        borrower::{self, NOBODY, NOBODYS_REFERENCE},
        borrower_list::{self, BorrowerQuery},
        device,
        device_archive::{self, Unarchiving},
        donation_line::{self, Valued},
        donation_lot::{self, LotRefused},
        donation_recipient, flag,
        flag_list::{self, FlagQuery},
        lending::{Clerk, Lending, LendingError, Refused, Wish},
        lending_bulk, loan, loan_signature,
        page::Total,
        release, review,
    },
};
use cartable_tests::{
    donation::{People, erased, people, place, recipient, refusal, terms, worth},
    fleet::{at, enrol},
    in_process::InProcess,
    lending, on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use serde_json::json;
use uuid::Uuid;

on_both_engines! {
    a_lot_goes_from_its_draft_to_new_owners,
    a_promised_device_is_not_lent,
    an_agent_that_comes_back_after_it_was_told_is_flagged,
    what_linked_a_device_to_its_borrowers_is_erased,
    nobody_is_neither_lent_to_nor_found,
    adding_nothing_makes_nobody_an_editor,
    a_value_for_all_where_each_has_one_says_so,
    a_gift_to_families_is_chosen_and_approved_beside_its_warning,
}

async fn a_lot_goes_from_its_draft_to_new_owners(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let devices = [who.ready(&test.store, "A1", now).await.unwrap(), who.ready(&test.store, "A2", now).await.unwrap()];
    let lot = who.draft(&test.store, &devices, now).await.unwrap();
    who.approve(&test.store, lot, now).await.unwrap();
    let number = who.print(&test.store, lot, now).await.unwrap();
    assert_eq!((number.kind, number.to_string().as_str()), (DocumentKind::DonationDeed, "DON-2026-000001"));
    assert_eq!(who.deliver(&test.store, lot, number, now).await.unwrap(), 2);
    let mut tx = test.store.read().await.unwrap();
    let row = donation_lot::find(&mut tx, lot).await.unwrap().unwrap();
    assert_eq!((row.state, row.delivered.unwrap().deed), (LotState::Delivered, number));
    for id in devices {
        let row = device::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap();
        assert_eq!(row.status.as_str(), "released");
        assert_eq!(row.archived_at, Some(now));
        assert!(row.archive_reason.unwrap().contains("Lot 1"));
    }
    drop(tx);
    assert_eq!(place(&test.store, devices[0]).await.unwrap(), LendingState::Ceded);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let acts = raw.texts("SELECT action FROM audit ORDER BY seq").await.unwrap();
    for (act, count) in [("donation_lot.approve", 1), ("donation_lot.deliver", 1), ("device.donate", 2)] {
        assert_eq!(acts.iter().filter(|found| *found == act).count(), count, "{act}: {acts:?}");
    }
    let evidence = raw.texts("SELECT erasure_evidence FROM donation_line").await.unwrap();
    assert!(evidence.iter().all(|json| json.contains("-DISK")), "{evidence:?}");
    // It is final.
    let mut tx = test.store.write().await.unwrap();
    let taken = device_archive::unarchive(&mut tx, &Scope::Everything, devices[0], &who.policy, now).await.unwrap();
    assert_eq!(taken, Unarchiving::Given);
    drop(tx);
    assert!(matches!(refusal(who.deliver(&test.store, lot, number, now).await).unwrap(), LotRefused::NotApproved(_)));
    let again = async {
        let mut tx = test.store.write().await.unwrap();
        donation_lot::drop_lot(&mut tx, lot, now).await
    };
    assert_eq!(refusal(again.await).unwrap(), LotRefused::HandedOver);
}

async fn a_promised_device_is_not_lent(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let id = who.ready(&test.store, "I1", now).await.unwrap();
    who.draft(&test.store, &[id], now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let (programme, borrower) =
        (lending::programme(&mut tx, now).await.unwrap(), lending::borrower(&mut tx, None, now).await.unwrap());
    tx.commit().await.unwrap();
    let mut desk = Lending::begin(&test.store, who.clerk("anne", now)).await.unwrap();
    let wish = Wish { device: id, borrower: borrower.id, programme: programme.id };
    let refused = desk.reserve(wish).await;
    assert!(matches!(refused, Err(LendingError::Refused(Refused::InLot))), "{refused:?}");
    drop(desk);
    // Nor put into a second lot.
    let mut tx = test.store.write().await.unwrap();
    let other = donation_lot::create(&mut tx, "x", &Terms::default(), who.bruno, now).await.unwrap();
    let promised = donation_lot::list(&mut tx).await.unwrap().into_iter().find(|lot| lot.id != other).unwrap().name;
    let refused = refusal(donation_line::add(&mut tx, other, &[id], who.bruno, now).await).unwrap();
    assert_eq!(refused, LotRefused::InLot { device: "I1".to_owned(), lot: promised.clone() });
    assert_eq!(refused.to_string(), format!("the device I1 is in the lot {promised:?} already"));
    let stranger = DeviceId(Uuid::from_u128(7));
    let refused = refusal(donation_line::add(&mut tx, other, &[stranger], who.bruno, now).await).unwrap();
    assert_eq!(refused, LotRefused::NoDevice(stranger.to_string()));
}

/// A device with an agent whose one drive was purged after its last contact.
async fn enrolled(test: &TestStore, who: &People, drive: &str, now: UtcMillis) -> DeviceId {
    let one = enrol(&test.store, test.url(), None, now.plus_days(-2)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    erased(&mut tx, one.device, (drive, Method::NvmeSanitizeCrypto), &who.policy, now).await.unwrap();
    tx.commit().await.unwrap();
    one.device
}

async fn an_agent_that_comes_back_after_it_was_told_is_flagged(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let id = enrolled(test, &who, "J1-DISK", now).await;
    let never = enrolled(test, &who, "J2-DISK", now).await;
    assert!(!release::heard(&test.store, id, &who.policy, now).await.unwrap(), "not given yet");
    who.give(&test.store, &[id, never], now).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let keys = format!("SELECT status FROM enrolment WHERE device_id = {}", raw.uuid(id.0));
    assert_eq!(raw.texts(&keys).await.unwrap(), ["released"]);
    let flags = async |id| {
        let mut tx = test.store.read().await.unwrap();
        let open = flag::open_of_device(&mut tx, &Scope::Everything, id).await.unwrap();
        open.into_iter().map(|flag| flag.code).collect::<Vec<_>>()
    };
    // Told, and told again because the answer was lost: as it should be.
    assert!(release::heard(&test.store, id, &who.policy, at(3, 0, 0)).await.unwrap());
    assert!(release::heard(&test.store, id, &who.policy, at(3, 0, 2)).await.unwrap());
    assert_eq!(flags(id).await, []);
    // Back the hour after: it did not remove itself.
    assert!(release::heard(&test.store, id, &who.policy, at(3, 1, 0)).await.unwrap());
    assert_eq!(flags(id).await, [FlagCode::CededReporting]);
    assert_eq!(flags(never).await, []);
    // The list shows it though the device is archived, and forgets it once it has been silent.
    let mut tx = test.store.read().await.unwrap();
    let query = FlagQuery { limit: 10, ..FlagQuery::default() };
    let listed = flag_list::list(&mut tx, &Scope::Everything, &query, at(3, 2, 0)).await.unwrap();
    assert_eq!(listed.rows.len(), 1);
    drop(tx);
    let mut tx = test.store.write().await.unwrap();
    review::device(&mut tx, id, &Policy::default(), at(30, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(flags(id).await, []);
}

async fn what_linked_a_device_to_its_borrowers_is_erased(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let (id, other) =
        (who.ready(&test.store, "K1", now).await.unwrap(), who.ready(&test.store, "K2", now).await.unwrap());
    let mut tx = test.store.write().await.unwrap();
    let (programme, borrower) =
        (lending::programme(&mut tx, now).await.unwrap(), lending::borrower(&mut tx, None, now).await.unwrap());
    let back = |at| Return { at, condition: Condition::Good, missing: vec![] };
    let ended = at(-5, 0, 0);
    let loans = [id, other].map(|device| {
        let state = LoanState::Returned(lending::handed(at(-90, 0, 0), None), back(ended));
        lending::loan_of(device, &borrower, &programme, at(-90, 0, 0), state)
    });
    lending_bulk::record(&mut tx, &loans, "test").await.unwrap();
    for loan in &loans {
        loan_signature::put(&mut tx, loan.id, "sealed", ended).await.unwrap();
    }
    tx.commit().await.unwrap();
    who.give(&test.store, &[id], now).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let kept = loan::find(&mut tx, &Scope::Everything, loans[0].id).await.unwrap().unwrap();
    assert_eq!((kept.borrower, kept.device), (NOBODY, id), "the loan stays, and names nobody");
    assert_eq!(loan::of_borrower(&mut tx, &Scope::Everything, borrower.id).await.unwrap().len(), 1, "the other's");
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM loan_signature").await.unwrap(), 1);
    // A second lot finds that borrower there already.
    who.give(&test.store, &[other], now).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM borrower WHERE institution_name IS NOT NULL").await.unwrap(), 1);
    let mut tx = test.store.write().await.unwrap();
    assert!(!donation_recipient::end(&mut tx, Uuid::new_v4(), now).await.unwrap());
}

async fn nobody_is_neither_lent_to_nor_found(test: &TestStore) {
    let now = at(0, 0, 0);
    let who = people(&test.store, now).await.unwrap();
    let (given, stays) =
        (who.ready(&test.store, "M1", now).await.unwrap(), who.ready(&test.store, "M2", now).await.unwrap());
    who.give(&test.store, &[given], now).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM borrower").await.unwrap(), 1, "only the one that stands for nobody");
    let all = &Scope::Everything;
    let mut tx = test.store.write().await.unwrap();
    let programme = lending::programme(&mut tx, now).await.unwrap();
    assert_eq!(borrower::find(&mut tx, all, NOBODY).await.unwrap(), None);
    let reference = NOBODYS_REFERENCE.parse().unwrap();
    assert_eq!(borrower::find_by_reference(&mut tx, all, &reference).await.unwrap(), None);
    let listed = borrower_list::list(&mut tx, all, &BorrowerQuery::default()).await.unwrap();
    assert_eq!((listed.rows, listed.total), (vec![], Total::Exact(0)));
    tx.commit().await.unwrap();
    let clerk = Clerk { actor: "anne", token: None, scope: all, policy: &who.policy, now };
    let wish = Wish { device: stays, borrower: NOBODY, programme: programme.id };
    let mut desk = Lending::begin(&test.store, clerk).await.unwrap();
    assert!(matches!(desk.reserve(wish).await, Err(LendingError::Refused(Refused::NoBorrower))));
    drop(desk);
    let anne = InProcess::new(&test.store).signed_in("anne").await.unwrap();
    assert_eq!(anne.get(&format!("/borrowers/{NOBODY}")).await.unwrap().status, 404);
    assert!(!anne.get("/borrowers").await.unwrap().body.contains(NOBODYS_REFERENCE));
}

async fn adding_nothing_makes_nobody_an_editor(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), at(0, 0, 0));
    let who = people(&test.store, now).await.unwrap();
    let lot = who.draft(&test.store, &[who.ready(&test.store, "O1", now).await.unwrap()], now).await.unwrap();
    let anne = cartable.signed_in("anne").await.unwrap().speaking("en");
    let answer = anne.post(&format!("/lots/{lot}/add"), "codes=%20%0D%0A").await.unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Enter at least one label or serial number."), "{}", answer.body);
    // She did not help to put it together.
    who.approve(&test.store, lot, now).await.unwrap();
}

async fn a_value_for_all_where_each_has_one_says_so(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), at(0, 0, 0));
    let who = people(&test.store, now).await.unwrap();
    let lot = who.draft(&test.store, &[who.ready(&test.store, "P1", now).await.unwrap()], now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let valued = (Valued::AllWithout, &worth(10));
    let refused = donation_line::value(&mut tx, lot, valued, (who.bruno, "bruno"), now).await;
    assert_eq!(refusal(refused).unwrap(), LotRefused::AllValued);
    let empty = donation_lot::create(&mut tx, "x", &Terms::default(), who.bruno, now).await.unwrap();
    let refused = donation_line::value(&mut tx, empty, valued, (who.bruno, "bruno"), now).await;
    assert_eq!(refusal(refused).unwrap(), LotRefused::Empty);
    drop(tx);
    let token = cartable.token("bruno").await.unwrap();
    let body = json!({ "value": "10", "estimation": "market", "note": "x" });
    let answer = cartable
        .call(&http::Method::POST, &format!("/api/v1/donation-lots/{lot}/value"), Some(&token), Some(body))
        .await
        .unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("every unit has a value already"), "{}", answer.body);
}

/// The warning of DESIGN 8 as both languages begin it.
const WARNED: [(&str, &str); 2] = [
    ("fr", "Les familles ne figurent pas parmi les bénéficiaires de CG3P L. 3212-2"),
    ("en", "Families are not among the recipients of CG3P L. 3212-2"),
];

async fn a_gift_to_families_is_chosen_and_approved_beside_its_warning(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), at(0, 0, 0));
    let who = people(&test.store, now).await.unwrap();
    let own = who.draft(&test.store, &[who.ready(&test.store, "L1", now).await.unwrap()], now).await.unwrap();
    let id = who.ready(&test.store, "L2", now).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let college = recipient(&mut tx, RecipientClass::CollegeForFamilies, now).await.unwrap();
    let by_deliberation = terms(college, LegalBasis::FamiliesByDeliberation);
    let families = donation_lot::create(&mut tx, "Familles", &by_deliberation, who.bruno, now).await.unwrap();
    donation_line::add(&mut tx, families, &[id], who.bruno, now).await.unwrap();
    donation_line::value(&mut tx, families, (Valued::One(id), &worth(85)), (who.bruno, "bruno"), now).await.unwrap();
    tx.commit().await.unwrap();
    let anne = cartable.signed_in("anne").await.unwrap();
    let warnings = async |path: String| {
        let mut counts = Vec::new();
        for (language, words) in WARNED {
            let page = anne.clone().speaking(language).get(&path).await.unwrap();
            assert_eq!(page.status, 200, "{path}");
            counts.push(page.body.matches(words).count());
        }
        counts
    };
    assert_eq!(warnings("/lots".to_owned()).await, [1, 1], "where a lot is begun");
    assert_eq!(warnings(format!("/lots/{own}")).await, [1, 1], "where the terms of a draft are chosen");
    assert_eq!(warnings(format!("/lots/{families}")).await, [2, 2], "and above the button that approves it");
    who.approve(&test.store, own, now).await.unwrap();
    who.approve(&test.store, families, now).await.unwrap();
    assert_eq!(warnings(format!("/lots/{own}")).await, [0, 0]);
    assert_eq!(warnings(format!("/lots/{families}")).await, [1, 1], "as long as the lot is there");
}

/// Scripts choose and read it too, where no page warns them.
#[test]
fn the_api_documents_the_warning_wherever_it_names_the_legal_basis() {
    let document = serde_json::to_value(api::document()).unwrap();
    for place in ["TermsBody/properties/basis/description", "LotBody/properties/basis/oneOf/0/description"] {
        let described = document.pointer(&format!("/components/schemas/{place}")).and_then(serde_json::Value::as_str);
        let described = described.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(described.contains("families are not among the recipients of CG3P L. 3212-2"), "{place}: {described}");
        assert!(described.contains("with counsel before approving"), "{place}: {described}");
    }
}
