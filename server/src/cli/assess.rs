//! `assess`: judges readings in files as the server judges what agents report. Needs no data directory.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use super::print;
use crate::{
    clock,
    domain::{
        assess::{Assessment, Kind, assess},
        language::Language,
        policy::Policy,
        reading::{self, Reading, Unreadable},
        verdict::{Reason, Said, Verdict},
    },
};

/// Recognised by content, whatever the file is called: smartctl --json and smartctl's text, nvme smart-log -o json,
/// mmc extcsd read, /sys/class/power_supply/*/uevent, upower -d and -i, acpi -i, dmidecode, lshw and lshw -json,
/// inventories of FusionInventory (XML) and GLPI Agent (JSON, XML), a Cartable report or check-in.
///
/// Several readings of one drive are judged together: what grows weighs more than what stands. Their order on the
/// command line means nothing.
///
/// Exit status: 0 if every file was read (whatever the verdicts), 1 if one could not be read or is of no known format.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The files; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Prints one JSON object per line and file: file, kind (drive, battery, device, unknown), verdict (healthy, worn,
    /// failing, unknown), reasons (code, value, threshold, source), missing.
    #[arg(long)]
    json: bool,
    /// The language of words: fr or en.
    #[arg(long, default_value = "fr")]
    language: Language,
    /// The thresholds, instead of the documented ones.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let policy = match &arguments.policy {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            Policy::from_toml(&text).with_context(|| file.display().to_string())?
        }
        None => Policy::default(),
    };
    let readings: Vec<Result<Reading, Unreadable>> = arguments.files.iter().map(|file| read(file)).collect();
    let assessments = assess(&readings, &policy, clock::now());
    let mut text = String::new();
    for (file, assessment) in arguments.files.iter().zip(&assessments) {
        if arguments.json {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", object(file, assessment, arguments.language));
        } else {
            text.push_str(&paragraph(file, assessment, arguments.language));
        }
    }
    print(&text)?;
    match readings.iter().filter(|reading| reading.is_err()).count() {
        0 => Ok(()),
        unread => bail!("{unread} of {} files could not be read", readings.len()),
    }
}

fn read(path: &Path) -> Result<Reading, Unreadable> {
    let bytes = if path == Path::new("-") {
        bounded(io::stdin().lock()).map_err(|error| not_given(&error))?
    } else {
        let metadata = std::fs::metadata(path).map_err(|error| not_given(&error))?;
        // A named pipe would wait for whoever writes; one that a shell opened is a descriptor.
        let opened =
            path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || path == Path::new("/dev/stdin");
        if metadata.is_dir() {
            return Err(not_given(&io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() && !opened {
            return Err(Unreadable::NotGiven(Said::new(
                "ce n'est pas un fichier ordinaire",
                "this is no regular file",
            )));
        }
        bounded(File::open(path).map_err(|error| not_given(&error))?).map_err(|error| not_given(&error))?
    };
    reading::read(&bytes)
}

/// Why the system did not give a file, in both languages; its own words, which are English, only for what is rare.
fn not_given(error: &io::Error) -> Unreadable {
    const KNOWN: [(io::ErrorKind, &str, &str); 3] = [
        (io::ErrorKind::NotFound, "ce fichier n'existe pas", "there is no such file"),
        (io::ErrorKind::PermissionDenied, "l'accès à ce fichier est refusé", "access to this file is denied"),
        (io::ErrorKind::IsADirectory, "c'est un dossier : nommer ses fichiers", "this is a directory: name its files"),
    ];
    let known = KNOWN.into_iter().find(|(kind, ..)| *kind == error.kind());
    Unreadable::NotGiven(match known {
        Some((_, fr, en)) => Said::new(fr, en),
        None => Said::new(format!("lecture impossible ({error})"), format!("it could not be read ({error})")),
    })
}

/// What `source` gives, up to a little more than is ever judged.
fn bounded(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(reading::MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn object(file: &Path, assessment: &Assessment, language: Language) -> serde_json::Value {
    let judgement = &assessment.judgement;
    let reason = |reason: &Reason| {
        json!({
            "code": reason.code,
            "value": reason.value.in_language(language),
            "threshold": reason.threshold.as_ref().map(|threshold| threshold.in_language(language)),
            "source": reason.source.in_language(language),
        })
    };
    json!({
        "file": file.to_string_lossy(),
        "kind": assessment.kind,
        "verdict": judgement.verdict,
        "reasons": judgement.reasons.iter().map(reason).collect::<Vec<_>>(),
        "missing": judgement.missing.iter().map(|said| said.in_language(language)).collect::<Vec<_>>(),
    })
}

fn paragraph(file: &Path, assessment: &Assessment, language: Language) -> String {
    let judgement = &assessment.judgement;
    let name = assessment.name.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    let (kind, verdict) = (kind(assessment.kind), verdict(judgement.verdict));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}: {} ({}{name})", shown(file), verdict.in_language(language), kind.in_language(language));
    for reason in &judgement.reasons {
        let threshold = reason.threshold.as_ref().map(|threshold| {
            let word = Said::new("seuil", "threshold").in_language(language).to_owned();
            format!("{word} {}; ", threshold.in_language(language))
        });
        let (said, source) = (reason.said.in_language(language), reason.source.in_language(language));
        let _ = writeln!(text, "  - {said} [{}{source}]", threshold.unwrap_or_default());
    }
    for missing in &judgement.missing {
        let _ = writeln!(text, "  ? {}", missing.in_language(language));
    }
    text
}

/// The file's name without what would move a terminal's cursor.
fn shown(file: &Path) -> String {
    file.to_string_lossy().chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn kind(kind: Kind) -> Said {
    match kind {
        Kind::Drive => Said::new("disque", "drive"),
        Kind::Battery => Said::new("batterie", "battery"),
        Kind::Device => Said::new("appareil", "device"),
        Kind::Unknown => Said::new("inconnu", "unknown"),
    }
}

fn verdict(verdict: Verdict) -> Said {
    match verdict {
        Verdict::Healthy => Said::new("sain", "healthy"),
        Verdict::Worn => Said::new("usé", "worn"),
        Verdict::Failing => Said::new("à risque", "at risk"),
        Verdict::Unknown => Said::new("inconnu", "unknown"),
    }
}
