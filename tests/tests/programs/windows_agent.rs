//! The real cartable-agent.exe under Wine against the real server over mutual TLS: enrolment, check-ins, a recorded
//! laptop's values, the rights of its folder, the service, the return notice, and the installer with upgrade and removal.
//!
//! `tests/windows` installs what is needed (1.7 GB), builds the .exe and the installer and runs these; a plain
//! `cargo test` skips them. What Wine cannot show is listed in docs/agent.md, "Windows".

#![cfg(target_os = "linux")]

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use cartable_agent::{actions::DesktopNotice, update::Progress};
use cartable_common::{Text, action::ReturnNotice, update::UpdateKey};
use cartable_server::{
    clock,
    domain::{paris, policy::Policy, scope::Scope},
    store::{
        Store,
        lending::{Clerk, Handing, Lending, Wish},
    },
};
use cartable_tests::{
    harness::{Cartable, binaries::workspace},
    school,
    wine::{Ran, Wine},
};
use serde_json::Value;

use crate::windows_registry::{assert_no_event_source, assert_registered, assert_wine_refuses_two_things_alone};

/// The agent's first contact comes within a minute of its start, and waits for WMI's answers as long again at most; the rest is
/// for a busy machine.
const FIRST_CHECK_IN: Duration = Duration::from_secs(150);

/// What `notice --toast` waits for the desktop each time, how often at most, and how long it shows the notice then
/// (agent/src/windows/notice.rs).
const DESKTOP_WAIT: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 4;
const SHOWN_FOR: Duration = Duration::from_secs(20);
/// What Wine itself may take to start a program on a busy machine.
const START: Duration = Duration::from_mins(1);

/// A server, a computer with Windows beside it, and what an administrator has at hand.
pub(crate) struct School {
    pub(crate) cartable: Cartable,
    pub(crate) wine: Wine,
    roots: String,
}

impl School {
    pub(crate) fn new() -> Self {
        Self::with(Wine::start().unwrap())
    }

    /// One whose computer is this one.
    pub(crate) fn with(wine: Wine) -> Self {
        let cartable = Cartable::start().unwrap();
        let roots = Wine::path(&cartable.roots().unwrap());
        Self { cartable, wine, roots }
    }

    /// Enrols the computer; gives what the agent said.
    pub(crate) fn enrol(&self, more: &[&str]) -> String {
        let token = self.cartable.token(1).unwrap();
        let mut arguments =
            vec!["enrol", "--server", self.cartable.server.gateway(), "--token", &token, "--roots", &self.roots];
        arguments.extend(more);
        self.wine.agent_well(&arguments).unwrap()
    }

    /// What msiexec is told so that the agent enrols.
    pub(crate) fn properties(&self) -> [String; 3] {
        let (server, token) = (self.cartable.server.gateway(), self.cartable.token(1).unwrap());
        [format!("SERVER={server}"), format!("TOKEN={token}"), format!("ROOTS={}", self.roots)]
    }

    pub(crate) fn device_id(&self, more: &[&str]) -> String {
        let mut arguments = vec!["status", "--lang", "en"];
        arguments.extend(more);
        let said = self.wine.agent(&arguments).unwrap().text;
        let line = said.lines().find_map(|line| line.trim().strip_prefix("Device:"));
        line.unwrap_or_else(|| panic!("not enrolled: {said}")).trim().to_owned()
    }

    pub(crate) async fn device(&self, id: &str) -> Value {
        self.cartable.api().unwrap().get(&format!("/api/v1/devices/{id}")).await.unwrap()
    }

    pub(crate) async fn check_ins(&self, id: &str) -> u64 {
        self.device(id).await["contact"]["check_ins"].as_u64().unwrap_or(0)
    }

