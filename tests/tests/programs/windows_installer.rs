//! The tables of the agent's MSI, as msiinfo reads them: what is installed, in which order, and what is kept secret.
//!
//! Its program is a stand-in; tests/windows installs the real one under Wine.

#![cfg(target_os = "linux")]

use std::{collections::BTreeMap, path::Path, process::Command};

use cartable_tests::harness::binaries::workspace;

fn output(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}; apt-get install --no-install-recommends wixl msitools"));
    assert!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Makes an MSI with these variables, and with no version that this test was started with.
fn make_msi(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(workspace().join("packaging/windows/make-msi"));
    command.env_remove("CARTABLE_AGENT_VERSION").env_remove("CARTABLE_MSI_VERSION").envs(environment.iter().copied());
    command
}

struct Installer {
    folder: tempfile::TempDir,
}

impl Installer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("any-name.exe");
        std::fs::write(&program, "MZ stand-in").unwrap();
        output(make_msi(&[]).args([&program, folder.path()]));
        Self { folder }
    }

    /// The version of the package that is made in this environment.
    fn version_with(environment: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("any-name.exe");
        std::fs::write(&program, "MZ stand-in").unwrap();
        output(make_msi(environment).args([&program, folder.path()]));
        Self { folder }.table("Property")["ProductVersion"].concat()
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("cartable-agent.msi")
    }

    /// The rows of a table by their first column; the others follow in order.
    fn table(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        let text = output(Command::new("msiinfo").arg("export").arg(self.path()).arg(name));
        let rows = text.lines().skip(3).map(|line| line.trim_end_matches('\r').split('\t').map(ToOwned::to_owned));
        rows.filter_map(|mut columns| Some((columns.next()?, columns.collect()))).collect()
    }
}

#[test]
fn the_package_says_what_it_is() {
    let installer = Installer::new();
    let properties = installer.table("Property");
    assert_eq!(properties["ProductVersion"], [env!("CARGO_PKG_VERSION")]);
    assert_eq!(properties["ALLUSERS"], ["1"], "for the computer, not for one person");
    // Whoever has one version must find the next: this code never changes.
    assert_eq!(properties["UpgradeCode"], ["{6E0A3C52-2D0B-4D0D-9C0E-6B6A3C5D7B11}"]);
    let summary = output(Command::new("msiinfo").arg("suminfo").arg(installer.path()));
    assert!(summary.contains("Template: x64;"), "{summary}");
    let files = installer.table("File");
    assert_eq!(files["AgentExe"][1], "cartable-agent.exe", "{files:?}");
    assert_eq!(installer.table("Component")["Agent"][2], "256", "64 bits");
}

#[test]
fn only_variables_of_its_own_change_its_version() {
    let workspaces = env!("CARGO_PKG_VERSION");
    assert_eq!(Installer::version_with(&[("VERSION", "9.9.9")]), workspaces, "CI systems set it for themselves");
    assert_eq!(Installer::version_with(&[("CARTABLE_AGENT_VERSION", "9.9.8")]), "9.9.8");
    let both = [("CARTABLE_AGENT_VERSION", "9.9.8"), ("CARTABLE_MSI_VERSION", "9.9.7")];
    assert_eq!(Installer::version_with(&both), "9.9.7", "of the package alone");
}

