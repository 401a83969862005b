//! The erasure of drives and its evidence: what tools say is read, levels follow from methods, and a gate says what is
//! missing before a device may leave.
//!
//! Levels are those of NIST SP 800-88 Rev. 1 (December 2014): its tables A-5 (magnetic) and A-8 (flash) say which method
//! reaches which. Rev. 2 (September 2025) keeps the three levels and leaves the methods to IEEE 2883; until that is
//! adopted here, the tables of Rev. 1 stand as this programme's standard. docs/erasure.md tells all of it to people.
//!
//! Nothing here reads a file or a clock. No record ever proves more than its tool said: what failed, was not verified,
//! did not reach the whole drive or is older than a later use proves nothing.

pub mod certificate;
pub mod evidence;
pub mod gap;
pub mod hand;
mod hdparm;
mod nvme;
mod nwipe_check;
mod nwipe_log;
mod nwipe_pdf;
pub mod seen;
mod transcript;

#[cfg(test)]
mod tests;

use cartable_common::{UtcMillis, report::DriveKind};

use super::verdict::text_enum;

text_enum! {
    /// How far an erasure goes (NIST SP 800-88 Rev. 1, 2.5), from least to most.
    pub enum Level {
        /// Every block that can be addressed was written over: no recovery through the drive's own interface.
        Clear = "clear",
        /// No recovery in a laboratory, and the drive can be used again.
        Purge = "purge",
        /// No recovery, and the drive can't be used again.
        Destroy = "destroy",
    }
}

text_enum! {
    /// What was done to a drive.
    pub enum Method {
        /// Every addressable block written over by a program (nwipe).
        Overwrite = "overwrite",
        /// ATA SECURITY ERASE UNIT.
        AtaSecureErase = "ata_secure_erase",
        /// ATA SECURITY ERASE UNIT in enhanced mode.
        AtaSecureEraseEnhanced = "ata_secure_erase_enhanced",
        /// ATA SANITIZE, OVERWRITE EXT.
        AtaSanitizeOverwrite = "ata_sanitize_overwrite",
        /// ATA SANITIZE, BLOCK ERASE EXT.
        AtaSanitizeBlock = "ata_sanitize_block",
        /// ATA SANITIZE, CRYPTO SCRAMBLE EXT.
        AtaSanitizeCrypto = "ata_sanitize_crypto",
        /// NVMe Format with user data erase (SES 1).
        NvmeFormatUserData = "nvme_format_user_data",
        /// NVMe Format with cryptographic erase (SES 2).
        NvmeFormatCrypto = "nvme_format_crypto",
        /// NVMe Sanitize, overwrite.
        NvmeSanitizeOverwrite = "nvme_sanitize_overwrite",
        /// NVMe Sanitize, block erase.
        NvmeSanitizeBlock = "nvme_sanitize_block",
        /// NVMe Sanitize, crypto erase.
        NvmeSanitizeCrypto = "nvme_sanitize_crypto",
        /// Cryptographic erase of a self-encrypting drive (TCG Opal, Enterprise).
        OpalCrypto = "opal_crypto",
        /// Shredded, pulverised, melted or burnt.
        Destruction = "destruction",
    }
}

text_enum! {
    /// What a drive keeps its data on.
    pub enum Medium {
        /// Rotating magnetic disks.
        Rotating = "rotating",
        /// Flash: SSD, NVMe.
        Flash = "flash",
        /// eMMC: flash soldered to the board, for which the tables have no method that the tools here give.
        Emmc = "emmc",
        /// Not known: treated as flash, for which more is asked.
        Unknown = "unknown",
    }
}

text_enum! {
    /// How an erasure ended.
    pub enum Outcome {
        /// All of the drive was erased, as the tool says.
        Erased = "erased",
        /// It failed.
        Failed = "failed",
        /// It was broken off.
        Aborted = "aborted",
        /// It ended without an error and did not reach all of the drive, or had not ended yet.
        Incomplete = "incomplete",
    }
}

text_enum! {
    /// How the result was looked at.
    pub enum Verification {
        /// It was not.
        None = "none",
        /// What the last pass wrote was read back whole.
        LastPass = "last_pass",
        /// What each pass wrote was read back whole.
        AllPasses = "all_passes",
        /// The drive's own status after the command was read: all that firmware commands offer.
        DeviceStatus = "device_status",
        /// A second person saw it.
        Witnessed = "witnessed",
    }
}

text_enum! {
    /// Where a record comes from.
    pub enum Source {
        /// nwipe's log.
        NwipeLog = "nwipe_log",
        /// nwipe's log and its PDF certificate, which agree.
        NwipeLogAndPdf = "nwipe_log_pdf",
        /// What nvme-cli printed.
        Nvme = "nvme",
        /// What hdparm printed.
        Hdparm = "hdparm",
        /// A person's word.
        Hand = "hand",
    }
}

impl Medium {
    /// What a drive of that kind keeps its data on.
    #[must_use]
    pub const fn of(kind: Option<DriveKind>) -> Self {
        match kind {
            Some(DriveKind::Hdd) => Self::Rotating,
            Some(DriveKind::Ssd | DriveKind::Nvme) => Self::Flash,
            Some(DriveKind::Emmc) => Self::Emmc,
            Some(DriveKind::Unknown) | None => Self::Unknown,
        }
    }

