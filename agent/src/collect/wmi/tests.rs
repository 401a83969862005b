//! Recorded answers become a report.
//!
//! `laptop.jsonl` was written by hand after Microsoft's documentation of each class, in the forms that WMI gives them (64
//! bits as numbers or as text, a drive's letter as text or as its number): no computer with Windows was at hand. `wine.jsonl` was recorded from the real
//! program under Wine 8.

use cartable_common::{
    Bytes, Hours, MilliwattHours, Percent,
    report::{Chassis, DriveKind, OsFamily, SelfAssessment, Subject, Switch, Unread, UnreadReason, VolumeRole},
};

use super::*;

const LAPTOP: &str = include_str!("recorded/laptop.jsonl");

fn read(lines: &str) -> Found {
    found(&Answers::parse(lines.as_bytes(), UnreadReason::TimedOut))
}

/// The laptop, with the line of `class` in other words, or without it.
fn laptop_with(class: &str, line: Option<&str>) -> Found {
    let start = format!("{{\"{class}\":");
    let lines: Vec<&str> =
        LAPTOP.lines().filter_map(|own| if own.starts_with(&start) { line } else { Some(own) }).collect();
    read(&lines.join("\n"))
}

fn reasons(unread: &[Unread], subject: Subject) -> Vec<UnreadReason> {
    unread.iter().filter(|entry| entry.subject == Some(subject)).filter_map(|entry| entry.reason).collect()
}

#[test]
fn a_laptop_tells_what_it_is() {
    let report = read(LAPTOP).report;
    let hardware = &report.hardware;
    assert_eq!(hardware.model.as_ref().unwrap().as_str(), "ThinkPad L480 20LSCTO1WW");
    assert_eq!(hardware.chassis, Some(Chassis::Laptop));
    assert_eq!(hardware.serial_number.get().unwrap().as_str(), "PF1ABCDE");
    assert!(hardware.system_uuid.get().is_some());
    assert_eq!((report.processor.cores, report.processor.threads), (Some(4), Some(8)));
    assert_eq!(report.memory.total_bytes, Bytes::new(8_468_320_256));
    let firmware = &report.firmware;
    assert_eq!(firmware.date.as_ref().unwrap().as_str(), "03/15/2022");
    assert_eq!((firmware.secure_boot, firmware.tpm_version), (Some(Switch::On), Some(2)));
    let system = &report.operating_system;
    assert_eq!((system.family, system.reboot_pending), (Some(OsFamily::Windows), Some(true)));
    assert_eq!(system.version.as_ref().unwrap().as_str(), "11 Éducation 23H2");
    assert_eq!(system.build.as_ref().unwrap().as_str(), "22631.4460");
    assert_eq!(system.architecture.as_ref().unwrap().as_str(), "x86_64");
    assert_eq!(report.uptime_hours, Hours::new(74));
    let degrees: Vec<i16> = report.temperatures.iter().filter_map(|zone| Some(zone.celsius?.get())).collect();
    assert_eq!(degrees, [45], "zones without a sensor are no temperature");
    report.check().unwrap();
}

#[test]
fn wine_is_read_as_far_as_it_tells() {
    let Found { report, drive_names } = read(include_str!("recorded/wine.jsonl"));
    assert_eq!(report.operating_system.version.unwrap().as_str(), "10 Pro");
    assert_eq!(report.uptime_hours, Hours::new(0), "its offset from UTC has two digits");
    assert_eq!(report.volumes[0].role, Some(VolumeRole::System));
    assert!(drive_names.contains(&"pd0".to_owned()), "the older class stands in: {drive_names:?}");
    for subject in [Subject::Tpm, Subject::Encryption, Subject::SecureBoot, Subject::Batteries, Subject::Temperatures] {
        assert_eq!(reasons(&report.unread, subject), [UnreadReason::NotPresent], "{subject}");
    }
}

#[test]
fn volumes_have_roles_and_protection_and_never_a_letter() {
    let report = read(LAPTOP).report;
    let seen: Vec<_> = report.volumes.iter().map(|v| (v.role.unwrap(), v.encryption)).collect();
    assert_eq!(
        seen,
        [
            (VolumeRole::System, Some(Switch::On)),
            (VolumeRole::Data, Some(Switch::Off)),
            // A person's own disk on USB, which Windows calls fixed, is left out; the card reader and the network drive are none.
        ]
    );
    assert_eq!(report.volumes[0].available_bytes, Bytes::new(40_813_429_391));
    assert!(reasons(&report.unread, Subject::Encryption).is_empty(), "nor is it said that it is there");
    let sent = serde_json::to_string(&report).unwrap();
    assert!(!sent.contains("C:") && !sent.contains("PNP0C0A") && !sent.contains('\\'), "{sent}");
}

