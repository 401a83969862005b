//! The promises of the approval queue: each request once, oldest first, to nobody who does not see its site; a decision does
//! what its preview said or nothing, once, and leaves a row in the audit.

use std::collections::BTreeSet;

use cartable_common::{DeviceId, EnrolmentId, SerialNumber, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        approval::{Effect, Hindrance, Ruling, WaitsFor},
        device::DeviceStatus,
        enrolment::EnrolmentStatus,
        enrolment_token::{Admits, TokenTerms, TokenText},
        policy::Policy,
        recovery::{Cause, Earlier},
        scope::Scope,
    },
    store::{
        Store, Tx,
        approval::{self, Chosen, DecideError, Decided, Outcome},
        approval_queue::{self, Asking, QueueQuery},
        audit,
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment},
        enrolment_token,
        lending::Clerk,
        newcomer::{self, NewNewcomer},
        page::Total,
        recovery,
    },
};
use cartable_tests::{fleet::at, in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};
use uuid::Uuid;

on_both_engines! {
    pages_give_every_request_once_oldest_first_to_those_who_see_it,
    what_is_let_in_becomes_what_the_preview_said,
    of_two_machines_with_one_serial_number_one_is_looked_at_alone,
    what_changed_or_was_decided_meanwhile_is_told_and_left_alone,
    a_device_of_a_foreign_site_is_not_told_of,
    a_token_says_whom_it_lets_in,
    a_recovery_that_a_person_decides_stands_among_the_others,
}

pub(crate) const ALL: Scope = Scope::Everything;

/// Two sites with a token each.
pub(crate) struct Town {
    pub(crate) sites: [Uuid; 2],
    pub(crate) tokens: [Uuid; 2],
}

impl Town {
    pub(crate) async fn begin(test: &TestStore) -> Self {
        let cartable = InProcess::new(&test.store);
        let sites = [cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap()];
        let mut tx = test.store.write().await.unwrap();
        let mut tokens = [Uuid::nil(); 2];
        for (number, site) in sites.into_iter().enumerate() {
            let terms = TokenTerms::new("livraison", None, 30, 24, at(0, 0, 0)).unwrap();
            let text = TokenText::from_random([u8::try_from(number).unwrap(); 17]);
            tokens[number] = enrolment_token::create(&mut tx, &text, &terms, site, "test", at(0, 0, 0)).await.unwrap();
        }
        tx.commit().await.unwrap();
        Self { sites, tokens }
    }
}

fn hardware(serial: &str) -> Hardware {
    Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() }
}

/// A key that nobody else has.
fn key() -> [u8; 32] {
    let mut key = [7; 32];
    key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    key
}

pub(crate) async fn newcomer(tx: &mut Tx, token: Uuid, serial: &str, now: UtcMillis) -> Uuid {
    let new = NewNewcomer {
        request: Uuid::new_v4(),
        key: &key(),
        token,
        waits_for: WaitsFor::UnlistedSerial,
        hardware: &hardware(serial),
        listed_as: None,
    };
    newcomer::insert(tx, &new, now).await.unwrap()
}

pub(crate) async fn device(tx: &mut Tx, site: Uuid, serial: &str, status: DeviceStatus) -> DeviceId {
    let id = DeviceId(Uuid::now_v7());
    let new = NewDevice {
        id,
        status,
        hardware: hardware(serial),
        asset_tag: None,
        programme: None,
        site: Some(site),
        enrolled_at: None,
    };
    device::insert(tx, &new, at(0, 0, 0)).await.unwrap();
    id
}

pub(crate) async fn enrolled(tx: &mut Tx, device: DeviceId, status: EnrolmentStatus, now: UtcMillis) -> Uuid {
    let id = EnrolmentId(Uuid::now_v7());
    let new = NewEnrolment { id, device, request: Uuid::new_v4(), key: &key(), token: None, status };
    enrolment::insert(tx, &new, now).await.unwrap();
    id.0
}

