//! What hdparm prints of an ATA secure erase or sanitize.
//!
//! Forms: `hdparm(8)` and `hdparm.c`, `identify.c` of hdparm 9.65 (Debian 12). A secure erase is done when the drive, which
//! had a password before (`enabled`), has none afterwards: it drops it on completion alone (ATA8-ACS, 7.45). A sanitize
//! is done when the status says `Last Sanitize Operation Completed Without Error`; adapters that do not pass the command
//! on answer `SG_IO: bad/missing sense data` and an idle state, which is no success.

use super::{
    Medium, Method, Outcome, Reading, Source, Verification,
    evidence::Unreadable,
    transcript::{Command, Transcript},
};

/// The options that erase, and what each does.
const ERASES: [(&str, Method); 5] = [
    ("--security-erase", Method::AtaSecureErase),
    ("--security-erase-enhanced", Method::AtaSecureEraseEnhanced),
    ("--sanitize-overwrite", Method::AtaSanitizeOverwrite),
    ("--sanitize-block-erase", Method::AtaSanitizeBlock),
    ("--sanitize-crypto-scramble", Method::AtaSanitizeCrypto),
];

/// Words with which a command says that it did not work.
const FAILED: [&str; 6] = [
    "SG_IO: bad/missing sense data",
    "Input/output error",
    "not supported",
    "error reason",
    "failed",
    "SECURITY_ERASE:",
];

/// Whether the transcript is of an erasure by hdparm.
pub(super) fn is_of_hdparm(transcript: &Transcript) -> bool {
    transcript.commands.iter().any(|command| command.program() == "hdparm")
}

fn erases(command: &Command) -> Option<(&'static str, Method)> {
    let named = |(option, _): &&(&'static str, Method)| {
        command
            .words
            .iter()
            .any(|word| word == option || word.strip_prefix(option).is_some_and(|rest| rest.starts_with('=')))
    };
    (command.program() == "hdparm").then(|| ERASES.iter().find(named).copied()).flatten()
}

/// What it says.
pub(super) fn read(transcript: &Transcript) -> Result<Reading, Unreadable> {
    let all = transcript.commands.iter().enumerate();
    let erasures: Vec<_> =
        all.filter_map(|(place, command)| erases(command).map(|done| (place, command, done))).collect();
    let (place, command, (option, method)) = match erasures.as_slice() {
        [] => return Err(Unreadable::NothingErased),
        [one] => *one,
        _ => return Err(Unreadable::SeveralRuns),
    };
    let device = command.device().ok_or(Unreadable::NoCommand)?;
    let (before, after) = transcript.commands.split_at(place);
    let identity = identity(transcript, device)?;
    let (started_at, ended_at) = transcript.around(place)?;
    let failed = FAILED.iter().any(|mark| command.says(mark));
    let outcome = if failed {
        Outcome::Failed
    } else if matches!(method, Method::AtaSecureErase | Method::AtaSecureEraseEnhanced) {
        secure_erase(before, after, device)
    } else {
        sanitize(after, device)
    };
    Ok(Reading {
        drive: identity.field("Serial Number").and_then(|text| text.parse().ok()).ok_or(Unreadable::NoSerial)?,
        model: identity.field("Model Number").filter(|text| !text.is_empty()).map(str::to_owned),
        medium: medium(identity),
        capacity_bytes: None,
        method,
        method_name: option.trim_start_matches('-').to_owned(),
        tool: "hdparm".to_owned(),
        tool_version: transcript.version("hdparm v"),
        started_at,
        ended_at,
        passes: 1,
        bytes_erased: None,
        errors: u64::from(outcome == Outcome::Failed),
        verification: if outcome == Outcome::Erased { Verification::DeviceStatus } else { Verification::None },
        outcome,
        host: transcript.host(),
        source: Source::Hdparm,
    })
}

/// What `hdparm -I` printed of a device.
fn described<'t>(commands: &'t [Command], device: &str) -> impl DoubleEndedIterator<Item = &'t Command> {
    let asked = move |command: &&Command| {
        command.program() == "hdparm" && command.has("-I") && command.words.iter().any(|word| word == device)
    };
    commands.iter().filter(asked).collect::<Vec<_>>().into_iter()
}

/// The drive's identity; the same each time that it was asked, or another drive was plugged in meanwhile.
fn identity<'t>(transcript: &'t Transcript, device: &str) -> Result<&'t Command, Unreadable> {
    let mut said = described(&transcript.commands, device);
    let first = said.next().ok_or(Unreadable::NoSerial)?;
    if said.all(|other| other.field("Serial Number") == first.field("Serial Number")) {
        Ok(first)
    } else {
        Err(Unreadable::inconsistent("the drive has two serial numbers".to_owned()))
    }
}

/// `Nominal Media Rotation Rate: 5400`, `Solid State Device`
fn medium(identity: &Command) -> Medium {
    match identity.field("Nominal Media Rotation Rate") {
        Some("Solid State Device") => Medium::Flash,
        Some(rate) if rate.parse::<u32>().is_ok_and(|rate| rate > 1) => Medium::Rotating,
        _ => Medium::Unknown,
    }
}

/// Whether the drive has a password: the lines of `Security:` that say `enabled`, with or without `not` before.
fn has_password(identity: &Command) -> Option<bool> {
    let words = identity.output.iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.into_iter().find_map(|words| match words.as_slice() {
        ["enabled"] => Some(true),
        ["not", "enabled"] => Some(false),
        _ => None,
    })
}

fn secure_erase(before: &[Command], after: &[Command], device: &str) -> Outcome {
    // What takes the password away by hand leaves nothing to tell by: the erasure may have been broken off before.
    if after.iter().any(|command| command.program() == "hdparm" && command.has("--security-disable")) {
        return Outcome::Incomplete;
    }
    let had = described(before, device).next_back().and_then(has_password);
    let has = described(after, device).next_back().and_then(has_password);
    match (had, has) {
        (Some(true), Some(false)) => Outcome::Erased,
        (_, Some(true)) => Outcome::Failed,
        _ => Outcome::Incomplete,
    }
}

fn sanitize(after: &[Command], device: &str) -> Outcome {
    let asked = |command: &&Command| {
        command.program() == "hdparm" && command.has("--sanitize-status") && command.device() == Some(device)
    };
    let Some(status) = after.iter().rfind(asked) else { return Outcome::Incomplete };
    if FAILED.iter().any(|mark| status.says(mark)) || status.says("SD3 ") {
        Outcome::Failed
    } else if status.says("SD2 ") {
        Outcome::Incomplete
    } else if status.says("Last Sanitize Operation Completed Without Error") {
        Outcome::Erased
    } else {
        Outcome::Failed
    }
}
