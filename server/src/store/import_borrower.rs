//! Borrowers of an import: known ones read by reference or hashed number, outcomes written. Identities come and go
//! sealed: opening them is for whoever holds the key.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    borrower::SOMEBODY,
    rows::{Cell, Rows, Type},
    value::parsed,
};
use crate::domain::{
    borrower::{Identity, Level},
    import::borrower::KnownBorrower,
};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    reference: String,
    kind: String,
    institution_name: Option<String>,
    site_id: Option<Uuid>,
    level: Option<String>,
    natural_key_hash: Option<Vec<u8>>,
    left_site_day: Option<i64>,
    sealed: Option<String>,
}

impl Raw {
    fn read(self) -> Result<(KnownBorrower, Option<String>), StoreError> {
        let borrower = KnownBorrower {
            id: self.id,
            reference: parsed("borrower.reference", &self.reference)?,
            kind: parsed("borrower.kind", &self.kind)?,
            institution_name: self.institution_name,
            site: self.site_id,
            level: self.level.map(|level| parsed("borrower.level", &level)).transpose()?,
            key: self.natural_key_hash,
            left_on: self.left_site_day,
            identity: Identity::default(),
        };
        Ok((borrower, self.sealed))
    }
}

/// The borrowers with one of these references or hashed numbers, each with its sealed identity.
pub async fn known<'a>(
    tx: &mut Tx,
    references: impl Iterator<Item = &'a str>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<(KnownBorrower, Option<String>)>, StoreError> {
    let select = "SELECT b.id, b.reference, b.kind, b.institution_name, b.site_id, b.level, b.natural_key_hash, \
                  b.left_site_day, i.sealed FROM {rows}";
    let identity = "LEFT JOIN borrower_identity i ON i.borrower_id = b.id";
    let mut by_reference = Rows::new([("key", Type::Text)]);
    references.for_each(|reference| by_reference.push([reference.into()]));
    let sql = format!("{select} JOIN borrower b ON b.reference = r.key AND b.{SOMEBODY} {identity}");
    let mut raw: Vec<Raw> = by_reference.fetch(tx, &sql).await?;
    let mut by_key = Rows::new([("key", Type::Bytes)]);
    keys.for_each(|key| by_key.push([Cell::Bytes(key.to_vec())]));
    let sql = format!("{select} JOIN borrower b ON b.natural_key_hash = r.key {identity}");
    raw.extend(by_key.fetch::<Raw>(tx, &sql).await?);
    raw.sort_by_key(|one| one.id);
    raw.dedup_by_key(|one| one.id);
    raw.into_iter().map(Raw::read).collect()
}

/// What a borrower becomes.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// As it will be.
    pub after: &'a KnownBorrower,
    /// Whether it was recorded before.
    pub is_new: bool,
    /// Who it is, sealed; absent when that does not change.
    pub sealed: Option<String>,
}

/// Writes new and changed borrowers.
pub async fn write(tx: &mut Tx, borrowers: &[Written<'_>], now: UtcMillis) -> Result<(), StoreError> {
    let (mut new, mut changed) = (columns(), columns());
    let mut identities = Rows::new([("id", Type::Uuid), ("sealed", Type::Text), ("at", Type::Int)]);
    for written in borrowers {
        let after = written.after;
        let row = [
            after.id.into(),
            after.reference.as_str().into(),
            after.kind.as_str().into(),
            after.institution_name.clone().into(),
            after.site.into(),
            after.level.map(Level::as_str).into(),
            after.key.clone().into(),
            after.left_on.into(),
            now.get().into(),
        ];
        if written.is_new {
            new.push(row);
        } else {
            changed.push(row);
        }
        if let Some(sealed) = &written.sealed {
            identities.push([after.id.into(), sealed.as_str().into(), now.get().into()]);
        }
    }
    let sql = "INSERT INTO borrower (id, reference, kind, institution_name, site_id, level, natural_key_hash, \
               left_site_day, created_at) SELECT id, reference, kind, institution_name, site_id, level, key, left_on, \
               at FROM {rows}";
    new.execute(tx, sql).await?;
    let sql = "UPDATE borrower SET institution_name = r.institution_name, site_id = r.site_id, level = r.level, \
               natural_key_hash = r.key, left_site_day = r.left_on FROM {rows} WHERE borrower.id = r.id";
    changed.execute(tx, sql).await?;
    let sql = "INSERT INTO borrower_identity (borrower_id, sealed, updated_at) SELECT id, sealed, at FROM {rows} \
               WHERE true ON CONFLICT (borrower_id) DO UPDATE SET sealed = excluded.sealed, \
               updated_at = excluded.updated_at";
    identities.execute(tx, sql).await?;
    let sql = "UPDATE borrower SET identity_erased_at = NULL FROM {rows} \
               WHERE borrower.id = r.id AND borrower.identity_erased_at IS NOT NULL";
    identities.execute(tx, sql).await?;
    Ok(())
}

const fn columns() -> Rows<9> {
    Rows::new([
        ("id", Type::Uuid),
        ("reference", Type::Text),
        ("kind", Type::Text),
        ("institution_name", Type::Text),
        ("site_id", Type::Uuid),
        ("level", Type::Text),
        ("key", Type::Bytes),
        ("left_on", Type::Int),
        ("at", Type::Int),
    ])
}
