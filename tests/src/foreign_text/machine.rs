//! What the agent reads of the machine below it: files of Linux, programs of macOS, the system's bus, a TPM.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fs,
    io::{self, Read, Write},
    os::unix::fs::symlink,
    path::Path,
    rc::Rc,
};

use cartable_agent::{
    collect::{Drives, Sources, collect, of_apple},
    fairness::Power,
    surroundings::power,
    system_bus::{MOST_BYTES, converse},
    tpm::TpmKey,
};
use cartable_common::{
    UtcMillis,
    report::{HealthReport, VolumeRole},
};
use futures_util::FutureExt as _;

use super::is_a_report;

/// Stands between the parts of one input: ASCII's record separator, which no such text holds.
const BETWEEN: u8 = 0x1E;

/// The files below a machine's root that an input may fill.
const FILES: [&str; 46] = [
    "cartable-recorded/statvfs",
    "etc/os-release",
    "proc/cpuinfo",
    "proc/device-tree/model",
    "proc/device-tree/serial-number",
    "proc/meminfo",
    "proc/mounts",
    "proc/self/mountinfo",
    "proc/sys/kernel/arch",
    "proc/sys/kernel/osrelease",
    "proc/uptime",
    "sys/block/mmcblk0/device/life_time",
    "sys/block/mmcblk0/device/name",
    "sys/block/mmcblk0/device/pre_eol_info",
    "sys/block/mmcblk0/device/type",
    "sys/block/mmcblk0/size",
    "sys/block/sda/device/model",
    "sys/block/sda/device/rev",
    "sys/block/sda/device/vpd_pg80",
    "sys/block/sda/queue/rotational",
    "sys/block/sda/removable",
    "sys/block/sda/size",
    "sys/block/sdb/size",
    "sys/class/block/dm-0/dm/name",
    "sys/class/block/dm-0/dm/uuid",
    "sys/class/dmi/id/bios_date",
    "sys/class/dmi/id/bios_vendor",
    "sys/class/dmi/id/bios_version",
    "sys/class/dmi/id/chassis_serial",
    "sys/class/dmi/id/chassis_type",
    "sys/class/dmi/id/product_name",
    "sys/class/dmi/id/product_serial",
    "sys/class/dmi/id/product_uuid",
    "sys/class/dmi/id/product_version",
    "sys/class/dmi/id/sys_vendor",
    "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/temp1_input",
    "sys/class/power_supply/BAT0/capacity",
    "sys/class/power_supply/BAT0/energy_full",
    "sys/class/power_supply/BAT0/status",
    "sys/class/power_supply/BAT0/type",
    "sys/class/power_supply/BAT0/uevent",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/class/thermal/thermal_zone0/type",
    "sys/class/tpm/tpm0/tpm_version_major",
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
];

/// The machine's block devices, each with its number: a drive and a stick with a part each, an eMMC, what is mapped.
const DEVICES: [(&str, &str); 6] = [
    ("ata1/block/sda", "8:0"),
    ("ata1/block/sda/sda1", "8:1"),
    ("usb1/1-1/block/sdb", "8:16"),
    ("usb1/1-1/block/sdb/sdb1", "8:17"),
    ("mmc0/block/mmcblk0", "179:0"),
    ("virtual/block/dm-0", "253:0"),
];

/// Files of /proc, /sys and /etc: each part's first line is the file's path.
pub fn linux(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for a machine");
    let root = folder.path();
    link_devices(root).expect("the machine's devices");
    for (name, content) in parts(bytes) {
        if let Some(file) = FILES.iter().find(|file| file.as_bytes() == name) {
            fill(&root.join(file), content).expect("the machine's files");
        }
    }
    let report = collect(&Sources::recorded(root), Drives::Leave).now_or_never().expect("files make nobody wait");
    is_of_the_laptop_alone(&report);
    if let Power::Battery { percent } = power(root) {
        assert!(percent <= 100);
    }
}

