//! What other tools print, as they print it, and what is none of it.

use cartable_common::{
    MilliampHours, MilliwattHours, Percent,
    report::{Chassis, DriveKind, SelfAssessment},
};
use proptest::prelude::*;

use super::*;

fn batteries(text: &str) -> Vec<Battery> {
    match read(text.as_bytes()) {
        Ok(Reading::Batteries(found)) => found,
        other => panic!("{other:?}"),
    }
}

fn drive(text: &str) -> Drive {
    match read(text.as_bytes()) {
        Ok(Reading::Drive { drive, .. }) => *drive,
        other => panic!("{other:?}"),
    }
}

fn inventory(text: &str) -> HealthReport {
    match read(text.as_bytes()) {
        Ok(Reading::Inventory(report)) => *report,
        other => panic!("{other:?}"),
    }
}

const UPOWER: &str = "\
Device: /org/freedesktop/UPower/devices/line_power_AC
  native-path:          AC
  power supply:         yes
  line-power
    online:              no

Device: /org/freedesktop/UPower/devices/battery_BAT0
  native-path:          BAT0
  vendor:               SMP
  model:                DELL 7FHHV
  power supply:         yes
  battery
    present:             yes
    energy:              21,1 Wh
    energy-full:         39,264 Wh
    energy-full-design:  62,82 Wh
    charge-cycles:       412
    percentage:          54%
    capacity:            62,5%
    technology:          lithium-ion

Device: /org/freedesktop/UPower/devices/battery_BAT1
  native-path:          BAT1
  power supply:         yes
  battery
    present:             yes
    energy-full:         20.5 Wh
    energy-full-design:  24 Wh
    charge-cycles:       N/A

Device: /org/freedesktop/UPower/devices/mouse_hidpp_battery_0
  native-path:          hidpp_battery_0
  model:                Wireless Mouse M185
  power supply:         no
  mouse
    present:             yes
    percentage:          5%

Device: /org/freedesktop/UPower/devices/headset_dev_1
  native-path:          dev_1
  power supply:         no
  battery
    energy-full:         1 Wh
    energy-full-design:  4 Wh

Device: /org/freedesktop/UPower/devices/DisplayDevice
  power supply:         yes
  battery
    present:             yes
    energy-full:         59,764 Wh

Daemon:
  daemon-version:  0.99.20
";

#[test]
fn upower_lists_a_laptops_batteries_among_others() {
    let found = batteries(UPOWER);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].full_milliwatt_hours, MilliwattHours::new(39_264));
    assert_eq!(found[0].design_milliwatt_hours, MilliwattHours::new(62_820));
    assert_eq!((found[0].cycle_count, found[1].cycle_count), (Some(412), None));
    assert_eq!(found[1].full_milliwatt_hours, MilliwattHours::new(20_500));
    let one = "  native-path:          BAT0\n  power supply:         yes\n  battery\n    capacity:            62,5%\n";
    assert_eq!(batteries(one)[0].full_milliamp_hours, MilliampHours::new(62_500), "its own share");
    let whole = batteries(&one.replace("62,5%", "100%"));
    assert_eq!(whole[0].full_milliamp_hours, None, "what it says where it knows nothing");
}

#[test]
fn several_supplies_of_the_kernel_and_the_lines_of_acpi() {
    let bat = |name: &str, full: &str| {
        format!(
            "DEVTYPE=power_supply\nPOWER_SUPPLY_NAME={name}\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_ENERGY_FULL={full}\n\
             POWER_SUPPLY_ENERGY_FULL_DESIGN=50000000\n"
        )
    };
    let text = bat("BAT0", "40000000") + &bat("BAT1", "N/A") + "POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_TYPE=Mains\n";
    let found = batteries(&text);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].full_milliwatt_hours, found[1].full_milliwatt_hours), (MilliwattHours::new(40_000), None));
    let acpi = "Battery 0: Discharging, 85%, 02:10:00 remaining\n\
                Battery 0: design capacity 4400 mAh, last full capacity 3200 mAh = 72%\nAdapter 0: off-line\n";
    let found = batteries(acpi);
    assert_eq!(
        (found[0].design_milliamp_hours, found[0].full_milliamp_hours),
        (MilliampHours::new(4_400), MilliampHours::new(3_200))
    );
}

