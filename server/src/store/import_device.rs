//! Devices of an import: known ones read by their keys, outcomes written, hundreds in one statement.

use std::collections::{HashMap, HashSet};

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    counter::{Counter, Deltas},
    device::{self, Listed, SiteWords},
    rows::{Rows, Type},
    value::parsed,
};
use crate::domain::{device::DeviceStatus, import::device::KnownDevice, loan::LendingState};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    chassis: Option<String>,
    programme: Option<String>,
    site_id: Option<Uuid>,
    lending_state: String,
    grade: Option<String>,
    warranty_until: Option<i64>,
    archived_at: Option<i64>,
    enrolled_at: Option<i64>,
    loan_id: Option<Uuid>,
}

impl Raw {
    fn read(self) -> Result<KnownDevice, StoreError> {
        Ok(KnownDevice {
            id: self.id,
            serial: self.serial_number,
            asset_tag: self.asset_tag,
            manufacturer: self.manufacturer,
            model: self.model,
            chassis: self.chassis,
            programme: self.programme,
            site: self.site_id,
            lending: parsed("device.lending_state", &self.lending_state)?,
            grade: self.grade,
            warranty_until: self.warranty_until,
            archived: self.archived_at.is_some(),
            enrolled: self.enrolled_at.is_some(),
            on_loan: self.loan_id.is_some(),
        })
    }
}

/// The devices with one of these serial numbers or asset tags.
pub async fn known<'a>(
    tx: &mut Tx,
    serials: impl Iterator<Item = &'a str>,
    tags: impl Iterator<Item = &'a str>,
) -> Result<Vec<KnownDevice>, StoreError> {
    let mut devices: HashMap<Uuid, KnownDevice> = HashMap::new();
    let mut keys = [Rows::new([("key", Type::Text)]), Rows::new([("key", Type::Text)])];
    serials.for_each(|serial| keys[0].push([serial.into()]));
    tags.for_each(|tag| keys[1].push([tag.into()]));
    for (rows, column) in keys.iter().zip(["serial_number", "asset_tag"]) {
        let sql = format!(
            "SELECT d.id, d.serial_number, d.asset_tag, d.manufacturer, d.model, d.chassis, d.programme, d.site_id, \
             d.lending_state, d.grade, d.warranty_until, d.archived_at, d.enrolled_at, l.id AS loan_id \
             FROM {{rows}} JOIN device d ON lower(d.{column}) = lower(r.key) \
             LEFT JOIN loan l ON l.device_id = d.id AND l.ended_at IS NULL"
        );
        let raw: Vec<Raw> = rows.fetch(tx, &sql).await?;
        for one in raw {
            devices.insert(one.id, one.read()?);
        }
    }
    Ok(devices.into_values().collect())
}

/// The same, held until this unit of work ends: what is seen of them is still true when they are written.
pub async fn held(tx: &mut Tx, serials: &[&str], tags: &[&str]) -> Result<Vec<KnownDevice>, StoreError> {
    let mut held = HashSet::new();
    loop {
        let found = known(tx, serials.iter().copied(), tags.iter().copied()).await?;
        let new: Vec<Uuid> = found.iter().map(|device| device.id).filter(|id| held.insert(*id)).collect();
        // On SQLite whoever writes is alone. Elsewhere they are looked at again, and once more if others have come.
        if new.is_empty() || matches!(tx, Tx::Sqlite(_)) {
            return Ok(found);
        }
        device::lock(tx, new).await?;
    }
}

/// What a device becomes.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// As it was; absent for a new one.
    pub before: Option<&'a KnownDevice>,
    /// As it will be.
    pub after: &'a KnownDevice,
}

