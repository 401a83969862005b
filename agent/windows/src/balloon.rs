//! A few words beside the clock, which Windows 10 and 11 show as a notification.

#![expect(unsafe_code, reason = "notifications have no safe interface in Rust")]

use std::{io, mem, ptr};

use windows_sys::{
    Win32::{
        Foundation::HWND,
        UI::{
            Shell::{
                NIF_ICON, NIF_INFO, NIF_TIP, NIIF_INFO, NIIF_RESPECT_QUIET_TIME, NIM_ADD, NIM_DELETE,
                NOTIFY_ICON_MESSAGE, NOTIFYICONDATAW,
            },
            WindowsAndMessaging::{CreateWindowExW, DestroyWindow, HICON, HWND_MESSAGE, IDI_INFORMATION, LoadIconW},
        },
    },
    core::BOOL,
};

use crate::{
    library::{Function, Library},
    wide::to_wide,
};

type NotifyIcon = unsafe extern "system" fn(NOTIFY_ICON_MESSAGE, *const NOTIFYICONDATAW) -> BOOL;

/// The icon's number within its window, which has no other.
const ICON: u32 = 1;

/// Words that were given to the desktop. Dropped, it takes them away, with their icon.
pub struct Balloon {
    notify: NotifyIcon,
    window: Window,
    /// The function above is its.
    _shell: Library,
}

impl Balloon {
    /// Shows words under a title: as many of them as Windows has room for, 63 and 255 units of UTF-16. Fails where there is
    /// no desktop, or where it does not listen yet.
    pub fn show(title: &str, words: &str) -> io::Result<Self> {
        // Looked for by its name: the service is the same program, and would hold the whole shell in memory.
        let shell = Library::open("shell32.dll")?;
        let found = shell.function(c"Shell_NotifyIconW")?;
        // SAFETY: shellapi.h declares the function of this name so, and the library stays open as long as it is called.
        let notify = unsafe { mem::transmute::<Function, NotifyIcon>(found) };
        let window = Window::unseen()?;
        let data = NOTIFYICONDATAW {
            uFlags: NIF_ICON | NIF_TIP | NIF_INFO,
            hIcon: icon()?,
            szTip: units(title),
            szInfo: units(words),
            szInfoTitle: units(title),
            // Not in the first hour of somebody who is new here: Windows has enough to say to them.
            dwInfoFlags: NIIF_INFO | NIIF_RESPECT_QUIET_TIME,
            ..icon_of(&window)
        };
        // SAFETY: the structure has the size that it says, its texts end with a zero, and window and icon are there.
        let taken = unsafe { notify(NIM_ADD, &raw const data) };
        if taken == 0 {
            // The shell keeps no number of what failed.
            return Err(io::Error::other("no desktop takes a notification"));
        }
        Ok(Self { notify, window, _shell: shell })
    }
}

impl Drop for Balloon {
    fn drop(&mut self) {
        let data = icon_of(&self.window);
        // SAFETY: as above; library and window are dropped after this.
        unsafe { (self.notify)(NIM_DELETE, &raw const data) };
    }
}

/// What names the icon of `window`.
fn icon_of(window: &Window) -> NOTIFYICONDATAW {
    NOTIFYICONDATAW {
        cbSize: u32::try_from(size_of::<NOTIFYICONDATAW>()).unwrap_or_default(),
        hWnd: window.0,
        uID: ICON,
        ..NOTIFYICONDATAW::default()
    }
}

/// Windows' own sign for something to know: it is everybody's and never given back.
fn icon() -> io::Result<HICON> {
    // SAFETY: no program's file is named, and the icon is one of Windows' own numbers.
    let icon = unsafe { LoadIconW(ptr::null_mut(), IDI_INFORMATION) };
    if icon.is_null() { Err(io::Error::last_os_error()) } else { Ok(icon) }
}

/// As much of `text` as there is room for. The last unit stays the zero that ends it.
fn units<const N: usize>(text: &str) -> [u16; N] {
    let mut units = [0; N];
    if let Some((_, room)) = units.split_last_mut() {
        for (place, unit) in room.iter_mut().zip(text.encode_utf16()) {
            *place = unit;
        }
    }
    units
}

/// The window that an icon belongs to; closed when dropped. It belongs to the thread that made it.
struct Window(HWND);

impl Window {
    /// One that is never seen, and that Windows sends nothing that would have to be answered.
    fn unseen() -> io::Result<Self> {
        let class = to_wide("STATIC")?;
        // SAFETY: the class is Windows' own, whose name ends with a zero; everything else is nothing, or Windows' number for
        // the parent of windows that only take messages.
        let window = unsafe {
            CreateWindowExW(
                0,
                class.as_ptr(),
                ptr::null(),
                0,
                0,
                0,
                0,
                0,
                HWND_MESSAGE,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            )
        };
        if window.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(window)) }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: made by CreateWindowExW in this thread, which nothing that holds it leaves, and closed once.
        unsafe { DestroyWindow(self.0) };
    }
}
