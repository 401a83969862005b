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
    /// As the command line and the audit write it: `2027-07-02`, `school_year_end`, a number of days, `open`.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Date(day) => day.to_string(),
            Self::SchoolYearEnd => "school_year_end".to_owned(),
            Self::Days(days) => days.to_string(),
            Self::Open => "open".to_owned(),
        }
    }

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

/// The agreement that the installation brings, `agreement.typ`, as programmes name it. A programme that names another
/// uses `agreement-NAME.typ` where there is one.
pub const DEFAULT_AGREEMENT: &str = "agreement";

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

/// Longest name, owner and accessory in characters.
const MAX_NAME_CHARS: usize = 80;
/// Most accessories: a checklist that people read.
const MAX_ACCESSORIES: usize = 20;
/// Most renewals.
const MAX_RENEWALS: u32 = 20;
/// Most notices about one due date.
const MAX_NOTICE_DAYS: usize = 12;
/// Farthest notice from the due date, in days.
const MAX_NOTICE_DISTANCE: i32 = 365;

/// What cannot be in a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProgramme {
    /// The code.
    #[error("{}", InvalidProgrammeCode)]
    Code,
    /// The name.
    #[error("a programme's name has 1 to {MAX_NAME_CHARS} characters")]
    Name,
    /// The kind.
    #[error("a programme is individual_loan, institutional_pool, staff_loan or gift")]
    Kind,
    /// How long a loan lasts.
    #[error("a term is a date, school_year_end, 1 to {MAX_TERM_DAYS} days, or open")]
    Term,
    /// How often it may be extended.
    #[error("a loan is renewed at most {MAX_RENEWALS} times")]
    Renewals,
    /// What goes with a device.
    #[error("at most {MAX_ACCESSORIES} accessories, each named once in at most {MAX_NAME_CHARS} characters")]
    Accessories,
    /// Who owns the devices.
    #[error("a programme's owner is named in 1 to {MAX_NAME_CHARS} characters")]
    Owner,
    /// The agreement's template.
    #[error("the name of an agreement's template has 1 to {MAX_NAME_CHARS} small letters, digits, - and _")]
    Template,
    /// When borrowers are written to.
    #[error("at most {MAX_NOTICE_DAYS} different days, none more than {MAX_NOTICE_DISTANCE} from the due date")]
    NoticeDays,
}

/// One line of text that people read.
fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_NAME_CHARS && !text.contains(char::is_control)
}

/// Whether no value is there twice.
fn all_differ<T: Ord>(values: &[T]) -> bool {
    values.iter().collect::<std::collections::BTreeSet<_>>().len() == values.len()
}

impl Programme {
    /// What is wrong with it, if anything: asked before it is recorded.
    pub fn check(&self) -> Result<(), InvalidProgramme> {
        let template = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let term = match self.term {
            Term::Days(days) => (1..=MAX_TERM_DAYS).contains(&days),
            Term::Date(_) | Term::SchoolYearEnd | Term::Open => true,
        };
        let accessories = self.accessories.len() <= MAX_ACCESSORIES
            && self.accessories.iter().all(|name| is_line(name))
            && all_differ(&self.accessories);
        let near = |day: &i32| day.unsigned_abs() <= MAX_NOTICE_DISTANCE.unsigned_abs();
        let notices = self.notice_days.len() <= MAX_NOTICE_DAYS
            && self.notice_days.iter().all(near)
            && all_differ(&self.notice_days);
        let named = (1..=MAX_NAME_CHARS).contains(&self.agreement_template.len());
        let checks = [
            (is_line(&self.name), InvalidProgramme::Name),
            (term, InvalidProgramme::Term),
            (self.renewals_allowed <= MAX_RENEWALS, InvalidProgramme::Renewals),
            (accessories, InvalidProgramme::Accessories),
            (is_line(&self.owner), InvalidProgramme::Owner),
            (named && self.agreement_template.chars().all(template), InvalidProgramme::Template),
            (notices, InvalidProgramme::NoticeDays),
        ];
        checks.into_iter().find(|(fine, _)| !fine).map_or(Ok(()), |(_, wrong)| Err(wrong))
    }
}

/// The programmes whose membership one role may see: asked before a device's or a borrower's programme is shown. A
/// code that no programme has is nobody's to see but theirs who see all: who may see it was never said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    all: bool,
    shown: Vec<(Uuid, ProgrammeCode)>,
}

