//! Certificates of other systems' agents: each for one recorded device, an enrolment of its own kind that brings inventories
//! and does nothing else. They end with the device's own agent, with a person's word, and with the year.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    StoreError, Tx, certificate, device, device_record, donation_approval,
    enrolment::{self, KeyHash},
    lending::Clerk,
    loan, newcomer, on, review,
    value::{optional_moment, parsed},
};
use crate::domain::{
    device::DeviceStatus,
    device_record::ContactExpected,
    enrolment::{EnrolmentKind, Standing},
    foreign_agent::{self, IssueRefused, Stands},
    lease::Lease,
    reading::agents::Tool,
    scope::Scope,
};

/// Why no certificate is issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The device may have none; nothing was written.
    #[error(transparent)]
    Refused(#[from] IssueRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records that another system's agent on `device` holds `key`, and that a certificate for it is about to be signed. The one
/// that it had serves until the new one is first used.
pub async fn issue(
    tx: &mut Tx,
    device: DeviceId,
    key: &KeyHash,
    (id, random): (EnrolmentId, [u8; 16]),
    by: Clerk<'_>,
) -> Result<Lease, IssueError> {
    newcomer::lock_key(tx, key).await?;
    let row = device::locked(tx, by.scope, device).await?.ok_or(IssueRefused::UnknownDevice)?;
    let stands = Stands {
        status: row.status,
        archived: row.archived_at.is_some(),
        place: loan::lending_state(tx, device).await?,
        has_agent: has_agent(tx, device).await?,
    };
    foreign_agent::may_have(stands)?;
    let enrolment = enrolment_of(tx, (id, device), key, by.now).await?;
    let lease = Lease::of_foreign_agent(device, enrolment, random, by.now);
    certificate::intend(tx, &lease, by.now).await?;
    if row.status == DeviceStatus::Pending {
        device::set_status(tx, by.scope, device, DeviceStatus::Active).await?;
    }
    device_record::expect(tx, device, ContactExpected::Agent).await?;
    device::set_enrolled(tx, device, by.now).await?;
    review::device(tx, device, by.policy, by.now).await?;
    let details = json!({ "enrolment": enrolment.0, "expires_at": lease.not_after.get() });
    donation_approval::record(tx, "device.issue_foreign_agent", ("device", device.0), details, by).await?;
    Ok(lease)
}

/// Whether an agent of ours speaks for the device. A key that only waits does not: whoever claims its serial number has one.
async fn has_agent(tx: &mut Tx, device: DeviceId) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM enrolment WHERE device_id = $1 AND kind = 'agent' \
               AND status IN ('active', 'quarantined')";
    let found: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).fetch_one(c).await)?;
    Ok(found > 0)
}

/// The enrolment of `key`: the one that it is already, for a certificate request that is brought again, or a new one under
/// `id`.
async fn enrolment_of(
    tx: &mut Tx,
    (id, device): (EnrolmentId, DeviceId),
    key: &KeyHash,
    now: UtcMillis,
) -> Result<EnrolmentId, IssueError> {
    if let Some(known) = enrolment::of_key(tx, key).await? {
        let is_renewal = known.device == device && known.standing_as(EnrolmentKind::Foreign) == Standing::Full;
        return if is_renewal { Ok(known.enrolment) } else { Err(IssueRefused::KeyInUse.into()) };
    }
    if newcomer::of_key(tx, key).await?.is_some() {
        return Err(IssueRefused::KeyInUse.into());
    }
    insert(tx, (id, device), key, now).await?;
    Ok(id)
}

