//! Programmes: the list, one with its form, and what is wrong with a form. Acts are in `programme_acts`.

use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Badge, Choice, Tone},
    download::Downloads,
    facts::{Fact, fact},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    auth::Role,
    domain::{
        language::Language,
        programme::{DEFAULT_AGREEMENT, DEFAULT_NOTICE_DAYS, InvalidProgramme, Programme, ProgrammeKind, Term},
    },
    exchange::export::ExportKind,
};

/// The roles that may be let see who is in a programme; those who run programmes always do.
const MEMBERSHIP: [Role; 4] = [Role::Referent, Role::Technician, Role::Refurbisher, Role::Auditor];
/// The kinds of term, as the form names them.
const TERMS: [&str; 4] = ["school_year_end", "date", "days", "open"];

/// What the form holds, as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProgrammeForm {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) term: String,
    pub(super) term_date: String,
    pub(super) term_days: String,
    pub(super) renewals: String,
    pub(super) accessories: String,
    pub(super) owner: String,
    pub(super) template: String,
    pub(super) notice_days: String,
    pub(super) referent: Option<String>,
    pub(super) technician: Option<String>,
    pub(super) refurbisher: Option<String>,
    pub(super) auditor: Option<String>,
}

/// Days as people write them: `-21, -7, 0`.
pub(super) fn days(text: &str) -> Result<Vec<i32>, InvalidProgramme> {
    let parts = text.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty());
    let plain = |part: &str| part.replace('−', "-").trim_start_matches('+').parse();
    parts.map(|part| plain(part).map_err(|_| InvalidProgramme::NoticeDays)).collect()
}

impl ProgrammeForm {
    /// The form of a new programme.
    pub(super) fn fresh(language: Language) -> Self {
        let charger = match language {
            Language::French => "Chargeur",
            Language::English => "Charger",
        };
        Self {
            kind: ProgrammeKind::IndividualLoan.as_str().to_owned(),
            term: TERMS[0].to_owned(),
            renewals: "1".to_owned(),
            accessories: charger.to_owned(),
            template: DEFAULT_AGREEMENT.to_owned(),
            notice_days: listed(&DEFAULT_NOTICE_DAYS),
            ..Self::default()
        }
    }

    /// The form of a programme that is there.
    pub(super) fn of(programme: &Programme) -> Self {
        let (term, term_date, term_days) = match programme.term {
            Term::Date(day) => ("date", day.to_string(), String::new()),
            Term::SchoolYearEnd => ("school_year_end", String::new(), String::new()),
            Term::Days(days) => ("days", String::new(), days.to_string()),
            Term::Open => ("open", String::new(), String::new()),
        };
        let member = |role| programme.membership.contains(&role).then(|| "on".to_owned());
        Self {
            code: programme.code.as_str().to_owned(),
            name: programme.name.clone(),
            kind: programme.kind.as_str().to_owned(),
            term: term.to_owned(),
            term_date,
            term_days,
            renewals: programme.renewals_allowed.to_string(),
            accessories: programme.accessories.join("\n"),
            owner: programme.owner.clone(),
            template: programme.agreement_template.clone(),
            notice_days: listed(&programme.notice_days),
            referent: member(Role::Referent),
            technician: member(Role::Technician),
            refurbisher: member(Role::Refurbisher),
            auditor: member(Role::Auditor),
        }
    }

    /// The programme that the form describes, under `id`.
    pub(super) fn read(&self, id: Uuid) -> Result<Programme, InvalidProgramme> {
        let members = [
            (&self.referent, Role::Referent),
            (&self.technician, Role::Technician),
            (&self.refurbisher, Role::Refurbisher),
            (&self.auditor, Role::Auditor),
        ];
        let lines = self.accessories.lines().map(str::trim).filter(|line| !line.is_empty());
        let programme = Programme {
            id,
            code: self.code.parse().map_err(|_| InvalidProgramme::Code)?,
            name: self.name.trim().to_owned(),
            kind: self.kind.parse().map_err(|_| InvalidProgramme::Kind)?,
            term: self.read_term()?,
            renewals_allowed: self.renewals.trim().parse().map_err(|_| InvalidProgramme::Renewals)?,
            accessories: lines.map(str::to_owned).collect(),
            owner: self.owner.trim().to_owned(),
            agreement_template: self.template.trim().to_owned(),
            membership: members.into_iter().filter(|(ticked, _)| ticked.is_some()).map(|(_, role)| role).collect(),
            notice_days: days(&self.notice_days)?,
            open: true,
        };
        programme.check().map(|()| programme)
    }

