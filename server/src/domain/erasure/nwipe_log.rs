//! nwipe's log: what it says of each drive, line by line. Whether the lines agree is judged in `nwipe_check`.
//!
//! Read from what nwipe 0.33 (Debian 12) and 0.38 (Debian 13) really wrote; the words are those of its `src/pass.c`,
//! `src/method.c`, `src/device.c` and `src/logging.c`.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::evidence::{Parts, Unreadable};

/// Most lines of a log: ten drives with Gutmann's 35 passes, verified, write about four thousand.
const MOST_LINES: usize = 50_000;
/// Most drives of one run.
const MOST_DRIVES: usize = 64;

/// What the tables at the end say of a drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Pass errors, verification errors, errors of fdatasync.
    pub(super) errors: Option<[u64; 3]>,
    /// `Erased`, `-FAILED-`, `UABORTED`…
    pub(super) status: Option<String>,
    /// `MODEL/SERIAL`.
    pub(super) named: String,
}

/// What the log says of one drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a line that the log has or has not")]
pub(super) struct Run {
    pub(super) bus: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) bytes: Option<u64>,
    pub(super) method: String,
    pub(super) started: Option<DateTime>,
    pub(super) ended: Option<DateTime>,
    /// `(pass, passes, round, rounds)` of each that began, and of each that ended.
    pub(super) begun: Vec<[u32; 4]>,
    pub(super) finished: Vec<[u32; 4]>,
    pub(super) verified: Vec<[u32; 4]>,
    pub(super) written: Vec<u64>,
    pub(super) read: Vec<u64>,
    pub(super) final_round: Option<[u32; 2]>,
    pub(super) blanked: bool,
    pub(super) found_empty: bool,
    pub(super) final_pattern_verified: bool,
    pub(super) hidden_sectors: bool,
    pub(super) faults: u64,
    pub(super) summary: Summary,
}

/// A log, as its lines have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) version: String,
    pub(super) method: String,
    pub(super) rounds: Option<u32>,
    pub(super) verify: Option<u32>,
    /// Serial number of the machine that it ran on.
    pub(super) host: Option<String>,
    /// `Fill With Zeros, 1R+B+VL`.
    pub(super) total: Option<(String, String)>,
    /// The last line's word on the whole run.
    pub(super) said_completed: bool,
    pub(super) said_ended: bool,
    pub(super) runs: BTreeMap<String, Run>,
}

/// Whether a text is a log of nwipe at all.
pub(super) fn is_log(text: &str) -> bool {
    text.lines().take(400).any(|line| line.contains("banner") && line.contains("= nwipe "))
}

/// Reads a log. Damage that lines show by themselves (times that run backwards, two runs in one file) is an error.
pub(super) fn read(text: &str) -> Result<Log, Unreadable> {
    let mut log = Log::default();
    let (mut table, mut last): (Table, Option<DateTime>) = (Table::None, None);
    let mut starts = 0;
    for (index, line) in text.lines().enumerate() {
        if index >= MOST_LINES {
            return Err(Unreadable::TooMuch(MOST_LINES, Parts::Lines));
        }
        match stamped(line) {
            Some((at, level, message)) => {
                if last.is_some_and(|last| at < last) {
                    return Err(Unreadable::inconsistent(format!("line {}: time runs backwards", index + 1)));
                }
                last = Some(at);
                starts += usize::from(message == "Program options are set as follows...");
                log.message(at, level, message);
            }
            None => table = table.line(line, &mut log),
        }
        if log.runs.len() > MOST_DRIVES {
            return Err(Unreadable::TooMuch(MOST_DRIVES, Parts::Drives));
        }
    }
    match starts {
        0 => Err(Unreadable::NotEvidence),
        1 => Ok(log),
        _ => Err(Unreadable::SeveralRuns),
    }
}

/// Which of the two tables at the end a line stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    None,
    Errors,
    Status,
}

