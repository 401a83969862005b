//! A computer with Windows, as far as Wine is one: a fresh prefix, the real agent's .exe, and the programs of Windows.
//!
//! Output goes through files, because Wine's own servers inherit a pipe and never close it. Dropped, every process of the
//! prefix is ended (`wineserver -k`, which knows no other prefix) and the prefix removed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::harness::binaries::workspace;

/// Where Debian's wine64 keeps its programs.
const WINE: &str = "/usr/lib/wine";

/// The version of the program that the agent updates itself to in tests: above every release.
pub const NEXT_VERSION: &str = "99.0.0";

/// Longest run of one program: an installation takes seconds, a fresh Wine half a minute; a busy machine ten times as much.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// What a program wrote, and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code's lowest byte, which is all that Wine passes on.
    pub code: i32,
    /// Standard output and standard error.
    pub text: String,
}

/// The computer.
#[derive(Debug)]
pub struct Wine {
    folder: tempfile::TempDir,
    exe: PathBuf,
    /// The program that keeps Wine running, once it is started.
    keeper: Mutex<Option<Child>>,
    /// The X server whose screen its desktop is on, where it has one.
    display: Option<String>,
}

impl Wine {
    /// A fresh one. `CARTABLE_WINDOWS_AGENT` names the .exe; otherwise packaging/windows/build makes it (minutes).
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(None)
    }

    /// A fresh one with a desktop, on the display that `CARTABLE_WINDOWS_DISPLAY` names (tests/windows starts one).
    pub fn with_display() -> anyhow::Result<Self> {
        let display = std::env::var("CARTABLE_WINDOWS_DISPLAY");
        Self::start_on(Some(display.context("CARTABLE_WINDOWS_DISPLAY names no display: tests/windows starts one")?))
    }

    fn start_on(display: Option<String>) -> anyhow::Result<Self> {
        ensure!(
            Path::new(WINE).join("wine64").is_file(),
            "Wine is missing: apt-get install --no-install-recommends wine64 (tests/windows does)"
        );
        let wine = Self { folder: tempfile::tempdir()?, exe: agent()?, keeper: Mutex::default(), display };
        wine.boot()?;
        wine.run("winecfg", &["/v", "win10"])?;
        wine.add_randomness()?;
        Ok(wine)
    }

    /// Boots Wine with the program that keeps it running: with the last program of a user Wine ends its services, and booted
    /// anew it has forgotten what they did. Nothing else may be started meanwhile: of two programs that find no prefix one
    /// may end at once. By hand (`wineboot -i`) Wine would have two service managers, which know other states.
    fn boot(&self) -> anyhow::Result<()> {
        let output = self.folder.path().join("keeper");
        let mut command = self.command("cmd", &["/c", "echo booted & pause"]);
        let file = fs::File::create(&output)?;
        // Nobody ever writes there, so that it pauses until it is ended.
        let child = command.stdin(Stdio::piped()).stdout(file.try_clone()?).stderr(file).spawn();
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(child.context("wine64 could not be started")?);
        let start = Instant::now();
        while !fs::read_to_string(&output)?.contains("booted") {
            self.keeps_running()?;
            ensure!(start.elapsed() < TIME_LIMIT, "Wine does not boot: {}", fs::read_to_string(&output)?);
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// An error once Wine has lost the program that keeps it running: what its services did since counts no more.
    fn keeps_running(&self) -> anyhow::Result<()> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = keeper.as_mut().map(Child::try_wait).transpose()?.flatten();
        let said = fs::read_to_string(self.folder.path().join("keeper")).unwrap_or_default();
        ended.map_or(Ok(()), |status| bail!("the program that keeps Wine running ended with {status}: {said}"))
    }

    /// A fresh one with a key store, for the agent that runs from the hard disk.
    pub fn with_key_store() -> anyhow::Result<Self> {
        let mut wine = Self::start()?;
        let folder = wine.drive_c().join("agent");
        wine.add_key_store(&folder)?;
        let exe = folder.join("cartable-agent.exe");
        fs::copy(&wine.exe, &exe)?;
        wine.exe = exe;
        Ok(wine)
    }

    /// Puts a stand-in for Windows' key store beside the programs in `folder`: Wine's own makes no keys of the kind.
    pub fn add_key_store(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        fs::create_dir_all(self.key_store())?;
        compile("ncrypt.c", &folder.join("ncrypt.dll"), "-lbcrypt")
    }

    /// Where that stand-in keeps its keys, a file each.
    pub fn key_store(&self) -> PathBuf {
        self.drive_c().join("keystore")
    }

    /// Its drive C.
    pub fn drive_c(&self) -> PathBuf {
        self.folder.path().join("prefix/drive_c")
    }

    /// How a path of this computer is called there.
    pub fn path(path: &Path) -> String {
        format!("Z:{}", path.display()).replace('/', "\\")
    }

    /// Runs the agent.
    pub fn agent(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        let exe = self.exe.display().to_string();
        self.run(&exe, arguments)
    }

    /// Runs the agent; anything but success is an error.
    pub fn agent_well(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let ran = self.agent(arguments)?;
        ensure!(ran.code == 0, "cartable-agent {arguments:?} ended with {}:\n{}", ran.code, ran.text);
        Ok(ran.text)
    }

    /// Puts the agent where the installer puts it, without the installer, and says how it is called there.
    pub fn copy_agent(&self) -> anyhow::Result<&'static str> {
        let folder = self.drive_c().join("Program Files/Cartable");
        fs::create_dir_all(&folder)?;
        fs::copy(&self.exe, folder.join("cartable-agent.exe"))?;
        Ok(r"C:\Program Files\Cartable\cartable-agent.exe")
    }

    /// Whether one of its programs runs that was told `arguments`.
    pub fn has_running(&self, arguments: &str) -> bool {
        !self.running(arguments).is_empty()
    }

    /// Its programs that run and were told `arguments`, with blanks between them, as this computer numbers them.
    pub fn running(&self, arguments: &str) -> Vec<u32> {
        let holds = |file: &Path, words: &str| {
            fs::read(file).is_ok_and(|content| String::from_utf8_lossy(&content).replace('\0', " ").contains(words))
        };
        let prefix = self.folder.path().display().to_string();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|process| process.path());
        let told = processes.filter(|process| holds(&process.join("cmdline"), arguments));
        let own = told.filter(|process| holds(&process.join("environ"), &prefix));
        own.filter_map(|process| process.file_name()?.to_str()?.parse().ok()).collect()
    }

    /// Runs a program by its name or its path on this computer.
    pub fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.keeps_running()?;
        let output = self.folder.path().join("output");
        drop(fs::remove_file(&output));
        // Programs that it starts write there too.
        let file = fs::OpenOptions::new().create(true).append(true).open(&output)?;
        let mut command = self.command(program, arguments);
        let mut child =
            command.stdout(file.try_clone()?).stderr(file).spawn().context("wine64 could not be started")?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > TIME_LIMIT {
                drop(child.kill());
                bail!("{program} {arguments:?} did not end: {}", fs::read_to_string(&output).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let text = String::from_utf8_lossy(&fs::read(&output)?).into_owned();
        Ok(Ran { code: status.code().unwrap_or(-1), text })
    }

    /// The state of the service as `sc query` says it (`RUNNING`); none when there is no such service.
    pub fn service(&self) -> anyhow::Result<Option<String>> {
        let said = self.run("sc", &["query", "cartable-agent"])?.text;
        let line = said.lines().find(|line| line.trim_start().starts_with("STATE"));
        Ok(line.and_then(|line| line.split_whitespace().last()).map(ToOwned::to_owned))
    }

    /// The values of a key of its registry as `reg query` says them, each as its name, kind and content (`Start REG_DWORD 0x2`);
    /// none when there is no such key.
    pub fn registry(&self, key: &str) -> anyhow::Result<Option<Vec<String>>> {
        let ran = self.run("reg", &["query", key])?;
        let values = ran.text.lines().filter(|line| line.starts_with(' '));
        let words = values.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        Ok((ran.code == 0).then(|| words.collect()))
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(WINE).join("wine64"));
        command.arg(program).args(arguments).stdin(Stdio::null());
        self.environment(&mut command);
        command
    }

    fn environment(&self, command: &mut Command) {
        command.env("WINEPREFIX", self.folder.path().join("prefix")).env("WINEDEBUG", "-all").env_remove("DISPLAY");
        if let Some(display) = &self.display {
            command.env("DISPLAY", display);
        }
        // As on Windows, a library beside a program comes before the system's.
        command.env("WINEDLLOVERRIDES", "ncrypt=n,b");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
    }

    fn add_randomness(&self) -> anyhow::Result<()> {
        let library = self.drive_c().join("windows/system32/bcryptprimitives.dll");
        if library.exists() { Ok(()) } else { compile("prng.c", &library, "-ladvapi32") }
    }
}

