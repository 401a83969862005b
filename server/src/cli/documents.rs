//! `documents`: the templates of agreements, receipts, lists and labels.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;

use super::{print, say};
use crate::{
    config::{Overrides, Settings},
    documents::Templates,
};

#[derive(Debug, Subcommand)]
pub(super) enum DocumentsCommand {
    /// Makes every template with sample data, and says what is wrong: in which file, in which line, and why.
    Check(Check),
    /// Writes the built-in templates into a directory, for editing.
    Templates {
        /// The directory; it is made if it is not there. Files that exist are left alone.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The templates' directory, instead of the one in config.toml.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The data directory, whose config.toml names the templates' directory. Without either, the built-in ones.
    #[arg(long, value_name = "DIR", env = "CARTABLE_DATA")]
    data: Option<PathBuf>,
}

pub(super) fn run(command: DocumentsCommand) -> anyhow::Result<()> {
    match command {
        DocumentsCommand::Check(check) => self::check(check),
        DocumentsCommand::Templates { out } => {
            let written = Templates::write_built_in(&out).with_context(|| out.display().to_string())?;
            let lines = written.iter().fold(String::new(), |mut lines, path| {
                // Writing to a String cannot fail.
                let _ = writeln!(lines, "{}", path.display());
                lines
            });
            say("Keep the files that you change, delete the others: they are built in.");
            print(&lines)
        }
    }
}

fn check(check: Check) -> anyhow::Result<()> {
    let configured = match (check.dir, check.data) {
        (Some(directory), _) => Some(directory),
        (None, Some(data)) => Settings::load(&data, Overrides::default())?.documents.templates,
        (None, None) => None,
    };
    let work = move || -> anyhow::Result<Templates> {
        let templates = match configured {
            Some(directory) => Templates::load(&directory)?,
            None => Templates::built_in()?,
        };
        templates.check()?;
        Ok(templates)
    };
    let templates = crate::documents::on_deep_stack(work).context("the templates could not be made")??;
    let mut lines = String::new();
    for template in templates.list() {
        let file = format!("{}.typ", template.name);
        let origin = if templates.replaced().contains(&file) { "yours" } else { "built in" };
        let hash = HEXLOWER.encode(&template.sha256);
        let _ = writeln!(lines, "{}\tversion {}\t{origin}\t{hash}", template.name, template.version);
    }
    for file in
        templates.replaced().iter().filter(|file| !templates.list().any(|one| **file == format!("{}.typ", one.name)))
    {
        let _ = writeln!(lines, "{file}\tshared by the templates");
    }
    print(&lines)
}
