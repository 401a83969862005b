//! Whether the lines of nwipe's log agree with one another, and its certificate with them.
//!
//! Neither is signed. A log that says `Erased` must bear that out: each pass of the method began, ended and wrote the
//! whole drive; the blanking and what verification was asked for are there; the tables repeat the model, the serial
//! number and no error. One number or word changed alone contradicts another line. Whoever rewrites all of them
//! consistently is not found out by this: the file's hash and the account that brought it are what remains.

use jiff::civil::DateTime;

use super::{
    BenchClock, DriveKey, Medium, Method, Outcome, Reading, Source, Verification,
    evidence::Unreadable,
    nwipe_log::{Log, Run},
    nwipe_pdf::Certificate,
};

/// How far the log and the certificate may differ about a moment, in seconds: the certificate's is taken by the thread
/// that erases, the log's when the line is written.
const SLACK_SECONDS: i64 = 120;
/// Characters of the model and of the serial number that the table of the log has room for (nwipe, `logging.c`).
const TABLE_MODEL_CHARS: usize = 17;

/// The passes of each method (nwipe, `method.c`, as its own logs show them).
const PASSES: [(&str, u32); 8] = [
    ("Fill With Zeros", 1),
    ("Fill With Ones", 1),
    ("PRNG Stream", 1),
    ("DoD Short", 3),
    ("DoD 5220.22-M", 7),
    ("Gutmann Wipe", 35),
    ("RCMP TSSIT OPS-II", 8),
    ("HMG IS5 Enhanced", 3),
];

/// The method that ends with a random pattern of its own instead of blanking.
const OPS2: &str = "RCMP TSSIT OPS-II";

/// What the log says of each drive.
pub(super) fn readings(log: &Log, clock: BenchClock) -> Result<Vec<Reading>, Unreadable> {
    let mut readings = Vec::new();
    for (device, run) in log.runs.iter().filter(|(_, run)| run.started.is_some()) {
        let reading = reading(log, run, clock);
        readings.push(reading.map_err(|wrong| wrong.about(device))?);
    }
    if readings.is_empty() {
        return Err(Unreadable::NothingErased);
    }
    let all_erased =
        readings.iter().all(|reading| reading.outcome == Outcome::Erased || reading.outcome == Outcome::Incomplete);
    if log.said_completed != all_erased {
        return Err(Unreadable::inconsistent("the last line and the table of statuses disagree".to_owned()));
    }
    Ok(readings)
}

fn reading(log: &Log, run: &Run, clock: BenchClock) -> Result<Reading, Unreadable> {
    let status = run.summary.status.as_deref().ok_or(Unreadable::CutShort)?;
    if !log.said_ended {
        return Err(Unreadable::CutShort);
    }
    let drive: DriveKey = run.serial.parse().map_err(|_| Unreadable::NoSerial)?;
    if run.serial.chars().all(|c| matches!(c, 'X' | '?')) {
        return Err(Unreadable::Anonymous);
    }
    let errors = run.summary.errors.ok_or(Unreadable::CutShort)?;
    let outcome = match status {
        "Erased" if run.hidden_sectors => Outcome::Incomplete,
        "Erased" => Outcome::Erased,
        aborted if aborted.contains("ABORT") => Outcome::Aborted,
        _ => Outcome::Failed,
    };
    check_identity(run)?;
    if status == "Erased" {
        check_complete(log, run, errors)?;
    }
    let moment = |time: Option<DateTime>| time.and_then(|time| clock.moment(time)).ok_or(Unreadable::NoTime);
    let capacity = run.bytes;
    // A pass that was broken off names no count: what finished passes wrote is what was erased.
    let bytes_erased = run.written.iter().copied().max();
    Ok(Reading {
        drive,
        model: Some(run.model.clone()).filter(|text| !text.is_empty()),
        medium: if run.bus.to_ascii_uppercase().contains("NVME") { Medium::Flash } else { Medium::Unknown },
        capacity_bytes: capacity,
        method: Method::Overwrite,
        method_name: run.method.clone(),
        tool: "nwipe".to_owned(),
        tool_version: log.version.clone(),
        started_at: moment(run.started)?,
        ended_at: moment(run.ended)?,
        passes: u32::try_from(run.written.len()).unwrap_or(u32::MAX),
        bytes_erased,
        errors: errors.into_iter().fold(run.faults, u64::saturating_add),
        verification: verification(log, run),
        outcome,
        host: log.host.clone(),
        source: Source::NwipeLog,
    })
}

