//! What the computer runs on: the mains or its battery.

#![expect(unsafe_code, reason = "the power status has no safe interface in Rust")]

use std::io;

use windows_sys::Win32::System::Power::{GetSystemPowerStatus, SYSTEM_POWER_STATUS};

/// What Windows says, in its own numbers (`SYSTEM_POWER_STATUS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerStatus {
    /// 0: not at the mains, 1: at the mains, 255: not known.
    pub mains: u8,
    /// Bits about the battery. 128: there is none; 255: not known.
    pub battery: u8,
    /// What is left in all batteries together, in percent; 255: not known.
    pub percent: u8,
}

/// Asks Windows.
pub fn power_status() -> io::Result<PowerStatus> {
    let mut status = SYSTEM_POWER_STATUS::default();
    // SAFETY: a place for the one structure that is written, which lives until the call returns.
    let done = unsafe { GetSystemPowerStatus(&raw mut status) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(PowerStatus { mains: status.ACLineStatus, battery: status.BatteryFlag, percent: status.BatteryLifePercent })
}
