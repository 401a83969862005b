//! What the store promises about recoveries, on both engines: a nonce is used once, a key waits once, a person decides
//! within the own sites, under audit, and only what can still be granted.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        approval::Ruling,
        device::DeviceStatus,
        lease::Lease,
        policy::Policy,
        recovery::{Cause, Decision, Earlier, decide},
        school_calendar::Zone,
        scope::Scope,
    },
    store::{
        Tx, audit, certificate, device,
        lending::Clerk,
        recovery,
        site::{self, NewSite},
    },
};
use cartable_tests::{
    fleet::{Enrolled, at, enrol},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    a_nonce_is_used_once_and_forgotten_when_it_is_long_over,
    what_a_recovery_is_decided_from,
    a_key_waits_once_until_the_rule_or_a_person_lets_it_through,
    a_person_decides_within_the_own_sites_under_audit,
    what_cannot_be_granted_any_more_waits_for_nobody,
    the_database_refuses_what_was_never_decided,
}

const ALL: Scope = Scope::Everything;

async fn college(test: &TestStore, uai: &str) -> Uuid {
    let new =
        NewSite { uai: uai.parse().unwrap(), name: "Collège".to_owned(), commune: "Évry".to_owned(), zone: Zone::C };
    let mut tx = test.store.write().await.unwrap();
    let id = site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn enrolled(test: &TestStore, site: Option<Uuid>) -> Enrolled {
    enrol(&test.store, test.url(), site, at(0, 0, 0)).await.unwrap()
}

async fn wait(test: &TestStore, one: Enrolled, now: UtcMillis) {
    let mut tx = test.store.write().await.unwrap();
    recovery::wait(&mut tx, (one.enrolment, one.device), Cause::TooLong, now).await.unwrap();
    tx.commit().await.unwrap();
}

fn clerk<'a>(scope: &'a Scope, policy: &'a Policy, now: UtcMillis) -> Clerk<'a> {
    Clerk { actor: "theo", token: None, scope, policy, now }
}

async fn earlier(tx: &mut Tx, one: Enrolled) -> Option<Earlier> {
    recovery::facts(tx, one.enrolment, one.device, at(500, 0, 0)).await.unwrap().earlier
}

async fn a_nonce_is_used_once_and_forgotten_when_it_is_long_over(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let ends = at(0, 0, 2);
    for (name, now, fresh) in [
        ([1; 16], at(0, 0, 0), true),
        ([1; 16], at(0, 0, 1), false),
        ([2; 16], at(0, 0, 1), true),
        // Over, and still remembered: the servers' clocks differ.
        ([1; 16], at(0, 0, 11), false),
    ] {
        assert_eq!(recovery::use_nonce(&mut tx, &name, ends, now).await.unwrap(), fresh, "{name:?} {now}");
    }
    assert!(recovery::use_nonce(&mut tx, &[3; 16], at(0, 1, 2), at(0, 1, 0)).await.unwrap());
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM recovery_nonce").await.unwrap(), 1, "the old ones are gone");
}

async fn what_a_recovery_is_decided_from(test: &TestStore) {
    let one = enrolled(test, None).await;
    let other = enrolled(test, None).await;
    let mut tx = test.store.write().await.unwrap();
    let facts = recovery::facts(&mut tx, one.enrolment, one.device, at(500, 0, 0)).await.unwrap();
    assert_eq!((facts.last_heard, facts.automatic_in_year, facts.earlier), (UtcMillis::default(), 0, None));
    for (device, day, serial) in [(one, 10, [1; 16]), (one, 90, [2; 16]), (other, 300, [3; 16])] {
        let lease = Lease::new(device.device, device.enrolment, serial, at(day, 0, 0));
        certificate::intend(&mut tx, &lease, at(day, 0, 0)).await.unwrap();
    }
    let facts = recovery::facts(&mut tx, one.enrolment, one.device, at(500, 0, 0)).await.unwrap();
    assert_eq!(facts.last_heard, at(90, -1, 0), "given a certificate it was there");
    tx.commit().await.unwrap();

    let mut raw = Raw::connect(test.url()).await.unwrap();
    let (device, enrolment) = (raw.uuid(one.device.0), raw.uuid(one.enrolment.0));
    let (first, last) = (at(10, 0, 0), at(120, 0, 0));
    let sql = format!(
        "INSERT INTO contact (device_id, enrolment_id, first_at, last_at, check_ins, skew_millis, agent_version) \
         VALUES ({device}, {enrolment}, {first}, {last}, 7, 0, 'test')"
    );
    raw.execute(&sql).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    for (day, device) in [(130, one), (400, one), (450, other)] {
        recovery::grant(&mut tx, (device.enrolment, device.device), at(day, 0, 0)).await.unwrap();
    }
    let facts = recovery::facts(&mut tx, one.enrolment, one.device, at(500, 0, 0)).await.unwrap();
    assert_eq!((facts.last_heard, facts.automatic_in_year), (at(120, 0, 0), 1), "day 130 is more than a year ago");
    assert_eq!(facts.earlier, None, "certificates followed");
    assert_eq!(decide(&facts, at(500, 0, 0)), Decision::Automatic);
}

async fn a_key_waits_once_until_the_rule_or_a_person_lets_it_through(test: &TestStore) {
    let one = enrolled(test, None).await;
    for minute in 0..3 {
        wait(test, one, at(500, 0, minute)).await;
    }
    let mut tx = test.store.write().await.unwrap();
    let waiting = recovery::waiting(&mut tx, &ALL).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].enrolment, waiting[0].device, waiting[0].cause),
        (one.enrolment, one.device, Cause::TooLong)
    );
    assert_eq!((waiting[0].since, waiting[0].last_contact), (at(500, 0, 0), None));
    assert_eq!(earlier(&mut tx, one).await, Some(Earlier::Waiting));

    // By the rule.
    recovery::grant(&mut tx, (one.enrolment, one.device), at(500, 1, 0)).await.unwrap();
    assert!(recovery::waiting(&mut tx, &ALL).await.unwrap().is_empty());
    assert_eq!(earlier(&mut tx, one).await, None);
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM recovery").await.unwrap(), 1, "the one that waited was granted");

    // By a person, once.
    wait(test, one, at(900, 0, 0)).await;
    let mut tx = test.store.write().await.unwrap();
    let id = recovery::waiting(&mut tx, &ALL).await.unwrap()[0].id;
    let policy = Policy::default();
    let by = clerk(&ALL, &policy, at(901, 0, 0));
    assert_eq!(recovery::decide(&mut tx, id, Ruling::Approve, by).await.unwrap(), Some(one.device));
    assert_eq!(earlier(&mut tx, one).await, Some(Earlier::Approved { at: at(901, 0, 0) }));
    recovery::use_approval(&mut tx, one.enrolment, at(901, 1, 0)).await.unwrap();
    assert_eq!(earlier(&mut tx, one).await, None);
    let facts = recovery::facts(&mut tx, one.enrolment, one.device, at(902, 0, 0)).await.unwrap();
    assert_eq!(facts.automatic_in_year, 0, "what a person decided is not counted against it");
    tx.commit().await.unwrap();
}

