//! Correcting what staff wrote down about a device: for console and API alike, with what the audit says of it.
//!
//! Whether the person's role allows it, and at the site where the device goes, is the caller's question.

use cartable_common::{DeviceId, SerialNumber, Text, UtcMillis};
use serde_json::{Value, json};

use super::{
    StoreError, Tx,
    device::{self, DeviceRow, Listed, site_words},
    device_record::{self, Recorded},
    enrolment, loan, on, programme, review, site,
};
use crate::domain::{
    device::DeviceStatus,
    device_record::{ContactExpected, Correction, CorrectionRefused, Stands},
    import::cells::Wanted,
    policy::Policy,
    scope::Scope,
};

/// Why correcting failed.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    /// It makes no sense, or contradicts what is known; nothing was written.
    #[error(transparent)]
    Refused(#[from] CorrectionRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Corrects the record of the device `before`, which the caller found with [`held`], and judges it anew. Gives what the audit says: each value before and after. The programme is told
/// without its name: the audit is read by roles that may not know who is in one.
pub async fn correct(
    tx: &mut Tx,
    scope: &Scope,
    before: &DeviceRow,
    correction: Correction,
    (policy, now): (&Policy, UtcMillis),
) -> Result<Value, CorrectionError> {
    let (id, recorded) = (before.id, device_record::of_device(tx, before.id).await?);
    let lent = loan::open_of_device(tx, &Scope::Everything, id).await?;
    correction.check(Stands {
        archived: before.archived_at.is_some(),
        enrolled: before.enrolled_at.is_some(),
        site: before.site,
        expected: recorded.contact_expected,
        lent_at: lent.map(|loan| loan.site),
    })?;
    let programme_changed = correction.programme != Wanted::Keep;
    if let Wanted::Set(code) = &correction.programme {
        let code = code.parse().map_err(|_| CorrectionRefused::Programme)?;
        programme::find_by_code(tx, &code).await?.ok_or(CorrectionRefused::Programme)?;
    }
    let after = DeviceRow {
        site: correction.site.over(before.site),
        programme: correction.programme.over(before.programme.clone()),
        serial_number: text(correction.serial, SerialNumber::as_str).over(before.serial_number.clone()),
        manufacturer: text(correction.manufacturer, Text::as_str).over(before.manufacturer.clone()),
        model: text(correction.model, Text::as_str).over(before.model.clone()),
        ..before.clone()
    };
    named_once(tx, before, &after).await?;
    if after.site != before.site {
        if let Some(site) = after.site {
            site::find(tx, scope, site).await?.ok_or(CorrectionRefused::Site)?;
        }
        device::set_site(tx, scope, id, after.site).await?;
    }
    let known = Recorded {
        contact_expected: correction.contact_expected.unwrap_or(recorded.contact_expected),
        warranty_until: correction.warranty_until.over(recorded.warranty_until),
        grade: correction.grade.over(recorded.grade),
    };
    describe(tx, &after).await?;
    device_record::put(tx, id, known).await?;
    if let Some(status) = status(&after, recorded.contact_expected, known.contact_expected) {
        device::set_status(tx, scope, id, status).await?;
    }
    review::device(tx, id, policy, now).await?;
    let mut details = json!({ "before": told(before, recorded), "after": told(&after, known) });
    if programme_changed {
        details["after"]["programme_changed"] = json!(true);
    }
    Ok(details)
}

fn text<T>(wanted: Wanted<T>, text: impl Fn(&T) -> &str) -> Wanted<String> {
    match wanted {
        Wanted::Set(value) => Wanted::Set(text(&value).to_owned()),
        Wanted::Erase => Wanted::Erase,
        Wanted::Keep => Wanted::Keep,
    }
}

/// It can be told from all others.
async fn named_once(tx: &mut Tx, before: &DeviceRow, after: &DeviceRow) -> Result<(), CorrectionError> {
    let Some(serial) = &after.serial_number else {
        let named = after.asset_tag.is_some();
        return if named { Ok(()) } else { Err(CorrectionRefused::Nameless.into()) };
    };
    let same = (&before.serial_number, &before.manufacturer) == (&after.serial_number, &after.manufacturer);
    if !same && enrolment::is_serial_of_another(tx, after.id, serial, after.manufacturer.as_deref()).await? {
        return Err(CorrectionRefused::Known.into());
    }
    Ok(())
}

/// A machine that was never enrolled waits for its agent, or serves without one.
fn status(device: &DeviceRow, before: ContactExpected, after: ContactExpected) -> Option<DeviceStatus> {
    if before == after || device.enrolled_at.is_some() {
        return None;
    }
    match (device.status, after) {
        (DeviceStatus::Pending, ContactExpected::None) => Some(DeviceStatus::Active),
        (DeviceStatus::Active, ContactExpected::Agent) => Some(DeviceStatus::Pending),
        (
            DeviceStatus::Pending
            | DeviceStatus::Active
            | DeviceStatus::Quarantined
            | DeviceStatus::Revoked
            | DeviceStatus::Released,
            _,
        ) => None,
    }
}

async fn describe(tx: &mut Tx, device: &DeviceRow) -> Result<(), StoreError> {
    let words = site_words(tx, device.site).await?;
    let listed = Listed::of_row(device, &words);
    let sql = "UPDATE device SET programme = $2, serial_number = $3, manufacturer = $4, model = $5, sort_serial = $6, \
               sort_model = $7, search_text = $8 WHERE id = $1";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(device.id.0)
            .bind(device.programme.as_deref())
            .bind(device.serial_number.as_deref())
            .bind(device.manufacturer.as_deref())
            .bind(device.model.as_deref())
            .bind(listed.sort_serial)
            .bind(listed.sort_model)
            .bind(listed.search_text)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

fn told(device: &DeviceRow, recorded: Recorded) -> Value {
    json!({
        "site": device.site,
        "serial": device.serial_number,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "warranty_until": recorded.warranty_until.map(|day| day.to_string()),
        "grade": recorded.grade,
        "contact_expected": recorded.contact_expected.as_str(),
    })
}

/// The device within `scope`, held until the unit of work ends: what [`correct`] begins with.
pub async fn held(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<DeviceRow>, StoreError> {
    device::lock(tx, [id.0]).await?;
    device::find(tx, scope, id).await
}
