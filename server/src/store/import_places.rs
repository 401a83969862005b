//! What rows of any kind name besides their own thing: sites by code or name, programmes by code.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{StoreError, Tx, programme, site};
use crate::domain::{fold::fold, scope::Scope};

/// Every site by its code, by its folded name, and by its folded name and commune, where only one site has that.
pub async fn sites(tx: &mut Tx) -> Result<HashMap<String, Uuid>, StoreError> {
    let mut places: HashMap<String, Option<Uuid>> = HashMap::new();
    for site in site::list(tx, &Scope::Everything).await? {
        let keys: BTreeSet<String> =
            [site.uai.clone(), fold(&site.name), fold(&format!("{} {}", site.name, site.commune))].into();
        for key in keys {
            places.entry(key).and_modify(|known| *known = None).or_insert(Some(site.id));
        }
    }
    Ok(places.into_iter().filter_map(|(key, id)| id.map(|id| (key, id))).collect())
}

/// Every programme by its code: which one, and whether it is open.
pub async fn programmes(tx: &mut Tx) -> Result<HashMap<String, (Uuid, bool)>, StoreError> {
    let all = programme::list(tx).await?;
    Ok(all.into_iter().map(|one| (one.code.as_str().to_owned(), (one.id, one.open))).collect())
}
