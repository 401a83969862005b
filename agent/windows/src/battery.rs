//! Batteries as their drivers tell of them.

#![expect(unsafe_code, reason = "questions to a driver have no safe interface in Rust")]

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::windows::{ffi::OsStringExt as _, io::AsRawHandle as _},
    ptr,
};

use windows_sys::Win32::{
    Devices::DeviceAndDriverInstallation::{
        CM_GET_DEVICE_INTERFACE_LIST_PRESENT, CM_Get_Device_Interface_List_SizeW, CM_Get_Device_Interface_ListW,
        CR_SUCCESS,
    },
    System::{
        IO::DeviceIoControl,
        Power::{
            BATTERY_INFORMATION, BATTERY_QUERY_INFORMATION, BATTERY_QUERY_INFORMATION_LEVEL, BatteryDeviceName,
            BatteryInformation, BatteryManufactureName, GUID_DEVICE_BATTERY, IOCTL_BATTERY_QUERY_INFORMATION,
            IOCTL_BATTERY_QUERY_TAG,
        },
    },
};

/// What a driver says of its battery, in its own numbers (`BATTERY_INFORMATION`, poclass.h).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Battery {
    /// Bits: whether the machine runs from it, and in what it counts.
    pub capabilities: u32,
    /// Four characters, the first in the lowest byte.
    pub chemistry: u32,
    /// What it held when it was new, in milliwatt-hours unless it counts in shares.
    pub designed_capacity: u32,
    /// What it holds when it is full, as above.
    pub full_charged_capacity: u32,
    /// Charges so far; 0 where the battery does not count.
    pub cycle_count: u32,
    /// Who made it, where it says so.
    pub manufacturer: Option<String>,
    /// Its model, where it says so.
    pub model: Option<String>,
}

/// Asks the driver of each battery. One that does not answer is left out: its bay may be empty.
#[must_use]
pub fn batteries() -> Vec<Battery> {
    paths().iter().filter_map(|path| ask(path).ok()).collect()
}

/// Under which names the batteries' drivers can be opened.
fn paths() -> Vec<OsString> {
    let (class, mut length) = (GUID_DEVICE_BATTERY, 0);
    // SAFETY: places for the number that is written and for the class; no name of a device means all of them.
    let code = unsafe {
        CM_Get_Device_Interface_List_SizeW(
            &raw mut length,
            &raw const class,
            ptr::null(),
            CM_GET_DEVICE_INTERFACE_LIST_PRESENT,
        )
    };
    // The zero that ends an empty list has a length of its own.
    if code != CR_SUCCESS || length <= 1 {
        return Vec::new();
    }
    let mut list = vec![0_u16; usize::try_from(length).unwrap_or_default()];
    // SAFETY: as above; the list has the length that is said.
    let code = unsafe {
        CM_Get_Device_Interface_ListW(
            &raw const class,
            ptr::null(),
            list.as_mut_ptr(),
            length,
            CM_GET_DEVICE_INTERFACE_LIST_PRESENT,
        )
    };
    if code != CR_SUCCESS {
        return Vec::new();
    }
    list.split(|unit| *unit == 0).filter(|name| !name.is_empty()).map(OsString::from_wide).collect()
}

fn ask(path: &OsStr) -> io::Result<Battery> {
    let driver = File::open(path)?;
    // How long to wait for a battery to appear: not at all.
    let (no_wait, mut tag) = (0_u32, 0_u32);
    control(&driver, IOCTL_BATTERY_QUERY_TAG, &no_wait, &mut tag)?;
    let question = |level: BATTERY_QUERY_INFORMATION_LEVEL| BATTERY_QUERY_INFORMATION {
        BatteryTag: tag,
        InformationLevel: level,
        AtRate: 0,
    };
    let mut told = BATTERY_INFORMATION::default();
    control(&driver, IOCTL_BATTERY_QUERY_INFORMATION, &question(BatteryInformation), &mut told)?;
    let name = |level| {
        let mut text = [0_u16; NAME_UNITS];
        control(&driver, IOCTL_BATTERY_QUERY_INFORMATION, &question(level), &mut text).ok()?;
        text.split(|unit| *unit == 0).next().map(String::from_utf16_lossy)
    };
    Ok(Battery {
        capabilities: told.Capabilities,
        chemistry: u32::from_le_bytes(told.Chemistry),
        designed_capacity: told.DesignedCapacity,
        full_charged_capacity: told.FullChargedCapacity,
        cycle_count: told.CycleCount,
        manufacturer: name(BatteryManufactureName),
        model: name(BatteryDeviceName),
    })
}

/// Room for a name: drivers know none above 100 characters (`MAX_BATTERY_STRING_SIZE`, batclass.h: 128).
const NAME_UNITS: usize = 128;

/// Numbers and nothing else: any bytes are a value of it, and none of its bytes is padding.
///
/// # Safety
///
/// That must be true of each type that implements it.
unsafe trait Plain {}

// SAFETY: a number.
unsafe impl Plain for u32 {}
// SAFETY: numbers without padding between them.
unsafe impl Plain for [u16; NAME_UNITS] {}
// SAFETY: three numbers of four bytes.
unsafe impl Plain for BATTERY_QUERY_INFORMATION {}
// SAFETY: numbers of four bytes, and eight of one byte that fill two of them.
unsafe impl Plain for BATTERY_INFORMATION {}

/// Puts one question to a driver. What it leaves unanswered keeps its value.
fn control<Q: Plain, A: Plain>(driver: &File, code: u32, question: &Q, answer: &mut A) -> io::Result<()> {
    let bytes = |size: usize| u32::try_from(size).unwrap_or_default();
    let mut written = 0;
    // SAFETY: the handle is open; both places live until the call returns, have the sizes that are said, and any bytes are a
    // value of the answer's type.
    let done = unsafe {
        DeviceIoControl(
            driver.as_raw_handle(),
            code,
            ptr::from_ref(question).cast(),
            bytes(size_of::<Q>()),
            ptr::from_mut(answer).cast(),
            bytes(size_of::<A>()),
            &raw mut written,
            ptr::null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
