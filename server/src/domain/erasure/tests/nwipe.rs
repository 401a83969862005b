//! nwipe's logs and its certificate.

use proptest::prelude::*;

use super::{super::*, at, now, one, read};
use crate::domain::erasure::evidence::{File, Unreadable};

const OLD: &str = include_str!("../samples/nwipe-0.34-zero.log");
const ZERO: &str = include_str!("../samples/nwipe-0.38-zero.log");
const PDF: &[u8] = include_bytes!("../samples/nwipe-0.38-zero.pdf.zst");
const DODSHORT: &str = include_str!("../samples/nwipe-0.38-dodshort-all.log");
const ROUNDS: &str = include_str!("../samples/nwipe-0.38-two-rounds.log");
const OPS2: &str = include_str!("../samples/nwipe-0.38-ops2.log");
const UNVERIFIED: &str = include_str!("../samples/nwipe-0.38-unverified.log");
const ABORTED: &str = include_str!("../samples/nwipe-0.38-aborted.log");
const FAILED: &str = include_str!("../samples/nwipe-0.38-failed.log");
const BYTES: u64 = 67_108_864;

fn pdf() -> Vec<u8> {
    zstd::decode_all(PDF).unwrap()
}

#[test]
fn logs_of_both_versions_say_what_was_done() {
    let old = one(OLD).unwrap();
    assert_eq!((old.drive.as_str(), old.model.as_deref()), ("CTBL-LOOP-0001", Some("Loopback device")));
    assert_eq!((old.tool.as_str(), old.tool_version.as_str()), ("nwipe", "0.33"), "as the log calls itself");
    assert_eq!((old.method, old.method_name.as_str()), (Method::Overwrite, "Fill With Zeros"));
    assert_eq!((old.capacity_bytes, old.bytes_erased), (Some(BYTES), Some(BYTES)));
    assert_eq!((old.passes, old.errors), (2, 0), "one pass, and the blanking");
    assert_eq!((old.outcome, old.verification), (Outcome::Erased, Verification::LastPass));
    assert_eq!(old.source, Source::NwipeLog);
    let new = one(ZERO).unwrap();
    assert_eq!(new.tool_version, "0.38");
    assert_eq!((new.started_at, new.ended_at), (at("2026-11-29T20:26:24Z"), at("2026-11-29T20:26:25Z")));
    for (log, passes, verification) in [
        (DODSHORT, 4, Verification::AllPasses),
        (ROUNDS, 2, Verification::LastPass),
        (OPS2, 9, Verification::LastPass),
        (UNVERIFIED, 2, Verification::None),
    ] {
        let reading = one(log).unwrap();
        assert_eq!((reading.outcome, reading.errors), (Outcome::Erased, 0), "{}", reading.method_name);
        assert_eq!((reading.passes, reading.verification), (passes, verification), "{}", reading.method_name);
    }
}

#[test]
fn paris_time_is_earlier_than_the_same_clock_in_utc() {
    let files = [File { name: "x", bytes: ZERO.as_bytes() }];
    let in_paris = evidence::read(&files, BenchClock::Paris, now()).unwrap().remove(0);
    assert_eq!(in_paris.ended_at, at("2026-11-29T19:26:25Z"));
}

#[test]
fn what_failed_or_was_broken_off_is_recorded_as_such() {
    let aborted = one(ABORTED).unwrap();
    assert_eq!(aborted.outcome, Outcome::Aborted);
    let failed = one(FAILED).unwrap();
    assert_eq!(failed.outcome, Outcome::Failed);
    assert!(failed.errors >= 131_073, "{}", failed.errors);
    assert_eq!((failed.verification, failed.bytes_erased), (Verification::None, None));
}

#[test]
fn the_certificate_confirms_its_log() {
    let both = read(&[("nwipe.log", ZERO.as_bytes()), ("report.pdf", &pdf())]).unwrap();
    let alone = one(ZERO).unwrap();
    assert_eq!(both, [Reading { source: Source::NwipeLogAndPdf, ..alone }]);
    assert_eq!(read(&[("report.pdf", &pdf())]), Err(Unreadable::CertificateAlone));
    // Of another run of the same drive: other times, another method.
    for other in [OLD, DODSHORT, UNVERIFIED, ABORTED] {
        let error = read(&[("nwipe.log", other.as_bytes()), ("report.pdf", &pdf())]).unwrap_err();
        assert!(matches!(error, Unreadable::Inconsistent { .. }), "{error}");
    }
}

/// The certificate with one text exchanged for another.
fn forged(from: &str, to: &str) -> Vec<u8> {
    let (whole, from) = (pdf(), from.as_bytes());
    let places: Vec<usize> =
        whole.windows(from.len()).enumerate().filter(|(_, text)| *text == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "{}", String::from_utf8_lossy(from));
    let mut made = whole.clone();
    made.splice(places[0]..places[0] + from.len(), to.bytes());
    made
}