    /// Waits for one check-in more than `before`.
    pub(crate) async fn await_check_in(&self, id: &str, before: u64) {
        let start = Instant::now();
        while self.check_ins(id).await <= before {
            assert!(start.elapsed() < FIRST_CHECK_IN, "the service does not check in: {:?}", self.wine.service());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Lends the device for some days, as a desk does, and gives the last of them.
    async fn lend(&self, id: &str) -> String {
        let (now, policy) = (clock::now(), Policy::default());
        let due = paris::date(now.plus_days(20));
        let store = Store::open(&self.cartable.installation.database_url()).await.unwrap();
        let desk = school::School::found(&store, 1, 1, now).await.unwrap();
        let clerk = Clerk { actor: "test", token: None, scope: &Scope::Everything, policy: &policy, now };
        let mut lending = Lending::begin(&store, clerk).await.unwrap();
        let wish = Wish { device: id.parse().unwrap(), borrower: desk.borrowers[0].id, programme: desk.programme };
        lending.lend(wish, Handing { due: Some(due), ..Handing::default() }).await.unwrap();
        lending.commit().await.unwrap();
        due.to_string()
    }

    fn until(what: &str, mut is_so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < FIRST_CHECK_IN, "{what} did not happen");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    pub(crate) fn await_service(&self, state: &str) -> Duration {
        let start = Instant::now();
        while self.wine.service().unwrap().as_deref() != Some(state) {
            assert!(start.elapsed() < Duration::from_secs(20), "the service is {:?}", self.wine.service());
            std::thread::sleep(Duration::from_millis(100));
        }
        start.elapsed()
    }

    /// Waits for the page that everybody may read to say `word`: it is written just after a contact.
    fn await_word(&self, page: &Path, word: &str) {
        let start = Instant::now();
        while !std::fs::read_to_string(page).unwrap().contains(word) {
            assert!(start.elapsed() < Duration::from_secs(20), "{} never says {word}", page.display());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether a Start menu has the link to the page. Wine puts it into that of whoever installs, Windows into everybody's.
    fn has_link(&self) -> bool {
        const LINK: &str = "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/What this computer tells.lnk";
        let users = std::fs::read_dir(self.wine.drive_c().join("users")).unwrap();
        users.flatten().any(|user| user.path().join(LINK).is_file())
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.wine.drive_c().join("ProgramData/cartable-agent")
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn the_exe_enrols_checks_in_and_runs_as_a_service() {
    let school = School::new();
    school.enrol(&[]);
    let id = school.device_id(&[]);
    let said = school.wine.agent_well(&["once"]).unwrap();
    assert!(said.contains("checked in: 1 reports acknowledged"), "{said}");
    let said = school.wine.agent_well(&["once"]).unwrap();
    assert!(said.contains("checked in: 0 reports acknowledged"), "an unchanged machine sends no report: {said}");
    let report = school.device(&id).await["health"]["report"].clone();
    assert_eq!(report["operating_system"]["family"], "windows", "{report}");
    assert!(report["memory"]["total_bytes"].as_u64().unwrap() > 0, "{report}");
    // What Wine does not have is said with its reason, as on a computer that lacks it.
    let unread = report["unread"].to_string();
    for subject in ["tpm", "encryption", "batteries", "secure_boot", "drive_health"] {
        assert!(unread.contains(subject), "{subject} is neither read nor said to be missing: {unread}");
    }

    // The service: registered twice, started, heard, alone on its state, stopped within its time.
    let said = school.wine.agent_well(&["service", "install"]).unwrap();
    assert_registered(&school.wine);
    assert_wine_refuses_two_things_alone(&said);
    school.wine.agent_well(&["service", "install", "--start"]).unwrap();
    assert_registered(&school.wine);
    school.await_service("RUNNING");
    assert_eq!(school.wine.agent(&["once"]).unwrap().code, 6, "one agent at a time");
    let before = school.check_ins(&id).await;
    school.await_check_in(&id, before).await;
    school.wine.run("sc", &["stop", "cartable-agent"]).unwrap();
    let took = school.await_service("STOPPED");
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
    school.wine.agent_well(&["once"]).unwrap();

    school.wine.agent_well(&["service", "uninstall"]).unwrap();
    assert_eq!(school.wine.service().unwrap(), None);
    assert_no_event_source(&school.wine);
    assert_eq!(school.device_id(&[]), id, "without --erase the key stays");
    school.wine.agent_well(&["service", "uninstall", "--erase"]).unwrap();
    assert!(!school.state().exists());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn a_recorded_laptop_arrives_as_windows_told_it() {
    let school = School::new();
    let recorded = tempfile::tempdir().unwrap();
    let folder = recorded.path().join("cartable-recorded");
    std::fs::create_dir(&folder).unwrap();
    let laptop = workspace().join("agent/src/collect/wmi/recorded/laptop.jsonl");
    std::fs::copy(laptop, folder.join("wmi.jsonl")).unwrap();
    let root = Wine::path(recorded.path());
    let more = ["--state", r"C:\recorded"];
    school.enrol(&["--root", &root, more[0], more[1]]);
    let id = school.device_id(&more);
    school.wine.agent_well(&["once", "--root", &root, more[0], more[1]]).unwrap();
    let device = school.device(&id).await;
    assert_eq!(device["serial_number"], "PF1ABCDE");
    assert_eq!(device["model"], "ThinkPad L480 20LSCTO1WW");
    let report = &device["health"]["report"];
    assert_eq!(report["batteries"][0]["full_milliwatt_hours"], 31_250);
    assert_eq!(report["volumes"][0]["encryption"], "on");
    assert_eq!(report["drives"][1]["self_assessment"], "failed");
    assert_eq!(device["health"]["drive_verdict"], "failing", "{device}");
    assert_eq!(report["operating_system"]["version"], "11 Éducation 23H2");
}

#[test]
#[ignore = "needs Wine and the .exe: tests/windows"]
fn a_folder_that_others_may_enter_is_refused() {
    let wine = Wine::start().unwrap();
    let folder = wine.drive_c().join("open");
    std::fs::create_dir(&folder).unwrap();
    // Wine shows the rights of everybody as those of "Everyone" (WD).
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = wine.agent(&["once", "--state", r"C:\open"]).unwrap();
    assert!(refused.code == 8 && refused.text.contains("is open to others (WD)"), "{refused:?}");
    wine.agent(&["once", "--state", r"C:\made"]).unwrap();
    let made = std::fs::metadata(wine.drive_c().join("made")).unwrap().permissions().mode();
    assert_eq!(made & 0o007, 0, "the agent's own folder is closed: {made:o}");
}

/// Shows a return notice there; what came of it, and how long that took.
fn show_notice(wine: &Wine) -> (Ran, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let public = Wine::path(folder.path());
    let show = ["notice", "--toast", "--lang", "fr", "--public", &public];
    let nothing = wine.agent(&show).unwrap();
    assert_eq!((nothing.code, nothing.text.trim()), (0, ""), "there is none");

    let due_at = clock::now().plus_days(3);
    let notice = ReturnNotice { due_at, place: Text::clean("Collège A, CDI") };
    DesktopNotice::new(notice, due_at).publish(folder.path()).unwrap();
    let start = Instant::now();
    let shown = wine.agent(&show).unwrap();
    (shown, start.elapsed())
}

#[test]
#[ignore = "needs Wine and the .exe: tests/windows"]
fn a_notice_is_shown_on_a_desktop_for_its_time() {
    let (shown, took) = show_notice(&Wine::with_display().unwrap());
    assert_eq!(shown.code, 0, "{shown:?}");
    // A desktop that begins with the program may miss the first attempts.
    let most = DESKTOP_WAIT * ATTEMPTS + SHOWN_FOR + START;
    assert!((DESKTOP_WAIT + SHOWN_FOR..most).contains(&took), "it took {took:?}");
}

#[test]
#[ignore = "needs Wine and the .exe: tests/windows"]
fn a_notice_that_no_desktop_takes_is_said_not_to_be_shown_once_the_last_attempt_failed() {
    // Without a display Wine makes no window for the clock's corner.
    let (shown, took) = show_notice(&Wine::start().unwrap());
    assert!(shown.code == 1 && shown.text.contains("the return notice could not be shown"), "{shown:?}");
    let least = DESKTOP_WAIT * ATTEMPTS;
    assert!((least..least + START).contains(&took), "it took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn a_return_notice_is_laid_ready_given_to_whoever_is_signed_in_and_removed_with_the_service() {
    let school = School::new();
    // The notice lies beside the program: not in the folder of what was built.
    let agent = school.wine.copy_agent().unwrap();
    school.enrol(&[]);
    let id = school.device_id(&[]);
    let due = school.lend(&id).await;
    let order = [id.as_str(), "return_notice", "--due", due.as_str(), "--place", "Collège A, CDI"];
    school.cartable.installation.run("device order", &order, "").unwrap();

    let installed = school.wine.run(agent, &["service", "install", "--start"]).unwrap();
    assert_eq!(installed.code, 0, "{installed:?}");
    school.await_service("RUNNING");
    let public = school.wine.drive_c().join("Program Files/Cartable/public");
    let orders = || school.cartable.installation.run("device orders", &[&id], "").unwrap();
    let start = Instant::now();
    while !public.join("notice.json").is_file() {
        let story = || (orders(), school.wine.agent(&["status", "--lang", "en"]), school.wine.service());
        assert!(start.elapsed() < FIRST_CHECK_IN, "no notice was laid ready: {:?}", story());
        std::thread::sleep(Duration::from_millis(300));
    }
    // Wine takes the service's own user for the one who is signed in.
    School::until("the program in the session", || school.wine.has_running("--toast"));
    let said = school.wine.run(agent, &["notice", "--lang", "fr"]).unwrap().text;
    assert!(said.contains("Cet ordinateur est à rapporter") && said.contains(" : Collège A, CDI."), "{said}");
    School::until("the answer", || orders().contains("return_notice\tanswered\tdone"));

    let removed = school.wine.run(agent, &["service", "uninstall"]).unwrap();
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(!public.exists(), "what everybody could read is gone");
}

/// The installer of this version, or of another one, of the agent's program.
pub(crate) fn installer(folder: &Path, version: &str) -> String {
    Wine::path(&installer_of(&program(), folder, version))
}

/// The agent's program, which the tests of this file run.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("CARTABLE_WINDOWS_AGENT")
        .map_or_else(|| workspace().join("target/windows/cartable-agent.exe"), PathBuf::from)
}

/// The installer of `program` as that version, whichever the program says that it is.
pub(crate) fn installer_of(program: &Path, folder: &Path, version: &str) -> PathBuf {
    let folder = folder.join(version);
    let mut command = Command::new(workspace().join("packaging/windows/make-msi"));
    command.args([program, folder.as_path()]).env("CARTABLE_MSI_VERSION", version).current_dir(workspace());
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("cartable-agent.msi")
}

/// Windows tells the older product that it is being upgraded (UPGRADINGPRODUCTCODE), and it erases nothing; Wine does
/// not tell. So the installer of that version, in `folder`, is made one that cannot erase.
pub(crate) fn tame(folder: &Path, version: &str) {
    let erase = "DELETE FROM InstallExecuteSequence WHERE Action = 'Erase'";
    let installer = folder.join(version).join("cartable-agent.msi");
    assert!(Command::new("msibuild").arg(installer).args(["-q", erase]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Wine and the .exe: tests/windows"]
async fn the_installer_enrols_silently_upgrades_and_leaves_nothing() {
    let school = School::new();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (installer(folder.path(), "0.1.0"), installer(folder.path(), "0.1.1"));
    tame(folder.path(), "0.1.0");
    let program = school.wine.drive_c().join("Program Files/Cartable/cartable-agent.exe");

    let properties = school.properties();
    let mut arguments = vec!["/i", &old, "/qn"];
    arguments.extend(properties.iter().map(String::as_str));
    let installed = school.wine.run("msiexec", &arguments).unwrap();
    assert!(installed.code == 0 && program.is_file(), "{installed:?}");
    school.await_service("RUNNING");
    let id = school.device_id(&[]);
    let page = program.with_file_name("public").join("cartable.html");
    assert_registered(&school.wine);
    assert!(page.is_file() && school.has_link(), "the Start menu opens a page, before the first contact too");
    school.await_check_in(&id, 0).await;
    school.await_word(&page, school.cartable.server.gateway());

    let upgraded = school.wine.run("msiexec", &["/i", &new, "/qn"]).unwrap();
    assert!(upgraded.code == 0 && program.is_file(), "{upgraded:?}");
    school.await_service("RUNNING");
    assert_eq!(school.device_id(&[]), id, "an upgrade keeps the enrolment");
    assert!(page.is_file() && school.has_link(), "and the page");
    let older = school.wine.run("msiexec", &["/i", &old, "/qn"]).unwrap();
    assert_ne!(older.code, 0, "an older version is no upgrade");

    let removed = school.wine.run("msiexec", &["/x", &new, "/qn"]).unwrap();
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(school.wine.service().unwrap(), None);
    assert_no_event_source(&school.wine);
    assert!(!school.state().exists(), "the key and the reports are gone");
    assert!(!program.exists() && !program.parent().unwrap().exists(), "the program is gone, and the page");
    assert!(!school.has_link(), "the link is gone");
}

#[test]
#[ignore = "needs Wine and the .exe: tests/windows"]
fn an_installation_without_a_server_installs_a_service_that_waits_for_a_person() {
    let wine = Wine::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = UpdateKey([7; 32]);
    let pinned = format!("UPDATEKEY={key}");
    let installed = wine.run("msiexec", &["/i", &installer(folder.path(), "0.1.0"), "/qn", &pinned]).unwrap();
    assert_eq!(installed.code, 0, "{installed:?}");
    let kept = std::fs::read(wine.drive_c().join("ProgramData/cartable-agent/update.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Progress>(&kept).unwrap().keys, [key], "also without SERVER");
    assert_eq!(wine.service().unwrap().as_deref(), Some("STOPPED"));
    let said = wine.agent(&["status", "--lang", "en"]).unwrap();
    assert_eq!(said.code, 3, "{said:?}");
}
