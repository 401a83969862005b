//! Cartable's agent: reads a lent laptop's hardware health and reports it over mutual TLS.
//!
//! collect → spool → report. [`collect`] reads the machine, [`spool`] keeps reports on disk until the server says that
//! they are durable, [`client`] speaks the device port, [`schedule`] decides when (pure functions), [`state`] keeps the
//! key (or what of it only the machine's [`tpm`] or [`key_store`] can use) and what was learnt, [`contact`] is one check-in, [`service`]
//! repeats it where
//! [`fairness`] agrees. [`reader`] stands between the agent and the rights it needs to read the machine, [`disclosure`]
//! tells the borrower what was sent, [`actions`] is what people may order, [`platform`] holds what other systems call otherwise, [`proxy`] judges the environment's. The fleet simulator of the tests uses
//! the same parts.

mod access;
pub mod actions;
pub mod atomic;
pub mod cli;
pub mod client;
pub mod clock;
pub mod collect;
pub mod contact;
mod crypto;
mod csr;
pub mod disclosure;
pub mod enrol;
pub mod fairness;
pub mod heal;
pub mod identity;
pub mod invitation;
mod json;
pub mod key_store;
pub mod language;
pub mod log;
pub mod notify;
pub mod platform;
pub mod privilege;
pub mod proxy;
pub mod reader;
pub mod recover;
pub mod roots;
pub mod schedule;
pub mod server_url;
pub mod service;
mod signing;
pub mod sleep;
pub mod spool;
pub mod state;
pub mod status;
pub mod surroundings;
#[cfg(target_os = "linux")]
pub mod system_bus;
pub mod tpm;
pub mod trouble;
pub mod update;
mod verifier;
#[cfg(windows)]
pub mod windows;

/// The agent's version as it tells the server.
pub fn version() -> cartable_common::Text {
    cartable_common::Text::clean(env!("CARTABLE_VERSION"))
}
