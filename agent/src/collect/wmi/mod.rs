//! What WMI's values mean: answers in, report out. Pure, so that recorded answers are tested on every system.
//!
//! Each file is one part of the report. What a class does not answer, or answers with nonsense, is said to be unread.

mod answers;
mod batteries;
mod drives;
mod hardware;
mod system;
mod volumes;

#[cfg(test)]
mod tests;

use cartable_common::report::HealthReport;

#[cfg(any(windows, test))]
pub(super) use self::answers::CLASSES;
use self::answers::Reading;
#[cfg(windows)]
pub(super) use self::answers::{Answer, Class, UNREADABLE};
pub(super) use self::answers::{Answers, BATTERIES, REGISTRY};
use super::{Found, row::Row};

/// The report without the drives' own health, and whom to ask for it.
pub(super) fn found(answers: &Answers) -> Found {
    let reading = Reading::new(answers);
    let mut report = HealthReport {
        hardware: hardware::hardware(&reading),
        processor: hardware::processor(&reading),
        memory: hardware::memory(&reading),
        firmware: system::firmware(&reading),
        operating_system: system::operating_system(&reading),
        uptime_hours: system::uptime(&reading),
        volumes: volumes::read(&reading),
        batteries: batteries::read(&reading),
        temperatures: system::temperatures(&reading),
        ..HealthReport::default()
    };
    let (drives, drive_names) = drives::read(&reading);
    report.drives = drives;
    report.unread = reading.into_unread();
    Found { report, drive_names }
}
