//! Who reads the machine, and how often the drives are asked.
//!
//! Serial numbers and drives' health are for root alone; a program that speaks with the world should not be root. The
//! packaged service therefore reads through a *probe*: the same program, started by systemd for each question as root
//! without a network, which answers one line with a report, or has the drives test themselves, and ends. Elsewhere the
//! agent reads by itself.
//!
//! The drives answer once a day; in between, what they said stands, as long as the kernel sees the same drives.

use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::time::Duration;

use cartable_common::{
    UtcMillis,
    action::SelfTestAnswer,
    report::{Drive, Hardware, HealthReport, Subject, Unread, UnreadReason},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    collect::{Drives, Sources, collect, test_drives},
    fairness::{self, Surroundings},
};

/// Largest answer of a probe: ten times a report with sixteen drives.
#[cfg(target_os = "linux")]
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Longest wait for a probe: sixteen drives of twenty seconds, and its start.
#[cfg(target_os = "linux")]
const PROBE_LIMIT: Duration = Duration::from_mins(6);

/// The question "without asking the drives".
const FACTS: &str = "facts";

/// The question "with what the drives say".
const FACTS_AND_DRIVES: &str = "facts and drives";

/// The request "tell the drives to test themselves".
const TEST_DRIVES: &str = "test drives";

/// Who reads.
#[derive(Clone, Debug)]
pub enum Reader {
    /// This process.
    Own(Sources),
    /// The probe behind this socket.
    Probe(PathBuf),
    /// Nobody any more: read before this process gave its rights away.
    Given(Box<HealthReport>),
}

/// A machine that could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error(
    "the probe did not answer ({0}); see: systemctl status cartable-agent-probe.socket, journalctl -u 'cartable-agent-probe@*'"
)]
pub struct ReadError(String);

/// Whether somebody waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The service's own rhythm: drives once a day.
    Planned,
    /// A person asked: everything now.
    Wanted,
}

/// What the drives said, and of which drives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDrives {
    /// When they were asked.
    pub asked_at: UtcMillis,
    /// The drives as the kernel alone sees them.
    as_seen: Vec<Drive>,
    /// The drives with what they said.
    said: Vec<Drive>,
    /// What they did not say.
    unread: Vec<Unread>,
}

impl Reader {
    /// Reads once.
    pub async fn read(&self, drives: Drives) -> Result<HealthReport, ReadError> {
        match self {
            Self::Own(sources) => Ok(collect(sources, drives).await),
            Self::Probe(socket) => ask(socket, question(drives)).await,
            Self::Given(report) => Ok(HealthReport::clone(report)),
        }
    }

    /// Which machine this is; unknown where it cannot be read, which the server's people will see.
    pub async fn hardware(&self) -> Hardware {
        match self.read(Drives::Leave).await {
            Ok(report) => report.hardware,
            Err(error) => {
                tracing::error!(%error, "the machine could not be read; it enrols without a serial number");
                Hardware::default()
            }
        }
    }

    /// Tells the drives to test themselves. Who gave its rights away cannot, and says of no drive that it did.
    pub async fn test_drives(&self) -> Result<Vec<SelfTestAnswer>, ReadError> {
        match self {
            Self::Own(sources) => Ok(test_drives(sources).await),
            Self::Probe(socket) => ask(socket, TEST_DRIVES).await,
            Self::Given(_) => Ok(Vec::new()),
        }
    }

    /// Reads, with the drives' health at most daily. Returns what to keep where the drives were asked.
    pub async fn read_fairly(
        &self,
        occasion: Occasion,
        kept: Option<&KeptDrives>,
        around: &Surroundings,
        now: UtcMillis,
    ) -> Result<(HealthReport, Option<KeptDrives>), ReadError> {
        if let Self::Given(report) = self {
            return Ok((HealthReport::clone(report), None));
        }
        let seen = self.read(Drives::Leave).await?;
        let fitting = kept.filter(|kept| kept.as_seen == seen.drives);
        let asks = !seen.drives.is_empty()
            && (occasion == Occasion::Wanted
                || self.is_recording()
                || fairness::may_ask_drives(around, fitting.map(|kept| kept.asked_at), now));
        if !asks {
            return Ok((fitting.map_or_else(|| seen.clone(), |kept| kept.complete(seen.clone())), None));
        }
        let as_seen = seen.drives.clone();
        let full = self.read(Drives::Ask).await?;
        match fitting {
            // A drive that sleeps on is asked again next time; until then its last word stands.
            Some(kept) if is_asleep(&full) => Ok((kept.complete(seen), None)),
            _ => {
                let kept = (!is_asleep(&full)).then(|| KeptDrives::of(as_seen, &full, now));
                Ok((full, kept))
            }
        }
    }

