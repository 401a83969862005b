//! Files that are whole or absent: a temporary file beside the target, fsync, rename, fsync of the folder.
//!
//! Files are 0600. A crash at any moment leaves the old content or the new, and at worst a temporary file, which
//! [`remove_leftovers`] clears at the next start.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// What temporary files begin with.
const TEMPORARY_PREFIX: &str = ".new-";

/// Replaces `folder/name` by `content`.
pub fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{TEMPORARY_PREFIX}{name}"));
    let written = write_synced(&temporary, content).and_then(|()| rename(&temporary, &folder.join(name)));
    if written.is_err() {
        // A full disk: give the space of the half-written file back.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(folder)
}

/// Makes the creation, renaming or removal of files in `folder` durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems cannot open folders; their renames are durable with the journal.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes what a crash left half written.
pub fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// On Windows a virus scanner or an indexer may hold the old file for an instant.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const BETWEEN: std::time::Duration = std::time::Duration::from_millis(20);
    let mut more_attempts = if cfg!(windows) { 9 } else { 0 };
    loop {
        match fs::rename(from, to) {
            Err(error) if more_attempts > 0 && error.kind() == io::ErrorKind::PermissionDenied => {
                more_attempts -= 1;
                std::thread::sleep(BETWEEN);
            }
            done => return done,
        }
    }
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", b"old").unwrap();
        write(folder.path(), "a", b"new").unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(folder.path().join("a")).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn leftovers_of_a_crash_are_cleared_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".new-a"), "half").unwrap();
        fs::write(folder.path().join("a"), "whole").unwrap();
        remove_leftovers(folder.path()).unwrap();
        assert!(folder.path().join("a").exists() && !folder.path().join(".new-a").exists());
    }
}
