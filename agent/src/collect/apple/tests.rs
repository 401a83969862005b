//! Answers become a report.
//!
//! All are invented, in the forms that Apple's programs give: no Mac was at hand.

use cartable_common::{
    Bytes, Hours, MilliampHours,
    report::{Chassis, DriveKind, OsFamily, SelfAssessment, Switch, Unread, VolumeRole},
};

use super::*;

const PROFILE: &str = r#"{
  "SPHardwareDataType": [{
    "_name": "hardware_overview", "boot_rom_version": "10151.1.1", "chip_type": "Apple M1",
    "machine_model": "MacBookAir10,1", "machine_name": "MacBook Air", "number_processors": "proc 8:4:4",
    "physical_memory": "8 GB", "platform_UUID": "6F1A2B3C-4D5E-5F60-8A9B-0C1D2E3F4A5B",
    "provisioning_UDID": "00008103-0011223344556677", "serial_number": "FVFXX0TEST01"
  }],
  "SPiBridgeDataType": [{"_name": "ibridge_info", "ibridge_secure_boot": "Full Security", "ibridge_sb_sip": "Enabled"}],
  "SPNVMeDataType": [{
    "_items": [{
      "_name": "APPLE SSD AP0256Q", "bsd_name": "disk0", "detachable_drive": "no", "device_model": "APPLE SSD AP0256Q",
      "device_revision": "1161.80.", "device_serial": "0ba0test00000001", "removable_media": "no", "size": "251 GB",
      "size_in_bytes": 251000193024, "smart_status": "Verified",
      "volumes": [{"_name": "Disque de Camille", "bsd_name": "disk0s2", "size_in_bytes": 245107195904}]
    }, {
      "_name": "Portable", "bsd_name": "disk4", "detachable_drive": "yes", "device_model": "Portable",
      "size_in_bytes": 1000204886016, "smart_status": "Verified"
    }],
    "_name": "Apple SSD Controller"
  }],
  "SPSerialATADataType": [{
    "_items": [{
      "_name": "HITACHI HTS545032B9SA02", "bsd_name": "disk1", "device_model": "HITACHI HTS545032B9SA02",
      "device_serial": "SN-TEST-2", "size_in_bytes": 320072933376, "smart_status": "Failing",
      "spsata_medium_type": "Rotational"
    }, {"_name": "HL-DT-ST DVDRW  GS41N", "device_model": "HL-DT-ST DVDRW  GS41N"}],
    "_name": "Intel 7 Series Chipset"
  }]
}"#;

const KERNEL: &str = "machdep.cpu.brand_string: Apple M1\nhw.physicalcpu: 8\nhw.logicalcpu: 8\nhw.memsize: 8589934592\n\
                      kern.boottime: { sec = 1700000000, usec = 123456 } Tue Nov 14 23:13:20 2023\n\
                      hw.optional.arm64: 1\n";

const SYSTEM: &str = "ProductName:\t\tmacOS\nProductVersion:\t\t14.5\nBuildVersion:\t\t23F79\n";

const VOLUME: &str = "<plist version=\"1.0\"><dict>\
                      <key>APFSContainerFree</key><integer>98000000000</integer>\
                      <key>APFSContainerSize</key><integer>245107195904</integer>\
                      <key>FilesystemType</key><string>apfs</string><key>FreeSpace</key><integer>0</integer>\
                      <key>MountPoint</key><string>/</string>\
                      <key>TotalSize</key><integer>245107195904</integer>\
                      <key>VolumeName</key><string>Disque de Camille</string></dict></plist>";

const BATTERY: &str = "<plist version=\"1.0\"><array><dict>\
                       <key>AppleRawMaxCapacity</key><integer>3012</integer>\
                       <key>BatteryInstalled</key><true/><key>CycleCount</key><integer>412</integer>\
                       <key>DesignCapacity</key><integer>4382</integer><key>DeviceName</key><string>bq20z451</string>\
                       <key>MaxCapacity</key><integer>100</integer><key>Serial</key><string>F8Y0TEST</string>\
                       </dict></array></plist>";

/// The moment of the start and three days, an hour and a bit.
const NOW: i64 = (1_700_000_000 + 73 * 3_600 + 5) * 1_000;

