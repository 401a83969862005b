//! Libraries of Windows that are only there while they are needed, or only on some versions of it.

#![expect(unsafe_code, reason = "libraries that are opened by their name have no safe interface in Rust")]

use std::{ffi::CStr, io, ptr};

use windows_sys::Win32::{
    Foundation::{FreeLibrary, HMODULE},
    System::LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW},
};

use crate::wide::to_wide;

/// A function whose parameters only its caller knows.
pub(crate) type Function = unsafe extern "system" fn() -> isize;

/// A library of Windows' own folder; given back when dropped.
pub(crate) struct Library(HMODULE);

impl Library {
    pub(crate) fn open(name: &str) -> io::Result<Self> {
        let name = to_wide(name)?;
        // SAFETY: the name ends with a zero; the handle that is reserved is null, as it must be.
        let library = unsafe { LoadLibraryExW(name.as_ptr(), ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
        if library.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(library)) }
    }

    /// The function of that name, which may be called as long as the library is open.
    pub(crate) fn function(&self, name: &CStr) -> io::Result<Function> {
        // SAFETY: the library is open, and the name ends with a zero.
        let found = unsafe { GetProcAddress(self.0, name.as_ptr().cast()) };
        found.ok_or_else(io::Error::last_os_error)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: opened by LoadLibraryExW and closed once.
        unsafe { FreeLibrary(self.0) };
    }
}
