//! What nvme-cli prints of a Format or a Sanitize.
//!
//! Forms: `nvme-format(1)`, `nvme-sanitize(1)`, `nvme-sanitize-log(1)` and `nvme-id-ctrl(1)` of nvme-cli 2.3 (Debian 12), and
//! its `nvme.c` and `nvme-print-stdout.c`. SSTAT, bits 2:0: 0 never sanitized, 1 completed, 2 in progress, 3 failed, 4
//! completed without deallocation; bits 7:3 passes of an overwrite. SCDW10, bits 2:0: 2 block erase, 3 overwrite, 4 crypto
//! erase (NVMe base specification 2.0, 5.16.1.25 and 5.24).

use super::{
    Medium, Method, Outcome, Reading, Source, Verification,
    evidence::Unreadable,
    transcript::{Command, Transcript, number},
};

/// SPROG of a sanitize that is not running.
const NO_PROGRESS: u64 = 65_535;
/// Both of a Format that means all namespaces.
const ALL_NAMESPACES: &str = "ffffffff";
/// FNA, bit 1: a secure erase applies to all namespaces.
const ERASES_ALL: u64 = 0b10;

/// Whether the transcript is of an erasure by nvme.
pub(super) fn is_of_nvme(transcript: &Transcript) -> bool {
    transcript.commands.iter().any(|command| command.program() == "nvme")
}

/// What it says.
pub(super) fn read(transcript: &Transcript) -> Result<Reading, Unreadable> {
    let erasures: Vec<usize> = places(transcript, &["format", "sanitize"]);
    let place = match erasures.as_slice() {
        [] => {
            return Err(if places(transcript, &["sanitize-log"]).is_empty() {
                Unreadable::NothingErased
            } else {
                Unreadable::NoCommand
            });
        }
        [one] => *one,
        _ => return Err(Unreadable::SeveralRuns),
    };
    let command = &transcript.commands[place];
    let controller = controller(command.device().ok_or(Unreadable::NoCommand)?);
    let identity = identity(transcript, controller)?;
    let (started_at, ended_at) = transcript.around(place)?;
    let what = if command.has("format") {
        format(command, identity)?
    } else {
        sanitize(command, &transcript.commands[place..], controller)?
    };
    let Done { method, method_name, outcome, passes } = what;
    let verified = outcome == Outcome::Erased;
    Ok(Reading {
        drive: identity.field("sn").and_then(|text| text.parse().ok()).ok_or(Unreadable::NoSerial)?,
        model: identity.field("mn").filter(|text| !text.is_empty()).map(str::to_owned),
        medium: Medium::Flash,
        capacity_bytes: identity.field("tnvmcap").and_then(number).filter(|bytes| *bytes > 0),
        method,
        method_name,
        tool: "nvme-cli".to_owned(),
        tool_version: transcript.version("nvme version"),
        started_at,
        ended_at,
        passes,
        bytes_erased: None,
        errors: u64::from(outcome == Outcome::Failed),
        verification: if verified { Verification::DeviceStatus } else { Verification::None },
        outcome,
        host: transcript.host(),
        source: Source::Nvme,
    })
}

struct Done {
    method: Method,
    method_name: String,
    outcome: Outcome,
    passes: u32,
}

/// Where commands of nvme with one of these subcommands stand.
fn places(transcript: &Transcript, subcommands: &[&str]) -> Vec<usize> {
    let wanted = |command: &Command| {
        command.program() == "nvme" && command.words.get(1).is_some_and(|word| subcommands.contains(&word.as_str()))
    };
    let all = transcript.commands.iter().enumerate();
    all.filter(|(_, command)| wanted(command)).map(|(place, _)| place).collect()
}

/// `/dev/nvme0` of `/dev/nvme0n1`; any other device is itself.
fn controller(device: &str) -> &str {
    const PREFIX: &str = "/dev/nvme";
    let Some(rest) = device.strip_prefix(PREFIX) else { return device };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    &device[..PREFIX.len() + digits]
}

