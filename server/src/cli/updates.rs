//! `updates`: packages of the agent, how far each release is offered, and what is published of them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cartable_common::{AgentVersion, UtcMillis, update::MAX_PACKAGE_BYTES};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{DataArguments, print, say, updates_publish};
use crate::{
    clock,
    domain::{
        scope::Scope,
        timestamp::rfc3339,
        uai::UaiCode,
        update::{PackageKind, Stage},
    },
    exchange::deb,
    store::{
        Tx,
        agent_package::{self, Package},
        agent_publication,
        audit::{self, COMMAND_LINE, NewAudit},
        site,
    },
};

/// What a file of Windows Installer begins with (a compound file).
const MSI: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// The least version that an .msi follows, unless said otherwise.
pub(super) const FIRST: AgentVersion = AgentVersion::new(0, 1, 0);
/// What packaging/windows builds for.
const WINDOWS_ARCHITECTURE: &str = "x64";

#[derive(Debug, Subcommand)]
pub(super) enum Updates {
    /// Makes the key that signs releases, and prints its public part. Keep it off this machine.
    NewKey(updates_publish::NewKey),
    /// Takes packages in, .deb or .msi, as packaging/linux and packaging/windows build them. Nobody gets them yet.
    Add(Add),
    /// Lists the last publication, releases with how far each is offered, and which versions run.
    List(DataArguments),
    /// Says to how many percent of the devices that update themselves (Windows) a release is offered.
    Stage(StageArguments),
    /// Takes a release back at once; those that have it keep it.
    Halt(Halt),
    /// Writes what is to be signed into a file, for the machine with the key.
    Prepare(updates_publish::Prepare),
    /// Signs such a file if it says what these packages are; needs no data directory.
    Sign(updates_publish::Sign),
    /// Publishes a signed file, or signs and publishes at once.
    Publish(updates_publish::Publish),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    data: DataArguments,
    /// The packages.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The version of an .msi, which is asked for: 0.2.0.
    #[arg(long, value_name = "VERSION")]
    version: Option<AgentVersion>,
    /// The least version that an .msi can update at once.
    #[arg(long, value_name = "VERSION", default_value_t = FIRST)]
    from: AgentVersion,
}

#[derive(Debug, Args)]
pub(super) struct StageArguments {
    #[command(flatten)]
    data: DataArguments,
    /// The release.
    version: AgentVersion,
    /// The share of all devices.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    percent: u8,
    /// The UAI code of a site whose devices all get it; several times for several.
    #[arg(long = "site", value_name = "UAI")]
    sites: Vec<UaiCode>,
}

#[derive(Debug, Args)]
pub(super) struct Halt {
    #[command(flatten)]
    data: DataArguments,
    /// The release.
    version: AgentVersion,
}

pub(super) async fn run(command: Updates) -> anyhow::Result<()> {
    match command {
        Updates::NewKey(new) => updates_publish::new_key(&new),
        Updates::Add(add) => self::add(add).await,
        Updates::List(data) => list(&data).await,
        Updates::Stage(stage) => self::stage(stage).await,
        Updates::Halt(halt) => self::halt(halt).await,
        Updates::Prepare(prepare) => updates_publish::prepare(prepare).await,
        Updates::Sign(sign) => updates_publish::sign(&sign),
        Updates::Publish(publish) => updates_publish::publish(publish).await,
    }
}

async fn add(add: Add) -> anyhow::Result<()> {
    let named = |path: &PathBuf| read(path, add.version, add.from).with_context(|| path.display().to_string());
    let packages: Vec<(Package, Vec<u8>)> = add.files.iter().map(named).collect::<Result<_, _>>()?;
    let store = add.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    for (package, content) in &packages {
        let (release, sha256) = (package.release.to_string(), HEXLOWER.encode(&package.sha256));
        if agent_package::is_here(&mut tx, &package.sha256).await? {
            say(&format!("{release} {}: taken in before", package.architecture));
            continue;
        }
        let is_new = agent_package::add(&mut tx, package, content, now).await?;
        anyhow::ensure!(
            is_new,
            "another package is the version {} for {} already; what was built anew needs a new version",
            package.version,
            package.architecture
        );
        let details = json!({ "version": package.version, "architecture": package.architecture,
            "bytes": package.bytes, "sha256": sha256 });
        append(&mut tx, "agent_release.add", &release, details, now).await?;
        print(&format!("{release}\t{}\t{}\t{sha256}\n", package.kind, package.architecture))?;
    }
    tx.commit().await?;
    store.close().await;
    Ok(())
}

