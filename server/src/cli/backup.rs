//! `backup`: a copy of a data directory from which a server can start, made while the server runs.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;

use super::{DataArguments, init::make_private_directory, say};
use crate::{
    config::{self, Overrides, Settings},
    pki::write_private,
    store::{Store, snapshot::Snapshot},
};

/// The database's name in a copy: what a configuration without `database` opens.
const DATABASE: &str = "cartable.db";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// The new directory for the copy. Holds the device authority: keep it as closed as DIR.
    #[arg(long, value_name = "NEW_DIR")]
    to: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { data, to } = arguments;
    anyhow::ensure!(!to.exists(), "{}: exists already; name a new directory", to.display());
    let overrides = Overrides { database: data.database.clone(), ..Overrides::default() };
    let settings = Settings::load(&data.data, overrides)?;
    // Whole under its name, or not there: a copy that was interrupted is never mistaken for a backup.
    let mut unfinished = to.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    anyhow::ensure!(!unfinished.exists(), "{}: an earlier backup was interrupted; remove it", unfinished.display());
    make_private_directory(&unfinished).with_context(|| unfinished.display().to_string())?;
    copy_files(&data.data, &unfinished)?;
    let snapshot = copy_database(&settings, &unfinished.join(DATABASE)).await?;
    File::open(&unfinished).and_then(|directory| directory.sync_all())?;
    fs::rename(&unfinished, &to).with_context(|| to.display().to_string())?;
    tell(&settings, snapshot, &to);
    Ok(())
}

/// Authority, configuration and policy.
fn copy_files(data: &Path, to: &Path) -> anyhow::Result<()> {
    let pki = data.join("pki");
    make_private_directory(&to.join("pki"))?;
    for entry in fs::read_dir(&pki).with_context(|| pki.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            copy(&entry.path(), &to.join("pki").join(entry.file_name()))?;
        }
    }
    copy(&data.join(config::FILE), &to.join(config::FILE))?;
    let policy = data.join(config::POLICY_FILE);
    if policy.exists() { copy(&policy, &to.join(config::POLICY_FILE)) } else { Ok(()) }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let content = fs::read(from).with_context(|| from.display().to_string())?;
    write_private(to, &content).with_context(|| to.display().to_string())
}

async fn copy_database(settings: &Settings, to: &Path) -> anyhow::Result<Snapshot> {
    let store = Store::open(&settings.database.0).await?;
    let snapshot = store.snapshot(to).await.with_context(|| to.display().to_string())?;
    store.close().await;
    if snapshot == Snapshot::Written {
        protect(to).with_context(|| to.display().to_string())?;
    }
    Ok(snapshot)
}

/// Durable, and for its owner alone.
fn protect(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    File::open(path)?.sync_all()
}

fn tell(settings: &Settings, snapshot: Snapshot, to: &Path) {
    let to = to.display();
    match snapshot {
        Snapshot::NotAFile => say(&format!(
            "{to}: device authority and settings. The database is PostgreSQL's and not in it: pg_dump copies that."
        )),
        Snapshot::Written if settings.database.0 == config::default_database(&settings.data) => {
            say(&format!("{to}: everything but the sealing key, which must be kept elsewhere"));
        }
        Snapshot::Written => say(&format!(
            "{to}: everything but the sealing key. {DATABASE} there goes back to where `database` in {} says",
            config::FILE
        )),
    }
}