const ATA: &str = "\
smartctl 7.2 2020-12-30 r5155 [x86_64-linux-5.10.0] (local build)
=== START OF INFORMATION SECTION ===
Device Model:     EXAMPLE 500
Serial Number:    EX12345
Firmware Version: 1.0
User Capacity:    500\u{202F}107\u{202F}862\u{202F}016 bytes [500 GB]
Rotation Rate:    5400 rpm
=== START OF READ SMART DATA SECTION ===
SMART overall-health self-assessment test result: PASSED
ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE
  5 Reallocated_Sector_Ct   0x0033   100   100   010    Pre-fail  Always       -       3
  9 Power_On_Hours          0x0032   081   081   000    Old_age   Always       -       8699h+12m+01.2s
197 Current_Pending_Sector  0x0012   100   100   ---    Old_age   Always   In_the_past 0
198 Offline_Uncorrectable   0x0010   100   100   000    Old_age   Offline      -       0

SMART Error Log Version: 1
ATA Error Count: 12 (device log contains only the most recent five errors)

SMART Self-test log structure revision number 1
Num  Test_Description    Status                  Remaining  LifeTime(hours)  LBA_of_first_error
# 1  Short offline       Completed: read failure       90%      8600         123456
# 2  Extended offline    Completed without error       00%       100         -

SMART Selective self-test log data structure revision number 1
Device Statistics (GP Log 0x04)
Page  Offset Size        Value Flags Description
0x03  0x020  4               7  ---  Number of Reallocated Logical Sectors
0x04  0x008  4               -  ---  Number of Reported Uncorrectable Errors
";

#[test]
fn smartctls_text_becomes_the_same_drive_as_its_json() {
    let drive = drive(ATA);
    assert_eq!((drive.kind, drive.self_assessment), (Some(DriveKind::Hdd), Some(SelfAssessment::Passed)));
    assert_eq!(drive.capacity_bytes.map(cartable_common::Bytes::get), Some(500_107_862_016));
    assert_eq!(drive.power_on_hours.map(cartable_common::Hours::get), Some(8_699));
    assert_eq!((drive.logged_errors, drive.failed_self_tests), (Some(12), Some(1)));
    assert_eq!((drive.grown_defects, drive.uncorrected_errors), (Some(7), None));
    let shape: Vec<(u8, Option<u8>, Option<u64>)> =
        drive.ata_attributes.iter().map(|one| (one.id, one.threshold, one.raw)).collect();
    assert_eq!(
        shape,
        [(5, Some(10), Some(3)), (9, Some(0), Some(8_699)), (197, None, Some(0)), (198, Some(0), Some(0))]
    );
}

