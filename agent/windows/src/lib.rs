//! The few Win32 calls of the agent that no safe crate offers: folders with their own rights, the event log,
//! what the computer runs on, what its network costs, what its batteries' drivers say, keys in the key store, stepping back
//! behind everything else, and a few words on the desktop of whoever is signed in.
//!
//! The only crate of the workspace that holds unsafe code, so that the others can forbid it. Each function is one call
//! with its memory; every decision (which rights are good, what is logged) is the agent's. Empty on other systems.

#![cfg(windows)]

mod access;
mod background;
mod balloon;
mod battery;
mod event;
mod handle;
mod key_store;
mod library;
mod network;
mod power;
mod session;
mod wide;

pub use access::{current_user, make_folder, rights};
pub use background::go_to_background;
pub use balloon::Balloon;
pub use battery::{Battery, batteries};
pub use event::{EventSource, Kind};
pub use key_store::{KeyStore, StoredKey};
pub use network::{NetworkCost, network_cost};
pub use power::{PowerStatus, power_status};
pub use session::{Started, console_session, start_as_signed_in, ui_language, uptime};
