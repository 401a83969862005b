//! Donation: the lots, and one lot with what is missing for each of its units.

use askama::Template;
use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    component::{Badge, Choice, Tone, When},
    device_list::device_name,
    document::Line as PaperLine,
    download::Downloads,
    facts::{Fact, fact},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        device::full_model,
        donation::{
            Cents, Estimation, LotState, Recipient, UnitState,
            basis::LegalBasis,
            conditions::Unmet,
            entry::{TermsEntry, ValueEntry},
        },
        loan::LendingState,
        paris,
    },
    store::{document::Document, donation_line::LineRow, donation_lot::LotRow},
};

fn state(state: LotState, words: Words) -> Badge {
    let tone = match state {
        LotState::Draft => Tone::Info,
        LotState::Approved => Tone::Warning,
        LotState::Delivered => Tone::Good,
        LotState::Dropped => Tone::Plain,
    };
    Badge::new(tone, words.word("lot-state", state.as_str()))
}

pub(super) fn choices(family: &str, values: &[&'static str], present: &str, words: Words) -> Vec<Choice> {
    let choice = |value: &&'static str| Choice {
        value: (*value).to_owned(),
        label: words.word(family, value),
        selected: *value == present,
    };
    values.iter().map(choice).collect()
}

fn recipient_choices(recipients: &[Recipient], present: &str) -> Vec<Choice> {
    let open = recipients.iter().filter(|one| one.ended_at.is_none() || one.id.to_string() == present);
    open.map(|one| Choice {
        value: one.id.to_string(),
        label: one.name.clone(),
        selected: one.id.to_string() == present,
    })
    .collect()
}

/// The fields of a lot's terms.
#[derive(Debug)]
struct TermsForm {
    entry: TermsEntry,
    recipients: Vec<Choice>,
    bases: Vec<Choice>,
}

impl TermsForm {
    fn new(entry: TermsEntry, recipients: &[Recipient], words: Words) -> Self {
        let bases: Vec<&str> = LegalBasis::ALL.iter().map(|basis| basis.as_str()).collect();
        Self {
            recipients: recipient_choices(recipients, &entry.recipient),
            bases: choices("basis", &bases, &entry.basis, words),
            entry,
        }
    }
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    recipient: String,
    units: String,
    state: Badge,
    prepared: When,
    by: String,
}

/// The list of lots.
#[derive(Debug, Template)]
#[template(path = "lots.html")]
pub(super) struct LotsPage {
    shell: Shell,
    csrf: String,
    may_prepare: bool,
    problem: Option<String>,
    rows: Vec<Row>,
    form: TermsForm,
    families: String,
}

impl LotsPage {
    /// The page for these lots.
    pub(super) fn new(
        shell: Shell,
        (lots, recipients): (&[LotRow], &[Recipient]),
        (may_prepare, problem, entry): (bool, Option<String>, TermsEntry),
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let row = |lot: &LotRow| Row {
            href: format!("/lots/{}", lot.id),
            name: lot.name.clone(),
            recipient: lot.recipient_name.clone().unwrap_or_else(|| words.say("lot-no-recipient")),
            units: format::number(lot.units, words.language),
            state: state(lot.state, words),
            prepared: When::relative(lot.prepared_at, now, words),
            by: words.with("token-by", &lot.prepared_by.name),
        };
        Self {
            csrf: shell.csrf(),
            may_prepare,
            problem,
            rows: lots.iter().map(row).collect(),
            form: TermsForm::new(entry, recipients, words),
            families: families_warning(words),
            shell,
        }
    }
}

/// What is said wherever a direct gift to families can be chosen.
fn families_warning(words: Words) -> String {
    let warning = LegalBasis::FamiliesByDeliberation.warning();
    warning.map_or_else(String::new, |said| words.said(&said))
}

/// What the person may do with a lot.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one form of the page, shown or not")]
pub(super) struct May {
    /// Change a draft.
    pub(super) change: bool,
    /// Approve it.
    pub(super) approve: bool,
    /// Whether only that it is their own work keeps the person from approving it.
    pub(super) own: bool,
    /// Print its papers.
    pub(super) print: bool,
    /// Record its hand-over.
    pub(super) deliver: bool,
    /// Give it up.
    pub(super) give_up: bool,
}

/// Everything that a lot's page shows.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) lot: LotRow,
    pub(super) lines: Vec<LineRow>,
    pub(super) recipients: Vec<Recipient>,
    pub(super) papers: Vec<Document>,
}

/// What was typed and refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) terms: Option<TermsEntry>,
    pub(super) codes: String,
    pub(super) value: ValueEntry,
    pub(super) day: String,
    pub(super) deed: String,
}

#[derive(Debug)]
struct Unit {
    id: String,
    href: String,
    name: String,
    about: String,
    value: String,
    estimated: Option<String>,
    ceiling: Option<String>,
    drives: String,
    ready: Option<Badge>,
    old: Option<Badge>,
    unmet: Vec<String>,
    erasures: Option<String>,
}

