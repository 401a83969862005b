//! The promises of a proposal in the store: what waits meets what is in stock, nobody approves their own (not even by
//! SQL), a device that moved on is refused with its reason while the others are reserved, and adjusting has rules.

use cartable_common::DeviceId;
use cartable_server::{
    auth::{Person, Role, account},
    domain::{
        borrower::Reference,
        device::DeviceStatus,
        need::{Need, NeedReason, NeedState, Reasons},
        policy::Policy,
        programme::{Programme, ProgrammeKind, Term},
        school_calendar::Zone,
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Store,
        allocation::{self, AllocationState, LineState},
        allocation_adjust::{self, AdjustError, AdjustRefused, Adjustment},
        allocation_approval::{self, AT_ONCE, ApprovalError, ApprovalRefused, Approved},
        allocation_line::{self, LineQuery, LineRow},
        device::{self, NewDevice},
        device_archive,
        lending::{Clerk, Lending},
        loan, need, programme,
        site::{self, NewSite},
    },
};
use cartable_tests::{fleet::at, on_both_engines, raw::Raw, simulator::site::uai_code, stores::TestStore};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

on_both_engines! {
    a_second_person_approves_and_the_devices_are_reserved,
    nobody_approves_their_own_not_even_by_sql,
    an_approval_that_was_cut_off_goes_on,
    a_device_that_moved_on_is_refused_and_the_others_go_through,
    adjusting_has_rules_and_makes_it_ones_own,
}

struct Place {
    site: Uuid,
    programme: Uuid,
    anne: Uuid,
    marc: Uuid,
    policy: Policy,
}

async fn person(store: &Store, login: &str) -> Uuid {
    let id = Uuid::new_v4();
    let (login, display_name) = (login.parse().unwrap(), login.to_owned());
    let role = Role::Administrator;
    let person = Person { id, login, display_name, role, scope: Scope::Everything, language: None };
    account::create(store, "test", person, "correct-cheval-pile-agrafe", at(0, 0, 0)).await.unwrap();
    id
}

