//! What two agents write, what is taken from it, and what is left.

use cartable_common::{
    Bytes, SerialNumber,
    report::{Chassis, DriveKind, OsFamily, SelfAssessment, Subject, Switch, VolumeRole},
};
use proptest::prelude::*;

use super::*;
use crate::domain::reading::{Reading, read};

const XML: &str = include_str!("samples/fusioninventory-2.6.xml");
const WINDOWS: &str = include_str!("samples/fusioninventory-2.6-windows.xml");
const JSON: &str = include_str!("samples/glpi-agent-1.11.json");
/// 2026-11-24 12:00 UTC.
const NOON: i64 = 1_795_521_600_000;

fn inventory(text: &str) -> AgentInventory {
    match read(text.as_bytes()) {
        Ok(Reading::Agent(found)) => *found,
        other => panic!("{other:?}"),
    }
}

/// The sample, with one line of it replaced.
fn changed(before: &str, after: &str) -> AgentInventory {
    assert!(XML.contains(before), "{before}");
    inventory(&XML.replacen(before, after, 1))
}

fn text(value: Option<&Text>) -> &str {
    value.map(Text::as_str).unwrap_or_default()
}

#[test]
fn fusioninventorys_xml_becomes_a_report_in_our_units() {
    let AgentInventory { tool, version, made_at, is_partial, report } = inventory(XML);
    assert_eq!(
        (tool, text(version.as_ref()), is_partial),
        (Tool::FusionInventory, "FusionInventory-Agent_v2.6-3", false)
    );
    assert_eq!(made_at.unwrap().get(), NOON - 3_600_000, "an hour before noon in UTC");
    assert_eq!(report.check(), Ok(()));
    assert_eq!(
        (text(report.hardware.manufacturer.as_ref()), text(report.hardware.model.as_ref())),
        ("LENOVO", "20VH0019FR")
    );
    assert_eq!(report.hardware.serial_number.get().map(SerialNumber::as_str), Some("PF2CART7"));
    assert_eq!(report.hardware.chassis, Some(Chassis::Laptop));
    assert!(report.hardware.system_uuid.get().is_some());
    assert_eq!(report.memory.total_bytes.unwrap().get(), 7_809 << 20, "MiB");
    assert_eq!((report.processor.cores, report.processor.threads), (Some(2), Some(4)));
    assert_eq!(text(report.firmware.date.as_ref()), "05/12/2021");
    let system = &report.operating_system;
    assert_eq!(
        (system.family, text(system.name.as_ref()), text(system.version.as_ref())),
        (Some(OsFamily::Linux), "debian", "12.11")
    );
    let [root, home] = report.volumes.as_slice() else { panic!("{:?}", report.volumes) };
    assert_eq!((root.role, root.encryption), (Some(VolumeRole::System), None));
    assert_eq!(root.total_bytes.unwrap().get(), 238_000 << 20, "MiB");
    assert_eq!(home.available_bytes.unwrap().get(), 0, "a full volume is a fact");
    assert_eq!((home.role, home.encryption), (Some(VolumeRole::Data), Some(Switch::On)));
    let [drive] = report.drives.as_slice() else { panic!("{:?}", report.drives) };
    assert_eq!((drive.kind, drive.capacity_bytes.unwrap().get()), (Some(DriveKind::Nvme), 256_060_000_000), "MB");
    assert_eq!(drive.self_assessment, None);
    let [battery] = report.batteries.as_slice() else { panic!("{:?}", report.batteries) };
    let energy = (battery.design_milliwatt_hours.unwrap().get(), battery.full_milliwatt_hours.unwrap().get());
    assert_eq!((energy, battery.cycle_count), ((50_000, 31_250), None));
}

