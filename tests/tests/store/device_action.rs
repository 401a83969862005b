//! What the store promises about orders to agents, on both engines: one of a kind waits, counters grow, an answer counts
//! once and only from the enrolment that was told, logs are forgotten, all under audit.

use cartable_common::{
    ActionId, EnrolmentId, Text, UtcMillis,
    action::{ActionOutcome, ActionResult, LogLine},
};
use cartable_server::{
    domain::{
        device_action::{ActionState, Hindrance, Kind, Order},
        enrolment::EnrolmentStatus,
        loan::Condition,
        policy::Policy,
        scope::Scope,
    },
    store::{
        Tx, audit,
        device_action::{self, ActionRow, Ordered},
        enrolment::{self, NewEnrolment},
        lending::{Clerk, Lending},
        loan, retention,
    },
};
use cartable_tests::{
    fleet::{Enrolled, at, enrol},
    on_both_engines,
    school::School,
    stores::TestStore,
};
use jiff::civil::{Date, date};
use uuid::Uuid;

on_both_engines! {
    one_of_a_kind_waits_and_counters_grow,
    an_answer_counts_once_and_only_from_the_enrolment_that_was_told,
    what_is_over_is_told_no_more_and_may_be_ordered_again,
    an_order_to_a_replaced_enrolment_holds_up_no_other,
    a_notice_needs_a_borrower,
    a_notice_is_told_only_while_its_loan_runs_until_that_day,
    a_log_is_forgotten_after_thirty_days,
}

const ALL: Scope = Scope::Everything;

async fn enrolled(test: &TestStore) -> Enrolled {
    enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap()
}

fn of(kind: Kind) -> Order {
    Order::new(kind, None, None, date(2027, 1, 1)).unwrap()
}

async fn give(tx: &mut Tx, one: Enrolled, order: &Order, now: UtcMillis) -> Ordered {
    let policy = Policy::default();
    let by = Clerk { actor: "tech", token: None, scope: &ALL, policy: &policy, now };
    device_action::order(tx, one.device, order, by).await.unwrap()
}

async fn given(test: &TestStore, one: Enrolled, kind: Kind, now: UtcMillis) -> Uuid {
    given_order(test, one, &of(kind), now).await
}

async fn given_order(test: &TestStore, one: Enrolled, order: &Order, now: UtcMillis) -> Uuid {
    let mut tx = test.store.write().await.unwrap();
    let Ordered::Given(id) = give(&mut tx, one, order, now).await else { unreachable!("{order:?} is not given") };
    tx.commit().await.unwrap();
    id
}

async fn told(test: &TestStore, one: Enrolled, now: UtcMillis) -> Vec<Uuid> {
    let rows = device_action::tell(&test.store, one.enrolment, now).await.unwrap();
    rows.iter().map(|row| row.id).collect()
}

async fn rows(test: &TestStore, one: Enrolled) -> Vec<ActionRow> {
    let mut tx = test.store.read().await.unwrap();
    device_action::of_device(&mut tx, one.device).await.unwrap()
}

async fn answer(test: &TestStore, one: Enrolled, result: &ActionResult, now: UtcMillis) -> Vec<ActionId> {
    let mut tx = test.store.write().await.unwrap();
    let results = std::slice::from_ref(result);
    let told = device_action::answer(&mut tx, one.enrolment, results, now).await.unwrap();
    tx.commit().await.unwrap();
    told
}

async fn acts(test: &TestStore, id: Uuid) -> Vec<String> {
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::of_object(&mut tx, "device_action", &id.to_string(), 10).await.unwrap();
    let mut acts: Vec<String> = acts.into_iter().map(|act| act.action).collect();
    acts.sort();
    acts
}

async fn one_of_a_kind_waits_and_counters_grow(test: &TestStore) {
    let (one, now) = (enrolled(test).await, at(1, 0, 0));
    given(test, one, Kind::CheckIn, now).await;
    given(test, one, Kind::SelfTest, now).await;
    let mut tx = test.store.write().await.unwrap();
    let again = give(&mut tx, one, &of(Kind::CheckIn), now).await;
    assert_eq!(again, Ordered::Hindered(Hindrance::Already));
    let nowhere = Scope::Sites(Vec::new());
    let policy = Policy::default();
    let by = Clerk { actor: "tech", token: None, scope: &nowhere, policy: &policy, now };
    let foreign = device_action::order(&mut tx, one.device, &of(Kind::SendLog), by).await.unwrap();
    assert_eq!(foreign, Ordered::Unknown);
    drop(tx);
    let rows = device_action::tell(&test.store, one.enrolment, now).await.unwrap();
    let counters: Vec<i64> = rows.iter().map(|row| row.counter).collect();
    assert_eq!(counters, [now.get(), now.get() + 1], "of one millisecond too");
    let mut tx = test.store.read().await.unwrap();
    let rows = device_action::of_device(&mut tx, one.device).await.unwrap();
    assert!(rows.iter().all(|row| row.state(now) == ActionState::Told && row.told_at == Some(now)));
}

