//! A chunk of sites: compared with those that its codes name, and written.

use uuid::Uuid;

use super::{ChunkFailed, Pass, Row, Write, decide, good, reports, written};
use crate::{
    domain::import::site::SiteRecord,
    store::{Tx, import::RowReport, import_site},
};

pub(super) async fn work(
    tx: &mut Tx,
    pass: &mut Pass<'_>,
    rows: &[Row<SiteRecord>],
) -> Result<Vec<RowReport>, ChunkFailed> {
    let known = import_site::known(tx, good(rows).map(|one| one.uai.as_str())).await?;
    let outcomes = decide(rows, |one| one.decide(&known, Uuid::now_v7()));
    if pass.write == Write::Yes {
        import_site::write(tx, &written(&outcomes).collect::<Vec<_>>(), pass.now).await?;
    }
    Ok(reports(&outcomes))
}