#[test]
fn glpis_json_becomes_a_report_without_its_placeholders() {
    let AgentInventory { tool, made_at, report, .. } = inventory(JSON);
    assert_eq!((tool, made_at.unwrap().get()), (Tool::Glpi, NOON));
    assert_eq!((report.hardware.serial_number.get(), report.hardware.system_uuid.get()), (None, None));
    let system = &report.operating_system;
    let words = (text(system.name.as_ref()), text(system.version.as_ref()), text(system.architecture.as_ref()));
    assert_eq!((system.family, words), (Some(OsFamily::Windows), ("windows", "11 Professionnel", "x86_64")));
    assert_eq!(text(system.build.as_ref()), "10.0.22631");
    let [windows] = report.volumes.as_slice() else { panic!("a stick is a person's own: {:?}", report.volumes) };
    assert_eq!((windows.role, windows.encryption), (Some(VolumeRole::System), Some(Switch::Off)));
    let [ssd, other] = report.drives.as_slice() else { panic!("{:?}", report.drives) };
    assert_eq!((ssd.kind, ssd.capacity_bytes.unwrap().get()), (Some(DriveKind::Ssd), 128_035_000_000));
    assert_eq!((other.capacity_bytes, other.serial_number.get()), (None, None), "no size is not a size of zero");
    let [battery] = report.batteries.as_slice() else { panic!("{:?}", report.batteries) };
    assert_eq!((battery.full_milliwatt_hours, battery.design_milliwatt_hours.unwrap().get()), (None, 57_570));
}

#[test]
fn nothing_that_a_report_has_no_place_for_is_read() {
    for (sample, count) in [(XML, 20), (JSON, 20), (WINDOWS, 5)] {
        assert!(sample.matches("indiscret").count() >= count, "the sample is full of what must not be read");
        let found = format!("{:?}", inventory(sample)).to_lowercase();
        for trace in ["indiscret", "192.0.2", "02:00:5e", "/home", "/snap", "/srv", "07:58"] {
            assert!(!found.contains(trace), "{trace} in {found}");
        }
    }
}

#[test]
fn the_unit_of_a_drives_size_is_that_of_its_system_agent_and_version() {
    let capacity = |client: &str| {
        let report = inventory(&WINDOWS.replacen("FusionInventory-Agent_v2.6", client, 1)).report;
        let [drive] = report.drives.as_slice() else { panic!("{:?}", report.drives) };
        drive.capacity_bytes.map(Bytes::get)
    };
    let (mebibytes, megabytes): (Option<u64>, Option<u64>) = (Some(256_060_162_048), Some(244_198_000_000));
    assert_eq!(capacity("FusionInventory-Agent_v2.6"), mebibytes, "of 256,060,514,304 bytes, whole MiB");
    assert_eq!((capacity("GLPI-Agent_v1.5-1"), capacity("GLPI-Agent_v1.4")), (mebibytes, mebibytes));
    assert_eq!((capacity("GLPI-Agent_v1.6"), capacity("GLPI-Agent_v1.11-2")), (megabytes, megabytes));
    assert_eq!((capacity("GLPI-Agent_v2.0"), capacity("GLPI-Agent")), (megabytes, None), "a unit is not guessed");
}

/// The size in GB of the sample's only drive, where that agent on that system writes its size so.
fn gigabytes(client: &str, system: &str, size: &str) -> Option<u64> {
    let other = |text: &str, mark: &str, value: &str| {
        let (begin, end) = (format!("<{mark}>"), format!("</{mark}>"));
        let (before, rest) = text.split_once(&begin).unwrap();
        let (_, after) = rest.split_once(&end).unwrap();
        format!("{before}{begin}{value}{end}{after}")
    };
    let text = other(&other(WINDOWS, "VERSIONCLIENT", client), "KERNEL_NAME", system);
    let report = inventory(&other(&text, "DISKSIZE", size)).report;
    let [drive] = report.drives.as_slice() else { panic!("{:?}", report.drives) };
    drive.capacity_bytes.map(|bytes| (bytes.get() + 500_000_000) / 1_000_000_000)
}