async fn an_answer_counts_once_and_only_from_the_enrolment_that_was_told(test: &TestStore) {
    let (one, other, now) = (enrolled(test).await, enrolled(test).await, at(1, 0, 0));
    let id = given(test, one, Kind::SelfTest, now).await;
    let done = ActionResult::plain(ActionId(id), ActionOutcome::Done);
    assert_eq!(answer(test, other, &done, now).await, [ActionId(id)], "it may forget it");
    assert_eq!(device_action::tell(&test.store, one.enrolment, now).await.unwrap().len(), 1, "nothing changed");
    assert!(device_action::tell(&test.store, other.enrolment, now).await.unwrap().is_empty());
    answer(test, one, &done, at(1, 1, 0)).await;
    let failed = ActionResult::plain(ActionId(id), ActionOutcome::Failed);
    assert_eq!(answer(test, one, &failed, at(1, 2, 0)).await, [ActionId(id)], "a repeat is taken as the same");
    assert!(device_action::tell(&test.store, one.enrolment, at(1, 2, 0)).await.unwrap().is_empty());
    let mut tx = test.store.read().await.unwrap();
    let rows = device_action::of_device(&mut tx, one.device).await.unwrap();
    assert_eq!(rows[0].answer, Some((ActionOutcome::Done, at(1, 1, 0))));
    assert!(!rows[0].has_log);
    drop(tx);
    assert_eq!(acts(test, id).await, ["device_action.answer", "device_action.order"]);
    let mut tx = test.store.read().await.unwrap();
    let mut told: Vec<_> = audit::of_object(&mut tx, "device_action", &id.to_string(), 10).await.unwrap();
    let answer = told.remove(0);
    assert_eq!(answer.at, at(1, -12, 0), "of a contact the audit keeps the day alone");
    assert_eq!(told[0].at, now, "of what a person did the time too");
    assert!(matches!(audit::verify(&mut tx, None).await.unwrap(), audit::Verification::Intact(_)));
}

async fn what_is_over_is_told_no_more_and_may_be_ordered_again(test: &TestStore) {
    let (one, now) = (enrolled(test).await, at(1, 0, 0));
    let id = given(test, one, Kind::CheckIn, now).await;
    let later = now.plus_days(1);
    assert!(device_action::tell(&test.store, one.enrolment, later).await.unwrap().is_empty());
    let again = given(test, one, Kind::CheckIn, later).await;
    assert_ne!(again, id);
    // The laptop had been told, and was offline since.
    answer(test, one, &ActionResult::plain(ActionId(id), ActionOutcome::Expired), later).await;
    let mut tx = test.store.read().await.unwrap();
    let rows = device_action::of_device(&mut tx, one.device).await.unwrap();
    let states: Vec<ActionState> = rows.iter().map(|row| row.state(later)).collect();
    assert_eq!(states, [ActionState::Waiting, ActionState::Answered]);
}

/// A laptop was installed anew while an order waited: for a week the same could not be ordered again.
async fn an_order_to_a_replaced_enrolment_holds_up_no_other(test: &TestStore) {
    let (one, now, later) = (enrolled(test).await, at(1, 0, 0), at(2, 0, 0));
    given(test, one, Kind::SelfTest, now).await;
    let again = Enrolled { enrolment: EnrolmentId(Uuid::now_v7()), ..one };
    let new = NewEnrolment {
        id: again.enrolment,
        device: one.device,
        request: Uuid::new_v4(),
        key: &[7; 32],
        token: None,
        status: EnrolmentStatus::Pending,
    };
    let mut tx = test.store.write().await.unwrap();
    enrolment::insert(&mut tx, &new, now).await.unwrap();
    assert!(enrolment::approve(&mut tx, new.id, now).await.unwrap());
    tx.commit().await.unwrap();
    let id = given(test, again, Kind::SelfTest, later).await;
    assert_eq!(told(test, again, later).await, [id]);
    assert!(told(test, one, later).await.is_empty());
    let states: Vec<ActionState> = rows(test, one).await.iter().map(|row| row.state(later)).collect();
    assert_eq!(states, [ActionState::Told, ActionState::Over]);
}

