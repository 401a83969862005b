//! Stepping back: processor, drive and memory serve everything else first.

#![expect(unsafe_code, reason = "a process's own priority has no safe interface in Rust")]

use std::io;

use windows_sys::Win32::System::Threading::{GetCurrentProcess, PROCESS_MODE_BACKGROUND_BEGIN, SetPriorityClass};

/// Puts this process behind all others, for the processor as for drives and memory.
pub fn go_to_background() -> io::Result<()> {
    // SAFETY: the pseudo handle of this process needs no closing.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: Windows takes this class for the calling process alone, which the handle is.
    let done = unsafe { SetPriorityClass(process, PROCESS_MODE_BACKGROUND_BEGIN) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
