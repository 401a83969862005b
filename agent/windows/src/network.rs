//! Who pays for the network.

#![expect(unsafe_code, reason = "the cost of the network has no safe interface in Rust")]

use std::{io, mem};

use windows_sys::Win32::Foundation::ERROR_SUCCESS;

use crate::library::{Function, Library};

/// What Windows says of the network that a program meets now, in its own numbers (`NL_NETWORK_CONNECTIVITY_HINT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkCost {
    /// 0: not known, 1: unrestricted, 2: free up to a fixed amount, 3: each byte is paid for.
    pub cost: i32,
    /// Whether it is a foreign operator's.
    pub is_roaming: bool,
}

/// Windows' structure, with its one-byte booleans as what they are: bytes.
#[repr(C)]
#[derive(Default)]
struct Hint {
    _level: i32,
    cost: i32,
    _approaching_data_limit: u8,
    _over_data_limit: u8,
    roaming: u8,
}

type Ask = unsafe extern "system" fn(*mut Hint) -> u32;

/// Asks Windows. Fails before Windows 10 version 2004, which does not know the question: it is looked for by its name,
/// because a program that needs it would not even start there.
pub fn network_cost() -> io::Result<NetworkCost> {
    let library = Library::open("iphlpapi.dll")?;
    let found = library.function(c"GetNetworkConnectivityHint")?;
    // SAFETY: netioapi.h declares the function of this name so, and the library stays open until after the call.
    let ask = unsafe { mem::transmute::<Function, Ask>(found) };
    let mut hint = Hint::default();
    // SAFETY: a place for the one structure that is written, which lives until the call returns.
    let code = unsafe { ask(&raw mut hint) };
    if code != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    Ok(NetworkCost { cost: hint.cost, is_roaming: hint.roaming != 0 })
}
