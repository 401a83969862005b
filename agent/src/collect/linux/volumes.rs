//! Mounted volumes of the laptop itself: role, file system, sizes, encryption. Never a path, never a label.
//!
//! A volume is the laptop's if all drives below it are, through dm-crypt, LVM and md. What lies on a drive that can be
//! unplugged, in a file (an encrypted container), in memory or beyond a network is a person's own and is left out, unless the
//! system runs from it; so is what was on a drive that is gone. Plugging a stick in or opening a container changes no report.
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
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let disks = name.as_deref().map(|name| blocks::disks(source, name)).unwrap_or_default();
        let role = if mount.point == "/" {
            system_disks.clone_from(&disks);
            VolumeRole::System
        } else if is_own(source, &disks, &system_disks) {
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
            encryption: encryption(source, name.as_deref(), &disks),
        });
    }
    if volumes.is_empty() {
        source.missing(Subject::Volumes, UnreadReason::NotPresent, "no file system on a drive");
    }
    (volumes, system_disks)
}

/// Whether each of these disks stays in the laptop, or is one that the system runs from. None is no answer: a stick that was
/// pulled out while it was mounted leaves its mount behind, and no disk.
fn is_own(source: &Source, disks: &[String], system_disks: &[String]) -> bool {
    let is_built_in = |disk: &str| blocks::is_drive(source, disk) && !blocks::is_external(source, disk);
    !disks.is_empty() && disks.iter().all(|disk| system_disks.contains(disk) || is_built_in(disk))
}

