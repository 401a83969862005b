//! This very computer, through the real agent, mutual TLS, the real server, its API and its console: what they say
//! equals what lsblk, free, df and /sys say.

#![cfg(target_os = "linux")]

use std::{collections::BTreeSet, fs, process::Command};

use cartable_common::{Text, report::HealthReport};
use cartable_tests::harness::Cartable;
use serde_json::Value;

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the firmware says, or its absence.
fn dmi(name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/sys/class/dmi/id/{name}")).ok()?;
    Text::meaningful(&text).map(|text| text.as_str().to_owned())
}

fn memory_by_free() -> u64 {
    let table = output("free", &["-b"]);
    let line = table.lines().find(|line| line.starts_with("Mem:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sizes of built-in disks that hold something.
fn disks_by_lsblk() -> Vec<u64> {
    let told: Value = serde_json::from_str(&output("lsblk", &["--json", "-b", "-d", "-o", "NAME,SIZE,TYPE"])).unwrap();
    let disks = told["blockdevices"].as_array().unwrap().iter().filter(|disk| {
        let name = disk["name"].as_str().unwrap();
        disk["type"] == "disk" && !["zram", "ram", "nbd", "mtd"].iter().any(|prefix| name.starts_with(prefix))
    });
    let mut sizes: Vec<u64> = disks.map(|disk| disk["size"].as_u64().unwrap()).filter(|&size| size > 0).collect();
    sizes.sort_unstable();
    sizes
}

/// Type, size and free space of what is mounted from a device.
fn file_systems_by_df() -> Vec<(String, u64, u64)> {
    let table = output("df", &["-B1", "--output=source,fstype,size,avail"]);
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[0].starts_with("/dev/"))
        .map(|row| (row[1].to_owned(), row[2].parse().unwrap(), row[3].parse().unwrap()))
        .collect()
}

/// The report as the API gives it.
fn reported(device: &Value) -> HealthReport {
    serde_json::from_value(device["health"]["report"].clone()).unwrap_or_else(|error| panic!("{error}: {device}"))
}

fn assert_equals_this_computer(report: &HealthReport) {
    let text = |value: &Option<Text>| value.as_ref().map(|text| text.as_str().to_owned());
    assert_eq!(text(&report.hardware.manufacturer), dmi("sys_vendor"));
    assert_eq!(text(&report.hardware.model), dmi("product_name"));
    assert_eq!(report.hardware.serial_number.get().map(ToString::to_string), dmi("product_serial"));
    assert_eq!(report.memory.total_bytes.map(cartable_common::Bytes::get), Some(memory_by_free()));

    let mut drives: Vec<u64> = report.drives.iter().filter_map(|drive| Some(drive.capacity_bytes?.get())).collect();
    drives.sort_unstable();
    assert_eq!(drives, disks_by_lsblk());

    let mounted = file_systems_by_df();
    let known: BTreeSet<_> = mounted.iter().map(|(kind, size, _)| (kind.clone(), *size)).collect();
    let told: BTreeSet<_> = report
        .volumes
        .iter()
        .map(|volume| (text(&volume.file_system).unwrap(), volume.total_bytes.unwrap().get()))
        .collect();
    assert_eq!(told, known);
    for (_, size, available) in mounted {
        let volume = report.volumes.iter().find(|volume| volume.total_bytes.unwrap().get() == size).unwrap();
        // Other tests write to the same disk meanwhile.
        assert!(volume.available_bytes.unwrap().get().abs_diff(available) < size / 20, "{volume:?}, df: {available}");
    }
    assert!(report.volumes.iter().any(|volume| volume.role == Some(cartable_common::report::VolumeRole::System)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_console_says_of_this_computer_equals_what_its_own_tools_say() {
    let cartable = Cartable::start().unwrap();
    let agent = cartable.enrolled_agent("agent").unwrap();
    agent.once().unwrap();
    let id = agent.device_id().unwrap();

    let device = cartable.api().unwrap().get(&format!("/api/v1/devices/{id}")).await.unwrap();
    assert_equals_this_computer(&reported(&device));

    let page = cartable.visitor().await.unwrap().get(&format!("/devices/{id}")).await.unwrap();
    assert!(page.status.is_success(), "{}", page.html);
    let shown = text_of(&page.html);
    for (kind, size, _) in file_systems_by_df() {
        assert!(shown.contains(&kind), "{kind} is not on the page");
        assert!(shows_exactly(&page.html, size), "{size} bytes of {kind} are not on the page:\n{shown}");
    }
    assert!(shows_exactly(&page.html, memory_by_free()), "the memory is not on the page:\n{shown}");
    for word in ["sys_vendor", "product_name", "product_serial"].into_iter().filter_map(dmi) {
        assert!(shown.contains(&word), "{word} is not on the page");
    }
}

/// The text of a page, white space joined; non-breaking spaces become plain ones.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            '\u{a0}' | '\u{202f}' => text.push(' '),
            other if !in_tag => text.push(other),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a figure stands on the page, beside its form for people.
fn shows_exactly(html: &str, value: u64) -> bool {
    html.contains(&format!("<data value=\"{value}\">"))
}
