//! Keys that are on more than one machine: who showed them, that they are set aside, and the enrolments that they vouch for.
//!
//! Nothing here is read or written for a check-in whose machine is the one that its key is bound to. What is written is
//! bounded, whatever a machine says, and holds nothing that it says of itself but a hash.

use std::collections::{BTreeSet, HashMap};

use cartable_common::{
    DeviceId, EnrolmentId, UtcMillis,
    machine::{Likeness, fingerprint, is_named},
    report::Hardware,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    audit::{self, NewAudit},
    contact, description, device, enrolment, health, on,
    rows::Rows,
    value::moment,
};
use crate::domain::{
    clone::{
        self, Asker, CloneFacts, MACHINES_PER_KEY, Nearness, Place, Suspicion, ToldBy, is_at_once, told_by, whose,
    },
    enrolment::{Arrival, EnrolmentStatus},
    policy::Policy,
    scope::Scope,
};

/// Who sets keys aside, in the audit.
const ACTOR: &str = "job:check_in";

/// How a machine showed a key that is another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// In a check-in, which was turned away.
    CheckIn,
    /// It asked for a key of its own.
    Healing,
}

/// A machine that shows the key of a device and is not it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The enrolment whose key it showed.
    pub enrolment: EnrolmentId,
    /// The device that the key is bound to.
    pub device: DeviceId,
    /// What it says of itself.
    pub hardware: Hardware,
    /// How it showed the key.
    pub through: Through,
    /// When.
    pub at: UtcMillis,
}

/// What came of a stranger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The key was in use until now, and is set aside.
    pub held: bool,
    /// Something is known that was not: another machine, or more of one. The device is to be judged.
    pub is_news: bool,
}

/// An old key, which is shown by whoever asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its enrolment.
    pub enrolment: EnrolmentId,
    /// The device that it is bound to.
    pub device: DeviceId,
    /// Where it stands.
    pub status: EnrolmentStatus,
}

/// An enrolment that an older key vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healing {
    /// The older key's enrolment.
    pub old: EnrolmentId,
    /// The [`fingerprint`] of the machine that asked.
    pub machine: String,
}

/// What `device` is known as: its record, which staff may have corrected, and its current report.
async fn known_as(tx: &mut Tx, device: DeviceId) -> Result<Vec<Hardware>, StoreError> {
    let mut bound: Vec<Hardware> = Vec::new();
    for description in description::of_devices(tx, &[device.0]).await? {
        bound.push(description.hardware());
    }
    for health in health::of_devices(tx, &[device.0]).await? {
        bound.push(health.report()?.hardware);
    }
    Ok(bound)
}

/// Whose machine `hardware` is: the one that `device` is recorded as, or that its current report shows.
pub async fn whose_of_device(tx: &mut Tx, device: DeviceId, hardware: &Hardware) -> Result<Likeness, StoreError> {
    Ok(whose(&known_as(tx, device).await?, hardware))
}

/// Where the agent of the machine `hardware` goes with a new key, having shown `old`.
pub async fn place(tx: &mut Tx, old: &Shown, hardware: &Hardware) -> Result<Place, StoreError> {
    let whose = whose_of_device(tx, old.device, hardware).await?;
    let arrival = match whose {
        Likeness::Other => enrolment::arrival_of(tx, hardware).await?,
        Likeness::Same | Likeness::Unknown => Arrival::NewDevice,
    };
    let nearness = nearness(tx, old, arrival, hardware).await?;
    let suspicion = suspicion(tx, old.device).await?;
    Ok(clone::place(Asker { whose, arrival, nearness, suspicion }, (old.device, old.status)))
}

/// What speaks for a machine that is recorded and awaited.
async fn nearness(tx: &mut Tx, old: &Shown, arrival: Arrival, hardware: &Hardware) -> Result<Nearness, StoreError> {
    let Arrival::FirstEnrolment(recorded) = arrival else { return Ok(Nearness::Stranger) };
    let here = site_of(tx, old.device).await?;
    if here.is_none() || here != site_of(tx, recorded).await? {
        return Ok(Nearness::Stranger);
    }
    let known = known(tx, old.enrolment, &name(hardware)).await?;
    Ok(if known.is_some_and(|known| known.checked_in != 0) { Nearness::Neighbour } else { Nearness::Stranger })
}

async fn site_of(tx: &mut Tx, id: DeviceId) -> Result<Option<Uuid>, StoreError> {
    Ok(device::find(tx, &Scope::Everything, id).await?.and_then(|found| found.site))
}

fn name(hardware: &Hardware) -> String {
    fingerprint(hardware).to_string()
}

/// What is known of one machine with one key.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
struct KnownMachine {
    by_serial: i64,
    at_once: i64,
    checked_in: i64,
}

async fn known(tx: &mut Tx, enrolment: EnrolmentId, machine: &str) -> Result<Option<KnownMachine>, StoreError> {
    let sql = "SELECT by_serial, at_once, checked_in FROM cloned_key WHERE enrolment_id = $1 AND machine = $2";
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(enrolment.0).bind(machine).fetch_optional(c).await)?)
}

