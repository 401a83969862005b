//! Files that prove erasures: which tool wrote each, and what they say together.

use cartable_common::UtcMillis;

use super::{BenchClock, Reading, Source, hdparm, nvme, nwipe_check, nwipe_log, nwipe_pdf, transcript::Transcript};
use crate::domain::verdict::text_enum;

/// Largest file: a certificate of nwipe has 220 KB and a few for each page of SMART data.
pub const MAX_FILE_BYTES: usize = 4 << 20;
/// Most files at once: a log, and a certificate for each of its drives.
pub const MAX_FILES: usize = 16;
/// How far in the future a tool's clock may lie.
const FUTURE_MILLIS: i64 = 5 * 60 * 1_000;
/// No drive is erased for longer than this.
const LONGEST_DAYS: i64 = 60;

/// A file as it was brought.
#[derive(Clone, Copy, Debug)]
pub struct File<'f> {
    /// What it is called.
    pub name: &'f str,
    /// What it holds.
    pub bytes: &'f [u8],
}

text_enum! {
    /// What a file is counted in.
    pub enum Parts {
        /// Lines of a text.
        Lines = "lines",
        /// Drives of a log.
        Drives = "drives",
        /// Pieces of text of a certificate.
        Texts = "texts",
    }
}

/// Why files are not taken as evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No tool's output.
    #[error("this is neither a log or certificate of nwipe nor what nvme or hdparm print: see docs/erasure.md")]
    NotEvidence,
    /// Nothing was brought.
    #[error("there is no file")]
    NoFile,
    /// Too many, or one that is too large.
    #[error("at most {MAX_FILES} files of {} MiB each", MAX_FILE_BYTES >> 20)]
    TooLong,
    /// A text of more lines, drives or pieces than a run has.
    #[error("a file has more than {0} {1}: bring the output of one run, from its first command to its last")]
    TooMuch(usize, Parts),
    /// A certificate without its log.
    #[error("a certificate of nwipe alone proves nothing, for it is not signed: bring the log of the same run with it")]
    CertificateAlone,
    /// A certificate of a drive that the log does not have.
    #[error("this certificate's drive is not in the log: bring both of the same run")]
    Stranger,
    /// Two logs, or a log beside other tools' output.
    #[error("bring the files of one run at a time")]
    SeveralKinds,
    /// A log to which a second run was appended.
    #[error("this log holds several runs: give nwipe a new --logfile for each run, or cut it")]
    SeveralRuns,
    /// It ends too early.
    #[error("the file ends before the erasure did: bring it whole")]
    CutShort,
    /// Nothing was erased in it.
    #[error("nothing was erased in this run")]
    NothingErased,
    /// The certificate went through another program.
    #[error(
        "this certificate was not written by nwipe itself, or was saved anew by another program: bring the original"
    )]
    SavedAnew,
    /// The lines do not agree.
    #[error("this was altered or is damaged: {what}")]
    Inconsistent {
        /// What does not agree.
        what: String,
    },
    /// A method that nobody knows.
    #[error("the method {0:?} is unknown here, so what it did cannot be judged: enter it by hand, with a witness")]
    UnknownMethod(String),
    /// No serial number.
    #[error(
        "the drive's serial number is missing: for nwipe install smartmontools; for the others run `nvme id-ctrl` or \
         `hdparm -I` into the same file"
    )]
    NoSerial,
    /// nwipe was run with --quiet.
    #[error("the serial number was hidden (nwipe --quiet): such a log names no drive")]
    Anonymous,
    /// The command itself is missing.
    #[error("the command line is missing: run the commands with `sh -x`, so that the file says which erasure it was")]
    NoCommand,
    /// No time.
    #[error("the times are missing: run `date --iso-8601=seconds` before and after, into the same file")]
    NoTime,
    /// The clock was wrong.
    #[error("the erasure lies in the future, or took longer than {LONGEST_DAYS} days: a clock was wrong")]
    Clock,
}

impl Unreadable {
    pub(super) const fn inconsistent(what: String) -> Self {
        Self::Inconsistent { what }
    }

    /// The same, with the drive that it is about.
    pub(super) fn about(self, device: &str) -> Self {
        if let Self::Inconsistent { what } = self {
            return Self::Inconsistent { what: format!("{device}: {what}") };
        }
        self
    }