impl Table {
    fn line(self, line: &str, log: &mut Log) -> Self {
        if line.contains(" Error Summary ") {
            return Self::Errors;
        }
        if line.contains(" Drive Status ") {
            return Self::Status;
        }
        let cells: Vec<&str> = line.trim_start_matches('!').split('|').map(str::trim).collect();
        match (self, cells.as_slice()) {
            (Self::Errors, [name, pass, verify, sync]) => {
                let numbers = [pass, verify, sync].map(|cell| cell.parse::<u64>().ok());
                if let ([Some(pass), Some(verify), Some(sync)], Some(run)) = (numbers, log.named(name)) {
                    run.summary.errors = Some([pass, verify, sync]);
                }
            }
            // A model may hold a bar of its own.
            (Self::Status, [name, status, _, _, named @ ..]) if *name != "Device" && !named.is_empty() => {
                if let Some(run) = log.named(name) {
                    run.summary.status = Some((*status).to_owned());
                    run.summary.named = named.join("|");
                }
            }
            _ => {}
        }
        self
    }
}

/// `[2026/11/29 20:26:24]  notice: MESSAGE`
fn stamped(line: &str) -> Option<(DateTime, &str, &str)> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
    let at = moment(stamp)?;
    // The line with the throughput has no level.
    match rest.split_once(':') {
        Some((level, message)) if !level.trim().contains(' ') => Some((at, level.trim(), message.trim())),
        _ => Some((at, "", rest.trim())),
    }
}

/// `2026/11/29 20:26:24`, as nwipe writes moments in its log and on its certificate.
pub(super) fn moment(text: &str) -> Option<DateTime> {
    let (day, time) = text.trim().split_once(' ')?;
    let numbers = |text: &str, sign| -> Option<[i16; 3]> {
        let parts: Vec<i16> = text.split(sign).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(day, '/')?, numbers(time, ':')?);
    let small = |number: i16| i8::try_from(number).ok();
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()
}

/// The numbers of `pass 1/3, round 2/2` and of `pass 1 of 3, round 2 of 2`.
fn counted(text: &str) -> Option<[u32; 4]> {
    let plain = text.replace(" of ", "/").replace("pass ", "").replace("round ", "");
    let numbers: Vec<u32> =
        plain.split(['/', ',']).map(|part| part.trim().parse().ok()).collect::<Option<Vec<u32>>>()?;
    numbers.try_into().ok()
}

/// Whether `message` speaks of `device` and not of one whose name is longer: `/dev/sda` is not `/dev/sdaa`.
fn mentions(message: &str, device: &str) -> bool {
    let whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    message.match_indices(device).any(|(at, found)| whole(&message[at + found.len()..]))
}

impl Log {
    /// The run of the drive that the tables call `name`: the last part of its path, which they may cut.
    fn named(&mut self, name: &str) -> Option<&mut Run> {
        let path = format!("/dev/{name}");
        if self.runs.contains_key(&path) {
            return self.runs.get_mut(&path);
        }
        let mut cut = self.runs.iter_mut().filter(|(device, _)| device.ends_with(name) && !name.is_empty());
        let found = cut.next();
        if cut.next().is_some() { None } else { found.map(|(_, run)| run) }
    }

    fn run(&mut self, device: &str) -> &mut Run {
        self.runs.entry(device.trim().trim_matches(['\'', '.']).to_owned()).or_default()
    }

    fn message(&mut self, at: DateTime, level: &str, message: &str) {
        if let Some((name, value)) = message.split_once(" = ").or_else(|| message.split_once("= ")) {
            self.option(name.trim(), value.trim());
        }
        if let Some(total) = message.strip_prefix("Total Throughput") {
            self.total = total.split_once(',').map(|(_, rest)| rest).and_then(|rest| {
                let (method, code) = rest.rsplit_once(',')?;
                Some((method.trim().to_owned(), code.trim().to_owned()))
            });
        }
        self.said_completed |= message.starts_with("Nwipe successfully completed");
        self.said_ended |= message.starts_with("Nwipe ") && message.contains("summary table");
        self.found(message);
        self.of_drive(at, message);
        if matches!(level, "error" | "fatal" | "sanity") {
            for (_, run) in self.runs.iter_mut().filter(|(device, _)| mentions(message, device)) {
                run.faults += 1;
            }
        }
    }