/// Writes new and changed devices, the changed ones [`held`]. New ones are pending until an agent enrols, and no contact is expected of them.
pub async fn write(tx: &mut Tx, devices: &[Written<'_>], now: UtcMillis) -> Result<(), StoreError> {
    let sites = site_words(tx, devices).await?;
    let (mut new, mut changed) = (columns(), columns());
    let mut deltas = Deltas::default();
    let mut moved = Vec::new();
    for written in devices {
        let words = written.after.site.and_then(|id| sites.get(&id)).cloned().unwrap_or_default();
        // Where a device is is written only where the row says so.
        let lending = written.before.is_none_or(|before| before.lending != written.after.lending);
        let row = row(written.after, lending.then_some(written.after.lending), &words);
        match written.before {
            None => {
                new.push(row);
                deltas.add(Counter::Status(DeviceStatus::Pending), written.after.site, 1);
            }
            Some(before) => {
                if before.site != written.after.site {
                    moved.push((before.id, written.after.site));
                }
                changed.push(row);
            }
        }
    }
    // Counters follow a move one by one: few devices of a file change their site, and what is open on them is theirs.
    for (id, site) in moved {
        device::set_site(tx, &crate::domain::scope::Scope::Everything, cartable_common::DeviceId(id), site).await?;
    }
    let sql = format!(
        "INSERT INTO device (id, status, serial_number, asset_tag, manufacturer, model, chassis, programme, site_id, \
         lending_state, contact_expected, grade, warranty_until, created_at, sort_serial, sort_model, sort_site, \
         search_text) SELECT r.id, '{}', r.serial_number, r.asset_tag, r.manufacturer, r.model, r.chassis, r.programme, \
         r.site_id, r.lending_state, 'none', r.grade, r.warranty_until, {}, r.sort_serial, r.sort_model, r.sort_site, \
         r.search_text FROM {{rows}}",
        DeviceStatus::Pending,
        now.get()
    );
    new.execute(tx, &sql).await?;
    let sql = "UPDATE device SET serial_number = r.serial_number, asset_tag = r.asset_tag, \
               manufacturer = r.manufacturer, model = r.model, chassis = r.chassis, programme = r.programme, \
               lending_state = COALESCE(r.lending_state, device.lending_state), grade = r.grade, warranty_until = r.warranty_until, \
               sort_serial = r.sort_serial, sort_model = r.sort_model, search_text = r.search_text \
               FROM {rows} WHERE device.id = r.id";
    changed.execute(tx, sql).await?;
    deltas.apply(tx).await
}

const fn columns() -> Rows<15> {
    Rows::new([
        ("id", Type::Uuid),
        ("serial_number", Type::Text),
        ("asset_tag", Type::Text),
        ("manufacturer", Type::Text),
        ("model", Type::Text),
        ("chassis", Type::Text),
        ("programme", Type::Text),
        ("site_id", Type::Uuid),
        ("lending_state", Type::Text),
        ("grade", Type::Text),
        ("warranty_until", Type::Int),
        ("sort_serial", Type::Text),
        ("sort_model", Type::Text),
        ("sort_site", Type::Text),
        ("search_text", Type::Text),
    ])
}

fn row(device: &KnownDevice, lending: Option<LendingState>, words: &SiteWords) -> [super::rows::Cell; 15] {
    let listed = Listed::new(
        device.serial.as_deref(),
        device.manufacturer.as_deref(),
        device.model.as_deref(),
        device.asset_tag.as_deref(),
        words,
    );
    [
        device.id.into(),
        device.serial.clone().into(),
        device.asset_tag.clone().into(),
        device.manufacturer.clone().into(),
        device.model.clone().into(),
        device.chassis.clone().into(),
        device.programme.clone().into(),
        device.site.into(),
        lending.map(LendingState::as_str).into(),
        device.grade.clone().into(),
        device.warranty_until.into(),
        listed.sort_serial.into(),
        listed.sort_model.into(),
        listed.sort_site.into(),
        listed.search_text.into(),
    ]
}

async fn site_words(tx: &mut Tx, devices: &[Written<'_>]) -> Result<HashMap<Uuid, SiteWords>, StoreError> {
    let ids: std::collections::BTreeSet<Uuid> = devices.iter().filter_map(|one| one.after.site).collect();
    let sql = "SELECT s.id, s.uai, s.sort_key FROM site s WHERE s.id IN (SELECT r.id FROM {rows})";
    let rows: Vec<(Uuid, String, String)> = Rows::of_ids(ids).fetch(tx, sql).await?;
    let words = |uai, sort_key| SiteWords { uai: Some(uai), sort_key: Some(sort_key) };
    Ok(rows.into_iter().map(|(id, uai, sort_key)| (id, words(uai, sort_key))).collect())
}
