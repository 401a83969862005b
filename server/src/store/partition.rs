//! Months of history as tables of their own, on PostgreSQL: new ones made ahead, expired ones dropped whole.
//!
//! A row whose month has no table lies in the table's default partition: what agents with wrong clocks say of 1970 or
//! 9999 makes no tables. SQLite keeps each history in one table; there this module finds nothing to do.

use cartable_common::UtcMillis;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};

use super::{StoreError, Tx, erasure_gap, retention};
use crate::domain::month::Month;

/// Months made ahead, besides the current one: a server that stands still for two months loses no partition.
const AHEAD: usize = 2;
/// How long a change of partitions waits for those who read and write: they wait behind it. It is tried again later.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'";

/// A history that is kept by the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// What changed, by the moment the server learned of it.
    Change,
    /// Each day's figures, by the day.
    Daily,
}

impl History {
    /// Every history.
    pub const ALL: [Self; 2] = [Self::Change, Self::Daily];

    /// Its table.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Change => "health_change",
            Self::Daily => "health_daily",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Change => "received_at",
            Self::Daily => "day",
        }
    }

    fn start(self, month: Month) -> i64 {
        match self {
            Self::Change => month.first_millis(),
            Self::Daily => month.first_day(),
        }
    }

    /// The first month of which anything is kept.
    fn first_kept(self, now: UtcMillis) -> Month {
        match self {
            Self::Change => retention::first_month(now, retention::CHANGE_DAYS),
            Self::Daily => retention::first_month(now, retention::DAILY_DAYS),
        }
    }

    fn partition(self, month: Month) -> String {
        format!("{}_{month}", self.table())
    }
}

/// The months that must have a partition at `now`.
pub fn wanted(now: UtcMillis) -> impl Iterator<Item = Month> {
    std::iter::successors(Some(Month::of(now)), |month| Some(month.next())).take(AHEAD + 1)
}

/// Makes the partition of `month`, if there is none, and takes in what the default partition holds of it. Whether it
/// was made.
pub async fn ensure(tx: &mut Tx, history: History, month: Month) -> Result<bool, StoreError> {
    let Tx::Postgres(tx) = tx else { return Ok(false) };
    let name = history.partition(month);
    if exists(tx, &name).await? {
        return Ok(false);
    }
    let table = history.table();
    hold_writers(tx).await?;
    lock(tx, table, "SHARE UPDATE EXCLUSIVE").await?;
    lock(tx, &format!("{table}_default"), "ACCESS EXCLUSIVE").await?;
    if exists(tx, &name).await? {
        // Another process was faster.
        return Ok(false);
    }
    let column = history.column();
    let (from, to) = (history.start(month), history.start(month.next()));
    for sql in [
        format!("CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"),
        format!(
            "WITH moved AS (DELETE FROM {table}_default WHERE {column} >= {from} AND {column} < {to} RETURNING *) \
             INSERT INTO {name} SELECT * FROM moved"
        ),
        format!("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to})"),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut **tx).await?;
    }
    Ok(true)
}

/// The partitions of `history` whose months are over for good at `now`, oldest first.
pub async fn expired(tx: &mut Tx, history: History, now: UtcMillis) -> Result<Vec<Month>, StoreError> {
    let Tx::Postgres(tx) = tx else { return Ok(Vec::new()) };
    let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
               WHERE i.inhparent = $1::regclass ORDER BY c.relname";
    let names: Vec<String> = sqlx::query_scalar(sql).bind(history.table()).fetch_all(&mut **tx).await?;
    let first_kept = history.first_kept(now);
    let month = |name: &String| name.strip_prefix(history.table())?.strip_prefix('_')?.parse::<Month>().ok();
    Ok(names.iter().filter_map(month).filter(|month| *month < first_kept).collect())
}

/// Drops the partition of `month` whole; how many rows it held, if it was there. The drives that it alone knows of are
/// kept.
pub async fn drop_month(unit: &mut Tx, history: History, month: Month) -> Result<Option<u64>, StoreError> {
    let Tx::Postgres(tx) = &mut *unit else { return Ok(None) };
    let name = history.partition(month);
    hold_writers(tx).await?;
    lock(tx, history.table(), "ACCESS EXCLUSIVE").await?;
    if !exists(tx, &name).await? {
        return Ok(None);
    }
    let held: i64 =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}"))).fetch_one(&mut **tx).await?;
    if history == History::Change {
        erasure_gap::keep_history(unit, None, history.start(month.next())).await?;
    }
    let Tx::Postgres(tx) = unit else { return Ok(None) };
    sqlx::query(AssertSqlSafe(format!("DROP TABLE {name}"))).execute(&mut **tx).await?;
    Ok(Some(held.unsigned_abs()))
}

/// Holds back whoever is about to write to devices: all lock them first, then write history, then devices again. A
/// change of partitions needs both tables, so it must come before or after, never in between.
async fn hold_writers(tx: &mut Transaction<'static, Postgres>) -> Result<(), StoreError> {
    sqlx::query(LOCK_TIMEOUT).execute(&mut **tx).await?;
    lock(tx, "device", "EXCLUSIVE").await
}

async fn exists(connection: &mut PgConnection, table: &str) -> Result<bool, StoreError> {
    let sql = "SELECT to_regclass($1) IS NOT NULL";
    Ok(sqlx::query_scalar(sql).bind(table).fetch_one(connection).await?)
}

async fn lock(tx: &mut Transaction<'static, Postgres>, table: &str, mode: &str) -> Result<(), StoreError> {
    let sql = AssertSqlSafe(format!("LOCK TABLE ONLY {table} IN {mode} MODE"));
    sqlx::query(sql).execute(&mut **tx).await?;
    Ok(())
}
