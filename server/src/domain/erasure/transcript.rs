//! What commands printed, with the commands themselves: `sh -x` writes each after `+ `, a terminal after its prompt.
//!
//! The drive, the erasure and the moments stand in different commands' output, so one file holds them all: `date`,
//! `nvme id-ctrl` or `hdparm -I`, the erasure, its status, `date` again.

use cartable_common::UtcMillis;
use jiff::Timestamp;

use super::evidence::{Parts, Unreadable};

/// Most lines: a dozen commands print some hundreds.
const MOST_LINES: usize = 20_000;
/// The programs whose output is read.
const TOOLS: [&str; 4] = ["nvme", "hdparm", "date", "hostname"];

/// A command and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Its words; the first is the program's name without its path.
    pub(super) words: Vec<String>,
    /// What it printed, line by line.
    pub(super) output: Vec<String>,
}

/// A file of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) commands: Vec<Command>,
}

impl Transcript {
    /// Finds the commands in `text`.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut commands: Vec<Command> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if index >= MOST_LINES {
                return Err(Unreadable::TooMuch(MOST_LINES, Parts::Lines));
            }
            let line = line.trim_end_matches('\r');
            match typed(line) {
                Some(words) => commands.push(Command { words, output: Vec::new() }),
                None => {
                    if let Some(command) = commands.last_mut() {
                        command.output.push(line.to_owned());
                    }
                }
            }
        }
        if commands.is_empty() {
            // Something that a tool printed, but not which of its commands.
            let printed = ["Sanitize Status", "Success formatting", "SECURITY_ERASE", "Sanitize status:"];
            let known = printed.iter().any(|mark| text.contains(mark));
            return Err(if known { Unreadable::NoCommand } else { Unreadable::NotEvidence });
        }
        Ok(Self { commands })
    }

    /// The last moment that `date` printed before the command at `place`, and the last after it.
    pub(super) fn around(&self, place: usize) -> Result<(UtcMillis, UtcMillis), Unreadable> {
        let moments = |commands: &[Command]| commands.iter().filter_map(Command::moment).collect::<Vec<_>>();
        let (before, after) = self.commands.split_at(place.min(self.commands.len()));
        match (moments(before).pop(), moments(after).pop()) {
            (Some(start), Some(end)) => Ok((start, end)),
            _ => Err(Unreadable::NoTime),
        }
    }

    /// The first line that `hostname` printed.
    pub(super) fn host(&self) -> Option<String> {
        let command = self.commands.iter().find(|command| command.program() == "hostname")?;
        let name = command.output.first()?.trim();
        (!name.is_empty()).then(|| name.chars().take(64).collect())
    }

    /// What a tool says of its version: the first line of any of its commands that holds `mark`, after it.
    pub(super) fn version(&self, mark: &str) -> String {
        let lines = self.commands.iter().flat_map(|command| &command.output);
        let version = lines.filter_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim()).next();
        version.unwrap_or_default().split(' ').next().unwrap_or_default().chars().take(32).collect()
    }
}

impl Command {
    pub(super) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The device that the command names.
    pub(super) fn device(&self) -> Option<&str> {
        self.words.iter().map(String::as_str).find(|word| word.starts_with("/dev/"))
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|one| one == word)
    }

    /// The value of an option, as `--ses=1`, `--ses 1`, `-s 1` or `-s1`.
    pub(super) fn option(&self, long: &str, short: &str) -> Option<&str> {
        let mut words = self.words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if word == long || word == short {
                return words.next();
            }
            let joined = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
            if joined.is_some() {
                return joined;
            }
            let attached = word.strip_prefix(short).filter(|rest| !rest.is_empty() && !word.starts_with("--"));
            if attached.is_some() {
                return attached;
            }
        }
        None
    }

    pub(super) fn says(&self, mark: &str) -> bool {
        self.output.iter().any(|line| line.contains(mark))
    }

    /// The value of a line `NAME : VALUE`, blanks around both left out.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let pairs = self.output.iter().filter_map(|line| line.split_once(':'));
        pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The value of the line that holds `tag`, after its colon.
    pub(super) fn tagged(&self, tag: &str) -> Option<&str> {
        self.output.iter().find(|line| line.contains(tag))?.split_once(':').map(|(_, value)| value.trim())
    }

    /// `2026-11-29T20:24:04+00:00`
    fn moment(&self) -> Option<UtcMillis> {
        let printed = self.output.iter().find_map(|line| line.trim().parse::<Timestamp>().ok());
        printed.filter(|_| self.program() == "date").and_then(|at| UtcMillis::new(at.as_millisecond()))
    }
}

/// The words of a command line; none where the line is no command of a tool that is read.
fn typed(line: &str) -> Option<Vec<String>> {
    let after_prompt = [
        line.strip_prefix("+ "),
        line.split_once("# ").map(|(_, rest)| rest),
        line.split_once("$ ").map(|(_, rest)| rest),
    ];
    after_prompt.into_iter().flatten().find_map(|command| {
        let mut words: Vec<String> =
            command.split_whitespace().map(|word| word.trim_matches(['\'', '"']).to_owned()).collect();
        if words.first().is_some_and(|word| word == "sudo") {
            words.remove(0);
        }
        let program = words.first()?.rsplit('/').next()?.to_owned();
        if !TOOLS.contains(&program.as_str()) {
            return None;
        }
        words[0] = program;
        Some(words)
    })
}

/// A number as tools print it: `65535`, `0x101`.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.split([' ', '(']).next()?.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