/// A site with so many needs, and so many devices in the common stock.
async fn place(test: &TestStore, needs: usize, devices: usize) -> Place {
    let store = &test.store;
    let (anne, marc) = (person(store, "anne").await, person(store, "marc").await);
    let mut tx = store.write().await.unwrap();
    let uai: UaiCode = uai_code(96, 1).parse().unwrap();
    let new = NewSite { uai, name: "Collège".into(), commune: "Valmarin".into(), zone: Zone::A };
    let site = site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    let made = Programme {
        id: Uuid::new_v4(),
        code: "D1".parse().unwrap(),
        name: "Dispositif".into(),
        kind: ProgrammeKind::IndividualLoan,
        term: Term::SchoolYearEnd,
        renewals_allowed: 1,
        accessories: vec![],
        owner: "Département".into(),
        agreement_template: "agreement".into(),
        membership: vec![],
        notice_days: vec![],
        open: true,
    };
    programme::put(&mut tx, &made, at(0, 0, 0)).await.unwrap();
    for number in 0..needs {
        let reasons = if number == 0 { vec![NeedReason::Ulis] } else { vec![] };
        let reasons = Reasons::new(reasons).unwrap();
        let id = Uuid::now_v7();
        let entered_at = at(1, 0, 0);
        let asked = Need { id, site, programme: made.id, level: None, reasons, borrower: None, entered_at };
        need::insert(&mut tx, &asked, "test").await.unwrap();
    }
    for number in 0..devices {
        let new = NewDevice {
            id: DeviceId(Uuid::now_v7()),
            status: DeviceStatus::Active,
            hardware: serde_json::from_value(json!({ "serial_number": format!("SN{number:04}") })).unwrap(),
            asset_tag: None,
            programme: None,
            site: None,
            enrolled_at: None,
        };
        device::insert(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut policy = Policy::default();
    policy.allocation.unread = true;
    policy.allocation.reserve_percent = 0;
    Place { site, programme: made.id, anne, marc, policy }
}

async fn proposed(test: &TestStore, place: &Place) -> Uuid {
    let mut tx = test.store.write().await.unwrap();
    let id = allocation::propose(&mut tx, None, &place.policy, place.anne, at(2, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn lines(test: &TestStore, id: Uuid, place: &Place) -> Vec<LineRow> {
    let mut tx = test.store.read().await.unwrap();
    let query = LineQuery { limit: 1000, ..LineQuery::default() };
    allocation_line::list(&mut tx, id, &query, &place.policy.allocation).await.unwrap().rows
}

async fn approve(test: &TestStore, id: Uuid, who: Uuid, place: &Place) -> Result<Approved, ApprovalError> {
    allocation_approval::approve(&test.store, id, who, clerk(place), &mut drawn).await
}

fn clerk(place: &Place) -> Clerk<'_> {
    Clerk { actor: "marc", token: None, scope: &Scope::Everything, policy: &place.policy, now: at(3, 0, 0) }
}

fn drawn() -> Option<Reference> {
    let mut random = [0; 8];
    random.copy_from_slice(&Uuid::new_v4().as_bytes()[..8]);
    Some(Reference::from_random(random))
}

/// Killed between two units of work: the next approval goes on, by nobody who may not approve, and reserves nothing twice.
async fn an_approval_that_was_cut_off_goes_on(test: &TestStore) {
    let at_once = usize::try_from(AT_ONCE).unwrap();
    let place = place(test, at_once + 3, at_once + 2).await;
    let id = proposed(test, &place).await;
    let tx = test.store.write().await.unwrap();
    let (tx, first) = allocation_approval::part(tx, id, place.marc, clerk(&place), &mut drawn).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(first, Approved { reserved: u32::try_from(AT_ONCE).unwrap(), refused: 0 });
    let mut tx = test.store.write().await.unwrap();
    let adjustment = Adjustment { allocation: id, rank: AT_ONCE + 1, remark: "why", by: place.marc, now: at(3, 1, 0) };
    let late = allocation_adjust::drop_line(&mut tx, adjustment).await;
    assert!(matches!(late, Err(AdjustError::Refused(AdjustRefused::NotDraft))), "{late:?}");
    drop(tx);
    let own = approve(test, id, place.anne, &place).await;
    assert!(matches!(own, Err(ApprovalError::Refused(ApprovalRefused::Own))), "{own:?}");
    assert_eq!(approve(test, id, place.marc, &place).await.unwrap(), Approved { reserved: 2, refused: 0 });
    let again = approve(test, id, place.marc, &place).await;
    assert!(matches!(again, Err(ApprovalError::Refused(ApprovalRefused::NotDraft))), "{again:?}");
    let after = lines(test, id, &place).await;
    assert_eq!(after.iter().filter(|line| line.state == LineState::Reserved).count(), at_once + 2);
}

async fn a_second_person_approves_and_the_devices_are_reserved(test: &TestStore) {
    let place = place(test, 5, 3).await;
    let id = proposed(test, &place).await;
    let before = lines(test, id, &place).await;
    assert_eq!(before.iter().map(|line| line.rank).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(before[0].score, 40);
    assert!(before[..3].iter().all(|line| line.state == LineState::Proposed && line.stale.is_none()));
    assert!(before[3..].iter().all(|line| line.cause.as_deref() == Some("exhausted")));
    let approved = approve(test, id, place.marc, &place).await.unwrap();
    assert_eq!(approved, Approved { reserved: 3, refused: 0 });
    let after = lines(test, id, &place).await;
    let mut tx = test.store.write().await.unwrap();
    for line in &after[..3] {
        let made = loan::find(&mut tx, &Scope::Everything, line.loan.unwrap()).await.unwrap().unwrap();
        assert_eq!(made.device.0, line.device.as_ref().unwrap().id);
        assert_eq!((made.site, made.programme), (Some(place.site), place.programme));
        let found = need::find(&mut tx, &Scope::Everything, line.need).await.unwrap().unwrap();
        assert_eq!((found.state, found.need.borrower), (NeedState::Met, Some(made.borrower)));
    }
    let share = allocation::fairness(&mut tx, id).await.unwrap().remove(0);
    assert_eq!((share.needs, share.met, share.percent, share.average_tenths), (5, 3, 60, 80));
    assert_eq!(allocation::find(&mut tx, id).await.unwrap().unwrap().state, AllocationState::Approved);
    // A reservation that is dropped leaves the need waiting again.
    let clerk =
        Clerk { actor: "marc", token: None, scope: &Scope::Everything, policy: &place.policy, now: at(4, 0, 0) };
    let mut lending = Lending::within(tx, clerk);
    lending.cancel(after[0].loan.unwrap()).await.unwrap();
    lending.commit().await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let found = need::find(&mut tx, &Scope::Everything, after[0].need).await.unwrap().unwrap();
    assert_eq!((found.state, found.loan), (NeedState::Open, None));
}

async fn nobody_approves_their_own_not_even_by_sql(test: &TestStore) {
    let place = place(test, 1, 1).await;
    let id = proposed(test, &place).await;
    let refused = approve(test, id, place.anne, &place).await;
    assert!(matches!(refused, Err(ApprovalError::Refused(ApprovalRefused::Own))), "{refused:?}");
    let sql = "UPDATE allocation SET state = 'approved', decided_by = proposed_by, decided_at = 1";
    let message = if test.url().starts_with("sqlite") {
        let mut direct = SqliteConnection::connect(test.url()).await.unwrap();
        sqlx::query(sql).execute(&mut direct).await.unwrap_err().to_string()
    } else {
        let mut direct = PgConnection::connect(test.url()).await.unwrap();
        sqlx::query(sql).execute(&mut direct).await.unwrap_err().to_string()
    };
    assert!(message.to_lowercase().contains("check"), "{message}");
    assert!(approve(test, id, place.marc, &place).await.is_ok());
    let again = approve(test, id, place.marc, &place).await;
    assert!(matches!(again, Err(ApprovalError::Refused(ApprovalRefused::NotDraft))), "{again:?}");
}

async fn a_device_that_moved_on_is_refused_and_the_others_go_through(test: &TestStore) {
    let place = place(test, 4, 4).await;
    let (id, rival) = (proposed(test, &place).await, proposed(test, &place).await);
    let before = lines(test, id, &place).await;
    // One device is archived, one need withdrawn, meanwhile.
    let mut tx = test.store.write().await.unwrap();
    let gone = DeviceId(before[0].device.as_ref().unwrap().id);
    device_archive::archive(&mut tx, &Scope::Everything, gone, "broken", at(2, 1, 0)).await.unwrap();
    need::withdraw(&mut tx, &Scope::Everything, before[1].need, at(2, 1, 0)).await.unwrap();
    tx.commit().await.unwrap();
    // A third device is kept for another programme now.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let elsewhere = raw.uuid(before[2].device.as_ref().unwrap().id);
    raw.execute(&format!("UPDATE device SET programme = 'AUTRE' WHERE id = {elsewhere}")).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(allocation_line::stale_count(&mut tx, id, &place.policy.allocation).await.unwrap(), 3);
    drop(tx);
    let shown = lines(test, id, &place).await;
    let stale: Vec<Option<&str>> = shown.iter().map(|line| line.stale).collect();
    assert_eq!(stale, [Some("not_in_stock"), Some("need_closed"), Some("not_for_it"), None]);
    assert_eq!(approve(test, id, place.marc, &place).await.unwrap(), Approved { reserved: 1, refused: 3 });
    let after = lines(test, id, &place).await;
    let causes: Vec<Option<&str>> = after.iter().map(|line| line.cause.as_deref()).collect();
    assert_eq!(causes, [Some("not_in_stock"), Some("need_closed"), Some("not_for_it"), None]);
    // The rival proposal wanted the same devices for the same needs: nothing of it is left.
    assert_eq!(approve(test, rival, place.marc, &place).await.unwrap(), Approved { reserved: 0, refused: 4 });
}

async fn adjusting_has_rules_and_makes_it_ones_own(test: &TestStore) {
    let place = place(test, 2, 3).await;
    let lise = person(&test.store, "lise").await;
    let id = proposed(test, &place).await;
    let before = lines(test, id, &place).await;
    let taken: Vec<Uuid> = before.iter().filter_map(|line| line.device.as_ref().map(|device| device.id)).collect();
    let mut tx = test.store.write().await.unwrap();
    let stock = cartable_server::store::device_list::list(&mut tx, &Scope::Everything, &Default::default()).await;
    let free = stock.unwrap().rows.into_iter().map(|row| row.id).find(|id| !taken.contains(&id.0)).unwrap();
    let by_marc = |rank| Adjustment { allocation: id, rank, remark: "why", by: place.marc, now: at(2, 1, 0) };
    let policy = &place.policy.allocation;
    let other = DeviceId(taken[1]);
    let refused = allocation_adjust::swap(&mut tx, by_marc(1), other, policy).await;
    assert!(matches!(refused, Err(AdjustError::Refused(AdjustRefused::Taken))), "{refused:?}");
    let nowhere = allocation_adjust::swap(&mut tx, by_marc(1), DeviceId(Uuid::new_v4()), policy).await;
    assert!(matches!(nowhere, Err(AdjustError::Refused(AdjustRefused::NotInStock))), "{nowhere:?}");
    let unread = allocation_adjust::swap(&mut tx, by_marc(1), free, &Policy::default().allocation).await;
    assert!(matches!(unread, Err(AdjustError::Refused(AdjustRefused::Unfit(_)))), "{unread:?}");
    allocation_adjust::swap(&mut tx, by_marc(1), free, policy).await.unwrap();
    allocation_adjust::drop_line(&mut tx, by_marc(2)).await.unwrap();
    // Somebody else changes a line after that: the first one does not become free to approve.
    let by_lise = Adjustment { by: lise, ..by_marc(2) };
    allocation_adjust::drop_line(&mut tx, by_lise).await.unwrap();
    tx.commit().await.unwrap();
    let after = lines(test, id, &place).await;
    assert_eq!(after[0].device.as_ref().unwrap().id, free.0);
    assert_eq!((after[1].state, after[1].remark.as_deref()), (LineState::Dropped, Some("why")));
    for who in [place.marc, lise] {
        let refused = approve(test, id, who, &place).await;
        assert!(matches!(refused, Err(ApprovalError::Refused(ApprovalRefused::Own))), "whoever adjusts: {refused:?}");
        let mut raw = Raw::connect(test.url()).await.unwrap();
        let by_hand = format!(
            "UPDATE allocation SET state = 'approved', decided_at = 1, decided_by = {} WHERE id = {}",
            raw.uuid(who),
            raw.uuid(id)
        );
        assert!(raw.execute(&by_hand).await.is_err(), "the database refuses it too");
    }
    let paul = person(&test.store, "paul").await;
    assert_eq!(approve(test, id, paul, &place).await.unwrap(), Approved { reserved: 1, refused: 0 });
}
