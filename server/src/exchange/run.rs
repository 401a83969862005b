//! Runs imports: a pass over the file, chunk by chunk. What a chunk does and how far the pass has come is one unit of
//! work, so a process that dies loses the chunk under way and nothing else; the next one goes on behind it.
//!
//! All-or-nothing first looks at every row without writing; only a file without a bad row is then written, in one unit
//! of work.

use std::collections::HashSet;

use cartable_common::UtcMillis;
use serde_json::json;
use uuid::Uuid;

use super::{
    ledger::{self, LedgerError},
    limits::{CHUNK_ROWS, MAX_WHOLE_ROWS},
    records::{ChunkFailed, Pass, Records, Write},
};
use crate::{
    clock,
    domain::import::{Counts, ImportState, OnError, OutcomeName},
    store::{
        Store, StoreError, Tx,
        audit::{self, NewAudit},
        import::{self, Import, Progress},
    },
    vault::Vault,
};

/// How long a process is believed to be alive after its last chunk.
const HOLD_MILLIS: i64 = 30_000;
/// The same while a whole file is written in one unit of work.
const LONG_HOLD_MILLIS: i64 = 10 * 60_000;

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A chunk.
    #[error(transparent)]
    Chunk(#[from] ChunkFailed),
    /// Another process works on it, or it is not to be worked on.
    #[error("another process works on this import, or it has ended")]
    NotOurs,
}

/// Who runs imports, with what.
#[derive(Clone, Debug)]
pub struct Runner {
    store: Store,
    vault: Vault,
    holder: Uuid,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoOn {
    /// Yes.
    Yes,
    /// No: the process is about to end. The import goes on later.
    No,
}

impl Runner {
    /// A runner of this process.
    #[must_use]
    pub fn new(store: Store, vault: Vault) -> Self {
        Self { store, vault, holder: Uuid::new_v4() }
    }

    /// Works on an import until its pass has ended. `told` hears of each committed chunk.
    pub async fn run(&self, id: Uuid, mut told: impl FnMut(&Import) -> GoOn + Send) -> Result<Import, RunError> {
        let now = clock::now();
        let mut tx = self.store.write().await?;
        let mine = import::take(&mut tx, id, self.holder, now, now.plus_millis(HOLD_MILLIS)).await?;
        let import = import::find(&mut tx, id).await?.filter(|_| mine).ok_or(RunError::NotOurs)?;
        tx.commit().await?;
        match self.pass(import.clone(), &mut told).await {
            Ok(import) => Ok(import),
            Err(RunError::NotOurs) => Err(RunError::NotOurs),
            Err(error) if worth_trying_again(&error) => Err(error),
            Err(error) => {
                // What would fail again and again ends here, with its reason for the log's readers.
                self.end(&import, ImportState::Failed, Some(&error.to_string())).await?;
                Err(error)
            }
        }
    }

    /// Gives an import back early, for another process to go on with.
    pub async fn release(&self, id: Uuid) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        import::release(&mut tx, id, self.holder).await?;
        tx.commit().await
    }

    async fn pass(
        &self,
        mut import: Import,
        told: &mut (impl FnMut(&Import) -> GoOn + Send),
    ) -> Result<Import, RunError> {
        let table = ledger::find(&self.store, &self.vault, import.id).await?;
        let (kind, mapping, blanks) = (import.kind, import.mapping.clone(), import.blanks);
        // The same moment for the same pass, whenever it goes on: a row stays good or bad.
        let moment = import.created_at;
        let read = tokio::task::spawn_blocking(move || Records::read(kind, &table, &mapping, blanks, moment)).await;
        let records = read.map_err(|_| LedgerError::Gone)?;
        let writes = import.state == ImportState::Applying && import.on_error == OnError::Skip;
        let write = if writes { Write::Yes } else { Write::No };
        if !self.chunks(&mut import, &records, write, told).await? {
            return Ok(import);
        }
        let state = match (import.state, import.on_error) {
            (ImportState::Checking, _) => ImportState::Checked,
            (_, OnError::Skip) => ImportState::Done,
            (_, OnError::Stop) if import.counts.bad > 0 => ImportState::Refused,
            (_, OnError::Stop) => return self.all_at_once(import, &records).await,
        };
        self.end(&import, state, None).await
    }

