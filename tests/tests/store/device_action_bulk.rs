//! What the store promises about one order to many devices, on both engines: a preview says what is then done, each order
//! is one of its own, a form that is sent twice orders once, and what changed since the preview is left out.

use std::collections::BTreeMap;

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        device_action::Kind,
        device_action_bulk::{BulkOrder, IN_ONE_UNIT, LeftOut, Tally},
        policy::Policy,
        scope::Scope,
    },
    store::{
        device_action_bulk::{self, BulkError, Choice, Many, Seen},
        device_list::DeviceQuery,
        lending::Clerk,
        loan,
    },
};
use cartable_tests::{
    fleet::{at, enrol},
    on_both_engines,
    raw::Raw,
    school::{School, labels},
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    a_preview_says_what_is_then_done,
    each_notice_names_its_own_loans_day,
    a_form_that_is_sent_twice_orders_once,
    what_changed_since_the_preview_is_left_out,
    more_than_one_unit_of_work_is_ordered_whole,
    what_fails_half_way_leaves_its_row_of_the_whole,
    a_device_that_is_named_twice_gets_one_order,
}

const ALL: Scope = Scope::Everything;

fn clerk<'a>(scope: &'a Scope, policy: &'a Policy, now: UtcMillis) -> Clerk<'a> {
    Clerk { actor: "tech", token: None, scope, policy, now }
}

fn of(kind: Kind) -> BulkOrder {
    BulkOrder::new(kind, None, None).unwrap()
}

/// The devices of a site.
fn at_site(site: Uuid) -> DeviceQuery {
    DeviceQuery { site: Some(site), ..DeviceQuery::default() }
}

async fn seen(test: &TestStore, query: &DeviceQuery, order: &BulkOrder, now: UtcMillis) -> Vec<Seen> {
    let policy = Policy::default();
    let mut tx = test.store.read().await.unwrap();
    let many = Many { query, order };
    device_action_bulk::preview(&mut tx, clerk(&ALL, &policy, now), many, 1_000).await.unwrap()
}

async fn given(test: &TestStore, query: &DeviceQuery, order: &BulkOrder, choices: &[Choice], now: UtcMillis) -> Tally {
    let (policy, many) = (Policy::default(), Many { query, order });
    let press = Uuid::now_v7();
    device_action_bulk::give(&test.store, clerk(&ALL, &policy, now), many, (press, choices)).await.unwrap()
}

/// The form that confirms a preview.
fn chosen(seen: &[Seen]) -> Vec<Choice> {
    let choice = |(device, order): &Seen| {
        let shown = Some(order.as_ref().ok()?.mark());
        Some(Choice { device: *device, id: Uuid::now_v7(), shown })
    };
    seen.iter().filter_map(choice).collect()
}

fn left(tally: &Tally) -> Vec<(LeftOut, usize)> {
    tally.left_out.iter().map(|(why, count)| (*why, *count)).collect()
}

/// A site with three laptops whose agents speak, two of them lent, and one without an agent.
async fn school(test: &TestStore) -> (School, [DeviceId; 4]) {
    let school = School::found(&test.store, 1, 2, at(-60, 0, 0)).await.unwrap();
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(enrol(&test.store, test.url(), Some(school.site), at(-30, 0, 0)).await.unwrap().device);
    }
    school.lend(&test.store, &devices[..2], at(0, 1, 0)).await.unwrap();
    let bare = school.stock(&test.store, &labels(1), at(-30, 0, 0)).await.unwrap();
    (school, [devices[0], devices[1], devices[2], bare[0]])
}

/// A site with so many laptops, and an agent on each.
async fn with_agents(test: &TestStore, laptops: usize) -> School {
    let school = School::found(&test.store, 1, 0, at(-60, 0, 0)).await.unwrap();
    let devices = school.stock(&test.store, &labels(laptops), at(-30, 0, 0)).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for device in devices {
        let enrolment = Uuid::new_v4();
        let sql = format!(
            "INSERT INTO enrolment (id, device_id, request_id, spki_sha256, status, created_at) \
             VALUES ({0}, {1}, {0}, {2}, 'active', {3})",
            raw.uuid(enrolment),
            raw.uuid(device.0),
            raw.bytes(enrolment.as_bytes()),
            at(-30, 0, 0),
        );
        raw.execute(&sql).await.unwrap();
    }
    school
}