    /// Whichever is known; of two that contradict each other, the one for which more is asked.
    #[must_use]
    pub const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Emmc, _) | (_, Self::Emmc) => Self::Emmc,
            (Self::Flash, _) | (_, Self::Flash) => Self::Flash,
            (Self::Rotating, _) | (_, Self::Rotating) => Self::Rotating,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }
}

impl Method {
    /// The level that the method reaches on that medium; Clear where the tables do not know the pair.
    ///
    /// Rotating: Rev. 1, table A-5, "ATA Hard Disk Drives". Flash: table A-8, "ATA Solid State Drives" (secure erase,
    /// enhanced or not, is Clear there; overwriting likewise, whatever the number of passes) and "NVM Express SSDs" (Format
    /// with user data or cryptographic erase is Purge). Rev. 1 is older than NVMe Sanitize (NVMe 1.3, 2017); it is taken
    /// for what ATA SANITIZE is. Rev. 2, 3.1.2, names such dedicated commands for Purge in general. A command of NVMe that
    /// is said of a rotating disk was another drive's, or chosen by mistake; eMMC knows none of these commands.
    #[must_use]
    pub const fn level(self, medium: Medium) -> Level {
        if matches!(medium, Medium::Emmc) && !matches!(self, Self::Destruction) {
            return Level::Clear;
        }
        let rotating = matches!(medium, Medium::Rotating);
        match self {
            Self::AtaSecureEraseEnhanced | Self::AtaSanitizeOverwrite if rotating => Level::Purge,
            Self::NvmeFormatUserData
            | Self::NvmeFormatCrypto
            | Self::NvmeSanitizeOverwrite
            | Self::NvmeSanitizeBlock
            | Self::NvmeSanitizeCrypto
                if rotating =>
            {
                Level::Clear
            }
            Self::Overwrite | Self::AtaSecureErase | Self::AtaSecureEraseEnhanced | Self::AtaSanitizeOverwrite => {
                Level::Clear
            }
            Self::AtaSanitizeBlock
            | Self::AtaSanitizeCrypto
            | Self::NvmeFormatUserData
            | Self::NvmeFormatCrypto
            | Self::NvmeSanitizeOverwrite
            | Self::NvmeSanitizeBlock
            | Self::NvmeSanitizeCrypto
            | Self::OpalCrypto => Level::Purge,
            Self::Destruction => Level::Destroy,
        }
    }
}

/// Longest name of a drive, in characters: the longest text of a report, and the number that tells it from its namesakes.
pub const MAX_KEY_CHARS: usize = 132;

/// What a drive is known by in one device: its serial number in capitals; where the drive does not tell it, its model as
/// the device reported it, the second of one model with `#2` behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct DriveKey(String);

/// A text that names no drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a drive is named by its serial number, of 1 to {MAX_KEY_CHARS} printable characters")]
pub struct InvalidKey;

impl DriveKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DriveKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for DriveKey {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let fits = !joined.is_empty() && joined.chars().count() <= MAX_KEY_CHARS && !joined.contains(char::is_control);
        if fits { Ok(Self(joined)) } else { Err(InvalidKey) }
    }
}

/// What a tool says of the erasure of one drive.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reading {
    /// The drive's serial number.
    pub drive: DriveKey,
    /// Its model.
    pub model: Option<String>,
    /// What the tool tells of its medium.
    pub medium: Medium,
    /// Its size in bytes.
    pub capacity_bytes: Option<u64>,
    /// What was done.
    pub method: Method,
    /// What the tool calls that.
    pub method_name: String,
    /// The tool.
    pub tool: String,
    /// Its version; empty where it did not tell.
    pub tool_version: String,
    /// When it began.
    pub started_at: UtcMillis,
    /// When it ended.
    pub ended_at: UtcMillis,
    /// Passes over the drive, all rounds together, the blanking at the end included.
    pub passes: u32,
    /// Bytes that were erased at least once; none where the tool does not count.
    pub bytes_erased: Option<u64>,
    /// Errors of writing, reading back and synchronising.
    pub errors: u64,
    /// How the result was looked at.
    pub verification: Verification,
    /// How it ended.
    pub outcome: Outcome,
    /// The machine on which the tool ran, where it says so: its serial number or its name.
    pub host: Option<String>,
    /// Where that comes from.
    pub source: Source,
}

impl Reading {
    /// Whether both say the same: the same erasure of the same drive, from the same kind of evidence.
    #[must_use]
    pub fn is_the_same(&self, other: &Self) -> bool {
        self.drive == other.drive
            && self.source == other.source
            && self.method == other.method
            && (self.started_at, self.ended_at) == (other.started_at, other.ended_at)
            && (self.outcome, self.verification) == (other.outcome, other.verification)
    }
}

text_enum! {
    /// Which time a tool's clock showed: nwipe writes none beside its times.
    pub enum BenchClock {
        /// Paris, as a bench's own system has it. Read so, a time is never later than it was.
        Paris = "paris",
        /// Coordinated universal time, as systems have it that are started from a stick or the network.
        Utc = "utc",
    }
}

impl BenchClock {
    /// The moment at which that clock showed `time`; in the hour that winter time repeats, the earlier one.
    fn moment(self, time: jiff::civil::DateTime) -> Option<UtcMillis> {
        use jiff::tz::TimeZone;
        let zone = match self {
            Self::Paris => TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC),
            Self::Utc => TimeZone::UTC,
        };
        let at = zone.to_ambiguous_zoned_datetime(time).earlier().ok()?;
        UtcMillis::new(at.timestamp().as_millisecond())
    }
}
