//! Who may enter the agent's folder: nobody but its own user, because whoever can write there is this laptop for the
//! server.
//!
//! The systems meet at one seam: `make` creates a folder with its rights from the first moment, `check` refuses one
//! that others may enter and says what to do.

use std::{fs, io, path::Path};

use crate::state::StateError;

#[cfg(unix)]
use unix as imp;
#[cfg(windows)]
use windows as imp;

/// Makes the folder, which does not exist, so that only the agent's own user may enter.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    imp::make(path)
}

/// Refuses a folder that is somebody else's or that others may enter.
pub(crate) fn check(path: &Path) -> Result<(), StateError> {
    imp::check(path)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    |source| StateError::Io { path, source }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};

    use super::{Path, StateError, failed, fs, io};

    pub(super) fn make(path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    pub(super) fn check(path: &Path) -> Result<(), StateError> {
        let found = fs::metadata(path).map_err(failed(path))?;
        let user = rustix::process::geteuid().as_raw();
        if found.uid() != user {
            return Err(StateError::Foreign { path: path.to_owned(), owner: found.uid(), user });
        }
        let mode = found.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(StateError::Open { path: path.to_owned(), mode });
        }
        Ok(())
    }
}

#[cfg(windows)]
mod windows {
    use super::{Path, StateError, failed, fs, io, sddl};

    pub(super) fn make(path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        cartable_windows::make_folder(path, sddl::PRIVATE)
    }

    pub(super) fn check(path: &Path) -> Result<(), StateError> {
        let found = fs::symlink_metadata(path).map_err(failed(path))?;
        // ProgramData is open to everybody: a junction put there would lead the agent elsewhere.
        let stranger = if found.is_dir() {
            let user = cartable_windows::current_user().map_err(failed(path))?;
            sddl::stranger(&cartable_windows::rights(path).map_err(failed(path))?, &user)
        } else {
            Some("whoever made the link".to_owned())
        };
        stranger.map_or(Ok(()), |who| Err(StateError::OpenTo { path: path.to_owned(), who }))
    }
}

/// Windows' language for rights (SDDL), as far as the agent's folder needs it.
#[cfg(any(windows, test))]
mod sddl {
    /// Administrators own it; the system and administrators have all rights, here and below; nothing is inherited.
    pub(super) const PRIVATE: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

    /// Names of the system and of administrators, short and as SIDs.
    const TRUSTED: [&str; 4] = ["SY", "BA", "S-1-5-18", "S-1-5-32-544"];

    /// Who, besides the system, administrators and `user`, owns the folder or has a right to it; none when private.
    pub(super) fn stranger(sddl: &str, user: &str) -> Option<String> {
        let is_trusted = |name: &str| TRUSTED.contains(&name) || name == user;
        let Some(said) = sddl.strip_prefix("O:") else { return Some("nobody knows whom".to_owned()) };
        let (owner, rights) = said.split_once("D:").unwrap_or((said, "NO_ACCESS_CONTROL"));
        let owner = owner.split("G:").next().unwrap_or_default();
        if !is_trusted(owner) {
            return Some(owner.to_owned());
        }
        // Without a list of rights everybody has all of them.
        if rights.starts_with("NO_ACCESS_CONTROL") {
            return Some("everybody".to_owned());
        }
        let entries = rights.split('(').skip(1).map(|entry| entry.split(')').next().unwrap_or_default());
        entries.filter(|entry| !entry.starts_with("D;")).find_map(|entry| {
            let name = entry.split(';').nth(5).unwrap_or("an entry that makes no sense");
            // CO and OW are the owner, who is trusted by now.
            (!is_trusted(name) && !matches!(name, "CO" | "OW")).then(|| name.to_owned())
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const USER: &str = "S-1-5-21-1-2-3-1001";

        #[test]
        fn the_system_administrators_and_the_own_user_are_no_strangers() {
            assert_eq!(stranger(PRIVATE, USER), None);
            assert_eq!(stranger("O:S-1-5-18D:P(A;OICI;FA;;;S-1-5-32-544)(A;;FA;;;OW)", USER), None);
            let own = format!("O:{USER}G:DUD:(A;OICI;FA;;;SY)(A;OICI;0x1f01ff;;;{USER})(D;;FA;;;BU)");
            assert_eq!(stranger(&own, USER), None);
            assert_eq!(stranger(&own, "S-1-5-18").as_deref(), Some(USER));
        }

        #[test]
        fn everybody_else_is() {
            // What ProgramData hands down: users may read, and make files.
            let inherited =
                "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)";
            assert_eq!(stranger(inherited, USER).as_deref(), Some("BU"));
            assert_eq!(stranger("O:BAD:NO_ACCESS_CONTROL", USER).as_deref(), Some("everybody"));
            assert_eq!(stranger("O:BA", USER).as_deref(), Some("everybody"));
            assert_eq!(stranger("O:BAD:(A;;FA)", USER).as_deref(), Some("an entry that makes no sense"));
            assert_eq!(stranger("O:BUD:P(A;;FA;;;SY)", USER).as_deref(), Some("BU"));
        }

        #[test]
        fn rights_that_cannot_be_read_are_no_privacy() {
            assert!(stranger("", USER).is_some());
        }
    }
}
