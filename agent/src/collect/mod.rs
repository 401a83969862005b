//! Reads the machine: one independent probe per part, so that one that fails never blocks the rest.
//!
//! Everything that could not be read is listed with its reason. The operating systems meet at one seam, the module
//! `imp`, whose `machine` (a future: Windows is asked in another process, macOS in several) reads all but the drives' own
//! health; [`smartctl`] asks the drives. Reads only what is below the given root, so that recorded machines can be replayed
//! (docs/agent.md). Never reads a user's file.

use std::path::{Path, PathBuf};

use cartable_common::{
    Celsius, Text, UtcMillis,
    action::SelfTestAnswer,
    limits,
    report::{HealthReport, Subject, Unread, UnreadReason},
};

mod apple;
mod drive_health;
mod foreign;
mod reading;
mod row;
pub mod smartctl;
mod smbios;
mod wmi;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(not(any(target_os = "linux", windows, target_os = "macos")), path = "unsupported.rs")]
mod imp;

pub use drive_health::DriveAnswer;
pub(crate) use drive_health::{ask_drives, tell};
#[cfg(windows)]
pub use imp::print_answers;

/// Where the machine is read from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Below it lie sys, proc and etc; `/` on the machine itself.
    pub root: PathBuf,
    /// Who is asked about the drives' health.
    pub drive_health: DriveHealth,
}

/// Who is asked about the drives' health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriveHealth {
    /// This program, with smartctl's arguments and answers.
    Program(PathBuf),
    /// Nobody: only recorded answers below the root count.
    RecordedOnly,
}

impl Sources {
    /// This machine, asking the smartctl of the usual places.
    pub fn this_machine() -> Self {
        Self { root: PathBuf::from("/"), drive_health: DriveHealth::Program(smartctl::usual_place()) }
    }

    /// A recorded machine below `root`.
    pub fn recorded(root: &Path) -> Self {
        Self { root: root.to_owned(), drive_health: DriveHealth::RecordedOnly }
    }
}

/// What [`imp`] found: the report without the drives' own health, and whom to ask for it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// It says nothing of the drives' own health, not even that it is missing.
    pub(crate) report: HealthReport,
    /// For each of `report.drives`, its name in the system (`sda`); never sent.
    pub(crate) drive_names: Vec<String>,
}

/// Whether the drives are asked about their health, or only what the kernel knows of them is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drives {
    /// They are asked.
    Ask,
    /// They are left alone, and the report says nothing of their health, not even that it is missing.
    Leave,
}

/// Reads the machine. Never fails: what is missing is said in the report.
pub async fn collect(sources: &Sources, drives: Drives) -> HealthReport {
    let mut found = look(sources).await;
    if drives == Drives::Ask {
        let all: Vec<usize> = (0..found.report.drives.len()).collect();
        for answer in ask_drives(sources, &found, &all).await {
            tell(&mut found.report, answer.place, answer.said.as_ref(), answer.missing.as_ref());
        }
    }
    within_limits(found.report)
}

/// Reads the machine and leaves its drives alone. One look serves the report and the question which drives are to be asked:
/// on Windows it costs a process and WMI.
pub(crate) async fn look(sources: &Sources) -> Found {
    let Found { report, drive_names } = imp::machine(&sources.root).await;
    Found { report: within_limits(report), drive_names }
}

/// Tells each drive to test itself, for a minute or two, and says what it answered. A drive that sleeps is left asleep; a
/// recorded machine's drives are files.
pub async fn test_drives(sources: &Sources) -> Vec<SelfTestAnswer> {
    let names = imp::machine(&sources.root).await.drive_names;
    let mut answers = Vec::with_capacity(names.len());
    for (name, drive) in names.iter().zip(0_u16..).take(limits::MAX_DRIVES) {
        answers.push(SelfTestAnswer { drive, outcome: smartctl::test(sources, name).await });
    }
    answers
}

/// What a Windows machine says in `lines`, as `cartable-agent wmi` prints them there: a line of JSON for each class. Read
/// the same on every system; lines that are none are passed over, and the drives are not asked.
pub fn of_wmi(lines: &[u8]) -> HealthReport {
    let answers = wmi::Answers::parse(lines, UnreadReason::NotPresent);
    within_limits(wmi::found(&answers).report)
}

