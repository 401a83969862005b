//! The file of an import: taken in, sealed in pieces, found again.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::read::{self, Table, Unreadable};
use crate::{
    domain::import::{
        Blanks, Counts, ImportState, Kind, OnError,
        mapping::{Mapping, signature},
    },
    store::{
        Store, StoreError,
        import::{self, Import},
    },
    vault::{Vault, VaultError},
};
use cartable_common::UtcMillis;

/// Bytes of the file in one sealed piece.
const PART_BYTES: usize = 1 << 20;
/// Longest name of a file, in characters.
const MAX_NAME_CHARS: usize = 120;
/// What pieces are sealed for.
const SEALED_FOR: &str = "import";

/// Why a file could not be taken in or found again.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// It was deleted, or the task that reads it ended.
    #[error("the file of this import is no longer kept: send it again")]
    Gone,
}

/// The hash that the same file is recognised by.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

fn headings_hash(headings: &[String]) -> Vec<u8> {
    Sha256::digest(signature(headings).as_bytes()).to_vec()
}

/// Reads `bytes` beside the asynchronous work: a large workbook takes a second.
pub async fn table(bytes: Vec<u8>) -> Result<(Table, Vec<u8>), LedgerError> {
    let read = tokio::task::spawn_blocking(move || read::table(&bytes).map(|table| (table, bytes))).await;
    Ok(read.map_err(|_| LedgerError::Gone)??)
}

/// A file that somebody brings.
#[derive(Clone, Debug)]
pub struct Brought<'a> {
    /// What it lists.
    pub kind: Kind,
    /// What it is called.
    pub name: &'a str,
    /// Who brings it.
    pub by: &'a str,
}

/// Takes a file in: its columns are guessed, or taken as they were the last time, and it is kept sealed.
pub async fn take_in(
    store: &Store,
    vault: &Vault,
    brought: &Brought<'_>,
    bytes: Vec<u8>,
    now: UtcMillis,
) -> Result<Import, LedgerError> {
    let (table, bytes) = table(bytes).await?;
    let id = Uuid::now_v7();
    let name: String = brought.name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    let mut import = Import {
        id,
        kind: brought.kind,
        file_name: name,
        created_by: brought.by.to_owned(),
        created_at: now,
        state: ImportState::Mapping,
        on_error: OnError::Stop,
        blanks: Blanks::Keep,
        mapping: Mapping::guess(brought.kind, &table.headings),
        total: i64::try_from(table.lines.len()).unwrap_or(i64::MAX),
        done: 0,
        counts: Counts::default(),
        failure: None,
        finished_at: None,
    };
    let sealed: Result<Vec<String>, VaultError> =
        bytes.chunks(PART_BYTES).map(|part| vault.seal(SEALED_FOR, id, part)).collect();
    let sealed = sealed?;
    let mut tx = store.write().await?;
    if let Some(mapping) = import::remembered(&mut tx, brought.kind, &headings_hash(&table.headings)).await?
        && mapping.columns.len() == table.headings.len()
    {
        import.mapping = mapping;
    }
    import::insert(&mut tx, &import, &content_hash(&bytes)).await?;
    for (number, part) in (0..).zip(&sealed) {
        import::insert_part(&mut tx, id, number, part).await?;
    }
    tx.commit().await?;
    Ok(import)
}

/// The file of an import, read again.
pub async fn find(store: &Store, vault: &Vault, id: Uuid) -> Result<Table, LedgerError> {
    let mut tx = store.read().await?;
    let parts = import::parts(&mut tx, id).await?;
    drop(tx);
    if parts.is_empty() {
        return Err(LedgerError::Gone);
    }
    let mut bytes = Vec::new();
    for (_, sealed) in parts {
        bytes.extend(vault.open(SEALED_FOR, id, &sealed)?);
    }
    Ok(table(bytes).await?.0)
}

/// Remembers what the columns of a file like this one are taken for.
pub async fn remember(
    store: &Store,
    table: &Table,
    kind: Kind,
    mapping: &Mapping,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    import::remember(&mut tx, kind, &headings_hash(&table.headings), mapping, now).await?;
    tx.commit().await
}