/// The agent's .exe as [`NEXT_VERSION`]. `CARTABLE_WINDOWS_NEXT_AGENT` names it; otherwise packaging/windows/build makes it.
pub fn next_agent() -> anyhow::Result<PathBuf> {
    built("CARTABLE_WINDOWS_NEXT_AGENT", "target/windows-next", NEXT_VERSION)
}

impl Drop for Wine {
    fn drop(&mut self) {
        let mut command = Command::new(Path::new(WINE).join("wineserver64"));
        self.environment(command.arg("-k"));
        drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status());
        if let Some(mut keeper) = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            drop(keeper.kill());
            drop(keeper.wait());
        }
    }
}

/// Makes a library of `source` in tests/wine, which needs another one.
fn compile(source: &str, library: &Path, needed: &str) -> anyhow::Result<()> {
    let built = Command::new("x86_64-w64-mingw32-gcc")
        .args(["-shared", "-Os", "-s", "-o"])
        .args([library, &workspace().join("tests/wine").join(source)])
        .arg(needed)
        .status()
        .context("x86_64-w64-mingw32-gcc is missing: apt-get install gcc-mingw-w64-x86-64-win32")?;
    ensure!(built.success(), "tests/wine/{source} could not be compiled");
    Ok(())
}

fn agent() -> anyhow::Result<PathBuf> {
    built("CARTABLE_WINDOWS_AGENT", "target/windows", "")
}

/// The .exe that `variable` names, or a new one in `folder`; without a `version` it is the workspace's.
fn built(variable: &str, folder: &str, version: &str) -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os(variable) {
        let given = PathBuf::from(given);
        ensure!(given.is_file(), "{variable} names {}, which is missing", given.display());
        return Ok(given);
    }
    let output = Command::new(workspace().join("packaging/windows/build"))
        .args(["--exe", folder])
        .env("CARTABLE_AGENT_VERSION", version)
        .current_dir(workspace())
        .output()
        .context("packaging/windows/build could not be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "packaging/windows/build failed:\n{said}");
    Ok(workspace().join(folder).join("cartable-agent.exe"))
}
