//! `init`: makes a data directory, whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::{print, say};
use crate::{
    clock, config,
    domain::policy::Policy,
    pki::{Authority, MasterKey, write_private},
    store::Store,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The data directory to make.
    #[arg(long, value_name = "DIR", env = "CARTABLE_DATA")]
    data: PathBuf,
    /// The file with the key that seals the private keys at rest; made where it does not exist. Not in DIR.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A name or address by which laptops reach the device port; several are given one by one.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The database, where it is not SQLite in DIR.
    #[arg(long, value_name = "URL", env = "CARTABLE_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let data = &arguments.data;
    let configuration = data.join(config::FILE);
    anyhow::ensure!(!configuration.exists(), "{}: initialised already", data.display());
    let hosts = match arguments.hosts {
        hosts if hosts.is_empty() => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        hosts => config::valid_hosts(hosts)?,
    };
    make_private_directory(data).with_context(|| data.display().to_string())?;
    let (key, is_new) = MasterKey::find_or_create(arguments.key_file.as_deref(), data)?;
    // The configuration comes last: it marks the directory as whole. What an earlier attempt left is completed.
    let pki = data.join("pki");
    if pki.exists() {
        Authority::load(&pki, &key)?;
    } else {
        Authority::create(&pki, &key, &hosts, clock::now())?;
    }
    let database = arguments.database.clone().unwrap_or_else(|| config::default_database(data));
    Store::open(&database).await?.close().await;
    #[cfg(unix)]
    protect_database(data)?;
    let policy = data.join(config::POLICY_FILE);
    if !policy.exists() {
        write_private(&policy, Policy::documented().as_bytes()).with_context(|| policy.display().to_string())?;
    }
    let key_file = arguments.key_file.as_deref().map(std::path::absolute).transpose()?;
    let text = config::documented(&hosts, arguments.database.as_deref(), key_file.as_deref());
    write_private(&configuration, text.as_bytes()).with_context(|| configuration.display().to_string())?;
    advise(data, &hosts, key_file.as_deref().filter(|_| is_new))
}

fn advise(data: &Path, hosts: &[String], new_key: Option<&Path>) -> anyhow::Result<()> {
    let data = data.display();
    if let Some(file) = new_key {
        say(&format!(
            "Made the key {}. Without it the private keys in {data} cannot be used: keep a copy of it, apart from \
             the backups of {data}.",
            file.display()
        ));
    }
    say(&format!(
        "The root's private key, {data}/pki/root.key, is not needed to run: move it to a safe place off this host.\n\
         Next: cartable-server site add, user create, token create, then serve."
    ));
    print(&format!("{data}: ready for laptops that reach it as {}\n", hosts.join(", ")))
}

pub(super) fn make_private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// SQLite makes its file readable by others; the directory may be, if somebody made it before.
#[cfg(unix)]
fn protect_database(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["cartable.db", "cartable.db-wal", "cartable.db-shm"] {
        let path = data.join(name);
        if path.exists() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
