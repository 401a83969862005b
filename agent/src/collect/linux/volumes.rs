//! Mounted volumes of the laptop itself: role, file system, sizes, encryption. Never a path, never a label.
//!
//! What lies on a drive that can be unplugged is a person's own and is left out, unless the system runs from that drive; so
//! is what was on a drive that is gone. Plugging a stick in changes no report.
//!
//! Only file systems on block devices count, each device once. Sizes come from statvfs(3); a recorded machine has them
//! in `ROOT/cartable-recorded/statvfs`, one line per mount point: `MOUNT_POINT TOTAL_BYTES AVAILABLE_BYTES`, the mount
//! point written as in /proc/self/mountinfo.

use cartable_common::{
    Bytes, Text,
    report::{Subject, Switch, UnreadReason, Volume, VolumeRole},
};

use super::{Source, blocks};

const RECORDED: &str = "cartable-recorded/statvfs";

/// File systems that live on a drive and that a person fills. squashfs and iso9660 are always full by nature.
const FILE_SYSTEMS: [&str; 17] = [
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs", "msdos", "nilfs2",
    "ntfs", "ntfs3", "reiserfs", "vfat", "xfs",
];

/// One line of the table of mounts.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// `major:minor`; empty where the table does not tell.
    number: String,
    point: String,
    file_system: String,
    device: String,
}

/// The volumes, and the names of the whole disks that hold the system.
pub(super) fn read(source: &Source) -> (Vec<Volume>, Vec<String>) {
    let mut mounts = mounts(source);
    // The system's own mount stands for its device, whatever else is bound from it.
    mounts.sort_by_key(|mount| mount.point != "/");
    let (mut volumes, mut system_disks, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for mount in mounts {
        let name = blocks::name_of(source, &mount.number, &mount.device);
        let key = name.clone().unwrap_or_else(|| mount.device.clone());
        if seen.contains(&key) || key.starts_with("loop") || key.starts_with("ram") || key.starts_with("zram") {
            continue;
        }
        seen.push(key);
        let disks = name.as_deref().map(|name| blocks::disks(source, name)).unwrap_or_default();
        let role = if mount.point == "/" {
            system_disks.clone_from(&disks);
            VolumeRole::System
        } else if is_built_in(source, &disks, &system_disks) {
            VolumeRole::Data
        } else {
            continue;
        };
        let (total_bytes, available_bytes) = sizes(source, &mount.point).unzip();
        if total_bytes.is_none() {
            source.missing(Subject::Volumes, UnreadReason::Malformed, "size");
        }
        volumes.push(Volume {
            role: Some(role),
            file_system: Some(Text::clean(&mount.file_system)),
            total_bytes,
            available_bytes,
            encryption: encryption(source, name.as_deref()),
        });
    }
    if volumes.is_empty() {
        source.missing(Subject::Volumes, UnreadReason::NotPresent, "no file system on a drive");
    }
    (volumes, system_disks)
}

/// Whether each of these disks stays in the laptop, or is one that the system runs from. None is no answer: a stick that was
/// pulled out while it was mounted leaves its mount behind, and no disk.
fn is_built_in(source: &Source, disks: &[String], system_disks: &[String]) -> bool {
    !disks.is_empty() && disks.iter().all(|disk| system_disks.contains(disk) || !blocks::is_external(source, disk))
}

fn encryption(source: &Source, name: Option<&str>) -> Option<Switch> {
    let Some(name) = name else {
        source.missing(Subject::Encryption, UnreadReason::NotPresent, "the device below is not known");
        return None;
    };
    Some(if blocks::is_encrypted(source, name) { Switch::On } else { Switch::Off })
}

/// mountinfo tells the device's number; the older table does not.
fn mounts(source: &Source) -> Vec<Mount> {
    let (content, parse): (_, fn(&str) -> Option<Mount>) = match source.bytes("proc/self/mountinfo") {
        Ok(content) => (content, parse_mountinfo),
        Err(_) => (source.bytes("proc/mounts").unwrap_or_default(), parse_mounts),
    };
    let content = String::from_utf8_lossy(&content);
    content.lines().filter_map(parse).filter(|mount| FILE_SYSTEMS.contains(&mount.file_system.as_str())).collect()
}

/// `36 35 98:0 /in/it /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse_mountinfo(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(2);
    let number = left.next()?.to_owned();
    let point = left.nth(1)?.to_owned();
    let mut right = right.split(' ');
    Some(Mount { number, point, file_system: right.next()?.to_owned(), device: right.next()?.to_owned() })
}

/// `/dev/sda2 /point ext4 rw,relatime 0 0`
fn parse_mounts(line: &str) -> Option<Mount> {
    let mut words = line.split(' ');
    let (device, point) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Mount { number: String::new(), point, file_system: words.next()?.to_owned(), device })
}

/// Total and available bytes of the file system at `point`.
fn sizes(source: &Source, point: &str) -> Option<(Bytes, Bytes)> {
    if !source.is_live() {
        let recorded = source.bytes(RECORDED).ok()?;
        return String::from_utf8_lossy(&recorded).lines().find_map(|line| recorded_sizes(line, point));
    }
    let answer = rustix::fs::statvfs(unescaped(point)).ok()?;
    let bytes = |blocks: u64| blocks.checked_mul(answer.f_frsize).and_then(Bytes::new);
    Some((bytes(answer.f_blocks).filter(|total| total.get() > 0)?, bytes(answer.f_bavail)?))
}

fn recorded_sizes(line: &str, point: &str) -> Option<(Bytes, Bytes)> {
    let mut words = line.split_whitespace();
    let mut bytes = || words.next().map(ToOwned::to_owned);
    if bytes()? != point {
        return None;
    }
    let (total, available) = (bytes()?.parse().ok()?, bytes()?.parse().ok()?);
    Some((Bytes::new(total)?, Bytes::new(available)?))
}

