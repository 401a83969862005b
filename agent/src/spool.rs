//! Reports on disk until the server says that they are durable.
//!
//! One file per report, written atomically, with a hash of its content; the report's id and sequence number are in it,
//! so they are fixed before the first sending. Bounded in count and bytes: when it is full, every second report of the
//! older half goes, so that a laptop that was away for a year keeps a sparse history and its newest state. A small
//! reserve file is given back when the disk is full, because a full disk is exactly what must be reported. Nothing
//! already spooled is ever lost to a failed write.

mod record;
mod thinning;

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

use self::record::{EXTENSION, file_content, file_name, read_record};
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
    /// Opens the spool in `folder`, made if absent. Damaged records are set aside and counted in the log.
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

    /// The next reports to send, oldest first, as many as one check-in may carry.
    pub fn batch(&self) -> Vec<ReportEnvelope> {
        let oldest = self.records.iter().take(SPOOLED_REPORTS_PER_CHECK_IN);
        oldest
            .filter_map(|record| read_record(&self.path(record.sequence)).ok().map(|(_, envelope)| envelope))
            .collect()
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
                Err(reason) => {
                    tracing::warn!(%reason, "a damaged report was set aside");
                    fs::rename(&path, path.with_extension("damaged"))?;
                }
            }
        }
        records.sort_by_key(|record| record.sequence);
        Ok(records)
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{report::Memory, units::Bytes};
    use uuid::Uuid;

    fn report(size: u64) -> HealthReport {
        HealthReport { memory: Memory { total_bytes: Bytes::new(size) }, ..HealthReport::default() }
    }

    fn push(spool: &mut Spool, size: u64) -> ReportId {
        spool.push(ReportId(Uuid::new_v4()), UtcMillis::default(), report(size)).unwrap().report_id
    }

    #[test]
    fn what_was_spooled_is_there_after_a_restart_in_order_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::open(&path).unwrap();
        let ids: Vec<_> = (1..=40).map(|size| push(&mut spool, size)).collect();
        let mut spool = Spool::open(&path).unwrap();
        let batch = spool.batch();
        assert_eq!(batch.len(), SPOOLED_REPORTS_PER_CHECK_IN);
        assert_eq!(batch.iter().map(|e| e.report_id).collect::<Vec<_>>(), ids[..32]);
        assert_eq!(batch[4].report, report(5));
        assert_eq!(spool.forget(&ids[..32]).unwrap(), 32);
        assert_eq!(spool.forget(&ids[..32]).unwrap(), 0);
        assert_eq!(Spool::open(&path).unwrap().batch().len(), 8);
    }

    #[test]
    fn numbers_grow_even_when_the_spool_was_emptied_and_when_the_counter_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::open(&path).unwrap();
        let first = push(&mut spool, 1);
        spool.forget(&[first]).unwrap();
        assert_eq!(Spool::open(&path).unwrap().next_sequence(), 2);
        fs::remove_file(path.join(SEQUENCE)).unwrap();
        assert!(Spool::open(&path).unwrap().next_sequence() > 1_000_000_000);
    }

    #[test]
    fn a_counter_that_cannot_be_written_takes_no_report_and_no_number_is_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::open(&path).unwrap();
        let first = push(&mut spool, 1);
        // Nothing can take the place of a folder: the write fails, as on a full disk.
        fs::remove_file(path.join(SEQUENCE)).unwrap();
        fs::create_dir(path.join(SEQUENCE)).unwrap();
        let second = ReportId(Uuid::new_v4());
        let taken = spool.push(second, UtcMillis::default(), report(2)).is_ok();
        let given = if taken { 2 } else { 1 };
        // The server has all of it; the agent starts again, and the counter is what it was.
        spool.forget(&[first, second]).unwrap();
        fs::remove_dir(path.join(SEQUENCE)).unwrap();
        fs::write(path.join(SEQUENCE), "1").unwrap();
        let mut spool = Spool::open(&path).unwrap();
        push(&mut spool, 3);
        assert!(spool.records()[0].sequence > given, "the number {given} was given twice");
    }

    #[test]
    fn reports_of_another_machine_go_and_those_of_this_one_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::open(&path).unwrap();
        let of = |serial: &str| Hardware {
            serial_number: cartable_common::SerialNumber::parse(serial).into(),
            ..Hardware::default()
        };
        for serial in ["PF2MASTER", "PF2OWN", "", "PF2OWN"] {
            let report = HealthReport { hardware: of(serial), ..HealthReport::default() };
            spool.push(ReportId(Uuid::new_v4()), UtcMillis::default(), report).unwrap();
        }
        let left = |spool: &Spool| spool.records().iter().map(|record| record.sequence).collect::<Vec<_>>();
        assert_eq!(spool.drop_foreign(&of("")).unwrap(), 0, "a machine without a name can tell nothing apart");
        assert_eq!(spool.drop_foreign(&of("PF2OWN")).unwrap(), 2);
        assert_eq!(left(&spool), [2, 4]);
        assert_eq!(left(&Spool::open(&path).unwrap()), [2, 4]);
        assert_eq!(spool.next_sequence(), 5);
    }

    #[test]
    fn a_damaged_record_is_set_aside_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::open(&path).unwrap();
        push(&mut spool, 1);
        push(&mut spool, 2);
        let file = path.join(file_name(1));
        let mut content = fs::read(&file).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        fs::write(&file, content).unwrap();
        let spool = Spool::open(&path).unwrap();
        assert_eq!(spool.records().iter().map(|r| r.sequence).collect::<Vec<_>>(), [2]);
        assert!(file.with_extension("damaged").exists());
    }

    #[test]
    fn a_full_spool_keeps_the_newest_and_a_sparse_past() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(&folder.path().join("spool")).unwrap();
        let mut last = None;
        for size in 1..=(MAX_RECORDS as u64 + 10) {
            last = Some(push(&mut spool, size));
        }
        assert!(spool.records().len() <= MAX_RECORDS);
        assert_eq!(spool.records().last().map(|r| r.report_id), last);
        assert!(spool.records()[0].sequence < 10, "the distant past is thinned, not forgotten");
    }
}
