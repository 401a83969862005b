//! The file of an import: taken in, sealed in pieces, found again.

use serde::{Deserialize, Serialize};
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
/// What headings and examples are sealed for.
const PREVIEW_SEALED_FOR: &str = "import_preview";
/// Examples of a column that are kept to be shown.
const SAMPLES: usize = 3;
/// Longest example in characters.
const SAMPLE_CHARS: usize = 40;

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

/// Does what takes a large file a second, beside the asynchronous work.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| LedgerError::Gone)?
}

/// What is shown of a file while its columns are chosen, kept apart so that nobody reads the whole file for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Its headings.
    pub headings: Vec<String>,
    /// Examples of each column, the first filled cells, cut.
    pub samples: Vec<Vec<String>>,
}

impl Preview {
    fn of(table: &Table) -> Self {
        let samples = |column: usize| {
            let cells = table.lines.iter().filter_map(|line| line.cells.get(column));
            let filled = cells.filter(|cell| !cell.trim().is_empty()).take(SAMPLES);
            filled.map(|cell| cell.chars().take(SAMPLE_CHARS).collect()).collect()
        };
        Self { headings: table.headings.clone(), samples: (0..table.headings.len()).map(samples).collect() }
    }
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
    let (id, own) = (Uuid::now_v7(), vault.clone());
    let sealed = beside(move || Sealed::of(&bytes, &own, id)).await?;
    let headings = &sealed.preview.headings;
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
        mapping: Mapping::guess(brought.kind, headings),
        total: sealed.rows,
        done: 0,
        counts: Counts::default(),
        failure: None,
        finished_at: None,
    };
    let mut tx = store.write().await?;
    if let Some(mapping) = import::remembered(&mut tx, brought.kind, &headings_hash(headings)).await?
        && mapping.columns.len() == headings.len()
    {
        import.mapping = mapping;
    }
    import::insert(&mut tx, &import, &sealed.hash, &sealed.hidden_preview).await?;
    for (number, part) in (0..).zip(&sealed.parts) {
        import::insert_part(&mut tx, id, number, part).await?;
    }
    tx.commit().await?;
    Ok(import)
}

/// A file that was read, and sealed.
struct Sealed {
    preview: Preview,
    rows: i64,
    hash: Vec<u8>,
    hidden_preview: String,
    parts: Vec<String>,
}

impl Sealed {
    fn of(bytes: &[u8], vault: &Vault, id: Uuid) -> Result<Self, LedgerError> {
        let table = read::table(bytes)?;
        let preview = Preview::of(&table);
        let json = serde_json::to_vec(&preview).map_err(|_| VaultError::Sealing)?;
        let parts = bytes.chunks(PART_BYTES).map(|part| vault.seal(SEALED_FOR, id, part));
        Ok(Self {
            rows: i64::try_from(table.lines.len()).unwrap_or(i64::MAX),
            hash: content_hash(bytes),
            hidden_preview: vault.seal(PREVIEW_SEALED_FOR, id, &json)?,
            parts: parts.collect::<Result<_, _>>()?,
            preview,
        })
    }
}

/// The file of an import, read again.
pub async fn find(store: &Store, vault: &Vault, id: Uuid) -> Result<Table, LedgerError> {
    let mut tx = store.read().await?;
    let parts = import::parts(&mut tx, id).await?;
    drop(tx);
    if parts.is_empty() {
        return Err(LedgerError::Gone);
    }
    let vault = vault.clone();
    beside(move || {
        let mut bytes = Vec::new();
        for (_, sealed) in parts {
            bytes.extend(vault.open(SEALED_FOR, id, &sealed)?);
        }
        Ok(read::table(&bytes)?)
    })
    .await
}

/// The headings and examples of an import's file. Of one that was brought before they were kept, they are read from it.
pub async fn preview(store: &Store, vault: &Vault, id: Uuid) -> Result<Preview, LedgerError> {
    let mut tx = store.read().await?;
    let sealed = import::preview(&mut tx, id).await?;
    drop(tx);
    let Some(sealed) = sealed else { return Ok(Preview::of(&find(store, vault, id).await?)) };
    let plain = vault.open(PREVIEW_SEALED_FOR, id, &sealed)?;
    Ok(serde_json::from_slice(&plain).map_err(|_| VaultError::Opening)?)
}

/// Remembers what the columns of a file like this one are taken for.
pub async fn remember(
    store: &Store,
    headings: &[String],
    kind: Kind,
    mapping: &Mapping,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    import::remember(&mut tx, kind, &headings_hash(headings), mapping, now).await?;
    tx.commit().await
}
