//! What is known of a device besides its agent's word: whether an agent is awaited, until when its maker answers for
//! it, and what an inspection found.

use cartable_common::{DeviceId, UtcMillis};

use super::{
    StoreError, Tx,
    device::{self, NewDevice},
    on,
    value::{day, day_number, parsed},
};
use crate::domain::{device_record::ContactExpected, grade::Grade};
use jiff::civil::Date;

/// What staff know of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Whether an agent is awaited.
    pub contact_expected: ContactExpected,
    /// The last day of the maker's warranty.
    pub warranty_until: Option<Date>,
    /// What an inspection found; none before the first.
    pub grade: Option<Grade>,
}

/// Records a device, with what staff know of it. An asset tag that another device has is a database error naming
/// `asset_tag`.
pub async fn insert(tx: &mut Tx, new: &NewDevice, recorded: Recorded, now: UtcMillis) -> Result<(), StoreError> {
    device::insert(tx, new, now).await?;
    put(tx, new.id, recorded).await
}

/// Writes what staff know of a device.
pub(super) async fn put(tx: &mut Tx, id: DeviceId, recorded: Recorded) -> Result<(), StoreError> {
    let sql = "UPDATE device SET contact_expected = $2, warranty_until = $3, grade = $4 WHERE id = $1";
    let until = recorded.warranty_until.map(day_number);
    let (expected, grade) = (recorded.contact_expected.as_str(), recorded.grade.map(Grade::as_str));
    on!(tx, |c| sqlx::query(sql).bind(id.0).bind(expected).bind(until).bind(grade).execute(c).await.map(drop))?;
    Ok(())
}

/// What staff know of a device; the default where there is none.
pub async fn of_device(tx: &mut Tx, id: DeviceId) -> Result<Recorded, StoreError> {
    let sql = "SELECT contact_expected, warranty_until, grade FROM device WHERE id = $1";
    let row: Option<(String, Option<i64>, Option<String>)> =
        on!(tx, |c| sqlx::query_as(sql).bind(id.0).fetch_optional(c).await)?;
    let Some((expected, until, grade)) = row else { return Ok(Recorded::default()) };
    Ok(Recorded {
        contact_expected: parsed("device.contact_expected", &expected)?,
        warranty_until: until.map(|number| day("device.warranty_until", number)).transpose()?,
        grade: grade.map(|text| parsed("device.grade", &text)).transpose()?,
    })
}

/// From now on, or no more, an agent is awaited on a device.
pub async fn expect(tx: &mut Tx, id: DeviceId, expected: ContactExpected) -> Result<(), StoreError> {
    let sql = "UPDATE device SET contact_expected = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id.0).bind(expected.as_str()).execute(c).await.map(drop))?;
    Ok(())
}
