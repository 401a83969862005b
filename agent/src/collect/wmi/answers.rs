//! What is asked of WMI, property by property, and the answers: a line of JSON per class.
//!
//! A property that is not listed here is never kept, let alone sent.

use std::collections::BTreeMap;

use cartable_common::report::{Subject, UnreadReason};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::{reading, row::Row};

/// A class of WMI and what is read of it.
pub(in crate::collect) struct Class {
    pub(in crate::collect) namespace: &'static str,
    pub(in crate::collect) name: &'static str,
    pub(in crate::collect) properties: &'static [&'static str],
}

/// The name under which the registry's values stand among the answers.
pub(in crate::collect) const REGISTRY: &str = "Registry";

/// The name under which stands what the batteries' own drivers say.
pub(in crate::collect) const BATTERIES: &str = "BatteryDriver";

/// Stands for an answer of a form that nobody knows (WBEM_E_TYPE_MISMATCH).
#[cfg(windows)]
pub(in crate::collect) const UNREADABLE: i32 = 0x8004_1005_u32.cast_signed();

const CIM: &str = r"root\cimv2";
const DRIVERS: &str = r"root\wmi";
const STORAGE: &str = r"root\Microsoft\Windows\Storage";

const fn class(namespace: &'static str, name: &'static str, properties: &'static [&'static str]) -> Class {
    Class { namespace, name, properties }
}

/// All that is asked, in this order: a namespace's classes together, those that may hang last.
#[cfg_attr(not(any(windows, test)), expect(dead_code, reason = "only Windows asks"))]
pub(in crate::collect) const CLASSES: &[Class] = &[
    class(CIM, "Win32_ComputerSystemProduct", &["Vendor", "Name", "Version", "IdentifyingNumber", "UUID"]),
    class(CIM, "Win32_ComputerSystem", &["Manufacturer", "Model", "TotalPhysicalMemory"]),
    class(CIM, "Win32_SystemEnclosure", &["ChassisTypes", "SerialNumber"]),
    class(CIM, "Win32_BIOS", &["Manufacturer", "SMBIOSBIOSVersion", "ReleaseDate", "SerialNumber"]),
    class(CIM, "Win32_Processor", &["Name", "NumberOfCores", "NumberOfLogicalProcessors"]),
    class(
        CIM,
        "Win32_OperatingSystem",
        &["Caption", "Version", "OSArchitecture", "SystemDrive", "LastBootUpTime", "LocalDateTime"],
    ),
    class(CIM, "Win32_LogicalDisk", &["DeviceID", "DriveType", "FileSystem", "Size", "FreeSpace"]),
    class(r"root\cimv2\Security\MicrosoftTpm", "Win32_Tpm", &["SpecVersion"]),
    class(
        r"root\cimv2\Security\MicrosoftVolumeEncryption",
        "Win32_EncryptableVolume",
        &["DriveLetter", "ProtectionStatus"],
    ),
    class(
        DRIVERS,
        "BatteryStaticData",
        &["InstanceName", "DesignedCapacity", "Capabilities", "Chemistry", "ManufactureName", "DeviceName"],
    ),
    class(DRIVERS, "BatteryFullChargedCapacity", &["InstanceName", "FullChargedCapacity"]),
    class(DRIVERS, "BatteryCycleCount", &["InstanceName", "CycleCount"]),
    class(DRIVERS, "MSAcpi_ThermalZoneTemperature", &["CurrentTemperature"]),
    class(DRIVERS, "MSStorageDriver_FailurePredictStatus", &["InstanceName", "PredictFailure"]),
    class(
        CIM,
        "Win32_DiskDrive",
        &["Index", "PNPDeviceID", "Model", "SerialNumber", "FirmwareRevision", "Size", "InterfaceType", "MediaType"],
    ),
    class(
        STORAGE,
        "MSFT_PhysicalDisk",
        &[
            "DeviceId",
            "Model",
            "SerialNumber",
            "AdapterSerialNumber",
            "FirmwareVersion",
            "MediaType",
            "BusType",
            "Size",
            "HealthStatus",
        ],
    ),
    class(STORAGE, "MSFT_Partition", &["DriveLetter", "DiskNumber"]),
    class(
        STORAGE,
        "MSFT_StorageReliabilityCounter",
        &["DeviceId", "Wear", "PowerOnHours", "Temperature", "ReadErrorsUncorrected", "WriteErrorsUncorrected"],
    ),
];

