//! The units behind figures: what they are called, whose they are, and what tells how old they are.

use cartable_common::{DeviceId, report::Chassis};
use uuid::Uuid;

use crate::{
    domain::{
        device::full_model,
        figures::{age::Birth, fact::Unit},
        fitness::processor,
        paris,
    },
    store::{
        StoreError, Tx,
        rows::Rows,
        value::{day, moment},
    },
};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    asset_tag: Option<String>,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    chassis: Option<String>,
    created_at: i64,
    warranty_until: Option<i64>,
    owner: Option<String>,
    processor: Option<String>,
}

impl Raw {
    fn read(self) -> Result<Unit, StoreError> {
        let warranty = self.warranty_until.map(|number| day("device.warranty_until", number)).transpose()?;
        Ok(Unit {
            id: DeviceId(self.id),
            model: full_model(self.manufacturer.as_deref(), self.model.as_deref()),
            asset_tag: self.asset_tag,
            serial: self.serial_number,
            kind: self.chassis.and_then(|text| Chassis::ALL.iter().copied().find(|kind| kind.as_str() == text)),
            owner: self.owner,
            birth: Birth {
                recorded: paris::date(moment("device.created_at", self.created_at)?),
                warranty_until: warranty,
                processor_year: self.processor.and_then(|name| processor::known(&name).year),
            },
        })
    }
}

/// These units.
pub(super) async fn read(tx: &mut Tx, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Unit>, StoreError> {
    // The report is text that holds JSON; each engine has its own way in.
    let processor = match tx {
        Tx::Sqlite(_) => "h.report ->> '$.processor.model'",
        Tx::Postgres(_) => "h.report::json -> 'processor' ->> 'model'",
    };
    let sql = format!(
        "SELECT d.id, d.asset_tag, d.serial_number, d.manufacturer, d.model, d.chassis, d.created_at, d.warranty_until, \
         p.owner, {processor} AS processor FROM {{rows}} JOIN device d ON d.id = r.id \
         LEFT JOIN programme p ON p.code = d.programme LEFT JOIN health h ON h.device_id = d.id"
    );
    let raw: Vec<Raw> = Rows::of_ids(ids).fetch(tx, &sql).await?;
    raw.into_iter().map(Raw::read).collect()
}
