//! A clock that a test drives, for programs that read the system's: Debian's libfaketime in front of the C library.
//!
//! The programs are the ones that are released: there is no door in them for a test. Waits go on in real time, because
//! only the clock of the day is replaced (`CLOCK_REALTIME`); a laptop's waits are shortened by [`super::traced`].

use std::{path::PathBuf, process::Command, sync::OnceLock};

use anyhow::Context as _;
use cartable_common::UtcMillis;

/// One clock, for any number of programs. What runs by it goes on from the moment that was set, second by second.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Clock {
    /// A clock that shows `now`.
    pub fn at(now: UtcMillis) -> anyhow::Result<Self> {
        library()?;
        let folder = tempfile::tempdir()?;
        let clock = Self { file: folder.path().join("now"), _folder: folder };
        clock.set(now)?;
        Ok(clock)
    }

    /// Sets it, for running programs too.
    pub fn set(&self, now: UtcMillis) -> anyhow::Result<()> {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("@{}\n", now.get() / 1000))?;
        // Whole or not at all: a program may read it at this very moment.
        Ok(std::fs::rename(new, &self.file)?)
    }

    /// Makes `command` live by this clock.
    pub fn drive<'a>(&self, command: &'a mut Command) -> anyhow::Result<&'a mut Command> {
        command
            .env("LD_PRELOAD", library()?)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_FMT", "%s")
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Ok(command.env_remove("FAKETIME"))
    }
}

/// How often faketime is asked where its library lies.
const ASKED_AT_MOST: usize = 20;

/// Where the library lies, that for programs of several threads: its own wrapper knows.
fn library() -> anyhow::Result<&'static str> {
    static LIBRARY: OnceLock<Result<String, String>> = OnceLock::new();
    let found = LIBRARY.get_or_init(|| {
        // It names memory after its process id, and one that was killed leaves it: whoever gets that id again says nothing.
        for _ in 0..ASKED_AT_MOST {
            let output = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output();
            let output = output
                .map_err(|error| format!("faketime could not be started ({error}): install it (tests/run does)"))?;
            let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if !path.is_empty() {
                return Ok(path);
            }
        }
        Err("faketime named no library; remove what killed ones left: rm /dev/shm/*faketime*".to_owned())
    });
    found.as_deref().map_err(|error| anyhow::anyhow!("{error}")).context("a clock that a test drives")
}
