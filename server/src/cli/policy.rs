//! `policy`: checks a policy file, or prints the documented defaults.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::{print, say};
use crate::domain::policy;

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Says whether a policy file is valid, and if not, in which line and why.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Prints every threshold with its default and its source, as a policy file.
    Show,
}

pub(super) fn run(command: &Policy) -> anyhow::Result<()> {
    match command {
        Policy::Check { file } => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            policy::Policy::from_toml(&text).with_context(|| file.display().to_string())?;
            say(&format!("{}: valid", file.display()));
            Ok(())
        }
        Policy::Show => print(&policy::Policy::documented()),
    }
}
