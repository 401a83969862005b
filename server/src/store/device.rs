//! Devices: physical machines. Inserted, described, moved, archived; never deleted.
//!
//! Every read takes a [`Scope`]: a device outside it does not exist for the caller. What lists sort and search by is
//! kept here, in the same unit of work as what it is made from.

use cartable_common::{
    DeviceId, SerialNumber, SystemUuid, Text, UtcMillis,
    report::{Chassis, Hardware},
};
use uuid::Uuid;

use super::{
    StoreError, Tx, brought_report,
    counter::{Counter, Deltas},
    erasure_gap, health, judgement, on, review,
    rows::Rows,
    value::{from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::{
    device::DeviceStatus, facts::Baseline, fold::fold, policy::Policy, scope::Scope, work_order::checklist::Kind,
};

/// A device to record.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Chosen by the caller.
    pub id: DeviceId,
    /// Its first state.
    pub status: DeviceStatus,
    /// What is known of the machine.
    pub hardware: Hardware,
    /// The sticker that staff put on it.
    pub asset_tag: Option<String>,
    /// Neutral code of the scheme under which it is lent.
    pub programme: Option<String>,
    /// Where it belongs.
    pub site: Option<Uuid>,
    /// When its agent was enrolled, if it was.
    pub enrolled_at: Option<UtcMillis>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its identifier.
    pub id: DeviceId,
    /// Where it stands.
    pub status: DeviceStatus,
    /// The maker's serial number.
    pub serial_number: Option<String>,
    /// The main board's identifier.
    pub system_uuid: Option<String>,
    /// The maker.
    pub manufacturer: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Laptop, tablet…
    pub chassis: Option<String>,
    /// The sticker that staff put on it.
    pub asset_tag: Option<String>,
    /// Neutral code of the scheme under which it is lent.
    pub programme: Option<String>,
    /// Where it belongs.
    pub site: Option<Uuid>,
    /// Memory and drives that staff know.
    pub baseline: Option<Baseline>,
    /// When it was recorded.
    pub created_at: UtcMillis,
    /// When an agent was last enrolled on it.
    pub enrolled_at: Option<UtcMillis>,
    /// When it was archived.
    pub archived_at: Option<UtcMillis>,
    /// Why.
    pub archive_reason: Option<String>,
    /// The day of its last contact, in whole days since 1970.
    pub last_contact_day: Option<i64>,
    /// The severity of its worst open flag; 0 without one.
    pub worst_severity: i64,
    /// How many flags are open.
    pub open_flags: i64,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    status: String,
    serial_number: Option<String>,
    system_uuid: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    chassis: Option<String>,
    asset_tag: Option<String>,
    programme: Option<String>,
    site_id: Option<Uuid>,
    baseline: Option<String>,
    created_at: i64,
    enrolled_at: Option<i64>,
    archived_at: Option<i64>,
    archive_reason: Option<String>,
    last_contact_day: Option<i64>,
    worst_severity: i64,
    open_flags: i64,
}

impl Raw {
    fn read(self) -> Result<DeviceRow, StoreError> {
        Ok(DeviceRow {
            id: DeviceId(self.id),
            status: parsed("device.status", &self.status)?,
            serial_number: self.serial_number,
            system_uuid: self.system_uuid,
            manufacturer: self.manufacturer,
            model: self.model,
            chassis: self.chassis,
            asset_tag: self.asset_tag,
            programme: self.programme,
            site: self.site_id,
            baseline: self.baseline.map(|json| from_json("device.baseline", &json)).transpose()?,
            created_at: moment("device.created_at", self.created_at)?,
            enrolled_at: optional_moment("device.enrolled_at", self.enrolled_at)?,
            archived_at: optional_moment("device.archived_at", self.archived_at)?,
            archive_reason: self.archive_reason,
            last_contact_day: self.last_contact_day,
            worst_severity: self.worst_severity,
            open_flags: self.open_flags,
        })
    }
}

const SELECT: &str = "SELECT id, status, serial_number, system_uuid, manufacturer, model, chassis, asset_tag, \
     programme, site_id, baseline, created_at, enrolled_at, archived_at, archive_reason, last_contact_day, \
     worst_severity, open_flags FROM device";

/// Most devices that are told to share one serial number or UUID.
const NAMESAKES: i64 = 20;

/// Records a device.
pub async fn insert(tx: &mut Tx, new: &NewDevice, now: UtcMillis) -> Result<(), StoreError> {
    let words = site_words(tx, new.site).await?;
    let row = Listed::of(&new.hardware, new.asset_tag.as_deref(), &words);
    let sql = "INSERT INTO device (id, status, serial_number, system_uuid, manufacturer, model, chassis, asset_tag, \
               programme, site_id, created_at, enrolled_at, sort_serial, sort_model, sort_site, search_text) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(new.id.0)
            .bind(new.status.as_str())
            .bind(new.hardware.serial_number.get().map(SerialNumber::as_str))
            .bind(new.hardware.system_uuid.get().map(SystemUuid::to_string))
            .bind(new.hardware.manufacturer.as_ref().map(Text::as_str))
            .bind(new.hardware.model.as_ref().map(Text::as_str))
            .bind(new.hardware.chassis.map(Chassis::as_str))
            .bind(new.asset_tag.as_deref())
            .bind(new.programme.as_deref())
            .bind(new.site)
            .bind(now.get())
            .bind(new.enrolled_at.map(UtcMillis::get))
            .bind(row.sort_serial)
            .bind(row.sort_model)
            .bind(row.sort_site)
            .bind(row.search_text)
            .execute(c)
            .await
            .map(drop)
    })?;
    let mut deltas = Deltas::default();
    deltas.add(Counter::Status(new.status), new.site, 1);
    deltas.apply(tx).await
}

