//! Log lines on standard error, for journald: one line per event, no colours, no time (journald keeps it). A Windows
//! service hands them to the event log instead.
//!
//! A few lines instead of a logging library, which would be a twentieth of the program. Under journald each line
//! begins with its priority (sd-daemon(3)), so that `journalctl -p warning` works. Writes fields as they are given:
//! who logs keeps secrets and names out.

use std::{fmt::Write as _, io::Write as _};

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
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // A line feed would begin a line of its own.
        let text = format!("{value:?}").replace(['\n', '\r'], " ");
        if field.name() == "message" {
            self.message = text;
        } else {
            // Writing to a String cannot fail.
            let _ = write!(self.fields, " {}={text}", field.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_read_well_for_people_and_for_journald() {
        assert_eq!((Prefix::Journal.of(Level::WARN), Prefix::Word.of(Level::INFO)), ("<4>", "INFO  "));
        let quiet = Log { level: LevelFilter::WARN, output: Output::StandardError(Prefix::Word) };
        assert_eq!(quiet.max_level_hint(), Some(LevelFilter::WARN));
    }
}
