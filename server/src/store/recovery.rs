//! Recoveries: what a registered key asked for after its certificate had ended, who decided it, and which nonces are used.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    audit::{self, NewAudit},
    certificate,
    clause::Clause,
    device, donation_approval,
    lending::Clerk,
    on,
    value::{moment, optional_moment, parsed},
};
use crate::domain::{
    approval::Ruling,
    recovery::{Cause, Earlier, Facts, RecoveryState, year_before},
    scope::Scope,
};

/// How long a used nonce is remembered after its end: longer than the servers' clocks differ.
const NONCE_KEPT_MILLIS: i64 = 10 * 60_000;

/// Who grants what the rule allows.
const RULE: &str = "job:recovery";

/// Holds back every other recovery of the device until this unit of work ends: two requests of one key must not both find
/// that they are the second of the year.
pub async fn lock(tx: &mut Tx, device: DeviceId) -> Result<(), StoreError> {
    device::lock(tx, [device.0]).await
}

/// Uses the nonce named `name`, which is over at `ends_at`. False where it was used before. Nonces that are long over are
/// forgotten.
pub async fn use_nonce(tx: &mut Tx, name: &[u8; 16], ends_at: UtcMillis, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "DELETE FROM recovery_nonce WHERE ends_at < $1";
    let over = now.plus_millis(-NONCE_KEPT_MILLIS).get();
    on!(tx, |c| sqlx::query(sql).bind(over).execute(c).await.map(drop))?;
    let sql = "INSERT INTO recovery_nonce (name, ends_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    let done = on!(tx, |c| sqlx::query(sql)
        .bind(name.as_slice())
        .bind(ends_at.get())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Whether the nonce of that name was used.
pub async fn is_nonce_used(tx: &mut Tx, name: &[u8; 16]) -> Result<bool, StoreError> {
    let sql = "SELECT ends_at FROM recovery_nonce WHERE name = $1";
    let used: Option<i64> = on!(tx, |c| sqlx::query_scalar(sql).bind(name.as_slice()).fetch_optional(c).await)?;
    Ok(used.is_some())
}

/// What the recovery of a key is decided from at `now`.
pub async fn facts(tx: &mut Tx, enrolment: EnrolmentId, device: DeviceId, now: UtcMillis) -> Result<Facts, StoreError> {
    let sql = "SELECT last_at FROM contact WHERE device_id = $1";
    let contact: Option<i64> = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).fetch_optional(c).await)?;
    let contact = optional_moment("contact.last_at", contact)?;
    // When it was given a certificate it was heard too.
    let given = certificate::newest(tx, enrolment).await?.map(|newest| newest.lease.not_before);
    let sql = "SELECT count(*) FROM recovery WHERE device_id = $1 AND used_at > $2 AND decided_by IS NULL";
    let since = year_before(now).get();
    let automatic_in_year: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).bind(since).fetch_one(c).await)?;
    let earlier = earlier(tx, enrolment).await?;
    Ok(Facts { last_heard: contact.max(given).unwrap_or_default(), automatic_in_year, earlier })
}