async fn insert(
    tx: &mut Tx,
    (id, device): (EnrolmentId, DeviceId),
    key: &KeyHash,
    now: UtcMillis,
) -> Result<(), StoreError> {
    // Nobody asked for it: its request is itself.
    let sql = "INSERT INTO enrolment (id, device_id, request_id, spki_sha256, status, created_at, kind) \
               VALUES ($1, $2, $1, $3, 'active', $4, 'foreign')";
    on!(tx, |c| sqlx::query(sql)
        .bind(id.0)
        .bind(device.0)
        .bind(key.as_slice())
        .bind(now.get())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends every certificate of another system's agent on `device`, from its next request on. False where there is none, or no
/// such device within the sites.
pub async fn revoke(tx: &mut Tx, device: DeviceId, by: Clerk<'_>) -> Result<bool, StoreError> {
    if device::locked(tx, by.scope, device).await?.is_none() {
        return Ok(false);
    }
    let sql = "UPDATE enrolment SET status = 'revoked', ended_at = $2 WHERE device_id = $1 AND kind = 'foreign' \
               AND status IN ('active', 'quarantined')";
    let ended = on!(tx, |c| sqlx::query(sql)
        .bind(device.0)
        .bind(by.now.get())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if ended == 0 {
        return Ok(false);
    }
    device_record::expect(tx, device, ContactExpected::None).await?;
    review::device(tx, device, by.policy, by.now).await?;
    donation_approval::record(tx, "device.revoke_foreign_agent", ("device", device.0), json!({}), by).await?;
    Ok(true)
}

/// What an inventory that arrives is held against.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    /// The serial number on record.
    pub serial_number: Option<String>,
    /// The maker on record.
    pub manufacturer: Option<String>,
    /// The content that is held for the device.
    pub content_hash: Option<String>,
    /// Whose the last inventory was.
    pub foreign_tool: Option<String>,
}

/// What is known of the machine of an enrolment.
pub async fn known(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Option<Known>, StoreError> {
    let sql = "SELECT d.serial_number, d.manufacturer, c.content_hash, e.foreign_tool FROM enrolment e \
               JOIN device d ON d.id = e.device_id LEFT JOIN contact c ON c.device_id = d.id WHERE e.id = $1";
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(enrolment.0).fetch_optional(c).await)?)
}

/// Remembers whose the agent of an enrolment is.
pub async fn remember_tool(tx: &mut Tx, enrolment: EnrolmentId, tool: Tool) -> Result<(), StoreError> {
    let sql = "UPDATE enrolment SET foreign_tool = $2 WHERE id = $1 AND kind = 'foreign'";
    on!(tx, |c| sqlx::query(sql).bind(enrolment.0).bind(tool.as_str()).execute(c).await.map(drop))?;
    Ok(())
}

/// Whose agent an enrolment is; none for ours.
pub(super) async fn tool_of(tx: &mut Tx, enrolment: EnrolmentId) -> Result<Option<Tool>, StoreError> {
    let sql = "SELECT foreign_tool FROM enrolment WHERE id = $1";
    let found: Option<(Option<String>,)> = on!(tx, |c| sqlx::query_as(sql).bind(enrolment.0).fetch_optional(c).await)?;
    found.and_then(|(tool,)| tool).map(|tool| parsed("enrolment.foreign_tool", &tool)).transpose()
}

/// A device on which another system's agent may report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignAgent {
    /// The device.
    pub device: DeviceId,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Whose agent it is; none before its first inventory.
    pub tool: Option<Tool>,
    /// When its certificate ends.
    pub ends_at: Option<UtcMillis>,
    /// The device's last contact; to the day after 30 days.
    pub last_contact: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    device_id: Uuid,
    site_id: Option<Uuid>,
    serial_number: Option<String>,
    model: Option<String>,
    foreign_tool: Option<String>,
    ends_at: Option<i64>,
    last_at: Option<i64>,
}

const SELECT: &str = "SELECT e.device_id, d.site_id, d.serial_number, d.model, e.foreign_tool, \
    (SELECT max(c.not_after) FROM certificate c WHERE c.enrolment_id = e.id) AS ends_at, \
    (SELECT c.last_at FROM contact c WHERE c.device_id = e.device_id) AS last_at \
    FROM enrolment e JOIN device d ON d.id = e.device_id \
    WHERE e.kind = 'foreign' AND e.status IN ('active', 'quarantined')";

/// Those within the sites, the first to end first. A device whose certificate was renewed and that has not used the new one
/// yet stands there twice.
pub async fn list(tx: &mut Tx, scope: &Scope) -> Result<Vec<ForeignAgent>, StoreError> {
    let sql = AssertSqlSafe(format!("{SELECT} ORDER BY ends_at, e.id"));
    let rows: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter().filter(|raw| scope.covers(raw.site_id)).map(Raw::read).collect()
}

/// That of one device, with its newest certificate. The caller has checked that it may see the device.
pub(super) async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Option<ForeignAgent>, StoreError> {
    let sql = AssertSqlSafe(format!("{SELECT} AND e.device_id = $1 ORDER BY e.id DESC LIMIT 1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

impl Raw {
    fn read(self) -> Result<ForeignAgent, StoreError> {
        Ok(ForeignAgent {
            device: DeviceId(self.device_id),
            serial_number: self.serial_number,
            model: self.model,
            tool: self.foreign_tool.map(|tool| parsed("enrolment.foreign_tool", &tool)).transpose()?,
            ends_at: optional_moment("certificate.not_after", self.ends_at)?,
            last_contact: optional_moment("contact.last_at", self.last_at)?,
        })
    }
}
