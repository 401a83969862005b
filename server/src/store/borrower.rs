//! Borrowers by their opaque reference, and apart from them, sealed, who they are.
//!
//! What is sealed is opened outside the store, by whoever holds the key and has written down the reading.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, loan_signature, need, on,
    rows::Rows,
    value::{moment, optional_moment, parsed},
};
use crate::domain::{
    borrower::{Borrower, Level, Reference},
    scope::Scope,
};

pub(crate) use super::value::day_number;

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    reference: String,
    kind: String,
    institution_name: Option<String>,
    site_id: Option<Uuid>,
    level: Option<String>,
    left_site_day: Option<i64>,
    created_at: i64,
    identity_erased_at: Option<i64>,
}

impl Raw {
    fn read(self) -> Result<Borrower, StoreError> {
        Ok(Borrower {
            id: self.id,
            reference: parsed("borrower.reference", &self.reference)?,
            kind: parsed("borrower.kind", &self.kind)?,
            institution_name: self.institution_name,
            site: self.site_id,
            level: self.level.map(|level| parsed("borrower.level", &level)).transpose()?,
            left_site_day: self.left_site_day,
            created_at: moment("borrower.created_at", self.created_at)?,
            identity_erased_at: optional_moment("borrower.identity_erased_at", self.identity_erased_at)?,
        })
    }
}

/// The borrower that stands for nobody, whom loans of donated devices name: never drawn, for drawn identifiers are of
/// version 4 or 7.
pub const NOBODY: Uuid = Uuid::from_u128(1);

/// Its reference, also where a statement's text needs it.
macro_rules! nobodys_reference {
    () => {
        "B-0000-0000"
    };
}

/// Its reference.
pub const NOBODYS_REFERENCE: &str = nobodys_reference!();

/// That a row is a borrower of whom anything may be asked: nobody can neither be lent to nor renamed, searched, listed or
/// counted. Every look-up and list of borrowers holds it; a loan that names nobody is still shown.
pub(crate) const SOMEBODY: &str = concat!("reference <> '", nobodys_reference!(), "'");

const SELECT: &str = "SELECT id, reference, kind, institution_name, site_id, level, left_site_day, created_at, \
     identity_erased_at FROM borrower";

/// Records a borrower. A reference or a natural key that another has is a database error naming the column.
pub async fn insert(tx: &mut Tx, borrower: &Borrower, natural_key_hash: Option<&[u8]>) -> Result<(), StoreError> {
    let sql = "INSERT INTO borrower (id, reference, kind, institution_name, site_id, level, natural_key_hash, \
               left_site_day, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(borrower.id)
            .bind(borrower.reference.as_str())
            .bind(borrower.kind.as_str())
            .bind(borrower.institution_name.as_deref())
            .bind(borrower.site)
            .bind(borrower.level.map(Level::as_str))
            .bind(natural_key_hash)
            .bind(borrower.left_site_day)
            .bind(borrower.created_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The borrower with that id, if it belongs to `scope`. Nobody ([`NOBODY`]) is not found.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<Borrower>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1 AND {SOMEBODY}"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(raw.site_id)).map(Raw::read).transpose()
}

/// The borrower with that reference, if it belongs to `scope`. Nobody ([`NOBODY`]) is not found.
pub async fn find_by_reference(
    tx: &mut Tx,
    scope: &Scope,
    reference: &Reference,
) -> Result<Option<Borrower>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE reference = $1 AND {SOMEBODY}"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(reference.as_str()).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(raw.site_id)).map(Raw::read).transpose()
}

/// Stores who a borrower is, sealed; replaces what was there.
pub async fn put_identity(tx: &mut Tx, id: Uuid, sealed: &str, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO borrower_identity (borrower_id, sealed, updated_at) VALUES ($1, $2, $3) \
               ON CONFLICT (borrower_id) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(sealed).bind(now.get()).execute(c).await.map(drop))?;
    let sql = "UPDATE borrower SET identity_erased_at = NULL WHERE id = $1 AND identity_erased_at IS NOT NULL";
    on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

/// Who a borrower of `scope` is, sealed. The caller writes down the reading in the same unit of work.
pub async fn sealed_identity(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<String>, StoreError> {
    if find(tx, scope, id).await?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT sealed FROM borrower_identity WHERE borrower_id = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?)
}

