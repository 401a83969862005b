//! Recording a device that no agent has reported: for console and API alike.

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    device::NewDevice,
    device_record::{self, Recorded},
    enrolment, programme, review, site,
};
use crate::domain::{
    device::DeviceStatus,
    device_record::{ContactExpected, Described},
    grade::Grade,
    policy::Policy,
    scope::Scope,
};

/// A device to record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is known of the machine.
    pub described: Described,
    /// Its site; at none, the depot, only for those who see all sites: the caller asks.
    pub site: Option<Uuid>,
    /// The code of its programme.
    pub programme: Option<String>,
    /// The last day of the maker's warranty.
    pub warranty_until: Option<Date>,
    /// What an inspection found.
    pub grade: Option<Grade>,
    /// Whether an agent is awaited.
    pub contact_expected: ContactExpected,
}

/// Why nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryRefused {
    /// There is no such site, or it is not theirs.
    #[error("there is no such site, or it is not one of yours")]
    Site,
    /// There is no such programme.
    #[error("there is no such programme")]
    Programme,
    /// Another has the serial number.
    #[error("a device of this maker with this serial number is recorded already")]
    Known,
    /// Another has the asset tag.
    #[error("another device has this asset tag")]
    AssetTag,
}

/// Why recording failed.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// It makes no sense; the unit of work is to be given up.
    #[error(transparent)]
    Refused(#[from] EntryRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records it, judges it, and gives its id with what the audit says of it. Not the programme: the audit is read by roles
/// that may not know who is in it.
pub async fn enter(
    tx: &mut Tx,
    scope: &Scope,
    entry: Entry,
    (policy, now): (&Policy, UtcMillis),
) -> Result<(DeviceId, Value), EntryError> {
    if let Some(site) = entry.site {
        site::find(tx, scope, site).await?.ok_or(EntryRefused::Site)?;
    }
    let programme = match entry.programme {
        None => None,
        Some(code) => {
            let code = code.parse().map_err(|_| EntryRefused::Programme)?;
            Some(programme::find_by_code(tx, &code).await?.ok_or(EntryRefused::Programme)?.code.to_string())
        }
    };
    if enrolment::is_hardware_known(tx, &entry.described.hardware).await? {
        return Err(EntryRefused::Known.into());
    }
    let status = match entry.contact_expected {
        ContactExpected::Agent => DeviceStatus::Pending,
        ContactExpected::None => DeviceStatus::Active,
    };
    let id = DeviceId(Uuid::now_v7());
    let new = NewDevice {
        id,
        status,
        hardware: entry.described.hardware,
        asset_tag: entry.described.asset_tag,
        programme,
        site: entry.site,
        enrolled_at: None,
    };
    let Entry { contact_expected, warranty_until, grade, .. } = entry;
    match device_record::insert(tx, &new, Recorded { contact_expected, warranty_until, grade }, now).await {
        Err(error) if error.is_duplicate_of("asset_tag") => return Err(EntryRefused::AssetTag.into()),
        other => other?,
    }
    review::device(tx, id, policy, now).await?;
    let details =
        json!({ "site": entry.site, "contact_expected": contact_expected.as_str(), "asset_tag": new.asset_tag });
    Ok((id, details))
}
