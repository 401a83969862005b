//! What is asked of which program, and its answer, taken apart by its form.

use std::collections::BTreeMap;

use cartable_common::report::{Subject, UnreadReason};
use serde_json::Value;

use super::{
    super::{reading, row::Row},
    plist,
};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::collect) enum Asked {
    /// Machine, drives and security chip.
    Profile,
    /// Values of the kernel.
    Kernel,
    /// The system's version.
    System,
    /// The volume that holds the system.
    Volume,
    /// Whether that volume is encrypted.
    Encryption,
    /// The battery.
    Battery,
}

/// How a program answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Plist,
    Words,
}

/// A question and the program that answers it.
#[derive(Debug)]
pub(in crate::collect) struct Question {
    asked: Asked,
    form: Form,
    /// Where the program lies: a part of macOS, which only the system itself can change.
    pub(in crate::collect) program: &'static str,
    #[cfg_attr(not(any(target_os = "macos", test)), expect(dead_code, reason = "only macOS asks"))]
    pub(in crate::collect) arguments: &'static [&'static str],
}

impl Question {
    /// The program's name.
    pub(in crate::collect) fn name(&self) -> &'static str {
        self.program.rsplit('/').next().unwrap_or(self.program)
    }
}

/// All that is asked. Never system_profiler's SPSoftwareDataType: it tells the computer's and the user's name.
pub(in crate::collect) const QUESTIONS: &[Question] = &[
    Question {
        asked: Asked::Profile,
        form: Form::Json,
        program: "/usr/sbin/system_profiler",
        arguments: &["-json", "SPHardwareDataType", "SPiBridgeDataType", "SPNVMeDataType", "SPSerialATADataType"],
    },
    Question {
        asked: Asked::Kernel,
        form: Form::Words,
        program: "/usr/sbin/sysctl",
        // The last is unknown to a Mac with an Intel processor, and may end the answer there.
        arguments: &[
            "machdep.cpu.brand_string",
            "hw.physicalcpu",
            "hw.logicalcpu",
            "hw.memsize",
            "kern.boottime",
            "hw.optional.arm64",
        ],
    },
    Question { asked: Asked::System, form: Form::Words, program: "/usr/bin/sw_vers", arguments: &[] },
    Question {
        asked: Asked::Volume,
        form: Form::Plist,
        program: "/usr/sbin/diskutil",
        arguments: &["info", "-plist", "/"],
    },
    Question { asked: Asked::Encryption, form: Form::Words, program: "/usr/bin/fdesetup", arguments: &["status"] },
    Question {
        asked: Asked::Battery,
        form: Form::Plist,
        program: "/usr/sbin/ioreg",
        arguments: &["-a", "-r", "-d", "1", "-c", "AppleSmartBattery"],
    },
];

#[derive(Debug)]
enum Answer {
    Table(Value),
    Words(String),
    Missing(UnreadReason, String),
}

/// All answers.
#[derive(Debug, Default)]
pub(in crate::collect) struct Answers(BTreeMap<Asked, Answer>);

impl Answers {
    /// Keeps what was answered, or why nothing was, with words.
    pub(in crate::collect) fn keep(&mut self, question: &Question, answer: Result<Vec<u8>, (UnreadReason, String)>) {
        let answer = answer.and_then(|bytes| {
            let malformed =
                |why: String| (UnreadReason::Malformed, format!("{} cannot be understood: {why}", question.name()));
            match question.form {
                Form::Json => {
                    serde_json::from_slice(&bytes).map(Answer::Table).map_err(|error| malformed(error.to_string()))
                }
                // ioreg says nothing at all where there is nothing.
                Form::Plist if bytes.trim_ascii().is_empty() => Ok(Answer::Table(Value::Null)),
                Form::Plist => plist::parse(&bytes).map(Answer::Table).map_err(malformed),
                Form::Words => Ok(Answer::Words(String::from_utf8_lossy(&bytes).into_owned())),
            }
        });
        self.0.insert(question.asked, answer.unwrap_or_else(|(reason, words)| Answer::Missing(reason, words)));
    }
}

/// The answers while they become a report, and what could not be read so far.
pub(super) type Reading<'a> = reading::Reading<'a, Answers>;

impl<'a> Reading<'a> {
    /// The objects that were answered; if there was no answer, that is said of `subject`.
    pub(super) fn rows(&self, asked: Asked, subject: Subject) -> Vec<Row<'a>> {
        let Some(Answer::Table(table)) = self.answer(asked, subject) else { return Vec::new() };
        Row::list(table)
    }

    pub(super) fn first(&self, asked: Asked, subject: Subject) -> Row<'a> {
        self.rows(asked, subject).into_iter().next().unwrap_or(Row(None))
    }

    /// The objects of one data type of system_profiler's.
    pub(super) fn section(&self, name: &str, subject: Subject) -> Vec<Row<'a>> {
        self.first(Asked::Profile, subject).rows(name)
    }

    /// What SPHardwareDataType says.
    pub(super) fn machine(&self, subject: Subject) -> Row<'a> {
        self.section("SPHardwareDataType", subject).into_iter().next().unwrap_or(Row(None))
    }

    /// The words that were answered; none if there was no answer, which is said of `subject`.
    pub(super) fn words(&self, asked: Asked, subject: Subject) -> &'a str {
        let Some(Answer::Words(words)) = self.answer(asked, subject) else { return "" };
        words
    }

    /// What stands behind `name:` in the words that were answered.
    pub(super) fn named(&self, asked: Asked, name: &str, subject: Subject) -> Option<&'a str> {
        let mut lines = self.words(asked, subject).lines();
        let (_, value) = lines.find_map(|line| line.split_once(':').filter(|(own, _)| own.trim() == name))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    fn answer(&self, asked: Asked, subject: Subject) -> Option<&'a Answer> {
        let answer = self.answers.0.get(&asked);
        if let Some(Answer::Missing(reason, words)) = answer {
            self.missing(subject, *reason, words);
        }
        answer
    }
}
