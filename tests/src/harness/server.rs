//! The running server: its addresses, and its end, gentle or by SIGKILL.

use std::{process::Command, process::ExitStatus, time::Duration};

use anyhow::Context as _;
use serde::Deserialize;

use super::process::{Log, Process};

/// How long a server may take until it is ready: a debug build on two busy cores opens its database in seconds.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// A running `cartable-server serve`. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    process: Process,
    ready: Ready,
}

/// The line that `--ready-json` prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// The console's address.
    pub console: String,
    /// The device port's address.
    pub gateway: String,
}

impl Server {
    /// Starts `command` and waits for its line.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut process = Process::start("cartable-server", command)?;
        let line = process.line(READY_TIMEOUT)?;
        let ready = serde_json::from_str(&line).with_context(|| format!("the server's ready line: {line}"))?;
        Ok(Self { process, ready })
    }

    /// Where the console and the API are (`http://127.0.0.1:PORT`).
    pub fn console(&self) -> &str {
        &self.ready.console
    }

    /// Where devices report (`https://127.0.0.1:PORT`).
    pub fn gateway(&self) -> &str {
        &self.ready.gateway
    }

    /// `127.0.0.1:PORT` of the device port.
    pub fn gateway_authority(&self) -> &str {
        authority(&self.ready.gateway)
    }

    /// `127.0.0.1:PORT` of the console.
    pub fn console_authority(&self) -> &str {
        authority(&self.ready.console)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Its log.
    pub const fn log(&self) -> &Log {
        self.process.log()
    }

    /// Ends it as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it gently (SIGTERM).
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        self.process.stop()
    }
}

fn authority(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/')
}
