//! A fresh store on either engine, a macro that runs each test of a contract on both, and a look into a running server's.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use cartable_common::DeviceId;
use cartable_server::{
    domain::scope::Scope,
    store::{
        Store,
        detail::{self, DeviceDetail},
    },
};
use tempfile::TempDir;

use crate::{
    harness::{Installation, binaries::workspace},
    postgres::Database,
};

/// An empty store that disappears at the end.
#[derive(Debug)]
pub struct TestStore {
    /// The store.
    pub store: Store,
    url: String,
    _files: Option<TempDir>,
    _database: Option<Database>,
}

impl TestStore {
    /// On SQLite.
    pub async fn sqlite() -> anyhow::Result<Self> {
        let files = tempfile::tempdir()?;
        let url = format!("sqlite:{}", files.path().join("test.db").display());
        Ok(Self { store: Store::open(&url).await?, url, _files: Some(files), _database: None })
    }

    /// On PostgreSQL.
    pub async fn postgres() -> anyhow::Result<Self> {
        let database = Database::create().await?;
        let url = database.url().to_owned();
        Ok(Self { store: Store::open(&url).await?, url, _files: None, _database: Some(database) })
    }

    /// Its address, to open it once more as another server process would.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// What an installation has of `device` now, while its server runs.
pub async fn seen(installation: &Installation, device: DeviceId) -> anyhow::Result<DeviceDetail> {
    let store = Store::open(&installation.database_url()).await?;
    let mut tx = store.read().await?;
    let found = detail::find(&mut tx, &Scope::Everything, device).await?;
    drop(tx);
    store.close().await;
    found.context("no such device")
}

/// The migrations of an engine, `sqlite` or `postgres`, first to last: number and text.
pub fn migrations(engine: &str) -> anyhow::Result<BTreeMap<u32, String>> {
    let folder = workspace().join("server/migrations").join(engine);
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok().context("a file's name")?;
        let number = name.split('_').next().unwrap_or_default().parse().context(name.clone())?;
        anyhow::Ok((number, fs::read_to_string(entry.path())?))
    };
    fs::read_dir(folder)?.map(|entry| read(entry?)).collect()
}

/// Makes two tests of each `async fn(&TestStore)`: one in a module `sqlite`, one in a module `postgres`.
#[macro_export]
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&$crate::stores::TestStore::sqlite().await.expect("a fresh SQLite store")).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&$crate::stores::TestStore::postgres().await.expect("a fresh PostgreSQL store")).await;
            })*
        }
    };
}
