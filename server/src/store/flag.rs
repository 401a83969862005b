//! Flags as they stand and stood, and what people say of them. Rules raise and clear them in `judgement`, nobody edits
//! one by hand. A cleared flag stays as history.

use std::collections::HashMap;

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, device, on,
    rows::Rows,
    value::{from_json, moment, optional_moment, parsed},
};
use crate::domain::{
    facts::SilenceFacts,
    flag::{Evidence, FlagCode, Severity},
    scope::Scope,
};

/// Most flags that the history of a device shows.
const HISTORY_SHOWN: i64 = 200;

/// A flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagRow {
    /// Its identifier.
    pub id: Uuid,
    /// The device it speaks of.
    pub device_id: DeviceId,
    /// The rule that raised it.
    pub code: FlagCode,
    /// Which part; empty for the whole device.
    pub subject: String,
    /// How much it needs a person.
    pub severity: Severity,
    /// Since when it stands.
    pub since: UtcMillis,
    /// Why it stands.
    pub evidence: Evidence,
    /// When its evidence or severity last changed.
    pub updated_at: UtcMillis,
    /// When it was cleared.
    pub cleared_at: Option<UtcMillis>,
    /// Who knows of it. Forgotten when it becomes more severe.
    pub acknowledged: Option<Remark>,
    /// Until when it is set aside. Forgotten when it becomes more severe.
    pub snoozed_until: Option<UtcMillis>,
    /// Who set it aside, and why.
    pub snoozed: Option<(String, String)>,
}

/// What a person said about a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// When.
    pub at: UtcMillis,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

#[derive(sqlx::FromRow)]
pub(crate) struct RawFlag {
    id: Uuid,
    device_id: Uuid,
    code: String,
    subject: String,
    severity: i64,
    since: i64,
    evidence: String,
    updated_at: i64,
    cleared_at: Option<i64>,
    acknowledged_at: Option<i64>,
    acknowledged_by: Option<String>,
    acknowledged_reason: Option<String>,
    snoozed_until: Option<i64>,
    snoozed_by: Option<String>,
    snoozed_reason: Option<String>,
}

/// The columns of [`RawFlag`], of the table `f`.
pub(crate) const COLUMNS: &str = "f.id, f.device_id, f.code, f.subject, f.severity, f.since, f.evidence, \
     f.updated_at, f.cleared_at, f.acknowledged_at, f.acknowledged_by, f.acknowledged_reason, f.snoozed_until, \
     f.snoozed_by, f.snoozed_reason";

impl RawFlag {
    pub(crate) fn read(self) -> Result<FlagRow, StoreError> {
        let acknowledged = match self.acknowledged_at {
            Some(at) => Some(Remark {
                at: moment("flag.acknowledged_at", at)?,
                by: self.acknowledged_by.unwrap_or_default(),
                reason: self.acknowledged_reason.unwrap_or_default(),
            }),
            None => None,
        };
        Ok(FlagRow {
            id: self.id,
            device_id: DeviceId(self.device_id),
            code: parsed("flag.code", &self.code)?,
            subject: self.subject,
            severity: severity(self.severity)?,
            since: moment("flag.since", self.since)?,
            evidence: from_json("flag.evidence", &self.evidence)?,
            updated_at: moment("flag.updated_at", self.updated_at)?,
            cleared_at: optional_moment("flag.cleared_at", self.cleared_at)?,
            acknowledged,
            snoozed_until: optional_moment("flag.snoozed_until", self.snoozed_until)?,
            snoozed: self.snoozed_by.map(|by| (by, self.snoozed_reason.unwrap_or_default())),
        })
    }
}

/// The last silence of each of these devices that was told and is over; most devices have none.
pub(crate) async fn silences_of(tx: &mut Tx, devices: &[Uuid]) -> Result<HashMap<Uuid, SilenceFacts>, StoreError> {
    let sql = "SELECT f.device_id, f.since, f.cleared_at FROM {rows} JOIN flag f ON f.device_id = r.id \
               WHERE f.code = 'silent' AND f.cleared_at IS NOT NULL";
    let rows: Vec<(Uuid, i64, i64)> = Rows::of_ids(devices.iter().copied()).fetch(tx, sql).await?;
    let mut last: HashMap<Uuid, SilenceFacts> = HashMap::new();
    for (device, since, cleared_at) in rows {
        let one =
            SilenceFacts { told_at: moment("flag.since", since)?, ended_at: moment("flag.cleared_at", cleared_at)? };
        let place = last.entry(device).or_insert(one);
        if one.ended_at > place.ended_at {
            *place = one;
        }
    }
    Ok(last)
}

/// A stored number as the severity it stands for.
pub(super) fn severity(stored: i64) -> Result<Severity, StoreError> {
    Severity::try_from(stored).map_err(|why| StoreError::Corrupt { what: "flag.severity", why: why.to_string() })
}

/// The open flags of a device within `scope`, worst first.
pub async fn open_of_device(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Vec<FlagRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM flag f WHERE f.device_id = $1 AND f.cleared_at IS NULL \
         ORDER BY f.severity DESC, f.since, f.code, f.subject"
    );
    of_device(tx, scope, id, sql).await
}

/// All flags that a device within `scope` ever had, newest first.
pub async fn history_of_device(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Vec<FlagRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM flag f WHERE f.device_id = $1 ORDER BY f.since DESC, f.id LIMIT {HISTORY_SHOWN}"
    );
    of_device(tx, scope, id, sql).await
}

async fn of_device(tx: &mut Tx, scope: &Scope, id: DeviceId, sql: String) -> Result<Vec<FlagRow>, StoreError> {
    if device::find(tx, scope, id).await?.is_none() {
        return Ok(Vec::new());
    }
    let sql = sqlx::AssertSqlSafe(sql);
    let raw: Vec<RawFlag> = on!(tx, |c| sqlx::query_as(sql).bind(id.0).fetch_all(c).await)?;
    raw.into_iter().map(RawFlag::read).collect()
}

/// One flag of a device within `scope`.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<FlagRow>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM flag f WHERE f.id = $1"));
    let raw: Option<RawFlag> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    let Some(flag) = raw.map(RawFlag::read).transpose()? else { return Ok(None) };
    Ok(device::find(tx, scope, flag.device_id).await?.map(|_| flag))
}

/// Records that a person knows of an open flag; `None` if no such flag is open within `scope`, else the flag as it was.
pub async fn acknowledge(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    by: &str,
    reason: &str,
    now: UtcMillis,
) -> Result<Option<FlagRow>, StoreError> {
    let Some(before) = find(tx, scope, id).await?.filter(|flag| flag.cleared_at.is_none()) else { return Ok(None) };
    let sql = "UPDATE flag SET acknowledged_at = $2, acknowledged_by = $3, acknowledged_reason = $4 \
               WHERE id = $1 AND cleared_at IS NULL";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).bind(by).bind(reason).execute(c).await.map(drop))?;
    Ok(Some(before))
}

/// Sets an open flag aside until a moment; `None` if no such flag is open within `scope`, else the flag as it was.
pub async fn snooze(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    by: &str,
    reason: &str,
    until: UtcMillis,
) -> Result<Option<FlagRow>, StoreError> {
    let Some(before) = find(tx, scope, id).await?.filter(|flag| flag.cleared_at.is_none()) else { return Ok(None) };
    let sql = "UPDATE flag SET snoozed_until = $2, snoozed_by = $3, snoozed_reason = $4 \
               WHERE id = $1 AND cleared_at IS NULL";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(until.get()).bind(by).bind(reason).execute(c).await.map(drop))?;
    Ok(Some(before))
}
