//! The machines of a lifelike programme: makers, models, processors, drives, batteries and systems that schools buy.
//!
//! Public product data only; no serial number here belongs to a real machine.

use cartable_common::report::{Chassis, DriveKind, OsFamily};

use super::programme::Programme;

/// A kind of computer as it was bought.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// Maker, as its firmware writes it.
    pub maker: &'static str,
    /// Model, as its firmware writes it.
    pub name: &'static str,
    /// Form.
    pub chassis: Chassis,
    /// Processor, cores, threads.
    pub processor: (&'static str, u16, u16),
    /// Memory in GiB and how often it was bought so.
    pub memory_gib: &'static [(u64, u64)],
    /// Drives it is fitted with.
    pub drives: &'static [DriveModel],
    /// Its battery, where it has one.
    pub battery: Option<BatteryModel>,
    /// How old it is, in years, at least and at most.
    pub years: (u64, u64),
    /// Systems it runs and how often.
    pub systems: &'static [(System, u64)],
    /// Firmware's author and version.
    pub firmware: (&'static str, &'static str),
    /// Form of its serial number: `#` a digit, `@` a letter or digit.
    pub serial: &'static str,
    /// Major version of its TPM, where it has one.
    pub tpm: Option<u8>,
}

/// A kind of drive.
#[derive(Clone, Copy, Debug)]
pub struct DriveModel {
    /// Model as it names itself.
    pub name: &'static str,
    /// Technology.
    pub kind: DriveKind,
    /// Size in bytes.
    pub bytes: u64,
    /// Its firmware.
    pub firmware: &'static str,
    /// Form of its serial number.
    pub serial: &'static str,
}

/// A kind of battery.
#[derive(Clone, Copy, Debug)]
pub struct BatteryModel {
    /// Maker.
    pub maker: &'static str,
    /// Model.
    pub name: &'static str,
    /// Energy when new, in milliwatt-hours; or charge in milliampere-hours where `counts_charge`.
    pub design: u32,
    /// How the machine counts.
    pub counts: Counts,
}

/// What a battery's figures are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Milliwatt-hours.
    Energy,
    /// Milliampere-hours.
    Charge,
}

/// An operating system.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Family.
    pub family: OsFamily,
    /// Short name.
    pub name: &'static str,
    /// Version.
    pub version: &'static str,
    /// Build or kernel.
    pub build: &'static str,
}

// Schools license the Education edition, whose updates last a year longer than those of Pro.
const WINDOWS_10: System = windows("10 Education", "19045.5487");
const WINDOWS_11_23H2: System = windows("11 Education", "22631.4890");
const WINDOWS_11_24H2: System = windows("11 Education", "26100.7019");
const WINDOWS_11_25H2: System = windows("11 Education", "26200.7171");
const WINDOWS_11_24H2_PRO: System = windows("11 Pro", "26100.4349");
const DEBIAN_11: System = linux("debian", "11", "5.10.0-36-amd64");
const DEBIAN_12: System = linux("debian", "12", "6.1.0-41-amd64");
const DEBIAN_13: System = linux("debian", "13", "6.12.57+deb13-amd64");
const UBUNTU_20_04: System = linux("ubuntu", "20.04", "5.4.0-216-generic");
const UBUNTU_24_04: System = linux("ubuntu", "24.04", "6.8.0-88-generic");

const fn windows(version: &'static str, build: &'static str) -> System {
    System { family: OsFamily::Windows, name: "windows", version, build }
}

const fn linux(name: &'static str, version: &'static str, build: &'static str) -> System {
    System { family: OsFamily::Linux, name, version, build }
}

const MODERN: &[(System, u64)] =
    &[(WINDOWS_11_24H2, 28), (WINDOWS_11_25H2, 40), (WINDOWS_11_24H2_PRO, 2), (WINDOWS_11_23H2, 1)];
const MIDDLE: &[(System, u64)] = &[(WINDOWS_11_24H2, 20), (WINDOWS_11_25H2, 8), (WINDOWS_10, 1), (DEBIAN_12, 4)];
const POOL: &[(System, u64)] =
    &[(WINDOWS_11_24H2, 24), (WINDOWS_11_23H2, 1), (WINDOWS_10, 1), (DEBIAN_12, 6), (DEBIAN_13, 4)];
