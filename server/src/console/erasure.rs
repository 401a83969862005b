//! The erasure of a device's drives: each drive with what is recorded of it, and what is missing before the device may be
//! lent again or leave.

use askama::Template;
use cartable_common::{Bytes, DeviceId, UtcMillis};
use data_encoding::HEXLOWER;

use super::{
    component::{Badge, Choice, Tone},
    facts::{Fact, fact},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        erasure::{
            BenchClock, Method, Outcome, Source,
            gap::{self, Demand, Gap, Standing},
            hand::may_witness,
        },
        policy::ErasurePolicy,
    },
    store::{erasure::Erasure, erasure_certificate::Certificate, erasure_file::EvidenceFile, erasure_gap::Drives},
};

/// What is read of a device in one unit of work.
#[derive(Clone, Debug)]
pub(super) struct ErasureRead {
    pub(super) device: DeviceId,
    pub(super) name: String,
    pub(super) drives: Drives,
    pub(super) files: Vec<EvidenceFile>,
    pub(super) certificates: Vec<Certificate>,
}

/// What the viewer may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct May {
    /// Record erasures, confirm them, have certificates made.
    pub(super) record: bool,
    /// Declare a drive absent.
    pub(super) declare: bool,
}

/// What one demand asks, and what is missing for it.
#[derive(Debug)]
struct Gate {
    title: String,
    badge: Badge,
    gaps: Vec<String>,
    demand: &'static str,
    open: bool,
}

/// One record of a drive.
#[derive(Debug)]
struct Record {
    badge: Badge,
    title: String,
    facts: Vec<Fact>,
    /// Where another person confirms it.
    witness: Option<String>,
}

/// One drive.
#[derive(Debug)]
struct Drive {
    title: String,
    about: String,
    absent: Vec<String>,
    records: Vec<Record>,
}

#[derive(Debug)]
struct FileLine {
    href: String,
    name: String,
    sha256: String,
    about: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "erasures.html")]
pub(super) struct ErasuresPage {
    shell: Shell,
    csrf: String,
    path: String,
    device: String,
    gates: Vec<Gate>,
    drives: Vec<Drive>,
    files: Vec<FileLine>,
    /// Numbers, where each is checked, and when it was made.
    certificates: Vec<(String, String, String)>,
    may_record: bool,
    may_declare: bool,
    problem: Option<String>,
    known: Vec<Choice>,
    methods: Vec<Choice>,
    clocks: Vec<Choice>,
    today: String,
}

impl ErasuresPage {
    /// The page for what was read; `viewer` is the login of the one who reads it.
    pub(super) fn new(
        shell: Shell,
        read: &ErasureRead,
        policy: &ErasurePolicy,
        (viewer, may): (&str, May),
        (problem, now): (Option<String>, UtcMillis),
    ) -> Self {
        let words = shell.words;
        let path = format!("/devices/{}", read.device);
        let (proofs, absences) = (read.drives.proofs(), read.drives.absences());
        let standing = gap::standing(&read.drives.seen, &proofs, &absences);
        let reader = Reader { words, read, viewer, path: &path, may_record: may.record };
        let choice = |value: &str, label: String| Choice { value: value.to_owned(), label, selected: false };
        Self {
            gates: [Demand::Relend, Demand::Leave].map(|demand| gate(words, demand, &read.drives, policy)).into(),
            drives: standing.iter().map(|drive| reader.drive(drive)).collect(),
            files: read.files.iter().map(|file| file_line(file, &path, words)).collect(),
            certificates: read.certificates.iter().map(|one| certificate(one, words)).collect(),
            known: standing.iter().map(|drive| choice(drive.key.as_str(), drive.key.to_string())).collect(),
            methods: Method::ALL
                .iter()
                .map(|method| choice(method.as_str(), words.word("erasure-method", method.as_str())))
                .collect(),
            clocks: BenchClock::ALL
                .iter()
                .map(|clock| choice(clock.as_str(), words.word("erasure-clock", clock.as_str())))
                .collect(),
            today: crate::domain::paris::date(now).to_string(),
            csrf: shell.csrf(),
            device: read.name.clone(),
            may_record: may.record,
            may_declare: may.declare,
            problem,
            shell,
            path,
        }
    }
}

fn gate(words: Words, demand: Demand, drives: &Drives, policy: &ErasurePolicy) -> Gate {
    let gaps = drives.gap(demand, policy);
    let (tone, key) =
        if gaps.is_empty() { (Tone::Good, "erasure-proven") } else { (Tone::Warning, "erasure-not-proven") };
    Gate {
        title: words.word("erasure-demand", demand.as_str()),
        badge: Badge::new(tone, words.say(key)),
        gaps: gaps.iter().map(|gap| told(gap, words)).collect(),
        demand: demand.as_str(),
        open: gaps.is_empty(),
    }
}

