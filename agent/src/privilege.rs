//! A person runs the agent's commands as root; the agent's files belong to a user of its own. Before such a command
//! touches them it becomes that user, so that nothing it writes is root's and no link in that folder can lead root
//! astray. What only root may read (serial numbers, the token's file) is read before.

use std::{io, path::Path};

/// Becomes the owner of `folder` for good, where this process is root and the folder is not. Returns whether it did.
///
/// Of this thread only, says the kernel: there is no other yet, and later ones begin as this one is.
#[cfg(target_os = "linux")]
pub fn become_owner_of(folder: &Path) -> io::Result<bool> {
    use rustix::{
        process::{Gid, Uid, geteuid},
        thread::{set_thread_gid, set_thread_groups, set_thread_uid},
    };
    use std::os::unix::fs::MetadataExt as _;

    if !geteuid().is_root() {
        return Ok(false);
    }
    let found = match std::fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() && found.uid() != 0 => found,
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    set_thread_groups(&[])?;
    set_thread_gid(Gid::from_raw(found.gid()))?;
    set_thread_uid(Uid::from_raw(found.uid()))?;
    Ok(true)
}

/// Elsewhere the agent has no user of its own.
#[cfg(not(target_os = "linux"))]
pub fn become_owner_of(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn root_becomes_the_owner_of_a_foreign_folder_and_cannot_come_back() {
        let base = tempfile::tempdir().unwrap();
        let own = base.path().join("own");
        std::fs::create_dir(&own).unwrap();
        assert!(!become_owner_of(&own).unwrap(), "its own");
        assert!(!become_owner_of(&base.path().join("none")).unwrap(), "not there");
        if !rustix::process::geteuid().is_root() {
            return;
        }
        std::os::unix::fs::chown(&own, Some(12_345), Some(12_346)).unwrap();
        std::os::unix::fs::symlink(&own, base.path().join("link")).unwrap();
        assert!(!become_owner_of(&base.path().join("link")).unwrap(), "a link is nobody's word");
        // In a thread of its own: the rest of the tests stays root.
        let (became, user, back) = std::thread::scope(|scope| {
            let done = scope.spawn(|| {
                let became = become_owner_of(&own).unwrap();
                std::fs::write(own.join("file"), "").unwrap();
                (
                    became,
                    rustix::process::geteuid().as_raw(),
                    rustix::thread::set_thread_uid(rustix::process::Uid::ROOT),
                )
            });
            done.join().unwrap()
        });
        assert!(became && back.is_err());
        let file = std::fs::metadata(own.join("file")).unwrap();
        assert_eq!((user, file.uid(), file.gid()), (12_345, 12_345, 12_346));
    }
}
