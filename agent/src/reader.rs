//! Who reads the machine, and how often the drives are asked.
//!
//! Serial numbers and drives' health are for root alone; a program that speaks with the world should not be root. The
//! packaged service therefore reads through a *probe*: the same program, started by systemd for each question as root
//! without a network, which answers one line with a report or what drives say, or has them test themselves, and ends.
//! Elsewhere the agent reads by itself.
//!
//! A drive is asked once a day; in between, what it said stands, as long as the system sees that drive
//! (`kept_drives`). A question about drives that fails costs their word for that day, and nothing else of the report.

mod kept_drives;
mod probe;

use std::path::{Path, PathBuf};

use cartable_common::{
    UtcMillis,
    action::SelfTestAnswer,
    limits::MAX_DRIVES,
    report::{Hardware, HealthReport, UnreadReason},
};

use self::probe::ask;
pub use self::{kept_drives::KeptDrives, probe::ReadError};
use crate::{
    collect::{self, DriveAnswer, Found, Sources, test_drives},
    fairness::Surroundings,
};

/// The question "without asking the drives".
const FACTS: &str = "facts";

/// The question "what do these drives say", before their places in the answer to [`FACTS`]: `drives 0 2`.
const ASK_DRIVES: &str = "drives";

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

/// Whether somebody waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The service's own rhythm: drives once a day.
    Planned,
    /// A person asked: everything now.
    Wanted,
}