fn laptop(question: &Question) -> &'static str {
    match question.name() {
        "system_profiler" => PROFILE,
        "sysctl" => KERNEL,
        "sw_vers" => SYSTEM,
        "diskutil" => VOLUME,
        "fdesetup" => "FileVault is On.\n",
        "ioreg" => BATTERY,
        other => panic!("{other} is asked and has no answer here"),
    }
}

/// What is read of a machine whose programs answer so.
fn read(answer: impl Fn(&Question) -> Result<Vec<u8>, (UnreadReason, String)>) -> Found {
    let mut answers = Answers::default();
    for question in QUESTIONS {
        answers.keep(question, answer(question));
    }
    found(&answers, UtcMillis::new(NOW).unwrap())
}

/// The laptop, with another answer of one program.
fn laptop_with(name: &str, answer: &str) -> Found {
    read(|question| {
        let own = if question.name() == name { answer } else { laptop(question) };
        Ok(own.as_bytes().to_vec())
    })
}

fn reasons(unread: &[Unread], subject: Subject) -> Vec<UnreadReason> {
    unread.iter().filter(|entry| entry.subject == Some(subject)).filter_map(|entry| entry.reason).collect()
}

#[test]
fn a_laptop_tells_what_it_is() {
    let report = laptop_with("", "").report;
    let hardware = &report.hardware;
    assert_eq!(hardware.manufacturer.as_ref().unwrap().as_str(), "Apple Inc.");
    assert_eq!(hardware.model.as_ref().unwrap().as_str(), "MacBook Air MacBookAir10,1");
    assert_eq!(hardware.chassis, Some(Chassis::Laptop));
    assert_eq!(hardware.serial_number.get().unwrap().as_str(), "FVFXX0TEST01");
    assert!(hardware.system_uuid.get().is_some());
    let processor = &report.processor;
    assert_eq!(processor.model.as_ref().unwrap().as_str(), "Apple M1");
    assert_eq!((processor.cores, processor.threads), (Some(8), Some(8)));
    assert_eq!(report.memory.total_bytes, Bytes::new(8_589_934_592));
    let firmware = &report.firmware;
    assert_eq!(firmware.version.as_ref().unwrap().as_str(), "10151.1.1");
    assert_eq!((firmware.secure_boot, firmware.tpm_version), (Some(Switch::On), None));
    let system = &report.operating_system;
    assert_eq!((system.family, system.name.as_ref().unwrap().as_str()), (Some(OsFamily::MacOs), "macos"));
    assert_eq!(system.version.as_ref().unwrap().as_str(), "14.5");
    assert_eq!(system.build.as_ref().unwrap().as_str(), "23F79");
    assert_eq!(system.architecture.as_ref().unwrap().as_str(), "aarch64");
    assert_eq!(report.uptime_hours, Hours::new(73));
    let said: Vec<Subject> = report.unread.iter().filter_map(|entry| entry.subject).collect();
    assert_eq!(said, [Subject::Tpm, Subject::Temperatures]);
    report.check().unwrap();
}

#[test]
fn no_name_of_a_volume_and_no_other_number_is_sent() {
    let sent = serde_json::to_string(&laptop_with("", "").report).unwrap();
    for never in ["Camille", "disk0", "F8Y0TEST", "00008103", "Portable", "/"] {
        assert!(!sent.contains(never), "{never}: {sent}");
    }
    for question in QUESTIONS {
        assert!(question.program.starts_with("/usr/"), "{}: others could put one before it", question.program);
        assert!(!question.arguments.contains(&"SPSoftwareDataType"), "it tells the user's name");
    }
}

#[test]
fn drives_are_the_built_in_ones() {
    let Found { report, drive_names } = laptop_with("", "");
    assert_eq!(drive_names, ["disk0", "disk1"]);
    let [nvme, hdd] = report.drives.as_slice() else { panic!("{:?}", report.drives) };
    assert_eq!((nvme.kind, hdd.kind), (Some(DriveKind::Nvme), Some(DriveKind::Hdd)));
    assert_eq!(nvme.serial_number.get().unwrap().as_str(), "0ba0test00000001");
    assert_eq!(nvme.capacity_bytes, Bytes::new(251_000_193_024));
    assert_eq!(
        (nvme.self_assessment, hdd.self_assessment),
        (Some(SelfAssessment::Passed), Some(SelfAssessment::Failed))
    );
    let unknown = PROFILE.replace("Verified", "Not Supported");
    assert_eq!(laptop_with("system_profiler", &unknown).report.drives[0].self_assessment, None);
}

