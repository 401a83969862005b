//! One borrower: its reference and loans, and, only when asked for, who it is.

use askama::Template;

use super::{
    borrower_form::{IdentityForm, called, levels},
    component::{Badge, Choice, Tone},
    facts::{Fact, fact},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        borrower::{Borrower, BorrowerKind, Identity, IdentityLanguage},
        language::Language,
        loan::Loan,
        programme::{Programme, Visibility},
    },
    store::site::SiteRow,
};

/// Everything the page shows, as read in one unit of work.
#[derive(Debug)]
pub(super) struct BorrowerRead {
    pub(super) borrower: Borrower,
    pub(super) site: Option<SiteRow>,
    pub(super) identity_known: bool,
    pub(super) loans: Vec<Loan>,
    /// Serial number or asset tag of each loan's device, in the order of `loans`.
    pub(super) devices: Vec<String>,
    pub(super) programmes: Vec<Programme>,
}

/// What the reader may know and do.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) identity: bool,
    pub(super) change: bool,
    pub(super) programmes: Visibility,
}

/// Who the borrower is, where the reader asked, and what became of a form.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) identity: Option<Identity>,
    pub(super) form: Option<IdentityForm>,
    pub(super) problem: Option<&'static str>,
}

#[derive(Debug)]
struct LoanRow {
    href: String,
    device: String,
    programme: String,
    state: Badge,
    from: String,
    due: String,
    ended: String,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one part of the page, shown or not")]
struct Parts {
    person: bool,
    may_reveal: bool,
    may_change: bool,
    may_erase: bool,
    left: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "borrower.html")]
pub(super) struct BorrowerPage {
    shell: Shell,
    csrf: String,
    id: String,
    badges: Vec<Badge>,
    facts: Vec<Fact>,
    identity_state: String,
    identity: Vec<Fact>,
    problem: Option<String>,
    form: Option<IdentityForm>,
    english: bool,
    levels: Vec<Choice>,
    institution: String,
    today: String,
    loans: Vec<LoanRow>,
    open_loans: i64,
    parts: Parts,
}

/// The page's heading.
pub(super) fn title(borrower: &Borrower) -> String {
    called(borrower)
}

impl BorrowerPage {
    /// The page for what was read. Who the person is stands in it only when `shown` holds it.
    pub(super) fn new(
        shell: Shell,
        read: &BorrowerRead,
        allowed: &Allowed,
        shown: Shown,
        today: jiff::civil::Date,
    ) -> Self {
        let words = shell.words;
        let person = read.borrower.kind == BorrowerKind::Person;
        let open_loans = i64::try_from(read.loans.iter().filter(|loan| loan.is_open()).count()).unwrap_or_default();
        let known = read.identity_known;
        let fresh = (person && allowed.change && allowed.identity && !known).then(IdentityForm::default);
        let form =
            shown.form.or_else(|| shown.identity.as_ref().filter(|_| allowed.change).map(IdentityForm::of)).or(fresh);
        let level = read.borrower.level.filter(|_| allowed.identity);
        Self {
            csrf: shell.csrf(),
            id: read.borrower.id.to_string(),
            badges: badges(&read.borrower, open_loans, words),
            identity_state: identity_state(read, words),
            identity: shown.identity.as_ref().map_or_else(Vec::new, |identity| who(identity, words)),
            problem: shown.problem.map(|key| words.say(key)),
            english: form.as_ref().is_some_and(|form| form.language == "en"),
            form,
            levels: levels(level.map_or("", |level| level.as_str()), words),
            institution: read.borrower.institution_name.clone().unwrap_or_default(),
            today: today.to_string(),
            open_loans,
            parts: Parts {
                person,
                may_reveal: person && allowed.identity && known && shown.identity.is_none(),
                may_change: allowed.change,
                may_erase: person && allowed.change && known,
                left: read.borrower.left_site_day.is_some(),
            },
            facts: facts(read, allowed, words),
            loans: loans(read, &allowed.programmes, words),
            shell,
        }
    }
}

