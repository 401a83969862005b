//! What Windows opened for this process, and how its functions say that they failed.

#![expect(unsafe_code, reason = "handles of Windows have no owner in safe Rust before somebody takes them")]

use std::io;

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};

/// A token, a process or a thread; closed when dropped.
pub(crate) struct Handle(pub(crate) HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: opened by the function that gave it to this process, and closed once.
        unsafe { CloseHandle(self.0) };
    }
}

/// An error where a function answered zero, with the number that Windows keeps for it.
pub(crate) fn succeeded(answer: i32) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
