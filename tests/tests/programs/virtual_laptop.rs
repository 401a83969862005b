//! A whole laptop against the real server: what its firmware, its battery, its drives and its clock say arrives as they say
//! it, and neither a full SSD nor a pulled plug costs a report.
//!
//! `tests/run` boots the first of these, `tests/run --virtual-laptops` all of them; a plain `cargo test` skips them, since
//! they download QEMU and a kernel (100 MB) and emulate a processor. What the machine is made of: tests/virtual-laptop.

#![cfg(target_os = "linux")]

use std::time::Duration;

use cartable_server::clock;
use cartable_tests::{
    harness::{Cartable, stored},
    virtual_laptop::{CHECKED_IN, VirtualLaptop},
};
use serde_json::{Value, json};

/// Which of the model's laptops it is, where `boot` is told nothing else.
const SERIAL: &str = "PF2VIRT1";

/// Another laptop of the model.
const OTHER_SERIAL: &str = "PF2VIRT2";
/// How it is booted.
const OTHER: [&str; 4] = ["--serial", OTHER_SERIAL, "--uuid", "4c4c4544-0035-3810-8051-b4c04f473333"];

/// What the agent says once it has another key in place of the one that is on another machine too.
const KEY_OF_ITS_OWN: &str = "this computer has a key of its own now";

/// An invited laptop and the server that invites it.
fn school() -> (Cartable, VirtualLaptop) {
    school_saying("")
}

/// The same, with further lines in the invitation.
fn school_saying(further: &str) -> (Cartable, VirtualLaptop) {
    let cartable = Cartable::start().unwrap();
    let token = cartable.token(2).unwrap();
    let laptop = VirtualLaptop::invited(&cartable, &token, further).unwrap();
    (cartable, laptop)
}

/// Boots it until it has checked in, then pulls the plug; gives what its console said.
fn contact(laptop: &VirtualLaptop, options: &[&str]) -> String {
    let mut running = laptop.boot(options).unwrap();
    running.until(CHECKED_IN).unwrap();
    let said = running.said();
    running.pull_the_plug();
    said
}

/// Boots the other laptop until its agent says `words`, then pulls its plug: it waits for a person.
fn asks_in_vain(laptop: &VirtualLaptop, words: &str) {
    let mut running = laptop.boot(&OTHER).unwrap();
    running.until(words).unwrap();
    assert!(!running.said().contains(CHECKED_IN), "it spoke under a key that is not its own: {}", running.said());
    running.pull_the_plug();
}

/// A contact of the other laptop two hours later by its clock: who waits for a person asks again within the hour, also after
/// a restart.
fn contact_later(laptop: &VirtualLaptop) -> String {
    let later = jiff::Timestamp::from_millisecond(clock::now().plus_millis(2 * 3_600_000).get()).unwrap();
    let later = jiff::tz::TimeZone::UTC.to_datetime(later).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    contact(laptop, &[&OTHER[..], &["--clock", later.as_str()][..]].concat())
}

/// A person lets in the one machine that waits.
fn let_in(cartable: &Cartable) {
    let waiting = cartable.installation.run("device waiting", &[], "").unwrap();
    let ids: Vec<&str> = waiting.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(ids.len(), 1, "{waiting}");
    cartable.installation.run("device approve", &ids, "").unwrap();
}

/// Whether the server has no device with this serial number.
async fn is_unknown(cartable: &Cartable, serial: &str) -> bool {
    let found = cartable.api().unwrap().get(&format!("/api/v1/devices?search={serial}")).await.unwrap();
    found["items"].as_array().is_some_and(Vec::is_empty)
}

/// Both laptops are devices of their own, and neither's history holds what the other measured.
async fn are_two_devices(cartable: &Cartable) {
    let (one, other) = (device(cartable, SERIAL).await, device(cartable, OTHER_SERIAL).await);
    assert_ne!(one["id"], other["id"]);
    for (device, serial) in [(&one, SERIAL), (&other, OTHER_SERIAL)] {
        assert_eq!(device["status"], "active", "{device}");
        assert_eq!(device["health"]["report"]["hardware"]["serial_number"], serial, "{device}");
    }
}

/// What keeps the device's key, as its agent says.
fn key_protection(device: &Value) -> &Value {
    &device["health"]["report"]["firmware"]["key_protection"]
}

