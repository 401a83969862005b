//! The project's own files and crates, for the tests of its layout.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::harness::binaries::workspace;

/// A tracked file (or a new one that is not ignored) with its content, where it is text.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    /// Its path from the project's root, with `/`.
    pub path: String,
    /// Its content; `None` for a picture and its like.
    pub text: Option<String>,
}

/// Every file of the project as git knows it.
pub fn files() -> anyhow::Result<Vec<ProjectFile>> {
    let listing = output(Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let mut paths: Vec<&str> = listing.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    // What is deleted but not committed yet is listed too.
    let present = paths.into_iter().filter(|path| workspace().join(path).is_file());
    present.map(|path| Ok(ProjectFile { path: path.to_owned(), text: text_of(&workspace().join(path))? })).collect()
}

/// What `cargo metadata` says of the workspace's own crates.
pub fn metadata() -> anyhow::Result<serde_json::Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let printed = output(Command::new(cargo).args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    Ok(serde_json::from_str(&printed)?)
}

fn text_of(path: &Path) -> anyhow::Result<Option<String>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    let output = command.current_dir(workspace()).output().with_context(|| format!("{shown} could not be started"))?;
    ensure!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