fn notice(due: Date) -> Order {
    Order::new(Kind::ReturnNotice, Some(due), Some("CDI"), due).unwrap()
}

/// Returned and lent again within 14 days, a laptop showed the next child the last loan's day.
async fn a_notice_is_told_only_while_its_loan_runs_until_that_day(test: &TestStore) {
    let school = School::found(&test.store, 1, 1, at(-60, 0, 0)).await.unwrap();
    let one = enrol(&test.store, test.url(), Some(school.site), at(-30, 0, 0)).await.unwrap();
    school.lend(&test.store, &[one.device], at(0, 1, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let due = loan::due_of_device(&mut tx, one.device).await.unwrap().unwrap();
    let longer = due.tomorrow().unwrap();
    let other = give(&mut tx, one, &notice(longer), at(1, 0, 0)).await;
    assert_eq!(other, Ordered::Hindered(Hindrance::OtherDay));
    let open = loan::open_of_device(&mut tx, &ALL, one.device).await.unwrap().unwrap();
    drop(tx);
    let first = given_order(test, one, &notice(due), at(1, 0, 0)).await;
    assert_eq!(told(test, one, at(1, 1, 0)).await, [first]);

    let policy = Policy::default();
    let by = |now| Clerk { actor: "tech", token: None, scope: &ALL, policy: &policy, now };
    let mut lending = Lending::begin(&test.store, by(at(2, 0, 0))).await.unwrap();
    lending.extend(open.id, longer).await.unwrap();
    lending.commit().await.unwrap();
    assert!(told(test, one, at(2, 1, 0)).await.is_empty(), "it names another day");
    let second = given_order(test, one, &notice(longer), at(2, 2, 0)).await;
    assert_eq!(told(test, one, at(2, 3, 0)).await, [second]);

    let mut lending = Lending::begin(&test.store, by(at(3, 0, 0))).await.unwrap();
    lending.take_back(open.id, Condition::Good, vec![]).await.unwrap();
    lending.commit().await.unwrap();
    assert!(told(test, one, at(3, 1, 0)).await.is_empty());
    let rows = rows(test, one).await;
    assert_eq!((rows[0].id, rows[0].closed_at), (second, Some(at(3, 0, 0))));
    assert!(rows.iter().all(|row| row.state(at(3, 1, 0)) == ActionState::Over));
    assert_eq!(acts(test, second).await, ["device_action.order", "device_action.withdraw"]);
    assert_eq!(acts(test, first).await, ["device_action.order"]);
}

async fn a_notice_needs_a_borrower(test: &TestStore) {
    let one = enrolled(test).await;
    let order = Order::new(Kind::ReturnNotice, Some(date(2027, 7, 2)), Some("CDI"), date(2027, 1, 1)).unwrap();
    let mut tx = test.store.write().await.unwrap();
    assert_eq!(give(&mut tx, one, &order, at(1, 0, 0)).await, Ordered::Hindered(Hindrance::NotLent));
}

async fn a_log_is_forgotten_after_thirty_days(test: &TestStore) {
    let (one, now) = (enrolled(test).await, at(1, 7, 30));
    let line = LogLine { words: Text::clean("started"), ..LogLine::default() };
    let with_log =
        |id| ActionResult { log: vec![line.clone()], ..ActionResult::plain(ActionId(id), ActionOutcome::Done) };
    let (asked, unasked) = (given(test, one, Kind::SendLog, now).await, given(test, one, Kind::CheckIn, now).await);
    answer(test, one, &with_log(asked), now).await;
    answer(test, one, &with_log(unasked), now).await;
    let log = async |id| {
        let mut tx = test.store.read().await.unwrap();
        device_action::log(&mut tx, one.device, id).await.unwrap()
    };
    assert_eq!(log(asked).await, Some(vec![line.clone()]));
    assert_eq!(log(unasked).await, None, "nobody asked for it");
    for (days, is_kept) in [(29, true), (31, false)] {
        let mut tx = test.store.write().await.unwrap();
        retention::devices(&mut tx, &[one.device.0], now.plus_days(days)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(log(asked).await.is_some(), is_kept, "{days} days");
    }
    let mut tx = test.store.read().await.unwrap();
    let rows = device_action::of_device(&mut tx, one.device).await.unwrap();
    let moments = rows.iter().filter_map(|row| row.answer).map(|(_, answered_at)| answered_at.get());
    assert!(moments.map(|at| at % UtcMillis::DAY).all(|of_day| of_day == 0), "known to the day");
}
