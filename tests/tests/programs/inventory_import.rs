//! What the real fusioninventory-agent of Debian writes, judged and imported by the real server: the machine is recorded, its
//! report is what the firmware and the kernel say, and nothing of its host is kept.
//!
//! Needs root (for what the agent asks) and fusioninventory-agent; ./tests/run installs it. The firmware and the battery are
//! invented: scripts that stand before dmidecode and upower in PATH, as a test machine has neither; and so is the machine's
//! name. Everything else is asked of this machine.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use cartable_common::DeviceId;
use cartable_server::domain::reading::agents::Tool;
use cartable_tests::{
    harness::{Binaries, Installation, process::run_with_input},
    simulator::site::uai_code,
    stores::seen,
};

const DMIDECODE: &str = "#!/bin/sh
cat <<'END'
# dmidecode 3.4
SMBIOS 3.2.0 present.

Handle 0x0000, DMI type 0, 26 bytes
BIOS Information
\tVendor: LENOVO
\tVersion: R1KET38W (1.23 )
\tRelease Date: 05/12/2021

Handle 0x0001, DMI type 1, 27 bytes
System Information
\tManufacturer: LENOVO
\tProduct Name: 20VH0019FR
\tVersion: ThinkPad L13 Gen 2
\tSerial Number: PF2CART7
\tUUID: 4c4c4544-0035-3810-8051-b4c04f473332

Handle 0x0003, DMI type 3, 22 bytes
Chassis Information
\tManufacturer: LENOVO
\tType: Notebook
\tSerial Number: PF2CART7

END
";

const UPOWER: &str = "#!/bin/sh
if [ \"$1\" = --enumerate ]; then echo /org/freedesktop/UPower/devices/battery_BAT0; exit; fi
cat <<'END'
  native-path:          BAT0
  vendor:               SMP
  model:                L19M3PG1
  serial:               1234
  power supply:         yes
  battery
    present:             yes
    energy-full:         31.25 Wh
    energy-full-design:  50 Wh
    voltage:             11.52 V
    technology:          lithium-ion
END
";

/// What the machine is called: a word that stands in nothing that is kept.
pub(super) const HOST: &str = "indiscret-host";

/// Loaded before the agent's own code, which has no setting for either: its state lies in the test's folder, and not where
/// every agent of this computer has it; and the machine is called [`HOST`].
const APART: &str = "package CartableApart;
use lib '/usr/share/fusioninventory/lib';
use Sys::Hostname ();
use setup;
BEGIN {
    no warnings 'redefine';
    *Sys::Hostname::hostname = sub { $ENV{CARTABLE_HOST} };
}
$setup::setup{vardir} = $ENV{CARTABLE_STATE};
1;
";

/// The agent on a machine with that firmware, that battery and that name, with its state below `folder`. Perl loads `modules`
/// from there first.
pub(super) fn agent(folder: &Path, modules: &[&str]) -> Command {
    let state = folder.join("state");
    fs::create_dir_all(&state).unwrap();
    fs::write(folder.join("CartableApart.pm"), APART).unwrap();
    let modules = [&["CartableApart"][..], modules].concat().join(" -M");
    let mut agent = Command::new("fusioninventory-agent");
    agent.env("PATH", invented(folder)).env("PERL5OPT", format!("-I{} -M{modules}", folder.display()));
    agent.env("CARTABLE_HOST", HOST).env("CARTABLE_STATE", state);
    agent
}

/// The PATH in which that firmware and that battery are found, below `folder`.
fn invented(folder: &Path) -> String {
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).unwrap();
    for (name, script) in [("dmidecode", DMIDECODE), ("upower", UPOWER)] {
        let path = programs.join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", programs.display(), std::env::var("PATH").unwrap())
}

/// What the real agent writes about this machine with that firmware.
fn written(folder: &Path) -> String {
    let out = folder.join("out");
    fs::create_dir(&out).unwrap();
    let without = "--no-category=software,user,local_user,local_group,process,environment,network,printer";
    run_with_input(agent(folder, &[]).arg("--local").arg(&out).arg(without), "").unwrap();
    let files: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = fs::read_to_string(&files[0]).unwrap();
    assert!(text.contains(&format!("<NAME>{HOST}</NAME>")), "{text}");
    // In a container the agent takes the serial number that it read away again.
    text.replace("<SSN></SSN>", "<SSN>PF2CART7</SSN>")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fusioninventory_writes_becomes_the_report_of_a_device() {
    let installation = Installation::temporary().unwrap();
    let uai = uai_code(96, 1);
    installation.create_site(&uai, "Collège des Tilleuls", "Valmarin", "B").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("laptop.ocs");
    fs::write(&file, written(folder.path())).unwrap();
    let path = file.to_str().unwrap();

    let program = &Binaries::find().unwrap().server;
    let judged = run_with_input(Command::new(program).args(["assess", "--json", path]), "").unwrap();
    let judged: serde_json::Value = serde_json::from_str(&judged).unwrap();
    assert_eq!((judged["kind"].as_str(), judged["verdict"].as_str()), (Some("device"), Some("worn")), "{judged}");

    let unknown = installation.run("import-inventory", &[path], "").unwrap_err().to_string();
    assert!(unknown.contains("no device has the serial number PF2CART7"), "{unknown}");
    let first = installation.run("import-inventory", &["--record", uai.as_str(), path], "").unwrap();
    assert!(first.ends_with("\trecorded and imported\n"), "{first}");
    let again = installation.run("import-inventory", &[path], "").unwrap();
    assert!(again.ends_with("\timported before: nothing changed\n"), "{again}");

    let id: DeviceId = first.split('\t').nth(1).unwrap().parse().unwrap();
    let found = seen(&installation, id).await.unwrap();
    assert_eq!((found.contact, found.brought_of), (None, Some(Tool::FusionInventory)));
    let report = found.health.unwrap().report;
    let battery = &report.batteries[0];
    let energy = [battery.design_milliwatt_hours, battery.full_milliwatt_hours].map(|energy| energy.unwrap().get());
    assert_eq!(energy, [50_000, 31_250]);
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")).unwrap();
    let mebibytes = total.parse::<u64>().unwrap() / 1024;
    assert_eq!(report.memory.total_bytes.unwrap().get() >> 20, mebibytes, "memory in MiB");
    let stored = serde_json::to_string(&report).unwrap();
    assert!(!stored.contains(HOST), "{stored}");
}
