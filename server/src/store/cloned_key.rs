//! Keys that are on more than one machine: who showed them, that they are set aside, and the enrolments that they vouch for.
//!
//! Nothing here is read or written for a check-in whose machine is the one that its key is bound to.

use std::collections::{BTreeSet, HashMap};

use cartable_common::{
    DeviceId, EnrolmentId, UtcMillis,
    machine::{Likeness, fingerprint},
    report::Hardware,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    audit::{self, NewAudit},
    contact, description, health, on,
    rows::Rows,
    value::{from_json, moment, to_json},
};
use crate::domain::{
    clone::{CloneFacts, Suspicion, is_at_once, whose},
    enrolment::EnrolmentStatus,
    policy::Policy,
};

/// Who sets keys aside, in the audit.
const ACTOR: &str = "job:check_in";

/// A machine that shows the key of a device and is not it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The enrolment whose key it showed.
    pub enrolment: EnrolmentId,
    /// The device that the key is bound to.
    pub device: DeviceId,
    /// What it says of itself.
    pub hardware: Hardware,
    /// When.
    pub at: UtcMillis,
}

/// An enrolment that an older key vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healing {
    /// The older key's enrolment.
    pub old: EnrolmentId,
    /// The machine that asked.
    pub hardware: Hardware,
}

/// Whose machine `hardware` is: the one that `device` is recorded as, or that its current report shows.
pub async fn whose_of_device(tx: &mut Tx, device: DeviceId, hardware: &Hardware) -> Result<Likeness, StoreError> {
    let mut bound: Vec<Hardware> = Vec::new();
    for description in description::of_devices(tx, &[device.0]).await? {
        bound.push(description.hardware());
    }
    for health in health::of_devices(tx, &[device.0]).await? {
        bound.push(health.report()?.hardware);
    }
    Ok(whose(&bound, hardware))
}

/// Writes down that a stranger was seen and sets its key aside; whether the key was in use until now. What follows
/// ([`super::review::device`], then [`tell`]) is the caller's, at the end of its unit of work.
pub async fn seen(tx: &mut Tx, stranger: &Stranger, policy: &Policy) -> Result<bool, StoreError> {
    let own = contact::of_device(tx, stranger.device).await?.map(|contact| contact.last_at);
    let at_once = is_at_once(own, stranger.at, policy.agent.two_machines_minutes);
    let sql = "INSERT INTO cloned_key (enrolment_id, machine, device_id, hardware, at_once, first_at, last_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (enrolment_id, machine) DO UPDATE SET \
               last_at = CASE WHEN excluded.last_at > cloned_key.last_at THEN excluded.last_at \
               ELSE cloned_key.last_at END";
    let hardware = to_json("cloned_key.hardware", &stranger.hardware)?;
    let machine = fingerprint(&stranger.hardware).to_string();
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(stranger.enrolment.0)
            .bind(machine)
            .bind(stranger.device.0)
            .bind(hardware)
            .bind(i64::from(at_once))
            .bind(stranger.at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    let sql = "UPDATE enrolment SET status = 'quarantined' WHERE id = $1 AND status = 'active'";
    let held =
        on!(tx, |c| { sqlx::query(sql).bind(stranger.enrolment.0).execute(c).await.map(|done| done.rows_affected()) })?;
    Ok(held > 0)
}

/// Records in the audit that a key was set aside. Append last.
pub async fn tell(tx: &mut Tx, enrolment: EnrolmentId, device: DeviceId, now: UtcMillis) -> Result<(), StoreError> {
    let details = json!({ "device": device, "after": EnrolmentStatus::Quarantined.as_str() });
    record(tx, "enrolment.quarantine", enrolment, details, now).await
}

/// Records in the audit that an old key vouched for a new one. Append last.
pub async fn tell_healing(
    tx: &mut Tx,
    new: EnrolmentId,
    (device, status): (DeviceId, EnrolmentStatus),
    now: UtcMillis,
) -> Result<(), StoreError> {
    let details = json!({ "device": device, "after": status.as_str() });
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
    audit::append(tx, act, now).await.map(drop)
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

#[derive(sqlx::FromRow)]
struct Raw {
    device_id: Uuid,
    machine: String,
    at_once: i64,
    first_at: i64,
    last_at: i64,
    status: String,
    healed: bool,
}

/// What is known of the other machines that showed these devices' keys; most devices have none.
pub(crate) async fn facts_of(tx: &mut Tx, devices: &[Uuid]) -> Result<HashMap<Uuid, CloneFacts>, StoreError> {
    let sql = "SELECT k.device_id, k.machine, k.at_once, k.first_at, k.last_at, e.status, \
               EXISTS (SELECT 1 FROM key_healing h JOIN enrolment n ON n.id = h.enrolment_id \
               WHERE h.old_enrolment_id = k.enrolment_id AND h.machine = k.machine AND n.status <> 'pending') AS healed \
               FROM {rows} JOIN cloned_key k ON k.device_id = r.id JOIN enrolment e ON e.id = k.enrolment_id";
    let raw: Vec<Raw> = Rows::of_ids(devices.iter().copied()).fetch(tx, sql).await?;
    let mut of_device: HashMap<Uuid, Vec<Raw>> = HashMap::new();
    for one in raw {
        of_device.entry(one.device_id).or_default().push(one);
    }
    of_device.into_iter().map(|(device, raw)| Ok((device, facts(&raw)?))).collect()
}

fn facts(raw: &[Raw]) -> Result<CloneFacts, StoreError> {
    let first = raw.iter().map(|one| one.first_at).min().unwrap_or_default();
    let last = raw.iter().map(|one| one.last_at).max().unwrap_or_default();
    Ok(CloneFacts {
        others: machines(raw.iter()),
        waiting: machines(raw.iter().filter(|one| !one.healed)),
        key_held: raw.iter().any(|one| one.status == EnrolmentStatus::Quarantined.as_str()),
        at_once: raw.iter().any(|one| one.at_once != 0),
        first_at: moment("cloned_key.first_at", first)?,
        last_at: moment("cloned_key.last_at", last)?,
    })
}

/// How many machines these rows name.
fn machines<'a>(rows: impl Iterator<Item = &'a Raw>) -> u64 {
    let names: BTreeSet<&str> = rows.map(|one| one.machine.as_str()).collect();
    u64::try_from(names.len()).unwrap_or(u64::MAX)
}

/// What to think of the machines that showed the device's keys; doubtful where there were none.
pub async fn suspicion(tx: &mut Tx, device: DeviceId) -> Result<Suspicion, StoreError> {
    let facts = facts_of(tx, &[device.0]).await?.remove(&device.0);
    let own = contact::of_device(tx, device).await?.map(|contact| contact.last_at);
    Ok(facts.map_or(Suspicion::Doubtful, |facts| facts.suspicion(own)))
}

/// How many enrolments the key of `old` vouched for since then.
pub async fn healings_since(tx: &mut Tx, old: EnrolmentId, since: UtcMillis) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM key_healing WHERE old_enrolment_id = $1 AND healed_at >= $2";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(old.0).bind(since.get()).fetch_one(c).await)?)
}