/// Of a drive of 976,773,168 sectors `hdparm -I` says "M = 1024*1024: 476940 MBytes" and "M = 1000*1000: 500107 MBytes".
/// fusioninventory-agent takes the second line; WMI and smartctl lead to the first.
#[test]
fn an_old_agents_size_is_of_the_unit_in_which_drives_are_made() {
    let (old, new) = ("FusionInventory-Agent_v2.3.21", "GLPI-Agent_v1.11");
    for (client, system) in [(old, "MSWin32"), ("GLPI-Agent_v1.4", "MSWin32"), (old, "linux")] {
        for size in ["476940", "500107"] {
            assert_eq!(gigabytes(client, system, size), Some(500), "{client} on {system}: {size}");
        }
    }
    // `fdisk -s` says 488386584, which stands there by 1000. It would be a drive of 512 GB in MiB: nothing tells which.
    assert_eq!(gigabytes(old, "linux", "488386"), None);
    // WMI counts whole cylinders: 500,105,249,280 bytes are no size that drives are made in.
    assert_eq!(gigabytes(old, "MSWin32", "476937"), Some(500));
    // Small drives are made in any size: the usual unit stands.
    assert_eq!((gigabytes(old, "MSWin32", "29820"), gigabytes(old, "linux", "31268")), (Some(31), Some(31)));
    for client in [old, new] {
        assert_eq!(gigabytes(client, "darwin", "476940"), Some(500), "{client}: macOS is counted in MiB");
    }
    // These count in MB, whatever that looks like.
    assert_eq!((gigabytes(new, "linux", "476940"), gigabytes(new, "MSWin32", "476940")), (Some(477), Some(477)));
}

/// How many drives a Windows machine has whose second one has that interface.
fn drives_beside(interface: &str) -> usize {
    let line = format!("<INTERFACE>{interface}</INTERFACE>");
    inventory(&WINDOWS.replacen("<INTERFACE>1394</INTERFACE>", &line, 1)).report.drives.len()
}

#[test]
fn what_can_be_unplugged_and_what_a_file_or_network_holds_is_no_drive_of_the_machine() {
    let foreign = ["USB", "SD", "1394", "IEEE 1394", "IEEE", "iSCSI", "File-Backed Virtual", "File-Backed"];
    for interface in foreign.into_iter().chain(["sd", "ISCSI"]) {
        assert_eq!(drives_beside(interface), 1, "{interface}");
    }
    for interface in ["MMC", "NVMe", "SATA", "SCSI", "IDE", "RAID", ""] {
        assert_eq!(drives_beside(interface), 2, "{interface}");
    }
}

#[test]
fn a_volume_on_what_can_be_unplugged_is_left_out_unless_the_system_runs_from_it() {
    let roles = |found: AgentInventory| found.report.volumes.iter().map(|one| one.role.unwrap()).collect::<Vec<_>>();
    let with = |place: &str, device: &str| {
        let volume = format!(
            "<CONTENT><DRIVES><FILESYSTEM>vfat</FILESYSTEM><TOTAL>7600</TOTAL><TYPE>{place}</TYPE>\
             <VOLUMN>{device}</VOLUMN></DRIVES>"
        );
        roles(changed("<CONTENT>", &volume))
    };
    let plain = [VolumeRole::System, VolumeRole::Data];
    for place in ["/media/u/stick", "/run/media/u/stick", "/mnt/stick", "/Volumes/stick", "Removable Disk"] {
        assert_eq!(with(place, "/dev/sdb1"), plain, "{place}");
    }
    // The sample's sda is on USB, wherever it is mounted.
    for device in ["/dev/sda1", "/dev/sda"] {
        assert_eq!(with("/srv/copies", device), plain, "{device}");
    }
    // Held by a file, memory or a network; VeraCrypt tells its own.
    for device in ["/dev/loop3", "/dev/loop3p1", "/dev/nbd0", "/dev/zram1", "/dev/ram0", "/dev/rbd0", "/dev/drbd1"] {
        assert_eq!(with("/srv/copies", device), plain, "{device}");
    }
    assert_eq!(with("/srv/copies", "/dev/mapper/veracrypt1"), plain);
    assert_eq!(with("/srv/copies", "/dev/mapper/truecrypt12"), plain);
    let more = [VolumeRole::System, VolumeRole::Data, VolumeRole::Data];
    for device in ["/dev/sdb1", "/dev/sdaa1", "/dev/mapper/sda1", "/dev/mapper/loop3", "/dev/mapper/vg-veracrypt1"] {
        assert_eq!(with("/srv/copies", device), more, "{device}");
    }
    for system in ["/dev/sda2", "/dev/loop0"] {
        let line = format!("<VOLUMN>{system}</VOLUMN>");
        assert_eq!(roles(changed("<VOLUMN>/dev/nvme0n1p2</VOLUMN>", &line)), plain, "{system}");
    }
}