#[test]
fn a_certificate_that_was_altered_is_refused() {
    let log = ("nwipe.log", ZERO.as_bytes());
    for (from, to) in [
        ("(CTBL-LOOP-0001)", "(CTBL-LOOP-0002)"),
        ("(Loopback device)", "(Loopback devise)"),
        ("( S/N: CTBL-LOOP-0001 )", "( S/N: CTBL-LOOP-0009 )"),
        ("67108864 bytes", "67108865 bytes"),
        ("(67108864, ", "(67108860, "),
        ("\\(100.00%\\)", "\\(100.01%\\)"),
        ("(ERASED)", "(FAILED)"),
        ("(Fill With Zeros)", "(PRNG Stream)"),
        ("(Verify Last)", "(Verify All)"),
        ("(1/1)", "(0/1)"),
        ("(0/0/0)", "(0/0/1)"),
        ("(2026/11/29 20:26:24)", "(2026/11/30 20:26:24)"),
        ("(2026/11/29 20:26:25)", "(2026/11/29 20:46:25)"),
        ("(00:00:01)", "(00:10:01)"),
        ("NWIPE version 0.38", "NWIPE version 0.42"),
        ("%%EOF", "%%EOX"),
        ("Page 1 - Erasure Status", "Page 1 - Erasure status"),
    ] {
        let error = read(&[log, ("report.pdf", &forged(from, to))]).map(|_| ()).unwrap_err();
        let refused = matches!(
            error,
            Unreadable::Inconsistent { .. } | Unreadable::Stranger | Unreadable::SavedAnew | Unreadable::CutShort
        );
        assert!(refused, "{from} → {to}: {error:?}");
    }
}

#[test]
fn a_log_that_was_altered_is_refused() {
    for (from, to) in [
        // A drive that was not erased, passed off as this one.
        ("S/N=CTBL-LOOP-0001", "S/N=CTBL-LOOP-0002"),
        ("Loopback device/CTBL-LOOP-0001", "Loopback device/CTBL-LOOP-0002"),
        ("VIRT    , Loopback device,", "VIRT    , Samsung SSD 980,"),
        // A larger one.
        ("512/4096/67108864", "512/4096/500107862016"),
        (
            "67108864 bytes written to /dev/loop0\n[2026/11/29 20:26:24]  notice: Finished pass",
            "6710886 bytes written to /dev/loop0\n[2026/11/29 20:26:24]  notice: Finished pass",
        ),
        ("67108864 bytes read", "67108 bytes read"),
        // More than was done.
        ("method   = Fill With Zeros", "method   = DoD Short"),
        ("Invoking method 'Fill With Zeros'", "Invoking method 'Gutmann Wipe'"),
        ("B/s, Fill With Zeros, 1R+B+VL", "B/s, Fill With Zeros, 1R+B+VA"),
        ("B/s, Fill With Zeros, 1R+B+VL", "B/s, Fill With Zeros, 2R+B+VL"),
        ("verify   = 1 (last pass)", "verify   = 2 (all passes)"),
        ("rounds   = 1", "rounds   = 3"),
        ("[SUCCESS] Verified that /dev/loop0 is empty.", "Verified nothing"),
        ("[SUCCESS] Blanked device /dev/loop0", "Blanked"),
        ("Finished pass 1/1, round 1/1, on /dev/loop0", "Something else"),
        ("Finished final round 1 of 1 on /dev/loop0", "Something else"),
        ("Starting pass 1/1, round 1/1", "Starting pass 1/2, round 1/1"),
        // Errors that do not fit.
        ("     loop0 |           0 |                    0 |", "     loop0 |           1 |                    0 |"),
        (
            "[2026/11/29 20:26:24]  notice: Finished pass",
            "[2026/11/29 20:26:24]   fatal: Unable to write to '/dev/loop0'.\n[2026/11/29 20:26:24]  notice: Finished pass",
        ),
        ("Nwipe successfully completed.", "Nwipe exited with errors, check"),
        // Lines moved.
        ("[2026/11/29 20:26:25]  notice: Verifying", "[2026/11/29 20:16:25]  notice: Verifying"),
    ] {
        assert!(ZERO.contains(from), "{from}");
        let error = one(&ZERO.replacen(from, to, 1)).map(|_| ()).unwrap_err();
        assert!(matches!(error, Unreadable::Inconsistent { .. }), "{from} → {to}: {error:?}");
    }
}

