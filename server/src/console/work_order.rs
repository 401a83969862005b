//! Refurbishment: one unit's bench page with its next steps as large buttons.

use askama::Template;
use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    component::{Badge, Choice, Tone, When},
    device_list::{device_name, model_name},
    facts::{Fact, fact},
    format,
    i18n::Words,
    once,
    shell::Shell,
    work_board::{age, stage_badge},
    work_part::{PartLine, UsedLine, kinds},
    work_past::{ClaimLine, Finding, Past, SpentLine, claim_lines, findings, past, spent_lines},
};
use crate::{
    domain::{
        grade::Grade,
        policy::RefurbishmentPolicy,
        verdict::Verdict,
        work_order::{Disposition, ErasureState, Missing, MoveName, Position, Stage, WorkOrder, grading::graded},
    },
    store::{
        part::{PartRow, UseRow},
        work_inspection::{Claims, Inspection},
        work_order::{Step, time_spent},
        work_order_list::OrderSummary,
        work_photo::{MOST_PHOTOS, PhotoRow},
    },
};

/// Everything about one order, as read in one unit of work.
#[derive(Clone, Debug)]
pub(super) struct OrderRead {
    pub(super) summary: OrderSummary,
    pub(super) order: WorkOrder,
    /// What is proved for it to stay in the house.
    pub(super) erasure: ErasureState,
    /// What is proved for it to leave.
    pub(super) leaving: ErasureState,
    pub(super) steps: Vec<Step>,
    pub(super) inspections: Vec<Inspection>,
    /// What the machine claims now.
    pub(super) claims: Claims,
    pub(super) photos: Vec<PhotoRow>,
    pub(super) used: Vec<UseRow>,
    /// What fits, while it is at repair.
    pub(super) fitting: Vec<PartRow>,
    /// Whether its unit is archived, or is not where the order left it any more: given, lent.
    pub(super) gone: bool,
}

/// What the person may do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct May {
    pub(super) work: bool,
    pub(super) waive: bool,
}

/// A button that is a form of its own.
#[derive(Debug)]
struct Button {
    step: &'static str,
    label: String,
    class: &'static str,
}

#[derive(Debug)]
struct Photo {
    src: String,
    remove: String,
    alt: String,
    width: i64,
    height: i64,
    when: When,
}

/// One unit on the bench.
#[derive(Debug, Template)]
#[template(path = "work_order.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is one part of the page, shown or not")]
pub(super) struct OrderPage {
    shell: Shell,
    id: Uuid,
    csrf: String,
    /// What tells this page's forms from every other: see [`super::once`].
    once: String,
    device: (String, String),
    model: String,
    stage: Badge,
    age: String,
    over: Option<Badge>,
    swollen: bool,
    may_act: bool,
    buttons: Vec<Button>,
    /// What the link to the checklist says, where it is open.
    checklist: Option<String>,
    /// Grades that may be given, the supported one chosen.
    grades: Vec<Choice>,
    because: Option<String>,
    dispositions: Vec<Choice>,
    /// What is missing before it may pass the erasure stage, where that stops it now.
    unerased: Option<String>,
    /// Where erasures are recorded.
    erasures: String,
    waivable: bool,
    /// Whether its last report says that a drive is at risk, while that can still be mended.
    drive_at_risk: bool,
    fitting: Option<Vec<PartLine>>,
    harvest: bool,
    kinds: Vec<Choice>,
    facts: Vec<Fact>,
    found: Vec<Finding>,
    note: Option<String>,
    claims: Vec<ClaimLine>,
    used: Vec<UsedLine>,
    cost: Option<String>,
    photos: Vec<Photo>,
    more_photos: bool,
    spent: Vec<SpentLine>,
    steps: Vec<Past>,
}