#[test]
fn silent_properties_reach_the_enrolment_and_the_token_no_log() {
    let installer = Installer::new();
    let properties = installer.table("Property");
    assert_eq!(properties["MsiHiddenProperties"], ["TOKEN"]);
    for name in ["SERVER", "TOKEN", "ROOTS", "UPDATEKEY", "KEYSTORE"] {
        assert!(properties["SecureCustomProperties"][0].split(';').any(|listed| listed == name), "{name}");
        assert!(!properties.contains_key(name), "{name} has no value of its own");
    }
    let actions = installer.table("CustomAction");
    let kind = |name: &str| actions[name][0].parse::<u32>().unwrap();
    const FILE: u32 = 18; // an installed program
    const GOES_ON: u32 = 64;
    const AS_THE_SYSTEM: u32 = 1024 + 2048;
    const HIDDEN: u32 = 8192;
    assert_eq!(kind("Enrol"), FILE + GOES_ON + AS_THE_SYSTEM + HIDDEN);
    assert_eq!(
        actions["Enrol"][2],
        r#"enrol --state "[CommonAppDataFolder]cartable-agent" --server "[SERVER]" --token "[TOKEN]" --roots "[ROOTS]" --update-key "[UPDATEKEY]" --key-store "[KEYSTORE]""#
    );
    assert_eq!(
        actions["Register"][2],
        r#"service install --state "[CommonAppDataFolder]cartable-agent" --update-key "[UPDATEKEY]" --start"#,
        "the key is pinned without SERVER too"
    );
    // An update is begun by the service, whose environment may name another place for ProgramData (Wine's does).
    for name in ["Enrol", "Register", "Erase"] {
        assert!(actions[name][2].contains(r#" --state "[CommonAppDataFolder]cartable-agent" "#), "{name}: {actions:?}");
    }
    // A word that the agent does not know would fail the enrolment alone, and nobody would hear of it.
    let known = r#"NOT KEYSTORE OR KEYSTORE = "file" OR KEYSTORE = "platform""#;
    assert!(installer.table("LaunchCondition").contains_key(known));
    assert_eq!(kind("Register"), FILE + AS_THE_SYSTEM, "a service that cannot be registered fails the installation");
    assert_eq!(kind("Erase"), FILE + GOES_ON + AS_THE_SYSTEM);
}

#[test]
fn the_actions_stand_in_their_order() {
    let sequence = Installer::new().table("InstallExecuteSequence");
    let at = |name: &str| sequence[name][1].parse::<u32>().unwrap();
    let orders: [&[&str]; 3] = [
        &["InstallInitialize", "RemoveExistingProducts", "ProcessComponents"],
        &["StopServices", "DeleteServices", "Erase", "RemoveFiles", "InstallFiles"],
        &["InstallFiles", "InstallServices", "Enrol", "Register", "InstallFinalize"],
    ];
    for order in orders {
        assert!(order.windows(2).all(|two| at(two[0]) < at(two[1])), "{order:?}: {sequence:?}");
    }
    // Windows Installer takes it there or refuses the whole package (error 2613).
    assert_eq!(at("RemoveExistingProducts"), at("InstallInitialize") + 1);
    assert_eq!(sequence["Erase"][0], r#"REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE"#, "an upgrade keeps the key");
    assert_eq!(sequence["Enrol"][0], "SERVER AND NOT REMOVE");
    assert_eq!(sequence["Register"][0], "NOT REMOVE");
}

#[test]
fn the_service_is_the_systems_and_leaves_with_the_program() {
    let installer = Installer::new();
    let service = &installer.table("ServiceInstall")["AgentService"];
    assert_eq!((service[0].as_str(), service[2].as_str(), service[3].as_str()), ("cartable-agent", "16", "2"));
    assert_eq!((service[7].as_str(), service[9].as_str()), ("", "service run"), "no account: the system");
    // Stopped at installation and removal, deleted at removal; its start is the agent's own decision.
    const STOP: u32 = 2 + 32;
    const DELETE_AT_REMOVAL: u32 = 128;
    assert_eq!(installer.table("ServiceControl")["AgentControl"][1], (STOP + DELETE_AT_REMOVAL).to_string());
    let upgrades = output(Command::new("msiinfo").arg("export").arg(installer.path()).arg("Upgrade"));
    assert!(upgrades.contains("WIX_UPGRADE_DETECTED") && upgrades.contains("WIX_DOWNGRADE_DETECTED"), "{upgrades}");
    assert!(installer.table("LaunchCondition").contains_key("NOT WIX_DOWNGRADE_DETECTED"));
}

#[test]
fn the_start_menu_opens_the_agents_page_under_one_name() {
    let installer = Installer::new();
    let (shortcuts, components) = (installer.table("Shortcut"), installer.table("Component"));
    let names = [("PageFrench", "Ce que cet ordinateur dit"), ("PageEnglish", "What this computer tells")];
    assert_eq!(shortcuts.len(), names.len(), "{shortcuts:?}");
    for (shortcut, name) in names {
        let [folder, shown, component, target, ..] = shortcuts[shortcut].as_slice() else { panic!("{shortcuts:?}") };
        assert_eq!((folder.as_str(), shown.split_once('|').unwrap().1), ("ProgramMenuFolder", name));
        // The agent writes the page into this folder beside itself: `platform::public_folder`.
        assert_eq!(*target, format!(r"[INSTALLDIR]public\{}", cartable_agent::disclosure::PAGE));
        let in_the_64_bit_registry = 256 + 4;
        assert_eq!(components[component][2], in_the_64_bit_registry.to_string(), "{component}");
    }
    // Exactly one of the two, whatever Windows speaks.
    let (french, english) = (&components["MenuFrench"][3], &components["MenuEnglish"][3]);
    assert!(french.starts_with("SystemLanguageID = 1036 OR "), "{french}");
    assert_eq!(*english, format!("NOT ({french})"));
    let sequence = installer.table("InstallExecuteSequence");
    for action in ["CreateShortcuts", "RemoveShortcuts", "WriteRegistryValues", "RemoveRegistryValues"] {
        assert!(sequence.contains_key(action), "{action}: {sequence:?}");
    }
}

#[test]
fn a_program_that_is_missing_is_said() {
    let output = Command::new(workspace().join("packaging/windows/make-msi"))
        .args([Path::new("/nonexistent/agent.exe"), &std::env::temp_dir()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("packaging/windows/build makes it"), "{said}");
}