#[test]
fn a_stick_or_a_card_changes_no_report_and_an_emmc_that_is_called_a_card_stays() {
    let disks = |more: &str| {
        format!(
            r#"{{"Win32_LogicalDisk":[{{"DeviceID":"C:","DriveType":3,"FileSystem":"NTFS","Size":"255083933696","FreeSpace":"40813429391"}},{{"DeviceID":"D:","DriveType":3,"FileSystem":"NTFS","Size":"1000000000","FreeSpace":"500000000"}}{more}]}}"#
        )
    };
    let without = laptop_with("Win32_LogicalDisk", Some(&disks(""))).report;
    let stick = r#",{"DeviceID":"E:","DriveType":2,"FileSystem":"FAT32","Size":"16000000000","FreeSpace":"7"}"#;
    let with = laptop_with("Win32_LogicalDisk", Some(&disks(stick))).report;
    assert_eq!(with.content_hash(), without.content_hash());
    // One eMMC with two volumes, as some drivers tell it: on the bus of cards.
    let line = r#"{"MSFT_Partition":[{"DriveLetter":"C","DiskNumber":0},{"DriveLetter":"D","DiskNumber":0}]}"#;
    let partitions = LAPTOP.lines().filter(|own| !own.starts_with("{\"MSFT_Partition\"")).chain([line]);
    let emmc = partitions.collect::<Vec<_>>().join("\n").replace("\"BusType\":17", "\"BusType\":12");
    let roles: Vec<_> = read(&emmc).report.volumes.iter().filter_map(|volume| volume.role).collect();
    assert_eq!(roles[..2], [VolumeRole::System, VolumeRole::Data]);
}

/// The laptop with one more fixed volume, G:, and with this in place of its answers of two classes.
fn laptop_with_a_volume(partitions: &str, disks: &str) -> HealthReport {
    let volume = r#"{"DeviceID":"G:","DriveType":3,"FileSystem":"NTFS","Size":"2000000000","FreeSpace":"1000000000"}"#;
    let volumes = line_of("Win32_LogicalDisk");
    let lines = LAPTOP.replace(volumes, &volumes.replace("]}", &format!(",{volume}]}}")));
    let lines = lines.replace(line_of("MSFT_Partition"), partitions).replace(line_of("MSFT_PhysicalDisk"), disks);
    read(&lines).report
}

fn line_of(class: &str) -> &'static str {
    LAPTOP.lines().find(|line| line.starts_with(&format!("{{\"{class}\":"))).unwrap()
}

