//! Sites of an import: known ones read by their codes, outcomes written.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, description,
    rows::{Rows, Type},
    value::parsed,
};
use crate::domain::{fold::fold, import::site::KnownSite};

/// The sites with one of these codes.
pub async fn known<'a>(
    tx: &mut Tx,
    codes: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, KnownSite>, StoreError> {
    let mut rows = Rows::new([("uai", Type::Text)]);
    codes.for_each(|code| rows.push([code.into()]));
    let sql = "SELECT s.id, s.uai, s.name, s.commune, s.academic_zone FROM {rows} JOIN site s ON s.uai = r.uai";
    let found: Vec<(Uuid, String, String, String, String)> = rows.fetch(tx, sql).await?;
    found
        .into_iter()
        .map(|(id, uai, name, commune, zone)| {
            let site = KnownSite { id, uai: uai.clone(), name, commune, zone: parsed("site.academic_zone", &zone)? };
            Ok((uai, site))
        })
        .collect()
}

/// Writes new and changed sites; devices of changed ones are found under the new name.
pub async fn write(tx: &mut Tx, sites: &[(bool, &KnownSite)], now: UtcMillis) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("id", Type::Uuid),
        ("uai", Type::Text),
        ("name", Type::Text),
        ("commune", Type::Text),
        ("zone", Type::Text),
        ("sort_key", Type::Text),
        ("created_at", Type::Int),
    ]);
    for (_, site) in sites {
        rows.push([
            site.id.into(),
            site.uai.as_str().into(),
            site.name.as_str().into(),
            site.commune.as_str().into(),
            site.zone.as_str().into(),
            fold(&format!("{} {}", site.name, site.commune)).into(),
            now.get().into(),
        ]);
    }
    let sql = "INSERT INTO site (id, uai, name, commune, academic_zone, sort_key, created_at) \
               SELECT id, uai, name, commune, zone, sort_key, created_at FROM {rows} WHERE true \
               ON CONFLICT (uai) DO UPDATE SET name = excluded.name, commune = excluded.commune, \
               academic_zone = excluded.academic_zone, sort_key = excluded.sort_key";
    rows.execute(tx, sql).await?;
    for (_, site) in sites.iter().filter(|(is_new, _)| !is_new) {
        description::follow_site(tx, site.id).await?;
    }
    Ok(())
}