#[test]
fn a_battery_is_counted_in_charge_wherever_the_system_has_it() {
    let report = laptop_with("", "").report;
    let [battery] = report.batteries.as_slice() else { panic!("{:?}", report.batteries) };
    assert_eq!(battery.design_milliamp_hours, MilliampHours::new(4_382));
    assert_eq!((battery.full_milliamp_hours, battery.cycle_count), (MilliampHours::new(3_012), Some(412)));
    // Older systems know one name, others have all one object deeper; a percentage is no charge.
    let battery = |list: &str| laptop_with("ioreg", list).report;
    let older = battery(&BATTERY.replace("<integer>100<", "<integer>2900<").replace("AppleRawMaxCapacity", "Other"));
    assert_eq!(older.batteries[0].full_milliamp_hours, MilliampHours::new(2_900));
    let start = "<array><dict><key>BatteryData</key>";
    let deeper = battery(&BATTERY.replace("<array>", start).replace("</dict></array>", "</dict></dict></array>"));
    assert_eq!(deeper.batteries[0].full_milliamp_hours, MilliampHours::new(3_012));
    let percent = battery(&BATTERY.replace("AppleRawMaxCapacity", "Other"));
    assert_eq!(percent.batteries[0].full_milliamp_hours, None);
    assert_eq!(reasons(&percent.unread, Subject::Batteries), [UnreadReason::NotPresent]);
    for none in ["", &BATTERY.replace("<true/>", "<false/>")] {
        let report = battery(none);
        assert!(report.batteries.is_empty());
        assert_eq!(reasons(&report.unread, Subject::Batteries), [UnreadReason::NotPresent], "a desktop");
    }
}

#[test]
fn the_volume_is_the_systems_with_the_space_of_its_container() {
    let report = laptop_with("", "").report;
    let [volume] = report.volumes.as_slice() else { panic!("{:?}", report.volumes) };
    assert_eq!((volume.role, volume.total_bytes), (Some(VolumeRole::System), Bytes::new(245_107_195_904)));
    assert_eq!(volume.available_bytes, Bytes::new(98_000_000_000));
    assert_eq!(volume.file_system.as_ref().unwrap().as_str(), "apfs");
    let older = VOLUME.replace("APFSContainer", "Other").replace("<integer>0<", "<integer>7000<");
    assert_eq!(laptop_with("diskutil", &older).report.volumes[0].available_bytes, Bytes::new(7_000));
}

#[test]
fn a_disk_image_and_what_else_is_mounted_change_no_report() {
    let asked = QUESTIONS.iter().find(|question| question.name() == "diskutil").unwrap();
    assert_eq!(asked.arguments, ["info", "-plist", "/"], "the system's volume alone");
    let image = r#"{"SPStorageDataType": [{
        "_name": "Camille", "bsd_name": "disk5s1", "mount_point": "/Volumes/Camille", "size_in_bytes": 104857600,
        "physical_drive": {"device_name": "Disk Image", "protocol": "Disk Image"}
    }],"#;
    let with = laptop_with("system_profiler", &PROFILE.replacen('{', image, 1)).report;
    assert_eq!(with.content_hash(), laptop_with("", "").report.content_hash());
}

#[test]
fn filevault_is_on_only_when_it_is_done() {
    let said = |words| {
        let report = laptop_with("fdesetup", words).report;
        (report.volumes[0].encryption, reasons(&report.unread, Subject::Encryption).len())
    };
    assert_eq!(said("FileVault is On.\n"), (Some(Switch::On), 0));
    assert_eq!(said("FileVault is Off.\n"), (Some(Switch::Off), 0));
    assert_eq!(said("FileVault is Off, but will be enabled after the next restart.\n"), (Some(Switch::Off), 0));
    assert_eq!(said("FileVault is On.\nEncryption in progress: Percent completed = 12\n"), (None, 1));
    assert_eq!(said("FileVault is On, but needs to be restarted to finish.\n"), (None, 1));
    assert_eq!(said("Error\n"), (None, 1));
}