const RECYCLED: &[(System, u64)] =
    &[(DEBIAN_13, 9), (DEBIAN_12, 8), (UBUNTU_24_04, 5), (UBUNTU_20_04, 1), (DEBIAN_11, 1)];

const fn drive(
    name: &'static str,
    kind: DriveKind,
    bytes: u64,
    firmware: &'static str,
    serial: &'static str,
) -> DriveModel {
    DriveModel { name, kind, bytes, firmware, serial }
}

const PM991A: DriveModel =
    drive("SAMSUNG MZALQ256HBJD-00BL2", DriveKind::Nvme, 256_060_514_304, "7L1QFXV7", "S65ENE#R#####@");
const BG4: DriveModel = drive("KBG40ZNV256G KIOXIA", DriveKind::Nvme, 256_060_514_304, "HP00AE00", "#@CPC##@Q@##");
const BC711: DriveModel =
    drive("BC711 NVMe SK hynix 256GB", DriveKind::Nvme, 256_060_514_304, "41002131", "ANB#N####1@@0@######");
const SN530: DriveModel =
    drive("WDC PC SN530 SDBPNPZ-512G-1006", DriveKind::Nvme, 512_110_190_592, "HPS1", "21#####0####");
const PM9B1: DriveModel =
    drive("SAMSUNG MZVL4512HBLU-00BL7", DriveKind::Nvme, 512_110_190_592, "HXC70K1Q", "S6KHNE#W######");
const MX500: DriveModel = drive("CT500MX500SSD1", DriveKind::Ssd, 500_107_862_016, "M3CR045", "21##E5@@####");
const A400: DriveModel =
    drive("KINGSTON SA400S37240G", DriveKind::Ssd, 240_057_409_536, "SBFKB1D1", "50026B77#@@@####");
const EVO860: DriveModel =
    drive("Samsung SSD 860 EVO 250GB", DriveKind::Ssd, 250_059_350_016, "RVT04B6Q", "S3YJNX0M######@");
const SD8: DriveModel = drive("SanDisk SD8SB8U-256G-1006", DriveKind::Ssd, 256_060_514_304, "X4120006", "17#####4####");
const BLUE: DriveModel =
    drive("WDC WD5000LPLX-60ZNTT1", DriveKind::Hdd, 500_107_862_016, "02.01A02", "WD-WX#1A#@#####");
const ST500: DriveModel = drive("ST500LM021-1KJ152", DriveKind::Hdd, 500_107_862_016, "0002LIM1", "W62@@@##");
const MQ01: DriveModel = drive("TOSHIBA MQ01ABF050", DriveKind::Hdd, 500_107_862_016, "AM0P1D", "##@@T@@@T");
const ST1000: DriveModel = drive("ST1000DM010-2EP102", DriveKind::Hdd, 1_000_204_886_016, "CC43", "Z9A@@@##");
const HCG8: DriveModel = drive("HCG8a4", DriveKind::Emmc, 62_537_072_640, "0x05", "0x########");
const DUTB: DriveModel = drive("DUTB42", DriveKind::Emmc, 125_069_950_976, "0x07", "0x########");

const fn battery(maker: &'static str, name: &'static str, design: u32, counts: Counts) -> Option<BatteryModel> {
    Some(BatteryModel { maker, name, design, counts })
}