async fn a_person_decides_within_the_own_sites_under_audit(test: &TestStore) {
    let (mine, theirs) = (college(test, "0750655E").await, college(test, "0752700C").await);
    let (own, foreign) = (enrolled(test, Some(mine)).await, enrolled(test, Some(theirs)).await);
    wait(test, own, at(500, 0, 0)).await;
    wait(test, foreign, at(500, 0, 1)).await;
    let scope = Scope::Sites(vec![mine]);
    let policy = Policy::default();
    let mut tx = test.store.write().await.unwrap();
    let all = recovery::waiting(&mut tx, &ALL).await.unwrap();
    assert_eq!(all.iter().map(|one| one.site).collect::<Vec<_>>(), [Some(mine), Some(theirs)], "oldest first");
    let seen = recovery::waiting(&mut tx, &scope).await.unwrap();
    assert_eq!(seen.iter().map(|one| one.device).collect::<Vec<_>>(), [own.device]);
    assert_eq!(recovery::waiting_of(&mut tx, &scope, own.device).await.unwrap(), seen);
    assert!(recovery::waiting_of(&mut tx, &scope, foreign.device).await.unwrap().is_empty());
    assert_eq!(recovery::find(&mut tx, &ALL, all[1].id).await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(recovery::find(&mut tx, &scope, all[1].id).await.unwrap(), None);

    let by = clerk(&scope, &policy, at(501, 0, 0));
    for id in [all[1].id, Uuid::new_v4()] {
        assert_eq!(recovery::decide(&mut tx, id, Ruling::Approve, by).await.unwrap(), None);
        assert_eq!(recovery::decide(&mut tx, id, Ruling::Refuse, by).await.unwrap(), None);
    }
    assert_eq!(recovery::decide(&mut tx, seen[0].id, Ruling::Refuse, by).await.unwrap(), Some(own.device));
    assert_eq!(recovery::decide(&mut tx, seen[0].id, Ruling::Approve, by).await.unwrap(), None, "it was decided");
    assert_eq!(earlier(&mut tx, own).await, Some(Earlier::Refused));
    assert_eq!(earlier(&mut tx, foreign).await, Some(Earlier::Waiting));
    let acts = audit::of_object(&mut tx, "recovery", &seen[0].id.to_string(), 10).await.unwrap();
    assert_eq!(acts.len(), 1);
    assert_eq!((acts[0].actor.as_str(), acts[0].action.as_str()), ("theo", "recovery.refuse"));
    assert_eq!(acts[0].details, serde_json::json!({ "device": own.device }).to_string());
    let none = audit::of_object(&mut tx, "recovery", &all[1].id.to_string(), 10).await.unwrap();
    assert!(none.is_empty(), "what was not done is not written down");
    tx.commit().await.unwrap();
}

async fn what_cannot_be_granted_any_more_waits_for_nobody(test: &TestStore) {
    let (revoked, replaced) = (enrolled(test, None).await, enrolled(test, None).await);
    wait(test, revoked, at(500, 0, 0)).await;
    wait(test, replaced, at(500, 0, 1)).await;
    let mut tx = test.store.write().await.unwrap();
    let ids: Vec<(Uuid, DeviceId)> =
        recovery::waiting(&mut tx, &ALL).await.unwrap().iter().map(|one| (one.id, one.device)).collect();
    assert_eq!(ids.len(), 2);
    device::set_status(&mut tx, &ALL, revoked.device, DeviceStatus::Revoked).await.unwrap();
    tx.commit().await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let enrolment = raw.uuid(replaced.enrolment.0);
    raw.execute(&format!("UPDATE enrolment SET status = 'replaced' WHERE id = {enrolment}")).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    assert!(recovery::waiting(&mut tx, &ALL).await.unwrap().is_empty());
    let policy = Policy::default();
    for (id, device) in ids {
        let by = clerk(&ALL, &policy, at(501, 0, 0));
        assert_eq!(recovery::decide(&mut tx, id, Ruling::Approve, by).await.unwrap(), None, "{device}");
    }
}

async fn the_database_refuses_what_was_never_decided(test: &TestStore) {
    let one = enrolled(test, None).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let (device, enrolment) = (raw.uuid(one.device.0), raw.uuid(one.enrolment.0));
    for (state, rest) in [
        ("waiting", "'too_long', 5, NULL, NULL"),
        ("waiting", "NULL, NULL, NULL, NULL"),
        ("granted", "NULL, 5, NULL, NULL"),
        ("granted", "NULL, NULL, 'theo', 5"),
        ("refused", "'too_long', 5, NULL, NULL"),
        ("refused", "'too_long', 5, 'theo', 5"),
        ("lost", "'too_long', 5, 'theo', NULL"),
        ("waiting", "'bored', NULL, NULL, NULL"),
    ] {
        let id = raw.uuid(Uuid::new_v4());
        let sql = format!(
            "INSERT INTO recovery (id, enrolment_id, device_id, asked_at, state, cause, decided_at, decided_by, used_at) \
             VALUES ({id}, {enrolment}, {device}, 1, '{state}', {rest})"
        );
        assert!(raw.execute(&sql).await.is_err(), "{state}: {rest}");
    }
    assert_eq!(raw.number("SELECT count(*) FROM recovery").await.unwrap(), 0);
}
