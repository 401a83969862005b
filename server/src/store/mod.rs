//! All SQL, one module per aggregate, once for SQLite and PostgreSQL.
//!
//! A [`Tx`] is the unit of work: what belongs together is written in one. The `on!` macro runs one
//! SQL text on whichever engine it is: `$1` parameters, `ON CONFLICT`, `RETURNING`; UUIDs, 64-bit integers, booleans
//! and text bind as native types. Where dialects differ, a `match` stands inside that one function.
//!
//! SQLite has a single writing connection (writers queue in this process, `BEGIN IMMEDIATE`) and several readers.

pub mod advice;
pub mod advice_list;
pub mod agent_package;
pub mod agent_publication;
pub mod allocation;
pub mod allocation_adjust;
pub mod allocation_approval;
pub mod allocation_line;
pub mod api_token;
pub mod approval;
pub mod approval_queue;
pub mod audit;
pub mod borrower;
pub mod borrower_entry;
pub mod borrower_list;
pub mod brought_report;
pub mod campaign;
pub mod campaign_count;
pub mod campaign_excuse;
pub mod campaign_letter;
pub mod campaign_list;
pub mod campaign_plan;
pub mod certificate;
pub mod cloned_key;
pub mod contact;
pub mod counter;
mod description;
pub mod detail;
pub mod device;
pub mod device_action;
pub mod device_action_bulk;
mod device_action_facts;
pub mod device_archive;
mod device_asked;
pub mod device_code;
pub mod device_correction;
pub mod device_entry;
pub mod device_list;
mod device_query;
pub mod device_record;
mod device_search;
pub mod document;
pub mod donation_approval;
pub mod donation_delivery;
mod donation_erasure;
pub mod donation_line;
pub mod donation_links;
pub mod donation_lot;
pub mod donation_recipient;
pub mod dossier;
mod dossier_rest;
mod drive_seen;
pub mod enrolment;
pub mod enrolment_token;
pub mod erasure;
pub mod erasure_certificate;
mod erasure_elsewhere;
pub mod erasure_entry;
pub mod erasure_file;
pub mod erasure_gap;
pub mod erasure_gate;
pub mod exam;
pub mod export;
mod failure;
pub mod figures;
pub mod flag;
pub mod flag_list;
pub mod forecast;
pub mod forecast_answer;
mod forecast_history;
pub mod foreign_agent;
pub mod forgetting;
pub mod health;
pub mod history;
pub mod import;
pub mod import_borrower;
pub mod import_device;
pub mod import_loan;
pub mod import_need;
pub mod import_places;
pub mod import_site;
pub mod ingest;
pub mod job_run;
pub mod judgement;
pub mod label;
pub mod lapse;
pub mod lease;
pub(crate) mod left_behind;
pub mod lending;
pub mod lending_bulk;
mod lending_facts;
mod lending_refused;
mod lending_return;
pub mod loan;
pub mod loan_due;
pub mod loan_event;
pub mod loan_list;
pub mod loan_signature;
pub mod lost_key;
pub mod message;
pub mod message_address;
pub mod message_attempt;
pub mod message_family;
pub mod message_list;
pub mod need;
pub mod need_change;
pub mod need_entry;
pub mod need_list;
pub mod newcomer;
pub mod notice;
pub mod notice_due;
pub mod overview;
pub mod page;
pub mod part;
pub mod partition;
pub mod person;
pub mod programme;
pub mod readmission;
pub mod recovery;
pub mod release;
mod report;
pub mod retention;
pub mod review;
mod rows;
pub mod school_closure;
pub mod session;
pub mod setting;
pub mod sign_in_attempt;
pub mod site;
pub mod site_referent;
pub mod snapshot;
pub mod sweep;
pub mod trust_bundle;
mod value;
pub mod webhook;
mod work_harvest;
pub mod work_inspection;
pub mod work_order;
pub mod work_order_act;
pub mod work_order_list;
mod work_order_refused;
pub mod work_photo;
mod work_wanting;

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// Runs one expression on the engine behind a [`Tx`]; `$c` is the connection in it.
///
/// `on!(tx, |c| sqlx::query("…").bind(x).execute(c).await)?`
macro_rules! on {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(transaction) => {
                let $c = &mut **transaction;
                $body
            }
            $crate::store::Tx::Postgres(transaction) => {
                let $c = &mut **transaction;
                $body
            }
        }
    };
}
pub(crate) use on;

mod clause;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Readers that SQLite serves at once: console pages are short, two cores answer them.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL per process: its default limit is 100 for all processes.
const POSTGRES_CONNECTIONS: u32 = 10;
/// How long a request waits for a connection before it is told that the store is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long SQLite waits for another process (a backup, an operator's command) to release its lock.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's address makes no sense.
    #[error("database address {url:?}: use sqlite:PATH or postgres://USER@HOST/NAME")]
    Address {
        /// What was given, without its password.
        url: String,
    },
    /// The database refused or could not be reached.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("database schema: {0}")]
    Migration(#[from] MigrateError),
    /// A stored value does not have the form that this version writes.
    #[error("stored {what} cannot be read: {why}")]
    Corrupt {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A unit of work. Dropped without [`commit`](Tx::commit), nothing of it happened.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Makes the unit of work durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`), creating the SQLite file and bringing the schema
    /// up to date. A schema newer than this program is refused.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url).await
        } else if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await
        } else {
            // What stands before an `@` may be a password.
            Err(StoreError::Address { url: url.rsplit('@').next().unwrap_or_default().to_owned() })
        }
    }

    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: an acknowledged report survives a power cut, not only a crash.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        SQLITE_MIGRATIONS.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Self { engine: Engine::Sqlite { writer, readers } })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // Whatever the server's default: acknowledged means that it survives a power cut.
            .connect_with(PgConnectOptions::from_str(url)?.options([("synchronous_commit", "on")]))
            .await?;
        POSTGRES_MIGRATIONS.run(&pool).await?;
        Ok(Self { engine: Engine::Postgres(pool) })
    }

    /// Begins a unit of work that writes.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match &self.engine {
            Engine::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Engine::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a unit of work that only reads, on one consistent state.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match &self.engine {
            Engine::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Engine::Postgres(pool) => {
                Tx::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        })
    }

    /// Closes all connections, after which the files may be copied or removed.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_opens_writes_and_reads() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", directory.path().join("t.db").display())).await.unwrap();
        let mut tx = store.write().await.unwrap();
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2)";
        on!(&mut tx, |c| sqlx::query(sql).bind("a").bind("b").execute(c).await.map(|_| ())).unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.read().await.unwrap();
        let value: String =
            on!(&mut tx, |c| sqlx::query_scalar("SELECT value FROM setting").fetch_one(c).await).unwrap();
        assert_eq!(value, "b");
        let id = uuid::Uuid::now_v7();
        let back: uuid::Uuid = on!(&mut tx, |c| sqlx::query_scalar("SELECT $1").bind(id).fetch_one(c).await).unwrap();
        assert_eq!(back, id);
    }
}