    fn read_term(&self) -> Result<Term, InvalidProgramme> {
        let date = || self.term_date.trim().parse::<Date>().map(Term::Date);
        match self.term.as_str() {
            "date" => date().map_err(|_| InvalidProgramme::Term),
            "days" => self.term_days.trim().parse().map(Term::Days).map_err(|_| InvalidProgramme::Term),
            "school_year_end" => Ok(Term::SchoolYearEnd),
            "open" => Ok(Term::Open),
            _ => Err(InvalidProgramme::Term),
        }
    }
}

fn listed(days: &[i32]) -> String {
    days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The word for what is wrong.
pub(super) const fn problem(wrong: InvalidProgramme) -> &'static str {
    match wrong {
        InvalidProgramme::Code => "programme-problem-code",
        InvalidProgramme::Name => "programme-problem-name",
        InvalidProgramme::Kind => "programme-problem-kind",
        InvalidProgramme::Term => "programme-problem-term",
        InvalidProgramme::Renewals => "programme-problem-renewals",
        InvalidProgramme::Accessories => "programme-problem-accessories",
        InvalidProgramme::Owner => "programme-problem-owner",
        InvalidProgramme::Template => "programme-problem-template",
        InvalidProgramme::NoticeDays => "programme-problem-notice-days",
    }
}

#[derive(Debug)]
struct Row {
    href: String,
    code: String,
    name: String,
    kind: String,
    term: String,
    owner: String,
    state: Badge,
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "programmes.html")]
pub(super) struct ProgrammesPage {
    shell: Shell,
    rows: Vec<Row>,
    may_change: bool,
    downloads: Downloads,
}

fn state(programme: &Programme, words: Words) -> Badge {
    if programme.open {
        Badge::new(Tone::Good, words.say("programme-open"))
    } else {
        Badge::new(Tone::Plain, words.say("programme-closed"))
    }
}

/// How long a loan lasts, in words.
pub(super) fn term(term: Term, words: Words) -> String {
    match term {
        Term::Date(day) => words.with("programme-until", &format::civil_date(day, words)),
        Term::SchoolYearEnd => words.say("programme-term-school_year_end"),
        Term::Days(days) => words.count("programme-for-days", i64::from(days)),
        Term::Open => words.say("programme-term-open"),
    }
}

impl ProgrammesPage {
    /// The page for these programmes.
    pub(super) fn new(shell: Shell, programmes: &[Programme], may_change: bool) -> Self {
        let words = shell.words;
        let row = |programme: &Programme| Row {
            href: format!("/programmes/{}", programme.id),
            code: programme.code.to_string(),
            name: programme.name.clone(),
            kind: words.word("programme-kind", programme.kind.as_str()),
            term: term(programme.term, words),
            owner: programme.owner.clone(),
            state: state(programme, words),
        };
        let downloads = Downloads::whole(ExportKind::Programmes, words);
        Self { rows: programmes.iter().map(row).collect(), may_change, downloads, shell }
    }
}

#[derive(Debug)]
struct Tick {
    name: &'static str,
    label: String,
    ticked: bool,
}

/// One programme, or the form of a new one.
#[derive(Debug, Template)]
#[template(path = "programme.html")]
pub(super) struct ProgrammePage {
    shell: Shell,
    csrf: String,
    action: String,
    fresh: bool,
    state: Option<Badge>,
    facts: Vec<Fact>,
    open: bool,
    may_change: bool,
    problem: Option<String>,
    form: ProgrammeForm,
    kinds: Vec<Choice>,
    terms: Vec<Choice>,
    ticks: Vec<Tick>,
}

