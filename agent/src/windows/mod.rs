//! What only Windows has: the service under its service manager, its registration, the event log, updates.

pub mod events;
pub mod install;
pub mod service;
pub(crate) mod update;

/// The service's name, which is also the name of its events.
pub const NAME: &str = "cartable-agent";
