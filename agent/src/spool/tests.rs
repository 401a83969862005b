//! What is spooled stays: through a restart, damage, a full spool and a counter that is lost.

use cartable_common::{report::Memory, units::Bytes};
use uuid::Uuid;

use super::*;

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
fn a_record_that_is_damaged_while_the_agent_runs_is_not_counted_as_spooled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let mut spool = Spool::open(&path).unwrap();
    let ids: Vec<_> = (1..=40).map(|size| push(&mut spool, size)).collect();
    // Two in the middle, one in two ways, and the newest.
    let damaged = path.join(file_name(3));
    fs::write(&damaged, "cartable-report 1 of another hash\n{}").unwrap();
    fs::rename(path.join(file_name(7)), path.join("elsewhere")).unwrap();
    fs::write(path.join(file_name(40)), "").unwrap();
    let sent: Vec<ReportId> = spool.batch().iter().map(|envelope| envelope.report_id).collect();
    let expected: Vec<ReportId> = (0..34).filter(|at| ![2, 6].contains(at)).map(|at| ids[at]).collect();
    assert_eq!(sent, expected, "others take their places in the batch");
    assert!(damaged.with_extension("damaged").exists() && !damaged.exists());
    spool.forget(&sent).unwrap();
    assert_eq!(spool.batch().len(), 5, "35 to 39");
    assert_eq!(spool.records().last().map(|record| record.report_id), Some(ids[38]), "what 40 said is told again");
    assert_eq!(spool.next_sequence(), 41, "and under another number");
    let left: Vec<_> = spool.records().iter().map(|record| record.report_id).collect();
    spool.forget(&left).unwrap();
    assert!(spool.batch().is_empty() && spool.records().is_empty(), "nothing waits for ever");
}

#[test]
fn a_record_that_the_disk_does_not_give_stays_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let mut spool = Spool::open(&path).unwrap();
    let id = push(&mut spool, 1);
    let (file, aside) = (path.join(file_name(1)), path.join("aside"));
    // A folder is no file: reading it fails, as on a disk that fails.
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(spool.batch().is_empty() && spool.records().is_empty());
    assert!(Spool::open(&path).unwrap().records().is_empty());
    assert!(!file.with_extension("damaged").exists(), "nobody knows that it is damaged");
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    assert_eq!(Spool::open(&path).unwrap().records()[0].report_id, id);
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