/// Linked as the kernel links them: a part lies in its disk's folder.
fn link_devices(root: &Path) -> io::Result<()> {
    let (all, disks, numbers) = (root.join("sys/class/block"), root.join("sys/block"), root.join("sys/dev/block"));
    for folder in [&all, &disks, &numbers] {
        fs::create_dir_all(folder)?;
    }
    for (place, number) in DEVICES {
        let folder = root.join("sys/devices").join(place);
        fs::create_dir_all(&folder)?;
        let name = place.rsplit('/').next().unwrap_or(place);
        symlink(&folder, all.join(name))?;
        symlink(&folder, numbers.join(number))?;
        if place.ends_with(&format!("block/{name}")) {
            symlink(&folder, disks.join(name))?;
        } else {
            fs::write(folder.join("partition"), "1")?;
        }
    }
    fs::create_dir_all(all.join("dm-0/slaves/sda1"))
}

fn fill(file: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content)
}

/// A report that says nothing of a person's own volumes, nor where any is mounted.
fn is_of_the_laptop_alone(report: &HealthReport) {
    is_a_report(report);
    assert!(report.volumes.iter().all(|one| matches!(one.role, Some(VolumeRole::System | VolumeRole::Data))));
    let told = serde_json::to_string(&report.volumes).expect("plain values can always be written");
    assert!(!told.contains('/'), "never a path: {told}");
}

/// What the programs of macOS answer: each part's first line is the program's name.
pub fn apple(bytes: &[u8]) {
    let now = UtcMillis::new(1_795_521_600_000).expect("2026-11-24");
    let answer = |program: &str| {
        let said = parts(bytes).find(|(name, _)| *name == program.as_bytes());
        said.map(|(_, said)| said.to_vec())
    };
    let report = of_apple(answer, now);
    is_a_report(&report);
    assert!(report.volumes.len() <= 1 && report.temperatures.is_empty());
}

/// The parts of an input, each with its first line.
fn parts(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes.split(|byte| *byte == BETWEEN).filter_map(|part| {
        let end = part.iter().position(|byte| *byte == b'\n')?;
        Some((&part[..end], &part[end + 1..]))
    })
}

/// What the system's bus says, from its first line on.
pub fn bus(bytes: &[u8]) {
    let mut line = Line::of(bytes);
    let answer = converse(&mut line);
    let read = bytes.len() - line.left();
    assert!(read <= MOST_BYTES);
    assert!(answer.is_none() || bytes.starts_with(b"OK "), "a bus that lets nobody in answers nothing");
    assert_eq!(converse(&mut Line::of(&bytes[..read])), answer, "what was not read decides nothing");
}

/// What a TPM answers, one answer after the other.
pub fn tpm(bytes: &[u8]) {
    let line = Line::of(bytes);
    let Ok(key) = TpmKey::over(line.clone()) else { return };
    assert_eq!((key.point().len(), key.point().first()), (65, Some(&4)), "a point that is not compressed");
    let Ok(signature) = key.sign_over(line, b"message") else { return };
    // Two numbers of 33 bytes at most.
    assert!(signature.len() <= 72);
    assert_eq!(signature.get(..2), Some(&[0x30, u8::try_from(signature.len() - 2).expect("it is short")][..]));
}

/// A line whose other end says one byte at a time, as a slow one may, and is deaf.
#[derive(Clone)]
struct Line(Rc<RefCell<VecDeque<u8>>>);

impl Line {
    fn of(bytes: &[u8]) -> Self {
        Self(Rc::new(RefCell::new(bytes.iter().copied().collect())))
    }

    /// How many bytes nobody has read.
    fn left(&self) -> usize {
        self.0.borrow().len()
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(place) = buffer.first_mut() else { return Ok(0) };
        let Some(byte) = self.0.borrow_mut().pop_front() else { return Ok(0) };
        *place = byte;
        Ok(1)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