/// The device with this serial number, as the API gives it.
async fn device(cartable: &Cartable, serial: &str) -> Value {
    let api = cartable.api().unwrap();
    let found = api.get(&format!("/api/v1/devices?search={serial}")).await.unwrap();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    let id = found["items"][0]["id"].as_str().unwrap();
    api.get(&format!("/api/v1/devices/{id}")).await.unwrap()
}

/// Whether a flag with this code is open.
fn is_flagged(device: &Value, code: &str) -> bool {
    device["flags"].as_array().unwrap().iter().any(|flag| flag["code"] == code)
}

/// The report says that it has no `subject`, and why.
fn is_said_to_be_missing(report: &Value, subject: &str) -> bool {
    let unread = report["unread"].as_array().unwrap();
    unread.iter().any(|entry| entry["subject"] == subject && entry["reason"] == "not_present")
}

fn assert_firmware_is_told(device: &Value) {
    assert_eq!(device["manufacturer"], "LENOVO", "{device}");
    assert_eq!(device["model"], "ThinkPad L480 20LSCTO1WW");
    assert_eq!(device["chassis"], "laptop");
    assert_eq!(device["system_uuid"], "4c4c4544-0035-3810-8051-b4c04f473332");
    let firmware = &device["health"]["report"]["firmware"];
    assert_eq!(firmware["vendor"], "LENOVO", "{firmware}");
    assert_eq!(firmware["version"], "R0YET49W (1.32)");
    assert_eq!(firmware["secure_boot"], "off", "UEFI's own variable says so");
    assert_eq!(firmware["tpm_version"], 2);
}

fn assert_battery_is_told(device: &Value) {
    let batteries = device["health"]["report"]["batteries"].as_array().unwrap();
    assert_eq!(batteries.len(), 1, "{batteries:?}");
    let (design, full) = (&batteries[0]["design_milliwatt_hours"], &batteries[0]["full_milliwatt_hours"]);
    assert_eq!((design.as_u64(), full.as_u64()), (Some(50_000), Some(31_250)), "62.5 %");
    assert_eq!(batteries[0]["cycle_count"], 412);
    assert_eq!(batteries[0]["manufacturer"], "SMP");
    assert_eq!(device["health"]["battery_verdict"], "worn");
    assert!(is_flagged(device, "battery_worn"), "{device}");
}

