//! What the store promises of newcomers, on both engines: a key that is an enrolment is let in no second time, one serial number
//! is one whatever its case, another site's machine is its people's to decide about, what is asked no more lapses, and a
//! month later nothing tells the hour, nor what a refused machine was; the audit never does.

use std::{collections::BTreeMap, time::Duration};

use cartable_common::{DeviceId, EnrolmentId, SerialNumber, UtcDay, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        approval::{Effect, Ruling, Source, WAITING_DAYS, WaitsFor},
        device::DeviceStatus,
        enrolment::EnrolmentStatus,
        enrolment_token::{TokenTerms, TokenText},
        lease::Lease,
        policy::Policy,
        recovery::Cause,
        scope::Scope,
    },
    jobs::retention,
    store::{
        Tx,
        approval::{self, Chosen, DecideError, Outcome},
        approval_queue::{self, QueueQuery},
        audit, certificate,
        device::{self, NewDevice},
        enrolment::{self, KeyHash, NewEnrolment},
        enrolment_token, lapse,
        lending::Clerk,
        newcomer::{self, NewNewcomer, NewcomerState},
        recovery,
    },
};
use cartable_tests::{
    fleet::{Enrolled, at, enrol},
    in_process::InProcess,
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    a_key_that_is_an_enrolment_by_now_is_let_in_no_second_time,
    the_hour_and_what_a_refused_machine_was_are_forgotten_after_a_month,
    what_a_refused_machine_was_stands_nowhere_for_ever,
    who_is_recorded_elsewhere_waits_for_the_people_there,
    who_was_let_in_once_waits_as_long_as_it_takes,
    a_request_that_is_asked_on_does_not_lapse_and_the_audit_names_the_device,
    what_cannot_be_ended_holds_nothing_else_back,
    one_serial_number_is_held_whatever_its_case,
    who_is_a_device_of_its_tokens_site_by_now_waits_for_the_people_there,
}

