//! The device that a scanned or typed code means: its label, its serial number, or the address in its QR code.

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    device::{self, DeviceRow},
};
use crate::domain::scope::Scope;

/// What a code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This device.
    One(Box<DeviceRow>),
    /// No device, or none within the scope.
    Nothing,
    /// Several devices have this serial number: only a label tells them apart.
    Several,
}

/// Longest code that is looked up, in characters: what QR codes of labels hold.
const MAX_CODE_CHARS: usize = 200;
/// Enough to know that there are several.
const MOST: i64 = 3;

/// The device within `scope` that `code` means. Scanners set to another case are understood.
pub async fn find(tx: &mut Tx, scope: &Scope, code: &str) -> Result<Found, StoreError> {
    let code = code.trim();
    // PostgreSQL keeps no NUL, and no label holds a control character.
    if code.is_empty() || code.chars().count() > MAX_CODE_CHARS || code.contains(char::is_control) {
        return Ok(Found::Nothing);
    }
    if let Some(id) = address(code) {
        return by_id(tx, scope, id).await;
    }
    for column in ["asset_tag", "serial_number"] {
        let mut clause = Clause::new("SELECT d.id, d.archived_at, CAST(CASE WHEN d.");
        clause
            .sql(column)
            .sql(" = ")
            .value(code)
            .sql(" THEN 1 ELSE 0 END AS BIGINT) AS exact FROM device d WHERE lower(d.");
        clause.sql(column).sql(") = lower(").value(code).sql(")").within("d.site_id", scope);
        clause.sql(" ORDER BY d.archived_at IS NOT NULL, exact DESC, d.id LIMIT ").value(MOST);
        let found: Vec<(Uuid, Option<i64>, i64)> = clause.rows(tx).await?;
        let [(first, archived, exact), others @ ..] = found.as_slice() else { continue };
        // An archived device's serial number may have been read from another since: the one in service is meant. One
        // whose number is written just so goes before one that differs in case.
        let unclear = others.first().is_some_and(|(_, other_archived, other_exact)| {
            archived.is_none() == other_archived.is_none() && exact == other_exact
        });
        return if unclear { Ok(Found::Several) } else { by_id(tx, scope, *first).await };
    }
    Ok(Found::Nothing)
}

async fn by_id(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Found, StoreError> {
    let found = device::find(tx, scope, DeviceId(id)).await?;
    Ok(found.map_or(Found::Nothing, |row| Found::One(Box::new(row))))
}

/// The device of an address such as `https://cartable.example.fr/devices/0192…`, or of its id alone.
fn address(code: &str) -> Option<Uuid> {
    let id = code.rsplit_once("/devices/").map_or(code, |(_, id)| id);
    let id = id.split(['/', '?', '#']).next().unwrap_or_default();
    // Serial numbers of 32 hexadecimal digits exist: only the form with hyphens is an id.
    (id.len() == 36).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_a_qr_code_names_its_device() {
        let id = Uuid::from_u128(0x0192_f3a0_1111_7000_8000_0000_0000_0001);
        for code in [format!("https://cartable.example.fr/devices/{id}"), format!("{id}"), format!("/devices/{id}?x=1")]
        {
            assert_eq!(address(&code), Some(id), "{code}");
        }
        for code in ["PF2ABCDE", "CD72-004512", "0192f3a01111700080000000000000001", "https://example.org/devices/x"] {
            assert_eq!(address(code), None, "{code}");
        }
    }
}