impl Visibility {
    /// What `role` may see of these programmes.
    #[must_use]
    pub fn of(role: Role, programmes: &[Programme]) -> Self {
        let shown = programmes.iter().filter(|programme| programme.shows_membership_to(role));
        Self {
            all: matches!(role, Role::Administrator | Role::ProgrammeManager),
            shown: shown.map(|programme| (programme.id, programme.code.clone())).collect(),
        }
    }

    /// Whether the role may see who is in the programme with that code.
    #[must_use]
    pub fn shows(&self, code: &str) -> bool {
        self.all || self.shown.iter().any(|(_, shown)| shown.as_str() == code)
    }

    /// Whether the role may see who is in that programme.
    #[must_use]
    pub fn shows_id(&self, id: Uuid) -> bool {
        self.all || self.shown.iter().any(|(shown, _)| *shown == id)
    }

    /// The code, if the role may see it.
    #[must_use]
    pub fn filter(&self, code: Option<String>) -> Option<String> {
        code.filter(|code| self.shows(code))
    }
}

/// A programme for tests, which shows its members to nobody but those who run it.
#[cfg(test)]
pub(crate) fn sample(code: &str) -> Programme {
    Programme {
        id: Uuid::from_u128(1),
        code: code.parse().unwrap(),
        name: "Prêt individuel".to_owned(),
        kind: ProgrammeKind::IndividualLoan,
        term: Term::SchoolYearEnd,
        renewals_allowed: 1,
        accessories: vec!["Chargeur".to_owned()],
        owner: "Département".to_owned(),
        agreement_template: "loan-agreement".to_owned(),
        membership: vec![],
        notice_days: DEFAULT_NOTICE_DAYS.to_vec(),
        open: true,
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
        let texts = [Term::Date(date(2027, 6, 15)), Term::SchoolYearEnd, Term::Days(30), Term::Open].map(Term::text);
        assert_eq!(texts, ["2027-06-15", "school_year_end", "30", "open"]);
    }

    fn programme() -> Programme {
        Programme { membership: vec![Role::Referent], ..sample("D5") }
    }

    #[test]
    fn what_cannot_be_lent_by_is_refused() {
        assert_eq!(programme().check(), Ok(()));
        let with = |change: fn(&mut Programme)| {
            let mut changed = programme();
            change(&mut changed);
            changed.check()
        };
        assert_eq!(with(|p| p.name = " ".into()), Err(InvalidProgramme::Name));
        assert_eq!(with(|p| p.term = Term::Days(0)), Err(InvalidProgramme::Term));
        assert_eq!(with(|p| p.renewals_allowed = 21), Err(InvalidProgramme::Renewals));
        assert_eq!(with(|p| p.accessories.push("Chargeur".into())), Err(InvalidProgramme::Accessories));
        assert_eq!(with(|p| p.owner = "a\nb".into()), Err(InvalidProgramme::Owner));
        assert_eq!(with(|p| p.agreement_template = "../x".into()), Err(InvalidProgramme::Template));
        assert_eq!(with(|p| p.notice_days.push(366)), Err(InvalidProgramme::NoticeDays));
        assert_eq!(with(|p| p.notice_days.push(0)), Err(InvalidProgramme::NoticeDays));
    }

    #[test]
    fn who_is_in_a_programme_is_shown_to_those_it_names_and_to_those_who_run_it() {
        let programmes = [
            programme(),
            Programme { id: Uuid::from_u128(2), code: "D9".parse().unwrap(), membership: Vec::new(), ..programme() },
        ];
        let sees = |role| {
            let visibility = Visibility::of(role, &programmes);
            assert_eq!(visibility.shows("D9"), visibility.shows_id(Uuid::from_u128(2)));
            [visibility.shows("D5"), visibility.shows("D9"), visibility.shows("unrecorded")]
        };
        assert_eq!(sees(Role::Administrator), [true; 3]);
        assert_eq!(sees(Role::ProgrammeManager), [true; 3]);
        assert_eq!(sees(Role::Referent), [true, false, false]);
        for role in [Role::Technician, Role::Refurbisher, Role::Auditor] {
            assert_eq!(sees(role), [false; 3], "{role:?}");
        }
        assert_eq!(Visibility::of(Role::Technician, &programmes).filter(Some("D9".to_owned())), None);
    }
}