#[test]
fn secure_boot_is_told_in_words_that_are_known_or_not_at_all() {
    let said = |words: &str| {
        let report = laptop_with("system_profiler", &PROFILE.replace("Full Security", words)).report;
        (report.firmware.secure_boot, reasons(&report.unread, Subject::SecureBoot))
    };
    assert_eq!(said("Reduced Security").0, Some(Switch::On));
    assert_eq!(said("Permissive Security").0, Some(Switch::Off));
    assert_eq!(said("Sécurité d'une autre langue"), (None, vec![UnreadReason::Malformed]));
    let older = PROFILE.replace("ibridge_secure_boot", "other");
    let report = laptop_with("system_profiler", &older).report;
    assert_eq!(reasons(&report.unread, Subject::SecureBoot), [UnreadReason::NotPresent], "no such chip");
}

#[test]
fn an_intel_mac_a_desktop_and_a_guest_are_told_apart() {
    let intel =
        KERNEL.replace("Apple M1", "Intel(R) Core(TM) i5-8210Y CPU @ 1.60GHz").replace("hw.optional.arm64: 1\n", "");
    let report = laptop_with("sysctl", &intel).report;
    assert_eq!(report.operating_system.architecture.unwrap().as_str(), "x86_64");
    let machine = |name: &str, model: &str| {
        let profile = PROFILE.replace("\"MacBook Air\"", name).replace("MacBookAir10,1", model);
        laptop_with("system_profiler", &profile).report.hardware
    };
    assert_eq!(machine("\"Mac mini\"", "Macmini9,1").chassis, Some(Chassis::Desktop));
    assert_eq!(machine("\"iMac\"", "iMac21,1").chassis, Some(Chassis::Desktop));
    let guest = machine("\"Mac\"", "VMware7,1");
    assert_eq!((guest.chassis, guest.manufacturer), (Some(Chassis::Virtual), None));
    assert_eq!(machine("\"Apple Virtual Machine 1\"", "VirtualMac2,1").chassis, Some(Chassis::Virtual));
    assert_eq!(machine("null", "Mac14,2").chassis, None);
}

#[test]
fn every_program_that_fails_is_said_with_its_reason() {
    for silent in QUESTIONS.iter().map(Question::name) {
        let unread = read(|question| {
            if question.name() == silent {
                return Err((UnreadReason::TimedOut, format!("{silent} did not answer in time")));
            }
            Ok(laptop(question).as_bytes().to_vec())
        })
        .report
        .unread;
        assert!(unread.iter().any(|entry| entry.reason == Some(UnreadReason::TimedOut)), "{silent}: {unread:?}");
    }
}

#[test]
fn no_answer_at_all_is_said_of_every_part() {
    let report = read(|_| Err((UnreadReason::ToolMissing, "it is not installed".to_owned()))).report;
    let said: Vec<Subject> = report.unread.iter().filter_map(|entry| entry.subject).collect();
    for subject in Subject::ALL.iter().filter(|subject| !matches!(subject, Subject::Unknown | Subject::DriveHealth)) {
        assert!(said.contains(subject), "{subject} is neither read nor said to be missing");
    }
    assert!(report.volumes.is_empty() && report.drives.is_empty() && report.batteries.is_empty());
}

#[test]
fn nonsense_is_never_a_value() {
    for nonsense in ["", "x", "[]", "{}", "null", "<plist><dict>", "{\"SPHardwareDataType\":[[]]}", "\u{0}"] {
        let report = read(|_| Ok(nonsense.as_bytes().to_vec())).report;
        report.check().unwrap();
        assert_eq!((report.memory.total_bytes, report.uptime_hours), (None, None), "{nonsense}");
        assert_eq!((&report.hardware.model, &report.operating_system.version), (&None, &None), "{nonsense}");
        assert!(report.volumes.is_empty() && report.drives.is_empty() && report.batteries.is_empty(), "{nonsense}");
    }
    for moment in ["{ sec = 99999999999999999999 }", "{ sec = -1, usec = 0 }", "{ sec = 1700999999, usec = 0 }", "sec"]
    {
        let kernel = KERNEL.replace("{ sec = 1700000000, usec = 123456 }", moment);
        assert_eq!(laptop_with("sysctl", &kernel).report.uptime_hours, None, "{moment}");
    }
}
