//! Which of the mounted volumes in an inventory are the machine's own, and what is kept of them.
//!
//! What lies on a drive that can be unplugged, on another machine or in a file is a person's own and is left out, as far as the
//! inventory says where it lies: it never tells what a mapped device stands on, nor on which drive a letter of Windows is.

use cartable_common::{
    Bytes, Text, limits,
    report::{Switch, Volume, VolumeRole},
};

use super::{
    Entry, Sections,
    facts::{MEBIBYTE, is_foreign, mebibytes, whole},
    glpi::is_yes,
};

/// The volumes, the system's first: a list that is too long loses others.
pub(super) fn of(sections: &Sections) -> Vec<Volume> {
    let foreign = sections.of("STORAGES").filter(|entry| is_foreign(entry)).filter_map(|entry| entry.get("NAME"));
    let foreign: Vec<&str> = foreign.map(|name| name.trim_start_matches("/dev/")).collect();
    let mut volumes: Vec<Volume> = sections.of("DRIVES").filter_map(|entry| volume(entry, &foreign)).collect();
    volumes.sort_by_key(|volume| volume.role != Some(VolumeRole::System));
    volumes.truncate(limits::MAX_VOLUMES);
    volumes
}

/// Neither what lies on another machine, nor what is full by nature, nor what lies on one of the `foreign` drives, on anything
/// else that can be unplugged, or in a file, which is a person's own, unless it is the system; and never the mount point itself.
fn volume(entry: &Entry, foreign: &[&str]) -> Option<Volume> {
    const IMAGES: [&str; 6] = ["squashfs", "iso9660", "udf", "cdfs", "overlay", "erofs"];
    let word = |field: &str| entry.get(field).map(String::as_str);
    let place = word("TYPE").unwrap_or_default();
    let device = word("VOLUMN").unwrap_or_default();
    let file_system = word("FILESYSTEM").unwrap_or_default();
    let folded = place.to_lowercase();
    let is_elsewhere = if place.starts_with('/') {
        !device.starts_with("/dev/")
    } else {
        ["network", "réseau", "cd-rom", "compact disc", "ram disk"].iter().any(|kind| folded.contains(kind))
    };
    if is_elsewhere || IMAGES.iter().any(|image| image.eq_ignore_ascii_case(file_system)) {
        return None;
    }
    let is_system = place == "/" || word("SYSTEMDRIVE").is_some_and(is_yes);
    let is_a_persons = ["/media/", "/run/media/", "/mnt/", "/volumes/"].iter().any(|below| folded.starts_with(below))
        || ["removable", "amovible"].iter().any(|kind| folded.contains(kind))
        || foreign.iter().any(|disk| is_on(device, disk))
        || is_held(device);
    if is_a_persons && !is_system {
        return None;
    }
    let role = if is_system { VolumeRole::System } else { VolumeRole::Data };
    let total = word("TOTAL").and_then(whole).filter(|total| *total > 0);
    // A full volume has zero left; a size of zero says nothing.
    let free = word("FREE").and_then(whole).filter(|free| total.is_some_and(|total| *free <= total));
    Some(Volume {
        role: Some(role),
        file_system: Text::meaningful(file_system),
        total_bytes: total.and_then(mebibytes),
        available_bytes: free.and_then(|free| Bytes::new(free.checked_mul(MEBIBYTE)?)),
        encryption: word("ENCRYPT_STATUS").and_then(encryption),
    })
}

/// Whether `/dev/sda1`, `/dev/mmcblk0p1` or `/dev/disk2s1` is a part, or all, of the disk of that name.
fn is_on(device: &str, disk: &str) -> bool {
    let part = device.strip_prefix("/dev/").filter(|_| !disk.is_empty()).and_then(|name| name.strip_prefix(disk));
    part.is_some_and(|part| part.trim_start_matches(['p', 's']).chars().all(|c| c.is_ascii_digit()))
}

/// Whether Linux' name of a device says that a file, memory or a network holds it: `/dev/loop3`, `/dev/nbd0p1`. VeraCrypt's
/// containers have names of their own; what else is mapped may be the machine's.
fn is_held(device: &str) -> bool {
    const HOLDERS: [&str; 8] = ["drbd", "loop", "mapper/truecrypt", "mapper/veracrypt", "nbd", "ram", "rbd", "zram"];
    let Some(name) = device.strip_prefix("/dev/") else { return false };
    HOLDERS
        .iter()
        .any(|holder| name.strip_prefix(holder).is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit())))
}

/// "Partially" is neither.
fn encryption(status: &str) -> Option<Switch> {
    match status.to_ascii_lowercase().as_str() {
        "yes" => Some(Switch::On),
        "no" => Some(Switch::Off),
        _ => None,
    }
}
