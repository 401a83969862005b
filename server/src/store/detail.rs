//! Everything the page of one device shows, read in one unit of work.

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    StoreError, Tx, brought_report,
    contact::{self, Contact},
    device::{self, DeviceRow},
    flag::{self, FlagRow},
    foreign_agent::{self, ForeignAgent},
    health::{self, Health},
    on,
};
use crate::domain::{reading::agents::Tool, scope::Scope};

/// A device with its site, contact, current health and open flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDetail {
    /// The device.
    pub device: DeviceRow,
    /// Where it belongs.
    pub site: Option<SiteName>,
    /// Its last contact.
    pub contact: Option<Contact>,
    /// Its current report.
    pub health: Option<Health>,
    /// Whose file that report came from; none for one of our agent's.
    pub brought_of: Option<Tool>,
    /// Whose agent sent it, by a certificate of the device; none for ours.
    pub reported_by: Option<Tool>,
    /// The other system's agent that may report for it.
    pub foreign_agent: Option<ForeignAgent>,
    /// Its open flags, worst first.
    pub flags: Vec<FlagRow>,
}

/// How a site is called.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SiteName {
    /// Its identifier.
    pub id: Uuid,
    /// Its national code.
    pub uai: String,
    /// Its name.
    pub name: String,
    /// Its town.
    pub commune: String,
}

/// The device, if it exists within `scope`.
pub async fn find(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<DeviceDetail>, StoreError> {
    let Some(device) = device::find(tx, scope, id).await? else { return Ok(None) };
    let site = match device.site {
        Some(site) => {
            let sql = "SELECT id, uai, name, commune FROM site WHERE id = $1";
            on!(tx, |c| sqlx::query_as(sql).bind(site).fetch_optional(c).await)?
        }
        None => None,
    };
    let health = health::of_device(tx, id).await?;
    let brought_of = match &health {
        Some(health) => brought_report::origin_of(tx, id, health.report_id).await?.map(|origin| origin.tool),
        None => None,
    };
    let reported_by = match &health {
        Some(health) => foreign_agent::tool_of(tx, health.enrolment_id).await?,
        None => None,
    };
    Ok(Some(DeviceDetail {
        site,
        contact: contact::of_device(tx, id).await?,
        health,
        brought_of,
        reported_by,
        foreign_agent: foreign_agent::of_device(tx, id).await?,
        flags: flag::open_of_device(tx, scope, id).await?,
        device,
    }))
}
