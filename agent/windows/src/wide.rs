//! Text as Windows takes and gives it: UTF-16 that ends with a zero.

#![expect(unsafe_code, reason = "reads text that Windows allocated, and gives the memory back")]

use std::{ffi::OsStr, io, os::windows::ffi::OsStrExt as _};

use windows_sys::Win32::Foundation::LocalFree;

/// `text` with its zero; text that holds one is refused.
pub(crate) fn to_wide(text: impl AsRef<OsStr>) -> io::Result<Vec<u16>> {
    let mut wide: Vec<u16> = text.as_ref().encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    wide.push(0);
    Ok(wide)
}

/// Memory that Windows allocated with LocalAlloc; given back when dropped.
pub(crate) struct Local<T>(pub(crate) *mut T);

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the pointer came from a function whose documentation says to free it so, and is freed once.
            unsafe { LocalFree(self.0.cast()) };
        }
    }
}

impl Local<u16> {
    /// The text up to its zero.
    pub(crate) fn to_text(&self) -> String {
        if self.0.is_null() {
            return String::new();
        }
        let mut length = 0;
        // SAFETY: Windows ends its text with a zero, and the loop stops there.
        while unsafe { *self.0.add(length) } != 0 {
            length += 1;
        }
        // SAFETY: `length` units were just read one by one, and nothing else holds this memory.
        String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(self.0, length) })
    }
}
