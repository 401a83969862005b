//! What really lies in a database, read without the code under test.

use std::{collections::HashMap, fs, path::Path};

use anyhow::bail;
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

/// How often each (device, report) is stored.
pub async fn reports(url: &str) -> anyhow::Result<HashMap<(Uuid, Uuid), usize>> {
    const SQL: &str = "SELECT device_id, report_id FROM report";
    let rows: Vec<(Uuid, Uuid)> = if url.starts_with("sqlite:") {
        let mut connection = open_sqlite(url).await?;
        let rows = sqlx::query_as(SQL).fetch_all(&mut connection).await?;
        connection.close().await?;
        rows
    } else {
        let mut connection = PgConnection::connect(url).await?;
        let rows = sqlx::query_as(SQL).fetch_all(&mut connection).await?;
        connection.close().await?;
        rows
    };
    let mut counted = HashMap::new();
    for row in rows {
        *counted.entry(row).or_default() += 1;
    }
    Ok(counted)
}

/// Every file below `folder`, by its path: to look for what must be nowhere in it.
pub fn files(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push((path.display().to_string(), fs::read(&path)?));
        }
    }
    Ok(found)
}

/// How many rows `table` has. The name is the test's own, never input.
pub async fn count(url: &str, table: &str) -> anyhow::Result<i64> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    Ok(if url.starts_with("sqlite:") {
        let mut connection = open_sqlite(url).await?;
        sqlx::query_scalar(sql).fetch_one(&mut connection).await?
    } else {
        sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(url).await?).await?
    })
}

/// Fails where SQLite itself finds the file damaged; PostgreSQL has no such question.
pub async fn check_integrity(url: &str) -> anyhow::Result<()> {
    if url.starts_with("sqlite:") {
        let mut connection = open_sqlite(url).await?;
        let said: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await?;
        if said != "ok" {
            bail!("the database is damaged: {said}");
        }
    }
    Ok(())
}

async fn open_sqlite(url: &str) -> anyhow::Result<SqliteConnection> {
    Ok(SqliteConnection::connect_with(&url.parse::<SqliteConnectOptions>()?).await?)
}