impl Reader {
    /// Which machine this is; unknown where it cannot be read, which the server's people will see.
    pub async fn hardware(&self) -> Hardware {
        match self.look().await {
            Ok(found) => found.report.hardware,
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

    /// Reads, with each drive's health at most daily. Returns what to keep where drives were asked, in vain or not.
    pub async fn read_fairly(
        &self,
        occasion: Occasion,
        kept: Option<&KeptDrives>,
        around: &Surroundings,
        now: UtcMillis,
    ) -> Result<(HealthReport, Option<KeptDrives>), ReadError> {
        let found = self.look().await?;
        if matches!(self, Self::Given(_)) {
            return Ok((found.report, None));
        }
        let kept = kept.cloned().unwrap_or_default();
        let due: Vec<usize> = if occasion == Occasion::Wanted || self.is_recording() {
            (0..found.report.drives.len()).collect()
        } else {
            kept.due(&found.report.drives, around, now)
        };
        if due.is_empty() {
            return Ok((kept.complete(found.report, now), None));
        }
        let seen = &found.report.drives;
        let kept = match self.ask_drives(&found, &due).await {
            Ok(answers) => kept.after(seen, &answers, now),
            Err(error) => {
                tracing::warn!(%error, "the drives could not be asked; the report says so, and they are asked again in a day");
                kept.after_silence(seen, &due, &error.of_drives(), now)
            }
        };
        Ok((kept.complete(found.report, now), Some(kept)))
    }

    /// Reads once, and leaves the drives alone. What they are called in the system is a probe's own affair.
    async fn look(&self) -> Result<Found, ReadError> {
        let report = match self {
            Self::Own(sources) => return Ok(collect::look(sources).await),
            Self::Probe(socket) => ask(socket, FACTS).await?,
            Self::Given(report) => HealthReport::clone(report),
        };
        Ok(Found { report, drive_names: Vec::new() })
    }

    /// Asks the drives in these places.
    async fn ask_drives(&self, found: &Found, places: &[usize]) -> Result<Vec<DriveAnswer>, ReadError> {
        match self {
            Self::Own(sources) => Ok(collect::ask_drives(sources, found, places).await),
            Self::Probe(socket) => {
                let places: Vec<String> = places.iter().map(ToString::to_string).collect();
                ask(socket, &format!("{ASK_DRIVES} {}", places.join(" "))).await
            }
            Self::Given(_) => Ok(Vec::new()),
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

/// Answers one question on behalf of a probe, in JSON without a line feed: one behind it says that it is whole.
pub async fn answer(question: &str, sources: &Sources) -> Result<String, ReadError> {
    let written = match question.trim_end() {
        FACTS => serde_json::to_string(&collect::look(sources).await.report),
        TEST_DRIVES => serde_json::to_string(&test_drives(sources).await),
        other => {
            let Some(places) = places(other) else {
                let words = format!("it answers \"{FACTS}\", \"{ASK_DRIVES} 0 1 …\" and \"{TEST_DRIVES}\" alone");
                return Err(ReadError::new(UnreadReason::Unsupported, words));
            };
            let found = collect::look(sources).await;
            serde_json::to_string(&collect::ask_drives(sources, &found, &places).await)
        }
    };
    written.map_err(|error| ReadError::new(UnreadReason::ToolFailed, error.to_string()))
}

/// The places of the drives that a question is about; none where it is another question.
fn places(question: &str) -> Option<Vec<usize>> {
    let named = question.strip_prefix(ASK_DRIVES)?.strip_prefix(' ')?;
    let places: Option<Vec<usize>> = named.split(' ').map(|place| place.parse().ok()).collect();
    places.filter(|places| places.len() <= MAX_DRIVES)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{collect::DriveHealth, fairness::Power};
    use cartable_common::{
        action::ActionOutcome,
        report::{SelfAssessment, Subject},
    };
    use std::{
        cell::{Cell, RefCell},
        os::unix::fs::PermissionsExt as _,
    };

    /// What smartctl says of a drive that is well, and of one that is not spinning.
    const WELL: &str = r#"{"smart_status":{"passed":true}}"#;
    const ASLEEP: &str = r#"{"smartctl":{"exit_status":2,"messages":[{"string":"Device is in STANDBY mode"}]}}"#;

    /// A machine with one drive, whose smartctl notes which drive it is asked about.
    struct Machine {
        folder: tempfile::TempDir,
        reader: Reader,
        /// What the probe was asked.
        questions: RefCell<Vec<String>>,
        /// Whether the probe ends at the question about drives without an answer.
        breaks: Cell<bool>,
    }

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("smartctl");
            let script = format!(
                "#!/bin/sh\nfor name; do :; done\nname=${{name##*/}}\necho $name >>{0}/asked\ncat {0}/$name.json\n",
                folder.path().display()
            );
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            // The root of a recording always asks: this one is not known to be one.
            let sources = Sources { root: folder.path().to_owned(), drive_health: DriveHealth::Program(program) };
            let reader = Reader::Own(sources);
            let machine = Self { folder, reader, questions: RefCell::default(), breaks: Cell::default() };
            machine.fit("sda");
            machine
        }

        /// Puts a drive that is well in.
        fn fit(&self, name: &str) {
            self.write(&format!("sys/block/{name}/size"), "500118192");
            self.write(&format!("sys/block/{name}/device/model"), name);
            self.say(name, WELL);
        }

        fn write(&self, path: &str, content: &str) {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }

        fn say(&self, name: &str, answer: &str) {
            self.write(&format!("{name}.json"), answer);
        }

        /// How often the drive was asked.
        fn asked(&self, name: &str) -> usize {
            let asked = std::fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default();
            asked.lines().filter(|line| *line == name).count()
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
                    self.questions.borrow_mut().push(line.trim_end().to_owned());
                    if self.breaks.get() && line.starts_with(ASK_DRIVES) {
                        continue;
                    }
                    let told = answer(&line, &sources).await.unwrap() + "\n";
                    stream.write_all(told.as_bytes()).await.unwrap();
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
        assert_eq!(*machine.questions.borrow(), ["facts", "drives 0"], "the machine was looked at twice");
        for hours in 1..24 {
            let later = machine.read(&mut kept, Power::Mains, hour(hours)).await;
            assert_eq!(later.content_hash(), first.content_hash(), "hour {hours}");
        }
        assert_eq!(machine.asked("sda"), 1);
        machine.read(&mut kept, Power::Battery { percent: 9 }, hour(25)).await;
        assert_eq!(machine.asked("sda"), 1, "on a low battery");
        machine.read(&mut kept, Power::Mains, hour(26)).await;
        assert_eq!(machine.asked("sda"), 2, "the next day");
        machine.write("sys/block/sda/device/model", "B");
        let exchanged = machine.read(&mut kept, Power::Mains, hour(27)).await;
        assert_eq!((machine.asked("sda"), exchanged.drives[0].model.as_ref().unwrap().as_str()), (3, "B"));
    }

    #[tokio::test]
    async fn a_sleeping_drive_keeps_its_last_word_and_is_asked_no_more_often_than_the_others() {
        let (machine, mut kept) = (Machine::new(), None);
        machine.fit("sdb");
        let start = UtcMillis::default().plus_days(20_000);
        let hour = |hours: i64| start.plus_millis(hours * 3_600_000);
        machine.read(&mut kept, Power::Mains, hour(0)).await;
        machine.say("sdb", ASLEEP);
        machine.say("sda", r#"{"smart_status":{"passed":false}}"#);
        for hours in 24..48 {
            let report = machine.read(&mut kept, Power::Mains, hour(hours)).await;
            let said: Vec<_> = report.drives.iter().filter_map(|drive| drive.self_assessment).collect();
            assert_eq!(said, [SelfAssessment::Failed, SelfAssessment::Passed], "hour {hours}");
            assert!(report.unread.iter().all(|entry| entry.reason != Some(UnreadReason::Asleep)));
        }
        assert_eq!((machine.asked("sda"), machine.asked("sdb")), (2, 2), "a sleeping drive was asked at each contact");
        machine.read(&mut kept, Power::Mains, hour(53)).await;
        assert_eq!((machine.asked("sda"), machine.asked("sdb")), (3, 3));
    }

    #[tokio::test]
    async fn a_question_about_drives_that_fails_costs_their_word_alone_and_is_put_again_the_next_day() {
        let (machine, mut kept) = (Machine::new(), None);
        let start = UtcMillis::default().plus_days(20_000);
        let hour = |hours: i64| start.plus_millis(hours * 3_600_000);
        let gaps = |report: &HealthReport| -> Vec<_> {
            let of_drives = report.unread.iter().filter(|entry| entry.subject == Some(Subject::DriveHealth));
            of_drives.map(|entry| entry.reason).collect()
        };
        machine.breaks.set(true);
        let first = machine.read(&mut kept, Power::Mains, hour(0)).await;
        assert_eq!(first.drives[0].model.as_ref().unwrap().as_str(), "sda", "the facts were thrown away");
        assert_eq!(gaps(&first), [Some(UnreadReason::ToolFailed)]);
        // The service starts anew.
        let written = serde_json::to_string(&kept).unwrap();
        kept = serde_json::from_str(&written).unwrap();
        for hours in 1..24 {
            let later = machine.read(&mut kept, Power::Mains, hour(hours)).await;
            assert_eq!(later.content_hash(), first.content_hash(), "hour {hours}");
        }
        let asked = || machine.questions.borrow().iter().filter(|question| *question == "drives 0").count();
        assert_eq!(asked(), 1, "asked again within the day");
        machine.breaks.set(false);
        let next_day = machine.read(&mut kept, Power::Mains, hour(24)).await;
        assert_eq!((asked(), next_day.drives[0].self_assessment), (2, Some(SelfAssessment::Passed)));
        assert!(gaps(&next_day).is_empty());
        machine.breaks.set(true);
        let silent = machine.read(&mut kept, Power::Mains, hour(48)).await;
        assert_eq!(silent.content_hash(), first.content_hash(), "as where smartctl fails, the last word is gone");
    }

    #[tokio::test]
    async fn a_probe_has_each_drive_test_itself_and_says_what_it_answered() {
        let machine = Machine::new();
        machine.say("sda", r#"{"smartctl":{"exit_status":0}}"#);
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
        assert!(gone.look().await.unwrap_err().to_string().contains("cartable-agent-probe.socket"));
        let sources = Sources::recorded(Path::new("/nonexistent"));
        for question in ["", "facts; rm -rf", "FACTS", "drives", "drives ", "drives -1", "drives 0 x", "drivesome 0"] {
            assert!(answer(question, &sources).await.is_err(), "{question}");
        }
    }
}