    /// Things that the rows before `import.done` are about, as an interrupted pass knew them: a later row about one of
    /// them is refused, whoever goes on.
    async fn replayed(&self, import: &Import, records: &Records) -> Result<HashSet<Uuid>, RunError> {
        let done = usize::try_from(import.done).unwrap_or(usize::MAX).min(records.len());
        let mut touched = HashSet::new();
        if done == records.len() {
            return Ok(touched);
        }
        for from in (0..done).step_by(CHUNK_ROWS) {
            let now = clock::now();
            let actor = &import.created_by;
            let mut tx = self.store.write().await?;
            let mut pass = Pass { vault: &self.vault, write: Write::No, actor, now, touched };
            records.work(&mut tx, &mut pass, from, done.min(from + CHUNK_ROWS)).await?;
            touched = pass.touched;
            // Nothing is written but that this process is alive.
            self.advance(&mut tx, import, now).await?;
            tx.commit().await?;
        }
        Ok(touched)
    }

    /// Works on what is left, a unit of work for each chunk; whether it came to the end.
    async fn chunks(
        &self,
        import: &mut Import,
        records: &Records,
        write: Write,
        told: &mut (impl FnMut(&Import) -> GoOn + Send),
    ) -> Result<bool, RunError> {
        let mut touched = self.replayed(import, records).await?;
        loop {
            let from = usize::try_from(import.done).unwrap_or(usize::MAX).min(records.len());
            if from == records.len() {
                return Ok(true);
            }
            let to = records.len().min(from + CHUNK_ROWS);
            let now = clock::now();
            let mut tx = self.store.write().await?;
            let actor = import.created_by.clone();
            let mut pass =
                Pass { vault: &self.vault, write, actor: &actor, now, touched: std::mem::take(&mut touched) };
            let reports = records.work(&mut tx, &mut pass, from, to).await?;
            touched = pass.touched;
            for report in &reports {
                import.counts.add(report.outcome);
            }
            import.done = i64::try_from(to).unwrap_or(i64::MAX);
            import::put_rows(&mut tx, import.id, &reports).await?;
            self.advance(&mut tx, import, now).await?;
            tx.commit().await?;
            if told(import) == GoOn::No {
                return Ok(false);
            }
        }
    }

    async fn advance(&self, tx: &mut Tx, import: &Import, now: UtcMillis) -> Result<(), RunError> {
        let progress = Progress { done: import.done, counts: import.counts };
        let until = now.plus_millis(HOLD_MILLIS);
        let still = import::advance(tx, import.id, self.holder, progress, until).await?;
        if still { Ok(()) } else { Err(RunError::NotOurs) }
    }

    /// Writes a file without a bad row in one unit of work, its devices held in one order. What has become bad since it
    /// was looked at stops it.
    async fn all_at_once(&self, mut import: Import, records: &Records) -> Result<Import, RunError> {
        let now = clock::now();
        let actor = import.created_by.clone();
        self.hold(&import, now).await?;
        let mut tx = self.store.write().await?;
        let mut pass = Pass { vault: &self.vault, write: Write::Yes, actor: &actor, now, touched: HashSet::new() };
        let mut counts = Counts::default();
        let reports = records.work(&mut tx, &mut pass, 0, records.len()).await?;
        for report in &reports {
            counts.add(report.outcome);
        }
        let bad: Vec<_> = reports.into_iter().filter(|report| report.outcome == OutcomeName::Bad).collect();
        import.counts = if bad.is_empty() { counts } else { Counts { bad: counts.bad, ..import.counts } };
        if !bad.is_empty() {
            drop(tx);
            let mut tx = self.store.write().await?;
            import::put_rows(&mut tx, import.id, &bad).await?;
            self.advance(&mut tx, &import, now).await?;
            tx.commit().await?;
            return self.end(&import, ImportState::Refused, None).await;
        }
        self.advance(&mut tx, &import, now).await?;
        self.finish(&mut tx, &import, (ImportState::Done, None), now).await?;
        tx.commit().await?;
        Ok(Import { state: ImportState::Done, finished_at: Some(now), ..import })
    }