/// Decides as `anne` within `scope`; kept only if `keep`.
pub(crate) async fn decide(
    store: &Store,
    scope: &Scope,
    (ruling, keep): (Ruling, bool),
    chosen: impl IntoIterator<Item = (Uuid, Option<String>)>,
) -> Result<Vec<Decided>, DecideError> {
    let (policy, chosen) = (Policy::default(), chosen.into_iter().collect::<Chosen>());
    let by = Clerk { actor: "anne", token: None, scope, policy: &policy, now: at(3, 0, 0) };
    let mut tx = store.write().await.unwrap();
    let decided = approval::decide(&mut tx, by, ruling, Some("livraison"), &chosen).await?;
    if keep {
        tx.commit().await.unwrap();
    }
    Ok(decided)
}

pub(crate) fn outcomes(decided: &[Decided]) -> Vec<Outcome> {
    decided.iter().map(|one| one.outcome).collect()
}

pub(crate) async fn all(store: &Store, scope: &Scope, query: &QueueQuery) -> Vec<Asking> {
    let (mut rows, mut query) = (Vec::new(), query.clone());
    let mut tx = store.read().await.unwrap();
    loop {
        let page = approval_queue::list(&mut tx, scope, &query).await.unwrap();
        rows.extend(page.rows);
        if page.next.is_none() {
            return rows;
        }
        query.after = page.next;
    }
}

pub(crate) async fn acts(store: &Store) -> Vec<String> {
    let mut tx = store.read().await.unwrap();
    let acts = audit::list(&mut tx, None, 50).await.unwrap();
    acts.into_iter().filter(|act| act.actor == "anne").map(|act| act.action).collect()
}

async fn pages_give_every_request_once_oldest_first_to_those_who_see_it(test: &TestStore) {
    let Town { sites, tokens } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let mut foreign = Uuid::nil();
    for number in 0..10 {
        // Many at the same moment: only the id tells them apart.
        let when = at(1, 0, 0);
        foreign = newcomer(&mut tx, tokens[usize::from(number >= 7)], &format!("SN{number:04}"), when).await;
    }
    for serial in ["KNOWN1", "KNOWN2"] {
        let id = device(&mut tx, sites[0], serial, DeviceStatus::Active).await;
        enrolled(&mut tx, id, EnrolmentStatus::Active, at(0, 1, 0)).await;
        enrolled(&mut tx, id, EnrolmentStatus::Pending, at(0, 2, 0)).await;
    }
    tx.commit().await.unwrap();
    let query = QueueQuery { limit: 4, ..QueueQuery::default() };
    let rows = all(&test.store, &ALL, &query).await;
    assert_eq!(rows.len(), 12);
    assert_eq!(rows.iter().map(|row| row.id).collect::<BTreeSet<_>>().len(), 12, "each once");
    assert!(rows.is_sorted_by_key(|row| row.since), "oldest first");
    assert_eq!(rows[0].waits_for, WaitsFor::Replacement);
    assert_eq!(rows[0].effect, Effect::Replaces(rows[0].known.as_ref().unwrap().id));
    assert_eq!(rows[11].token.as_deref(), Some("livraison"));

    let own = Scope::Sites(vec![sites[0]]);
    assert_eq!(all(&test.store, &own, &query).await.len(), 9);
    let of = |waits_for| QueueQuery { waits_for: Some(waits_for), ..QueueQuery::default() };
    assert_eq!(all(&test.store, &own, &of(WaitsFor::Replacement)).await.len(), 2);
    assert_eq!(all(&test.store, &own, &of(WaitsFor::SpentToken)).await, []);
    let there = QueueQuery { site: Some(sites[1]), ..QueueQuery::default() };
    assert_eq!((all(&test.store, &ALL, &there).await.len(), all(&test.store, &own, &there).await.len()), (3, 0));
    let mut tx = test.store.read().await.unwrap();
    assert_eq!(approval_queue::waiting(&mut tx, &own).await.unwrap(), Total::Exact(9));
    assert_eq!(approval_queue::find(&mut tx, &own, foreign).await.unwrap(), None);
    assert!(approval_queue::find(&mut tx, &ALL, foreign).await.unwrap().is_some());
    drop(tx);
    // One foreign request among one's own, and nothing of it is done.
    let refused = decide(&test.store, &own, (Ruling::Approve, true), [(rows[0].id, None), (foreign, None)]).await;
    assert!(matches!(refused, Err(DecideError::Unknown)), "{refused:?}");
    assert_eq!(all(&test.store, &ALL, &query).await.len(), 12);
}

