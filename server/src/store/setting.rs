//! Values that belong to the whole programme, by name.

use super::{StoreError, Tx, on};

/// The value of `name`, if it was ever set.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM setting WHERE name = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(name.to_owned()).fetch_optional(c).await)?)
}

/// Sets `name` to `value`.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    on!(tx, |c| sqlx::query(sql).bind(name.to_owned()).bind(value.to_owned()).execute(c).await.map(|_| ()))?;
    Ok(())
}
