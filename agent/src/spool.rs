//! Reports on disk until the server says that they are durable.
//!
//! One file per report, written atomically, with a hash of its content; the report's id and sequence number are in it,
//! so they are fixed before the first sending. Bounded in count and bytes: when it is full, every second report of the
//! older half goes, so that a laptop that was away for a year keeps a sparse history and its newest state. A small
//! reserve file is given back when the disk is full, because a full disk is exactly what must be reported. Nothing
//! already spooled is ever lost to a failed write.

mod record;
mod thinning;

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cartable_common::{
    ReportId, UtcMillis,
    limits::SPOOLED_REPORTS_PER_CHECK_IN,
    machine::{Likeness, is_named},
    protocol::ReportEnvelope,
    report::{Hardware, HealthReport},
};

use self::record::{EXTENSION, NotRead, file_content, file_name, read_record};
pub use self::{
    record::{Record, parse_record},
    thinning::to_thin,
};
use crate::atomic;

/// Most reports kept. A report is made when content changes or weekly: this is months of absence.
pub const MAX_RECORDS: usize = 128;

/// Most bytes kept. 128 reports of 4 KB; below what one check-in may carry, so that a spool always fits a message.
pub const MAX_BYTES: u64 = 512 * 1024;

/// What the reserve holds back on the disk: a dozen reports' room when everything else is full.
const RESERVE_BYTES: usize = 64 * 1024;

const RESERVE: &str = "reserve";
const SEQUENCE: &str = "sequence";

/// The spool of one agent. One process at a time opens it (see [`crate::state::Lock`]).
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    records: Vec<Record>,
    last_sequence: u64,
}

