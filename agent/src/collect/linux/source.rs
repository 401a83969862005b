//! Reading small files below a root, with a list of what could not be read.
//!
//! Bounded: no probe ever takes in a large file. Below a root other than `/` no link is followed out of it, so that a
//! recorded machine never shows this one's values.

use std::{
    cell::RefCell,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use cartable_common::report::{Subject, Unread, UnreadReason};

use super::super::unread;

/// Largest file read: /proc/cpuinfo of a machine with 128 processors is about 200 KB.
const FILE_LIMIT: u64 = 1024 * 1024;

/// A root and what could not be read below it.
#[derive(Debug)]
pub(super) struct Source {
    root: PathBuf,
    unread: RefCell<Vec<Unread>>,
}

impl Source {
    pub(super) fn new(root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        Self { root, unread: RefCell::default() }
    }

    /// Whether this is the running machine, not a recording.
    pub(super) fn is_live(&self) -> bool {
        self.root == Path::new("/")
    }

    pub(super) fn into_unread(self) -> Vec<Unread> {
        self.unread.into_inner()
    }

    /// Notes that something could not be read.
    pub(super) fn missing(&self, subject: Subject, reason: UnreadReason, detail: &str) {
        self.unread.borrow_mut().push(unread(subject, reason, detail));
    }

    /// The text of `path`, noting under `subject` why it could not be read.
    pub(super) fn text(&self, path: &str, subject: Subject) -> Option<String> {
        match self.bytes(path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                let last = path.rsplit('/').next().unwrap_or_default();
                self.missing(subject, reason_of(&error), last);
                None
            }
        }
    }

    /// The text of `path` if it is there; nothing is noted unless the right to read it is missing.
    pub(super) fn optional(&self, path: &str, subject: Subject) -> Option<String> {
        match self.bytes(path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                if error.kind() == io::ErrorKind::PermissionDenied {
                    self.missing(subject, UnreadReason::PermissionDenied, path.rsplit('/').next().unwrap_or_default());
                }
                None
            }
        }
    }

    /// The trimmed first line of `path` if it is there.
    pub(super) fn word(&self, path: &str) -> Option<String> {
        let bytes = self.bytes(path).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim_matches('\0').lines().next()?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// The number in `path` if it is there.
    pub(super) fn number<T: std::str::FromStr>(&self, path: &str) -> Option<T> {
        self.word(path)?.parse().ok()
    }

    pub(super) fn bytes(&self, path: &str) -> io::Result<Vec<u8>> {
        let full = self.resolve(path)?;
        let mut content = Vec::new();
        fs::File::open(full)?.take(FILE_LIMIT).read_to_end(&mut content)?;
        Ok(content)
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.resolve(path).is_ok()
    }

    /// The names in the folder `path`, sorted; none when it is absent.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = self.resolve(path).and_then(fs::read_dir).into_iter().flatten();
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Where `path` really is, links followed, as it is written from the root.
    pub(super) fn place(&self, path: &str) -> Option<PathBuf> {
        self.resolve(path).ok()?.strip_prefix(&self.root).ok().map(Path::to_owned)
    }

    /// Where `path` really is, links followed, never outside the root.
    pub(super) fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let full = self.root.join(path).canonicalize()?;
        if full.starts_with(&self.root) { Ok(full) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn reason_of(error: &io::Error) -> UnreadReason {
    #[expect(clippy::wildcard_enum_match_arm, reason = "io::ErrorKind is open-ended")]
    match error.kind() {
        io::ErrorKind::NotFound => UnreadReason::NotPresent,
        io::ErrorKind::PermissionDenied => UnreadReason::PermissionDenied,
        _ => UnreadReason::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_a_recording_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("etc/os-release")).unwrap();
        fs::write(root.path().join("etc/word"), "  one \ntwo\n").unwrap();
        let source = Source::new(root.path());
        assert!(source.bytes("etc/os-release").is_err() && source.bytes("../../etc/passwd").is_err());
        assert_eq!(source.word("etc/word").as_deref(), Some("one"));
    }
}
