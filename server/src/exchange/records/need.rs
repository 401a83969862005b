//! A chunk of needs: compared with those that its numbers and pupils name, and written.

use uuid::Uuid;

use super::{ChunkFailed, Pass, Row, Write, decide, good, keys, name_sites, reports, written};
use crate::{
    domain::{
        borrower::Reference,
        import::need::{KnownNeeds, Named, NeedRecord},
    },
    store::{Tx, import::RowReport, import_need, import_places},
};

pub(super) async fn work(
    tx: &mut Tx,
    pass: &mut Pass<'_>,
    rows: &[Row<NeedRecord>],
) -> Result<Vec<RowReport>, ChunkFailed> {
    let numbers = keys(pass.vault, good(rows).map(|one| one.school_number.as_ref()));
    let references = good(rows).filter_map(|one| one.reference.as_ref().map(Reference::as_str));
    let mut known = KnownNeeds {
        sites: import_places::sites(tx).await?,
        programmes: import_places::programmes(tx).await?,
        borrowers: import_need::borrowers(tx, references, numbers.values().map(<[u8; 32]>::as_slice)).await?,
        needs: Vec::new(),
    };
    let named = |one: &NeedRecord, known: &KnownNeeds| Named {
        need: one.key(known).map(|key| pass.vault.natural_key(&key)),
        pupil: one.school_number.as_ref().and_then(|number| numbers.get(number)).copied(),
    };
    let hashes: Vec<[u8; 32]> = good(rows).filter_map(|one| named(one, &known).need).collect();
    known.needs = import_need::known(tx, good(rows).filter_map(NeedRecord::id), hashes.iter()).await?;
    let named: Vec<Named> = good(rows).map(|one| named(one, &known)).collect();
    let mut named = named.into_iter();
    let mut outcomes = decide(rows, |one| {
        let named = named.next().unwrap_or_default();
        one.decide(&known, named, &mut pass.touched, Uuid::now_v7())
    });
    name_sites(&known.sites, &mut outcomes);
    if pass.write == Write::Yes {
        import_need::write(tx, &written(&outcomes).collect::<Vec<_>>(), pass.actor, pass.now).await?;
    }
    Ok(reports(&outcomes))
}
