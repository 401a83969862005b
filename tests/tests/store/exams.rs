//! What the store promises about exams, on both engines: each site's is its own, a form that comes twice orders once, who
//! is called off is told from what had begun, and only what an answer has to heed is read for it. And that a key is found
//! with its device's site and due day in the one statement that finds it.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use cartable_server::{
    domain::{
        enrolment::EnrolmentStatus,
        exam::{Exam, ExamState, NewExam},
        loan::LoanState,
        paris,
        school_calendar::Zone,
        scope::Scope,
    },
    store::{
        Tx,
        enrolment::{self, NewEnrolment},
        exam::{self, CalledOff, ExamRow},
        lending_bulk, loan,
        page::Total,
        site::{self, NewSite},
    },
};
use cartable_tests::{
    fleet::{at, enrol},
    lending, on_both_engines,
    simulator::site::uai_code,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    an_exam_is_ordered_once_for_each_site_and_seen_within_the_scope,
    a_form_that_is_sent_twice_at_once_orders_once,
    what_was_ended_early_stands_in_nobodys_way,
    what_has_begun_is_ended_and_what_has_not_is_removed,
    past_exams_come_in_pages_and_the_others_with_the_first,
    only_what_is_near_is_read_for_an_answer,
    a_key_is_found_with_its_devices_site_and_due_day,
}

async fn college(tx: &mut Tx, number: u32) -> Uuid {
    let uai = uai_code(96, number).parse().unwrap();
    let new = NewSite { uai, name: format!("Collège {number}"), commune: "Lyon".into(), zone: Zone::A };
    site::put(tx, &new, at(0, 0, 0)).await.unwrap()
}

fn new(begins_at: UtcMillis, hours: i64) -> NewExam {
    NewExam::new("Brevet blanc", begins_at, begins_at.plus_millis(hours * 3_600_000), at(0, 0, 0)).unwrap()
}

/// What somebody with this scope is shown.
async fn listed(tx: &mut Tx, scope: &Scope, now: UtcMillis) -> Vec<ExamRow> {
    exam::list(tx, scope, (None, 0), now).await.unwrap().rows
}

async fn an_exam_is_ordered_once_for_each_site_and_seen_within_the_scope(test: &TestStore) {
    let (now, morning) = (at(0, 0, 0), new(at(1, 0, 0), 4));
    let mut tx = test.store.write().await.unwrap();
    let (first, second) = (college(&mut tx, 1).await, college(&mut tx, 2).await);
    let sites = [Some(first), Some(second)];
    assert_eq!(exam::add(&mut tx, &morning, &sites, "anne", now).await.unwrap().len(), 2);
    assert!(exam::add(&mut tx, &morning, &sites, "anne", now).await.unwrap().is_empty(), "once");
    let everywhere = exam::add(&mut tx, &morning, &[None], "anne", now).await.unwrap();
    assert_eq!(everywhere.len(), 1, "that of all sites is another");
    assert!(exam::add(&mut tx, &morning, &[None], "paul", now).await.unwrap().is_empty());
    tx.commit().await.unwrap();

    let mut tx = test.store.read().await.unwrap();
    let all = listed(&mut tx, &Scope::Everything, now).await;
    assert_eq!(all.len(), 3);
    let own = Scope::Sites(vec![first]);
    let seen = listed(&mut tx, &own, now).await;
    let mut sites: Vec<Option<Uuid>> = seen.iter().map(|row| row.exam.site).collect();
    sites.sort_unstable();
    assert_eq!(sites, [None, Some(first)], "its own, and everybody's");
    let row = seen.iter().find(|row| row.exam.site.is_some()).unwrap();
    assert_eq!(row.site, Some(("Collège 1".to_owned(), uai_code(96, 1))));
    assert_eq!((row.label.as_str(), row.created_by.as_str()), ("Brevet blanc", "anne"));
    assert_eq!(row.exam.state(now), ExamState::Coming);
    let foreign = all.iter().find(|row| row.exam.site == Some(second)).unwrap();
    assert_eq!(exam::find(&mut tx, &own, foreign.id).await.unwrap(), None);
    assert_eq!(exam::find(&mut tx, &Scope::Everything, foreign.id).await.unwrap().as_ref(), Some(foreign));
    assert!(listed(&mut tx, &Scope::Everything, at(402, 0, 0)).await.is_empty(), "long past");
}

