//! What a report could not tell, and why: missing evidence is never taken for health.

use crate::{
    describe::{reported, reported_enum},
    text::Text,
};

reported_enum! {
    /// A part of the report.
    pub enum Subject {
        /// Manufacturer, model, serial number, UUID.
        Hardware = "hardware",
        /// The processor.
        Processor = "processor",
        /// The memory.
        Memory = "memory",
        /// Firmware version and date.
        Firmware = "firmware",
        /// Secure Boot.
        SecureBoot = "secure_boot",
        /// The TPM.
        Tpm = "tpm",
        /// The operating system.
        OperatingSystem = "operating_system",
        /// The volumes.
        Volumes = "volumes",
        /// Whether volumes are encrypted.
        Encryption = "encryption",
        /// Which drives there are.
        Drives = "drives",
        /// What drives say of their health.
        DriveHealth = "drive_health",
        /// The batteries.
        Batteries = "batteries",
        /// The temperatures.
        Temperatures = "temperatures",
        /// The time since the last start.
        Uptime = "uptime",
    }
}

reported_enum! {
    /// Why something could not be read.
    pub enum UnreadReason {
        /// The machine has no such thing, or does not say.
        NotPresent = "not_present",
        /// The agent lacks the right to read it.
        PermissionDenied = "permission_denied",
        /// The program that reads it is not installed.
        ToolMissing = "tool_missing",
        /// The program that reads it refused or failed.
        ToolFailed = "tool_failed",
        /// It took longer than allowed.
        TimedOut = "timed_out",
        /// The answer made no sense.
        Malformed = "malformed",
        /// The drive was asleep and was left so.
        Asleep = "asleep",
        /// This agent cannot read it on this operating system.
        Unsupported = "unsupported",
    }
}

reported! {
    /// Something that could not be read.
    pub struct Unread {
        /// What.
        fr "Quoi.",
        subject: Option<Subject>,
        /// Why.
        fr "Pourquoi.",
        reason: Option<UnreadReason>,
        /// The program's own words, where there are any; never a path or a name of a person.
        fr "Les mots du programme, s'il y en a ; jamais un chemin ni le nom d'une personne.",
        detail: Option<Text>,
    }
}