/// Writes down that a stranger was seen and sets its key aside. What follows ([`super::review::device`] where there is news,
/// then [`tell`] where the key was set aside) is the caller's, at the end of its unit of work, for which it holds the device.
pub async fn seen(tx: &mut Tx, stranger: &Stranger, policy: &Policy) -> Result<Noted, StoreError> {
    let bound = known_as(tx, stranger.device).await?;
    let own = contact::of_device(tx, stranger.device).await?.map(|contact| contact.last_at);
    // A laptop whose firmware was updated differs from itself by the UUID, within the hour.
    let by_serial = told_by(&bound, &stranger.hardware) == ToldBy::Serial;
    let at_once = by_serial && is_at_once(own, stranger.at, policy.agent.two_machines_minutes);
    let now = KnownMachine {
        by_serial: i64::from(by_serial),
        at_once: i64::from(at_once),
        checked_in: i64::from(stranger.through == Through::CheckIn),
    };
    let before = known(tx, stranger.enrolment, &name(&stranger.hardware)).await?;
    let is_news = match before {
        Some(before) => now.by_serial > before.by_serial || now.at_once > before.at_once,
        None => has_room(tx, stranger.enrolment).await?,
    };
    if before.is_some() || is_news {
        remember(tx, stranger, now).await?;
    }
    let sql = "UPDATE enrolment SET status = 'quarantined' WHERE id = $1 AND status = 'active'";
    let held =
        on!(tx, |c| sqlx::query(sql).bind(stranger.enrolment.0).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(Noted { held: held > 0, is_news })
}

/// Whether fewer machines are known with this key than are remembered.
async fn has_room(tx: &mut Tx, enrolment: EnrolmentId) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM cloned_key WHERE enrolment_id = $1";
    let known: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(enrolment.0).fetch_one(c).await)?;
    Ok(known < MACHINES_PER_KEY)
}

/// A machine comes with this key: what was once seen of it stays seen.
async fn remember(tx: &mut Tx, stranger: &Stranger, now: KnownMachine) -> Result<(), StoreError> {
    let sql = "INSERT INTO cloned_key (enrolment_id, machine, device_id, by_serial, at_once, checked_in, settled, \
               first_at, last_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7) \
               ON CONFLICT (enrolment_id, machine) DO UPDATE SET \
               by_serial = CASE WHEN cloned_key.by_serial < $4 THEN $4 ELSE cloned_key.by_serial END, \
               at_once = CASE WHEN cloned_key.at_once < $5 THEN $5 ELSE cloned_key.at_once END, \
               checked_in = CASE WHEN cloned_key.checked_in < $6 THEN $6 ELSE cloned_key.checked_in END, \
               last_at = CASE WHEN cloned_key.last_at < $7 THEN $7 ELSE cloned_key.last_at END";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(stranger.enrolment.0)
            .bind(name(&stranger.hardware))
            .bind(stranger.device.0)
            .bind(now.by_serial)
            .bind(now.at_once)
            .bind(now.checked_in)
            .bind(stranger.at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Records in the audit that a key was set aside. Append last.
pub async fn tell(tx: &mut Tx, enrolment: EnrolmentId, device: DeviceId, now: UtcMillis) -> Result<(), StoreError> {
    let details = json!({ "device": device, "after": EnrolmentStatus::Quarantined.as_str() });
    record(tx, "enrolment.quarantine", enrolment, details, now).await
}

/// Records in the audit that an old key vouched for a new one, which no person decided. Append last.
pub async fn tell_healing(tx: &mut Tx, new: EnrolmentId, device: DeviceId, now: UtcMillis) -> Result<(), StoreError> {
    let details = json!({ "device": device, "after": EnrolmentStatus::Active.as_str() });
    record(tx, "enrolment.heal", new, details, now).await
}

async fn record(
    tx: &mut Tx,
    action: &str,
    enrolment: EnrolmentId,
    details: serde_json::Value,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let object_id = enrolment.to_string();
    let act = NewAudit { actor: ACTOR, action, object_kind: "enrolment", object_id: &object_id, details };
    audit::append_of_contact(tx, act, now).await.map(drop)
}

/// Which of these enrolments' keys other machines showed.
pub(crate) async fn of_enrolments(tx: &mut Tx, enrolments: &[Uuid]) -> Result<BTreeSet<Uuid>, StoreError> {
    let sql = "SELECT DISTINCT k.enrolment_id FROM {rows} JOIN cloned_key k ON k.enrolment_id = r.id";
    let found: Vec<(Uuid,)> = Rows::of_ids(enrolments.iter().copied()).fetch(tx, sql).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Whether another machine ever showed this enrolment's key.
pub async fn is_cloned(tx: &mut Tx, enrolment: EnrolmentId) -> Result<bool, StoreError> {
    Ok(!of_enrolments(tx, &[enrolment.0]).await?.is_empty())
}

/// Whether this enrolment's key ever vouched for another, or for a machine that waits or was refused.
pub async fn has_vouched(tx: &mut Tx, enrolment: EnrolmentId) -> Result<bool, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM key_healing WHERE old_enrolment_id = $1) \
               + (SELECT count(*) FROM newcomer WHERE vouched_by = $1)";
    let count: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(enrolment.0).fetch_one(c).await)?;
    Ok(count > 0)
}

