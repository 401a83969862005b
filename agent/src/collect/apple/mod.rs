//! What the programs of macOS say, and what it means: answers in, report out. Pure, so that it is tested on every system.
//!
//! Each file is one part of the report. Only the values named in these files are looked at: the answers hold names of
//! volumes, which are never kept. What a program does not answer, or answers with nonsense, is said to be unread.

mod answers;
mod batteries;
mod drives;
mod hardware;
mod plist;
mod system;
mod volumes;

#[cfg(test)]
mod tests;

use cartable_common::{
    UtcMillis,
    report::{HealthReport, Subject, UnreadReason},
};

#[cfg(any(target_os = "macos", test))]
pub(super) use self::answers::Question;
pub(super) use self::answers::{Answers, QUESTIONS};
use self::answers::{Asked, Reading};
use super::{Found, row::Row};

/// The report without the drives' own health, and whom to ask for it.
pub(super) fn found(answers: &Answers, now: UtcMillis) -> Found {
    let reading = Reading::new(answers);
    let mut report = HealthReport {
        hardware: hardware::hardware(&reading),
        processor: hardware::processor(&reading),
        memory: hardware::memory(&reading),
        firmware: system::firmware(&reading),
        operating_system: system::operating_system(&reading),
        uptime_hours: system::uptime(&reading, now),
        volumes: volumes::read(&reading),
        batteries: batteries::read(&reading),
        ..HealthReport::default()
    };
    let (drives, drive_names) = drives::read(&reading);
    report.drives = drives;
    // The sensors have names that change with each chip, and no program that shows them to all.
    reading.missing(Subject::Temperatures, UnreadReason::Unsupported, "");
    report.unread = reading.into_unread();
    Found { report, drive_names }
}
