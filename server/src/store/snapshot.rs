//! A copy of the whole database at one moment, made while the server goes on writing.

use std::path::Path;

use super::{Engine, Store, StoreError};

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Snapshot {
    /// The file holds everything that was committed before.
    Written,
    /// The database is no file of ours: PostgreSQL has its own tools.
    NotAFile,
}

impl Store {
    /// Writes the database as it is now to the new file `path`.
    pub async fn snapshot(&self, path: &Path) -> Result<Snapshot, StoreError> {
        match &self.engine {
            Engine::Sqlite { writer, .. } => {
                let target = path.to_str().ok_or_else(|| StoreError::Address { url: path.display().to_string() })?;
                sqlx::query("VACUUM INTO $1").bind(target).execute(writer).await?;
                Ok(Snapshot::Written)
            }
            Engine::Postgres(_) => Ok(Snapshot::NotAFile),
        }
    }
}