async fn what_is_let_in_becomes_what_the_preview_said(test: &TestStore) {
    let Town { sites, tokens } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let known = device(&mut tx, sites[0], "KNOWN", DeviceStatus::Active).await;
    enrolled(&mut tx, known, EnrolmentStatus::Active, at(0, 1, 0)).await;
    let awaited = device(&mut tx, sites[0], "AWAITED", DeviceStatus::Pending).await;
    let new = newcomer(&mut tx, tokens[0], "NEW", at(1, 0, 0)).await;
    let first = newcomer(&mut tx, tokens[0], "AWAITED", at(1, 0, 1)).await;
    let replaces = enrolled(&mut tx, known, EnrolmentStatus::Pending, at(1, 0, 2)).await;
    let unwanted = newcomer(&mut tx, tokens[0], "UNWANTED", at(1, 0, 3)).await;
    tx.commit().await.unwrap();
    let three = [new, first, replaces];
    let preview = decide(&test.store, &ALL, (Ruling::Approve, false), three.map(|id| (id, None))).await.unwrap();
    assert!(preview.iter().all(|one| one.outcome.is_done()), "{preview:?}");
    assert_eq!(all(&test.store, &ALL, &QueueQuery::default()).await.len(), 4, "a preview keeps nothing");
    assert_eq!(acts(&test.store).await, Vec::<String>::new());
    let effects: Vec<Effect> = preview.iter().map(|one| one.asked.as_ref().unwrap().effect).collect();
    assert_eq!(effects, [Effect::NewDevice, Effect::FirstKey(awaited), Effect::Replaces(known)]);

    let shown = preview.iter().map(|one| (one.id, Some(one.asked.as_ref().unwrap().mark())));
    let decided = decide(&test.store, &ALL, (Ruling::Approve, true), shown).await.unwrap();
    assert!(decided.iter().all(|one| one.outcome.is_done()), "{decided:?}");
    let Outcome::Approved(made) = decided[0].outcome else { panic!("{decided:?}") };
    assert_eq!(outcomes(&decided)[1..], [Outcome::Approved(awaited), Outcome::Approved(known)]);
    let refused = decide(&test.store, &ALL, (Ruling::Refuse, true), [(unwanted, None)]).await.unwrap();
    assert_eq!(outcomes(&refused), [Outcome::Refused]);

    let mut tx = test.store.read().await.unwrap();
    for id in [made, awaited, known] {
        let found = device::find(&mut tx, &ALL, id).await.unwrap().unwrap();
        assert_eq!((found.status, found.site), (DeviceStatus::Active, Some(sites[0])));
        assert_eq!(found.enrolled_at, Some(at(3, 0, 0)));
    }
    drop(tx);
    assert_eq!(all(&test.store, &ALL, &QueueQuery::default()).await, []);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let standing = raw.texts("SELECT status FROM enrolment ORDER BY created_at").await.unwrap();
    assert_eq!(standing, ["replaced", "active", "active", "active"], "the old key, the new one, and two newcomers'");
    let acts = acts(&test.store).await;
    assert_eq!(acts, ["newcomer.refuse", "enrolment.approve", "newcomer.approve", "newcomer.approve"], "newest first");
    // Sent once more, nothing is done.
    let again = decide(&test.store, &ALL, (Ruling::Approve, true), three.map(|id| (id, None))).await.unwrap();
    assert_eq!(outcomes(&again), [Outcome::Already; 3]);
}

async fn of_two_machines_with_one_serial_number_one_is_looked_at_alone(test: &TestStore) {
    let Town { tokens, .. } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let one = newcomer(&mut tx, tokens[0], "TWIN", at(1, 0, 0)).await;
    let two = newcomer(&mut tx, tokens[0], "twin", at(1, 0, 1)).await;
    tx.commit().await.unwrap();
    let decided = decide(&test.store, &ALL, (Ruling::Approve, true), [(one, None), (two, None)]).await.unwrap();
    let Outcome::Approved(made) = decided[0].outcome else { panic!("{decided:?}") };
    assert_eq!(decided[1].outcome, Outcome::Impossible(Hindrance::Twice));
    let rows = all(&test.store, &ALL, &QueueQuery::default()).await;
    assert_eq!(rows.iter().map(|row| (row.id, row.effect)).collect::<Vec<_>>(), [(two, Effect::Replaces(made))]);
}

