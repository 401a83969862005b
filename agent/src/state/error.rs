//! Why a state folder cannot be used, and what to do about it.

use std::{io, path::PathBuf};

use super::damage::remedy;
use crate::{identity::IdentityError, language::Language, platform};

/// A state folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Others may enter it.
    #[error("the state folder {path} is open to others (mode {mode:04o}); run: chmod 700 {path}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error(
        "the state folder {path} belongs to user {owner}, this agent runs as user {user}; run it as the folder's owner (usually: sudo)"
    )]
    Foreign {
        /// Which.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who runs.
        user: u32,
    },
    /// On Windows: others may enter it, or own it.
    #[error(
        "the state folder {path} is open to others ({who}); as administrator, delete it and try again: the agent makes it anew, for itself"
    )]
    OpenTo {
        /// Which.
        path: PathBuf,
        /// The first of them, as Windows names them.
        who: String,
    },
    /// Another agent uses it.
    #[error(
        "another cartable-agent uses {0} (the service?); stop it first ({stop}), or ask it: cartable-agent status",
        stop = platform::STOP
    )]
    InUse(PathBuf),
    /// The disk failed.
    #[error(
        "{path} could not be used ({source}); check that the disk is there, not full, and that you are allowed ({rights})",
        rights = platform::PRIVILEGED
    )]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that holds something else.
    #[error("{path} is damaged ({reason}); {remedy}", remedy = remedy(.path, Language::English))]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}