/// `for d in /dev/sd?; do smartctl -a $d; done > all.txt` was one drive, with the fields of the first that had them: a sound
/// disk before a failing one was "healthy".
#[test]
fn several_answers_of_smartctl_in_one_text_are_several_drives() {
    let drives = |text: &str| match read(text.as_bytes()) {
        Ok(Reading::Device(reports)) => reports.into_iter().flat_map(|one| one.report.drives).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let dying = ATA.replace("EX12345", "EX99999").replace("PASSED", "FAILED!").replace("  3\n", "  900\n");
    let nvme = "smartctl 7.2 2020-12-30 r5155 [x86_64-linux-5.10.0] (local build)\n=== START OF INFORMATION SECTION ===\n\
                Model Number: SKY\nSerial Number: NV1\n=== START OF SMART DATA SECTION ===\n\
                SMART overall-health self-assessment test result: PASSED\n\
                SMART/Health Information (NVMe Log 0x02)\nCritical Warning: 0x00\n";
    let denied = "smartctl 7.2 2020-12-30 r5155 [x86_64-linux-5.10.0] (local build)\n\
                  Smartctl open device: /dev/sdc failed: Permission denied\n";
    let seen = drives(&format!("$ for d in ...\n{nvme}\n{ATA}\n{dying}{denied}"));
    let serials: Vec<String> = seen.iter().filter_map(|one| one.serial_number.get().map(ToString::to_string)).collect();
    assert_eq!(serials, ["NV1", "EX12345", "EX99999"]);
    let status: Vec<_> = seen.iter().map(|one| one.self_assessment).collect();
    assert_eq!(
        status,
        [Some(SelfAssessment::Passed), Some(SelfAssessment::Passed), Some(SelfAssessment::Failed), None]
    );
    assert_eq!((seen[0].ata_attributes.len(), seen[1].ata_attributes.len(), seen[2].ata_attributes.len()), (0, 4, 4));
    assert_eq!((seen[2].ata_attributes[0].raw, seen[3].smartctl_exit_status), (Some(900), Some(2)));
    // The program's own line was cut off.
    let cut = |text: &str| text.split_once('\n').unwrap().1.replace('\n', "\r\n");
    assert_eq!(drives(&format!("{}{}", cut(ATA), cut(&dying))).len(), 2);
    // Its name twice and one drive is one drive.
    let once = drive(&format!("smartctl 7.2 2020-12-30 r5155 [x86_64-linux-5.10.0] (local build)\n\n{ATA}"));
    assert_eq!(once, drive(ATA));
}

#[test]
fn smartctls_text_of_other_buses() {
    let nvme = "smartctl 7.1\n=== START OF SMART DATA SECTION ===\nSMART overall-health self-assessment test result: FAILED!\n\
                SMART/Health Information (NVMe Log 0x02)\nCritical Warning:                   0x04\n\
                Temperature:                        44 Celsius\nAvailable Spare:                    53%\n\
                Available Spare Threshold:          10%\nPercentage Used:                    114%\n\
                Power On Hours:                     35.814\nMedia and Data Integrity Errors:    285,002\n";
    let found = drive(nvme);
    let log = found.nvme.clone().unwrap_or_default();
    assert_eq!((found.kind, found.self_assessment), (Some(DriveKind::Nvme), Some(SelfAssessment::Failed)));
    assert_eq!((log.critical_warning, log.media_errors), (Some(4), Some(285_002)));
    assert_eq!((log.available_spare_percent, log.percentage_used_percent), (Percent::new(53), Percent::new(114)));
    assert_eq!(found.power_on_hours.map(cartable_common::Hours::get), Some(35_814));
    let sas = "smartctl 7.2\n=== START OF INFORMATION SECTION ===\nVendor: X\nProduct: ST900\nRotation Rate: 10500 rpm\n\
               SMART Health Status: OK\nElements in grown defect list: 14\nError counter log:\n\
               read:   4000  0  0  4000  4000  1234.5  2\nwrite:  0  0  0  0  0  567.8  0\n\
               Accumulated power on time, hours:minutes 23434:50\n";
    let found = drive(sas);
    assert_eq!(found.power_on_hours.map(cartable_common::Hours::get), Some(23_434));
    assert_eq!((found.grown_defects, found.uncorrected_errors), (Some(14), Some(2)));
    let closed = drive("smartctl 7.2\nSmartctl open device: /dev/sda failed: Permission denied\n");
    assert_eq!(closed.smartctl_exit_status, Some(2));
    let emmc = drive(
        "Extended CSD rev 1.8 (MMC 5.1)\neMMC Life Time Estimation A [EXT_CSD_DEVICE_LIFE_TIME_EST_TYP_A]: 0x09\n\
                      eMMC Pre EOL information [EXT_CSD_PRE_EOL_INFO]: 0x01\n",
    );
    assert_eq!(emmc.emmc.map(|emmc| (emmc.life_time_a, emmc.pre_end_of_life)), Some((Some(9), Some(1))));
    let cli = drive(r#"{"critical_warning":1,"avail_spare":4,"spare_thresh":10,"percent_used":99,"media_errors":0}"#);
    assert_eq!(cli.nvme.and_then(|log| log.critical_warning), Some(1));
}

#[test]
fn lists_of_parts_name_a_machine() {
    let dmi = "# dmidecode 3.3\nGetting SMBIOS data from sysfs.\n\nHandle 0x0000, DMI type 0, 24 bytes\nBIOS Information\n\
               \tRelease Date: 03/12/2011\n\nHandle 0x0001, DMI type 1, 27 bytes\nSystem Information\n\tManufacturer: LENOVO\n\
               \tProduct Name: 20L6\n\tSerial Number: To be filled by O.E.M.\n\nHandle 0x0002, DMI type 3, 22 bytes\n\
               Chassis Information\n\tType: Notebook\n\nHandle 0x0003, DMI type 22, 26 bytes\nPortable Battery\n\
               \tName: 45N1\n\tDesign Capacity: 47990 mWh\n";
    let report = inventory(dmi);
    assert_eq!(report.hardware.chassis, Some(Chassis::Laptop));
    assert_eq!(report.batteries[0].design_milliwatt_hours, MilliwattHours::new(47_990));
    let json = r#"[{"id":"pc-12","class":"system","description":"Notebook","product":"20L6","vendor":"LENOVO","children":[
        {"id":"core","class":"bus","children":[{"id":"disk:0","class":"disk","product":"SSD X","serial":"AB12","units":"bytes","size":256060514304}]},
        {"id":"battery","class":"power","product":"45N1","units":"mWh","capacity":47520}]}]"#;
    let report = inventory(json);
    assert_eq!(report.drives[0].capacity_bytes.map(cartable_common::Bytes::get), Some(256_060_514_304));
    assert_eq!(report.batteries[0].design_milliwatt_hours, MilliwattHours::new(47_520));
    let text = "pc-12\n    description: Ordinateur portable\n    produit : 20L6\n    fabricant : LENOVO\n  *-core\n\
                \x20      description: Carte mère\n  *-disk\n       produit: SSD X\n  *-battery\n       produit: 45N1\n       capacité: 47520mWh\n";
    let report = inventory(text);
    assert_eq!((report.drives.len(), report.batteries.len()), (1, 1));
    assert_eq!(report.hardware.chassis, Some(Chassis::Laptop));
}

