//! What the rules know of one device: the values the store hands to [`super::rules::evaluate`].

use cartable_common::{
    Bytes, UtcMillis,
    report::{Drive, HealthReport},
};
use serde::{Deserialize, Serialize};

use jiff::civil::Date;

pub use super::school_calendar::Zone;
use super::{
    clone::CloneFacts,
    device::DeviceStatus,
    drive::history::Level,
    erasure::gap::{Absence, Proof},
    forecast::Kinds,
    loan::{LendingState, LoanStateName},
    work_order::Position,
};

/// One device as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFacts<'a> {
    /// Its state in the programme.
    pub status: DeviceStatus,
    /// Whether it was archived: nothing is said about such a device any more.
    pub archived: bool,
    /// When it was first recorded.
    pub created_at: UtcMillis,
    /// When an agent was last enrolled on it.
    pub enrolled_at: Option<UtcMillis>,
    /// Its last contact, by the server's clock.
    pub last_contact: Option<UtcMillis>,
    /// Its clock minus the server's, at the last contact.
    pub skew_millis: Option<i64>,
    /// Its agent's version, as told at the last contact.
    pub agent_version: Option<&'a str>,
    /// The school zone of its site; without one, only holidays that all zones share are left out.
    pub zone: Option<Zone>,
    /// Its current health.
    pub health: Option<HealthFacts<'a>>,
    /// The memory and drives that staff know.
    pub baseline: Option<&'a Baseline>,
    /// Where it is in its lending. Without it nothing is said about loans.
    pub lending: Option<LendingFacts>,
    /// What is recorded of the erasure of its drives, where that is asked: of a device that came back. Without it nothing
    /// is said about erasure.
    pub erasure: Option<&'a ErasureFacts>,
    /// The other machines that showed one of its keys.
    pub cloned: Option<CloneFacts>,
    /// The last silence that was told and is over.
    pub silence: Option<SilenceFacts>,
}

/// A silence that was told and is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilenceFacts {
    /// When it was first told.
    pub told_at: UtcMillis,
    /// When it was told no more. A contact that ended it came at this moment.
    pub ended_at: UtcMillis,
}

/// What is recorded of the erasure of a device's drives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasureFacts {
    /// Records.
    pub proofs: Vec<Proof>,
    /// Drives that were declared absent.
    pub absences: Vec<Absence>,
}

/// A device's place in the lending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LendingFacts {
    /// Where it is.
    pub state: LendingState,
    /// Whether an agent is expected to report: not on tablets.
    pub agent_expected: bool,
    /// Whether its lending is kept here: its programme is recorded, or it was lent before. Otherwise being in stock is
    /// only where every device begins.
    pub kept_here: bool,
    /// When a device that was lent before was put back in stock.
    pub stocked_at: Option<UtcMillis>,
    /// The last day of the maker's warranty.
    pub warranty_until: Option<Date>,
    /// Its newest loan that was not cancelled.
    pub loan: Option<LoanFacts>,
    /// Its newest work order.
    pub work: Option<WorkFacts>,
    /// Of a device that was donated: what its agent was told.
    pub release: Option<ReleaseFacts>,
}

/// A work order as far as rules ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkFacts {
    /// Where it is.
    pub position: Position,
    /// Since when.
    pub since: UtcMillis,
    /// What it needs, as staff found, of which no piece that fits lies on the shelf.
    pub lacking: Kinds,
    /// Whether a lot of donations lists its unit.
    pub in_lot: bool,
}

/// The agent of a donated device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// When it was ordered to remove itself: at the hand-over.
    pub ordered_at: UtcMillis,
    /// When it was first told so.
    pub told_at: Option<UtcMillis>,
    /// When it last came back after that.
    pub again_at: Option<UtcMillis>,
}

/// A loan as far as rules ask. Nothing here says who holds the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoanFacts {
    /// What it has come to.
    pub state: LoanStateName,
    /// When the device was handed over.
    pub handed_over_at: Option<UtcMillis>,
    /// Until when; none for pools and gifts.
    pub due: Option<Date>,
    /// When it ended.
    pub ended_at: Option<UtcMillis>,
    /// The day on which the borrower left the site that answers for the loan.
    pub borrower_left: Option<Date>,
}

impl LendingFacts {
    /// The loan of a device that is in a borrower's hands.
    #[must_use]
    pub fn running(&self) -> Option<(LoanFacts, UtcMillis)> {
        let loan = self.loan.filter(|loan| loan.state == LoanStateName::HandedOver)?;
        Some((loan, loan.handed_over_at?))
    }

    /// The moment at which the loan that led to `state` ended.
    #[must_use]
    pub fn ended_in(&self, state: LoanStateName) -> Option<UtcMillis> {
        self.loan.filter(|loan| loan.state == state)?.ended_at
    }

    /// Whether a device in this state ought to be heard from: in a drawer, lost or given away it need not.
    #[must_use]
    pub fn contact_is_due(&self) -> bool {
        let at_work = match self.state {
            LendingState::Lent => true,
            LendingState::InStock => !self.kept_here,
            LendingState::Reserved
            | LendingState::Intake
            | LendingState::Refurbishment
            | LendingState::SetAside
            | LendingState::Lost
            | LendingState::Stolen
            | LendingState::WrittenOff
            | LendingState::Ceded => false,
        };
        self.agent_expected && at_work
    }
}

/// The current report and its moments.
#[derive(Clone, Copy, Debug)]
pub struct HealthFacts<'a> {
    /// The report.
    pub report: &'a HealthReport,
    /// When it was measured, by the device's clock.
    pub measured_at: UtcMillis,
    /// When it arrived, by the server's clock.
    pub received_at: UtcMillis,
    /// What its drives counted before, in any order; empty where that was not asked for.
    pub past: &'a [Level],
}

impl HealthFacts<'_> {
    /// A moment after everything that led to this state: arrivals are kept to the day after a month, and the changes
    /// of that day still belong to what came before.
    #[must_use]
    pub fn history_until(&self) -> UtcMillis {
        self.received_at.plus_days(1)
    }

    /// The date of the evidence: the device's own time where it is believable, else the time of arrival.
    #[must_use]
    pub fn evidence_at(&self) -> UtcMillis {
        const LONGEST_SPOOL: i64 = 120 * UtcMillis::DAY;
        let waited = self.received_at.millis_since(self.measured_at);
        if (0..=LONGEST_SPOOL).contains(&waited) { self.measured_at } else { self.received_at }
    }
}

/// Memory and drives as first seen, or as staff last accepted them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<Bytes>,
    /// The drives.
    #[serde(default)]
    pub drives: Vec<BaselineDrive>,
}

/// A drive as it was known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineDrive {
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Bytes>,
}

impl Baseline {
    /// What `report` shows.
    #[must_use]
    pub fn of(report: &HealthReport) -> Self {
        Self { memory_bytes: report.memory.total_bytes, drives: report.drives.iter().map(BaselineDrive::of).collect() }
    }
}

impl BaselineDrive {
    /// What identifies `drive`.
    #[must_use]
    pub fn of(drive: &Drive) -> Self {
        Self {
            serial: drive.serial_number.get().map(ToString::to_string),
            model: drive.model.as_ref().map(ToString::to_string),
            capacity: drive.capacity_bytes,
        }
    }
}