/// One lot.
#[derive(Debug, Template)]
#[template(path = "lot.html")]
pub(super) struct LotPage {
    shell: Shell,
    csrf: String,
    id: Uuid,
    state: Badge,
    about: Vec<String>,
    problem: Option<String>,
    warning: Option<String>,
    families: String,
    may: May,
    facts: Vec<Fact>,
    summary: Badge,
    too_old: Option<String>,
    form: TermsForm,
    typed: Typed,
    estimations: Vec<Choice>,
    units: Vec<Unit>,
    papers: Vec<PaperLine>,
    deeds: Vec<String>,
    downloads: Downloads,
}

impl LotPage {
    /// The page for what was found.
    pub(super) fn new(
        shell: Shell,
        found: Found,
        may: May,
        (problem, mut typed): (Option<String>, Typed),
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        if typed.day.is_empty() {
            typed.day = paris::date(now).to_string();
        }
        let Found { lot, lines, recipients, papers } = found;
        let warning = lot.terms.basis.and_then(LegalBasis::warning).map(|said| words.said(&said));
        let estimations: Vec<&str> = Estimation::ALL.iter().map(|how| how.as_str()).collect();
        let entry = typed.terms.clone().unwrap_or_else(|| entry(&lot));
        let is_deed = |paper: &&Document| paper.number.kind == crate::domain::document::DocumentKind::DonationDeed;
        Self {
            csrf: shell.csrf(),
            id: lot.id,
            state: state(lot.state, words),
            about: about(&lot, now, words),
            problem,
            warning,
            families: families_warning(words),
            may,
            facts: facts(&lot, &recipients, words),
            summary: summary(&lot, &lines, words),
            too_old: too_old(&lines, words),
            form: TermsForm::new(entry, &recipients, words),
            estimations: choices("estimation", &estimations, &typed.value.estimation, words),
            typed,
            deeds: papers.iter().filter(is_deed).map(|paper| paper.number.to_string()).collect(),
            papers: papers.iter().map(|paper| PaperLine::new(paper, words)).collect(),
            units: lines.iter().map(|line| unit(line, words)).collect(),
            downloads: Downloads::new(&format!("/lots/{}/packing", lot.id), |path| format!("{path}?"), words),
            shell,
        }
    }
}

fn entry(lot: &LotRow) -> TermsEntry {
    let deliberation = lot.terms.deliberation.as_ref();
    TermsEntry {
        name: lot.name.clone(),
        recipient: lot.terms.recipient.map(|id| id.to_string()).unwrap_or_default(),
        basis: lot.terms.basis.map(|basis| basis.as_str().to_owned()).unwrap_or_default(),
        deliberation_number: deliberation.map(|decided| decided.number.clone()).unwrap_or_default(),
        deliberation_day: deliberation.map(|decided| decided.day.to_string()).unwrap_or_default(),
    }
}

fn about(lot: &LotRow, now: UtcMillis, words: Words) -> Vec<String> {
    let when = |moment| format::relative(moment, now, words);
    let mut about = vec![words.with_two("lot-prepared-by", &lot.prepared_by.name, &when(lot.prepared_at))];
    if let (Some(who), Some(at)) = (&lot.approved_by, lot.approved_at) {
        about.push(words.with_two("lot-approved-by", &who.name, &when(at)));
    }
    if let Some(done) = &lot.delivered {
        about.push(words.with_two("lot-delivered-by", &done.by.name, &format::civil_date(done.day, words)));
    }
    about
}

fn facts(lot: &LotRow, recipients: &[Recipient], words: Words) -> Vec<Fact> {
    let recipient = recipients.iter().find(|one| Some(one.id) == lot.terms.recipient);
    let class = recipient.map(|one| words.word("recipient-class", one.class.as_str()));
    let basis = lot.terms.basis;
    let mut facts = vec![
        fact(words, "lot-recipient", recipient.map(|one| one.name.clone())),
        fact(words, "recipient-class-label", class),
        fact(words, "recipient-legal-form", recipient.map(|one| one.legal_form.clone())),
        fact(words, "recipient-commitments", recipient.and_then(|one| one.commitments.clone())),
        fact(words, "recipient-proof", recipient.and_then(|one| one.proof.clone())),
        fact(words, "lot-basis", basis.map(|basis| words.word("basis", basis.as_str()))),
        fact(words, "lot-basis-source", basis.map(|basis| words.said(&basis.source()))),
    ];
    if let Some(decided) = &lot.terms.deliberation {
        let day = format::civil_date(decided.day, words);
        facts.push(fact(words, "lot-deliberation", Some(words.with_two("lot-decided", &decided.number, &day))));
    }
    facts.extend(lot.delivered.as_ref().map(|done| fact(words, "lot-deed", Some(done.deed.to_string()))));
    facts
}