impl OrderPage {
    /// The page for what was read.
    pub(super) fn new(shell: Shell, read: OrderRead, may: May, policy: &RefurbishmentPolicy, now: UtcMillis) -> Self {
        let words = shell.words;
        let (order, summary) = (&read.order, &read.summary);
        let (days, over) = age(summary, policy, now);
        let position = order.position;
        let offered = |name| may.work && order.offered().contains(&name);
        let missing = unerased(&read, words);
        let unerased = missing.is_some();
        let cost: i64 = read.used.iter().map(|one| one.unit_cents * one.count).sum();
        let latest = read.inspections.first();
        Self {
            csrf: shell.csrf(),
            once: once::mark(),
            id: order.id,
            device: (
                format!("/devices/{}", order.device),
                device_name(summary.serial_number.as_deref(), summary.asset_tag.as_deref(), order.device),
            ),
            model: model_name(summary.manufacturer.as_deref(), summary.model.as_deref(), words),
            stage: stage_badge(position, words),
            age: words.count("work-days", days),
            over: over.then(|| Badge::new(Tone::Warning, words.say("work-over"))),
            swollen: order.battery_swollen,
            may_act: may.work,
            buttons: buttons(order, (unerased, read.gone), may, words),
            checklist: checklist(order, may, words),
            grades: if offered(MoveName::Grade) { grades(order) } else { Vec::new() },
            because: because(order, words),
            dispositions: if may.work { dispositions(order, (unerased, &read.leaving), words) } else { Vec::new() },
            unerased: missing,
            erasures: format!("/devices/{}/erasures", order.device),
            waivable: unerased && may.waive,
            drive_at_risk: drive_at_risk(&read),
            fitting: (may.work && position == Position::Open(Stage::Repair))
                .then(|| read.fitting.iter().map(|part| PartLine::new(part, words)).collect()),
            harvest: may.work && position == Position::Closed(Disposition::Parts),
            kinds: kinds(None, words),
            facts: facts(&read, words),
            found: latest.map(|one| findings(&one.findings, words)).unwrap_or_default(),
            note: latest.map(|one| one.findings.note.clone()).filter(|note| !note.is_empty()),
            claims: claim_lines(&read, words),
            cost: (!read.used.is_empty()).then(|| format::euros(cost, words.language)),
            used: read.used.iter().map(|one| UsedLine::new(one, words)).collect(),
            photos: read.photos.iter().enumerate().map(|one| photo(order.id, one, words)).collect(),
            more_photos: may.work && i64::try_from(read.photos.len()).unwrap_or(i64::MAX) < MOST_PHOTOS,
            spent: spent_lines(&time_spent(&read.steps, now), words),
            steps: read.steps.into_iter().rev().map(|step| past(step, words)).collect(),
            shell,
        }
    }
}

/// No check of the list looks into a drive: what the machine says of it is told as long as it can be exchanged.
fn drive_at_risk(read: &OrderRead) -> bool {
    let mendable = matches!(
        read.order.position,
        Position::Open(
            Stage::Erasure
                | Stage::Repair
                | Stage::Reinstallation
                | Stage::FinalTest
                | Stage::Grading
                | Stage::Disposition
        )
    );
    mendable && read.claims.drives == Verdict::Failing
}

/// What is missing at the gate of the erasure stage, where the order stands before it.
fn unerased(read: &OrderRead, words: Words) -> Option<String> {
    let (gate, key) = match read.order.position {
        Position::Open(Stage::Erasure) => (&read.erasure, "work-unerased"),
        Position::Open(Stage::Quarantine) => (&read.leaving, "work-unerased"),
        Position::Open(Stage::Disposition) => (&read.leaving, "work-unerased-leaving"),
        Position::Open(_) | Position::Closed(_) => return None,
    };
    let ErasureState::Missing(Missing { drives }) = gate else { return None };
    let which = if drives.is_empty() {
        words.say("work-unerased-unknown")
    } else {
        words.with("work-unerased-drives", &drives.join(", "))
    };
    Some(format!("{} {which}", words.say(key)))
}

