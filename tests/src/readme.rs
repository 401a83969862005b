//! README's shell commands, run word for word in a scratch root: only the root of absolute paths, the user's number and
//! the address of the device port are put in their place.
//!
//! What would change this computer (`useradd`, `apt-get`, `systemctl`) or build for minutes (`cargo`) is a program that
//! writes down how it was called; services are started by the test from the unit that README installed.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use crate::harness::{Binaries, binaries::workspace, process::run_with_input};

/// The service's user where the test runs as root; nobody has this number.
const SERVICE_USER: u32 = 64_123;
/// Programs that are only written down.
const RECORDED: [&str; 4] = ["cargo", "useradd", "apt-get", "systemctl"];
/// Folders that every Debian has.
const FOLDERS: [&str; 6] =
    ["etc/systemd/system", "usr/local/bin", "var/lib", "var/backups", "run/credentials", "shims"];

/// The `sh` blocks under the heading `## HEADING` of README, in order.
pub fn blocks(heading: &str) -> anyhow::Result<Vec<String>> {
    let readme = fs::read_to_string(workspace().join("README.md"))?;
    let title = format!("\n## {heading}\n");
    let (_, section) = readme.split_once(&title).with_context(|| format!("README has no heading {heading}"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let inside = section.split("```sh\n").skip(1);
    Ok(inside.filter_map(|rest| rest.split_once("```")).map(|(block, _)| block.to_owned()).collect())
}

/// A scratch root.
#[derive(Debug)]
pub struct Scratch {
    directory: tempfile::TempDir,
    /// The number of the service's user: another's where the test may change users, else its own.
    user: u32,
}

impl Scratch {
    /// Makes one with the programs that README copies, as they lie in a tree after its build.
    pub fn new() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let own = rustix::process::geteuid().as_raw();
        let scratch = Self { directory, user: if own == 0 { SERVICE_USER } else { own } };
        // The service's user must reach what lies below.
        fs::set_permissions(scratch.directory.path(), fs::Permissions::from_mode(0o755))?;
        for folder in FOLDERS {
            fs::create_dir_all(scratch.path(folder))?;
        }
        for name in RECORDED {
            scratch.program(name, &format!("echo \"{name} $*\" >> '{}'", scratch.path("calls").display()))?;
        }
        let change = if scratch.changes_users() {
            format!("exec setpriv --reuid={0} --regid={0} --clear-groups -- \"$@\"", scratch.user)
        } else {
            "exec \"$@\"".to_owned()
        };
        scratch.program("sudo", &format!("if [ \"$1\" = -u ]; then shift 2; {change}; fi\nexec \"$@\""))?;
        scratch.tree()?;
        Ok(scratch)
    }

    /// Whether the service's user is another than the test's.
    pub const fn changes_users(&self) -> bool {
        self.user == SERVICE_USER
    }

    /// The place of `/relative` in the scratch root.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    fn program(&self, name: &str, body: &str) -> anyhow::Result<()> {
        let path = self.path("shims").join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n"))?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?)
    }

    /// What README finds in the current directory: a built tree, and what was carried to a laptop.
    fn tree(&self) -> anyhow::Result<()> {
        let binaries = Binaries::find()?;
        let units = workspace().join("packaging/systemd");
        let copies = [
            (binaries.server.clone(), "tree/target/release/cartable-server"),
            (binaries.agent.clone(), "tree/target/agent/cartable-agent"),
            (binaries.agent.clone(), "tree/cartable-agent"),
            (units.join("cartable-server.service"), "tree/packaging/systemd/cartable-server.service"),
            (units.join("cartable-agent.service"), "tree/packaging/systemd/cartable-agent.service"),
            (units.join("cartable-agent.service"), "tree/cartable-agent.service"),
        ];
        for (from, to) in copies {
            let to = self.path(to);
            fs::create_dir_all(to.parent().context("a folder")?)?;
            fs::copy(&from, to).with_context(|| from.display().to_string())?;
        }
        Ok(())
    }

    /// `text` as it reads here.
    pub fn here(&self, text: &str) -> String {
        let root = self.directory.path().display();
        let mut here = text.to_owned();
        for top in ["/usr/local/", "/etc/", "/var/"] {
            for before in [' ', '=', ':'] {
                here = here.replace(&format!("{before}{top}"), &format!("{before}{root}{top}"));
            }
        }
        let user = self.user;
        here.replace("cartable:cartable", &format!("{user}:{user}"))
            .replace("-o cartable -g cartable", &format!("-o {user} -g {user}"))
    }

    /// Runs `script` as bash would after its author typed it here; gives its standard output.
    pub fn run(&self, script: &str) -> anyhow::Result<String> {
        let mut command = self.command("bash");
        run_with_input(command.args(["-euo", "pipefail", "-c", &self.here(script)]), "")
    }

    /// A command with this root's programs, without this computer's settings.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", self.path("shims").display(), self.path("usr/local/bin").display());
        command.current_dir(self.path("tree")).env("PATH", path);
        command.env("CARTABLE_STATE", self.path("var/lib/cartable-agent")).env("LC_ALL", "C.UTF-8");
        for name in ["CARTABLE_KEY", "CARTABLE_DATA", "CARTABLE_DATABASE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            command.env_remove(name);
        }
        command
    }

    /// What the recorded programs were called with.
    pub fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    /// The service `name` as systemd would start it: from the unit that was installed, as its user, with its
    /// credentials; `more` is added to its arguments.
    pub fn service(&self, name: &str, more: &[&str]) -> anyhow::Result<Command> {
        let unit =
            fs::read_to_string(self.path("etc/systemd/system").join(name)).context("README installs the unit")?;
        let setting = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let start = self.here(&format!(" {}", setting("ExecStart").context("a unit starts something")?));
        let mut words = start.split_whitespace();
        let program = words.next().context("a unit starts a program")?;
        ensure!(Path::new(program).is_file(), "{program} is not installed");
        let mut command = if setting("User").is_some() && self.changes_users() {
            let mut command = self.command("setpriv");
            let user = self.user;
            command.args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()]);
            command.args(["--", program]);
            command
        } else {
            self.command(program)
        };
        command.args(words).args(more);
        if let Some(credential) = setting("LoadCredential") {
            command.env("CREDENTIALS_DIRECTORY", self.load(&self.here(&format!(" {credential}")))?);
        }
        Ok(command)
    }

    /// What systemd does for `LoadCredential=ID:PATH`: root reads the file, the service finds a copy.
    fn load(&self, credential: &str) -> anyhow::Result<PathBuf> {
        let (id, path) = credential.trim().split_once(':').context("ID:PATH")?;
        let folder = self.path("run/credentials");
        let copy = folder.join(id);
        if copy.exists() {
            fs::remove_file(&copy)?;
        }
        fs::copy(path, &copy).with_context(|| path.to_owned())?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o440))?;
        for path in [&copy, &folder] {
            chown(path, Some(self.user), None)?;
        }
        Ok(folder)
    }
}

/// A script up to a line that begins with `stop`, that line, and what follows.
pub fn split_at<'a>(script: &'a str, stop: &str) -> anyhow::Result<(String, &'a str)> {
    let mut before = String::new();
    let mut rest = script;
    while let Some((line, after)) = rest.split_once('\n') {
        writeln!(before, "{line}")?;
        rest = after;
        if line.starts_with(stop) {
            return Ok((before, rest));
        }
    }
    anyhow::bail!("README has no line {stop:?} in\n{script}")
}
