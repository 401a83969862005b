//! A chunk of loans: compared with those of its devices, and written with their events.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{ChunkFailed, Pass, Row, Write, decide, good, keys, reports, written};
use crate::{
    domain::{
        borrower::Reference,
        import::{
            Outcome,
            loan::{KnownLoans, LoanRecord},
        },
    },
    store::{Tx, import::RowReport, import_loan, import_places},
};

pub(super) async fn work(
    tx: &mut Tx,
    pass: &mut Pass<'_>,
    rows: &[Row<LoanRecord>],
) -> Result<Vec<RowReport>, ChunkFailed> {
    let keys = keys(pass.vault, good(rows).map(|one| one.school_number.as_ref()));
    let serials: Vec<&str> = good(rows).filter_map(|one| one.serial.as_deref()).collect();
    let tags: Vec<&str> = good(rows).filter_map(|one| one.asset_tag.as_deref()).collect();
    let devices = match pass.write {
        Write::Yes => import_loan::held(tx, &serials, &tags).await?,
        Write::No => import_loan::devices(tx, serials.into_iter(), tags.into_iter()).await?,
    };
    let references = good(rows).filter_map(|one| one.reference.as_ref().map(Reference::as_str));
    let (by_reference, by_key) =
        import_loan::borrowers(tx, references, keys.values().map(<[u8; 32]>::as_slice)).await?;
    let ids: BTreeSet<Uuid> = devices.values().flatten().map(|device| device.id).collect();
    let mut loans: HashMap<Uuid, Vec<_>> = HashMap::new();
    for loan in import_loan::known(tx, ids).await? {
        loans.entry(loan.device).or_default().push(loan);
    }
    let mut known = KnownLoans {
        devices,
        by_reference,
        by_key,
        programmes: import_places::programmes(tx).await?,
        sites: import_places::sites(tx).await?,
        loans: Vec::new(),
    };
    let outcomes = decide(rows, |one| {
        let key = one.school_number.as_ref().and_then(|number| keys.get(number)).map(<[u8; 32]>::as_slice);
        let device = known.device_of(one);
        known.loans = device.and_then(|device| loans.remove(&device)).unwrap_or_default();
        let outcome = one.decide(&known, key, Uuid::now_v7());
        if let Some(device) = device {
            let mut kept = std::mem::take(&mut known.loans);
            if let Outcome::New(change) | Outcome::Changed(change, _) = &outcome {
                kept.retain(|loan| loan.id != change.loan.id);
                kept.push(change.loan.clone());
            }
            loans.insert(device, kept);
        }
        outcome
    });
    if pass.write == Write::Yes {
        import_loan::write(tx, &written(&outcomes).collect::<Vec<_>>(), pass.actor, pass.now).await?;
    }
    Ok(reports(&outcomes))
}