/// What is missing, in a sentence.
pub(super) fn told(gap: &Gap, words: Words) -> String {
    let why = words.word("erasure-why", gap.why.as_str());
    let asked = words.word("erasure-level", gap.asked.as_str());
    let named = gap.key.as_ref().map_or_else(|| words.say("erasure-no-drive"), ToString::to_string);
    format!("{} {}", words.with_two("erasure-gap", &named, &why), words.with("erasure-asked", &asked))
}

fn file_line(file: &EvidenceFile, path: &str, words: Words) -> FileLine {
    FileLine {
        href: format!("{path}/erasures/files/{}", file.id),
        name: file.name.clone(),
        sha256: HEXLOWER.encode(&file.sha256),
        about: words.with_two("erasure-brought", &file.by, &format::date_time(file.at, words)),
    }
}

fn certificate(one: &Certificate, words: Words) -> (String, String, String) {
    let signature = data_encoding::BASE64URL_NOPAD.encode(&one.signature);
    (one.number.clone(), format!("/check/{}?s={signature}", one.number), format::date_time(one.made_at, words))
}

struct Reader<'a> {
    words: Words,
    read: &'a ErasureRead,
    viewer: &'a str,
    path: &'a str,
    may_record: bool,
}

impl Reader<'_> {
    fn drive(&self, drive: &Standing<'_>) -> Drive {
        let words = self.words;
        let seen = drive.seen.map(|seen| words.with("erasure-last-seen", &format::date_time(seen.last_seen, words)));
        let size = drive.seen.and_then(|seen| seen.capacity_bytes).and_then(Bytes::new);
        let about = [
            drive.model.map(str::to_owned),
            Some(words.word("erasure-medium", drive.medium.as_str())),
            size.map(|size| format::disk_size(size, words.language)),
            Some(seen.unwrap_or_else(|| words.say("erasure-never-seen"))),
        ];
        let declared = self.read.drives.declared.iter().filter(|one| one.absence.key == *drive.key);
        let records = self.read.drives.erasures.iter().filter(|one| one.reading.drive == *drive.key);
        Drive {
            title: drive.key.to_string(),
            about: about.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            absent: declared
                .map(|one| {
                    let when = format::date_time(one.absence.declared_at, words);
                    format!("{} {}", words.with_two("erasure-declared", &one.by, &when), one.reason)
                })
                .collect(),
            records: records.map(|one| self.record(one, drive.seen.is_none())).collect(),
        }
    }

    /// A record of a drive that was never seen in the device, or was.
    fn record(&self, erasure: &Erasure, never_seen: bool) -> Record {
        let (words, reading) = (self.words, &erasure.reading);
        let tone = match reading.outcome {
            Outcome::Erased => Tone::Good,
            Outcome::Failed | Outcome::Aborted => Tone::Critical,
            Outcome::Incomplete => Tone::Warning,
        };
        let awaits = (reading.source == Source::Hand || never_seen) && erasure.witness.is_none();
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| format::number(bytes.cast_signed(), words.language));
        let own = |key, value: Option<String>| value.map(|value| fact(words, key, Some(value)));
        let facts = [
            own("erasure-level-name", Some(words.word("erasure-level", erasure.level.as_str()))),
            own("erasure-tool", Some(format!("{} {}", reading.tool, reading.tool_version).trim().to_owned())),
            own("erasure-called", Some(reading.method_name.clone())),
            own("erasure-started", Some(format::date_time(reading.started_at, words))),
            own("erasure-ended", Some(format::date_time(reading.ended_at, words))),
            own("erasure-passes", Some(reading.passes.to_string())),
            own("erasure-bytes", bytes(reading.bytes_erased)),
            own("erasure-capacity", bytes(reading.capacity_bytes)),
            own("erasure-errors", bytes(Some(reading.errors))),
            own("erasure-verification", Some(words.word("erasure-verified", reading.verification.as_str()))),
            own("erasure-host", reading.host.clone()),
            own("erasure-source", Some(words.word("erasure-from", reading.source.as_str()))),
            own("erasure-operator", Some(erasure.operator.clone())),
            own(
                "erasure-witness",
                erasure
                    .witness
                    .as_ref()
                    .map(|(login, at)| words.with_two("erasure-brought", login, &format::date_time(*at, words))),
            ),
        ];
        let offered = awaits && self.may_record && may_witness(&erasure.operator, self.viewer);
        Record {
            badge: if awaits {
                Badge::new(Tone::Warning, words.say("erasure-awaits-witness"))
            } else {
                Badge::new(tone, words.word("erasure-outcome", reading.outcome.as_str()))
            },
            title: words.word("erasure-method", reading.method.as_str()),
            facts: facts.into_iter().flatten().collect(),
            witness: offered.then(|| format!("{}/erasures/{}/witness", self.path, erasure.id)),
        }
    }
}
