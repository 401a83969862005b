//! Needs of an import: known ones read by their ids and keys, outcomes written.

use std::collections::{BTreeSet, HashMap};

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    borrower::SOMEBODY,
    need::reasons,
    rows::{Cell, Rows, Type},
    value::{parsed, to_json},
};
use crate::domain::{
    borrower::Level,
    import::need::{KnownNeed, NeedBorrower},
};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    natural_key_hash: Option<Vec<u8>>,
    site_id: Uuid,
    programme_id: Uuid,
    level: Option<String>,
    reasons: String,
    borrower_id: Option<Uuid>,
    state: String,
}

impl Raw {
    fn read(self) -> Result<KnownNeed, StoreError> {
        Ok(KnownNeed {
            id: self.id,
            key: self.natural_key_hash,
            site: self.site_id,
            programme: self.programme_id,
            level: self.level.map(|level| parsed("need.level", &level)).transpose()?,
            reasons: reasons(&self.reasons)?,
            borrower: self.borrower_id,
            open: self.state == "open",
        })
    }
}

const COLUMNS: &str = "SELECT n.id, n.natural_key_hash, n.site_id, n.programme_id, n.level, n.reasons, n.borrower_id, \
     n.state FROM {rows} JOIN need n";

/// The needs with one of these ids or keys, each once.
pub async fn known<'a>(
    tx: &mut Tx,
    ids: impl Iterator<Item = Uuid>,
    keys: impl Iterator<Item = &'a [u8; 32]>,
) -> Result<Vec<KnownNeed>, StoreError> {
    let ids = Rows::of_ids(ids.collect::<BTreeSet<_>>());
    let mut found: Vec<Raw> = ids.fetch(tx, &format!("{COLUMNS} ON n.id = r.id")).await?;
    let mut rows = Rows::new([("key", Type::Bytes)]);
    keys.collect::<BTreeSet<_>>().into_iter().for_each(|key| rows.push([Cell::Bytes(key.to_vec())]));
    let keyed: Vec<Raw> = rows.fetch(tx, &format!("{COLUMNS} ON n.natural_key_hash = r.key")).await?;
    found.extend(keyed);
    let mut seen = BTreeSet::new();
    found.retain(|need| seen.insert(need.id));
    found.into_iter().map(Raw::read).collect()
}

#[derive(sqlx::FromRow)]
struct RawBorrower<K> {
    key: K,
    id: Uuid,
    site_id: Option<Uuid>,
    level: Option<String>,
}

impl<K> RawBorrower<K> {
    fn read(self) -> Result<(K, NeedBorrower), StoreError> {
        let level: Option<Level> = self.level.map(|level| parsed("borrower.level", &level)).transpose()?;
        Ok((self.key, NeedBorrower { id: self.id, site: self.site_id, level }))
    }
}

/// Borrowers by reference, and by hashed number.
pub async fn borrowers<'a>(
    tx: &mut Tx,
    references: impl Iterator<Item = &'a str>,
    numbers: impl Iterator<Item = &'a [u8]>,
) -> Result<(HashMap<String, NeedBorrower>, HashMap<Vec<u8>, NeedBorrower>), StoreError> {
    let mut rows = Rows::new([("key", Type::Text)]);
    references.collect::<BTreeSet<_>>().into_iter().for_each(|reference| rows.push([reference.into()]));
    let sql = format!(
        "SELECT r.key, b.id, b.site_id, b.level FROM {{rows}} JOIN borrower b ON b.reference = r.key AND b.{SOMEBODY}"
    );
    let by_reference: Vec<RawBorrower<String>> = rows.fetch(tx, &sql).await?;
    let mut rows = Rows::new([("key", Type::Bytes)]);
    numbers.collect::<BTreeSet<_>>().into_iter().for_each(|number| rows.push([Cell::Bytes(number.to_vec())]));
    let sql = "SELECT r.key, b.id, b.site_id, b.level FROM {rows} JOIN borrower b ON b.natural_key_hash = r.key";
    let by_number: Vec<RawBorrower<Vec<u8>>> = rows.fetch(tx, sql).await?;
    Ok((
        by_reference.into_iter().map(RawBorrower::read).collect::<Result<_, _>>()?,
        by_number.into_iter().map(RawBorrower::read).collect::<Result<_, _>>()?,
    ))
}

/// Writes new needs, and changed ones that still wait.
pub async fn write(tx: &mut Tx, needs: &[(bool, &KnownNeed)], by: &str, now: UtcMillis) -> Result<(), StoreError> {
    let (mut new, mut changed) = (columns(), columns());
    for (is_new, need) in needs {
        let row = [
            need.id.into(),
            need.key.clone().into(),
            need.site.into(),
            need.programme.into(),
            need.level.map(Level::as_str).into(),
            to_json("need.reasons", &need.reasons.codes())?.into(),
            need.borrower.into(),
            by.into(),
            now.get().into(),
        ];
        if *is_new { new.push(row) } else { changed.push(row) }
    }
    let sql = "INSERT INTO need (id, natural_key_hash, site_id, programme_id, level, reasons, borrower_id, state, \
               entered_by, entered_at) SELECT r.id, r.key, r.site_id, r.programme_id, r.level, r.reasons, \
               r.borrower_id, 'open', r.entered_by, r.entered_at FROM {rows}";
    new.execute(tx, sql).await?;
    let sql = "UPDATE need SET site_id = r.site_id, programme_id = r.programme_id, level = r.level, \
               reasons = r.reasons, borrower_id = r.borrower_id FROM {rows} WHERE need.id = r.id AND need.state = 'open'";
    changed.execute(tx, sql).await?;
    Ok(())
}

const fn columns() -> Rows<9> {
    Rows::new([
        ("id", Type::Uuid),
        ("key", Type::Bytes),
        ("site_id", Type::Uuid),
        ("programme_id", Type::Uuid),
        ("level", Type::Text),
        ("reasons", Type::Text),
        ("borrower_id", Type::Uuid),
        ("entered_by", Type::Text),
        ("entered_at", Type::Int),
    ])
}
