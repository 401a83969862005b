//! `policy`: checks a policy file, prints the documented defaults, or the settings that a decision was made under.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::{DataArguments, print, say};
use crate::{
    domain::{policy, timestamp},
    store::advice,
};

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Says whether a policy file is valid, and if not, in which line and why.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Prints every threshold with its default and its source, as a policy file.
    Show,
    /// Prints the version of a policy file: what it decides about dispositions carries it.
    Version {
        /// The file; the defaults without one.
        file: Option<PathBuf>,
    },
    /// Prints the settings under which decisions with a version were made.
    Used {
        /// The version, as exports and the API give it. It may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        version: String,
        #[command(flatten)]
        data: DataArguments,
    },
}

fn read(file: &Path) -> anyhow::Result<policy::Policy> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    policy::Policy::from_toml(&text).with_context(|| file.display().to_string())
}

pub(super) async fn run(command: Policy) -> anyhow::Result<()> {
    match command {
        Policy::Check { file } => {
            read(&file)?;
            say(&format!("{}: valid", file.display()));
            Ok(())
        }
        Policy::Show => print(&policy::Policy::documented()),
        Policy::Version { file } => {
            let policy = file.map(|file| read(&file)).transpose()?.unwrap_or_default();
            print(&format!("{}\n", policy.version()))
        }
        Policy::Used { version, data } => {
            let store = data.open_store().await?;
            let mut tx = store.read().await?;
            let found = advice::policy_version(&mut tx, &version).await?;
            drop(tx);
            store.close().await;
            let (settings, first) = found.with_context(|| format!("nothing was decided under version {version}"))?;
            print(&format!("# {version}, first used {}\n{settings}", timestamp::rfc3339(first)))
        }
    }
}