fn wrong(what: &str) -> Unreadable {
    Unreadable::inconsistent(what.to_owned())
}

/// The drive is called the same where it was found and in the table at the end.
fn check_identity(run: &Run) -> Result<(), Unreadable> {
    let cut = |text: &str| text.chars().take(TABLE_MODEL_CHARS).collect::<String>().trim().to_owned();
    let (model, serial) = run.summary.named.rsplit_once('/').ok_or(Unreadable::CutShort)?;
    if serial.trim() != run.serial {
        return Err(wrong("the drive has one serial number where it was found and another in the table of statuses"));
    }
    if cut(model) != cut(&run.model) {
        return Err(wrong("the drive has one model where it was found and another in the table of statuses"));
    }
    Ok(())
}

/// Everything that `Erased` claims is borne out by the lines before.
fn check_complete(log: &Log, run: &Run, errors: [u64; 3]) -> Result<(), Unreadable> {
    let bytes = run.bytes.filter(|bytes| *bytes > 0).ok_or_else(|| wrong("the drive's size is missing"))?;
    let (total_method, code) = log.total.as_ref().ok_or(Unreadable::CutShort)?;
    if run.method != log.method || run.method != *total_method {
        return Err(wrong("the method is called differently in different places"));
    }
    let known = PASSES.iter().find(|(name, _)| *name == run.method);
    let (_, passes) = known.ok_or_else(|| Unreadable::UnknownMethod(run.method.clone()))?;
    let (rounds, blank) = check_code(log, run, code)?;
    let expected: Vec<[u32; 4]> =
        (1..=rounds).flat_map(|round| (1..=*passes).map(move |pass| [pass, *passes, round, rounds])).collect();
    if run.begun != expected || run.finished != expected {
        return Err(wrong("not every pass of the method began and ended once, in order"));
    }
    if run.final_round != Some([rounds, rounds]) {
        return Err(wrong("the last round did not end"));
    }
    let last = usize::from(blank || run.method == OPS2);
    if run.written.len() != expected.len() + last || run.written.iter().any(|written| *written != bytes) {
        return Err(wrong("the bytes written are not the drive's size for each pass"));
    }
    if run.read.iter().any(|read| *read != bytes) {
        return Err(wrong("the bytes read back are not the drive's size"));
    }
    if blank != run.blanked {
        return Err(wrong("the blanking at the end is missing, or was not asked for"));
    }
    if errors != [0; 3] || run.faults > 0 {
        return Err(wrong("it is called erased, and there are errors"));
    }
    check_verification(log, run, (*passes, rounds, blank))
}

/// The code of the last lines (`1R+B+VL`) against the options: the rounds, and whether the drive is blanked at the end.
fn check_code(log: &Log, run: &Run, code: &str) -> Result<(u32, bool), Unreadable> {
    let parts: Vec<&str> = code.split('+').collect();
    let &[rounds, blank, verify] = parts.as_slice() else { return Err(wrong("the code of the run is damaged")) };
    let rounds: u32 = rounds.strip_suffix('R').and_then(|rounds| rounds.parse().ok()).unwrap_or_default();
    let verify = match verify {
        "NV" => 0,
        "VL" => 1,
        "VA" => 2,
        _ => return Err(wrong("the code of the run is damaged")),
    };
    if !(1..=99).contains(&rounds) || log.rounds != Some(rounds) || log.verify != Some(verify) {
        return Err(wrong("the options at the beginning and the code at the end disagree"));
    }
    match blank {
        "B" => Ok((rounds, run.method != OPS2)),
        "NB" => Ok((rounds, false)),
        _ => Err(wrong("the code of the run is damaged")),
    }
}