    /// Holds the import for long: the one unit of work says nothing until it ends.
    async fn hold(&self, import: &Import, now: UtcMillis) -> Result<(), RunError> {
        let mut tx = self.store.write().await?;
        let mine = import::take(&mut tx, import.id, self.holder, now, now.plus_millis(LONG_HOLD_MILLIS)).await?;
        tx.commit().await?;
        if mine { Ok(()) } else { Err(RunError::NotOurs) }
    }

    async fn end(&self, import: &Import, state: ImportState, failure: Option<&str>) -> Result<Import, RunError> {
        let now = clock::now();
        let mut tx = self.store.write().await?;
        self.finish(&mut tx, import, (state, failure), now).await?;
        tx.commit().await?;
        Ok(Import { state, failure: failure.map(str::to_owned), finished_at: Some(now), ..import.clone() })
    }

    /// Ends a pass that is still this process's, and writes down what it did; a check did nothing.
    async fn finish(
        &self,
        tx: &mut Tx,
        import: &Import,
        (state, failure): (ImportState, Option<&str>),
        now: UtcMillis,
    ) -> Result<(), RunError> {
        if !import::finish(tx, import.id, self.holder, (state, failure), now).await? {
            return Err(RunError::NotOurs);
        }
        if import.state == ImportState::Applying {
            let counts = import.counts;
            let details = json!({
                "kind": import.kind.as_str(), "state": state.as_str(), "on_error": import.on_error.as_str(),
                "blanks": import.blanks.as_str(), "rows": import.total, "new": counts.new, "changed": counts.changed,
                "same": counts.same, "bad": counts.bad,
            });
            let object_id = import.id.to_string();
            let actor = import.created_by.as_str();
            let entry = NewAudit { actor, action: "import.end", object_kind: "import", object_id: &object_id, details };
            audit::append(tx, entry, now).await?;
        }
        Ok(())
    }

    /// Ends an import of this process as failed, because its pass panicked; it would panic again.
    pub async fn broke(&self, id: Uuid) -> Result<(), RunError> {
        let mut tx = self.store.read().await?;
        let import = import::find(&mut tx, id).await?.ok_or(RunError::NotOurs)?;
        drop(tx);
        self.end(&import, ImportState::Failed, Some("a fault of this program: see its log")).await.map(drop)
    }
}

/// Whether the same pass may come to its end when it goes on later.
fn worth_trying_again(error: &RunError) -> bool {
    match error {
        RunError::Store(error)
        | RunError::Chunk(ChunkFailed::Store(error))
        | RunError::Ledger(LedgerError::Store(error)) => error.is_unavailable(),
        RunError::Ledger(_) | RunError::Chunk(_) => false,
        RunError::NotOurs => true,
    }
}

/// Whether a pass could begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It waits for a process.
    Yes,
    /// A process works on the import just now, or it was written.
    Busy,
    /// It has more than [`MAX_WHOLE_ROWS`] rows and is to be written all or nothing.
    TooLong,
}

/// Whether a file of so many rows may be written all or nothing.
#[must_use]
pub fn may_be_whole(rows: i64) -> bool {
    usize::try_from(rows).is_ok_and(|rows| rows <= MAX_WHOLE_ROWS)
}

/// Begins a pass over an import, in a unit of work with its audit row where it will write.
pub async fn begin(
    tx: &mut Tx,
    import: &Import,
    asked: &import::Asked<'_>,
    by: &str,
    now: UtcMillis,
) -> Result<Begun, StoreError> {
    if asked.state == ImportState::Applying && asked.on_error == OnError::Stop && !may_be_whole(import.total) {
        return Ok(Begun::TooLong);
    }
    if !import::start(tx, import.id, asked, now).await? {
        return Ok(Begun::Busy);
    }
    if asked.state == ImportState::Applying {
        let details = json!({
            "kind": import.kind.as_str(), "rows": import.total, "on_error": asked.on_error.as_str(),
            "blanks": asked.blanks.as_str(),
        });
        let object_id = import.id.to_string();
        let entry =
            NewAudit { actor: by, action: "import.begin", object_kind: "import", object_id: &object_id, details };
        audit::append(tx, entry, now).await?;
    }
    Ok(Begun::Yes)
}