/// Forgets who a borrower is, and what would lead to the person beside the reference: the class level, the day of
/// departure, the hash of the school's number, drawn signatures, and why its needs came first. The reference and the loans
/// stay. False when nothing was known.
pub async fn erase_identity(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "DELETE FROM borrower_identity WHERE borrower_id = $1";
    let rows = on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    let signatures = loan_signature::erase_of_borrower(tx, id).await?;
    need::forget_borrower(tx, id).await?;
    // Somebody may never have been named, and have signed, or come from a list with the school's number.
    let sql = "SELECT count(*) FROM borrower WHERE id = $1 AND (natural_key_hash IS NOT NULL OR level IS NOT NULL \
               OR left_site_day IS NOT NULL)";
    let told: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_one(c).await)?;
    // The hash of the school's number would still recognise the person, and so may "Ulis" in a small collège.
    let sql = "UPDATE borrower SET identity_erased_at = $2, natural_key_hash = NULL, level = NULL, \
               left_site_day = NULL, last_loan_ended_at = NULL WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(drop))?;
    Ok(rows == 1 || signatures > 0 || told > 0)
}

/// Holds a borrower until this unit of work ends: two who change it at once see each other's change, and nothing is lent
/// to it between a look at its loans and what follows from it. On SQLite a unit of work that writes is alone already.
pub(crate) async fn hold(tx: &mut Tx, id: Uuid) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        let sql = "SELECT 1 FROM borrower WHERE id = $1 FOR UPDATE";
        sqlx::query(sql).bind(id).execute(&mut **connection).await?;
    }
    Ok(())
}

/// How many loans of a borrower are open, whatever their site; none begins before this unit of work ends.
pub async fn open_loans(tx: &mut Tx, id: Uuid) -> Result<i64, StoreError> {
    hold(tx, id).await?;
    let sql = "SELECT count(*) FROM loan WHERE borrower_id = $1 AND ended_at IS NULL";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_one(c).await)?)
}

/// Whether who a borrower is is known.
pub async fn is_identity_known(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM borrower_identity WHERE borrower_id = $1";
    let count: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_one(c).await)?;
    Ok(count > 0)
}

/// Writes a borrower's class level, an institution's name, and the day on which a person left the site.
pub async fn set_details(tx: &mut Tx, borrower: &Borrower) -> Result<(), StoreError> {
    let sql = "UPDATE borrower SET level = $2, institution_name = $3, left_site_day = $4 WHERE id = $1";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(borrower.id)
            .bind(borrower.level.map(Level::as_str))
            .bind(borrower.institution_name.as_deref())
            .bind(borrower.left_site_day)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The sealed identities of a site's borrowers, by reference, `limit` of them at most. The caller writes down the
/// reading in the same unit of work.
pub async fn sealed_identities(
    tx: &mut Tx,
    scope: &Scope,
    site: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Reference, String)>, StoreError> {
    if !scope.covers(Some(site)) {
        return Ok(Vec::new());
    }
    let sql = "SELECT b.id, b.reference, i.sealed FROM borrower b JOIN borrower_identity i ON i.borrower_id = b.id \
               WHERE b.site_id = $1 ORDER BY b.reference LIMIT $2";
    let rows: Vec<(Uuid, String, String)> = on!(tx, |c| sqlx::query_as(sql).bind(site).bind(limit).fetch_all(c).await)?;
    let read =
        |(id, reference, sealed): (Uuid, String, String)| Ok((id, parsed("borrower.reference", &reference)?, sealed));
    rows.into_iter().map(read).collect()
}

/// The sealed identities of those of `borrowers` that `scope` covers. The caller writes down the reading in the same
/// unit of work.
pub async fn sealed_identities_of(
    tx: &mut Tx,
    scope: &Scope,
    borrowers: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, String>, StoreError> {
    let sql = "SELECT b.id, b.site_id, i.sealed FROM {rows} JOIN borrower b ON b.id = r.id \
               JOIN borrower_identity i ON i.borrower_id = b.id";
    let rows: Vec<(Uuid, Option<Uuid>, String)> = Rows::of_ids(borrowers).fetch(tx, sql).await?;
    Ok(rows.into_iter().filter(|(_, site, _)| scope.covers(*site)).map(|(id, _, sealed)| (id, sealed)).collect())
}

/// One step of one of a borrower's loans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanStep {
    /// The loan.
    pub loan: Uuid,
    /// When.
    pub at: UtcMillis,
    /// Which step.
    pub kind: String,
    /// Who did it.
    pub actor: String,
}

/// Every step of a borrower's loans, oldest first.
pub async fn steps(tx: &mut Tx, id: Uuid) -> Result<Vec<LoanStep>, StoreError> {
    let sql = "SELECT e.loan_id, e.at, e.kind, e.actor FROM loan_event e JOIN loan l ON l.id = e.loan_id \
               WHERE l.borrower_id = $1 ORDER BY e.at, e.loan_id, e.number";
    let rows: Vec<(Uuid, i64, String, String)> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_all(c).await)?;
    let read = |(loan, at, kind, actor): (Uuid, i64, String, String)| {
        Ok(LoanStep { loan, at: moment("loan_event.at", at)?, kind, actor })
    };
    rows.into_iter().map(read).collect()
}