async fn token(test: &TestStore) -> Uuid {
    let site = InProcess::new(&test.store).site(1).await.unwrap();
    let terms = TokenTerms::new("livraison", None, 30, 24, at(0, 0, 0)).unwrap();
    let text = TokenText::from_random([1; 17]);
    let mut tx = test.store.write().await.unwrap();
    let id = enrolment_token::create(&mut tx, &text, &terms, site, "test", at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn newcomer(tx: &mut Tx, token: Uuid, (key, serial): (u8, &str), now: UtcMillis) -> Uuid {
    let hardware = Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() };
    let new = NewNewcomer {
        request: Uuid::new_v4(),
        key: &[key; 32],
        token,
        waits_for: WaitsFor::UnlistedSerial,
        hardware: &hardware,
        listed_as: None,
    };
    newcomer::insert(tx, &new, now).await.unwrap()
}

async fn a_key_that_is_an_enrolment_by_now_is_let_in_no_second_time(test: &TestStore) {
    let token = token(test).await;
    let one = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let stray = newcomer(&mut tx, token, (1, "STRAY"), at(1, 0, 0)).await;
    let other = newcomer(&mut tx, token, (2, "OTHER"), at(1, 0, 1)).await;
    let new = NewEnrolment {
        id: EnrolmentId(Uuid::now_v7()),
        device: one.device,
        request: Uuid::new_v4(),
        key: &[1; 32],
        token: None,
        status: EnrolmentStatus::Active,
    };
    enrolment::insert(&mut tx, &new, at(1, 0, 2)).await.unwrap();
    tx.commit().await.unwrap();

    let policy = Policy::default();
    let by = Clerk { actor: "anne", token: None, scope: &Scope::Everything, policy: &policy, now: at(2, 0, 0) };
    let chosen: Chosen = [(stray, None), (other, None)].into_iter().collect();
    let mut tx = test.store.write().await.unwrap();
    let decided = approval::decide(&mut tx, by, Ruling::Approve, None, &chosen).await.unwrap();
    tx.commit().await.unwrap();
    let outcome = |id: Uuid| decided.iter().find(|one| one.id == id).unwrap().outcome;
    assert_eq!(outcome(stray), Outcome::Already);
    assert!(matches!(outcome(other), Outcome::Approved(_)), "the rest is not rolled back");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM device").await.unwrap(), 2, "no device was added for it");
}

async fn the_hour_and_what_a_refused_machine_was_are_forgotten_after_a_month(test: &TestStore) {
    let token = token(test).await;
    let one = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    let key = (one.enrolment, one.device);
    let mut tx = test.store.write().await.unwrap();
    let refused = newcomer(&mut tx, token, (1, "PRIVATE"), at(0, 1, 2)).await;
    newcomer(&mut tx, token, (2, "WAITING"), at(0, 1, 3)).await;
    assert!(newcomer::refuse(&mut tx, refused, at(1, 2, 3)).await.unwrap());
    recovery::wait(&mut tx, key, Cause::TooLong, at(0, 5, 5)).await.unwrap();
    recovery::grant(&mut tx, key, at(0, 6, 6)).await.unwrap();
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut exact = async || {
        let mut sum = 0;
        for (table, column) in [
            ("newcomer", "created_at"),
            ("newcomer", "decided_at"),
            ("recovery", "asked_at"),
            ("recovery", "decided_at"),
            ("recovery", "used_at"),
        ] {
            let sql = format!("SELECT count(*) FROM {table} WHERE {column} % 86400000 <> 0");
            sum += raw.number(&sql).await.unwrap();
        }
        sum
    };
    let running = CancellationToken::new();
    retention::run(&test.store, at(29, 0, 0), &running).await.unwrap();
    assert_eq!(exact().await, 6, "a month has not passed");
    retention::run(&test.store, at(32, 0, 0), &running).await.unwrap();
    assert_eq!(exact().await, 0);
    let again = retention::run(&test.store, at(32, 0, 0), &running).await.unwrap();
    assert_eq!((again.coarsened, again.deleted), (0, 0), "it may be repeated at will");

    let mut tx = test.store.read().await.unwrap();
    let private = newcomer::of_key(&mut tx, &[1; 32]).await.unwrap().unwrap();
    assert_eq!((private.state, private.hardware), (NewcomerState::Refused, Hardware::default()), "refused it stays");
    let waiting = newcomer::of_key(&mut tx, &[2; 32]).await.unwrap().unwrap();
    assert_eq!(waiting.hardware.serial_number.get().map(SerialNumber::as_str), Some("WAITING"));
    let acts = audit::list(&mut tx, None, 10).await.unwrap();
    let told: Vec<_> = acts.iter().filter(|act| act.object_kind == "newcomer").map(|act| act.action.as_str()).collect();
    assert_eq!(told, ["retention.apply"]);
}

async fn what_a_refused_machine_was_stands_nowhere_for_ever(test: &TestStore) {
    let token = token(test).await;
    let mut tx = test.store.write().await.unwrap();
    let refused = newcomer(&mut tx, token, (1, "PRIVATE"), at(1, 0, 0)).await;
    let ours = newcomer(&mut tx, token, (2, "FLEET77"), at(1, 0, 1)).await;
    tx.commit().await.unwrap();
    let policy = Policy::default();
    let by = Clerk { actor: "anne", token: None, scope: &Scope::Everything, policy: &policy, now: at(2, 0, 0) };
    for (id, ruling) in [(refused, Ruling::Refuse), (ours, Ruling::Approve)] {
        let mut tx = test.store.write().await.unwrap();
        let chosen: Chosen = [(id, None)].into_iter().collect();
        let decided = approval::decide(&mut tx, by, ruling, Some("not ours"), &chosen).await.unwrap();
        assert!(decided[0].outcome.is_done(), "{decided:?}");
        tx.commit().await.unwrap();
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let told = "SELECT action FROM audit WHERE details LIKE '%PRIVATE%' OR details LIKE '%FLEET77%'";
    assert_eq!(raw.texts(told).await.unwrap(), ["newcomer.approve"], "of a device that is ours it says which");
    let named = format!("SELECT action FROM audit WHERE object_id = '{refused}' AND details LIKE '%not ours%'");
    assert_eq!(raw.texts(&named).await.unwrap(), ["newcomer.refuse"], "its id tells which, while it is known");
    let kept = "SELECT count(*) FROM newcomer WHERE hardware LIKE '%PRIVATE%'";
    assert_eq!(raw.number(kept).await.unwrap(), 1, "for a month");
    retention::run(&test.store, at(33, 0, 0), &CancellationToken::new()).await.unwrap();
    assert_eq!(raw.number(kept).await.unwrap(), 0);
}

async fn who_is_recorded_elsewhere_waits_for_the_people_there(test: &TestStore) {
    let token = token(test).await;
    let cartable = InProcess::new(&test.store);
    let (here, there) = (cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap());
    let device = DeviceId(Uuid::now_v7());
    let hardware = Hardware { serial_number: SerialNumber::parse("THEIRS").into(), ..Hardware::default() };
    let new = NewDevice {
        id: device,
        status: DeviceStatus::Pending,
        hardware: hardware.clone(),
        asset_tag: None,
        programme: None,
        site: Some(there),
        enrolled_at: None,
    };
    let mut tx = test.store.write().await.unwrap();
    device::insert(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    let arrival = enrolment::arrival_of(&mut tx, &hardware).await.unwrap();
    assert_eq!(newcomer::listed_elsewhere(&mut tx, &arrival, there).await.unwrap(), None);
    let listed_as = newcomer::listed_elsewhere(&mut tx, &arrival, here).await.unwrap();
    assert_eq!(listed_as, Some(device));
    let waits_for = WaitsFor::OtherSite;
    let new = NewNewcomer { request: Uuid::new_v4(), key: &[1; 32], token, waits_for, hardware: &hardware, listed_as };
    let id = newcomer::insert(&mut tx, &new, at(1, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();

    let [ours, theirs] = [here, there].map(|site| Scope::Sites(vec![site]));
    let mut tx = test.store.write().await.unwrap();
    assert_eq!(approval_queue::find(&mut tx, &ours, id).await.unwrap(), None, "nor is the device told of");
    let asking = approval_queue::find(&mut tx, &theirs, id).await.unwrap().unwrap();
    assert_eq!((asking.site, asking.waits_for, asking.effect), (Some(there), waits_for, Effect::FirstKey(device)));
    let policy = Policy::default();
    let by = |scope| Clerk { actor: "theo", token: None, scope, policy: &policy, now: at(2, 0, 0) };
    let chosen: Chosen = [(id, None)].into_iter().collect();
    let foreign = approval::decide(&mut tx, by(&ours), Ruling::Approve, None, &chosen).await;
    assert!(matches!(foreign, Err(DecideError::Unknown)), "{foreign:?}");
    let decided = approval::decide(&mut tx, by(&theirs), Ruling::Approve, None, &chosen).await.unwrap();
    assert_eq!(decided[0].outcome, Outcome::Approved(device));
    tx.commit().await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let joined = device::find(&mut tx, &Scope::Everything, device).await.unwrap().unwrap();
    assert_eq!((joined.site, joined.status), (Some(there), DeviceStatus::Active), "where it is recorded");
}

async fn who_was_let_in_once_waits_as_long_as_it_takes(test: &TestStore) {
    let token = token(test).await;
    let one = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    for number in 0..=lapse::AT_ONCE {
        // More than one unit of work takes.
        let key: KeyHash = Sha256::digest(number.to_be_bytes()).into();
        let hardware = Hardware::default();
        let waits_for = WaitsFor::SpentToken;
        let request = Uuid::new_v4();
        let new = NewNewcomer { request, key: &key, token, waits_for, hardware: &hardware, listed_as: None };
        newcomer::insert(&mut tx, &new, at(0, 0, 1)).await.unwrap();
    }
    for (key, token) in [([3; 32], Some(token)), ([4; 32], None)] {
        let (id, request) = (EnrolmentId(Uuid::now_v7()), Uuid::new_v4());
        let new = NewEnrolment { id, device: one.device, request, key: &key, token, status: EnrolmentStatus::Pending };
        if token.is_some() {
            enrolment::insert_waiting(&mut tx, &new, WaitsFor::Replacement, at(0, 0, 2)).await.unwrap();
        } else {
            enrolment::insert(&mut tx, &new, at(0, 0, 2)).await.unwrap();
        }
    }
    recovery::wait(&mut tx, (one.enrolment, one.device), Cause::TooLong, at(0, 0, 3)).await.unwrap();
    tx.commit().await.unwrap();
    let waiting = async || {
        let mut tx = test.store.read().await.unwrap();
        let query = QueueQuery { limit: 200, ..QueueQuery::default() };
        approval_queue::list(&mut tx, &Scope::Everything, &query).await.unwrap().rows
    };
    let running = CancellationToken::new();
    retention::run(&test.store, at(WAITING_DAYS - 1, 0, 0), &running).await.unwrap();
    let before = waiting().await;
    let all = usize::try_from(lapse::AT_ONCE).unwrap() + 4;
    assert_eq!((before.len(), before.iter().filter(|one| one.lapses_at.is_none()).count()), (all, 2));
    assert!(before.iter().filter_map(|one| one.lapses_at).all(|at_last| at_last > at(WAITING_DAYS - 1, 0, 0)));
    let done = retention::run(&test.store, at(WAITING_DAYS + 1, 0, 0), &running).await.unwrap();
    assert_eq!(done.deleted, u64::try_from(all).unwrap() - 2);
    let mut left: Vec<Source> = waiting().await.iter().map(|one| one.source).collect();
    left.sort();
    assert_eq!(
        left,
        [Source::Enrolment, Source::Recovery],
        "one that a restored database forgot, and a device's own key"
    );
    let again = retention::run(&test.store, at(WAITING_DAYS + 400, 0, 0), &running).await.unwrap();
    assert_eq!((again.deleted, waiting().await.len()), (0, 2));
}

/// A machine waits with this key as the device of `one`, as its agent asked.
async fn waits_as(tx: &mut Tx, one: Enrolled, key: &KeyHash, now: UtcMillis) -> EnrolmentId {
    let (id, request) = (EnrolmentId(Uuid::now_v7()), Uuid::new_v4());
    let status = EnrolmentStatus::Pending;
    let new = NewEnrolment { id, device: one.device, request, key, token: None, status };
    enrolment::insert_waiting(tx, &new, WaitsFor::Replacement, now).await.unwrap();
    id
}

async fn a_request_that_is_asked_on_does_not_lapse_and_the_audit_names_the_device(test: &TestStore) {
    let token = token(test).await;
    let one = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    let (asking, silent, vouched, let_in) = ([1; 32], [2; 32], [3; 32], [4; 32]);
    let mut tx = test.store.write().await.unwrap();
    let newcomer = newcomer(&mut tx, token, (9, "ASKING"), at(0, 0, 0)).await;
    let kept = waits_as(&mut tx, one, &asking, at(0, 0, 0)).await;
    let gone = waits_as(&mut tx, one, &silent, at(0, 0, 0)).await;
    let hardware = Hardware::default();
    let shown = (one.enrolment, &hardware);
    let cloned = newcomer::insert_vouched(&mut tx, (Uuid::new_v4(), &vouched), shown, at(0, 0, 0)).await.unwrap();
    let had_one = waits_as(&mut tx, one, &let_in, at(0, 0, 0)).await;
    let (not_before, not_after) = (at(0, 0, 0), at(90, 0, 0));
    let lease = Lease { serial: [7; 16], device: one.device, enrolment: had_one, not_before, not_after };
    certificate::intend(&mut tx, &lease, at(0, 0, 0)).await.unwrap();
    for key in [[9; 32], asking] {
        lapse::asked(&mut tx, &key, at(60, 3, 2)).await.unwrap();
        lapse::asked(&mut tx, &key, at(59, 0, 0)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let lapsing = async || {
        let mut tx = test.store.read().await.unwrap();
        let found = approval_queue::list(&mut tx, &Scope::Everything, &QueueQuery::default()).await.unwrap().rows;
        found.into_iter().map(|one| (one.id, one.lapses_at)).collect::<BTreeMap<_, _>>()
    };
    let after = |asked: UtcMillis| Some(UtcDay::from(asked).start().plus_days(WAITING_DAYS));
    let (late, early) = (after(at(60, 0, 0)), after(at(0, 0, 0)));
    let told = BTreeMap::from([(newcomer, late), (kept.0, late), (gone.0, early), (cloned, early), (had_one.0, None)]);
    assert_eq!(lapsing().await, told, "by the day of the last ask, and never one that has a certificate");

    let running = CancellationToken::new();
    retention::run(&test.store, at(WAITING_DAYS + 1, 0, 0), &running).await.unwrap();
    let left = BTreeMap::from([(newcomer, late), (kept.0, late), (had_one.0, None)]);
    assert_eq!(lapsing().await, left);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let named = format!(
        "SELECT action FROM audit WHERE action LIKE '%.lapse' AND details LIKE '%{}%' ORDER BY action",
        one.device
    );
    assert_eq!(raw.texts(&named).await.unwrap(), ["enrolment.lapse", "newcomer.lapse"], "the cloned key's too");
    retention::run(&test.store, at(WAITING_DAYS + 61, 0, 0), &running).await.unwrap();
    assert_eq!(lapsing().await, BTreeMap::from([(had_one.0, None)]));
}

async fn what_cannot_be_ended_holds_nothing_else_back(test: &TestStore) {
    let token = token(test).await;
    let mut tx = test.store.write().await.unwrap();
    let held = newcomer(&mut tx, token, (1, "HELD"), at(0, 1, 2)).await;
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let kind = match raw {
        Raw::Sqlite(_) => "BLOB",
        Raw::Postgres(_) => "UUID",
    };
    let id = raw.uuid(held);
    raw.execute(&format!("CREATE TABLE clinging (id {kind} REFERENCES newcomer (id))")).await.unwrap();
    raw.execute(&format!("INSERT INTO clinging VALUES ({id})")).await.unwrap();
    retention::run(&test.store, at(WAITING_DAYS + 1, 0, 0), &CancellationToken::new()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM newcomer").await.unwrap(), 1, "it is held");
    let exact = "SELECT count(*) FROM newcomer WHERE created_at % 86400000 <> 0";
    assert_eq!(raw.number(exact).await.unwrap(), 0, "the hour is forgotten all the same");
}

async fn one_serial_number_is_held_whatever_its_case(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    if !matches!(tx, Tx::Postgres(_)) {
        // It has one writer.
        return;
    }
    enrolment::lock_hardware(&mut tx, "PF2abc").await.unwrap();
    let mut other = test.store.write().await.unwrap();
    enrolment::lock_hardware(&mut other, "PF2ABCD").await.unwrap();
    let same = enrolment::lock_hardware(&mut other, "pf2ABC");
    assert!(tokio::time::timeout(Duration::from_millis(300), same).await.is_err(), "it waits for the first");
}

async fn who_is_a_device_of_its_tokens_site_by_now_waits_for_the_people_there(test: &TestStore) {
    let token = token(test).await;
    let one = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    let hardware = Hardware { serial_number: SerialNumber::parse("MOVED").into(), ..Hardware::default() };
    let (request, waits_for) = (Uuid::new_v4(), WaitsFor::OtherSite);
    let new =
        NewNewcomer { request, key: &[1; 32], token, waits_for, hardware: &hardware, listed_as: Some(one.device) };
    let mut tx = test.store.write().await.unwrap();
    newcomer::insert(&mut tx, &new, at(1, 0, 0)).await.unwrap();
    let waits = async |tx: &mut Tx| newcomer::of_key(tx, &[1; 32]).await.unwrap().unwrap();
    for (listed_as, expected) in [(Some(one.device), WaitsFor::OtherSite), (None, WaitsFor::Replacement)] {
        let earlier = waits(&mut tx).await;
        let asks = NewNewcomer { waits_for: WaitsFor::Replacement, listed_as, ..new };
        newcomer::reconsider(&mut tx, &earlier, &asks).await.unwrap();
        let now = waits(&mut tx).await;
        assert_eq!((now.listed_as, now.waits_for), (listed_as, expected));
    }
}
