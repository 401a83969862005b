//! A laptop with the real agent: an invented machine and the agent's state, below one folder.

#![cfg(target_os = "linux")]

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use cartable_agent::spool::{Record, Spool};
use cartable_tests::{
    gateway_client::{Port, SITE},
    harness::Agent,
};
use serde_json::Value;

/// A moment of 2021, in milliseconds.
pub(crate) const PAST: i64 = 1_620_000_000_000;

/// Laptops that do something at a time: while some wait for the server or a disk, others go on.
const AT_ONCE: usize = 4;

/// How a command of the agent's ended, and all that it said.
pub(crate) type Ran = (Option<i32>, String);

pub(crate) struct Laptop {
    pub(crate) agent: Agent,
    folder: tempfile::TempDir,
}

impl Laptop {
    /// A machine with that serial number, on which nothing was enrolled.
    pub(crate) fn new(port: &Port, serial: &str) -> Self {
        let laptop = Self::uninvited(port, serial);
        laptop.write("roots.pem", &port.installation.roots_pem().unwrap());
        // For a second key too.
        laptop.write("token", &port.installation.create_enrolment_token(SITE, 2).unwrap());
        laptop
    }

    /// The same without roots and token.
    fn uninvited(port: &Port, serial: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::new(&port.installation, folder.path().join("agent"));
        let laptop = Self { agent, folder };
        laptop.set_serial(serial);
        laptop.set_memory(4_000_000);
        laptop
    }

    /// The same, enrolled.
    pub(crate) fn enrolled(port: &Port, serial: &str) -> Self {
        let laptop = Self::new(port, serial);
        let (code, words) = laptop.enrol(port, &[]);
        assert_eq!(code, Some(0), "{words}");
        laptop
    }

    /// Another machine with a copy of the agent's state, as an image of the disk makes one: without roots and token of
    /// its own.
    pub(crate) fn copied_to(&self, port: &Port, serial: &str) -> Self {
        let other = Self::uninvited(port, serial);
        let copied = Command::new("cp").arg("-a").arg(self.agent.state()).arg(other.agent.state()).status().unwrap();
        assert!(copied.success());
        other
    }

    /// Loses the request that waits.
    pub(crate) fn lose_request(&self) {
        std::fs::remove_file(self.agent.state().join("pending.json")).unwrap();
    }

    /// Asks to be enrolled, with these further options.
    pub(crate) fn enrol(&self, port: &Port, options: &[&str]) -> Ran {
        let mut enrol = self.command("enrol");
        enrol.args(["--server", port.server.gateway()]).args(options);
        enrol.arg("--roots").arg(self.path("roots.pem")).arg("--token-file").arg(self.path("token"));
        ended(enrol.output().unwrap())
    }

    /// Checks in once.
    pub(crate) fn contact(&self) -> Ran {
        ended(self.command("once").output().unwrap())
    }

    pub(crate) fn contact_goes_well(&self) {
        let (code, words) = self.contact();
        assert_eq!(code, Some(0), "{words}");
    }

    /// The agent, on this machine.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = self.agent.command(subcommand);
        command.arg("--root").arg(self.path("root")).env("LANG", "C");
        command
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The firmware gives this serial number from now on.
    pub(crate) fn set_serial(&self, serial: &str) {
        self.write("root/sys/class/dmi/id/product_serial", &format!("{serial}\n"));
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Something about the machine changes: there is something to report.
    pub(crate) fn set_memory(&self, kibibytes: u64) {
        self.write("root/proc/meminfo", &format!("MemTotal: {kibibytes} kB\n"));
    }

    /// An SSD with that serial number is built in.
    pub(crate) fn set_drive(&self, serial: &str) {
        for (name, content) in [("size", "500118192"), ("device/model", "Example SSD"), ("device/serial", serial)] {
            self.write(&format!("root/sys/block/nvme0n1/{name}"), &format!("{content}\n"));
        }
    }

    pub(crate) fn device(&self) -> String {
        self.agent.device_id().unwrap()
    }

    /// What the agent keeps under that name, if it does.
    pub(crate) fn kept(&self, name: &str) -> Option<Value> {
        let text = std::fs::read(self.agent.state().join(name)).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    pub(crate) fn enrolment(&self) -> Value {
        self.kept("enrolment.json").unwrap()
    }

    pub(crate) fn set_enrolment(&self, enrolment: &Value) {
        self.set_kept("enrolment.json", enrolment);
    }

    /// The agent keeps this under that name from now on.
    pub(crate) fn set_kept(&self, name: &str, value: &Value) {
        std::fs::write(self.agent.state().join(name), value.to_string()).unwrap();
    }

    /// What waits to be sent, oldest first.
    pub(crate) fn spooled(&self) -> Vec<Record> {
        Spool::peek(&self.agent.state().join("spool"))
    }
}

/// Each laptop does the same, several at a time; gives what came of it, in their order.
pub(crate) fn at_once<L: Send, T: Send>(laptops: &mut [L], act: impl Fn(&mut L) -> T + Sync) -> Vec<T> {
    let (act, share) = (&act, laptops.len().div_ceil(AT_ONCE).max(1));
    std::thread::scope(|scope| {
        let shares = laptops.chunks_mut(share);
        let running: Vec<_> =
            shares.map(|some| scope.spawn(move || some.iter_mut().map(act).collect::<Vec<T>>())).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn ended(output: Output) -> Ran {
    let words = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&words).into_owned())
}

/// The server starts anew, at the address that laptops know.
pub(crate) fn restart(port: &mut Port) {
    let address = port.server.gateway_authority().to_owned();
    port.server.kill();
    port.server = port.installation.serve_at("127.0.0.1:0", &address).unwrap();
}

/// The lines of `device waiting`, each in its columns.
pub(crate) fn waiting(port: &Port) -> Vec<Vec<String>> {
    let lines = port.installation.run("device waiting", &[], "").unwrap();
    lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A person lets in the one machine that waits.
pub(crate) fn approve(port: &Port) {
    let lines = waiting(port);
    assert_eq!(lines.len(), 1, "{lines:?}");
    port.installation.run("device approve", &[&lines[0][0]], "").unwrap();
}
