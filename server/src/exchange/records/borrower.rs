//! A chunk of borrowers: compared with those that its references and numbers name, and written with who they are sealed.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{ChunkFailed, Pass, Row, Write, decide, good, keys, name_sites, reports, written};
use crate::{
    domain::{
        borrower::{Identity, REFERENCE_BYTES, Reference},
        import::{
            borrower::{BorrowerRecord, KnownBorrowers},
            cells::Wanted,
        },
    },
    random,
    store::{Tx, import::RowReport, import_borrower, import_places},
};

pub(super) async fn work(
    tx: &mut Tx,
    pass: &mut Pass<'_>,
    rows: &[Row<BorrowerRecord>],
) -> Result<Vec<RowReport>, ChunkFailed> {
    let keys = keys(pass.vault, good(rows).map(|one| one.school_number.value()));
    let references = good(rows).filter_map(|one| one.reference.value().map(Reference::as_str));
    let found = import_borrower::known(tx, references, keys.values().map(<[u8; 32]>::as_slice)).await?;
    let mut known = KnownBorrowers::default();
    for (mut borrower, sealed) in found {
        if let Some(sealed) = sealed {
            borrower.identity = pass.vault.open_identity(borrower.id, &sealed)?;
        }
        known.borrowers.push(borrower);
    }
    if good(rows).any(|one| matches!(one.site, Wanted::Set(_))) {
        known.sites = import_places::sites(tx).await?;
    }
    let mut random = Vec::with_capacity(rows.len());
    for _ in rows {
        random.push(Reference::from_random(random::bytes::<REFERENCE_BYTES>()?));
    }
    let known_by = BorrowerIndex::of(&known);
    let mut outcomes = decide(rows, |one| {
        let key = one.school_number.value().and_then(|number| keys.get(number)).map(<[u8; 32]>::as_slice);
        let reference = random.pop().unwrap_or_else(|| Reference::from_random([0; REFERENCE_BYTES]));
        one.decide(&known_by.around(one, key), key, &mut pass.touched, (Uuid::now_v7(), reference))
    });
    name_sites(&known.sites, &mut outcomes);
    if pass.write == Write::Yes {
        let before: HashMap<Uuid, &Identity> = known.borrowers.iter().map(|one| (one.id, &one.identity)).collect();
        let mut changes = Vec::new();
        for (is_new, after) in written(&outcomes) {
            let said =
                before.get(&after.id).map_or(after.identity != Identity::default(), |was| **was != after.identity);
            let sealed = if said { Some(pass.vault.seal_identity(after.id, &after.identity)?) } else { None };
            changes.push(import_borrower::Written { after, is_new, sealed });
        }
        import_borrower::write(tx, &changes, pass.now).await?;
    }
    Ok(reports(&outcomes))
}

/// Known borrowers by their keys.
struct BorrowerIndex<'a> {
    known: &'a KnownBorrowers,
    by_reference: HashMap<&'a str, usize>,
    by_key: HashMap<&'a [u8], usize>,
}

impl<'a> BorrowerIndex<'a> {
    fn of(known: &'a KnownBorrowers) -> Self {
        let numbered = || known.borrowers.iter().enumerate();
        Self {
            known,
            by_reference: numbered().map(|(place, one)| (one.reference.as_str(), place)).collect(),
            by_key: numbered().filter_map(|(place, one)| one.key.as_deref().map(|key| (key, place))).collect(),
        }
    }

    fn around(&self, record: &BorrowerRecord, key: Option<&[u8]>) -> KnownBorrowers {
        let reference = record.reference.value().and_then(|reference| self.by_reference.get(reference.as_str()));
        let places: BTreeSet<usize> =
            reference.into_iter().chain(key.and_then(|key| self.by_key.get(key))).copied().collect();
        let site = record.site.value().and_then(|site| self.known.sites.get_key_value(site));
        KnownBorrowers {
            borrowers: places.into_iter().map(|place| self.known.borrowers[place].clone()).collect(),
            sites: site.map(|(key, id)| (key.clone(), *id)).into_iter().collect(),
        }
    }
}
