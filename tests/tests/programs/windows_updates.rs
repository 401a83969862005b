//! The real agent under Wine updates itself: the service fetches what a pinned key signed, runs Windows Installer, and the
//! new program is heard; one that only ever crashes gives way to the one before; nothing else changes anything.
//!
//! Two programs are needed, whose versions differ (`tests/windows` builds both). Wine never carries out a service's recovery,
//! so a test starts the service again where Windows would. The service's log is lost there: a failure tells what the agent
//! keeps, what Wine knows of the service and of the product, and the server its log.

#![cfg(target_os = "linux")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cartable_agent::update::{Progress, progress::MOST_STARTS};
use cartable_common::{AgentVersion, update::UpdateKey};
use cartable_server::{clock, pki::update_signer::UpdateSigner};
use cartable_tests::{
    harness::Server,
    raw::Raw,
    wine::{NEXT_VERSION, next_agent},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::windows_agent::{School, installer, installer_of, program, tame};

/// The version of the agent's own program.
const OLD_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A first contact within a minute, a package in parts, Windows Installer, and again a minute; more on a busy machine.
const PATIENCE: Duration = Duration::from_mins(6);

/// The server heeds what is staged within ten seconds.
const HEEDED: Duration = Duration::from_secs(12);

/// What follows from a check-in has happened by then: a package comes from this machine in two or three seconds.
const SETTLED: Duration = Duration::from_secs(20);

/// Where Windows lists its programs.
const PROGRAMS: &str = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall";

/// A school whose server offers the next version to all.
struct Updating {
    school: School,
    folder: tempfile::TempDir,
    /// What signed the list.
    key: UpdateKey,
    /// The next version's program, and its installer.
    next: PathBuf,
    package: PathBuf,
}

impl Updating {
    fn new() -> Self {
        // Minutes where it must be built: before Wine, which is kept awake for half an hour.
        let next = next_agent().unwrap();
        let school = School::new();
        let folder = tempfile::tempdir().unwrap();
        let package = installer_of(&next, folder.path(), NEXT_VERSION);
        let file = folder.path().join("key");
        let key = UpdateSigner::make(&file, clock::now()).unwrap().public();
        let run = |command: &str, arguments: &[&str]| school.cartable.installation.run(command, arguments, "").unwrap();
        run("updates add", &["--version", NEXT_VERSION, package.to_str().unwrap()]);
        run("updates publish", &["--key", file.to_str().unwrap()]);
        run("updates stage", &[NEXT_VERSION, "--percent", "100"]);
        std::thread::sleep(HEEDED);
        Self { school, folder, key, next, package }
    }

    /// Installs the agent, with `key` pinned, and gives the device's id.
    fn install(&self, key: &UpdateKey) -> String {
        let old = installer(self.folder.path(), OLD_VERSION);
        tame(self.folder.path(), OLD_VERSION);
        let (properties, pinned) = (self.school.properties(), format!("UPDATEKEY={key}"));
        let mut arguments = vec!["/i", &old, "/qn", &pinned];
        arguments.extend(properties.iter().map(String::as_str));
        let installed = self.school.wine.run("msiexec", &arguments).unwrap();
        assert_eq!(installed.code, 0, "{installed:?}");
        self.school.await_service("RUNNING");
        assert_eq!(self.kept().map(|kept| kept.keys), Some(vec![*key]), "the key is pinned:\n{}", self.story());
        assert!(self.runs(&program()), "{}", self.story());
        self.school.device_id(&[])
    }

    /// How far the agent says that the update is.
    fn kept(&self) -> Option<Progress> {
        serde_json::from_slice(&fs::read(self.school.state().join("update.json")).ok()?).ok()
    }

    /// How often the new program was started without a contact.
    fn starts(&self) -> Option<u8> {
        Some(self.kept()?.trial?.starts)
    }

    /// Whether nothing is being tried.
    fn is_settled(&self) -> bool {
        self.kept().is_some_and(|kept| kept.trial.is_none())
    }

    /// What an update brings and keeps.
    fn files(&self) -> PathBuf {
        self.school.state().join("update")
    }

    /// The installed program.
    fn installed(&self) -> PathBuf {
        self.school.wine.drive_c().join("Program Files/Cartable/cartable-agent.exe")
    }

    /// Whether the installed program is this one.
    fn runs(&self, program: &Path) -> bool {
        fs::read(self.installed()).is_ok_and(|installed| installed == fs::read(program).unwrap())
    }

    fn service_lives(&self) -> bool {
        self.school.wine.has_running("service run")
    }

    /// Whether Windows Installer runs, as the agent begins it.
    fn installs(&self) -> bool {
        self.school.wine.has_running("/norestart")
    }

    /// The versions of the agent among Windows' programs.
    fn products(&self) -> Vec<String> {
        let said = self.school.wine.run("reg", &["query", PROGRAMS, "/s"]).unwrap().text;
        let products = said.split("HKEY_LOCAL_MACHINE").filter(|product| product.contains("Cartable agent"));
        let version = |product: &str| {
            let line = product.lines().find(|line| line.trim_start().starts_with("DisplayVersion"))?;
            line.split_whitespace().last().map(ToOwned::to_owned)
        };
        products.filter_map(version).collect()
    }

    /// Starts the service, as Windows does after a failure. A start that puts a program back is a failed one.
    fn start(&self) {
        self.school.wine.run("sc", &["start", "cartable-agent"]).unwrap();
    }

    /// Ends the service as a crash does.
    fn crash(&self) {
        let services = self.school.wine.running("service run");
        let [service] = services[..] else { panic!("{services:?} are the services:\n{}", self.story()) };
        kill_process(pid(service), Signal::KILL).unwrap();
        self.until("the end of the service", || !self.service_lives());
    }

    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "{what} did not happen in {PATIENCE:?}:\n{}", self.story());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until the server says that the laptop has this version.
    async fn await_version(&self, id: &str, version: &str) {
        let begun = Instant::now();
        loop {
            let told = self.school.device(id).await["contact"]["agent_version"].clone();
            if told == version {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the server hears {told}, not {version}:\n{}", self.story());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The agent as it was installed runs, and nothing is tried, kept or being installed.
    fn assert_unchanged(&self) {
        let left = [self.files().join("part"), self.files().join("agent.msi"), self.files().join("previous")];
        let left: Vec<&PathBuf> = left.iter().filter(|file| file.exists()).collect();
        let is_unchanged = self.is_settled() && self.runs(&program()) && !self.installs() && left.is_empty();
        assert!(is_unchanged, "{left:?}\n{}", self.story());
        assert_eq!(self.products(), [OLD_VERSION]);
        assert_eq!(self.school.wine.service().unwrap().as_deref(), Some("RUNNING"));
    }

    /// What there is to know when something did not happen.
    fn story(&self) -> String {
        let wine = &self.school.wine;
        let said = |program: &str, arguments: &[&str]| {
            wine.run(program, arguments).map_or_else(|error| format!("{error:#}"), |ran| ran.text)
        };
        let kept =
            fs::read_to_string(self.school.state().join("update.json")).unwrap_or_else(|error| error.to_string());
        let status = wine.agent(&["status", "--lang", "en"]).map_or_else(|error| format!("{error:#}"), |ran| ran.text);
        let program = if self.runs(&program()) { OLD_VERSION } else { "another than the old one, or none" };
        format!(
            "update.json: {kept}\nits files: {:?}\nthe program: {program}, among {:?}\nproducts: {:?}\nservice runs: {}, \
             Windows Installer runs: {}\n{}\n{}\nstatus: {status}",
            names(&self.files()),
            names(self.installed().parent().unwrap()),
            self.products(),
            self.service_lives(),
            self.installs(),
            said("sc", &["query", "cartable-agent"]),
            said("sc", &["qc", "cartable-agent"]),
        )
    }
}

/// What lies in a folder, with sizes.
fn names(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().into(), entry.metadata().map_or(0, |metadata| metadata.len()))).collect()
}

fn pid(process: u32) -> Pid {
    Pid::from_raw(i32::try_from(process).unwrap()).unwrap()
}

/// A server that stands still as long as this lives: who calls it waits.
struct Frozen(Pid);

impl Frozen {
    fn new(server: &Server) -> Self {
        let server = pid(server.pid());
        kill_process(server, Signal::STOP).unwrap();
        Self(server)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // It fails only where the server has ended.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn the_service_installs_the_release_that_it_is_offered_and_the_server_hears_it() {
    let updating = Updating::new();
    let id = updating.install(&updating.key);
    updating.await_version(&id, NEXT_VERSION).await;

    // The new program has said that it works, and Windows Installer has ended.
    updating.until("the end of the trial", || updating.is_settled() && !updating.installs());
    assert!(updating.runs(&updating.next), "{}", updating.story());
    assert_eq!(updating.products(), [NEXT_VERSION], "{}", updating.story());
    assert_eq!(updating.school.wine.service().unwrap().as_deref(), Some("RUNNING"));
    assert_eq!(updating.school.device_id(&[]), id, "the enrolment stays");
    let kept = updating.kept().unwrap();
    assert!(kept.number > 0 && kept.keys == [updating.key] && kept.given_up.is_empty(), "{kept:?}");
    let listed = updating.school.cartable.installation.run("updates list", &[], "").unwrap();
    assert!(listed.contains(&format!("running\t{NEXT_VERSION}\t1\n")), "{listed}");

    // A start later at the latest nothing of it is left on the disk, and the version stays.
    updating.school.wine.run("sc", &["stop", "cartable-agent"]).unwrap();
    updating.until("the end of the service", || !updating.service_lives());
    let before = updating.school.check_ins(&id).await;
    updating.start();
    updating.school.await_check_in(&id, before).await;
    assert!(!updating.files().exists(), "{}", updating.story());
    updating.await_version(&id, NEXT_VERSION).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn a_release_that_only_ever_crashes_gives_way_to_the_one_before_and_is_not_tried_again() {
    let updating = Updating::new();
    let id = updating.install(&updating.key);
    updating.until("the installation", || updating.kept().is_some_and(|kept| kept.trial.is_some()));
    // The package is here. From now on no contact ends, so that each start of the new program is one without a contact.
    let frozen = Frozen::new(&updating.school.cartable.server);
    updating.until("the first start", || updating.starts() == Some(1) && !updating.installs());
    assert!(updating.runs(&updating.next), "{}", updating.story());
    for starts in 2..=MOST_STARTS {
        updating.crash();
        updating.start();
        updating.until(&format!("start {starts}"), || updating.starts() == Some(starts));
    }
    updating.crash();
    updating.start();
    updating.until("putting back", || updating.runs(&program()) && !updating.service_lives());
    let kept = updating.kept().unwrap();
    assert!(kept.trial.is_some_and(|trial| trial.putting_back) && kept.given_up.is_empty(), "{kept:?}");
    drop(frozen);

    let before = updating.school.check_ins(&id).await;
    updating.start();
    updating.school.await_service("RUNNING");
    updating.until("giving up", || updating.is_settled());
    let kept = updating.kept().unwrap();
    assert_eq!(kept.given_up, [NEXT_VERSION.parse::<AgentVersion>().unwrap()]);
    updating.until("clearing up", || !updating.files().exists());
    let left = names(updating.installed().parent().unwrap());
    assert!(
        left.iter().all(|(name, _)| !name.ends_with("cartable-agent.gone") && !name.ends_with("cartable-agent.new"))
    );

    // It is heard again, is offered the release again with that, and leaves it alone.
    updating.school.await_check_in(&id, before).await;
    updating.await_version(&id, OLD_VERSION).await;
    tokio::time::sleep(SETTLED).await;
    assert!(updating.is_settled() && !updating.installs() && !updating.files().exists(), "{}", updating.story());
    assert!(updating.runs(&program()) && updating.service_lives(), "{}", updating.story());
    assert_eq!(updating.school.device_id(&[]), id, "the enrolment stays");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn a_list_of_another_key_and_a_package_that_was_changed_change_nothing() {
    let updating = Updating::new();
    let stranger = UpdateSigner::make(&updating.folder.path().join("stranger"), clock::now()).unwrap().public();
    let id = updating.install(&stranger);
    updating.school.await_check_in(&id, 0).await;
    tokio::time::sleep(SETTLED).await;
    updating.assert_unchanged();
    let kept = updating.kept().unwrap();
    assert!(kept.number == 0 && kept.keys == [stranger] && !updating.files().exists(), "{kept:?}");

    // The key that signed is pinned, and the list believed; the server hands on another package of the same size.
    updating.school.wine.run("sc", &["stop", "cartable-agent"]).unwrap();
    updating.until("the end of the service", || !updating.service_lives());
    let kept = serde_json::to_vec(&Progress { keys: vec![updating.key], ..kept }).unwrap();
    fs::write(updating.school.state().join("update.json"), kept).unwrap();
    let mut other = fs::read(&updating.package).unwrap();
    *other.last_mut().unwrap() ^= 1;
    let mut raw = Raw::connect(&updating.school.cartable.installation.database_url()).await.unwrap();
    let replace = format!("UPDATE agent_package SET content = {}", raw.bytes(&other));
    raw.execute(&replace).await.unwrap();
    updating.start();
    updating.until("believing the list", || updating.kept().is_some_and(|kept| kept.number > 0));
    tokio::time::sleep(SETTLED).await;
    assert!(updating.files().is_dir(), "it was fetched: {}", updating.story());
    updating.assert_unchanged();
    assert!(updating.kept().is_some_and(|kept| kept.given_up.is_empty()), "the right one may come yet");
}