/// Records that the key of `healing.old` vouched for the enrolment `new`.
pub async fn healed(tx: &mut Tx, new: EnrolmentId, healing: &Healing, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO key_healing (enrolment_id, old_enrolment_id, machine, hardware, healed_at) \
               VALUES ($1, $2, $3, $4, $5)";
    let hardware = to_json("key_healing.hardware", &healing.hardware)?;
    let machine = fingerprint(&healing.hardware).to_string();
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(new.0)
            .bind(healing.old.0)
            .bind(machine)
            .bind(hardware)
            .bind(now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// What vouched for this enrolment, where an older key did.
pub async fn healing_of(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Option<Healing>, StoreError> {
    let sql = "SELECT old_enrolment_id, hardware FROM key_healing WHERE enrolment_id = $1";
    let found: Option<(Uuid, String)> = on!(tx, |c| sqlx::query_as(sql).bind(enrolment.0).fetch_optional(c).await)?;
    found
        .map(|(old, hardware)| {
            Ok(Healing { old: EnrolmentId(old), hardware: from_json("key_healing.hardware", &hardware)? })
        })
        .transpose()
}

/// Ends an old key whose own machine has another.
pub async fn end_old_key(tx: &mut Tx, old: EnrolmentId, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "UPDATE enrolment SET status = 'replaced', ended_at = $2 \
               WHERE id = $1 AND status IN ('active', 'quarantined')";
    on!(tx, |c| sqlx::query(sql).bind(old.0).bind(now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Gives an enrolment that waits another place: what was known of its machine has changed since it asked.
pub async fn place_anew(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    (device, status): (DeviceId, EnrolmentStatus),
) -> Result<(), StoreError> {
    let sql = "UPDATE enrolment SET device_id = $2, status = $3 WHERE id = $1 AND status = 'pending'";
    on!(tx, |c| {
        sqlx::query(sql).bind(enrolment.0).bind(device.0).bind(status.as_str()).execute(c).await.map(drop)
    })?;
    Ok(())
}

/// A person approved an enrolment. Where it was doubtful whether its machine is `device`, they have said so: its record now
/// names the machine as it calls itself, and the old key ends.
pub(super) async fn approved(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    device: DeviceId,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let Some(healing) = healing_of(tx, enrolment).await? else { return Ok(()) };
    let sql = "SELECT device_id FROM enrolment WHERE id = $1";
    let bound: Uuid = on!(tx, |c| sqlx::query_scalar(sql).bind(healing.old.0).fetch_one(c).await)?;
    if bound != device.0 {
        return Ok(());
    }
    end_old_key(tx, healing.old, now).await?;
    let mut known = description::of_devices(tx, &[device.0]).await?;
    for description in &mut known {
        description.rebind(&healing.hardware);
    }
    description::record(tx, known).await
}
