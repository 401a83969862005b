//! Looks into a database beside the store, to check what is really there, and plants what only another program could.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

/// A connection of the test's own.
#[derive(Debug)]
pub enum Raw {
    /// To SQLite.
    Sqlite(SqliteConnection),
    /// To PostgreSQL.
    Postgres(PgConnection),
}

impl Raw {
    /// Connects to the database at `url`.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        Ok(if url.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(url).await?)
        } else {
            Self::Postgres(PgConnection::connect(url).await?)
        })
    }

    /// Runs statements.
    pub async fn execute(&mut self, sql: &str) -> anyhow::Result<()> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connection) => sql.execute(connection).await.map(drop)?,
            Self::Postgres(connection) => sql.execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// The one number that `sql` selects.
    pub async fn number(&mut self, sql: &str) -> anyhow::Result<i64> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        })
    }

    /// The texts that `sql` selects in its one column.
    pub async fn texts(&mut self, sql: &str) -> anyhow::Result<Vec<String>> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_all(connection).await?,
        })
    }

    /// `id` as a literal in SQL.
    pub fn uuid(&self, id: Uuid) -> String {
        match self {
            Self::Sqlite(_) => format!("X'{}'", id.simple()),
            Self::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    /// `bytes` as a literal in SQL.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let digits = data_encoding::HEXLOWER.encode(bytes);
        match self {
            Self::Sqlite(_) => format!("X'{digits}'"),
            Self::Postgres(_) => format!("'\\x{digits}'::bytea"),
        }
    }
}