/// A spool that failed.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk failed or is full.
    #[error("the spool could not be {doing} ({source}); free some space or check the disk; what was spooled is kept")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A report that cannot be written as JSON.
    #[error("the report could not be written ({0}); this is a fault in the agent")]
    Json(#[from] serde_json::Error),
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> SpoolError {
    move |source| SpoolError::Io { doing, source }
}

impl Spool {
    /// Opens the spool in `folder`, made if absent. Damaged records are set aside; those that the disk does not give stay for
    /// another start. Each has its line in the log.
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let is_new = !folder.exists();
        make_private_folder(folder).map_err(failed("opened"))?;
        atomic::remove_leftovers(folder).map_err(failed("opened"))?;
        let mut spool = Self { folder: folder.to_owned(), records: Vec::new(), last_sequence: 0 };
        spool.records = spool.read_all().map_err(failed("read"))?;
        let newest = spool.records.last().map_or(0, |record| record.sequence);
        spool.last_sequence = spool.stored_sequence(is_new).max(newest);
        spool.keep_reserve();
        Ok(spool)
    }

    /// What is spooled in `folder`, without changing anything: for a look while the agent runs.
    pub fn peek(folder: &Path) -> Vec<Record> {
        let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut records: Vec<Record> = paths.filter_map(|path| Some(read_record(&path).ok()?.0)).collect();
        records.sort_by_key(|record| record.sequence);
        records
    }

    /// What is spooled, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The number that the next report gets.
    pub const fn next_sequence(&self) -> u64 {
        self.last_sequence + 1
    }

    /// Spools `report` under a new id. When it returns, the report is durable; when it fails, nothing changed but that a number
    /// may be passed over.
    pub fn push(&mut self, report_id: ReportId, now: UtcMillis, report: HealthReport) -> Result<&Record, SpoolError> {
        let sequence = self.next_sequence();
        let envelope = ReportEnvelope { report_id, sequence, measured_at: now, report };
        let content = file_content(&envelope)?;
        // Before the record: that one goes once the server has it, and its number would be given again after a restart.
        self.write_with_reserve(SEQUENCE, sequence.to_string().as_bytes()).map_err(failed("written"))?;
        self.write_with_reserve(&file_name(sequence), content.as_bytes()).map_err(failed("written"))?;
        self.last_sequence = sequence;
        self.records.push(Record {
            sequence,
            report_id,
            measured_at: now,
            content_hash: envelope.report.content_hash(),
            bytes: content.len() as u64,
        });
        self.thin();
        self.keep_reserve();
        Ok(&self.records[self.records.len() - 1])
    }

    /// The next reports to send, oldest first, as many as one check-in may carry. One that cannot be read any more is spooled no
    /// longer: what it said is told again.
    pub fn batch(&mut self) -> Vec<ReportEnvelope> {
        let mut batch = Vec::new();
        while batch.len() < SPOOLED_REPORTS_PER_CHECK_IN {
            // Those before it were read.
            let Some(record) = self.records.get(batch.len()) else { break };
            let path = self.path(record.sequence);
            match read_record(&path) {
                Ok((_, envelope)) => batch.push(envelope),
                Err(reason) => {
                    self.records.remove(batch.len());
                    leave(&path, &reason);
                }
            }
        }
        batch
    }

    /// Forgets the reports that the server answered for. Unknown ids are ignored.
    pub fn forget(&mut self, ids: &[ReportId]) -> Result<usize, SpoolError> {
        let done: Vec<u64> =
            self.records.iter().filter(|record| ids.contains(&record.report_id)).map(|r| r.sequence).collect();
        for sequence in &done {
            self.remove(*sequence).map_err(failed("emptied"))?;
        }
        Ok(done.len())
    }

    /// Drops the reports of other machines than `own`: they came with an image of a disk, and belong to the machine on which
    /// it was taken, which sends them itself. Those that do not say whose they are go too, where `own` has a name.
    pub fn drop_foreign(&mut self, own: &Hardware) -> Result<usize, SpoolError> {
        let is_foreign = |report: &HealthReport| match Likeness::of(&report.hardware, own) {
            Likeness::Same => false,
            Likeness::Other => true,
            Likeness::Unknown => is_named(own),
        };
        let mut foreign = Vec::new();
        for record in &self.records {
            let read = read_record(&self.path(record.sequence));
            if read.is_ok_and(|(_, envelope)| is_foreign(&envelope.report)) {
                foreign.push(record.sequence);
            }
        }
        for sequence in &foreign {
            self.remove(*sequence).map_err(failed("emptied"))?;
        }
        Ok(foreign.len())
    }

    fn remove(&mut self, sequence: u64) -> io::Result<()> {
        match fs::remove_file(self.path(sequence)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => self.records.retain(|record| record.sequence != sequence),
        }
        Ok(())
    }

    fn path(&self, sequence: u64) -> PathBuf {
        self.folder.join(file_name(sequence))
    }

    /// Thins the older half until the bounds hold. Only after the newest is durable.
    fn thin(&mut self) {
        for sequence in to_thin(&self.records, MAX_RECORDS, MAX_BYTES) {
            if let Err(error) = self.remove(sequence) {
                tracing::warn!(%error, "an old report could not be removed from the spool");
            }
        }
    }

    fn write_with_reserve(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let Err(first) = atomic::write(&self.folder, name, content) else { return Ok(()) };
        let is_full = matches!(first.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        if !is_full || fs::remove_file(self.folder.join(RESERVE)).is_err() {
            return Err(first);
        }
        tracing::warn!("the disk is full: the spool uses its reserve");
        atomic::write(&self.folder, name, content)
    }

    /// Puts the reserve back when there is room. Failing is its normal state on a full disk.
    fn keep_reserve(&self) {
        if !self.folder.join(RESERVE).exists() {
            // Not zeros: some file systems would store a hole.
            let _ = atomic::write(&self.folder, RESERVE, &vec![0x5A; RESERVE_BYTES]);
        }
    }

    /// The last number given. Where the counter was lost, the clock in seconds stands in: far above any count, so that
    /// no number is used twice.
    fn stored_sequence(&self, is_new: bool) -> u64 {
        let stored = fs::read_to_string(self.folder.join(SEQUENCE)).ok().and_then(|text| text.trim().parse().ok());
        match stored {
            Some(sequence) => sequence,
            // The newest record carries the last number itself.
            None if is_new || !self.records.is_empty() => 0,
            None => u64::try_from(crate::clock::now().get() / 1000).unwrap_or(0),
        }
    }

    fn read_all(&self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match read_record(&path) {
                Ok((record, _)) => records.push(record),
                Err(reason) => leave(&path, &reason),
            }
        }
        records.sort_by_key(|record| record.sequence);
        Ok(records)
    }
}

/// Leaves the record at `path` where it is if the disk did not give it, for another start may read it; one that is damaged is
/// set aside.
fn leave(path: &Path, reason: &NotRead) {
    match reason {
        NotRead::Disk(_) => tracing::warn!(%reason, "a spooled report cannot be read; what it said is told again"),
        NotRead::Damaged(_) => {
            tracing::warn!(%reason, "a damaged report was set aside");
            if let Err(error) = fs::rename(path, aside(path)) {
                tracing::warn!(%error, "a damaged report could not be set aside; the next start tries again");
            }
        }
    }
}

/// Where a damaged record is kept: nothing reads it again but a person.
fn aside(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
