//! Certificates of other systems' agents, on both engines: for one recorded device in service that has no agent of ours, known
//! by their kind, ended by a person or by our own agent, all of it under audit and within the sites.

use cartable_common::{DeviceId, EnrolmentId, SerialNumber, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        device_action::{Hindrance, Kind, Order},
        device_record::ContactExpected,
        enrolment::{EnrolmentKind, EnrolmentStatus, Refused, Standing},
        foreign_agent::IssueRefused,
        lease::Lease,
        policy::Policy,
        reading::agents::Tool,
        scope::Scope,
    },
    store::{
        Tx, audit, certificate, detail,
        device::{self, NewDevice},
        device_action::{self, Ordered},
        device_record,
        enrolment::{self, NewEnrolment},
        foreign_agent::{self, IssueError},
        lending::Clerk,
        trust_bundle::{self, Spread},
    },
};
use cartable_tests::{
    fleet::{Enrolled, RunningIngest, at, enrol, envelope, laptop},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use jiff::civil::date;
use uuid::Uuid;

on_both_engines! {
    a_recorded_device_gets_one_for_a_year_under_audit,
    its_key_is_of_another_kind_and_brings_reports,
    a_renewal_leaves_the_old_one_until_the_new_one_is_used,
    only_who_may_have_one_gets_one,
    a_revocation_ends_it_within_the_own_sites,
    it_takes_no_orders_and_follows_no_trust_bundle,
    the_database_knows_no_other_kind,
}

const ALL: Scope = Scope::Everything;

fn clerk<'a>(scope: &'a Scope, policy: &'a Policy, now: UtcMillis) -> Clerk<'a> {
    Clerk { actor: "theo", token: None, scope, policy, now }
}

async fn recorded(test: &TestStore, status: DeviceStatus) -> DeviceId {
    let id = DeviceId(Uuid::new_v4());
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2CART7").into(), ..Hardware::default() };
    let new = NewDevice { id, status, hardware, asset_tag: None, programme: None, site: None, enrolled_at: None };
    let mut tx = test.store.write().await.unwrap();
    device::insert(&mut tx, &new, at(-60, 0, 0)).await.unwrap();
    device_record::expect(&mut tx, id, ContactExpected::None).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Issues one for the key of 32 times `key`.
async fn issue(test: &TestStore, device: DeviceId, key: u8, now: UtcMillis) -> Result<Lease, IssueRefused> {
    let policy = Policy::default();
    let mut tx = test.store.write().await.unwrap();
    // Each certificate has a serial number of its own, whoever's it is.
    let new = (EnrolmentId(Uuid::now_v7()), *Uuid::new_v4().as_bytes());
    match foreign_agent::issue(&mut tx, device, &[key; 32], new, clerk(&ALL, &policy, now)).await {
        Ok(lease) => {
            tx.commit().await.unwrap();
            Ok(lease)
        }
        Err(IssueError::Refused(why)) => Err(why),
        Err(IssueError::Store(error)) => panic!("{error}"),
    }
}

async fn revoke(test: &TestStore, device: DeviceId, scope: &Scope) -> bool {
    let policy = Policy::default();
    let mut tx = test.store.write().await.unwrap();
    let ended = foreign_agent::revoke(&mut tx, device, clerk(scope, &policy, at(3, 0, 0))).await.unwrap();
    tx.commit().await.unwrap();
    ended
}

async fn expected(test: &TestStore, device: DeviceId) -> ContactExpected {
    let mut tx = test.store.read().await.unwrap();
    device_record::of_device(&mut tx, device).await.unwrap().contact_expected
}

/// What the key of 32 times `key` may, and whether it ends an older one.
async fn standing(tx: &mut Tx, key: u8) -> (Standing, bool) {
    let found = enrolment::of_key(tx, &[key; 32]).await.unwrap().unwrap();
    (found.standing_as(EnrolmentKind::Foreign), found.has_predecessor)
}

async fn a_recorded_device_gets_one_for_a_year_under_audit(test: &TestStore) {
    let id = recorded(test, DeviceStatus::Pending).await;
    let lease = issue(test, id, 1, at(0, 0, 0)).await.unwrap();
    assert_eq!(lease.not_after, at(365, 0, 0));
    assert_eq!(expected(test, id).await, ContactExpected::Agent);
    let mut tx = test.store.read().await.unwrap();
    let found = detail::find(&mut tx, &ALL, id).await.unwrap().unwrap();
    assert_eq!((found.device.status, found.device.enrolled_at), (DeviceStatus::Active, Some(at(0, 0, 0))));
    let listed = foreign_agent::list(&mut tx, &ALL).await.unwrap();
    assert_eq!(found.foreign_agent.as_ref(), listed.first());
    let [one] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((one.device, one.ends_at, one.tool, one.last_contact), (id, Some(at(365, 0, 0)), None, None));
    assert!(foreign_agent::list(&mut tx, &Scope::Sites(vec![Uuid::new_v4()])).await.unwrap().is_empty());
    assert_eq!(certificate::newest(&mut tx, lease.enrolment).await.unwrap().unwrap().lease, lease);
    let acts = audit::of_object(&mut tx, "device", &id.to_string(), 10).await.unwrap();
    assert_eq!((acts[0].actor.as_str(), acts[0].action.as_str()), ("theo", "device.issue_foreign_agent"));
    assert!(acts[0].details.contains(&format!("\"expires_at\":{}", at(365, 0, 0))), "{}", acts[0].details);
    assert!(!acts[0].details.contains("KEY"), "{}", acts[0].details);
}

async fn its_key_is_of_another_kind_and_brings_reports(test: &TestStore) {
    let id = recorded(test, DeviceStatus::Active).await;
    let lease = issue(test, id, 1, at(0, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let key = enrolment::of_key(&mut tx, &[1; 32]).await.unwrap().unwrap();
    assert_eq!((key.kind, key.device, key.enrolment), (EnrolmentKind::Foreign, id, lease.enrolment));
    assert_eq!(key.standing(), Standing::Refused(Refused::OtherAgent), "it is none of our agents");
    assert_eq!(key.standing_as(EnrolmentKind::Foreign), Standing::Full);
    foreign_agent::remember_tool(&mut tx, lease.enrolment, Tool::Glpi).await.unwrap();
    tx.commit().await.unwrap();
    let one = Enrolled { device: id, enrolment: lease.enrolment };
    let running = RunningIngest::start(&test.store);
    running.ingest.check_in(one.check_in(at(1, 0, 0), vec![envelope(1, at(1, 0, 0), laptop(50))])).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let found = detail::find(&mut tx, &ALL, id).await.unwrap().unwrap();
    assert_eq!((found.brought_of, found.reported_by), (None, Some(Tool::Glpi)));
    assert_eq!(found.contact.unwrap().last_at, at(1, 0, 0), "it is a contact: the machine itself spoke");
    let known = foreign_agent::known(&mut tx, lease.enrolment).await.unwrap().unwrap();
    assert_eq!(known.content_hash, Some(found.health.unwrap().content_hash));
    assert_eq!((known.serial_number.as_deref(), known.foreign_tool.as_deref()), (Some("PF2CART7"), Some("glpi")));
    drop(tx);
    let own = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let found = detail::find(&mut tx, &ALL, own.device).await.unwrap().unwrap();
    assert_eq!((found.reported_by, found.foreign_agent), (None, None));
}

async fn it_takes_no_orders_and_follows_no_trust_bundle(test: &TestStore) {
    let id = recorded(test, DeviceStatus::Active).await;
    issue(test, id, 1, at(0, 0, 0)).await.unwrap();
    let order = Order::new(Kind::SelfTest, None, None, date(2027, 1, 1)).unwrap();
    let policy = Policy::default();
    let mut tx = test.store.write().await.unwrap();
    let by = clerk(&ALL, &policy, at(1, 0, 0));
    let ordered = device_action::order(&mut tx, id, &order, by).await.unwrap();
    assert_eq!(ordered, Ordered::Hindered(Hindrance::NoAgent));
    assert_eq!(device_action::speaks_for(&mut tx, id).await.unwrap(), None, "the page offers none");
    assert_eq!(trust_bundle::spread(&mut tx, 2).await.unwrap(), Spread::default(), "nobody waits for it");
    assert!(trust_bundle::behind(&mut tx, 2, None, 10).await.unwrap().is_empty());
}

async fn a_renewal_leaves_the_old_one_until_the_new_one_is_used(test: &TestStore) {
    let id = recorded(test, DeviceStatus::Active).await;
    let first = issue(test, id, 1, at(0, 0, 0)).await.unwrap();
    let second = issue(test, id, 2, at(300, 0, 0)).await.unwrap();
    assert_ne!(first.enrolment, second.enrolment);
    let again = issue(test, id, 2, at(301, 0, 0)).await.unwrap();
    assert_eq!(
        again.enrolment, second.enrolment,
        "the same key again, for a certificate request that is brought again"
    );
    let mut tx = test.store.write().await.unwrap();
    let full = Standing::Full;
    assert_eq!(standing(&mut tx, 1).await, (full, false));
    assert_eq!(standing(&mut tx, 2).await, (full, true));
    // As its first use does.
    enrolment::replace_others(&mut tx, id, [second.enrolment; 2], at(302, 0, 0)).await.unwrap();
    assert_eq!(standing(&mut tx, 1).await.0, Standing::Refused(Refused::Replaced));
    assert_eq!(standing(&mut tx, 2).await, (full, false));
    let of_device = detail::find(&mut tx, &ALL, id).await.unwrap().unwrap().foreign_agent.unwrap();
    assert_eq!(of_device.ends_at, Some(again.not_after));
}

async fn only_who_may_have_one_gets_one(test: &TestStore) {
    let nobody = DeviceId(Uuid::new_v4());
    assert_eq!(issue(test, nobody, 1, at(0, 0, 0)).await, Err(IssueRefused::UnknownDevice));
    let gone = recorded(test, DeviceStatus::Revoked).await;
    let refused = Err(IssueRefused::NotInService(DeviceStatus::Revoked));
    assert_eq!(issue(test, gone, 1, at(0, 0, 0)).await, refused);
    let own = enrol(&test.store, test.url(), None, at(0, 0, 0)).await.unwrap();
    assert_eq!(issue(test, own.device, 1, at(0, 0, 0)).await, Err(IssueRefused::AgentSpeaks));
    let first = recorded(test, DeviceStatus::Active).await;
    issue(test, first, 1, at(0, 0, 0)).await.unwrap();
    let other = recorded(test, DeviceStatus::Active).await;
    assert_eq!(issue(test, other, 1, at(0, 0, 0)).await, Err(IssueRefused::KeyInUse), "another device's");
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::of_object(&mut tx, "device", &other.to_string(), 10).await.unwrap();
    assert_eq!(acts, [], "a refusal writes nothing");
    drop(tx);
    // A key that only waits keeps nobody out: whoever claims the serial number has one.
    let new = NewEnrolment {
        id: EnrolmentId(Uuid::now_v7()),
        device: other,
        request: Uuid::new_v4(),
        key: &[9; 32],
        token: None,
        status: EnrolmentStatus::Pending,
    };
    let mut tx = test.store.write().await.unwrap();
    enrolment::insert(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    tx.commit().await.unwrap();
    issue(test, other, 2, at(0, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    assert!(enrolment::approve(&mut tx, new.id, at(0, 0, 1)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(issue(test, other, 3, at(0, 0, 2)).await, Err(IssueRefused::AgentSpeaks));
    // Let in, it ends the other system's.
    let asked = NewEnrolment { id: EnrolmentId(Uuid::now_v7()), device: first, key: &[8; 32], ..new };
    let mut tx = test.store.write().await.unwrap();
    enrolment::insert(&mut tx, &asked, at(1, 0, 0)).await.unwrap();
    assert!(enrolment::approve(&mut tx, asked.id, at(1, 0, 0)).await.unwrap());
    let ended = enrolment::of_key(&mut tx, &[1; 32]).await.unwrap().unwrap();
    assert_eq!(ended.standing_as(EnrolmentKind::Foreign), Standing::Refused(Refused::Replaced));
    tx.commit().await.unwrap();
}

async fn a_revocation_ends_it_within_the_own_sites(test: &TestStore) {
    let id = recorded(test, DeviceStatus::Active).await;
    assert!(!revoke(test, id, &ALL).await, "there is none");
    issue(test, id, 1, at(0, 0, 0)).await.unwrap();
    assert!(!revoke(test, id, &Scope::Sites(vec![Uuid::new_v4()])).await, "another site's");
    assert!(revoke(test, id, &ALL).await);
    assert!(!revoke(test, id, &ALL).await, "once");
    assert_eq!(expected(test, id).await, ContactExpected::None, "its silence means nothing any more");
    let mut tx = test.store.read().await.unwrap();
    let ended = enrolment::of_key(&mut tx, &[1; 32]).await.unwrap().unwrap();
    assert_eq!(ended.standing_as(EnrolmentKind::Foreign), Standing::Refused(Refused::Revoked));
    assert!(foreign_agent::list(&mut tx, &ALL).await.unwrap().is_empty());
    let acts = audit::of_object(&mut tx, "device", &id.to_string(), 10).await.unwrap();
    let acts: Vec<&str> = acts.iter().map(|act| act.action.as_str()).collect();
    assert_eq!(acts, ["device.revoke_foreign_agent", "device.issue_foreign_agent"]);
    drop(tx);
    assert_eq!(issue(test, id, 1, at(4, 0, 0)).await, Err(IssueRefused::KeyInUse), "a revoked key stays revoked");
    issue(test, id, 2, at(4, 0, 0)).await.unwrap();
}

async fn the_database_knows_no_other_kind(test: &TestStore) {
    let id = recorded(test, DeviceStatus::Active).await;
    issue(test, id, 1, at(0, 0, 0)).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for sql in ["UPDATE enrolment SET kind = 'other'", "UPDATE enrolment SET foreign_tool = 'ocs'"] {
        assert!(raw.execute(sql).await.is_err(), "{sql}");
    }
    assert_eq!(raw.number("SELECT count(*) FROM enrolment WHERE kind = 'foreign'").await.unwrap(), 1);
}
