//! Linux: everything from /sys, /proc and /etc below the root.
//!
//! Each file of this folder is one probe that fills its part of the report and says what it could not read. None runs
//! a program, none opens a device, none follows a link out of the root.

mod batteries;
mod blocks;
mod drives;
mod firmware;
mod hardware;
mod operating_system;
mod processor;
mod source;
mod temperatures;
mod volumes;

use std::path::Path;

use cartable_common::{
    Bytes, Hours,
    report::{HealthReport, Memory, Subject, UnreadReason},
};

use self::source::Source;
use super::Found;

/// Reads all but the drives' own health.
pub(super) fn machine(root: &Path) -> std::future::Ready<Found> {
    std::future::ready(read(root))
}

fn read(root: &Path) -> Found {
    let source = Source::new(root);
    let mut report = HealthReport {
        hardware: hardware::read(&source),
        processor: processor::read(&source),
        memory: Memory { total_bytes: memory_total(&source) },
        firmware: firmware::read(&source),
        operating_system: operating_system::read(&source),
        batteries: batteries::read(&source),
        temperatures: temperatures::read(&source),
        uptime_hours: uptime(&source),
        ..HealthReport::default()
    };
    let (volumes, system_disks) = volumes::read(&source);
    report.volumes = volumes;
    let (drives, drive_names) = drives::read(&source, &system_disks);
    report.drives = drives;
    report.unread = source.into_unread();
    Found { report, drive_names }
}

fn memory_total(source: &Source) -> Option<Bytes> {
    let content = source.text("proc/meminfo", Subject::Memory)?;
    let total = parse_memory_total(&content);
    if total.is_none() {
        source.missing(Subject::Memory, UnreadReason::Malformed, "MemTotal");
    }
    total
}

/// `MemTotal:       16314316 kB`
fn parse_memory_total(content: &str) -> Option<Bytes> {
    let line = content.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Bytes::new(kibibytes.checked_mul(1024)?)
}

fn uptime(source: &Source) -> Option<Hours> {
    let content = source.text("proc/uptime", Subject::Uptime)?;
    let hours = parse_uptime(&content);
    if hours.is_none() {
        source.missing(Subject::Uptime, UnreadReason::Malformed, "");
    }
    hours
}

/// `350735.47 234388.90`: seconds since the start, and idle.
fn parse_uptime(content: &str) -> Option<Hours> {
    let seconds: u64 = content.split(['.', ' ']).next()?.trim().parse().ok()?;
    Hours::new(u32::try_from(seconds / 3600).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_uptime_are_parsed_or_absent() {
        assert_eq!(parse_memory_total("MemTotal:  8041064 kB\nMemFree: 1 kB"), Bytes::new(8_041_064 * 1024));
        assert_eq!(parse_memory_total("MemTotal: 99999999999999999999 kB"), None);
        assert_eq!(parse_uptime("350735.47 234388.90\n"), Hours::new(97));
        assert_eq!(parse_uptime(""), None);
    }

    #[test]
    fn an_empty_root_gives_an_empty_report_that_says_what_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let found = read(root.path());
        let said: Vec<Subject> = found.report.unread.iter().filter_map(|entry| entry.subject).collect();
        for subject in
            Subject::ALL.iter().filter(|s| !matches!(s, Subject::Unknown | Subject::Encryption | Subject::DriveHealth))
        {
            assert!(said.contains(subject), "{subject} is neither read nor said to be missing");
        }
        assert_eq!(found.report.memory.total_bytes, None);
    }
}
