//! `erasure`: what evidence of an erasure says, and recording it from a bench.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Context as _;
use cartable_common::DeviceId;
use clap::{Args, Subcommand, ValueEnum};

use super::{DataArguments, print};
use crate::{
    clock,
    domain::{
        erasure::{
            BenchClock, Reading,
            evidence::{self, File, MAX_FILE_BYTES},
            gap::Demand,
        },
        scope::Scope,
    },
    store::{
        audit::{self, COMMAND_LINE, NewAudit},
        device,
        erasure_entry::{self, By, Strangers},
        erasure_gap,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum ErasureCommand {
    /// Prints what the files of one run of nwipe, nvme or hdparm say, a JSON line for each drive; records nothing.
    Read(Read),
    /// Records them for a device.
    Add(Add),
    /// Prints what is missing before a device may leave, or be lent again: one line for each drive; nothing where all
    /// is proven.
    Missing(Missing),
}

#[derive(Debug, Args)]
pub(super) struct Read {
    /// The files: nwipe's log with its PDF certificates, or a transcript of nvme or hdparm.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

#[derive(Clone, Copy, Debug, Args)]
struct How {
    /// What nwipe's times are.
    #[arg(long, value_enum, default_value_t = ClockArgument::Paris)]
    clock: ClockArgument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClockArgument {
    /// Paris time.
    Paris,
    /// Coordinated universal time.
    Utc,
}

impl From<ClockArgument> for BenchClock {
    fn from(argument: ClockArgument) -> Self {
        match argument {
            ClockArgument::Paris => Self::Paris,
            ClockArgument::Utc => Self::Utc,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    device: DeviceId,
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Record drives too that no report ever showed in this device.
    #[arg(long)]
    strangers: bool,
}

#[derive(Debug, Args)]
pub(super) struct Missing {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    device: DeviceId,
    /// To be lent again, instead of to leave.
    #[arg(long)]
    relend: bool,
}

pub(super) async fn run(command: ErasureCommand) -> anyhow::Result<()> {
    match command {
        ErasureCommand::Read(read) => self::read(&read),
        ErasureCommand::Add(add) => self::add(add).await,
        ErasureCommand::Missing(missing) => self::missing(missing).await,
    }
}

/// Files as they were named, with what they hold.
type Held = Vec<(String, Vec<u8>)>;

fn hold(paths: &[PathBuf]) -> anyhow::Result<Held> {
    let largest = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
    let one = |path: &PathBuf| {
        let shown = || path.display().to_string();
        let size = std::fs::metadata(path).with_context(shown)?.len();
        anyhow::ensure!(size <= largest, "{}: larger than {} MiB", path.display(), MAX_FILE_BYTES >> 20);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok((name, std::fs::read(path).with_context(shown)?))
    };
    paths.iter().map(one).collect()
}

fn readings(held: &Held, how: How) -> anyhow::Result<(Vec<File<'_>>, Vec<Reading>)> {
    let files: Vec<File<'_>> = held.iter().map(|(name, bytes)| File { name, bytes }).collect();
    let readings = evidence::read(&files, how.clock.into(), clock::now())?;
    Ok((files, readings))
}

fn read(read: &Read) -> anyhow::Result<()> {
    let held = hold(&read.files)?;
    let (_, readings) = readings(&held, read.how)?;
    let mut lines = String::new();
    for reading in readings {
        let _ = writeln!(lines, "{}", serde_json::to_string(&reading)?);
    }
    print(&lines)
}

async fn add(add: Add) -> anyhow::Result<()> {
    let policy = add.data.policy()?;
    let held = hold(&add.files)?;
    let (files, readings) = readings(&held, add.how)?;
    let store = add.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let device = device::find(&mut tx, &Scope::Everything, add.device).await?;
    let device = device.with_context(|| format!("no device has the id {}", add.device))?;
    let by = By { login: COMMAND_LINE, now, policy: &policy };
    let strangers = if add.strangers { Strangers::Taken } else { Strangers::LeftOut };
    let details = erasure_entry::enter_files(&mut tx, &device, &readings, &files, strangers, by).await?;
    let object_id = add.device.to_string();
    let act = NewAudit {
        actor: COMMAND_LINE,
        action: "erasure.evidence",
        object_kind: "device",
        object_id: &object_id,
        details: details.clone(),
    };
    audit::append(&mut tx, act, now).await?;
    tx.commit().await?;
    store.close().await;
    print(&format!("{details}\n"))
}

async fn missing(missing: Missing) -> anyhow::Result<()> {
    let policy = missing.data.policy()?;
    let store = missing.data.open_store().await?;
    let mut tx = store.read().await?;
    let device = device::find(&mut tx, &Scope::Everything, missing.device).await?;
    let device = device.with_context(|| format!("no device has the id {}", missing.device))?;
    let demand = if missing.relend { Demand::Relend } else { Demand::Leave };
    let mut lines = String::new();
    for gap in erasure_gap::of_device(&mut tx, &device, demand, &policy.erasure).await? {
        let drive = gap.key.as_ref().map_or("-", |key| key.as_str());
        let _ = writeln!(lines, "{drive}\t{}\t{}", gap.why, gap.asked);
    }
    drop(tx);
    store.close().await;
    print(&lines)
}
