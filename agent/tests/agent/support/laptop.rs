//! A laptop of a test, and what the agent's program does on it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use cartable_common::UtcMillis;

use super::Gateway;

/// A laptop: a state folder, a recorded machine, and the agent's program.
pub(crate) struct Laptop {
    folder: tempfile::TempDir,
    pub(crate) proxy: Option<String>,
}

impl Laptop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let laptop = Self { folder, proxy: None };
        laptop.set_memory(4_000_000);
        laptop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Changes the machine's content, so that there is something new to report.
    pub(crate) fn set_memory(&self, kibibytes: u64) {
        write(&self.path("root/proc/meminfo"), &format!("MemTotal: {kibibytes} kB\n"));
    }

    /// Changes the machine itself: the state folder was copied to another one.
    pub(crate) fn set_serial(&self, serial: &str) {
        write(&self.path("root/sys/class/dmi/id/product_serial"), &format!("{serial}\n"));
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartable-agent"));
        command.env_clear().env("LANG", "C").env("CARTABLE_LOG", "warn");
        command.arg("--state").arg(self.state()).args(arguments);
        if ["enrol", "run", "once", "show"].contains(&arguments[0]) {
            command.arg("--root").arg(self.path("root"));
        }
        if let Some(proxy) = &self.proxy {
            command.env("HTTPS_PROXY", proxy);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn agent(&self, arguments: &[&str]) -> Done {
        Done::from(self.command(arguments).output().unwrap())
    }

    pub(crate) fn enrol(&self, gateway: &Gateway) -> Done {
        self.enrol_at(&gateway.url(), gateway, &[])
    }

    /// Enrols at `url` with the gateway's roots, as `more` says.
    pub(crate) fn enrol_at(&self, url: &str, gateway: &Gateway, more: &[&str]) -> Done {
        let roots = self.path("roots.pem");
        write(&roots, &gateway.authority.pem);
        let roots = roots.to_string_lossy().into_owned();
        self.agent(&[&["enrol", "--server", url, "--token", "a-secret-token", "--roots", &roots][..], more].concat())
    }

    pub(crate) fn enrolled(gateway: &Gateway) -> Self {
        let laptop = Self::new();
        let done = laptop.enrol(gateway);
        assert_eq!(done.code, 0, "{}", done.words);
        laptop
    }

    pub(crate) fn key(&self) -> String {
        self.enrolment()["key_pem"].as_str().unwrap().to_owned()
    }

    pub(crate) fn enrolment(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.state().join("enrolment.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Its certificate ends at `not_after`.
    pub(crate) fn set_end(&self, not_after: UtcMillis) {
        let mut enrolment = self.enrolment();
        enrolment["grant"]["not_after"] = serde_json::json!(not_after);
        std::fs::write(self.state().join("enrolment.json"), enrolment.to_string()).unwrap();
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) words: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let words = [output.stdout, output.stderr].concat();
        Self { code: output.status.code().unwrap_or(-1), words: String::from_utf8_lossy(&words).into_owned() }
    }
}

pub(crate) fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
