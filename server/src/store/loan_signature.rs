//! Signatures drawn on a desk's screen, sealed: they are opened outside the store, by whoever holds the key.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, on};

/// Keeps the signature under a loan; replaces one that was there.
pub async fn put(tx: &mut Tx, loan: Uuid, sealed: &str, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO loan_signature (loan_id, sealed, signed_at) VALUES ($1, $2, $3) \
               ON CONFLICT (loan_id) DO UPDATE SET sealed = excluded.sealed, signed_at = excluded.signed_at";
    on!(tx, |c| sqlx::query(sql).bind(loan).bind(sealed).bind(now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// The signature under a loan, sealed. The caller has found the loan within its scope, and writes down the reading.
pub async fn sealed(tx: &mut Tx, loan: Uuid) -> Result<Option<String>, StoreError> {
    let sql = "SELECT sealed FROM loan_signature WHERE loan_id = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(loan).fetch_optional(c).await)?)
}

/// Forgets the signatures under all loans of a borrower: with who it is, how it signs is erased.
pub(crate) async fn erase_of_borrower(tx: &mut Tx, borrower: Uuid) -> Result<u64, StoreError> {
    let sql = "DELETE FROM loan_signature WHERE loan_id IN (SELECT id FROM loan WHERE borrower_id = $1)";
    Ok(on!(tx, |c| sqlx::query(sql).bind(borrower).execute(c).await.map(|done| done.rows_affected()))?)
}
