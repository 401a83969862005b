//! Imports: what a file's columns mean, what a row says, and what it would change. Nothing here reads or writes.
//!
//! A row becomes a record ([`cells`]), is compared with what is known, and gives an [`Outcome`]: bad with its reasons,
//! the same as before, new, or changed with what changes. The store writes outcomes and decides nothing.

pub mod borrower;
pub mod cells;
pub mod device;
pub mod fault;
pub mod field;
mod field_names;
pub mod foreign;
pub mod loan;
pub mod mapping;
pub mod need;
pub mod site;
pub mod value;
pub mod words;

use super::verdict::text_enum;
use fault::Fault;
use field::Field;

text_enum! {
    /// What a file lists.
    pub enum Kind {
        /// Devices.
        Devices = "devices",
        /// Sites.
        Sites = "sites",
        /// Borrowers.
        Borrowers = "borrowers",
        /// Loans.
        Loans = "loans",
        /// What sites need.
        Needs = "needs",
    }
}

impl Kind {
    /// Whether rows say who somebody is: their values are then shown nowhere but to whoever brought the file.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Borrowers | Self::Loans | Self::Needs)
    }
}

text_enum! {
    /// What happens to an import with bad rows.
    pub enum OnError {
        /// Nothing is written unless every row is good.
        Stop = "stop",
        /// Bad rows are left out.
        Skip = "skip",
    }
}

text_enum! {
    /// What a blank cell means.
    pub enum Blanks {
        /// Nothing: what is stored stays.
        Keep = "keep",
        /// What is stored is erased.
        Erase = "erase",
    }
}

text_enum! {
    /// Where an import has come to.
    pub enum ImportState {
        /// Its columns are being looked at.
        Mapping = "mapping",
        /// It is being checked, without writing.
        Checking = "checking",
        /// It was checked.
        Checked = "checked",
        /// It is being written.
        Applying = "applying",
        /// It was written.
        Done = "done",
        /// A bad row stopped it; nothing was written.
        Refused = "refused",
        /// Something of ours failed.
        Failed = "failed",
    }
}

impl ImportState {
    /// Whether it may be written now: what was not checked is not, for the check is what a person decides on.
    #[must_use]
    pub const fn may_be_written(self) -> bool {
        matches!(self, Self::Checked | Self::Refused)
    }

    /// Whether it may be deleted: not while it writes.
    #[must_use]
    pub const fn may_be_deleted(self) -> bool {
        !matches!(self, Self::Applying)
    }
}

text_enum! {
    /// What becomes of a row.
    pub enum OutcomeName {
        /// It adds something.
        New = "new",
        /// It changes something.
        Changed = "changed",
        /// It says what is stored already.
        Same = "same",
        /// It cannot be taken.
        Bad = "bad",
    }
}

/// One value that a row changes, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub field: Field,
    /// What was stored; absent where it is personal or there was nothing.
    pub before: Option<String>,
    /// What will be; absent where it is personal or erased.
    pub after: Option<String>,
}

/// What a row does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Nothing, for these reasons.
    Bad(Vec<Fault>),
    /// Nothing: it is stored already.
    Same,
    /// Adds this.
    New(T),
    /// Makes what is stored into this.
    Changed(T, Vec<FieldChange>),
}

impl<T> Outcome<T> {
    /// What it is called.
    pub const fn name(&self) -> OutcomeName {
        match self {
            Self::Bad(_) => OutcomeName::Bad,
            Self::Same => OutcomeName::Same,
            Self::New(_) => OutcomeName::New,
            Self::Changed(..) => OutcomeName::Changed,
        }
    }
}

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that add.
    pub new: i64,
    /// Rows that change.
    pub changed: i64,
    /// Rows that say what is stored.
    pub same: i64,
    /// Rows that cannot be taken.
    pub bad: i64,
}

impl Counts {
    /// Counts one more.
    pub const fn add(&mut self, outcome: OutcomeName) {
        match outcome {
            OutcomeName::New => self.new += 1,
            OutcomeName::Changed => self.changed += 1,
            OutcomeName::Same => self.same += 1,
            OutcomeName::Bad => self.bad += 1,
        }
    }

    /// Adds others.
    pub const fn add_all(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.same += other.same;
        self.bad += other.bad;
    }

    /// All rows.
    #[must_use]
    pub const fn total(self) -> i64 {
        self.new + self.changed + self.same + self.bad
    }
}