async fn what_changed_or_was_decided_meanwhile_is_told_and_left_alone(test: &TestStore) {
    let Town { sites, tokens } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let [taken, changed, fine] = [
        newcomer(&mut tx, tokens[0], "TAKEN", at(1, 0, 0)).await,
        newcomer(&mut tx, tokens[0], "CHANGED", at(1, 0, 1)).await,
        newcomer(&mut tx, tokens[0], "FINE", at(1, 0, 2)).await,
    ];
    tx.commit().await.unwrap();
    let shown = all(&test.store, &ALL, &QueueQuery::default()).await;
    // Between the preview and the decision: another refused one, and recorded another's serial number.
    decide(&test.store, &ALL, (Ruling::Refuse, true), [(taken, None)]).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let recorded = device(&mut tx, sites[0], "CHANGED", DeviceStatus::Pending).await;
    tx.commit().await.unwrap();
    // That there would be a new device says not which.
    let bare = Some(Effect::NewDevice.mark());
    let unsaid = decide(&test.store, &ALL, (Ruling::Approve, true), [(fine, bare)]).await.unwrap();
    assert_eq!(outcomes(&unsaid), [Outcome::Changed]);
    let chosen = shown.iter().map(|one| (one.id, Some(one.mark())));
    let decided = decide(&test.store, &ALL, (Ruling::Approve, true), chosen).await.unwrap();
    assert_eq!(outcomes(&decided)[..2], [Outcome::Already, Outcome::Changed]);
    assert!(matches!(decided[2].outcome, Outcome::Approved(_)), "{decided:?}");
    let rows = all(&test.store, &ALL, &QueueQuery::default()).await;
    let left: Vec<_> = rows.iter().map(|row| (row.id, row.effect)).collect();
    assert_eq!(left, [(changed, Effect::FirstKey(recorded))]);
    assert_eq!(acts(&test.store).await, ["newcomer.approve", "newcomer.refuse"], "of what was not done, no row");
    let unknown = decide(&test.store, &ALL, (Ruling::Approve, true), [(Uuid::new_v4(), None)]).await;
    assert!(matches!(unknown, Err(DecideError::Unknown)), "{unknown:?}");
    let many = (0..101).map(|_| (Uuid::new_v4(), None));
    let many = decide(&test.store, &ALL, (Ruling::Approve, true), many).await;
    assert!(matches!(many, Err(DecideError::TooMany)), "{many:?}");
}

async fn a_device_of_a_foreign_site_is_not_told_of(test: &TestStore) {
    let Town { sites, tokens } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let theirs = device(&mut tx, sites[1], "THEIRS", DeviceStatus::Active).await;
    let claims = newcomer(&mut tx, tokens[0], "THEIRS", at(1, 0, 0)).await;
    tx.commit().await.unwrap();
    let own = Scope::Sites(vec![sites[0]]);
    let rows = all(&test.store, &own, &QueueQuery::default()).await;
    assert_eq!(rows[0].effect, Effect::Impossible(Hindrance::Elsewhere));
    assert_eq!(rows[0].known, None);
    let decided = decide(&test.store, &own, (Ruling::Approve, true), [(claims, None)]).await.unwrap();
    assert_eq!(outcomes(&decided), [Outcome::Impossible(Hindrance::Elsewhere)]);
    let rows = all(&test.store, &ALL, &QueueQuery::default()).await;
    assert_eq!(rows[0].known.as_ref().map(|known| known.id), Some(theirs), "whoever sees both decides");
    let decided = decide(&test.store, &ALL, (Ruling::Approve, true), [(claims, None)]).await.unwrap();
    assert_eq!(outcomes(&decided), [Outcome::Approved(theirs)]);
}