async fn a_preview_says_what_is_then_done(test: &TestStore) {
    let (school, [lent, ..]) = school(test).await;
    let elsewhere = School::found(&test.store, 2, 0, at(-60, 0, 0)).await.unwrap();
    enrol(&test.store, test.url(), Some(elsewhere.site), at(-30, 0, 0)).await.unwrap();
    let (query, now, policy) = (at_site(school.site), at(1, 0, 0), Policy::default());
    let by = clerk(&ALL, &policy, now);
    for (kind, ordered, not_lent) in [(Kind::SelfTest, 3, None), (Kind::ReturnNotice, 2, Some(LeftOut::NotLent))] {
        let order = of(kind);
        let many = Many { query: &query, order: &order };
        let shown = device_action_bulk::tally(&seen(test, &query, &order, now).await);
        assert_eq!((shown.ordered, shown.devices()), (ordered, 4), "{kind}");
        let expected: Vec<_> = [Some(LeftOut::NoAgent), not_lent].into_iter().flatten().map(|why| (why, 1)).collect();
        assert_eq!(left(&shown), expected, "{kind}");
        let done = device_action_bulk::order_all(&test.store, by, many, 4).await.unwrap();
        assert_eq!(done, shown, "{kind}");
        let again = device_action_bulk::order_all(&test.store, by, many, 4).await.unwrap();
        assert_eq!((again.ordered, again.left_out.get(&LeftOut::Already)), (0, Some(&ordered)), "{kind}");
    }
    let order = of(Kind::CheckIn);
    let many = Many { query: &query, order: &order };
    let few = device_action_bulk::order_all(&test.store, by, many, 3).await;
    assert!(matches!(few, Err(BulkError::TooMany(3))), "{few:?}");
    let nowhere = Scope::Sites(vec![elsewhere.site]);
    let foreign = device_action_bulk::order_all(&test.store, clerk(&nowhere, &policy, now), many, 9).await.unwrap();
    assert_eq!(foreign, Tally::default(), "of another site's nothing is even counted");
    let choice = Choice { device: lent, id: Uuid::now_v7(), shown: None };
    let foreign = clerk(&nowhere, &policy, now);
    let named = device_action_bulk::give(&test.store, foreign, many, (Uuid::now_v7(), &[choice])).await.unwrap();
    assert_eq!(left(&named), [(LeftOut::Changed, 1)]);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device_action").await.unwrap(), 5);
}

async fn each_notice_names_its_own_loans_day(test: &TestStore) {
    let (school, [one, two, ..]) = school(test).await;
    let (query, now) = (at_site(school.site), at(1, 0, 0));
    let mut tx = test.store.read().await.unwrap();
    let due = loan::due_of_device(&mut tx, one).await.unwrap().unwrap();
    drop(tx);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let device = raw.uuid(two.0);
    raw.execute(&format!("UPDATE loan SET due_day = due_day + 7 WHERE device_id = {device}")).await.unwrap();
    let order = of(Kind::ReturnNotice);
    let shown = seen(test, &query, &order, now).await;
    let days: BTreeMap<DeviceId, _> =
        shown.iter().filter_map(|(device, order)| Some((*device, order.as_ref().ok()?.notice()?.due))).collect();
    let later = due.checked_add(jiff::ToSpan::days(7)).unwrap();
    assert_eq!(days, BTreeMap::from([(one, due), (two, later)]));
    let mut places = shown.iter().filter_map(|(_, order)| Some(order.as_ref().ok()?.notice()?.place.as_str()));
    assert!(places.all(|place| place == "Collège 1"));
    let until = BulkOrder::new(Kind::ReturnNotice, Some(due), Some("CDI")).unwrap();
    let shown = seen(test, &query, &until, now).await;
    assert_eq!(device_action_bulk::tally(&shown).left_out.get(&LeftOut::NotDue), Some(&1));
    let done = given(test, &query, &until, &chosen(&shown), now).await;
    assert_eq!(done.ordered, 1);
    assert_eq!(raw.texts("SELECT place FROM device_action").await.unwrap(), ["CDI"]);
}

async fn a_form_that_is_sent_twice_orders_once(test: &TestStore) {
    let (school, _) = school(test).await;
    let (query, now, order) = (at_site(school.site), at(1, 0, 0), of(Kind::CheckIn));
    let choices = chosen(&seen(test, &query, &order, now).await);
    // The first time came only half through.
    assert_eq!(given(test, &query, &order, &choices[..1], now).await.ordered, 1);
    let rest = given(test, &query, &order, &choices, now).await;
    assert_eq!((rest.ordered, left(&rest)), (2, vec![(LeftOut::Before, 1)]));
    // Weeks later none of them waits any more: the same form still orders nothing.
    let later = given(test, &query, &order, &choices, now.plus_days(20)).await;
    assert_eq!((later.ordered, left(&later)), (0, vec![(LeftOut::Before, 3)]));
    let anew = chosen(&seen(test, &query, &order, now.plus_days(20)).await);
    assert_eq!(given(test, &query, &order, &anew, now.plus_days(20)).await.ordered, 3, "another form does");
}

