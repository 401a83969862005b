//! Windows' event log.

#![expect(unsafe_code, reason = "the event log has no safe interface in Rust")]

use std::{io, ptr};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::EventLog::{
        DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
        RegisterEventSourceW, ReportEventW,
    },
};

use crate::wide::to_wide;

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person must act.
    Error,
    /// Worth knowing.
    Warning,
    /// Daily life.
    Information,
}

/// A name under which events are written; closed when dropped.
#[derive(Debug)]
pub struct EventSource(HANDLE);

// SAFETY: the documentation of the event log allows its handles in any thread.
unsafe impl Send for EventSource {}
// SAFETY: as above; ReportEventW takes the handle by value and may run in several threads at once.
unsafe impl Sync for EventSource {}

impl EventSource {
    /// Opens the source `name` of the application log.
    pub fn open(name: &str) -> io::Result<Self> {
        let name = to_wide(name)?;
        // SAFETY: the name ends with a zero; no name of a server means this computer.
        let handle = unsafe { RegisterEventSourceW(ptr::null(), name.as_ptr()) };
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }

    /// Writes one event: its number, and its words in place of the message's `%1`.
    pub fn report(&self, kind: Kind, number: u32, words: &str) -> io::Result<()> {
        let words = to_wide(words.replace('\0', " "))?;
        let strings = [words.as_ptr()];
        let kind = match kind {
            Kind::Error => EVENTLOG_ERROR_TYPE,
            Kind::Warning => EVENTLOG_WARNING_TYPE,
            Kind::Information => EVENTLOG_INFORMATION_TYPE,
        };
        // SAFETY: one string, which ends with a zero and lives until the call returns; no user and no raw data.
        let written =
            unsafe { ReportEventW(self.0, kind, 0, number, ptr::null_mut(), 1, 0, strings.as_ptr(), ptr::null()) };
        if written == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        // SAFETY: opened by RegisterEventSourceW and closed once.
        unsafe { DeregisterEventSource(self.0) };
    }
}