#[test]
fn a_cartable_report_with_and_without_its_envelope() {
    let report = r#"{"batteries":[{"full_milliwatt_hours":40000,"design_milliwatt_hours":50000}],"later_field":1}"#;
    let envelope = format!(
        r#"{{"report_id":"0198f3a0-0000-7000-8000-000000000001","sequence":3,"measured_at":1790000000000,"report":{report}}}"#
    );
    let check_in = format!(r#"{{"agent_version":"1","sent_at":1790000000000,"reports":[{envelope}]}}"#);
    for (text, sequence) in [(report.to_owned(), 0), (envelope.clone(), 3), (check_in, 3)] {
        let Ok(Reading::Device(reports)) = read(text.as_bytes()) else { panic!("{text}") };
        assert_eq!((reports.len(), reports[0].sequence, reports[0].report.batteries.len()), (1, sequence, 1));
    }
    let invalid = report.replace("40000", "-4");
    assert!(matches!(read(invalid.as_bytes()), Err(Unreadable::InvalidReport(_))));
}

#[test]
fn encodings_of_windows_and_marks_are_read() {
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let marked = format!("\u{FEFF}{ATA}");
    let forms = [
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        utf16(ATA, u16::to_le_bytes),
        marked.clone().into_bytes(),
        ATA.replace('\n', "\r\n").into_bytes(),
    ];
    for form in forms {
        let Ok(Reading::Drive { drive, .. }) = read(&form) else { panic!("{:?}", read(&form)) };
        assert_eq!(drive.ata_attributes.len(), 4);
    }
}

#[test]
fn what_is_no_reading_is_said_to_be_none() {
    let why = |bytes: &[u8]| read(bytes).map_err(|why| why.code()).err();
    assert_eq!(why(b""), Some("file_empty"));
    assert_eq!(why(b" \n\0\0"), Some("file_empty"));
    assert_eq!(why(&[0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 3, 0]), Some("file_binary"));
    assert_eq!(why(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some("file_binary"));
    assert_eq!(why(b"a shopping list: milk"), Some("format_unknown"));
    assert_eq!(why(br#"{"smartctl": {"exit_"#), Some("json_broken"));
    assert_eq!(why("[".repeat(100_000).as_bytes()), Some("json_broken"), "as deep as one likes");
    let long = |values: usize| format!("[{}0]", "0,".repeat(values - 1));
    assert_eq!(why(long(400_000).as_bytes()), Some("format_unknown"));
    assert_eq!(why(long(400_001).as_bytes()), Some("json_broken"), "as long as one likes");
    assert_eq!(why(br#"{"colour": "red"}"#), Some("format_unknown"));
    assert_eq!(why(b"[1, 2]"), Some("format_unknown"));
    assert_eq!(why(&vec![b' '; MOST_BYTES + 1]), Some("file_too_large"));
}

#[test]
fn numbers_as_people_write_them() {
    let found = ["39,264 Wh", "47.52", "50", "1\u{202F}234,5 Wh", "-3", "N/A", "", "9999999999999"].map(thousandths);
    assert_eq!(found, [Some(39_264), Some(47_520), Some(50_000), Some(1_234_500), None, None, None, None]);
    assert_eq!(
        ["250,554,755 [128 TB]", "250 554 755", "53%", "0x04", "-"].map(grouped),
        [Some(250_554_755), Some(250_554_755), Some(53), Some(0), None]
    );
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
    }

    #[test]
    fn readings_cut_and_mixed_anywhere_never_break_the_reader(
        cut in 0_usize..2_000, from in 0_usize..2_000, odd in ".{0,12}",
    ) {
        for text in [UPOWER, ATA] {
            let head: String = text.chars().take(cut).collect();
            let tail: String = text.chars().skip(from).collect();
            let _ = read(format!("{head}{odd}{tail}").as_bytes());
        }
    }
}
