//! What only Windows has: the service under its service manager, its registration, the event log, updates, and a way to the
//! desktop of whoever is signed in.

pub mod events;
pub mod install;
pub(crate) mod notice;
pub mod service;
pub(crate) mod update;

use std::path::PathBuf;

/// The service's name, which is also the name of its events.
pub const NAME: &str = "cartable-agent";

/// The folder in which everybody may read what was sent, made if it is absent; none where it cannot be made, which costs the
/// page and nothing else.
fn public_folder() -> Option<PathBuf> {
    let folder = crate::platform::public_folder();
    match std::fs::create_dir_all(&folder) {
        Ok(()) => Some(folder),
        Err(error) => {
            tracing::warn!(%error, "what is sent cannot be published on this computer");
            None
        }
    }
}