/// The newest request of this key that no certificate followed.
async fn earlier(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Option<Earlier>, StoreError> {
    let sql = "SELECT state, decided_at FROM recovery WHERE enrolment_id = $1 AND used_at IS NULL \
               ORDER BY asked_at DESC, id DESC LIMIT 1";
    let found: Option<(String, Option<i64>)> =
        on!(tx, |c| sqlx::query_as(sql).bind(enrolment.0).fetch_optional(c).await)?;
    let Some((state, decided_at)) = found else { return Ok(None) };
    let decided_at = optional_moment("recovery.decided_at", decided_at)?;
    Ok(Some(match parsed::<RecoveryState>("recovery.state", &state)? {
        RecoveryState::Waiting => Earlier::Waiting,
        RecoveryState::Refused => Earlier::Refused,
        RecoveryState::Granted => Earlier::Approved { at: decided_at.unwrap_or_default() },
    }))
}

/// Records that a key waits for a person, unless it does already.
pub async fn wait(
    tx: &mut Tx,
    (enrolment, device): (EnrolmentId, DeviceId),
    cause: Cause,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO recovery (id, enrolment_id, device_id, cause, asked_at, state) \
               VALUES ($1, $2, $3, $4, $5, 'waiting') ON CONFLICT (enrolment_id) WHERE state = 'waiting' DO NOTHING";
    on!(tx, |c| sqlx::query(sql)
        .bind(Uuid::now_v7())
        .bind(enrolment.0)
        .bind(device.0)
        .bind(cause.as_str())
        .bind(now.get())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Records that the rule granted a recovery, which a certificate follows in this unit of work, and gives its id. What waited
/// waits no longer.
pub async fn grant(
    tx: &mut Tx,
    (enrolment, device): (EnrolmentId, DeviceId),
    now: UtcMillis,
) -> Result<Uuid, StoreError> {
    let sql = "UPDATE recovery SET state = 'granted', decided_at = $2, used_at = $2 \
               WHERE enrolment_id = $1 AND state = 'waiting' RETURNING id";
    let waited: Option<Uuid> =
        on!(tx, |c| sqlx::query_scalar(sql).bind(enrolment.0).bind(now.get()).fetch_optional(c).await)?;
    if let Some(id) = waited {
        return Ok(id);
    }
    let id = Uuid::now_v7();
    let sql = "INSERT INTO recovery (id, enrolment_id, device_id, asked_at, state, decided_at, used_at) \
               VALUES ($1, $2, $3, $4, 'granted', $4, $4)";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(enrolment.0).bind(device.0).bind(now.get()).execute(c).await.map(drop))?;
    Ok(id)
}

/// Writes into the audit that the rule granted a recovery, the last thing in its unit of work. `new` is the enrolment of the
/// key that took over, where another did.
pub async fn record_grant(
    tx: &mut Tx,
    id: Uuid,
    (enrolment, device): (EnrolmentId, DeviceId),
    new: Option<EnrolmentId>,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let mut details = json!({ "device": device, "enrolment": enrolment });
    if let Some(new) = new {
        details["new_enrolment"] = json!(new);
    }
    let object_id = id.to_string();
    let entry =
        NewAudit { actor: RULE, action: "recovery.grant", object_kind: "recovery", object_id: &object_id, details };
    audit::append(tx, entry, now).await?;
    Ok(())
}

/// Writes into the audit that a key which is set aside got a certificate until `until` to ask for another key with: no
/// recovery, so that none is recorded. The last thing in its unit of work.
pub async fn record_help(
    tx: &mut Tx,
    (enrolment, device): (EnrolmentId, DeviceId),
    until: UtcMillis,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let (details, object_id) = (json!({ "device": device, "until": until }), enrolment.to_string());
    let entry =
        NewAudit { actor: RULE, action: "recovery.grant", object_kind: "enrolment", object_id: &object_id, details };
    audit::append(tx, entry, now).await?;
    Ok(())
}

/// Records that a certificate follows a person's approval, in this unit of work.
pub async fn use_approval(tx: &mut Tx, enrolment: EnrolmentId, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "UPDATE recovery SET used_at = $2 WHERE enrolment_id = $1 AND state = 'granted' AND used_at IS NULL";
    on!(tx, |c| sqlx::query(sql).bind(enrolment.0).bind(now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// A recovery that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which one.
    pub id: Uuid,
    /// The key's enrolment.
    pub enrolment: EnrolmentId,
    /// The device.
    pub device: DeviceId,
    /// That device's site.
    pub site: Option<Uuid>,
    /// That device's serial number.
    pub serial_number: Option<String>,
    /// That device's model.
    pub model: Option<String>,
    /// Why a person is asked.
    pub cause: Cause,
    /// Since when it waits.
    pub since: UtcMillis,
    /// The device's last contact; none where there never was one.
    pub last_contact: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    enrolment_id: Uuid,
    device_id: Uuid,
    site_id: Option<Uuid>,
    serial_number: Option<String>,
    model: Option<String>,
    cause: String,
    asked_at: i64,
    last_at: Option<i64>,
}

impl TryFrom<Raw> for Waiting {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            id: raw.id,
            enrolment: EnrolmentId(raw.enrolment_id),
            device: DeviceId(raw.device_id),
            site: raw.site_id,
            serial_number: raw.serial_number,
            model: raw.model,
            cause: parsed("recovery.cause", &raw.cause)?,
            since: moment("recovery.asked_at", raw.asked_at)?,
            last_contact: optional_moment("contact.last_at", raw.last_at)?,
        })
    }
}

/// The recoveries that wait for a person, oldest first, of devices that the scope covers. What could not be granted any
/// more, because the key or its device is out of service, is not among them.
pub async fn waiting(tx: &mut Tx, scope: &Scope) -> Result<Vec<Waiting>, StoreError> {
    read(tx, &mut select(scope)).await
}

/// Those of one device.
pub async fn waiting_of(tx: &mut Tx, scope: &Scope, device: DeviceId) -> Result<Vec<Waiting>, StoreError> {
    let mut clause = select(scope);
    clause.sql(" AND r.device_id = ").value(device.0);
    read(tx, &mut clause).await
}

/// The one of them with that id.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<Waiting>, StoreError> {
    let mut clause = select(scope);
    clause.sql(" AND r.id = ").value(id);
    Ok(read(tx, &mut clause).await?.pop())
}