/// The device, if it exists within `scope`.
pub async fn find(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    let raw: Vec<Raw> =
        Rows::of_ids([id.0]).fetch(tx, &format!("{SELECT} WHERE id IN (SELECT r.id FROM {{rows}})")).await?;
    raw.into_iter().filter(|raw| scope.covers(raw.site_id)).map(Raw::read).next().transpose()
}

/// Devices with this serial number, in whatever case, within `scope`, oldest first. Makers repeat serial numbers: there may be several.
pub async fn by_serial(tx: &mut Tx, scope: &Scope, serial: &SerialNumber) -> Result<Vec<DeviceRow>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE lower(serial_number) = lower($1) ORDER BY created_at, id LIMIT $2"
    ));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(serial.as_str()).bind(NAMESAKES).fetch_all(c).await)?;
    raw.into_iter().filter(|raw| scope.covers(raw.site_id)).map(Raw::read).collect()
}

/// Devices with this SMBIOS UUID within `scope`, oldest first.
pub async fn by_system_uuid(tx: &mut Tx, scope: &Scope, uuid: SystemUuid) -> Result<Vec<DeviceRow>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE system_uuid = $1 ORDER BY created_at, id LIMIT $2"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(uuid.to_string()).bind(NAMESAKES).fetch_all(c).await)?;
    raw.into_iter().filter(|raw| scope.covers(raw.site_id)).map(Raw::read).collect()
}

/// Which checklist a device has on the bench.
#[must_use]
pub fn kind(device: &DeviceRow) -> Kind {
    Kind::of(device.chassis.as_deref().and_then(|text| Chassis::ALL.iter().copied().find(|one| one.as_str() == text)))
}

/// Holds back every other unit of work that changes one of these devices until this one ends. On SQLite a unit of
/// work that writes is alone already.
pub(crate) async fn lock(tx: &mut Tx, ids: impl IntoIterator<Item = Uuid>) -> Result<(), StoreError> {
    if matches!(tx, Tx::Sqlite(_)) {
        return Ok(());
    }
    // In one order, so that two units of work never wait for each other in a circle.
    let sql = "SELECT d.id FROM device d WHERE d.id IN (SELECT r.id FROM {rows}) ORDER BY d.id FOR NO KEY UPDATE";
    let _: Vec<(Uuid,)> = Rows::of_ids(ids).fetch(tx, sql).await?;
    Ok(())
}

pub(super) async fn locked(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    lock(tx, [id.0]).await?;
    find(tx, scope, id).await
}

/// Changes a device's status; `None` if there is no such device within `scope`, else what it was before.
/// Flags follow with [`review::device`], or with the next sweep.
pub async fn set_status(
    tx: &mut Tx,
    scope: &Scope,
    id: DeviceId,
    status: DeviceStatus,
) -> Result<Option<DeviceStatus>, StoreError> {
    let Some(before) = locked(tx, scope, id).await? else { return Ok(None) };
    if before.status != status {
        let sql = "UPDATE device SET status = $2 WHERE id = $1";
        on!(tx, |c| sqlx::query(sql).bind(id.0).bind(status.as_str()).execute(c).await.map(drop))?;
        if before.archived_at.is_none() {
            let mut deltas = Deltas::default();
            deltas.shift(Counter::Status(before.status), Counter::Status(status), before.site);
            deltas.apply(tx).await?;
        }
    }
    Ok(Some(before.status))
}

/// Records that an agent was enrolled on a device at `now`; whether the device exists.
pub async fn set_enrolled(tx: &mut Tx, id: DeviceId, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE device SET enrolled_at = $2 WHERE id = $1";
    let found = on!(tx, |c| sqlx::query(sql).bind(id.0).bind(now.get()).execute(c).await.map(|r| r.rows_affected()))?;
    Ok(found == 1)
}