/// What the file at `path` is, and what it holds. An .msi is the release `version`, for those that run `from` or more; a .deb
/// says itself what it is.
pub(super) fn read(
    path: &Path,
    version: Option<AgentVersion>,
    from: AgentVersion,
) -> anyhow::Result<(Package, Vec<u8>)> {
    let size = std::fs::metadata(path)?.len();
    let bytes = u32::try_from(size).ok().filter(|bytes| (1..=MAX_PACKAGE_BYTES).contains(bytes));
    let bytes = bytes.with_context(|| format!("a package has 1 byte to {} MiB", MAX_PACKAGE_BYTES >> 20))?;
    let content = std::fs::read(path)?;
    let sha256 = Sha256::digest(&content).into();
    if content.starts_with(MSI) {
        let release = version.context("say which version this .msi installs, such as 0.2.0")?;
        anyhow::ensure!(
            from < release,
            "a release updates earlier versions: what it follows must be below its own version"
        );
        let (kind, version, architecture) = (PackageKind::Msi, release.to_string(), WINDOWS_ARCHITECTURE.to_owned());
        let package = Package { sha256, kind, release, version, architecture, from, control: String::new(), bytes };
        return Ok((package, content));
    }
    // What it was meant to be stands in its name, where its content does not say it.
    let is_msi = path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("msi"));
    anyhow::ensure!(!is_msi, "it is no package of Windows Installer (.msi): build or copy it again");
    let control = deb::control(&content)?;
    let package = Package {
        sha256,
        kind: PackageKind::Deb,
        release: control.release(),
        version: control.version().to_owned(),
        architecture: control.architecture().to_owned(),
        from,
        control: control.text().to_owned(),
        bytes,
    };
    Ok((package, content))
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    let last = agent_publication::last(&mut tx).await?;
    let releases = agent_package::releases(&mut tx).await?;
    let versions = agent_package::versions(&mut tx).await?;
    drop(tx);
    store.close().await;
    if let Some(last) = last {
        print(&format!("published\t{}\tuntil {}\t{}\n", last.number, rfc3339(last.expires_at), last.signed_by))?;
    }
    for one in releases {
        let state = one.halted_at.map_or_else(|| "offered".to_owned(), |at| format!("halted {}", rfc3339(at)));
        print(&format!("release\t{}\t{} %\t{}\t{state}\n", one.release, one.percent, one.sites.join(" ")))?;
    }
    for (version, devices) in versions {
        print(&format!("running\t{version}\t{devices}\n"))?;
    }
    Ok(())
}

async fn stage(arguments: StageArguments) -> anyhow::Result<()> {
    let store = arguments.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let mut stage = Stage { release: arguments.version, percent: arguments.percent, sites: Vec::new() };
    for uai in &arguments.sites {
        let found = site::find_by_uai(&mut tx, &Scope::Everything, uai).await?;
        stage.sites.push(found.with_context(|| format!("no site has the UAI code {uai}"))?.id);
    }
    let staged = agent_package::stage(&mut tx, &stage, now).await?;
    anyhow::ensure!(staged, "there is no release {}, or it is halted; see `updates list`", arguments.version);
    let sites: Vec<&str> = arguments.sites.iter().map(UaiCode::as_str).collect();
    let details = json!({ "percent": arguments.percent, "sites": sites });
    append(&mut tx, "agent_release.stage", &arguments.version.to_string(), details, now).await?;
    tx.commit().await?;
    store.close().await;
    Ok(())
}

async fn halt(halt: Halt) -> anyhow::Result<()> {
    let store = halt.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let halted = agent_package::halt(&mut tx, halt.version, now).await?;
    anyhow::ensure!(halted, "there is no release {}, or it is halted already; see `updates list`", halt.version);
    append(&mut tx, "agent_release.halt", &halt.version.to_string(), json!({}), now).await?;
    tx.commit().await?;
    store.close().await;
    say("halted: nobody gets it any more. Publish again, so that the lists no longer name it");
    Ok(())
}

pub(super) async fn append(
    tx: &mut Tx,
    action: &str,
    object_id: &str,
    details: Value,
    now: UtcMillis,
) -> anyhow::Result<()> {
    let act = NewAudit { actor: COMMAND_LINE, action, object_kind: "agent_release", object_id, details };
    audit::append(tx, act, now).await?;
    Ok(())
}
