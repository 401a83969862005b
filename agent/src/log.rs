//! Log lines on standard error, for journald: one line per event, no colours, no time (journald keeps it). A Windows
//! service hands them to the event log instead.
//!
//! A few lines instead of a logging library, which would be a twentieth of the program. Under journald each line
//! begins with its priority (sd-daemon(3)), so that `journalctl -p warning` works. Writes fields as they are given:
//! who logs keeps secrets and names out.
//!
//! What a technician may ask for is kept apart, and less: of each line its day, never its hour. A line at each contact would
//! tell at which hours the laptop was open.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use cartable_common::{
    Text,
    action::{LogLevel, LogLine, MAX_LOG_LINES},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};

/// How a line tells its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    /// As journald reads it: `<4>`.
    Journal,
    /// As a person reads it: `WARN`.
    Word,
}

/// Where lines go.
#[derive(Clone, Copy, Debug)]
enum Output {
    StandardError(Prefix),
    Elsewhere(fn(Level, &str)),
}

/// The log of this process.
#[derive(Debug)]
struct Log {
    level: LevelFilter,
    output: Output,
}

/// The last lines of this process, as a technician may ask for them.
static RECENT: Mutex<VecDeque<LogLine>> = Mutex::new(VecDeque::new());

/// Fields whose values are words of this program. Of all others only numbers are remembered: what an error says may hold the
/// name of a file or an address.
const OWN_WORDS: [&str; 2] = ["kind", "outcome"];

/// The last lines of this process, oldest first: fixed words of this program and numbers, never what an error said nor at
/// which hour.
#[must_use]
pub fn recent() -> Vec<LogLine> {
    remembered().iter().cloned().collect()
}

fn remembered() -> MutexGuard<'static, VecDeque<LogLine>> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember(level: Level, line: &Line) {
    let level = match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        // What only a developer reads is not remembered.
        _ => return,
    };
    let words = Text::clean(&format!("{}{}", line.message, line.harmless));
    let mut lines = remembered();
    if lines.len() >= MAX_LOG_LINES {
        lines.pop_front();
    }
    lines.push_back(LogLine { at: Some(crate::clock::now().into()), level, words });
}

/// Starts the log; a second start changes nothing.
pub fn start(level: LevelFilter) {
    let prefix = if std::env::var_os("JOURNAL_STREAM").is_some() { Prefix::Journal } else { Prefix::Word };
    let _ = tracing::subscriber::set_global_default(Log { level, output: Output::StandardError(prefix) });
}

/// Starts the log with another place for its lines; a second start changes nothing.
pub fn start_with(level: LevelFilter, write: fn(Level, &str)) {
    let _ = tracing::subscriber::set_global_default(Log { level, output: Output::Elsewhere(write) });
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = *event.metadata().level();
        if event.metadata().target().starts_with("cartable_agent") {
            remember(level, &line);
        }
        match self.output {
            Output::StandardError(prefix) => {
                // Nothing is left to do when even standard error fails.
                let _ = writeln!(std::io::stderr(), "{}{}{}", prefix.of(level), line.message, line.fields);
            }
            Output::Elsewhere(write) => write(level, &format!("{}{}", line.message, line.fields)),
        }
    }

    // The agent has no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Prefix {
    const fn of(self, level: Level) -> &'static str {
        match (self, level) {
            (Self::Journal, Level::ERROR) => "<3>",
            (Self::Journal, Level::WARN) => "<4>",
            (Self::Journal, Level::INFO) => "<6>",
            (Self::Journal, _) => "<7>",
            (Self::Word, Level::ERROR) => "ERROR ",
            (Self::Word, Level::WARN) => "WARN  ",
            (Self::Word, Level::INFO) => "INFO  ",
            (Self::Word, _) => "DEBUG ",
        }
    }
}

/// An event as text: its message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
    /// Those of the fields that hold nothing but numbers and this program's own words.
    harmless: String,
}

impl Line {
    /// A number is harmless.
    fn number(&mut self, field: &Field, value: &dyn std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = write!(self.fields, " {}={value}", field.name());
        let _ = write!(self.harmless, " {}={value}", field.name());
    }
}

impl Visit for Line {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // A line feed would begin a line of its own.
        let text = format!("{value:?}").replace(['\n', '\r'], " ");
        if field.name() == "message" {
            self.message = text;
        } else {
            // Writing to a String cannot fail.
            let _ = write!(self.fields, " {}={text}", field.name());
            if OWN_WORDS.contains(&field.name()) {
                let _ = write!(self.harmless, " {}={text}", field.name());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{state::StateError, tpm::TpmError};
    use cartable_common::UtcMillis;

    #[test]
    fn levels_read_well_for_people_and_for_journald() {
        assert_eq!((Prefix::Journal.of(Level::WARN), Prefix::Word.of(Level::INFO)), ("<4>", "INFO  "));
        let quiet = Log { level: LevelFilter::WARN, output: Output::StandardError(Prefix::Word) };
        assert_eq!(quiet.max_level_hint(), Some(LevelFilter::WARN));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_holds_only_words_of_this_program_and_numbers() {
        let quiet = Log { level: LevelFilter::INFO, output: Output::Elsewhere(|_, _| {}) };
        tracing::subscriber::with_default(quiet, || {
            let error = std::io::Error::other("/home/alice/secret");
            let kind = LogLevel::Warn;
            tracing::warn!(%error, ?kind, failures = 3_u32, who = "alice", "it failed");
            tracing::debug!("for developers");
            tracing::warn!(target: "session", "somebody is at the computer");
            let last = recent().pop().unwrap();
            assert_eq!((last.level, last.words.as_str()), (LogLevel::Warn, "it failed kind=Warn failures=3"));
            let sent = serde_json::to_value(&last).unwrap();
            assert_eq!(sent["at"].as_i64().unwrap() % UtcMillis::DAY, 0, "the hour goes nowhere: {sent}");
            // What names a file of the agent's own, for whoever stands before the computer.
            let damaged = StateError::Damaged { path: "/var/lib/cartable-agent/x.json".into(), reason: "x".into() };
            let absent = TpmError::Absent { place: "/dev/tpmrm0".into(), source: std::io::ErrorKind::NotFound.into() };
            let own: [&dyn std::error::Error; 2] = [&damaged, &absent];
            for error in own {
                assert!(error.to_string().contains('/'), "{error}");
                tracing::warn!(%error, "it cannot be used");
                assert_eq!(recent().pop().unwrap().words.as_str(), "it cannot be used");
            }
            for number in 0..MAX_LOG_LINES + 5 {
                tracing::info!(number, "again");
            }
        });
        let lines = recent();
        assert_eq!(lines.len(), MAX_LOG_LINES);
        assert!(lines.iter().all(|line| !line.words.as_str().contains("alice")));
    }
}