/// Off only where the drives below are seen: what holds the file or the network's device may be encrypted itself.
fn encryption(source: &Source, name: Option<&str>, disks: &[String]) -> Option<Switch> {
    if name.is_some_and(|name| blocks::is_encrypted(source, name)) {
        return Some(Switch::On);
    }
    if disks.is_empty() || !disks.iter().all(|disk| blocks::is_drive(source, disk)) {
        source.missing(Subject::Encryption, UnreadReason::NotPresent, "the device below is not known");
        return None;
    }
    Some(Switch::Off)
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
    use std::{os::unix::fs::symlink, path::Path};

    fn file(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// An encrypted system on LVM, its boot partition, a bind mount, a snap, a USB stick, another that was pulled out, a
    /// card in the laptop's own reader, a disk on USB that does not call itself removable, data on an eMMC, and a folder that
    /// a program encrypts.
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
37 27 0:60 / /home/u/own rw - fuse.gocryptfs gocryptfs rw
",
        );
        let on_usb = root.join("sys/devices/pci0000:00/usb1/1-1/block/sdc");
        std::fs::create_dir_all(on_usb.join("sdc1")).unwrap();
        for name in ["dm-1", "sda1", "sdb1", "mmcblk0p1", "mmcblk1p1"] {
            std::fs::create_dir_all(root.join("sys/class/block").join(name)).unwrap();
        }
        for (target, name) in [(on_usb.join("sdc1"), "sdc1"), (on_usb, "sdc")] {
            symlink(target, root.join("sys/class/block").join(name)).unwrap();
        }
        std::fs::create_dir_all(root.join("sys/dev/block")).unwrap();
        let numbers = ["253:1", "8:1", "8:17", "179:9", "179:1", "8:33"];
        for (number, name) in numbers.iter().zip(["dm-1", "sda1", "sdb1", "mmcblk0p1", "mmcblk1p1", "sdc1"]) {
            let target = root.join("sys/class/block").join(name);
            symlink(target, root.join("sys/dev/block").join(number)).unwrap();
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

    const SATA: &str = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda";
    const DATA: [VolumeRole; 2] = [VolumeRole::System, VolumeRole::Data];

    /// A device at its place below /sys/devices, linked by name and number as the kernel links them.
    fn device(root: &Path, place: &str, number: &str) {
        let folder = root.join("sys/devices").join(place);
        let (all, disks, numbers) = (root.join("sys/class/block"), root.join("sys/block"), root.join("sys/dev/block"));
        for folder in [&folder, &all, &disks, &numbers] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let name = folder.file_name().unwrap();
        if disks.join(folder.parent().unwrap().file_name().unwrap()).exists() {
            std::fs::write(folder.join("partition"), "1").unwrap();
        } else {
            symlink(&folder, disks.join(name)).unwrap();
        }
        symlink(&folder, all.join(name)).unwrap();
        symlink(&folder, numbers.join(number)).unwrap();
    }

    /// A laptop with one drive of two parts, its system on the second, and these devices, of which that with `number` is
    /// mounted. `below` says what stands on what: `dm-4/slaves/loop3`.
    fn laptop_with(devices: &[(&str, &str)], below: &[&str], number: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (part, number) in [("", "8:0"), ("/sda1", "8:1"), ("/sda2", "8:2")] {
            device(root, &format!("{SATA}{part}"), number);
        }
        for (place, number) in devices {
            device(root, place, number);
        }
        for slave in below {
            std::fs::create_dir_all(root.join("sys/class/block").join(slave)).unwrap();
        }
        let mounts =
            format!("27 1 8:2 / / rw - ext4 /dev/sda2 rw\n28 27 {number} / /home/u/own rw - ext4 /dev/mapper/own rw\n");
        file(root, "proc/self/mountinfo", &mounts);
        file(root, RECORDED, "/ 1000000 400000\n/home/u/own 500000 100000\n");
        folder
    }

    fn roles(root: &tempfile::TempDir) -> Vec<VolumeRole> {
        read(&Source::new(root.path())).0.iter().map(|volume| volume.role.unwrap()).collect()
    }

    fn assert_left_out(devices: &[(&str, &str)], below: &[&str], number: &str) {
        let root = laptop_with(devices, below, number);
        assert_eq!(roles(&root), [VolumeRole::System], "{devices:?} {below:?}");
        let source = Source::new(root.path());
        read(&source);
        assert!(source.into_unread().is_empty(), "{devices:?}: nor is it said that it is there");
    }

    #[test]
    fn what_a_file_memory_or_a_network_holds_is_not_the_laptops_whatever_stands_on_it() {
        let (mapped, container, network) =
            (("virtual/block/dm-4", "253:4"), ("virtual/block/loop3", "7:3"), ("virtual/block/nbd0", "43:0"));
        // VeraCrypt, cryptsetup, a home of systemd's.
        assert_left_out(&[mapped, container], &["dm-4/slaves/loop3"], "253:4");
        assert_left_out(&[container], &[], "7:3");
        assert_left_out(&[container, ("virtual/block/loop3/loop3p1", "259:3")], &[], "259:3");
        // LVM, half of it in a file.
        assert_left_out(&[mapped, container], &["dm-4/slaves/sda1", "dm-4/slaves/loop3"], "253:4");
        assert_left_out(&[("virtual/block/md7", "9:7"), container], &["md7/slaves/loop3"], "9:7");
        assert_left_out(&[("virtual/block/zram0", "252:0")], &[], "252:0");
        assert_left_out(&[network], &[], "43:0");
        assert_left_out(&[mapped, network], &["dm-4/slaves/nbd0"], "253:4");
        assert_left_out(&[("rbd/0/block/rbd0", "251:0")], &[], "251:0");
        // A kind that no list here names.
        assert_left_out(&[("virtual/block/other0", "250:0")], &[], "250:0");
        assert_left_out(&[("platform/host2/session1/target2:0:0/2:0:0:0/block/sdb", "8:16")], &[], "8:16");
        assert_left_out(&[("virtual/nvme-fabrics/ctl/nvme1/nvme1n1", "259:1")], &[], "259:1");
        // On a stick, and on one that was pulled out.
        assert_left_out(&[mapped, ("pci0000:00/usb1/1-1/block/sdb", "8:16")], &["dm-4/slaves/sdb"], "253:4");
        assert_left_out(&[mapped], &["dm-4/slaves/sdz1"], "253:4");
    }

    #[test]
    fn what_stands_on_the_laptops_own_drives_is_its_own() {
        let mapped = ("virtual/block/dm-4", "253:4");
        let on_lvm =
            laptop_with(&[mapped, ("virtual/block/dm-3", "253:3")], &["dm-4/slaves/dm-3", "dm-3/slaves/sda1"], "253:4");
        assert_eq!(roles(&on_lvm), DATA);
        for (place, slave) in
            [("virtual/block/md7", "md7/slaves/sda1"), ("virtual/block/bcache0", "bcache0/slaves/sda1")]
        {
            assert_eq!(roles(&laptop_with(&[(place, "9:7")], &[slave], "9:7")), DATA, "{place}");
        }
    }

    #[test]
    fn a_drive_of_nvme_is_judged_by_where_it_hangs() {
        let inside = "pci0000:00/0000:00:1d.0/0000:03:00.0";
        let place = format!("{inside}/nvme/nvme0/nvme0n1");
        let alone = laptop_with(&[(place.as_str(), "259:0")], &[], "259:0");
        // As such a drive is shown that could have several ports.
        let apart = laptop_with(&[("virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:0")], &[], "259:0");
        let devices = apart.path().join("sys/devices");
        std::fs::create_dir_all(devices.join(inside).join("nvme/nvme0")).unwrap();
        let port = devices.join("virtual/nvme-subsystem/nvme-subsys0/nvme0");
        symlink(devices.join(inside).join("nvme/nvme0"), &port).unwrap();
        for root in [&alone, &apart] {
            // A built-in controller is said to be fixed, or nothing.
            assert_eq!(roles(root), DATA);
            file(root.path(), &format!("sys/devices/{inside}/removable"), "fixed\n");
            assert_eq!(roles(root), DATA);
            file(root.path(), &format!("sys/devices/{inside}/removable"), "removable\n");
            assert_eq!(roles(root), [VolumeRole::System], "on Thunderbolt");
        }
        std::fs::remove_file(&port).unwrap();
        std::fs::create_dir_all(devices.join("virtual/nvme-fabrics/ctl/nvme0")).unwrap();
        symlink(devices.join("virtual/nvme-fabrics/ctl/nvme0"), &port).unwrap();
        assert_eq!(roles(&apart), [VolumeRole::System], "over a network");
    }

    #[test]
    fn a_system_that_runs_from_a_file_is_told_and_what_lies_in_another_is_not() {
        let root = laptop_with(&[("virtual/block/loop0", "7:0"), ("virtual/block/loop1", "7:1")], &[], "7:1");
        let mounts = "27 1 7:0 / / rw - ext4 /dev/loop0 rw\n28 27 7:1 / /home/u/own rw - ext4 /dev/loop1 rw\n";
        file(root.path(), "proc/self/mountinfo", mounts);
        let source = Source::new(root.path());
        let (volumes, _) = read(&source);
        let [system] = volumes.as_slice() else { panic!("{volumes:?}") };
        assert_eq!(
            (system.role, system.encryption),
            (Some(VolumeRole::System), None),
            "the file's own disk may be encrypted"
        );
        let unread = source.into_unread();
        assert_eq!(unread.iter().filter_map(|entry| entry.subject).collect::<Vec<_>>(), [Subject::Encryption]);
    }

    #[test]
    fn the_older_table_names_devices_without_numbers() {
        let root = laptop_with(&[("virtual/block/loop3", "7:3")], &[], "7:3");
        std::fs::remove_file(root.path().join("proc/self/mountinfo")).unwrap();
        file(
            root.path(),
            "proc/mounts",
            "/dev/sda2 / ext4 rw 0 0\n/dev/sda1 /boot ext4 rw 0 0\n/dev/loop3 /own ext4 rw 0 0\n",
        );
        assert_eq!(roles(&root), DATA);
    }

    #[test]
    fn the_older_table_does_too_and_points_are_unescaped() {
        assert_eq!(parse_mounts("/dev/sda2 / ext4 rw 0 0").unwrap().file_system, "ext4");
        assert_eq!(parse_mountinfo("garbage"), None);
        assert_eq!(unescaped("/media/a\\040b"), "/media/a b");
    }
}