/// Moves a device to a site (or to none); whether it exists within `scope`.
pub async fn set_site(tx: &mut Tx, scope: &Scope, id: DeviceId, site: Option<Uuid>) -> Result<bool, StoreError> {
    let Some(before) = locked(tx, scope, id).await? else { return Ok(false) };
    if before.site == site {
        return Ok(true);
    }
    let words = site_words(tx, site).await?;
    let listed = Listed::of_row(&before, &words);
    let sql = "UPDATE device SET site_id = $2, sort_site = $3, search_text = $4 WHERE id = $1";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id.0)
            .bind(site)
            .bind(listed.sort_site)
            .bind(listed.search_text)
            .execute(c)
            .await
            .map(drop)
    })?;
    let mut deltas = Deltas::default();
    let counter = before.archived_at.map_or(Counter::Status(before.status), |_| Counter::Archived);
    let open = judgement::open_of_devices(tx, &[id.0]).await?;
    for (site, delta) in [(before.site, -1), (site, 1)] {
        deltas.add(counter, site, delta);
        for flag in &open {
            deltas.add(Counter::Flag(flag.code), site, delta);
        }
        if before.worst_severity > 0 {
            deltas.add(Counter::Severity(before.worst_severity), site, delta);
        }
    }
    deltas.apply(tx).await?;
    Ok(true)
}

/// Sets what staff write on a device; whether it exists within `scope`. An asset tag that another device has is a
/// database error naming `asset_tag`.
pub async fn set_asset_tag(
    tx: &mut Tx,
    scope: &Scope,
    id: DeviceId,
    asset_tag: Option<&str>,
) -> Result<bool, StoreError> {
    let Some(mut device) = locked(tx, scope, id).await? else { return Ok(false) };
    device.asset_tag = asset_tag.map(str::to_owned);
    let words = site_words(tx, device.site).await?;
    let listed = Listed::of_row(&device, &words);
    let sql = "UPDATE device SET asset_tag = $2, search_text = $3 WHERE id = $1";
    let text = listed.search_text;
    on!(tx, |c| sqlx::query(sql).bind(id.0).bind(asset_tag).bind(text).execute(c).await.map(drop))?;
    Ok(true)
}

/// Accepts the memory and drives of the current report as right, and judges the device anew. Whether the device exists
/// within `scope` and has reported.
pub async fn accept_baseline(
    tx: &mut Tx,
    scope: &Scope,
    id: DeviceId,
    policy: &Policy,
    now: UtcMillis,
) -> Result<bool, StoreError> {
    let Some(before) = locked(tx, scope, id).await? else { return Ok(false) };
    let Some(health) = health::of_device(tx, id).await? else { return Ok(false) };
    // Whatever was in it before is still asked about when the device leaves.
    erasure_gap::keep_baseline(tx, &before).await?;
    let baseline = to_json("device.baseline", &Baseline::of(&health.report))?;
    // What an inventory showed was there when that was made; of an agent's report, no late one takes the place any more.
    let origin = brought_report::origin_of(tx, id, health.report_id).await?;
    let (enrolment, sequence) = origin.map(|origin| (Uuid::nil(), origin.made_at.get())).unzip();
    let sql = "UPDATE device SET baseline = $2, baseline_enrolment_id = $3, baseline_sequence = $4 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id.0).bind(baseline).bind(enrolment).bind(sequence).execute(c).await.map(drop))?;
    review::device(tx, id, policy, now).await?;
    Ok(true)
}

/// The words of a site that its devices are sorted and found by.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(crate) struct SiteWords {
    pub(crate) uai: Option<String>,
    pub(crate) sort_key: Option<String>,
}

pub(crate) async fn site_words(tx: &mut Tx, site: Option<Uuid>) -> Result<SiteWords, StoreError> {
    let Some(site) = site else { return Ok(SiteWords::default()) };
    let found = on!(tx, |c| {
        sqlx::query_as("SELECT uai, sort_key FROM site WHERE id = $1").bind(site).fetch_optional(c).await
    })?;
    Ok(found.unwrap_or_default())
}

/// What lists sort and search a device by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) sort_serial: String,
    pub(crate) sort_model: String,
    pub(crate) sort_site: String,
    pub(crate) search_text: String,
}

impl Listed {
    fn of(hardware: &Hardware, asset_tag: Option<&str>, site: &SiteWords) -> Self {
        Self::new(
            hardware.serial_number.get().map(SerialNumber::as_str),
            hardware.manufacturer.as_ref().map(Text::as_str),
            hardware.model.as_ref().map(Text::as_str),
            asset_tag,
            site,
        )
    }

    pub(crate) fn of_row(row: &DeviceRow, site: &SiteWords) -> Self {
        Self::new(
            row.serial_number.as_deref(),
            row.manufacturer.as_deref(),
            row.model.as_deref(),
            row.asset_tag.as_deref(),
            site,
        )
    }

    pub(crate) fn new(
        serial: Option<&str>,
        manufacturer: Option<&str>,
        model: Option<&str>,
        asset_tag: Option<&str>,
        site: &SiteWords,
    ) -> Self {
        let words = [serial, asset_tag, manufacturer, model, site.uai.as_deref(), site.sort_key.as_deref()];
        Self {
            sort_serial: fold(serial.unwrap_or_default()),
            sort_model: fold(model.unwrap_or_default()),
            sort_site: site.sort_key.clone().unwrap_or_default(),
            search_text: fold(&words.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        }
    }
}