/// Orders in a unit of work of its own; gives how many are new.
async fn order(test: &TestStore, exam: &NewExam, sites: &[Option<Uuid>]) -> usize {
    let mut tx = test.store.write().await.unwrap();
    let added = exam::add(&mut tx, exam, sites, "anne", at(0, 0, 0)).await.unwrap().len();
    tx.commit().await.unwrap();
    added
}

async fn a_form_that_is_sent_twice_at_once_orders_once(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let (first, second) = (college(&mut tx, 1).await, college(&mut tx, 2).await);
    tx.commit().await.unwrap();
    // Several times: two that happen to follow each other prove nothing.
    for day in 1..=10 {
        let exam = new(at(day, 0, 0), 4);
        let (there, back) = ([Some(first), Some(second)], [Some(second), Some(first)]);
        let (one, other) = tokio::join!(order(test, &exam, &there), order(test, &exam, &back));
        assert_eq!(one + other, 2, "each site's once, on day {day}");
        let (one, other) = tokio::join!(order(test, &exam, &[None]), order(test, &exam, &[None]));
        assert_eq!(one + other, 1, "that of all sites once, on day {day}");
    }
}

async fn what_was_ended_early_stands_in_nobodys_way(test: &TestStore) {
    let (begins, now) = (at(1, 0, 0), at(1, 1, 0));
    let oral = NewExam::new("Oral", begins, begins.plus_millis(4 * 3_600_000), at(0, 0, 0)).unwrap();
    for exam in [new(begins, 4), new(begins, 5), oral.clone()] {
        assert_eq!(order(test, &exam, &[None]).await, 1, "another end or another label is another exam");
    }
    let mut tx = test.store.write().await.unwrap();
    let rows = listed(&mut tx, &Scope::Everything, now).await;
    // Two of one label that end at the same moment are as alike as exams can be.
    for row in rows.iter().filter(|row| row.label != oral.label()) {
        assert_eq!(exam::call_off(&mut tx, row, now).await.unwrap(), CalledOff::Ended);
        assert_eq!(exam::call_off(&mut tx, row, now).await.unwrap(), CalledOff::Over, "by somebody who saw it before");
    }
    assert_eq!(exam::near(&mut tx, now).await.unwrap().len(), 1, "the other label's goes on");
    tx.commit().await.unwrap();
    assert_eq!(order(test, &new(begins, 4), &[None]).await, 1, "ended by mistake, ordered again");
    assert_eq!(order(test, &new(begins, 4), &[None]).await, 0);
}

async fn what_has_begun_is_ended_and_what_has_not_is_removed(test: &TestStore) {
    let (begins, now) = (at(1, 0, 0), at(1, 1, 0));
    let mut tx = test.store.write().await.unwrap();
    let id = exam::add(&mut tx, &new(begins, 4), &[None], "anne", at(0, 0, 0)).await.unwrap()[0].0;
    let coming = exam::add(&mut tx, &new(at(2, 0, 0), 4), &[None], "anne", at(0, 0, 0)).await.unwrap()[0].0;
    let row = exam::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap();
    assert_eq!(exam::call_off(&mut tx, &row, now).await.unwrap(), CalledOff::Ended);
    let row = exam::find(&mut tx, &Scope::Everything, id).await.unwrap().unwrap();
    assert_eq!((row.exam.begins_at, row.exam.ends_at), (begins, now));
    assert_eq!(exam::call_off(&mut tx, &row, now).await.unwrap(), CalledOff::Over, "once");
    let row = exam::find(&mut tx, &Scope::Everything, coming).await.unwrap().unwrap();
    // At the moment of its beginning too: an exam without length says nothing.
    assert_eq!(exam::call_off(&mut tx, &row, at(2, 0, 0)).await.unwrap(), CalledOff::Removed);
    assert_eq!(exam::find(&mut tx, &Scope::Everything, coming).await.unwrap(), None);
    tx.commit().await.unwrap();
}

