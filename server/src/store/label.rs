//! What stands on devices' labels, for a pasted list or for what the list of devices finds.

use cartable_common::DeviceId;

use super::{
    StoreError, Tx,
    clause::Clause,
    device_code::{self, Found},
    device_list::{self, DeviceQuery},
};
use crate::domain::{
    device::full_model,
    label::{MAX_LABELS, Wanted},
    scope::Scope,
};

/// A device as its label names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The device.
    pub device: DeviceId,
    /// Its tag.
    pub asset_tag: Option<String>,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// Maker and model.
    pub model: Option<String>,
}

/// The devices of `scope` that a list asks for, in its order, each once; and the codes that mean none of them.
pub async fn of_list(
    tx: &mut Tx,
    scope: &Scope,
    wanted: &[Wanted],
) -> Result<(Vec<Labelled>, Vec<String>), StoreError> {
    let (mut found, mut unknown): (Vec<Labelled>, _) = (Vec::new(), Vec::new());
    for one in wanted {
        let devices = match one {
            Wanted::Range(tags) => of_tags(tx, scope, tags).await?,
            Wanted::One(code) => match device_code::find(tx, scope, code).await? {
                Found::One(row) => {
                    vec![labelled(row.id, (row.asset_tag, row.serial_number), (row.manufacturer, row.model))]
                }
                Found::Nothing | Found::Several => {
                    unknown.push(code.clone());
                    Vec::new()
                }
            },
        };
        for device in devices {
            if found.iter().all(|known| known.device != device.device) {
                found.push(device);
            }
        }
    }
    Ok((found, unknown))
}

/// The devices of `scope` that `query` finds, in its order; one more than a document holds where there are too many.
pub async fn of_query(tx: &mut Tx, scope: &Scope, query: &DeviceQuery) -> Result<Vec<Labelled>, StoreError> {
    let query = DeviceQuery { after: None, limit: MAX_LABELS + 1, ..query.clone() };
    let page = device_list::list(tx, scope, &query).await?;
    let read = |row: device_list::DeviceSummary| {
        labelled(row.id, (row.asset_tag, row.serial_number), (row.manufacturer, row.model))
    };
    Ok(page.rows.into_iter().map(read).collect())
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: uuid::Uuid,
    asset_tag: Option<String>,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
}

async fn of_tags(tx: &mut Tx, scope: &Scope, tags: &[String]) -> Result<Vec<Labelled>, StoreError> {
    let mut clause = Clause::new(
        "SELECT d.id, d.asset_tag, d.serial_number, d.manufacturer, d.model FROM device d WHERE asset_tag IN ",
    );
    clause.values(tags.iter().map(String::as_str)).within("d.site_id", scope).sql(" ORDER BY d.asset_tag, d.id");
    let read = |raw: Raw| labelled(DeviceId(raw.id), (raw.asset_tag, raw.serial_number), (raw.manufacturer, raw.model));
    Ok(clause.rows::<Raw>(tx).await?.into_iter().map(read).collect())
}

fn labelled(
    device: DeviceId,
    (asset_tag, serial_number): (Option<String>, Option<String>),
    (manufacturer, model): (Option<String>, Option<String>),
) -> Labelled {
    Labelled { device, asset_tag, serial_number, model: full_model(manufacturer.as_deref(), model.as_deref()) }
}
