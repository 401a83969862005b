//! Imports for tests: a file brought and begun as the console does it.

use cartable_server::{
    clock,
    domain::import::{Blanks, ImportState, Kind, OnError},
    exchange::{
        ledger::{self, Brought},
        run::{self, Begun},
    },
    pki::MasterKey,
    store::import,
    vault::Vault,
};
use uuid::Uuid;

use crate::stores::TestStore;

/// What seals the files.
#[must_use]
pub fn vault() -> Vault {
    Vault::new(&MasterKey::of([7; 32]))
}

/// Brings a file as `marie` and begins a pass, which writes or only checks.
pub async fn begun(
    test: &TestStore,
    kind: Kind,
    text: &str,
    (on_error, blanks): (OnError, Blanks),
    write: bool,
) -> anyhow::Result<Uuid> {
    let now = clock::now();
    let brought = Brought { kind, name: "liste.csv", by: "marie" };
    let import = ledger::take_in(&test.store, &vault(), &brought, text.as_bytes().to_vec(), now).await?;
    anyhow::ensure!(import.mapping.check(kind) == Ok(()), "{:?}", import.mapping);
    let state = if write { ImportState::Applying } else { ImportState::Checking };
    let asked = import::Asked { mapping: &import.mapping, blanks, on_error, state };
    let mut tx = test.store.write().await?;
    let begun = run::begin(&mut tx, &import, &asked, "marie", now).await?;
    anyhow::ensure!(begun == Begun::Yes, "{begun:?}");
    tx.commit().await?;
    Ok(import.id)
}