fn select(scope: &Scope) -> Clause {
    let mut clause = Clause::new(
        "SELECT r.id, r.enrolment_id, r.device_id, d.site_id, d.serial_number, d.model, r.cause, r.asked_at, c.last_at \
         FROM recovery r JOIN enrolment e ON e.id = r.enrolment_id JOIN device d ON d.id = r.device_id \
         LEFT JOIN contact c ON c.device_id = r.device_id \
         WHERE r.state = 'waiting' AND e.status = 'active' AND d.status = 'active'",
    );
    clause.within("d.site_id", scope);
    clause
}

async fn read(tx: &mut Tx, clause: &mut Clause) -> Result<Vec<Waiting>, StoreError> {
    clause.sql(" ORDER BY r.asked_at, r.id");
    let rows: Vec<Raw> = clause.rows(tx).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Keeps a person's word about a waiting recovery, which stays: approved, its key gets a certificate when it asks next;
/// refused, it gets none any more, and the laptop is enrolled anew with another key. The audit says who did it. None where
/// nothing waits under that id in the clerk's sites; else the device.
pub async fn decide(tx: &mut Tx, id: Uuid, ruling: Ruling, by: Clerk<'_>) -> Result<Option<DeviceId>, StoreError> {
    let Some(found) = find(tx, by.scope, id).await? else { return Ok(None) };
    if !rule(tx, id, ruling, by).await? {
        return Ok(None);
    }
    let action = match ruling {
        Ruling::Approve => "recovery.approve",
        Ruling::Refuse => "recovery.refuse",
    };
    donation_approval::record(tx, action, ("recovery", id), json!({ "device": found.device }), by).await?;
    Ok(Some(found.device))
}

/// Keeps a person's word about a recovery that waits; the caller writes the audit. False where it waits no more.
pub(super) async fn rule(tx: &mut Tx, id: Uuid, ruling: Ruling, by: Clerk<'_>) -> Result<bool, StoreError> {
    let state = match ruling {
        Ruling::Approve => RecoveryState::Granted,
        Ruling::Refuse => RecoveryState::Refused,
    };
    let sql = "UPDATE recovery SET state = $2, decided_at = $3, decided_by = $4 WHERE id = $1 AND state = 'waiting'";
    let done = on!(tx, |c| sqlx::query(sql)
        .bind(id)
        .bind(state.as_str())
        .bind(by.now.get())
        .bind(by.actor)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done == 1)
}