    /// Every code, for whoever has words for them.
    pub const CODES: [&'static str; 18] = [
        "not_evidence",
        "no_file",
        "too_long",
        "too_much",
        "certificate_alone",
        "stranger",
        "several_kinds",
        "several_runs",
        "cut_short",
        "nothing_erased",
        "saved_anew",
        "inconsistent",
        "unknown_method",
        "no_serial",
        "anonymous",
        "no_command",
        "no_time",
        "clock",
    ];

    /// A word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEvidence => "not_evidence",
            Self::NoFile => "no_file",
            Self::TooLong => "too_long",
            Self::TooMuch(..) => "too_much",
            Self::CertificateAlone => "certificate_alone",
            Self::Stranger => "stranger",
            Self::SeveralKinds => "several_kinds",
            Self::SeveralRuns => "several_runs",
            Self::CutShort => "cut_short",
            Self::NothingErased => "nothing_erased",
            Self::SavedAnew => "saved_anew",
            Self::Inconsistent { .. } => "inconsistent",
            Self::UnknownMethod(_) => "unknown_method",
            Self::NoSerial => "no_serial",
            Self::Anonymous => "anonymous",
            Self::NoCommand => "no_command",
            Self::NoTime => "no_time",
            Self::Clock => "clock",
        }
    }
}

/// What the files of one run say, a reading for each drive. `clock` is what nwipe's times are taken for; nvme's and
/// hdparm's carry their own offset.
pub fn read(files: &[File<'_>], clock: BenchClock, now: UtcMillis) -> Result<Vec<Reading>, Unreadable> {
    if files.is_empty() {
        return Err(Unreadable::NoFile);
    }
    if files.len() > MAX_FILES || files.iter().any(|file| file.bytes.len() > MAX_FILE_BYTES) {
        return Err(Unreadable::TooLong);
    }
    let (pdfs, texts): (Vec<&File<'_>>, Vec<&File<'_>>) =
        files.iter().partition(|file| file.bytes.starts_with(b"%PDF-"));
    let readings = match texts.as_slice() {
        [] if pdfs.iter().any(|file| nwipe_pdf::is_certificate(file.bytes)) => {
            return Err(Unreadable::CertificateAlone);
        }
        [] => return Err(Unreadable::NotEvidence),
        [text] => read_text(&String::from_utf8_lossy(text.bytes), &pdfs, clock)?,
        _ => return Err(Unreadable::SeveralKinds),
    };
    for reading in &readings {
        let took = reading.ended_at.millis_since(reading.started_at);
        let late = reading.ended_at.millis_since(now) > FUTURE_MILLIS;
        if late || !(0..=LONGEST_DAYS * UtcMillis::DAY).contains(&took) {
            return Err(Unreadable::Clock);
        }
    }
    Ok(readings)
}

fn read_text(text: &str, pdfs: &[&File<'_>], clock: BenchClock) -> Result<Vec<Reading>, Unreadable> {
    if nwipe_log::is_log(text) {
        return read_nwipe(text, pdfs, clock);
    }
    if !pdfs.is_empty() {
        return Err(Unreadable::SeveralKinds);
    }
    let transcript = Transcript::read(text)?;
    if nvme::is_of_nvme(&transcript) {
        nvme::read(&transcript).map(|reading| vec![reading])
    } else if hdparm::is_of_hdparm(&transcript) {
        hdparm::read(&transcript).map(|reading| vec![reading])
    } else {
        Err(Unreadable::NotEvidence)
    }
}

fn read_nwipe(text: &str, pdfs: &[&File<'_>], clock: BenchClock) -> Result<Vec<Reading>, Unreadable> {
    let log = nwipe_log::read(text)?;
    let mut readings = nwipe_check::readings(&log, clock)?;
    for file in pdfs {
        if !nwipe_pdf::is_certificate(file.bytes) {
            return Err(Unreadable::SavedAnew);
        }
        let pdf = nwipe_pdf::read(file.bytes)?;
        let of = readings.iter_mut().find(|reading| pdf.serial.parse().as_ref() == Ok(&reading.drive));
        let reading = of.ok_or(Unreadable::Stranger)?;
        nwipe_check::agree(&log, reading, &pdf)?;
        reading.source = Source::NwipeLogAndPdf;
    }
    Ok(readings)
}