const PROBOOK: Model = Model {
    maker: "HP",
    name: "HP ProBook 445 G8 Notebook PC",
    chassis: Chassis::Laptop,
    processor: ("AMD Ryzen 5 5600U with Radeon Graphics", 6, 12),
    memory_gib: &[(8, 9), (16, 1)],
    drives: &[BG4, PM991A],
    battery: battery("Hewlett-Packard", "RH03045XL", 45_040, Counts::Energy),
    years: (3, 5),
    systems: MODERN,
    firmware: ("HP", "T78 Ver. 01.18.00"),
    serial: "5CG1##@@@@",
    tpm: Some(2),
};
const HP_245: Model = Model {
    maker: "HP",
    name: "HP 245 G9 Notebook PC",
    processor: ("AMD Ryzen 3 5425U with Radeon Graphics", 4, 8),
    battery: battery("HP", "HT03041XL", 41_040, Counts::Energy),
    drives: &[BC711, BG4],
    serial: "CND3##@@@@",
    years: (1, 3),
    firmware: ("HP", "F.22"),
    ..PROBOOK
};
const LENOVO_100E: Model = Model {
    maker: "LENOVO",
    name: "82HV",
    chassis: Chassis::Laptop,
    processor: ("AMD 3015e with Radeon Graphics", 2, 4),
    memory_gib: &[(4, 1)],
    drives: &[HCG8, DUTB],
    battery: battery("SMP", "L20M2PF0", 39_000, Counts::Energy),
    years: (3, 5),
    systems: MIDDLE,
    firmware: ("LENOVO", "HJCN32WW"),
    serial: "PF@@@@@@",
    tpm: Some(2),
};
const THINKPAD_L13: Model = Model {
    maker: "LENOVO",
    name: "21B3 ThinkPad L13 Gen 3",
    processor: ("12th Gen Intel(R) Core(TM) i5-1235U", 10, 12),
    memory_gib: &[(8, 3), (16, 7)],
    drives: &[PM9B1, SN530],
    battery: battery("Sunwoda", "L21D4PG0", 46_000, Counts::Energy),
    years: (1, 4),
    systems: MODERN,
    firmware: ("LENOVO", "N3BET72W (1.38 )"),
    ..LENOVO_100E
};
const LATITUDE_3190: Model = Model {
    maker: "Dell Inc.",
    name: "Latitude 3190",
    chassis: Chassis::Laptop,
    processor: ("Intel(R) Pentium(R) Silver N5030 CPU @ 1.10GHz", 4, 4),
    memory_gib: &[(4, 2), (8, 1)],
    drives: &[DUTB, HCG8],
    battery: battery("SMP", "DELL Y07HK41", 3_500, Counts::Charge),
    years: (4, 6),
    systems: MIDDLE,
    firmware: ("Dell Inc.", "1.33.0"),
    serial: "@@@@@@3",
    tpm: Some(2),
};
const LATITUDE_5320: Model = Model {
    name: "Latitude 5320",
    processor: ("11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz", 4, 8),
    memory_gib: &[(8, 2), (16, 5)],
    drives: &[PM991A, SN530],
    battery: battery("BYD", "DELL 1PP6306", 8_289, Counts::Charge),
    years: (2, 5),
    systems: MODERN,
    firmware: ("Dell Inc.", "1.42.1"),
    ..LATITUDE_3190
};
const OPTIPLEX: Model = Model {
    name: "OptiPlex 3070",
    chassis: Chassis::Desktop,
    processor: ("Intel(R) Core(TM) i3-9100 CPU @ 3.60GHz", 4, 4),
    memory_gib: &[(8, 8), (16, 1)],
    drives: &[SD8, MX500, ST1000],
    battery: None,
    years: (5, 7),
    systems: POOL,
    firmware: ("Dell Inc.", "1.29.0"),
    ..LATITUDE_3190
};
const PRODESK: Model = Model {
    name: "HP ProDesk 400 G6 SFF",
    chassis: Chassis::Desktop,
    processor: ("Intel(R) Core(TM) i5-9500 CPU @ 3.00GHz", 6, 6),
    memory_gib: &[(8, 1)],
    drives: &[BG4, MX500, ST1000],
    battery: None,
    years: (4, 7),
    systems: POOL,
    firmware: ("HP", "R01 Ver. 02.21.00"),
    serial: "CZC0##@@@@",
    ..PROBOOK
};
const TRAVELMATE: Model = Model {
    maker: "Acer",
    name: "TravelMate P214-53",
    chassis: Chassis::Laptop,
    processor: ("11th Gen Intel(R) Core(TM) i3-1115G4 @ 3.00GHz", 2, 4),
    memory_gib: &[(8, 1)],
    drives: &[SN530, BC711],
    battery: battery("LGC", "AP18C7M", 3_634, Counts::Charge),
    years: (3, 5),
    systems: POOL,
    firmware: ("Insyde Corp.", "V1.27"),
    serial: "NXVPN#F00##@####@@####",
    tpm: Some(2),
};
const SURFACE_GO: Model = Model {
    maker: "Microsoft Corporation",
    name: "Surface Go 3",
    chassis: Chassis::Tablet,
    processor: ("Intel(R) Pentium(R) CPU 6500Y @ 1.10GHz", 2, 4),
    memory_gib: &[(4, 1), (8, 2)],
    drives: &[DUTB],
    battery: battery("SWD", "M1112770", 28_940, Counts::Energy),
    years: (2, 5),
    systems: MODERN,
    firmware: ("Microsoft Corporation", "11.100.143"),
    serial: "0########253",
    tpm: Some(2),
};
const LENOVO_10W: Model = Model {
    maker: "LENOVO",
    name: "82ST Lenovo 10w Tablet",
    processor: ("Snapdragon (TM) 7c @ 2.40 GHz", 8, 8),
    memory_gib: &[(4, 2), (8, 1)],
    drives: &[DUTB, HCG8],
    battery: battery("SMP", "L21D2PG4", 5_080, Counts::Charge),
    years: (2, 4),
    serial: "PF@@@@@@",
    firmware: ("LENOVO", "JGCN21WW"),
    ..SURFACE_GO
};
const THINKPAD_T450: Model = Model {
    name: "20BUS04N00 ThinkPad T450",
    processor: ("Intel(R) Core(TM) i5-5300U CPU @ 2.30GHz", 2, 4),
    memory_gib: &[(4, 1), (8, 5)],
    drives: &[EVO860, A400, ST500],
    battery: battery("SANYO", "45N1775", 23_500, Counts::Energy),
    years: (8, 10),
    systems: RECYCLED,
    firmware: ("LENOVO", "JBET73WW (1.37 )"),
    serial: "PC0@@@@@",
    tpm: Some(1),
    ..LENOVO_100E
};
const LATITUDE_E5450: Model = Model {
    name: "Latitude E5450",
    processor: ("Intel(R) Core(TM) i5-5200U CPU @ 2.20GHz", 2, 4),
    memory_gib: &[(4, 2), (8, 3)],
    drives: &[A400, MQ01, BLUE],
    battery: battery("Samsung SDI", "DELL VVXTW44", 6_890, Counts::Charge),
    years: (8, 11),
    systems: RECYCLED,
    firmware: ("Dell Inc.", "A24"),
    tpm: Some(1),
    ..LATITUDE_3190
};
const OPTIPLEX_7010: Model = Model {
    name: "OptiPlex 7010",
    processor: ("Intel(R) Core(TM) i5-3470 CPU @ 3.20GHz", 4, 4),
    memory_gib: &[(4, 1), (8, 2)],
    drives: &[A400, ST1000, BLUE],
    years: (10, 13),
    systems: RECYCLED,
    firmware: ("Dell Inc.", "A29"),
    tpm: None,
    ..OPTIPLEX
};

/// The models of a scheme and how often each was bought.
pub const fn models(programme: Programme) -> &'static [(Model, u64)] {
    match programme {
        Programme::FirstPupilLaptops => &[(LATITUDE_3190, 5), (LENOVO_100E, 3)],
        Programme::PupilLaptops => &[(PROBOOK, 4), (HP_245, 5), (LENOVO_100E, 3), (TRAVELMATE, 2)],
        Programme::SchoolPool => &[(OPTIPLEX, 5), (PRODESK, 6), (TRAVELMATE, 4), (PROBOOK, 2)],
        Programme::Teachers => &[(THINKPAD_L13, 5), (LATITUDE_5320, 4)],
        Programme::PupilTablets => &[(SURFACE_GO, 3), (LENOVO_10W, 4)],
        Programme::CareTablets => &[(LENOVO_10W, 1)],
        Programme::RecycledToPupils => &[(THINKPAD_T450, 3), (LATITUDE_E5450, 3), (OPTIPLEX_7010, 2)],
        Programme::RecycledToAssociations => &[(OPTIPLEX_7010, 3), (LATITUDE_E5450, 2), (THINKPAD_T450, 2)],
    }
}