#[test]
fn an_encrypted_container_a_clouds_folder_and_a_mounted_image_change_no_report() {
    let (partitions, disks) = (line_of("MSFT_Partition"), line_of("MSFT_PhysicalDisk"));
    let without = read(LAPTOP).report;
    // A letter that is on no partition, while others are.
    let container = laptop_with_a_volume(partitions, disks);
    assert_eq!(container.volumes, without.volumes);
    assert_eq!(container.content_hash(), without.content_hash());
    let placed = partitions.replace("]}", r#",{"DriveLetter":"G","DiskNumber":3}]}"#);
    let on = |bus: u32| {
        let disk = format!(r#",{{"DeviceId":"3","Model":"Virtual Disk","BusType":{bus},"Size":"2000000000"}}]}}"#);
        laptop_with_a_volume(&placed, &disks.replace("]}", &disk))
    };
    // FireWire, USB, iSCSI, a card, a disk that is virtual, one in a file (VHD).
    for bus in [4, 7, 9, 12, 14, 15] {
        assert_eq!(on(bus).content_hash(), without.content_hash(), "bus {bus}");
    }
    // SATA, NVMe.
    for bus in [11, 17] {
        assert_eq!((on(bus).volumes.len(), on(bus).drives.len()), (3, 3), "bus {bus}");
    }
    // A storage space is none of the physical disks.
    assert_eq!(laptop_with_a_volume(&placed, disks).volumes.len(), 3);
}

#[test]
fn where_windows_places_no_letter_fixed_volumes_count_and_its_own_does_always() {
    let none = [
        r#"{"MSFT_Partition":{"hresult":-2147217394}}"#,
        r#"{"MSFT_Partition":[]}"#,
        r#"{"MSFT_Partition":[{"DiskNumber":0}]}"#,
    ];
    for partitions in none {
        let volumes = laptop_with_a_volume(partitions, line_of("MSFT_PhysicalDisk")).volumes;
        let roles: Vec<_> = volumes.iter().filter_map(|volume| volume.role).collect();
        assert_eq!(roles, [VolumeRole::System, VolumeRole::Data, VolumeRole::Data, VolumeRole::Data], "{partitions}");
    }
    let only_others = r#"{"MSFT_Partition":[{"DriveLetter":"D","DiskNumber":1}]}"#;
    let of = |disks: &str| {
        let volumes = laptop_with_a_volume(only_others, disks).volumes;
        volumes.iter().filter_map(|volume| volume.role).collect::<Vec<_>>()
    };
    assert_eq!(of(line_of("MSFT_PhysicalDisk")), [VolumeRole::System, VolumeRole::Data]);
    assert_eq!(of(r#"{"MSFT_PhysicalDisk":[{"DeviceId":"1","BusType":15}]}"#), [VolumeRole::System]);
}

#[test]
fn drives_are_the_built_in_ones_with_what_windows_knows_of_them() {
    let Found { report, drive_names } = read(LAPTOP);
    assert_eq!(drive_names, ["pd0", "pd1"], "a person's own drive on USB is left out");
    let [nvme, hdd] = report.drives.as_slice() else { panic!("{:?}", report.drives) };
    assert_eq!((nvme.kind, hdd.kind), (Some(DriveKind::Nvme), Some(DriveKind::Hdd)));
    assert_eq!(nvme.serial_number.get().unwrap().as_str(), "S4GXNF0N123456", "the number on its label");
    assert_eq!((nvme.power_on_hours, nvme.endurance_used_percent), (Hours::new(4_210), Percent::new(12)));
    assert_eq!((nvme.self_assessment, nvme.uncorrected_errors), (None, None), "Windows' own word is not the drive's");
    assert_eq!((hdd.self_assessment, hdd.uncorrected_errors), (Some(SelfAssessment::Failed), Some(3)));
    assert_eq!((hdd.power_on_hours, hdd.temperature_celsius), (None, None), "zero means not known");
}

#[test]
fn without_the_storage_classes_the_older_ones_do() {
    let class = r#"{"MSFT_PhysicalDisk":{"hresult":-2147217394}}"#;
    let Found { report, drive_names } = laptop_with("MSFT_PhysicalDisk", Some(class));
    assert_eq!(drive_names, ["pd0", "pd1"]);
    assert_eq!(report.drives[1].capacity_bytes, Bytes::new(1_000_202_273_280));
    assert_eq!(reasons(&report.unread, Subject::Drives), [UnreadReason::NotPresent]);
}

#[test]
fn the_namespace_of_an_nvme_drive_is_no_serial_number() {
    let line = r#"{"MSFT_PhysicalDisk":[{"DeviceId":"0","SerialNumber":"0025_3852_01B2_F2F7.","BusType":17},{"DeviceId":"1","SerialNumber":"WD_1234","BusType":11}]}"#;
    let drives = laptop_with("MSFT_PhysicalDisk", Some(line)).report.drives;
    assert!(drives[0].serial_number.get().is_none());
    assert_eq!(drives[1].serial_number.get().unwrap().as_str(), "WD_1234");
}

#[test]
fn a_worn_battery_is_measured_and_a_mouse_is_none() {
    let report = read(LAPTOP).report;
    let [battery] = report.batteries.as_slice() else { panic!("{:?}", report.batteries) };
    assert_eq!(battery.design_milliwatt_hours, MilliwattHours::new(50_000));
    assert_eq!(battery.full_milliwatt_hours, MilliwattHours::new(31_250));
    assert_eq!(battery.cycle_count, Some(412));
    assert_eq!(battery.technology.as_ref().unwrap().as_str(), "LIon");
    assert!(reasons(&report.unread, Subject::Batteries).is_empty());
}

#[test]
fn a_battery_of_which_wmi_says_nothing_is_told_by_its_driver() {
    let battery = r#"{"InstanceName":"0","DesignedCapacity":50000,"FullChargedCapacity":31250,"CycleCount":412,"Capabilities":2147483649,"Chemistry":1852787020,"ManufactureName":"LGC","DeviceName":"01AV464"}"#;
    let mouse = r#"{"InstanceName":"1","DesignedCapacity":100,"FullChargedCapacity":90,"CycleCount":0,"Capabilities":1073741824,"Chemistry":0,"ManufactureName":null,"DeviceName":"Mouse"}"#;
    let expected = read(LAPTOP).report.batteries;
    for silent in ["BatteryStaticData", "BatteryFullChargedCapacity"] {
        // WBEM_E_FAILED, which is what some laptops answer.
        let failed = format!("{{\"{silent}\":{{\"hresult\":-2147217407}}}}");
        let unread = laptop_with(silent, Some(&failed)).report;
        assert_eq!(reasons(&unread.unread, Subject::Batteries)[0], UnreadReason::ToolFailed, "{silent}");
        let told = format!("{failed}\n{{\"BatteryDriver\":[{battery},{mouse}]}}");
        let report = laptop_with(silent, Some(&told)).report;
        assert_eq!(report.batteries, expected, "{silent}");
        assert!(reasons(&report.unread, Subject::Batteries).is_empty(), "{:?}", report.unread);
    }
}

#[test]
fn a_battery_that_counts_in_shares_has_no_capacity() {
    let line = r#"{"BatteryStaticData":[{"InstanceName":"ACPI\\PNP0C0A\\1_0","DesignedCapacity":100,"Capabilities":3221225472}]}"#;
    let report = laptop_with("BatteryStaticData", Some(line)).report;
    assert_eq!(report.batteries[0].full_milliwatt_hours, None);
    assert!(!reasons(&report.unread, Subject::Batteries).is_empty());
}

#[test]
fn every_class_that_fails_is_said_with_its_reason() {
    for class in CLASSES.iter().map(|class| class.name).chain([REGISTRY]) {
        // What only adds to another class's answer may be missing in silence.
        let adds = ["BatteryCycleCount", "MSFT_Partition", "MSFT_StorageReliabilityCounter", "Win32_DiskDrive"];
        let silent = adds.contains(&class) || class == "MSStorageDriver_FailurePredictStatus";
        for (hresult, reason) in
            [(0x8004_1003_u32, UnreadReason::PermissionDenied), (0x8004_1001, UnreadReason::ToolFailed)]
        {
            let line = format!(r#"{{"{class}":{{"hresult":{}}}}}"#, hresult.cast_signed());
            let unread = laptop_with(class, Some(&line)).report.unread;
            assert_eq!(unread.iter().any(|entry| entry.reason == Some(reason)), !silent, "{class}");
        }
        let late = laptop_with(class, None).report.unread;
        assert_eq!(late.iter().any(|entry| entry.reason == Some(UnreadReason::TimedOut)), !silent, "{class}");
    }
}

#[test]
fn no_answer_at_all_is_said_of_every_part() {
    let said: Vec<Subject> = read("").report.unread.iter().filter_map(|entry| entry.subject).collect();
    for subject in Subject::ALL.iter().filter(|subject| !matches!(subject, Subject::Unknown | Subject::DriveHealth)) {
        assert!(said.contains(subject), "{subject} is neither read nor said to be missing");
    }
}

#[test]
fn nonsense_is_never_a_value() {
    for value in ["null", "-1", "\"x\"", "[]", "{}", "true", "1e300", "99999999999999999999", "\"\""] {
        let lines: Vec<String> = CLASSES
            .iter()
            .map(|class| {
                let row: Vec<String> = class.properties.iter().map(|name| format!("\"{name}\":{value}")).collect();
                format!("{{\"{}\":[{{{}}}]}}", class.name, row.join(","))
            })
            .collect();
        let report = read(&lines.join("\n")).report;
        report.check().unwrap();
        assert_eq!((report.memory.total_bytes, report.uptime_hours), (None, None), "{value}");
        assert!(
            report.drives.is_empty() && report.batteries.iter().all(|b| b.full_milliwatt_hours.is_none()),
            "{value}"
        );
    }
    assert!(read("{\"Win32_BIOS\":[{\"Manufacturer\":").report.firmware.vendor.is_none(), "a line that was cut off");
}