/// What a Mac says whose programs answer so at `now`: `answer` is given the name of each (`sw_vers`). Read the same on every
/// system; the drives are not asked.
pub fn of_apple(answer: impl Fn(&str) -> Option<Vec<u8>>, now: UtcMillis) -> HealthReport {
    let mut answers = apple::Answers::default();
    for question in apple::QUESTIONS {
        let said = answer(question.name()).ok_or_else(|| (UnreadReason::NotPresent, "not recorded".to_owned()));
        answers.keep(question, said);
    }
    within_limits(apple::found(&answers, now).report)
}

/// An entry of the list of what could not be read. Words that look like paths are left out.
pub(crate) fn unread(subject: Subject, reason: UnreadReason, detail: &str) -> Unread {
    let words = detail.split_whitespace().map(|word| if word.contains(['/', '\\']) { "…" } else { word });
    let detail = Text::clean(&words.collect::<Vec<_>>().join(" "));
    Unread { subject: Some(subject), reason: Some(reason), detail: (!detail.as_str().is_empty()).then_some(detail) }
}

/// Cuts lists to what the protocol accepts, and says nothing twice; of temperatures the hottest stay.
pub(crate) fn within_limits(mut report: HealthReport) -> HealthReport {
    report
        .temperatures
        .sort_by_key(|temperature| std::cmp::Reverse(temperature.celsius.map_or(i16::MIN, Celsius::get)));
    report.temperatures.truncate(limits::MAX_TEMPERATURES);
    report.volumes.truncate(limits::MAX_VOLUMES);
    report.drives.truncate(limits::MAX_DRIVES);
    report.batteries.truncate(limits::MAX_BATTERIES);
    for drive in &mut report.drives {
        drive.ata_attributes.truncate(limits::MAX_ATA_ATTRIBUTES);
    }
    let mut seen = Vec::new();
    report.unread.retain(|entry| {
        let is_new = !seen.contains(entry);
        seen.push(entry.clone());
        is_new
    });
    report.unread.truncate(limits::MAX_UNREAD);
    report
}

/// The corpus of real readings, which is no part of the project: what `CARTABLE_CORPUS` names must be there; beside the
/// project it may be missing, which tests/run says.
#[cfg(test)]
fn corpus() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CARTABLE_CORPUS").map(PathBuf::from) {
        assert!(named.is_dir(), "CARTABLE_CORPUS names no folder: {}", named.display());
        return Some(named);
    }
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus")).to_owned();
    if !beside.is_dir() {
        eprintln!("SKIPPED: no corpus of real readings at {}", beside.display());
        return None;
    }
    Some(beside)
}

#[cfg(test)]
mod tests {
    use cartable_common::report::Drive;

    use super::*;

    #[test]
    fn every_real_reading_of_the_corpus_is_read() {
        let Some(corpus) = corpus() else { return };
        let folder = std::fs::read_dir(corpus).unwrap();
        let mut read = 0;
        for path in folder.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.extension().is_none_or(|kind| kind != "json") || name.starts_with("no-device") {
                continue;
            }
            let answer: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let mut drive = Drive::default();
            cartable_common::smartctl::merge(&mut drive, &answer);
            assert!(drive.model.is_some(), "{name} has no model");
            assert!(
                drive.nvme.is_some() || !drive.ata_attributes.is_empty() || drive.self_assessment.is_some(),
                "{name}"
            );
            let again: Drive = serde_json::from_str(&serde_json::to_string(&drive).unwrap()).unwrap();
            assert_eq!(again, drive, "{name} does not survive the wire");
            read += 1;
        }
        assert!(read > 20, "only {read} readings");
    }

    #[test]
    fn no_path_travels_in_a_reason() {
        let entry =
            unread(Subject::DriveHealth, UnreadReason::ToolFailed, "open /dev/sda failed: \\\\.\\PhysicalDrive0: no");
        assert_eq!(entry.detail.unwrap().as_str(), "open … failed: … no");
    }

    #[test]
    fn an_overfull_machine_is_cut_to_what_the_protocol_accepts() {
        let mut report = HealthReport::default();
        for degrees in 0..100 {
            report
                .temperatures
                .push(cartable_common::report::Temperature { sensor: None, celsius: Celsius::new(degrees) });
        }
        report.drives = vec![cartable_common::report::Drive::default(); 40];
        report.unread = vec![unread(Subject::Drives, UnreadReason::Malformed, ""); 99];
        let report = within_limits(report);
        report.check().unwrap();
        assert_eq!(report.temperatures[0].celsius, Celsius::new(99));
        assert_eq!(report.unread.len(), 1);
    }
}
