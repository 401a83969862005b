//! Evidence that tools really wrote is read; what was altered is refused; what proves nothing never passes the gate.
//!
//! The samples of nwipe were made by nwipe 0.33 (Debian 12) and 0.38 (Debian 13) on a loop device of 64 MiB, with a
//! smartctl in its PATH that gives the serial number CTBL-LOOP-0001, for a loop device has none; of their lines only the
//! kernel's version was exchanged. Those of nvme and hdparm are written after their manuals, their sources and published
//! transcripts: this machine has no such drive.

mod any_text;
mod drives;
mod gate;
mod nwipe;
mod transcripts;

use cartable_common::UtcMillis;

use super::{
    BenchClock, Reading,
    evidence::{self, File, Unreadable},
};

fn at(text: &str) -> UtcMillis {
    UtcMillis::new(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap()
}

fn now() -> UtcMillis {
    at("2026-11-30T08:00:00Z")
}

fn read(files: &[(&str, &[u8])]) -> Result<Vec<Reading>, Unreadable> {
    let files: Vec<File<'_>> = files.iter().map(|(name, bytes)| File { name, bytes }).collect();
    evidence::read(&files, BenchClock::Utc, now())
}

fn one(text: &str) -> Result<Reading, Unreadable> {
    read(&[("x.log", text.as_bytes())]).map(|mut readings| {
        assert_eq!(readings.len(), 1);
        readings.remove(0)
    })
}