async fn past_exams_come_in_pages_and_the_others_with_the_first(test: &TestStore) {
    let (early, now) = (at(0, 0, 0), at(10, 0, 0));
    let mut tx = test.store.write().await.unwrap();
    let (own, foreign) = (college(&mut tx, 1).await, college(&mut tx, 2).await);
    for begins in [at(12, 0, 0), at(1, 0, 0), at(2, 0, 0), at(3, 0, 0), at(4, 0, 0), at(9, 23, 0), at(11, 0, 0)] {
        let sites = [Some(own), Some(foreign)];
        assert_eq!(exam::add(&mut tx, &new(begins, 4), &sites, "anne", early).await.unwrap().len(), 2);
    }
    // It ends with another, between two pages.
    exam::add(&mut tx, &new(at(3, 0, 0), 4), &[None], "anne", early).await.unwrap();
    tx.commit().await.unwrap();

    let scope = Scope::Sites(vec![own]);
    let mut tx = test.store.read().await.unwrap();
    let first = exam::list(&mut tx, &scope, (None, 2), now).await.unwrap();
    let begins = |rows: &[ExamRow]| rows.iter().map(|row| row.exam.begins_at).collect::<Vec<_>>();
    let whole = [at(9, 23, 0), at(11, 0, 0), at(12, 0, 0), at(4, 0, 0), at(3, 0, 0)];
    assert_eq!(begins(&first.rows), whole, "under way, to come, and two of the past");
    let second = exam::list(&mut tx, &scope, (first.next.as_ref(), 2), now).await.unwrap();
    assert_eq!(begins(&second.rows), [at(3, 0, 0), at(2, 0, 0)]);
    assert_ne!(first.rows[4].id, second.rows[0].id, "each once");
    let last = exam::list(&mut tx, &scope, (second.next.as_ref(), 2), now).await.unwrap();
    assert_eq!((begins(&last.rows), last.next), (vec![at(1, 0, 0)], None));
    assert_eq!([first.total, second.total, last.total], [Total::Exact(8); 3], "no other site's is counted");
    let everything = exam::list(&mut tx, &Scope::Everything, (None, 0), now).await.unwrap();
    assert_eq!((everything.rows.len(), everything.next, everything.total), (15, None, Total::Exact(15)));
    let nobody = exam::list(&mut tx, &Scope::Sites(Vec::new()), (None, 0), now).await.unwrap();
    assert_eq!(nobody.total, Total::Exact(1), "everybody's");
}

async fn only_what_is_near_is_read_for_an_answer(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let site = college(&mut tx, 1).await;
    for (days, site) in [(1, Some(site)), (2, None), (9, None)] {
        exam::add(&mut tx, &new(at(days, 0, 0), 4), &[site], "anne", at(0, 0, 0)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let mut near = exam::near(&mut tx, at(1, 4, 0)).await.unwrap();
    assert_eq!(near, [Exam { site: None, begins_at: at(2, 0, 0), ends_at: at(2, 4, 0) }], "one is over, one far away");
    near = exam::near(&mut tx, at(1, 3, 59)).await.unwrap();
    near.sort_by_key(|exam| exam.begins_at);
    assert_eq!(near.iter().map(|exam| exam.site).collect::<Vec<_>>(), [Some(site), None]);
}

/// A key of the device's own.
fn key_of(device: DeviceId) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(device.0.as_bytes());
    key
}

async fn a_key_is_found_with_its_devices_site_and_due_day(test: &TestStore) {
    let now = at(0, 0, 0);
    let mut tx = test.store.write().await.unwrap();
    let site = college(&mut tx, 1).await;
    tx.commit().await.unwrap();
    let homeless = enrol(&test.store, test.url(), None, now).await.unwrap();
    let lent = enrol(&test.store, test.url(), Some(site), now).await.unwrap();
    let reserved = enrol(&test.store, test.url(), Some(site), now).await.unwrap();
    let due = now.plus_days(200);
    let mut tx = test.store.write().await.unwrap();
    let programme = lending::programme(&mut tx, now).await.unwrap();
    let borrower = lending::borrower(&mut tx, Some(site), now).await.unwrap();
    for one in [homeless, lent, reserved] {
        let (id, request) = (EnrolmentId(Uuid::now_v7()), Uuid::new_v4());
        let (device, key, status) = (one.device, key_of(one.device), EnrolmentStatus::Active);
        let new = NewEnrolment { id, device, request, key: &key, token: None, status };
        enrolment::insert(&mut tx, &new, now).await.unwrap();
    }
    for (device, state) in
        [(lent.device, LoanState::HandedOver(lending::handed(now, Some(due)))), (reserved.device, LoanState::Reserved)]
    {
        let loan = lending::loan_of(device, &borrower, &programme, now, state);
        lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut tx = test.store.read().await.unwrap();
    for (one, site, due) in
        [(homeless, None, None), (lent, Some(site), Some(paris::date(due))), (reserved, Some(site), None)]
    {
        let found = enrolment::of_key(&mut tx, &key_of(one.device)).await.unwrap().unwrap();
        assert_eq!((found.device, found.site, found.due), (one.device, site, due));
        assert_eq!(loan::due_of_device(&mut tx, one.device).await.unwrap(), due);
    }
}
