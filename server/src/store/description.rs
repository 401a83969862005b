//! What reports teach about a device: maker, model, numbers, and the memory and drives it is compared with.

use cartable_common::{
    SerialNumber, SystemUuid,
    report::{Hardware, HealthReport},
};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    device::{Listed, SiteWords},
    on,
    rows::{Cell, Rows, Type},
    value::{from_json, to_json},
};
use crate::domain::facts::Baseline;

/// What is recorded of a device's making, as reports may complete it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Description {
    pub(crate) id: Uuid,
    serial_number: Option<String>,
    system_uuid: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    chassis: Option<String>,
    asset_tag: Option<String>,
    baseline: Option<String>,
    baseline_enrolment_id: Option<Uuid>,
    baseline_sequence: Option<i64>,
    uai: Option<String>,
    sort_key: Option<String>,
}

/// What is recorded of some devices.
pub(crate) async fn of_devices(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<Description>, StoreError> {
    let sql = "SELECT d.id, d.serial_number, d.system_uuid, d.manufacturer, d.model, d.chassis, d.asset_tag, \
               d.baseline, d.baseline_enrolment_id, d.baseline_sequence, s.uai, s.sort_key \
               FROM {rows} JOIN device d ON d.id = r.id LEFT JOIN site s ON s.id = d.site_id";
    Rows::of_ids(devices.iter().copied()).fetch(tx, sql).await
}

impl Description {
    pub(crate) fn baseline(&self) -> Result<Option<Baseline>, StoreError> {
        self.baseline.as_deref().map(|json| from_json("device.baseline", json)).transpose()
    }

    /// Takes over what the current report says. Serial number and UUID are only completed: staff matched the device
    /// by them, and a report that says otherwise is for a person to look at.
    pub(crate) fn learn(&mut self, hardware: &Hardware) {
        let complete = |known: &mut Option<String>, told: Option<String>| {
            if known.is_none() {
                *known = told;
            }
        };
        complete(&mut self.serial_number, hardware.serial_number.get().map(ToString::to_string));
        complete(&mut self.system_uuid, hardware.system_uuid.get().map(ToString::to_string));
        let replace = |known: &mut Option<String>, told: Option<String>| {
            if told.is_some() {
                *known = told;
            }
        };
        replace(&mut self.manufacturer, hardware.manufacturer.as_ref().map(ToString::to_string));
        replace(&mut self.model, hardware.model.as_ref().map(ToString::to_string));
        replace(&mut self.chassis, hardware.chassis.map(|chassis| chassis.as_str().to_owned()));
    }

    /// The machine that is recorded, as reports name one.
    pub(crate) fn hardware(&self) -> Hardware {
        Hardware {
            serial_number: self.serial_number.as_deref().and_then(SerialNumber::parse).into(),
            system_uuid: self.system_uuid.as_deref().and_then(SystemUuid::parse).into(),
            ..Hardware::default()
        }
    }

    /// Names the machine as it calls itself now: a person said that it is this one. What it does not say stays: firmware
    /// that lost the serial number does not take it from the label.
    pub(crate) fn rebind(&mut self, hardware: &Hardware) {
        if let Some(serial) = hardware.serial_number.get() {
            self.serial_number = Some(serial.to_string());
        }
        if let Some(uuid) = hardware.system_uuid.get() {
            self.system_uuid = Some(uuid.to_string());
        }
        self.learn(hardware);
    }

    /// Takes the memory and drives of a report as the known ones, if it is the first: either none are known, or those
    /// known come from a later report of the same enrolment, which overtook this one.
    pub(crate) fn first_seen(
        &mut self,
        enrolment: Uuid,
        sequence: i64,
        report: &HealthReport,
    ) -> Result<bool, StoreError> {
        let overtaken = self.baseline_enrolment_id == Some(enrolment)
            && self.baseline_sequence.is_some_and(|known| sequence < known);
        let first = self.baseline.is_none() || overtaken;
        if first {
            self.baseline = Some(to_json("device.baseline", &Baseline::of(report))?);
            self.baseline_enrolment_id = Some(enrolment);
            self.baseline_sequence = Some(sequence);
        }
        Ok(first)
    }

    fn listed(&self) -> Listed {
        let site = SiteWords { uai: self.uai.clone(), sort_key: self.sort_key.clone() };
        Listed::new(
            self.serial_number.as_deref(),
            self.manufacturer.as_deref(),
            self.model.as_deref(),
            self.asset_tag.as_deref(),
            &site,
        )
    }

    fn cells(self) -> [Cell; 12] {
        let listed = self.listed();
        [
            self.id.into(),
            self.serial_number.into(),
            self.system_uuid.into(),
            self.manufacturer.into(),
            self.model.into(),
            self.chassis.into(),
            self.baseline.into(),
            self.baseline_enrolment_id.into(),
            self.baseline_sequence.into(),
            listed.sort_serial.into(),
            listed.sort_model.into(),
            listed.search_text.into(),
        ]
    }
}

/// Records what was learned, one statement for all devices.
pub(crate) async fn record(tx: &mut Tx, learned: Vec<Description>) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("id", Type::Uuid),
        ("serial_number", Type::Text),
        ("system_uuid", Type::Text),
        ("manufacturer", Type::Text),
        ("model", Type::Text),
        ("chassis", Type::Text),
        ("baseline", Type::Text),
        ("enrolment", Type::Uuid),
        ("sequence", Type::Int),
        ("sort_serial", Type::Text),
        ("sort_model", Type::Text),
        ("search_text", Type::Text),
    ]);
    for one in learned {
        rows.push(one.cells());
    }
    let sql = "UPDATE device SET serial_number = r.serial_number, system_uuid = r.system_uuid, \
               manufacturer = r.manufacturer, model = r.model, chassis = r.chassis, baseline = r.baseline, \
               baseline_enrolment_id = r.enrolment, baseline_sequence = r.sequence, sort_serial = r.sort_serial, \
               sort_model = r.sort_model, search_text = r.search_text FROM {rows} WHERE device.id = r.id";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// Brings what lists sort and search the devices of a site by up to date, after the site was named anew.
pub(crate) async fn follow_site(tx: &mut Tx, site: Uuid) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = on!(tx, |c| {
        sqlx::query_scalar("SELECT id FROM device WHERE site_id = $1 ORDER BY id").bind(site).fetch_all(c).await
    })?;
    let mut rows = Rows::new([("id", Type::Uuid), ("sort_site", Type::Text), ("search_text", Type::Text)]);
    for one in of_devices(tx, &ids).await? {
        let id = one.id;
        let listed = one.listed();
        rows.push([id.into(), listed.sort_site.into(), listed.search_text.into()]);
    }
    let sql = "UPDATE device SET sort_site = r.sort_site, search_text = r.search_text FROM {rows} \
               WHERE device.id = r.id AND (device.sort_site <> r.sort_site OR device.search_text <> r.search_text)";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// Records the day of the last contact where it is a new one, one statement for all devices.
pub(crate) async fn record_days(tx: &mut Tx, days: impl Iterator<Item = (Uuid, i64)>) -> Result<(), StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("day", Type::Int)]);
    for (device, day) in days {
        rows.push([device.into(), day.into()]);
    }
    let sql = "UPDATE device SET last_contact_day = r.day FROM {rows} WHERE device.id = r.id \
               AND (device.last_contact_day IS NULL OR device.last_contact_day < r.day)";
    rows.execute(tx, sql).await?;
    Ok(())
}