#[test]
fn what_is_written_on_a_drive_is_not_its_serial_number() {
    let serial = |words: &str| {
        let line = format!("<SERIALNUMBER>{words}</SERIALNUMBER>");
        let report = changed("<SERIALNUMBER>91FPC0A0PQSL</SERIALNUMBER>", &line).report;
        report.drives[0].serial_number.get().map(ToString::to_string)
    };
    for written in [
        "1b2e0f3c",
        "A1C7D9B2-54E0-4F6B-9A34-7B1D6C2E8F90",
        "a1c7d9b2-54e0-4f6b-9a34-7b1d6c2e8f90",
        "BskNPA-2ece-cWgR-cLon-iFjr-EH2e-c6Cg39",
    ] {
        assert_eq!(serial(written), None, "{written}");
    }
    for own in ["1B2E0F3C", "1b2e0f3g", "1b2e0f3c4", "Z1D5ABCD", "WD-WCC4N7AB"] {
        assert_eq!(serial(own).as_deref(), Some(own));
    }
}

#[test]
fn numbers_are_what_they_say_or_nothing() {
    let memory = |words: &str| {
        let line = format!("<MEMORY>{words}</MEMORY>");
        changed("<MEMORY>7809</MEMORY>", &line).report.memory.total_bytes.map(|bytes| bytes.get() >> 20)
    };
    assert_eq!(memory("7 809"), Some(7_809));
    assert_eq!(memory("7\u{202F}809,25"), Some(7_809));
    assert_eq!(memory("&#55;809"), Some(7_809), "a character by its number");
    for nothing in ["", "0", "-1", "7.809", "7 809 Mo", "99999999999999999999", "8e3", "NaN", "9007199254740993"] {
        assert_eq!(memory(nothing), None, "{nothing}");
    }
}

#[test]
fn virtual_machines_and_moments_without_an_offset() {
    let guest = changed("<VMSYSTEM>Physical</VMSYSTEM>", "<VMSYSTEM>VirtualBox</VMSYSTEM>");
    assert_eq!(guest.report.hardware.chassis, Some(Chassis::Virtual));
    let paris = changed("<OFFSET>+0100</OFFSET>", "");
    assert_eq!(paris.made_at.unwrap().get(), NOON - 3_600_000, "Paris in winter");
    let west = changed("<OFFSET>+0100</OFFSET>", "<OFFSET>-03:30</OFFSET>");
    assert_eq!(west.made_at.unwrap().get(), NOON + 12_600_000);
    assert_eq!(changed("2026-11-24 12:00:00", "hier").made_at, None);
    let glpi = changed("FusionInventory-Agent_v2.6-3", "GLPI-Agent_v1.11");
    assert_eq!(glpi.tool, Tool::Glpi, "GLPI Agent writes XML too");
    assert!(inventory(&JSON.replacen("\"action\"", "\"partial\": true, \"action\"", 1)).is_partial);
}

#[test]
fn what_is_broken_or_hostile_is_refused_with_a_reason() {
    let why = |text: &str| match read(text.as_bytes()) {
        Err(Unreadable::BrokenXml(words)) => words,
        other => panic!("{other:?}"),
    };
    let bomb = XML.replacen(
        "<REQUEST>",
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]><REQUEST>",
        1,
    );
    assert!(why(&bomb).contains("document type definition"));
    assert!(why(&XML.replacen("<HARDWARE>", &"<HARDWARE>".repeat(100_000), 1)).contains("deeper"));
    assert!(why(XML.split("<HARDWARE>").next().unwrap()).contains("middle"));
    assert!(why(&XML.replacen("<QUERY>INVENTORY", "<QUERY>PROLOG", 1)).contains("another message"));
    let stranger = changed("<NAME>Debian GNU/Linux</NAME>", "<NAME>Debian &f;GNU/Linux</NAME>");
    assert_eq!(
        text(stranger.report.operating_system.name.as_ref()),
        "debian",
        "an entity that nobody defined says nothing"
    );
    assert_eq!(read(b"<html><body>portal</body></html>"), Err(Unreadable::Unrecognised));
    let attributes = format!("<REQUEST {}>", "a=\"1\" ".repeat(200_000));
    assert_eq!(inventory(&XML.replacen("<REQUEST>", &attributes, 1)), inventory(XML), "attributes are not looked at");
}