/// What becomes of the form.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub(super) form: ProgrammeForm,
    pub(super) problem: Option<&'static str>,
}

impl ProgrammePage {
    /// The page of `programme`, or of a new one without it.
    pub(super) fn new(shell: Shell, programme: Option<&Programme>, may_change: bool, filled: Filled) -> Self {
        let words = shell.words;
        let Filled { form, problem } = filled;
        let choices = |family: &str, values: &[&str], present: &str| {
            let choice = |value: &&str| Choice {
                value: (*value).to_owned(),
                label: words.word(family, value),
                selected: *value == present,
            };
            values.iter().map(choice).collect()
        };
        let kinds: Vec<&str> = ProgrammeKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let ticked = [&form.referent, &form.technician, &form.refurbisher, &form.auditor].map(Option::is_some);
        let tick = |(role, ticked): (Role, bool)| Tick {
            name: role.as_str(),
            label: words.word("staff-role", role.as_str()),
            ticked,
        };
        Self {
            csrf: shell.csrf(),
            action: programme.map_or_else(|| "/programmes".to_owned(), |one| format!("/programmes/{}", one.id)),
            fresh: programme.is_none(),
            state: programme.map(|one| state(one, words)),
            facts: programme.map_or_else(Vec::new, |one| facts(one, words)),
            open: programme.is_some_and(|one| one.open),
            may_change,
            problem: problem.map(|key| words.say(key)),
            kinds: choices("programme-kind", &kinds, &form.kind),
            terms: choices("programme-term", &TERMS, &form.term),
            ticks: MEMBERSHIP.into_iter().zip(ticked).map(tick).collect(),
            form,
            shell,
        }
    }
}

fn facts(programme: &Programme, words: Words) -> Vec<Fact> {
    let or_none = |text: String| Some(text).filter(|text| !text.is_empty()).or_else(|| Some(words.say("none")));
    let members: Vec<String> =
        programme.membership.iter().map(|role| words.word("staff-role", role.as_str())).collect();
    vec![
        fact(words, "programme-code", Some(programme.code.to_string())),
        fact(words, "programme-kind", Some(words.word("programme-kind", programme.kind.as_str()))),
        fact(words, "programme-term", Some(term(programme.term, words))),
        fact(words, "programme-renewals", Some(programme.renewals_allowed.to_string())),
        fact(words, "programme-accessories", or_none(programme.accessories.join(", "))),
        fact(words, "programme-owner", Some(programme.owner.clone())),
        fact(words, "programme-template", Some(programme.agreement_template.clone())),
        fact(words, "programme-notice-days", or_none(listed(&programme.notice_days))),
        fact(words, "programme-membership", or_none(members.join(", "))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_back_the_programme_it_was_made_of() {
        let fresh = ProgrammeForm {
            code: "d5".to_owned(),
            name: " Prêt ".to_owned(),
            owner: "Département".to_owned(),
            term: "days".to_owned(),
            term_days: "30".to_owned(),
            auditor: Some("on".to_owned()),
            ..ProgrammeForm::fresh(Language::French)
        };
        let programme = fresh.read(Uuid::nil()).unwrap();
        assert_eq!((programme.name.as_str(), programme.term), ("Prêt", Term::Days(30)));
        assert_eq!(programme.membership, [Role::Auditor]);
        assert_eq!(ProgrammeForm::of(&programme).read(Uuid::nil()), Ok(programme));
        assert_eq!(days("-21; −7 +3"), Ok(vec![-21, -7, 3]));
        assert_eq!(days("soon"), Err(InvalidProgramme::NoticeDays));
        let undated = ProgrammeForm { term: "date".to_owned(), ..fresh };
        assert_eq!(undated.read(Uuid::nil()), Err(InvalidProgramme::Term));
    }
}