/// The steps that need nothing but a press. What the erasure would refuse is not offered, nor to reopen what is gone.
fn buttons(order: &WorkOrder, (unerased, gone): (bool, bool), may: May, words: Words) -> Vec<Button> {
    if !may.work {
        return Vec::new();
    }
    let plain = |name: &&MoveName| {
        let own_form = matches!(name, MoveName::Inspect | MoveName::Test | MoveName::Grade | MoveName::Dispose);
        let gated = matches!(name, MoveName::Repair | MoveName::Reinstall | MoveName::GiveUp);
        let at_gate = order.position == Position::Open(Stage::Erasure);
        !(own_form || unerased && gated && at_gate || gone && **name == MoveName::Reopen)
    };
    let first = order.offered().iter().find(plain);
    let button = |name: &MoveName| Button {
        step: name.as_str(),
        label: words.word("work-move", name.as_str()),
        class: match name {
            MoveName::Quarantine | MoveName::GiveUp => "danger",
            other if Some(other) == first => "",
            MoveName::Begin
            | MoveName::Inspect
            | MoveName::Repair
            | MoveName::Reinstall
            | MoveName::Installed
            | MoveName::Test
            | MoveName::Grade
            | MoveName::Dispose
            | MoveName::RemoveBattery
            | MoveName::Reopen => "quiet",
        },
    };
    order.offered().iter().filter(plain).map(button).collect()
}

fn checklist(order: &WorkOrder, may: May, words: Words) -> Option<String> {
    let key = match order.position {
        Position::Open(Stage::Inspection) => "inspect",
        Position::Open(Stage::FinalTest) => "test",
        Position::Open(_) | Position::Closed(_) => return None,
    };
    may.work.then(|| words.word("work-move", key))
}

fn grades(order: &WorkOrder) -> Vec<Choice> {
    let supported = order.supported_grade().unwrap_or(Grade::D);
    let possible = Grade::ALL.iter().filter(|grade| **grade >= supported);
    let choice =
        |grade: &Grade| Choice { value: grade.to_string(), label: grade.to_string(), selected: *grade == supported };
    possible.map(choice).collect()
}

/// What keeps the grade from being better.
fn because(order: &WorkOrder, words: Words) -> Option<String> {
    if order.position != Position::Open(Stage::Grading) {
        return None;
    }
    let graded = graded(order.findings.as_ref()?);
    let checks: Vec<String> = graded.because.iter().map(|check| words.word("work-check", check.as_str())).collect();
    let why = if checks.is_empty() { words.say("work-no-marks") } else { checks.join(", ") };
    Some(words.with_two("work-supported", graded.grade.as_str(), &why))
}

/// What may become of it; what the erasure would refuse is not offered, nor a donation that only a waiver would open.
fn dispositions(order: &WorkOrder, (unerased, leaving): (bool, &ErasureState), words: Words) -> Vec<Choice> {
    let choice = |disposition: &Disposition| Choice {
        value: disposition.to_string(),
        label: words.word("work-dispose", disposition.as_str()),
        selected: false,
    };
    let only_waived = |one: &Disposition| *one == Disposition::Donate && *leaving == ErasureState::Waived;
    let offered = order.dispositions().iter().filter(|one| !(unerased && one.leaves() || only_waived(one)));
    offered.map(choice).collect()
}

fn facts(read: &OrderRead, words: Words) -> Vec<Fact> {
    let order = &read.order;
    let mut facts = vec![
        fact(words, "work-opened", Some(format::date_time(order.opened_at, words))),
        fact(words, "work-since", Some(format::date_time(order.since, words))),
    ];
    if let Some(grade) = order.grade {
        facts.push(fact(words, "work-grade", Some(grade.to_string())));
    }
    let erasure = match (&read.erasure, &order.waiver) {
        (ErasureState::Proved, _) => words.say("work-erasure-proved"),
        (_, Some(waiver)) => words.with_two("work-waived-by", &waiver.by, &waiver.reason),
        (_, None) => words.say("work-erasure-nothing"),
    };
    facts.push(fact(words, "work-erasure", Some(erasure)));
    if order.reopened > 0 {
        facts.push(fact(words, "work-reopened", Some(order.reopened.to_string())));
    }
    facts
}

fn photo(order: Uuid, (index, row): (usize, &PhotoRow), words: Words) -> Photo {
    Photo {
        src: format!("/work-orders/{order}/photos/{}", row.id),
        remove: format!("/work-orders/{order}/photos/{}/remove", row.id),
        alt: words.with("work-photo-number", &(index + 1).to_string()),
        width: row.width,
        height: row.height,
        when: When::exact(row.at, words),
    }
}
