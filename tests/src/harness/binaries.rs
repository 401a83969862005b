//! Finds the real binaries beside the running test, built fresh once per process.
//!
//! `cargo build` decides what is stale; its own lock keeps test binaries that start together from disturbing each
//! other. `CARTABLE_BINARIES=DIR` names a directory with ready binaries instead (a package under test).

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, bail};

/// The programs under test.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// `cartable-server`.
    pub server: PathBuf,
    /// `cartable-agent`.
    pub agent: PathBuf,
}

impl Binaries {
    /// The binaries of this build, built if they are missing or stale.
    pub fn find() -> anyhow::Result<&'static Self> {
        static FOUND: OnceLock<Result<Binaries, String>> = OnceLock::new();
        FOUND
            .get_or_init(|| Self::locate().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow::anyhow!("{error}"))
    }

    fn locate() -> anyhow::Result<Self> {
        if let Some(given) = std::env::var_os("CARTABLE_BINARIES") {
            return Self::at(Path::new(&given));
        }
        let profile_directory = profile_directory()?;
        build(&profile_directory)?;
        Self::at(&profile_directory)
    }

    fn at(directory: &Path) -> anyhow::Result<Self> {
        let program = |name: &str| {
            let path = directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if path.is_file() { Ok(path) } else { bail!("{} is missing: run `cargo build`", path.display()) }
        };
        Ok(Self { server: program("cartable-server")?, agent: program("cartable-agent")? })
    }
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

/// `target/debug` or its like: where the running program or test was built.
fn profile_directory() -> anyhow::Result<PathBuf> {
    let running = std::env::current_exe().context("the running program's own path")?;
    let directory = running.parent().context("the running program has no directory")?;
    let in_deps = directory.file_name().is_some_and(|name| name == "deps" || name == "examples");
    let directory = if in_deps { directory.parent().unwrap_or(directory) } else { directory };
    Ok(directory.to_owned())
}

fn build(profile_directory: &Path) -> anyhow::Result<()> {
    let name = profile_directory.file_name().and_then(|name| name.to_str()).unwrap_or("debug");
    let profile = if name == "debug" { "dev" } else { name };
    let target = profile_directory.parent().context("the build directory has no parent")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The whole workspace at once: a build of single packages would choose other features and build them again.
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--workspace", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace())
        .stdin(Stdio::null())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("cargo build failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