fn badges(borrower: &Borrower, open_loans: i64, words: Words) -> Vec<Badge> {
    let mut badges = vec![Badge::new(Tone::Plain, words.word("borrower-kind", borrower.kind.as_str()))];
    if open_loans > 0 {
        badges.push(Badge::new(Tone::Info, words.count("borrower-holds", open_loans)));
    }
    if borrower.left_site_day.is_some() {
        badges.push(Badge::new(Tone::Warning, words.say("borrower-has-left")));
    }
    badges
}

fn identity_state(read: &BorrowerRead, words: Words) -> String {
    match (read.identity_known, read.borrower.identity_erased_at) {
        (true, _) => words.say("borrower-identity-sealed"),
        (false, Some(at)) => words.with("borrower-identity-erased-on", &format::date(at, words)),
        (false, None) => words.say("borrower-identity-unknown"),
    }
}

fn facts(read: &BorrowerRead, allowed: &Allowed, words: Words) -> Vec<Fact> {
    let borrower = &read.borrower;
    let site = read.site.as_ref().map(|site| words.with_two("site-named", &site.name, &site.uai));
    let mut facts = vec![
        fact(words, "borrower-reference", Some(borrower.reference.to_string())),
        fact(words, "devices-site", site.or_else(|| Some(words.say("no-site")))),
        fact(words, "borrower-recorded", Some(format::date(borrower.created_at, words))),
    ];
    if borrower.kind == BorrowerKind::Person && allowed.identity {
        let level = borrower.level.map(|level| words.word("level", level.as_str()));
        facts.push(fact(words, "borrower-level", level.or_else(|| Some(words.say("borrower-no-level")))));
    }
    if let Some(day) = borrower.left_site_day {
        facts.push(fact(words, "borrower-left-on", Some(format::day(day, words))));
    }
    facts
}

fn who(identity: &Identity, words: Words) -> Vec<Fact> {
    let or_none = |value: Option<String>| value.or_else(|| Some(words.say("none")));
    let language = match identity.language {
        Some(IdentityLanguage::English) => Language::English,
        Some(IdentityLanguage::French) | None => Language::French,
    };
    let mut facts = vec![
        fact(words, "borrower-name", Some(identity.name.clone())),
        fact(words, "borrower-class", or_none(identity.class.clone())),
        fact(words, "borrower-email", or_none(identity.email.clone())),
        fact(words, "borrower-language", Some(Words::of(language).say("language-name"))),
    ];
    for guardian in &identity.guardians {
        let parts = [Some(guardian.name.clone()), guardian.email.clone(), guardian.phone.clone()];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        facts.push(fact(words, "borrower-guardian", Some(text)));
    }
    facts
}

fn loans(read: &BorrowerRead, visibility: &Visibility, words: Words) -> Vec<LoanRow> {
    let row = |(loan, device): (&Loan, &String)| {
        let programme = read.programmes.iter().find(|one| one.id == loan.programme && visibility.shows_id(one.id));
        let handed = loan.state.handed_over();
        let due = handed.and_then(|handed| handed.due);
        LoanRow {
            href: format!("/devices/{}", loan.device),
            device: device.clone(),
            programme: programme.map_or_else(|| words.say("programme-restricted"), |one| one.code.to_string()),
            state: Badge::new(
                if loan.is_open() { Tone::Info } else { Tone::Plain },
                words.word("borrower-loan", loan.state.name().as_str()),
            ),
            from: format::date(handed.map_or(loan.reserved_at, |handed| handed.at), words),
            due: due.map_or_else(|| words.say("programme-term-open"), |day| format::civil_date(day, words)),
            ended: loan.state.ended_at().map_or_else(String::new, |at| format::date(at, words)),
        }
    };
    read.loans.iter().zip(&read.devices).map(row).collect()
}