fn summary(lot: &LotRow, lines: &[LineRow], words: Words) -> Badge {
    let all = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let unready = i64::try_from(lines.iter().filter(|line| !line.unmet.is_empty()).count()).unwrap_or(i64::MAX);
    match lot.state {
        LotState::Delivered | LotState::Dropped => Badge::new(Tone::Plain, words.count("lot-units", all)),
        LotState::Draft | LotState::Approved if all == 0 => Badge::new(Tone::Plain, words.say("lot-empty")),
        LotState::Draft | LotState::Approved if unready == 0 => Badge::new(Tone::Good, words.count("lot-ready", all)),
        LotState::Draft | LotState::Approved => {
            let number = |value| format::number(value, words.language);
            Badge::new(Tone::Critical, words.with_two("lot-unready", &number(unready), &number(all)))
        }
    }
}

/// How many units are older than the law has in mind for a gift.
fn too_old(lines: &[LineRow], words: Words) -> Option<String> {
    let years: Vec<u32> = lines.iter().filter_map(|line| line.older_than).collect();
    let number = |value| format::number(value, words.language);
    let (count, years) = (i64::try_from(years.len()).unwrap_or(i64::MAX), *years.first()?);
    Some(words.with_two("lot-too-old", &number(count), &years.to_string()))
}

/// Something that is missing, in words.
pub(super) fn unmet(unmet: &Unmet, words: Words) -> String {
    match unmet {
        Unmet::Erasure(gap) => words.with_two("unmet-erasure", &gap.drive, &words.word("erasure-why", &gap.why)),
        Unmet::OverCeiling { value, ceiling } => {
            let amount = |cents: Cents| format::euros(cents.get().into(), words.language);
            words.with_two("unmet-over_ceiling", &amount(*value), &amount(*ceiling))
        }
        Unmet::Elsewhere(place) => words.with("unmet-elsewhere", &lending(*place, words)),
        Unmet::SetAsideFor(became) => {
            words.with("unmet-set_aside_for", &words.say(&format!("work-disposition-{}", became.as_str())))
        }
        Unmet::ClassNotListed(class, _) => {
            words.with("unmet-class_not_listed", &words.word("recipient-class", class.as_str()))
        }
        Unmet::NoDriveKnown
        | Unmet::NoBasis
        | Unmet::BasisNotInForce(_)
        | Unmet::NoDeliberation
        | Unmet::DeliberationInTheFuture
        | Unmet::NoRecipient
        | Unmet::RecipientEnded
        | Unmet::NoCommitment
        | Unmet::NoProof
        | Unmet::NoValue
        | Unmet::NoCeiling(_)
        | Unmet::NoWorkingBattery
        | Unmet::Archived => words.word("unmet", unmet.code()),
    }
}

fn lending(place: LendingState, words: Words) -> String {
    words.word("lending", place.as_str())
}

fn unit(line: &LineRow, words: Words) -> Unit {
    let open = matches!(line.state, UnitState::Listed | UnitState::Approved);
    let worth = line.facts.valuation.as_ref();
    let missing: Vec<String> = line.unmet.iter().map(|one| unmet(one, words)).collect();
    let erasure = line.unmet.iter().any(|one| matches!(one, Unmet::Erasure(_) | Unmet::NoDriveKnown));
    let model = full_model(line.manufacturer.as_deref(), line.model.as_deref()).unwrap_or_default();
    let kind = line.facts.kind.map(|kind| words.word("chassis", kind.as_str()));
    let grade = line.grade.map(|grade| words.with("why-grade", grade.as_str()));
    let about: Vec<String> = [Some(model), kind, grade].into_iter().flatten().filter(|text| !text.is_empty()).collect();
    Unit {
        href: format!("/devices/{}", line.device),
        name: device_name(line.serial.as_deref(), line.asset_tag.as_deref(), line.device),
        about: about.join(" · "),
        value: worth
            .map_or_else(|| words.say("lot-no-value"), |one| format::euros(one.value.get().into(), words.language)),
        estimated: worth
            .map(|one| words.with_two("lot-estimated", &words.word("estimation", one.estimation.as_str()), &one.note)),
        ceiling: line
            .ceiling
            .map(|cents| words.with("lot-ceiling", &format::euros(cents.get().into(), words.language))),
        drives: line.proven.join(", "),
        old: line.older_than.map(|years| Badge::new(Tone::Warning, words.with("lot-unit-too-old", &years.to_string()))),
        ready: (open && missing.is_empty()).then(|| Badge::new(Tone::Good, words.say("lot-unit-ready"))),
        unmet: missing,
        erasures: (open && erasure).then(|| format!("/devices/{}/erasures", line.device)),
        id: line.device.to_string(),
    }
}