impl Class {
    /// Older Windows lack properties of the storage classes, and refuse a query that names them.
    #[cfg_attr(not(windows), expect(dead_code, reason = "only Windows asks"))]
    pub(in crate::collect) fn query(&self) -> String {
        let properties = if self.namespace == STORAGE { "*".to_owned() } else { self.properties.join(", ") };
        format!("SELECT {properties} FROM {}", self.name)
    }
}

/// What a class answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::collect) enum Answer {
    /// Its instances.
    Rows(Vec<Map<String, Value>>),
    /// Windows' number of the error.
    Failed { hresult: i32 },
}

/// All answers, and why a class that is not among them is missing.
#[derive(Debug)]
pub(in crate::collect) struct Answers {
    classes: BTreeMap<String, Answer>,
    missing: (UnreadReason, String),
}

impl Answers {
    /// Reads lines of JSON; a line that is cut off counts as missing, for the reason given.
    pub(in crate::collect) fn parse(lines: &[u8], missing: UnreadReason) -> Self {
        let lines = lines.split(|byte| *byte == b'\n');
        let parsed = lines.filter_map(|line| serde_json::from_slice::<BTreeMap<String, Answer>>(line).ok());
        Self { classes: parsed.flatten().collect(), missing: (missing, "WMI did not answer".to_owned()) }
    }

    /// No answer at all.
    #[cfg_attr(not(windows), expect(dead_code, reason = "only Windows asks"))]
    pub(in crate::collect) fn none(reason: UnreadReason, words: &str) -> Self {
        Self { classes: BTreeMap::new(), missing: (reason, words.to_owned()) }
    }
}

/// The answers while they become a report, and what could not be read so far.
pub(super) type Reading<'a> = reading::Reading<'a, Answers>;

impl<'a> Reading<'a> {
    /// The instances of `class`; if it did not answer, that is said of `subject`.
    pub(super) fn rows(&self, class: &str, subject: Subject) -> Vec<Row<'a>> {
        match self.answers.classes.get(class) {
            Some(Answer::Rows(rows)) => rows.iter().map(|row| Row(Some(row))).collect(),
            Some(Answer::Failed { hresult }) => {
                self.missing(subject, reason(*hresult), &format!("{class}: {hresult:#010x}"));
                Vec::new()
            }
            None => {
                let (reason, words) = &self.answers.missing;
                self.missing(subject, *reason, words);
                Vec::new()
            }
        }
    }

    /// The instances of `class`, silently none if it did not answer: for what another class also tells.
    pub(super) fn rows_if_any(&self, class: &str) -> Vec<Row<'a>> {
        let Some(Answer::Rows(rows)) = self.answers.classes.get(class) else { return Vec::new() };
        rows.iter().map(|row| Row(Some(row))).collect()
    }

    pub(super) fn first(&self, class: &str, subject: Subject) -> Row<'a> {
        self.rows(class, subject).into_iter().next().unwrap_or(Row(None))
    }
}

/// WMI's numbers (wbemcli.h) and Windows' own for a missing right.
fn reason(hresult: i32) -> UnreadReason {
    match hresult.cast_unsigned() {
        0x8004_1003 | 0x8007_0005 => UnreadReason::PermissionDenied,
        // No such object, class or namespace; not supported by the driver.
        0x8004_1002 | 0x8004_1010 | 0x8004_100E | 0x8004_100C => UnreadReason::NotPresent,
        0x8004_1005 => UnreadReason::Malformed,
        _ => UnreadReason::ToolFailed,
    }
}