#[derive(sqlx::FromRow)]
struct Raw {
    device_id: Uuid,
    others: i64,
    by_serial: i64,
    waiting: i64,
    held: i64,
    at_once: i64,
    first_at: i64,
    last_at: i64,
}

/// What is known of the other machines that showed these devices' keys; most devices have none.
pub(crate) async fn facts_of(tx: &mut Tx, devices: &[Uuid]) -> Result<HashMap<Uuid, CloneFacts>, StoreError> {
    let sql = "SELECT k.device_id, count(DISTINCT k.machine) AS others, \
               count(DISTINCT CASE WHEN k.by_serial = 1 THEN k.machine END) AS by_serial, \
               count(DISTINCT CASE WHEN k.settled = 0 THEN k.machine END) AS waiting, \
               count(CASE WHEN e.status = 'quarantined' THEN 1 END) AS held, \
               max(k.at_once) AS at_once, min(k.first_at) AS first_at, max(k.last_at) AS last_at \
               FROM {rows} JOIN cloned_key k ON k.device_id = r.id JOIN enrolment e ON e.id = k.enrolment_id \
               GROUP BY k.device_id";
    let raw: Vec<Raw> = Rows::of_ids(devices.iter().copied()).fetch(tx, sql).await?;
    raw.iter().map(|one| Ok((one.device_id, facts(one)?))).collect()
}

fn facts(raw: &Raw) -> Result<CloneFacts, StoreError> {
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(CloneFacts {
        others: count(raw.others),
        by_serial: count(raw.by_serial),
        waiting: count(raw.waiting),
        key_held: raw.held > 0,
        at_once: raw.at_once != 0,
        first_at: moment("cloned_key.first_at", raw.first_at)?,
        last_at: moment("cloned_key.last_at", raw.last_at)?,
    })
}

/// What to think of the machines that showed the device's keys; doubtful where there were none.
pub async fn suspicion(tx: &mut Tx, device: DeviceId) -> Result<Suspicion, StoreError> {
    let facts = facts_of(tx, &[device.0]).await?.remove(&device.0);
    let own = contact::of_device(tx, device).await?.map(|contact| contact.last_at);
    Ok(facts.map_or(Suspicion::Doubtful, |facts| facts.suspicion(own)))
}

/// How many new keys the keys of `device` vouched for since then, and how many of older ones wait for a person still. The
/// caller holds the device.
pub async fn vouched_for(tx: &mut Tx, device: DeviceId, since: UtcMillis) -> Result<i64, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM key_healing h JOIN enrolment e ON e.id = h.old_enrolment_id \
               WHERE e.device_id = $1 AND h.healed_at >= $2) \
               + (SELECT count(*) FROM newcomer n JOIN enrolment e ON e.id = n.vouched_by \
               WHERE e.device_id = $1 AND (n.state = 'waiting' OR n.state = 'refused' AND n.created_at >= $2))";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).bind(since.get()).fetch_one(c).await)?)
}

/// Records that `old` vouched for the enrolment `new` of the machine `hardware`, which waits no more.
pub async fn healed(
    tx: &mut Tx,
    new: EnrolmentId,
    (old, hardware): (EnrolmentId, &Hardware),
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO key_healing (enrolment_id, old_enrolment_id, machine, healed_at) VALUES ($1, $2, $3, $4)";
    on!(tx, |c| {
        sqlx::query(sql).bind(new.0).bind(old.0).bind(name(hardware)).bind(now.get()).execute(c).await.map(drop)
    })?;
    settle(tx, old, hardware).await
}

/// A machine that showed the key of `old` has one of its own, or was refused it: nothing more is to be done about it.
pub(super) async fn settle(tx: &mut Tx, old: EnrolmentId, hardware: &Hardware) -> Result<(), StoreError> {
    let sql = "UPDATE cloned_key SET settled = 1 WHERE enrolment_id = $1 AND machine = $2";
    on!(tx, |c| sqlx::query(sql).bind(old.0).bind(name(hardware)).execute(c).await.map(drop))?;
    Ok(())
}

/// What vouched for this enrolment, where an older key did.
pub async fn healing_of(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Option<Healing>, StoreError> {
    let sql = "SELECT old_enrolment_id, machine FROM key_healing WHERE enrolment_id = $1";
    let found: Option<(Uuid, String)> = on!(tx, |c| sqlx::query_as(sql).bind(enrolment.0).fetch_optional(c).await)?;
    Ok(found.map(|(old, machine)| Healing { old: EnrolmentId(old), machine }))
}

/// A person said that `device` is the machine `hardware`: its record names it as it calls itself from now on. What it does
/// not say stays as it was.
pub(super) async fn rebind(tx: &mut Tx, device: DeviceId, hardware: &Hardware) -> Result<(), StoreError> {
    if !is_named(hardware) {
        return Ok(());
    }
    let mut known = description::of_devices(tx, &[device.0]).await?;
    for description in &mut known {
        description.rebind(hardware);
    }
    description::record(tx, known).await
}