#[test]
fn a_failure_does_not_become_a_success_by_one_word() {
    for log in [ABORTED, FAILED] {
        for (from, to) in [("|UABORTED|", "| Erased |"), ("|-FAILED-|", "| Erased |")] {
            if !log.contains(from) {
                continue;
            }
            let error = one(&log.replace(from, to)).unwrap_err();
            assert!(matches!(error, Unreadable::Inconsistent { .. } | Unreadable::UnknownMethod(_)), "{error:?}");
            let all = log
                .replace(from, to)
                .replace("Nwipe was aborted by the user. Check", "Nwipe successfully completed. See")
                .replace("Nwipe exited with errors, check the log &", "Nwipe successfully completed. See");
            assert!(one(&all).is_err());
        }
    }
    let unverified = one(&UNVERIFIED.replace("verify   = 0 (off)", "verify   = 1 (last pass)").replace("+NV", "+VL"));
    assert!(matches!(unverified.unwrap_err(), Unreadable::Inconsistent { .. }));
}

#[test]
fn what_is_no_whole_log_says_so() {
    let cut = |lines: usize| ZERO.split_inclusive('\n').take(lines).collect::<String>();
    assert_eq!(one(&cut(40)), Err(Unreadable::CutShort));
    assert_eq!(one("hello"), Err(Unreadable::NotEvidence));
    assert_eq!(read(&[]), Err(Unreadable::NoFile));
    assert_eq!(one(&format!("{ZERO}{ZERO}")).unwrap_err().code(), "inconsistent", "time runs backwards");
    let later = ZERO.replace("2026/11/29", "2026/11/30").replace("20:26", "07:26");
    assert_eq!(one(&format!("{ZERO}{later}")), Err(Unreadable::SeveralRuns));
    assert_eq!(one(&ZERO.replace("CTBL-LOOP-0001", "")), Err(Unreadable::NoSerial));
    assert_eq!(one(&ZERO.replace("CTBL-LOOP-0001", "XXXXXX")), Err(Unreadable::Anonymous));
    assert_eq!(one(&ZERO.replace("2026/11/29", "2027/11/29")), Err(Unreadable::Clock));
    let unknown = one(&ZERO.replace("Fill With Zeros", "Bruce Schneier's"));
    assert_eq!(unknown, Err(Unreadable::UnknownMethod("Bruce Schneier's".into())));
    let logs = [("a", ZERO.as_bytes()), ("b", OLD.as_bytes())];
    assert_eq!(read(&logs), Err(Unreadable::SeveralKinds));
    assert_eq!(read(&[("a", &vec![b'x'; evidence::MAX_FILE_BYTES + 1])]), Err(Unreadable::TooLong));
}

#[test]
fn hidden_sectors_leave_an_erasure_incomplete() {
    let warned = ZERO.replacen(
        "[2026/11/29 20:26:24]    info: /dev/loop0, sector",
        "[2026/11/29 20:26:24] warning:  *** HIDDEN SECTORS DETECTED ! *** on /dev/loop0\n[2026/11/29 20:26:24]    info: /dev/loop0, sector",
        1,
    );
    assert_ne!(warned, ZERO);
    assert_eq!(one(&warned).unwrap().outcome, Outcome::Incomplete);
}

#[test]
fn a_run_of_several_drives_has_a_reading_for_each() {
    // The same drive twice, under another name and serial number: what nwipe writes of two.
    let mut second = String::new();
    for line in ZERO.lines() {
        let other = line.replace("loop0", "loop1").replace("LOOP-0001", "LOOP-0002");
        if other == line {
            second.extend([line, "\n"]);
        } else {
            second.extend([line, "\n", &other, "\n"]);
        }
    }
    let readings = read(&[("x", second.as_bytes()), ("y.pdf", &pdf())]).unwrap();
    let told: Vec<(&str, Source)> = readings.iter().map(|one| (one.drive.as_str(), one.source)).collect();
    assert_eq!(told, [("CTBL-LOOP-0001", Source::NwipeLogAndPdf), ("CTBL-LOOP-0002", Source::NwipeLog)]);
}

proptest! {
    /// Whatever one byte of a good log becomes, the reading is refused, or says nothing better than the truth.
    #[test]
    fn no_single_byte_makes_a_log_say_more(place in 0..ZERO.len(), byte in 0_u8..128) {
        let truth = one(ZERO).unwrap();
        let mut bytes = ZERO.as_bytes().to_vec();
        bytes[place] = byte;
        if let Ok(readings) = read(&[("x", &bytes)]) {
            for reading in readings {
                prop_assert_eq!(&reading.drive, &truth.drive);
                prop_assert_eq!(reading.capacity_bytes, truth.capacity_bytes);
                prop_assert!(reading.verification <= truth.verification);
                prop_assert!(reading.bytes_erased <= truth.bytes_erased);
                prop_assert!(reading.passes <= truth.passes);
            }
        }
    }

    /// Nothing that a person may bring stops the program.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), pdf in any::<bool>()) {
        let mut file = if pdf { b"%PDF-1.3\nmartijnvanbrummelen/nwipe\nBT ".to_vec() } else { b"banner = nwipe 1\n".to_vec() };
        file.extend(&bytes);
        let _ = read(&[("x", &file)]);
        let _ = read(&[("x", ZERO.as_bytes()), ("y", &file)]);
    }
}
