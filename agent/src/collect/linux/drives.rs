//! The built-in drives as the kernel knows them. Their own health is asked of smartctl, except eMMC's, which is here.
//!
//! A drive that can be unplugged is a person's own and is left out, unless the system runs from it.

use cartable_common::{
    Bytes, SerialNumber, Text,
    report::{Drive, DriveKind, EmmcHealth, Subject, UnreadReason},
};

use super::{Source, blocks};

/// The kernel counts in sectors of 512 bytes, whatever the drive does.
const SECTOR_BYTES: u64 = 512;

/// The drives and their names in the system, in the same order.
pub(super) fn read(source: &Source, system_disks: &[String]) -> (Vec<Drive>, Vec<String>) {
    let mut names = source.names("sys/block");
    names.retain(|name| is_drive(source, name, system_disks));
    let drives: Vec<Drive> = names.iter().map(|name| drive(source, name)).collect();
    if drives.is_empty() {
        source.missing(Subject::Drives, UnreadReason::NotPresent, "");
    }
    (drives, names)
}

fn is_drive(source: &Source, name: &str, system_disks: &[String]) -> bool {
    let is_emmc_area = name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb"));
    !is_emmc_area
        && blocks::is_drive(source, name)
        && source.number::<u64>(&format!("sys/block/{name}/size")).is_some_and(|sectors| sectors > 0)
        && (system_disks.iter().any(|disk| disk == name) || !blocks::is_external(source, name))
}

fn drive(source: &Source, name: &str) -> Drive {
    let word = |file: &str| source.word(&format!("sys/block/{name}/{file}"));
    let text = |file: &str| word(file).as_deref().and_then(Text::meaningful);
    let is_emmc = name.starts_with("mmcblk");
    let sectors = source.number::<u64>(&format!("sys/block/{name}/size"));
    Drive {
        model: if is_emmc { text("device/name") } else { text("device/model") },
        serial_number: serial(source, name).into(),
        firmware: text("device/firmware_rev").or_else(|| text("device/fwrev")).or_else(|| text("device/rev")),
        kind: kind(name, word("queue/rotational").as_deref()),
        capacity_bytes: sectors.and_then(|sectors| Bytes::new(sectors.checked_mul(SECTOR_BYTES)?)),
        emmc: if is_emmc {
            emmc(word("device/life_time").as_deref(), word("device/pre_eol_info").as_deref())
        } else {
            None
        },
        ..Drive::default()
    }
}

/// NVMe and eMMC have a file; SCSI and SATA a page (80h) with four bytes in front; virtio its own place.
fn serial(source: &Source, name: &str) -> Option<SerialNumber> {
    let word = |file: &str| source.word(&format!("sys/block/{name}/{file}"));
    let page = || {
        let page = source.bytes(&format!("sys/block/{name}/device/vpd_pg80")).ok()?;
        Some(String::from_utf8_lossy(page.get(4..)?).into_owned())
    };
    word("device/serial").or_else(page).or_else(|| word("serial")).as_deref().and_then(SerialNumber::parse)
}

/// Virtual drives claim to rotate; their kind is not known.
fn kind(name: &str, rotational: Option<&str>) -> Option<DriveKind> {
    if name.starts_with("nvme") {
        return Some(DriveKind::Nvme);
    }
    if name.starts_with("mmcblk") {
        return Some(DriveKind::Emmc);
    }
    if name.starts_with("vd") || name.starts_with("xvd") {
        return None;
    }
    match rotational {
        Some("1") => Some(DriveKind::Hdd),
        Some("0") => Some(DriveKind::Ssd),
        _ => None,
    }
}

/// `0x01 0x02` and `0x01`; zero means that the drive does not tell.
fn emmc(life_time: Option<&str>, pre_eol: Option<&str>) -> Option<EmmcHealth> {
    let byte = |word: &str| u8::from_str_radix(word.trim_start_matches("0x"), 16).ok().filter(|value| *value > 0);
    let mut life_times = life_time.unwrap_or_default().split_whitespace().map(byte);
    let health = EmmcHealth {
        life_time_a: life_times.next().flatten(),
        life_time_b: life_times.next().flatten(),
        pre_end_of_life: pre_eol.and_then(byte),
    };
    (health != EmmcHealth::default()).then_some(health)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (Vec<Drive>, Vec<String>) {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join("sys/block").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        // In /sys both folders show the same devices.
        std::fs::create_dir_all(root.path().join("sys/class")).unwrap();
        std::os::unix::fs::symlink("../block", root.path().join("sys/class/block")).unwrap();
        read(&Source::new(root.path()), &["sdc".to_owned()])
    }

    #[test]
    fn only_built_in_drives_are_listed() {
        let (drives, names) = machine(&[
            ("loop0/size", "100"),
            ("zram0/size", "100"),
            ("dm-0/size", "100"),
            ("sr0/size", "100"),
            ("sda/size", "500118192"),
            ("sda/queue/rotational", "0"),
            ("sda/device/model", "Example SSD"),
            ("sda/device/vpd_pg80", "\0\u{0}\0\u{8}S1234567"),
            ("sdb/size", "100"),
            ("sdb/removable", "1"),
            ("sdc/size", "100"),
            ("sdc/removable", "1"),
            ("sdd/size", "0"),
            ("mmcblk0/size", "61079552"),
            ("mmcblk0/removable", "1"),
            ("mmcblk0/device/name", "DF4032"),
            ("mmcblk0/device/type", "MMC"),
            ("mmcblk0/device/life_time", "0x01 0x0b"),
            ("mmcblk0/device/pre_eol_info", "0x00"),
            ("mmcblk0boot0/size", "8192"),
            ("mmcblk1/size", "100"),
            ("mmcblk1/device/type", "SD"),
            ("vda/size", "2048"),
            ("vda/queue/rotational", "1"),
        ]);
        assert_eq!(names, ["mmcblk0", "sda", "sdc", "vda"]);
        let emmc = drives[0].emmc.as_ref().unwrap();
        assert_eq!((emmc.life_time_a, emmc.life_time_b, emmc.pre_end_of_life), (Some(1), Some(11), None));
        assert_eq!(drives[1].serial_number.get().unwrap().as_str(), "S1234567");
        assert_eq!((drives[1].kind, drives[1].capacity_bytes), (Some(DriveKind::Ssd), Bytes::new(256_060_514_304)));
        assert_eq!(drives[3].kind, None);
    }
}