    /// A recorded machine's drives are files.
    fn is_recording(&self) -> bool {
        matches!(self, Self::Own(sources) if sources.root != Path::new("/"))
    }
}

impl From<Sources> for Reader {
    fn from(sources: Sources) -> Self {
        Self::Own(sources)
    }
}

impl KeptDrives {
    fn of(as_seen: Vec<Drive>, full: &HealthReport, asked_at: UtcMillis) -> Self {
        let unread = full.unread.iter().filter(|entry| is_of_drives(entry)).cloned().collect();
        Self { asked_at, as_seen, said: full.drives.clone(), unread }
    }

    /// A report of the same drives, with what they said.
    fn complete(&self, mut report: HealthReport) -> HealthReport {
        report.drives.clone_from(&self.said);
        report.unread.extend(self.unread.iter().cloned());
        report.unread.truncate(cartable_common::limits::MAX_UNREAD);
        report
    }
}

fn is_of_drives(entry: &Unread) -> bool {
    entry.subject == Some(Subject::DriveHealth)
}

fn is_asleep(report: &HealthReport) -> bool {
    report.unread.iter().any(|entry| is_of_drives(entry) && entry.reason == Some(UnreadReason::Asleep))
}

/// Answers one question on behalf of a probe, in JSON.
pub async fn answer(question: &str, sources: &Sources) -> Result<String, ReadError> {
    let written = match question.trim_end() {
        FACTS => serde_json::to_string(&collect(sources, Drives::Leave).await),
        FACTS_AND_DRIVES => serde_json::to_string(&collect(sources, Drives::Ask).await),
        TEST_DRIVES => serde_json::to_string(&test_drives(sources).await),
        _ => {
            let words = format!("it answers \"{FACTS}\", \"{FACTS_AND_DRIVES}\" and \"{TEST_DRIVES}\" alone");
            return Err(ReadError(words));
        }
    };
    written.map_err(|error| ReadError(error.to_string()))
}

const fn question(drives: Drives) -> &'static str {
    match drives {
        Drives::Leave => FACTS,
        Drives::Ask => FACTS_AND_DRIVES,
    }
}

#[cfg(target_os = "linux")]
async fn ask<T: DeserializeOwned>(socket: &Path, question: &str) -> Result<T, ReadError> {
    let answer = tokio::time::timeout(PROBE_LIMIT, exchange(socket, question)).await;
    let answer = answer.map_err(|_| ReadError("too slow".to_owned()))?;
    let answer = answer.map_err(|error| ReadError(error.to_string()))?;
    serde_json::from_slice(&answer).map_err(|error| ReadError(error.to_string()))
}

/// Connecting and writing a line to a local socket do not wait; the answer does. (A socket of tokio's own would be a
/// hundredth of the program.)
#[cfg(target_os = "linux")]
async fn exchange(socket: &Path, question: &str) -> std::io::Result<Vec<u8>> {
    use std::io::{ErrorKind, Read as _, Write as _};

    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    stream.set_nonblocking(true)?;
    let watched = crate::sleep::watched(stream.try_clone()?.into())?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(answer),
            Ok(length) => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => watched.readable().await?.clear_ready(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if answer.len() > ANSWER_LIMIT {
            return Err(std::io::Error::other("its answer is too long"));
        }
    }
}

