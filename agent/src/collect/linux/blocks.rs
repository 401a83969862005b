//! How block devices stand on each other: partitions on disks, dm-crypt and LVM on partitions; and which disks are drives in
//! the laptop.

use std::path::{Path, PathBuf};

use super::Source;

/// Devices that are no drive: memory, files, optical, network, and what stands on other devices.
const NO_DRIVES: [&str; 14] =
    ["bcache", "dm-", "drbd", "fd", "loop", "md", "mtdblock", "nbd", "ram", "rbd", "sr", "ublkb", "zd", "zram"];

/// Where the kernel keeps what hangs on no bus.
const VIRTUAL: &str = "sys/devices/virtual";

/// But here are drives of NVMe that could have several ports, whichever bus they hang on.
const SUBSYSTEMS: &str = "sys/devices/virtual/nvme-subsystem";

/// What leads out of the laptop, each with a number behind it: FireWire, iSCSI, USB.
const OUTSIDE: [&str; 3] = ["fw", "session", "usb"];

/// The kernel's name of the device that holds a file system, by its number or else by its path under /dev.
pub(super) fn name_of(source: &Source, number: &str, device: &str) -> Option<String> {
    // Number 0:x is what btrfs and overlays show: their device is only known by its path.
    if !number.is_empty()
        && let Ok(path) = source.resolve(&format!("sys/dev/block/{number}"))
    {
        return Some(path.file_name()?.to_string_lossy().into_owned());
    }
    let last = device.strip_prefix("/dev/")?.rsplit('/').next().filter(|last| !last.is_empty())?;
    if source.exists(&format!("sys/class/block/{last}")) {
        return Some(last.to_owned());
    }
    let mapped = |name: &String| source.word(&format!("sys/class/block/{name}/dm/name")).as_deref() == Some(last);
    source.names("sys/class/block").into_iter().find(mapped)
}

/// The device itself and all that it stands on, down to whole disks.
pub(super) fn chain(source: &Source, name: &str) -> Vec<String> {
    let mut chain = vec![name.to_owned()];
    let mut next = 0;
    while let Some(current) = chain.get(next).cloned() {
        for below in below(source, &current) {
            if !chain.contains(&below) {
                chain.push(below);
            }
        }
        next += 1;
    }
    chain
}

/// The whole disks below `name`.
pub(super) fn disks(source: &Source, name: &str) -> Vec<String> {
    chain(source, name).into_iter().filter(|name| below(source, name).is_empty()).collect()
}

/// Whether one of the layers is dm-crypt (LUKS, plain, BitLocker).
pub(super) fn is_encrypted(source: &Source, name: &str) -> bool {
    let uuid = |name: &String| source.word(&format!("sys/class/block/{name}/dm/uuid"));
    chain(source, name).iter().filter_map(uuid).any(|uuid| uuid.starts_with("CRYPT-"))
}

/// Whether a whole disk is a drive that is there, and not what a file, memory or a network holds.
pub(super) fn is_drive(source: &Source, disk: &str) -> bool {
    if NO_DRIVES.iter().any(|prefix| disk.starts_with(prefix)) {
        return false;
    }
    let places = places(source, disk);
    let is_virtual = |place: &PathBuf| place.starts_with(VIRTUAL) && !place.starts_with(SUBSYSTEMS);
    !places.is_empty() && !places.iter().any(is_virtual)
}

/// Whether a disk can be unplugged, or is elsewhere on a network: then it is a pupil's own, not the laptop's.
pub(super) fn is_external(source: &Source, disk: &str) -> bool {
    let word = |file: &str| source.word(&format!("sys/class/block/{disk}/{file}"));
    match word("device/type").as_deref() {
        // An eMMC is soldered, whatever its driver says of it. A card is a card, in the laptop's own reader too.
        Some("MMC") => return false,
        Some("SD" | "SDcombo") => return true,
        _ => {}
    }
    word("removable").as_deref() == Some("1") || places(source, disk).iter().any(|place| is_outside(source, place))
}

/// Whether the place is behind a bus that leads out of the laptop, or in a device of which the kernel says that it can be
/// removed: what hangs on Thunderbolt is on PCI like the drive inside.
fn is_outside(source: &Source, place: &Path) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leads_out = |part: &str| OUTSIDE.iter().any(|bus| part.strip_prefix(bus).is_some_and(is_number));
    let said = |above: &Path| source.word(&above.join("removable").to_string_lossy());
    place.iter().any(|part| leads_out(&part.to_string_lossy()))
        || place.ancestors().any(|above| said(above).as_deref() == Some("removable"))
}

/// Where a disk hangs in the machine; nowhere if it is gone. A drive of NVMe that could have several ports has a folder apart,
/// with links to them.
fn places(source: &Source, disk: &str) -> Vec<PathBuf> {
    let folders = ["sys/class/block", "sys/block"];
    let Some(own) = folders.iter().find_map(|folder| source.place(&format!("{folder}/{disk}"))) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    if let Some(subsystem) = own.parent().filter(|above| above.starts_with(SUBSYSTEMS)) {
        let names = source.names(&subsystem.to_string_lossy());
        let ports = names.iter().filter(|name| name.starts_with("nvme"));
        places.extend(ports.filter_map(|name| source.place(&subsystem.join(name).to_string_lossy())));
    }
    places.push(own);
    places
}

fn below(source: &Source, name: &str) -> Vec<String> {
    let folder = format!("sys/class/block/{name}");
    if source.exists(&format!("{folder}/partition")) {
        return disk_of_partition(source, name).into_iter().collect();
    }
    source.names(&format!("{folder}/slaves"))
}

/// In /sys a partition lies in its disk's folder; a recording without links only has the names to go by.
fn disk_of_partition(source: &Source, name: &str) -> Option<String> {
    let path = source.resolve(&format!("sys/class/block/{name}")).ok()?;
    let parent = path.parent()?.file_name()?.to_string_lossy().into_owned();
    if source.exists(&format!("sys/block/{parent}")) {
        return Some(parent);
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = if stem.ends_with(|c: char| c.is_ascii_digit()) {
        stem
    } else {
        stem.strip_suffix('p').filter(|stem| stem.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(stem)
    };
    (stem != name).then(|| stem.to_owned())
}