/// The kernel writes blank, tab, newline and backslash as three octal digits.
fn unescaped(point: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(point.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn file(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// An encrypted system on LVM, its boot partition, a bind mount, a snap, a USB stick, another that was pulled out, a
    /// card in the laptop's own reader, a disk on USB that does not call itself removable, and data on an eMMC.
    fn laptop(root: &Path) {
        file(
            root,
            "proc/self/mountinfo",
            "\
27 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw
28 27 253:1 /home /srv rw - ext4 /dev/mapper/vg-root rw
29 27 8:1 / /boot rw shared:3 - ext4 /dev/sda1 rw
30 27 7:0 / /snap/core ro - squashfs /dev/loop0 ro
31 27 8:17 / /media/u/Cl\\303\\251\\040USB rw - vfat /dev/sdb1 rw
32 27 0:5 / /run rw - tmpfs tmpfs rw
33 27 8:49 / /media/u/gone rw - vfat /dev/sdd1 rw
34 27 179:1 / /media/u/card rw - exfat /dev/mmcblk1p1 rw
35 27 8:33 / /media/u/disk rw - ext4 /dev/sdc1 rw
36 27 179:9 / /var/data rw - ext4 /dev/mmcblk0p1 rw
",
        );
        let on_usb = root.join("sys/devices/pci0000:00/usb1/1-1/block/sdc");
        std::fs::create_dir_all(on_usb.join("sdc1")).unwrap();
        for name in ["dm-1", "sda1", "sdb1", "mmcblk0p1", "mmcblk1p1"] {
            std::fs::create_dir_all(root.join("sys/class/block").join(name)).unwrap();
        }
        for (target, name) in [(on_usb.join("sdc1"), "sdc1"), (on_usb, "sdc")] {
            std::os::unix::fs::symlink(target, root.join("sys/class/block").join(name)).unwrap();
        }
        std::fs::create_dir_all(root.join("sys/dev/block")).unwrap();
        let numbers = ["253:1", "8:1", "8:17", "179:9", "179:1", "8:33"];
        for (number, name) in numbers.iter().zip(["dm-1", "sda1", "sdb1", "mmcblk0p1", "mmcblk1p1", "sdc1"]) {
            let target = root.join("sys/class/block").join(name);
            std::os::unix::fs::symlink(target, root.join("sys/dev/block").join(number)).unwrap();
        }
        file(root, "sys/class/block/dm-1/dm/uuid", "LVM-abc");
        file(root, "sys/class/block/dm-1/slaves/dm-0/x", "");
        file(root, "sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-name");
        file(root, "sys/class/block/dm-0/slaves/sda2/x", "");
        let partitions = [("sda1", "sda"), ("sda2", "sda"), ("sdb1", "sdb"), ("sdc1", "sdc")];
        for (partition, disk) in partitions.into_iter().chain([("mmcblk0p1", "mmcblk0"), ("mmcblk1p1", "mmcblk1")]) {
            file(root, &format!("sys/class/block/{partition}/partition"), "1");
            file(root, &format!("sys/class/block/{disk}/removable"), if disk == "sdb" { "1" } else { "0" });
            file(root, &format!("sys/block/{disk}/size"), "1");
        }
        file(root, "sys/class/block/mmcblk0/device/type", "MMC");
        file(root, "sys/class/block/mmcblk1/device/type", "SD");
        file(root, RECORDED, "/ 1000000 400000\n/boot 500000 100000\n/var/data 700000 1000\n");
    }

    #[test]
    fn volumes_have_roles_and_sizes_and_never_a_path() {
        let root = tempfile::tempdir().unwrap();
        laptop(root.path());
        let source = Source::new(root.path());
        let (volumes, system_disks) = read(&source);
        let seen: Vec<_> = volumes.iter().map(|v| (v.role.unwrap(), v.encryption.unwrap(), v.total_bytes)).collect();
        assert_eq!(
            seen,
            [
                (VolumeRole::System, Switch::On, Bytes::new(1_000_000)),
                (VolumeRole::Data, Switch::Off, Bytes::new(500_000)),
                (VolumeRole::Data, Switch::Off, Bytes::new(700_000)),
            ],
            "a person's own stick, card or disk is nobody's business"
        );
        assert_eq!(system_disks, ["sda"]);
        assert!(source.into_unread().is_empty(), "nor that they are there");
        let sent = serde_json::to_string(&volumes).unwrap();
        assert!(!sent.contains('/') && !sent.contains("USB"), "{sent}");
    }

    #[test]
    fn a_system_that_runs_from_a_stick_is_told_with_its_other_volumes() {
        let root = tempfile::tempdir().unwrap();
        laptop(root.path());
        file(
            root.path(),
            "proc/self/mountinfo",
            "27 1 8:17 / / rw - ext4 /dev/sdb1 rw\n28 27 8:18 / /boot rw - vfat /dev/sdb2 rw\n29 27 8:33 / /media/u/disk rw - ext4 /dev/sdc1 rw\n",
        );
        file(root.path(), "sys/class/block/sdb2/partition", "2");
        let roles: Vec<_> = read(&Source::new(root.path())).0.iter().map(|volume| volume.role.unwrap()).collect();
        assert_eq!(roles, [VolumeRole::System, VolumeRole::Data]);
    }

    #[test]
    fn the_older_table_does_too_and_points_are_unescaped() {
        assert_eq!(parse_mounts("/dev/sda2 / ext4 rw 0 0").unwrap().file_system, "ext4");
        assert_eq!(parse_mountinfo("garbage"), None);
        assert_eq!(unescaped("/media/a\\040b"), "/media/a b");
    }
}