#[cfg(not(target_os = "linux"))]
async fn ask<T: DeserializeOwned>(_: &Path, _: &str) -> Result<T, ReadError> {
    Err(ReadError("there are no probes on this system".to_owned()))
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{collect::DriveHealth, fairness::Power};
    use cartable_common::action::ActionOutcome;
    use std::os::unix::fs::PermissionsExt as _;

    /// A machine with one drive, whose smartctl counts how often it is asked.
    struct Machine {
        folder: tempfile::TempDir,
        reader: Reader,
    }

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("smartctl");
            let script = format!("#!/bin/sh\necho >>{0}/asked\ncat {0}/answer\n", folder.path().display());
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            // The root of a recording always asks: this one is not known to be one.
            let sources = Sources { root: folder.path().to_owned(), drive_health: DriveHealth::Program(program) };
            let machine = Self { folder, reader: Reader::Own(sources) };
            machine.write("sys/block/sda/size", "500118192");
            machine.write("sys/block/sda/device/model", "A");
            machine.say(r#"{"smart_status":{"passed":true}}"#);
            machine
        }

        fn write(&self, path: &str, content: &str) {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }

        fn say(&self, answer: &str) {
            self.write("answer", answer);
        }

        fn asked(&self) -> usize {
            std::fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default().lines().count()
        }

        /// As the service does it through a probe.
        async fn read(&self, kept: &mut Option<KeptDrives>, power: Power, now: UtcMillis) -> HealthReport {
            let socket = self.folder.path().join(format!("probe-{}", now.get()));
            let listener = tokio::net::UnixListener::bind(&socket).unwrap();
            let Reader::Own(sources) = self.reader.clone() else { unreachable!() };
            let serve = async {
                loop {
                    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
                    let (stream, _) = listener.accept().await.unwrap();
                    let mut stream = tokio::io::BufReader::new(stream);
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    let report = answer(&line, &sources).await.unwrap();
                    stream.write_all(report.as_bytes()).await.unwrap();
                }
            };
            let around = Surroundings { power, ..Surroundings::default() };
            let probe = Reader::Probe(socket.clone());
            let (report, new) = tokio::select! {
                () = serve => unreachable!(),
                read = probe.read_fairly(Occasion::Planned, kept.as_ref(), &around, now) => read.unwrap(),
            };
            *kept = new.or(kept.take());
            report
        }
    }

    #[tokio::test]
    async fn drives_are_asked_daily_when_exchanged_and_not_on_a_low_battery() {
        let (machine, mut kept) = (Machine::new(), None);
        let start = UtcMillis::default().plus_days(20_000);
        let hour = |hours: i64| start.plus_millis(hours * 3_600_000);
        let first = machine.read(&mut kept, Power::Mains, hour(0)).await;
        assert!(first.drives[0].self_assessment.is_some());
        for hours in 1..24 {
            let later = machine.read(&mut kept, Power::Mains, hour(hours)).await;
            assert_eq!(later.content_hash(), first.content_hash(), "hour {hours}");
        }
        assert_eq!(machine.asked(), 1);
        machine.read(&mut kept, Power::Battery { percent: 9 }, hour(25)).await;
        assert_eq!(machine.asked(), 1, "on a low battery");
        machine.read(&mut kept, Power::Mains, hour(26)).await;
        assert_eq!(machine.asked(), 2, "the next day");
        machine.write("sys/block/sda/device/model", "B");
        let exchanged = machine.read(&mut kept, Power::Mains, hour(27)).await;
        assert_eq!((machine.asked(), exchanged.drives[0].model.as_ref().unwrap().as_str()), (3, "B"));
    }

    #[tokio::test]
    async fn a_sleeping_drive_keeps_its_last_word_and_is_asked_again() {
        let (machine, mut kept) = (Machine::new(), None);
        let start = UtcMillis::default().plus_days(20_000);
        let awake = machine.read(&mut kept, Power::Mains, start).await;
        machine.say(r#"{"smartctl":{"exit_status":2,"messages":[{"string":"Device is in STANDBY mode"}]}}"#);
        for hours in 24..27 {
            let asleep = machine.read(&mut kept, Power::Mains, start.plus_millis(hours * 3_600_000)).await;
            assert_eq!(asleep.content_hash(), awake.content_hash());
        }
        assert_eq!(machine.asked(), 4);
    }

    #[tokio::test]
    async fn a_probe_has_each_drive_test_itself_and_says_what_it_answered() {
        let machine = Machine::new();
        machine.say(r#"{"smartctl":{"exit_status":0}}"#);
        let answers = machine.reader.test_drives().await.unwrap();
        assert_eq!(answers, [SelfTestAnswer { drive: 0, outcome: ActionOutcome::Done }]);
        let Reader::Own(sources) = machine.reader.clone() else { unreachable!() };
        let told = answer("test drives\n", &sources).await.unwrap();
        assert_eq!(serde_json::from_str::<Vec<SelfTestAnswer>>(&told).unwrap(), answers);
        assert!(Reader::Given(Box::default()).test_drives().await.unwrap().is_empty(), "it has no rights left");
    }

    #[tokio::test]
    async fn a_probe_that_is_not_there_says_where_to_look_and_a_strange_question_gets_no_report() {
        let gone = Reader::Probe("/nonexistent/probe".into());
        assert!(gone.read(Drives::Leave).await.unwrap_err().to_string().contains("cartable-agent-probe.socket"));
        let sources = Sources::recorded(Path::new("/nonexistent"));
        for question in ["", "facts; rm -rf", "FACTS", "drives"] {
            assert!(answer(question, &sources).await.is_err(), "{question}");
        }
    }
}