    fn option(&mut self, name: &str, value: &str) {
        match name {
            "banner" => value.strip_prefix("nwipe ").unwrap_or(value).clone_into(&mut self.version),
            "method" => value.clone_into(&mut self.method),
            "rounds" => self.rounds = value.parse().ok(),
            "verify" => self.verify = value.split(' ').next().and_then(|number| number.parse().ok()),
            "system-serial-number" => self.host = Some(value.to_owned()).filter(|text| !text.is_empty()),
            _ => {}
        }
    }

    /// `Found /dev/sda, ATA, MODEL, 500 GB, S/N=SERIAL`
    fn found(&mut self, message: &str) {
        let parts = || {
            let (device, rest) = message.strip_prefix("Found ")?.split_once(", ")?;
            let (rest, serial) = rest.rsplit_once(", S/N=")?;
            let (bus, rest) = rest.split_once(", ")?;
            let (model, _) = rest.rsplit_once(", ")?;
            Some((device, bus, model, serial))
        };
        let Some((device, bus, model, serial)) = parts() else { return };
        let run = self.run(device);
        for (field, text) in [(&mut run.bus, bus), (&mut run.model, model), (&mut run.serial, serial)] {
            text.trim().clone_into(field);
        }
    }

    fn of_drive(&mut self, at: DateTime, message: &str) {
        let about = |before: &str, between: &str| {
            let (middle, device) = message.strip_prefix(before)?.rsplit_once(between)?;
            Some((middle.trim_end_matches(',').to_owned(), device.to_owned()))
        };
        if let Some((device, sizes)) = message.split_once(", sect/blk/dev ") {
            self.run(device).bytes = sizes.rsplit('/').next().and_then(|bytes| bytes.parse().ok());
        } else if let Some((method, device)) = about("Invoking method '", "' on ") {
            let run = self.run(&device);
            run.method = method;
            run.started = Some(at);
            run.ended = Some(at);
        } else if let Some((counts, device)) = about("Starting ", " on ") {
            if let Some(counts) = counted(&counts) {
                self.run(&device).begun.push(counts);
            }
        } else if let Some((counts, device)) = about("Finished final round ", " on ") {
            let numbers = counted(&format!("1/1,{counts}"));
            self.run(&device).final_round = numbers.map(|[_, _, round, rounds]| [round, rounds]);
        } else if let Some((counts, device)) = about("Finished ", " on ") {
            if let Some(counts) = counted(&counts) {
                self.run(&device).finished.push(counts);
            }
        } else if let Some((counts, device)) = about("Verified ", " on ") {
            if let Some(counts) = counted(&counts) {
                self.run(&device).verified.push(counts);
            }
        } else if let Some((count, device)) = about("", " bytes written to ") {
            self.run(&device).written.push(count.parse().unwrap_or_default());
        } else if let Some((count, device)) = about("", " bytes read from ") {
            self.run(&device).read.push(count.parse().unwrap_or_default());
        } else if let Some(done) = message.strip_prefix("[SUCCESS] ") {
            self.success(done);
        } else if let Some((_, device)) = about("", "HIDDEN SECTORS DETECTED ! *** on ") {
            self.run(&device).hidden_sectors = true;
        }
        // The last line that speaks of a drive, before the tables, is when its erasure ended.
        for (device, run) in &mut self.runs {
            if run.started.is_some() && mentions(message, device) {
                run.ended = Some(at);
            }
        }
    }

    fn success(&mut self, done: &str) {
        if let Some(device) = done.strip_prefix("Blanked device ") {
            self.run(device).blanked = true;
        } else if let Some(device) =
            done.strip_prefix("Verified that ").and_then(|rest| rest.strip_suffix(" is empty."))
        {
            self.run(device).found_empty = true;
        } else if let Some(device) =
            done.strip_prefix("Verified FRP on ").and_then(|rest| rest.strip_suffix(" matches"))
        {
            self.run(device).final_pattern_verified = true;
        }
    }
}