async fn a_token_says_whom_it_lets_in(test: &TestStore) {
    let Town { sites, .. } = Town::begin(test).await;
    let terms = TokenTerms::new("liste", None, 2, 24, at(0, 0, 0)).unwrap().admitting(Admits::Recorded);
    let text = TokenText::from_random([9; 17]);
    let mut tx = test.store.write().await.unwrap();
    let id = enrolment_token::create(&mut tx, &text, &terms, sites[0], "test", at(0, 0, 0)).await.unwrap();
    let found = enrolment_token::find(&mut tx, &ALL, id).await.unwrap().unwrap();
    assert_eq!((found.admits, found.used), (Admits::Recorded, 0));
    let now = at(0, 1, 0);
    let presented = enrolment_token::present(&mut tx, &text.sha256(), now).await.unwrap();
    let enrolment_token::Presented::Open(admission) = presented else { panic!("{presented:?}") };
    assert_eq!((admission.id, admission.admits), (id, Admits::Recorded));
    enrolment_token::give_back(&mut tx, id).await.unwrap();
    for _ in 0..2 {
        let presented = enrolment_token::present(&mut tx, &text.sha256(), now).await.unwrap();
        assert!(matches!(presented, enrolment_token::Presented::Open(_)), "{presented:?}");
    }
    let spent = enrolment_token::present(&mut tx, &text.sha256(), now).await.unwrap();
    assert!(matches!(spent, enrolment_token::Presented::Spent(_)), "{spent:?}");
    let long_after = enrolment_token::present(&mut tx, &text.sha256(), at(40, 0, 0)).await.unwrap();
    assert_eq!(long_after, enrolment_token::Presented::Ended);
    assert!(enrolment_token::revoke(&mut tx, &ALL, id, now).await.unwrap());
    assert_eq!(
        enrolment_token::present(&mut tx, &text.sha256(), now).await.unwrap(),
        enrolment_token::Presented::Ended
    );
    assert_eq!(enrolment_token::present(&mut tx, &[0; 32], now).await.unwrap(), enrolment_token::Presented::Unknown);
}

async fn a_recovery_that_a_person_decides_stands_among_the_others(test: &TestStore) {
    let Town { sites, .. } = Town::begin(test).await;
    let mut tx = test.store.write().await.unwrap();
    let (mut devices, mut enrolments) = (Vec::new(), Vec::new());
    for (serial, cause) in [("CUPBOARD", Cause::TooLong), ("FORGETFUL", Cause::TooOften)] {
        let id = device(&mut tx, sites[0], serial, DeviceStatus::Active).await;
        let enrolment = EnrolmentId(enrolled(&mut tx, id, EnrolmentStatus::Active, at(0, 1, 0)).await);
        recovery::wait(&mut tx, (enrolment, id), cause, at(2, 0, 0)).await.unwrap();
        devices.push(id);
        enrolments.push(enrolment);
    }
    tx.commit().await.unwrap();
    let query = QueueQuery { waits_for: Some(WaitsFor::Recovery), ..QueueQuery::default() };
    let mut rows = all(&test.store, &ALL, &query).await;
    rows.sort_by_key(|row| row.serial_number.clone());
    assert_eq!(rows.iter().map(|row| row.effect).collect::<Vec<_>>(), [0, 1].map(|n| Effect::Renews(devices[n])));
    assert_eq!(all(&test.store, &Scope::Sites(vec![sites[1]]), &query).await, []);

    let shown = Some(rows[0].effect.mark());
    let approved = decide(&test.store, &ALL, (Ruling::Approve, true), [(rows[0].id, shown)]).await.unwrap();
    assert_eq!(outcomes(&approved), [Outcome::Approved(devices[0])]);
    let refused = decide(&test.store, &ALL, (Ruling::Refuse, true), [(rows[1].id, None)]).await.unwrap();
    assert_eq!(outcomes(&refused), [Outcome::Refused]);
    let both = rows.iter().map(|row| (row.id, None));
    let again = decide(&test.store, &ALL, (Ruling::Approve, true), both).await.unwrap();
    assert_eq!(outcomes(&again), [Outcome::Already; 2]);
    let mut told = acts(&test.store).await;
    told.sort();
    assert_eq!(told, ["recovery.approve", "recovery.refuse"]);
    let mut tx = test.store.read().await.unwrap();
    let mut earlier = Vec::new();
    for (enrolment, device) in enrolments.into_iter().zip(devices) {
        earlier.push(recovery::facts(&mut tx, enrolment, device, at(4, 0, 0)).await.unwrap().earlier);
    }
    assert_eq!(earlier, [Some(Earlier::Approved { at: at(3, 0, 0) }), Some(Earlier::Refused)]);
}
