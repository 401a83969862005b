//! Who is signed in, and programs in their sessions.

#![expect(unsafe_code, reason = "sessions of people have no safe interface in Rust")]

use std::{
    ffi::{OsString, c_void},
    io,
    path::Path,
    ptr,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{ERROR_NO_TOKEN, HANDLE},
    Globalization::GetUserDefaultUILanguage,
    System::{
        Environment::{CreateEnvironmentBlock, DestroyEnvironmentBlock},
        RemoteDesktop::{WTSGetActiveConsoleSessionId, WTSQueryUserToken},
        SystemInformation::GetTickCount64,
        Threading::{
            CREATE_NO_WINDOW, CREATE_UNICODE_ENVIRONMENT, CreateProcessAsUserW, PROCESS_INFORMATION,
            STARTF_FORCEOFFFEEDBACK, STARTUPINFOW,
        },
    },
};

use crate::{
    handle::{Handle, succeeded},
    wide::to_wide,
};

/// The desktop that a person sees. Without its name a program would look for the service's, where it may not enter.
const DESKTOP: &str = r"winsta0\default";

/// Whether a program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It was.
    Yes,
    /// There was nobody in whose session it could be.
    NobodyIsThere,
}

/// The session at the computer's own screen and keyboard, if one is there now.
#[must_use]
pub fn console_session() -> Option<u32> {
    // SAFETY: takes nothing and gives a number.
    let session = unsafe { WTSGetActiveConsoleSessionId() };
    (session != u32::MAX).then_some(session)
}

/// How long the computer has been on, its sleep included.
#[must_use]
pub fn uptime() -> Duration {
    // SAFETY: takes nothing and gives a number.
    Duration::from_millis(unsafe { GetTickCount64() })
}

/// In which language Windows speaks to whoever runs this process: its number (LANGID).
#[must_use]
pub fn ui_language() -> u16 {
    // SAFETY: takes nothing and gives a number.
    unsafe { GetUserDefaultUILanguage() }
}

/// Starts `program` with `arguments` as whoever is signed in to `session`: with their rights and their environment, on their
/// desktop, without a console's window. It is given none of this process's handles. Only the system itself may do this.
pub fn start_as_signed_in(session: u32, program: &Path, arguments: &str) -> io::Result<Started> {
    let Some(token) = token(session)? else { return Ok(Started::NobodyIsThere) };
    let environment = Environment::of(&token)?;
    let mut line = OsString::from("\"");
    line.push(program);
    line.push("\" ");
    line.push(arguments);
    let (program, mut line, mut desktop) = (to_wide(program)?, to_wide(line)?, to_wide(DESKTOP)?);
    let startup = STARTUPINFOW {
        cb: u32::try_from(size_of::<STARTUPINFOW>()).unwrap_or_default(),
        lpDesktop: desktop.as_mut_ptr(),
        // The pointer does not say that something begins.
        dwFlags: STARTF_FORCEOFFFEEDBACK,
        ..STARTUPINFOW::default()
    };
    let mut started = PROCESS_INFORMATION::default();
    // SAFETY: the token is open; texts, environment and both structures live until the call returns, and the line is this
    // function's own to be written to. No handle is inherited; the two that are given are closed below.
    succeeded(unsafe {
        CreateProcessAsUserW(
            token.0,
            program.as_ptr(),
            line.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            0,
            CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT,
            environment.0,
            ptr::null(),
            &raw const startup,
            &raw mut started,
        )
    })?;
    // Nobody waits for it.
    drop([Handle(started.hProcess), Handle(started.hThread)]);
    Ok(Started::Yes)
}

/// What proves who is signed in to `session`; none where nobody is.
fn token(session: u32) -> io::Result<Option<Handle>> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: a place for one handle, closed by `Handle`.
    let answer = succeeded(unsafe { WTSQueryUserToken(session, &raw mut token) });
    match answer {
        Ok(()) => Ok(Some(Handle(token))),
        Err(error) if error.raw_os_error() == Some(ERROR_NO_TOKEN.cast_signed()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The variables that a person's programs see; given back when dropped.
struct Environment(*mut c_void);

impl Environment {
    /// Nothing of this process's own is among them.
    fn of(token: &Handle) -> io::Result<Self> {
        let mut block = ptr::null_mut();
        // SAFETY: a place for one pointer, given back by `Drop`; the token is open.
        succeeded(unsafe { CreateEnvironmentBlock(&raw mut block, token.0, 0) })?;
        Ok(Self(block))
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // SAFETY: made by CreateEnvironmentBlock and given back once.
        unsafe { DestroyEnvironmentBlock(self.0) };
    }
}