/// What `nvme id-ctrl` printed of that controller. Another drive's identity is no identity of this one.
fn identity<'t>(transcript: &'t Transcript, of: &str) -> Result<&'t Command, Unreadable> {
    let asked = places(transcript, &["id-ctrl"]);
    let mut said = asked.iter().map(|place| &transcript.commands[*place]);
    let found = said.clone().find(|command| command.device().is_some_and(|device| controller(device) == of));
    let found = found.ok_or(Unreadable::NoSerial)?;
    let same = said.all(|command| {
        command.device().is_some_and(|device| controller(device) != of) || command.field("sn") == found.field("sn")
    });
    if same { Ok(found) } else { Err(Unreadable::inconsistent("the drive has two serial numbers".to_owned())) }
}

fn format(command: &Command, identity: &Command) -> Result<Done, Unreadable> {
    let (method, method_name) = match command.option("--ses", "-s").and_then(number).unwrap_or(0) {
        1 => (Method::NvmeFormatUserData, "format --ses=1"),
        2 => (Method::NvmeFormatCrypto, "format --ses=2"),
        // Without a secure erase the data may stay where they are.
        _ => return Err(Unreadable::NothingErased),
    };
    let success = command.output.iter().find_map(|line| line.split_once("Success formatting namespace:"));
    let outcome = match success {
        _ if command.says("NVMe status") || command.says("rror") => Outcome::Failed,
        Some((_, namespace)) => {
            let only_one = identity.field("nn").and_then(number) == Some(1);
            let erases_all = identity.field("fna").and_then(number).is_some_and(|fna| fna & ERASES_ALL != 0);
            let all = namespace.trim() == ALL_NAMESPACES || only_one || erases_all;
            if all { Outcome::Erased } else { Outcome::Incomplete }
        }
        None => Outcome::Incomplete,
    };
    Ok(Done { method, method_name: method_name.to_owned(), outcome, passes: 1 })
}

fn sanitize(command: &Command, after: &[Command], controller_path: &str) -> Result<Done, Unreadable> {
    let action = command.option("--sanact", "-a").ok_or(Unreadable::NoCommand)?;
    let (action, method) = match action {
        "start-block-erase" => (2, Method::NvmeSanitizeBlock),
        "start-overwrite" => (3, Method::NvmeSanitizeOverwrite),
        "start-crypto-erase" => (4, Method::NvmeSanitizeCrypto),
        other => match number(other) {
            Some(2) => (2, Method::NvmeSanitizeBlock),
            Some(3) => (3, Method::NvmeSanitizeOverwrite),
            Some(4) => (4, Method::NvmeSanitizeCrypto),
            _ => return Err(Unreadable::NothingErased),
        },
    };
    let mut logs = after.iter().filter(|one| {
        one.program() == "nvme"
            && one.has("sanitize-log")
            && one.device().is_some_and(|device| controller(device) == controller_path)
    });
    let done = |outcome, passes| Done { method, method_name: format!("sanitize --sanact={action}"), outcome, passes };
    if command.says("NVMe status") || command.says("rror") {
        return Ok(done(Outcome::Failed, 0));
    }
    let Some(log) = logs.next_back() else { return Ok(done(Outcome::Incomplete, 0)) };
    let value = |tag| log.tagged(tag).and_then(number).ok_or(Unreadable::CutShort);
    let progress = value("(SPROG)")?;
    let status = value("(SSTAT)")?;
    let told = value("(SCDW10)")?;
    if told & 0b111 != action {
        return Err(Unreadable::inconsistent("the log speaks of another sanitize than the command".to_owned()));
    }
    let outcome = match status & 0b111 {
        1 | 4 if progress == NO_PROGRESS => Outcome::Erased,
        1 | 4 => return Err(Unreadable::inconsistent("the sanitize is complete and still in progress".to_owned())),
        2 => Outcome::Incomplete,
        _ => Outcome::Failed,
    };
    let overwritten = u32::try_from((status >> 3) & 0b1_1111).unwrap_or_default();
    Ok(done(outcome, overwritten.max(1)))
}