/// What verification was asked for is there, with as many whole readings.
fn check_verification(log: &Log, run: &Run, (passes, rounds, blank): (u32, u32, bool)) -> Result<(), Unreadable> {
    let looked_at = run.verified.len() + usize::from(run.found_empty) + usize::from(run.final_pattern_verified);
    if run.read.len() != looked_at {
        return Err(wrong("not every reading back has its result"));
    }
    let each_once = || {
        let all = (1..=rounds).flat_map(|round| (1..=passes).map(move |pass| [pass, passes, round, rounds]));
        all.eq(run.verified.iter().copied())
    };
    let last = || run.verified.last() == Some(&[passes, passes, rounds, rounds]);
    let good = match log.verify {
        Some(0) => true,
        Some(1) if run.method == OPS2 => run.final_pattern_verified,
        Some(1) if blank => run.found_empty,
        Some(1) => last(),
        // The method's own last pattern is read back in place of a blank drive.
        Some(2) if run.method == OPS2 => each_once() && run.final_pattern_verified,
        Some(2) => each_once() && (!blank || run.found_empty),
        _ => false,
    };
    if good { Ok(()) } else { Err(wrong("the verification that was asked for is missing")) }
}

fn verification(log: &Log, run: &Run) -> Verification {
    let read_back = run.found_empty || run.final_pattern_verified || !run.verified.is_empty();
    match log.verify {
        Some(2) if read_back => Verification::AllPasses,
        Some(1) if read_back => Verification::LastPass,
        _ => Verification::None,
    }
}

/// Whether the certificate says what the log says of that drive.
pub(super) fn agree(log: &Log, reading: &Reading, pdf: &Certificate) -> Result<(), Unreadable> {
    let run = log.runs.values().find(|run| run.serial.parse() == Ok(reading.drive.clone()));
    let run = run.ok_or(Unreadable::Stranger)?;
    let differ = |what: &str| Unreadable::inconsistent(format!("certificate and log disagree on {what}"));
    if pdf.version != log.version {
        return Err(differ("the version of nwipe"));
    }
    if pdf.model != run.model {
        return Err(differ("the model"));
    }
    if Some(pdf.bytes) != run.bytes {
        return Err(differ("the size"));
    }
    let status_fits = match reading.outcome {
        Outcome::Erased | Outcome::Incomplete => pdf.status == "ERASED",
        Outcome::Aborted => pdf.status.contains("ABORT"),
        Outcome::Failed => pdf.status.contains("FAIL"),
    };
    if !status_fits {
        return Err(differ("the status"));
    }
    if pdf.method != run.method {
        return Err(differ("the method"));
    }
    if Some(pdf.verify) != log.verify {
        return Err(differ("the verification"));
    }
    if log.rounds != Some(pdf.rounds[1]) || (pdf.status == "ERASED") != (pdf.rounds[0] == pdf.rounds[1]) {
        return Err(differ("the rounds"));
    }
    let [pass, verify, sync] = run.summary.errors.unwrap_or_default();
    if pdf.errors != [pass, sync, verify] {
        return Err(differ("the errors"));
    }
    let near =
        |a: Option<DateTime>, b: DateTime| a.is_some_and(|a| a.duration_since(b).as_secs().abs() <= SLACK_SECONDS);
    if !near(run.started, pdf.started) {
        return Err(differ("the beginning"));
    }
    if !near(run.ended, pdf.ended) {
        return Err(differ("the end"));
    }
    if pdf.status == "ERASED" && pdf.erased != Some(pdf.bytes) {
        return Err(differ("the bytes erased"));
    }
    Ok(())
}