/// What a machine's owner has GLPI Agent add: `{"content":{"smartctl":[…]}}`.
#[test]
fn smartctls_answers_beside_an_inventory_are_its_drives_health() {
    let nvme = r#"{"device":{"protocol":"NVMe"},"serial_number":"91FPC0A0PQSL","smart_status":{"passed":true},
        "user":"indiscret","nvme_smart_health_information_log":{"critical_warning":0,"percentage_used":7}}"#;
    let sata = r#"{"serial_number":"58EF40NTFGPT","smart_status":{"passed":false}}"#;
    let with =
        |section: &str| inventory(&JSON.replacen("\"storages\"", &format!("\"smartctl\": {section}, \"storages\""), 1));
    let AgentInventory { report, .. } = with(&format!("[{sata},{nvme},{{}},1]"));
    assert_eq!(report.check(), Ok(()));
    let plain = inventory(JSON).report;
    assert_eq!(report.drives.len(), plain.drives.len() + 1, "the one that the agent did not list");
    let known =
        |serial| report.drives.iter().find(|drive| drive.serial_number.get() == SerialNumber::parse(serial).as_ref());
    let sata_drive = known("58EF40NTFGPT").unwrap();
    assert_eq!(sata_drive.self_assessment, Some(SelfAssessment::Failed));
    assert_eq!(text(sata_drive.model.as_ref()), "TOSHIBA KSG60ZMV128G", "what the inventory says of it stays");
    assert!(known("91FPC0A0PQSL").unwrap().nvme.is_some());
    assert!(report.unread.iter().all(|unread| unread.subject != Some(Subject::DriveHealth)));
    assert!(!serde_json::to_string(&report).unwrap().contains("indiscret"));
    assert_eq!(with(sata).report.drives.len(), plain.drives.len(), "one alone needs no list");
    for nothing in ["[]", "{}", "7", "[[]]"] {
        assert_eq!(with(nothing).report, plain, "{nothing}");
    }
}

#[test]
fn long_lists_are_cut_and_stay_within_a_report() {
    let many =
        "<DRIVES><FILESYSTEM>ext4</FILESYSTEM><TOTAL>5</TOTAL><TYPE>/x</TYPE><VOLUMN>/dev/sdb1</VOLUMN></DRIVES>";
    let storages = "<STORAGES><NAME>sda</NAME></STORAGES><BATTERIES><NAME>B</NAME></BATTERIES>";
    let flood = format!("<CONTENT>{}{}", many.repeat(400), storages.repeat(200));
    let report = changed("<CONTENT>", &flood).report;
    assert_eq!(report.check(), Ok(()));
    assert_eq!(report.volumes[0].role, Some(VolumeRole::System), "the system's is not the one that is cut");
    assert_eq!(report.volumes.len(), cartable_common::limits::MAX_VOLUMES);
    let flood = format!("<CONTENT>{}", many.repeat(MOST_ENTRIES + 1));
    assert_eq!(
        changed("<CONTENT>", &flood).report.hardware.serial_number.get(),
        None,
        "there is an end to what is looked at"
    );
}

proptest! {
    #[test]
    fn no_change_of_an_inventory_breaks_the_reader(
        place in 0..XML.len(), length in 0_usize..60, with in "[<>&;/A-Z0-9\\[\\]\"{}: ]{0,12}",
        json in any::<bool>(),
    ) {
        let sample = if json { JSON } else { XML };
        let cut = |at: usize| (0..=at.min(sample.len())).rev().find(|at| sample.is_char_boundary(*at)).unwrap_or(0);
        let (begin, end) = (cut(place), cut(place + length));
        let mixed = format!("{}{with}{}", &sample[..begin], &sample[end..]);
        if let Ok(Reading::Agent(found)) = read(mixed.as_bytes()) {
            prop_assert_eq!(found.report.check(), Ok(()));
        }
        let _ = read(&sample.as_bytes()[..begin]);
    }

    #[test]
    fn nesting_of_any_kind_is_bounded(depth in 0_usize..3_000, name in "[A-Z]{1,8}") {
        let open = format!("<{name}>").repeat(depth);
        let _ = read(format!("<REQUEST><CONTENT>{open}").as_bytes());
        let _ = read(format!("{{\"content\":{{\"versionclient\":\"x\",\"bios\":{}", "[".repeat(depth)).as_bytes());
    }
}
