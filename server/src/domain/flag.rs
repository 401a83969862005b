//! Flags: standing statements about a device, raised and cleared by rules. The vocabulary; the rules are in
//! [`super::rules`].

use cartable_common::UtcMillis;
use serde::{Deserialize, Serialize};

use super::verdict::text_enum;
pub use super::{
    facts::{Baseline, BaselineDrive, DeviceFacts, ErasureFacts, HealthFacts},
    rules::evaluate,
};

text_enum! {
    /// Which rule speaks.
    pub enum FlagCode {
        /// Not heard from for too many school days.
        Silent = "silent",
        /// Known for a while, but no agent was ever enrolled.
        NeverEnrolled = "never_enrolled",
        /// The system volume has little room left.
        DiskNearlyFull = "disk_nearly_full",
        /// The system volume is not encrypted.
        DiskNotEncrypted = "disk_not_encrypted",
        /// A drive is at risk of failing.
        DriveFailing = "drive_failing",
        /// A drive is worn.
        DriveWorn = "drive_worn",
        /// A battery no longer holds enough.
        BatteryWorn = "battery_worn",
        /// The operating system gets no security updates, or soon will not.
        OsOutOfSupport = "os_out_of_support",
        /// It was silent, and is heard again.
        BackAgain = "back_again",
        /// Another machine shows its key.
        IdentityCloned = "identity_cloned",
        /// The device's clock is wrong.
        ClockWrong = "clock_wrong",
        /// The agent's version is below the least that the policy asks for.
        AgentOutdated = "agent_outdated",
        /// A drive is not the one that staff know.
        DriveChanged = "drive_changed",
        /// The memory is not what staff know.
        MemoryChanged = "memory_changed",
        /// The loan is due within days.
        LoanDueSoon = "loan_due_soon",
        /// The loan is overdue, and no contact tells more: none is expected, or there never was one.
        LoanOverdue = "loan_overdue",
        /// The loan is overdue and the device is in use: to be asked back.
        OverdueAlive = "overdue_alive",
        /// The loan is overdue and the device was not heard from for long: presumed lost.
        OverdueSilent = "overdue_silent",
        /// Taken back, and yet it checks in: another unit may have been scanned.
        ReturnedInUse = "returned_in_use",
        /// In stock, and yet it checks in: handed over without a loan?
        StockInUse = "stock_in_use",
        /// Declared lost or stolen, and yet it checked in.
        MissingCheckedIn = "missing_checked_in",
        /// It changed owner, and yet it still reports.
        CededReporting = "ceded_reporting",
        /// Whoever holds it left the site that answers for it.
        BorrowerLeft = "borrower_left",
        /// The maker's warranty ends while it is lent.
        WarrantyEnding = "warranty_ending",
        /// Due back soon, and not fit to be lent again as it is.
        NotToRelend = "not_to_relend",
        /// Taken back a while ago, and a drive of it is not proven erased.
        ErasureMissing = "erasure_missing",
        /// Its work order is at one stage for longer than that stage may take.
        StageOverdue = "stage_overdue",
        /// Its work order needs a part of which none is on the shelf.
        PartToOrder = "part_to_order",
        /// Refurbished and ready, and nobody has been given it.
        ReadyUnassigned = "ready_unassigned",
        /// Due for refurbishment: to be swapped while lent, or come back and waiting for it.
        DueForRefurbishment = "due_for_refurbishment",
    }
}

/// How much a flag needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Severity {
    /// Good to know.
    Info = 1,
    /// To be handled when the device is next in hand.
    Warning = 2,
    /// To be handled now.
    Critical = 3,
}

impl Severity {
    /// Every severity, lightest first.
    pub const ALL: &'static [Self] = &[Self::Info, Self::Warning, Self::Critical];

    /// The text in JSON and in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl From<Severity> for i64 {
    fn from(severity: Severity) -> Self {
        Self::from(severity as u8)
    }
}

/// A number that is no severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a severity (1 to 3)")]
pub struct NotASeverity(pub i64);

impl TryFrom<i64> for Severity {
    type Error = NotASeverity;
    fn try_from(number: i64) -> Result<Self, Self::Error> {
        Self::ALL.iter().copied().find(|severity| i64::from(*severity) == number).ok_or(NotASeverity(number))
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Severity {
    type Err = super::verdict::UnknownValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|severity| severity.as_str() == text).ok_or_else(|| {
            super::verdict::UnknownValue {
                found: text.to_owned(),
                known: Self::ALL.iter().map(|severity| severity.as_str()).collect(),
            }
        })
    }
}

/// Why a flag stands: every automatic statement explains itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The value that was found, with its unit.
    pub value: String,
    /// The threshold that it met, with its unit.
    pub threshold: Option<String>,
    /// Where the threshold comes from.
    pub source: String,
    /// When the value was measured.
    pub evidence_at: Option<UtcMillis>,
    /// The statement in French.
    pub sentence_fr: String,
    /// The statement in English.
    pub sentence_en: String,
    /// What would have made the statement surer and was not there, one sentence each.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Value, threshold, source and what is missing, as a French reader writes them.
    #[serde(default)]
    pub in_french: Explanation,
}

/// The parts of [`Evidence`] whose wording differs from one language to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The value that was found, with its unit.
    pub value: String,
    /// The threshold that it met, with its unit.
    pub threshold: Option<String>,
    /// Where the threshold comes from.
    pub source: String,
    /// What would have made the statement surer and was not there, one sentence each.
    pub missing: Vec<String>,
}

/// What one rule found about one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule.
    pub code: FlagCode,
    /// Which part: a drive's serial number, a battery's place; empty for the whole device.
    pub subject: String,
    /// How much it needs a person.
    pub severity: Severity,
    /// Why.
    pub evidence: Evidence,
}
