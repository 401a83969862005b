//! Programmes: the schemes under which devices are lent or given, and when a loan under one is due.

use jiff::{ToSpan as _, civil::Date};
use uuid::Uuid;

use super::{
    authority::Role,
    school_calendar::{Closure, Zone, school_year_end},
    verdict::text_enum,
};

text_enum! {
    /// What a programme does with devices.
    pub enum ProgrammeKind {
        /// Lent to one person, usually a pupil.
        IndividualLoan = "individual_loan",
        /// Lent to an institution, which hands it on within its walls.
        InstitutionalPool = "institutional_pool",
        /// Lent to staff for years.
        StaffLoan = "staff_loan",
        /// Given: the device changes owner.
        Gift = "gift",
    }
}

/// How long a loan lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Until this day, for everyone.
    Date(Date),
    /// Until the last school day before the summer after the hand-over.
    SchoolYearEnd,
    /// That many days from the hand-over.
    Days(u32),
    /// No due date: pools, gifts.
    Open,
}

/// Longest term in days: twenty years, beyond the life of any device.
pub const MAX_TERM_DAYS: u32 = 7_300;

impl Term {
    /// The day on which a device handed over on `start` is due; none for an open term.
    #[must_use]
    pub fn due(self, start: Date, zone: Option<Zone>, closures: &[Closure]) -> Option<Date> {
        match self {
            Self::Date(day) => Some(day),
            Self::SchoolYearEnd => Some(school_year_end(start, zone, closures)),
            Self::Days(days) => start.checked_add(i64::from(days.min(MAX_TERM_DAYS)).days()).ok(),
            Self::Open => None,
        }
    }
}

/// A programme's neutral code: it says nothing about the people who are in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgrammeCode(String);

/// Longest code in characters: it stands in narrow columns and on labels.
const MAX_CODE_CHARS: usize = 16;

/// A text that cannot be a programme's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme's code has 1 to {MAX_CODE_CHARS} characters: letters without accents, digits and -")]
pub struct InvalidProgrammeCode;

impl ProgrammeCode {
    /// The code, in capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ProgrammeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ProgrammeCode {
    type Err = InvalidProgrammeCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.trim().to_ascii_uppercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let fits = (1..=MAX_CODE_CHARS).contains(&code.len()) && code.chars().all(allowed);
        fits.then_some(Self(code)).ok_or(InvalidProgrammeCode)
    }
}

/// Days relative to the due date on which borrowers are written to, unless a programme says otherwise.
pub const DEFAULT_NOTICE_DAYS: [i32; 6] = [-21, -7, -1, 0, 7, 21];

/// A scheme under which devices are lent or given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// Never given to another.
    pub id: Uuid,
    /// What devices and tokens name.
    pub code: ProgrammeCode,
    /// What people call it.
    pub name: String,
    /// What it does with devices.
    pub kind: ProgrammeKind,
    /// How long a loan lasts.
    pub term: Term,
    /// How often a loan may be extended.
    pub renewals_allowed: u32,
    /// What goes with a device: charger, bag…
    pub accessories: Vec<String>,
    /// Who owns the devices: the département or a supplying partner.
    pub owner: String,
    /// Name of the agreement's template.
    pub agreement_template: String,
    /// The roles that may see who is in it, besides administrators and programme managers.
    pub membership: Vec<Role>,
    /// Days relative to the due date on which borrowers are written to.
    pub notice_days: Vec<i32>,
    /// Whether it still lends. Closing keeps its history.
    pub open: bool,
}

impl Programme {
    /// Whether a person with this role may see that a device or a borrower belongs to this programme.
    #[must_use]
    pub fn shows_membership_to(&self, role: Role) -> bool {
        matches!(role, Role::Administrator | Role::ProgrammeManager) || self.membership.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_code_is_neutral_short_and_in_capitals() {
        assert_eq!(" d5 ".parse::<ProgrammeCode>().unwrap().as_str(), "D5");
        for bad in ["", "élèves", "a b", "=1+1", "12345678901234567"] {
            assert_eq!(bad.parse::<ProgrammeCode>(), Err(InvalidProgrammeCode), "{bad}");
        }
    }

    #[test]
    fn each_term_has_its_due_date() {
        let start = date(2026, 9, 7);
        let due = |term: Term| term.due(start, Some(Zone::C), &[]);
        assert_eq!(due(Term::Date(date(2027, 6, 15))), Some(date(2027, 6, 15)));
        assert_eq!(due(Term::Days(30)), Some(date(2026, 10, 7)));
        assert_eq!(due(Term::SchoolYearEnd), Some(date(2027, 7, 2)));
        assert_eq!(due(Term::Open), None);
        assert_eq!(Term::Days(u32::MAX).due(date(9999, 12, 1), None, &[]), None);
    }
}
