//! The agent's lines in the application's event log.
//!
//! Each level has its number. The message behind each is the bare `%1` of Windows' own EventCreate.exe, so that no
//! message file has to be built and installed. Windows bounds the log.

use std::sync::OnceLock;

use cartable_windows::{EventSource, Kind};
use tracing::Level;
use windows_registry::LOCAL_MACHINE;

use super::NAME;

/// Where Windows looks for the words of events.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";
/// Windows' own: its messages 1 to 1000 say what they are given.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// Errors, warnings and information: what [`Kind`] can be.
const KINDS: u32 = 7;

/// Makes the source known, so that its events show their words alone.
pub fn register() -> windows_registry::Result<()> {
    let source = LOCAL_MACHINE.create(format!(r"{SOURCES}\{NAME}"))?;
    source.set_expand_string("EventMessageFile", MESSAGES)?;
    source.set_u32("TypesSupported", KINDS)
}

/// Removes the source; events already written stay.
pub fn unregister() -> windows_registry::Result<()> {
    LOCAL_MACHINE.create(SOURCES)?.remove_tree(NAME)
}

/// Writes one line of the log. A log that fails has nowhere to say so.
pub fn write(level: Level, line: &str) {
    static SOURCE: OnceLock<Option<EventSource>> = OnceLock::new();
    let (kind, number) = match level {
        Level::ERROR => (Kind::Error, 3),
        Level::WARN => (Kind::Warning, 2),
        _ => (Kind::Information, 1),
    };
    if let Some(source) = SOURCE.get_or_init(|| EventSource::open(NAME).ok()) {
        let _ = source.report(kind, number, line);
    }
}