async fn what_changed_since_the_preview_is_left_out(test: &TestStore) {
    let (school, [one, two, three, _]) = school(test).await;
    let (query, now) = (at_site(school.site), at(1, 0, 0));
    let notices = of(Kind::ReturnNotice);
    let choices = chosen(&seen(test, &query, &notices, now).await);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let device = raw.uuid(one.0);
    raw.execute(&format!("UPDATE loan SET due_day = due_day + 1 WHERE device_id = {device}")).await.unwrap();
    let done = given(test, &query, &notices, &choices, now).await;
    assert_eq!((done.ordered, left(&done)), (1, vec![(LeftOut::Changed, 1)]), "another day than was shown");

    let tests = of(Kind::SelfTest);
    let choices = chosen(&seen(test, &query, &tests, now).await);
    let (away, aside) = (raw.uuid(two.0), raw.uuid(three.0));
    raw.execute(&format!("UPDATE device SET site_id = NULL WHERE id = {away}")).await.unwrap();
    raw.execute(&format!("UPDATE device SET status = 'quarantined' WHERE id = {aside}")).await.unwrap();
    let done = given(test, &query, &tests, &choices, now).await;
    let expected = vec![(LeftOut::NotInService, 1), (LeftOut::Changed, 1)];
    assert_eq!((done.ordered, left(&done)), (1, expected), "no longer what the filters find");
}

async fn more_than_one_unit_of_work_is_ordered_whole(test: &TestStore) {
    const DEVICES: usize = IN_ONE_UNIT + 1;
    let school = with_agents(test, DEVICES).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let (policy, query, order) = (Policy::default(), at_site(school.site), of(Kind::FullReport));
    let many = Many { query: &query, order: &order };
    let by = clerk(&ALL, &policy, at(1, 0, 0));
    let done = device_action_bulk::order_all(&test.store, by, many, usize::MAX).await.unwrap();
    assert_eq!((done.ordered, done.devices()), (DEVICES, DEVICES));
    let each = "SELECT count(*) FROM audit WHERE action = 'device_action.order' AND object_kind = 'device_action'";
    assert_eq!(raw.number(each).await.unwrap(), i64::try_from(DEVICES).unwrap());
    let whole = "SELECT details FROM audit WHERE action = 'device_action.order_many'";
    let whole = raw.texts(&format!("{whole} ORDER BY seq")).await.unwrap();
    assert_eq!(whole.len(), 2, "one with each unit of work: {whole:?}");
    for (row, given) in whole.iter().zip([IN_ONE_UNIT, DEVICES]) {
        assert!(row.contains(&format!("\"count\":{DEVICES}")), "{row}");
        assert!(row.contains(&format!("\"given\":{given}")), "{row}");
    }
}

/// What was ordered before the server stopped half way stands, and so does the row that says how many of how many.
async fn what_fails_half_way_leaves_its_row_of_the_whole(test: &TestStore) {
    const DEVICES: usize = IN_ONE_UNIT + 2;
    let school = with_agents(test, DEVICES).await;
    let (policy, query, order) = (Policy::default(), at_site(school.site), of(Kind::CheckIn));
    let by = clerk(&ALL, &policy, at(1, 0, 0));
    let mut choices = chosen(&seen(test, &query, &order, by.now).await);
    choices.sort_by_key(|choice| choice.device.0);
    // The second unit of work fails: two orders cannot have one id.
    choices[DEVICES - 1].id = choices[DEVICES - 2].id;
    let press = Uuid::now_v7();
    let many = Many { query: &query, order: &order };
    device_action_bulk::give(&test.store, by, many, (press, &choices)).await.unwrap_err();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let hundred = i64::try_from(IN_ONE_UNIT).unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device_action").await.unwrap(), hundred);
    let whole = format!("SELECT details FROM audit WHERE object_kind = 'device_actions' AND object_id = '{press}'");
    let whole = raw.texts(&whole).await.unwrap();
    assert_eq!(whole.len(), 1, "{whole:?}");
    let says = |words: String| whole[0].contains(&words);
    assert!(says(format!("\"count\":{DEVICES}")) && says(format!("\"given\":{IN_ONE_UNIT}")), "{whole:?}");
}

async fn a_device_that_is_named_twice_gets_one_order(test: &TestStore) {
    let (school, _) = school(test).await;
    let (query, now, order) = (at_site(school.site), at(1, 0, 0), of(Kind::CheckIn));
    let mut choices = chosen(&seen(test, &query, &order, now).await);
    choices.push(Choice { id: Uuid::now_v7(), ..choices[0].clone() });
    let done = given(test, &query, &order, &choices, now).await;
    assert_eq!((done.ordered, left(&done)), (3, vec![(LeftOut::Already, 1)]));
}