fn assert_drives_are_told(device: &Value) {
    let drives = device["health"]["report"]["drives"].as_array().unwrap();
    let told = |serial: &str| drives.iter().position(|drive| drive["serial_number"] == serial).unwrap();
    let (nvme, ssd) = (told("NV256CARTABLE"), told("S3Z8NB0K"));
    assert_eq!(drives.len(), 2, "{drives:?}");
    for (place, kind, model) in [(nvme, "nvme", "QEMU NVMe Ctrl"), (ssd, "ssd", "CARTABLE SSD 256M")] {
        let drive = &drives[place];
        assert_eq!((drive["kind"].as_str(), drive["model"].as_str()), (Some(kind), Some(model)));
        assert_eq!(drive["self_assessment"], "passed", "{drive}");
    }
    assert_eq!(drives[nvme]["nvme"]["critical_warning"], 0);
    assert!(drives[ssd]["ata_attributes"].as_array().is_some_and(|list| list.len() > 3), "{drives:?}");
    let verdicts = &device["health"]["drives"];
    assert_eq!(verdicts[nvme]["verdict"], "healthy", "{verdicts}");
    // QEMU's SATA drive tells neither its wear nor its uncorrectable errors: missing evidence is never healthy.
    assert_eq!(verdicts[ssd]["verdict"], "unknown", "{verdicts}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run"]
async fn what_the_firmware_says_is_what_the_console_shows() {
    let (cartable, laptop) = school();
    let said = contact(&laptop, &[]);
    assert!(said.contains("the invitation was accepted and is removed"), "{said}");
    let device = device(&cartable, SERIAL).await;
    assert_eq!(device["status"], "active");
    assert_firmware_is_told(&device);
    assert_battery_is_told(&device);
    assert_drives_are_told(&device);
    let skew = device["contact"]["clock_skew_milliseconds"].as_i64().unwrap();
    assert!(skew.abs() < 120_000, "an emulated clock is no wrong one: {skew} ms");

    let id = device["id"].as_str().unwrap();
    let page = cartable.visitor().await.unwrap().get(&format!("/devices/{id}")).await.unwrap().html;
    for words in [SERIAL, "LENOVO ThinkPad L480 20LSCTO1WW", "QEMU NVMe Ctrl", "CARTABLE SSD 256M", "TPM 2"] {
        assert!(page.contains(words), "“{words}” is not on the page");
    }
    assert!(page.contains("<dt>Cycles de charge</dt><dd>412</dd>"), "the battery's cycles are not on the page");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_laptop_without_a_battery_says_so() {
    let (cartable, laptop) = school();
    contact(&laptop, &["--no-battery"]);
    let device = device(&cartable, SERIAL).await;
    let report = &device["health"]["report"];
    assert!(report["batteries"].as_array().is_none_or(Vec::is_empty), "{report}");
    assert!(is_said_to_be_missing(report, "batteries"), "{report}");
    assert_eq!(device["health"]["battery_verdict"], "unknown", "no reading is never healthy");
    assert!(!is_flagged(&device, "battery_worn"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_battery_at_its_end_is_judged_so() {
    let (cartable, laptop) = school();
    let worn = VirtualLaptop::part("battery-worn.aml").unwrap();
    contact(&laptop, &["--battery", &worn]);
    let device = device(&cartable, SERIAL).await;
    let battery = &device["health"]["report"]["batteries"][0];
    assert_eq!(battery["full_milliwatt_hours"], 20_000, "of 50,000");
    assert_eq!(battery["cycle_count"], 1137);
    assert_eq!(device["health"]["battery_verdict"], "failing", "{device}");
    assert!(is_flagged(&device, "battery_worn"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_drive_that_was_taken_out_is_missed() {
    let (cartable, laptop) = school();
    contact(&laptop, &[]);
    assert!(!is_flagged(&device(&cartable, SERIAL).await, "drive_changed"));
    contact(&laptop, &["--no-nvme"]);
    let device = device(&cartable, SERIAL).await;
    assert_eq!(device["contact"]["check_ins"], 2);
    assert_eq!(device["health"]["report"]["drives"].as_array().map(Vec::len), Some(1), "{device}");
    let flags = device["flags"].as_array().unwrap();
    let missed = |flag: &Value| flag["code"] == "drive_changed" && flag["subject"] == "NV256CARTABLE";
    assert!(flags.iter().any(missed), "{flags:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_clock_in_2017_is_recorded_and_not_believed() {
    let (cartable, laptop) = school();
    let said = contact(&laptop, &["--clock", "2017-03-01T08:00:00"]);
    assert!(said.contains("2017-03-01T08:"), "the laptop believes its clock: {said}");
    let device = device(&cartable, SERIAL).await;
    let years = device["contact"]["clock_skew_milliseconds"].as_i64().unwrap() / (365 * 86_400_000);
    assert!(years <= -9, "behind by {years} years");
    assert!(is_flagged(&device, "clock_wrong"), "{device}");
    assert!(device["health"]["measured_at"].as_str().unwrap().starts_with("2017-03-01"), "by its own clock");
    let by_the_server = [&device["contact"]["last_at"], &device["health"]["received_at"], &device["daily"][0]["date"]];
    for moment in by_the_server {
        assert!(!moment.as_str().unwrap().starts_with("2017"), "{device}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_full_ssd_silences_nobody() {
    let (cartable, laptop) = school();
    contact(&laptop, &[]);
    let said = contact(&laptop, &["--kernel", "laptop.fill"]);
    assert!(said.contains("laptop: full"), "{said}");
    let device = device(&cartable, SERIAL).await;
    assert_eq!(device["contact"]["check_ins"], 2);
    let volume = &device["health"]["report"]["volumes"][0];
    assert!(volume["available_bytes"].as_u64().unwrap() < 1_000_000, "the full SSD itself is reported: {volume}");
    assert!(is_flagged(&device, "disk_nearly_full"), "{device}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_master_image_booted_in_two_laptops_makes_two_devices() {
    let (cartable, laptop) = school();
    let clone = laptop.cloned().unwrap();
    contact(&laptop, &[]);
    contact(&clone, &OTHER);
    let (one, other) = (device(&cartable, SERIAL).await, device(&cartable, OTHER_SERIAL).await);
    assert_ne!(one["id"], other["id"]);
    for device in [&one, &other] {
        assert_eq!(device["status"], "active", "{device}");
        assert_eq!(device["contact"]["check_ins"], 1, "no history is mixed");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn an_image_that_was_cloned_with_its_key_is_found_out_and_each_heals() {
    let (cartable, laptop) = school_saying("key = software\n");
    contact(&laptop, &[]);
    let clone = laptop.cloned().unwrap();
    asks_in_vain(&clone, "the key of this computer is another machine's; see: cartable-agent status");
    assert!(is_unknown(&cartable, OTHER_SERIAL).await, "nobody let it in");
    let original = device(&cartable, SERIAL).await;
    assert_eq!(key_protection(&original), "software");
    assert!(is_flagged(&original, "identity_cloned"), "{original}");
    let url = cartable.installation.database_url();
    assert_eq!(stored::count(&url, "enrolment WHERE status = 'quarantined'").await.unwrap(), 1, "its key is set aside");

    // Nobody helps the original.
    let said = contact(&laptop, &[]);
    assert!(said.contains(KEY_OF_ITS_OWN), "{said}");
    let healed = device(&cartable, SERIAL).await;
    assert_eq!((&healed["id"], &healed["status"]), (&original["id"], &json!("active")), "{healed}");

    let_in(&cartable);
    let said = contact_later(&clone);
    assert!(said.contains(KEY_OF_ITS_OWN), "{said}");
    are_two_devices(&cartable).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn an_image_that_was_cloned_without_the_tpm_of_its_key_has_lost_it_and_asks_to_join_anew() {
    let (cartable, laptop) = school();
    contact(&laptop, &[]);
    assert_eq!(key_protection(&device(&cartable, SERIAL).await), "tpm");
    let clone = laptop.cloned().unwrap();
    asks_in_vain(&clone, "no contact; reports wait in the spool kind=KeyLost");
    assert!(is_unknown(&cartable, OTHER_SERIAL).await, "nobody let it in");

    // The key never left the original's TPM: nothing happened to it.
    let said = contact(&laptop, &[]);
    assert!(!said.contains(KEY_OF_ITS_OWN), "{said}");
    let original = device(&cartable, SERIAL).await;
    assert!(original["contact"]["check_ins"] == 2 && !is_flagged(&original, "identity_cloned"), "{original}");

    let_in(&cartable);
    let said = contact_later(&clone);
    assert!(said.contains("this computer came back with another key"), "{said}");
    are_two_devices(&cartable).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs QEMU and a kernel: tests/run --virtual-laptops"]
async fn a_plug_pulled_while_a_report_is_written_tears_nothing() {
    let (cartable, laptop) = school();
    let url = cartable.installation.database_url();
    // Without the NVMe drive the machine is another one: there is a report to write whatever the first cut left.
    let cuts: [(&[&str], u64); 2] = [(&[], 0), (&["--no-nvme"], 100)];
    for (options, moment) in cuts {
        let slow = ["--slow-writes", "6", "--kernel", "laptop.watch"];
        let mut running = laptop.boot(&[options, &slow[..]].concat()).unwrap();
        running.until("laptop: writing").unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        running.pull_the_plug();
    }
    assert!(stored::reports(&url).await.unwrap().is_empty(), "nothing was sent before the plug was pulled");

    let said = contact(&laptop, &[]);
    assert!(said.contains("spooled=0"), "all that was spooled has arrived: {said}");
    assert!(!said.contains("damaged"), "a torn report was found: {said}");
    let device = device(&cartable, SERIAL).await;
    assert_eq!(device["status"], "active", "the key survived both cuts: {device}");
    assert_eq!(device["health"]["report"]["drives"].as_array().map(Vec::len), Some(2), "the newest report counts");
    let reports = stored::reports(&url).await.unwrap();
    assert!((1..=3).contains(&reports.len()) && reports.values().all(|&times| times == 1), "{reports:?}");
    let left = laptop.spool().unwrap();
    assert!(!left.iter().any(|name| name.ends_with(".damaged")), "{left:?}");
}
