//! How block devices stand on each other: partitions on disks, dm-crypt and LVM on partitions.

use super::Source;

/// The kernel's name of the device that holds a file system, by its number or else by its path under /dev.
pub(super) fn name_of(source: &Source, number: &str, device: &str) -> Option<String> {
    // Number 0:x is what btrfs and overlays show: their device is only known by its path.
    if let Ok(path) = source.resolve(&format!("sys/dev/block/{number}")) {
        return Some(path.file_name()?.to_string_lossy().into_owned());
    }
    let last = device.strip_prefix("/dev/")?.rsplit('/').next()?;
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

/// Whether a disk can be unplugged: then it is a pupil's own, not the laptop's.
pub(super) fn is_external(source: &Source, disk: &str) -> bool {
    let word = |file: &str| source.word(&format!("sys/class/block/{disk}/{file}"));
    match word("device/type").as_deref() {
        // An eMMC is soldered, whatever its driver says of it. A card is a card, in the laptop's own reader too.
        Some("MMC") => return false,
        Some("SD" | "SDcombo") => return true,
        _ => {}
    }
    let on_usb =
        source.resolve(&format!("sys/class/block/{disk}")).is_ok_and(|path| path.to_string_lossy().contains("/usb"));
    word("removable").as_deref() == Some("1") || on_usb
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
