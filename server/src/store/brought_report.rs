//! Reports from other agents' files: which device they are of, taken in once, with where they come from.

use cartable_common::{DeviceId, ReportId, SerialNumber, UtcMillis};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::{
    StoreError, Tx,
    audit::{self, NewAudit},
    device::{self, DeviceRow},
    enrolment,
    ingest::brought::{self as ingest, Brought},
    loan, on, report, review,
    value::{moment, optional_moment, parsed},
};
use crate::domain::{
    brought::{self, BroughtRefused, Namesake, Stands},
    policy::Policy,
    reading::agents::{AgentInventory, Tool},
    scope::Scope,
};

/// Who brings a file.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The login of the person, or [`audit::COMMAND_LINE`].
    pub login: &'a str,
    /// The API token, where one was used.
    pub api_token: Option<Uuid>,
}

/// A file and who brings it.
#[derive(Clone, Copy, Debug)]
pub struct Bringing<'a> {
    /// Its bytes: the same ones are taken once.
    pub file: &'a [u8],
    /// What was read from it.
    pub inventory: &'a AgentInventory,
    /// Who brings it.
    pub by: By<'a>,
    /// By what devices are judged.
    pub policy: &'a Policy,
    /// When.
    pub now: UtcMillis,
}

/// What became of a file that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Its facts are the device's current ones now.
    Stored(DeviceId),
    /// This very file was taken before; nothing changed.
    Already(DeviceId),
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BroughtError {
    /// It makes no sense for any device; nothing was written.
    #[error(transparent)]
    Refused(#[from] BroughtRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a file in for the device that it names, judges that device, and writes the audit row. A refusal writes nothing.
pub async fn take_in(tx: &mut Tx, scope: &Scope, bringing: Bringing<'_>) -> Result<Taken, BroughtError> {
    let Bringing { file, inventory, by, policy, now } = bringing;
    let (made_at, serial) = brought::of_file(inventory, now)?;
    let id = whose(tx, scope, &serial, inventory).await?;
    device::lock(tx, [id.0]).await?;
    let report_id = id_of(file, id);
    if !report::stored(tx, std::iter::once((id.0, report_id.0))).await?.is_empty() {
        return Ok(Taken::Already(id));
    }
    brought::of_device(stands(tx, id).await?, made_at)?;
    let report = inventory.report.clone();
    ingest::write(tx, policy, Brought { device: id, report_id, made_at, report }, now).await?;
    remember(tx, (id, report_id), inventory.tool, (made_at, now)).await?;
    review::device(tx, id, policy, now).await?;
    let mut details = json!({"inventory_of": inventory.tool.name(), "made_at": made_at.get()});
    if let Some(token) = by.api_token {
        details["api_token"] = json!(token);
    }
    let act = NewAudit {
        actor: by.login,
        action: "device.bring_inventory",
        object_kind: "device",
        object_id: &id.to_string(),
        details,
    };
    audit::append(tx, act, now).await?;
    Ok(Taken::Stored(id))
}

/// The device that an inventory is of. Nobody else records one with its serial number before this unit of work ends.
async fn whose(
    tx: &mut Tx,
    scope: &Scope,
    serial: &SerialNumber,
    inventory: &AgentInventory,
) -> Result<DeviceId, BroughtError> {
    enrolment::lock_hardware(tx, serial.as_str()).await?;
    let mut meant: Vec<DeviceRow> = Vec::new();
    for row in device::by_serial(tx, scope, serial).await? {
        let place = loan::lending_state(tx, row.id).await?;
        let manufacturer = row.manufacturer.as_deref();
        if brought::may_be(Namesake { manufacturer, archived: row.archived_at.is_some(), place }, inventory) {
            meant.push(row);
        }
    }
    match meant.as_slice() {
        [] => Err(BroughtRefused::Unknown(serial.clone()).into()),
        [one] => Ok(one.id),
        [..] => Err(BroughtRefused::Several(serial.clone()).into()),
    }
}

/// The same file for the same device has the same id.
pub(crate) fn id_of(file: &[u8], device: DeviceId) -> ReportId {
    let mut hash = Sha256::new();
    hash.update(device.0.as_bytes());
    hash.update(file);
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    ReportId(Builder::from_custom_bytes(bytes).into_uuid())
}

#[derive(sqlx::FromRow)]
struct RawStands {
    status: String,
    agents: i64,
    brought_from: Option<i64>,
    received_at: Option<i64>,
    last_at: Option<i64>,
}

async fn stands(tx: &mut Tx, id: DeviceId) -> Result<Stands, StoreError> {
    let sql = "SELECT d.status, (SELECT count(*) FROM enrolment e WHERE e.device_id = d.id \
               AND e.status IN ('active', 'quarantined')) AS agents, b.made_at AS brought_from, h.received_at, c.last_at \
               FROM device d LEFT JOIN health h ON h.device_id = d.id \
               LEFT JOIN brought_report b ON b.device_id = h.device_id AND b.report_id = h.report_id \
               LEFT JOIN contact c ON c.device_id = d.id WHERE d.id = $1";
    let raw: RawStands = on!(tx, |c| sqlx::query_as(sql).bind(id.0).fetch_one(c).await)?;
    let reported = match raw.brought_from {
        Some(made_at) => Some(moment("brought_report.made_at", made_at)?),
        None => optional_moment("health.received_at", raw.received_at)?,
    };
    Ok(Stands {
        status: parsed("device.status", &raw.status)?,
        has_agent: raw.agents > 0,
        known_until: reported.max(optional_moment("contact.last_at", raw.last_at)?),
    })
}

async fn remember(
    tx: &mut Tx,
    (device, report): (DeviceId, ReportId),
    tool: Tool,
    (made_at, now): (UtcMillis, UtcMillis),
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO brought_report (device_id, report_id, tool, made_at, brought_at) VALUES ($1, $2, $3, $4, $5)";
    on!(tx, |c| sqlx::query(sql)
        .bind(device.0)
        .bind(report.0)
        .bind(tool.as_str())
        .bind(made_at.get())
        .bind(now.get())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Where a report that a person brought came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Whose file it was.
    pub(crate) tool: Tool,
    /// When that was made: never rounded, for it is no contact.
    pub(crate) made_at: UtcMillis,
}

/// Where the report of a device came from; none for a report of our agent. The caller has checked that it may see the device.
pub(crate) async fn origin_of(tx: &mut Tx, device: DeviceId, report: ReportId) -> Result<Option<Origin>, StoreError> {
    let sql = "SELECT tool, made_at FROM brought_report WHERE device_id = $1 AND report_id = $2";
    let raw: Option<(String, i64)> =
        on!(tx, |c| sqlx::query_as(sql).bind(device.0).bind(report.0).fetch_optional(c).await)?;
    let Some((tool, made_at)) = raw else { return Ok(None) };
    let (tool, made_at) = (parsed("brought_report.tool", &tool)?, moment("brought_report.made_at", made_at)?);
    Ok(Some(Origin { tool, made_at }))
}
