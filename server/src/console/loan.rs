//! One loan: where it stands, its steps, and what this person may do with it; and a device's card of its loans.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::{
    component::{Badge, When},
    document::{Line, places},
    error::{Refusal, require},
    facts::{Fact, fact},
    format,
    i18n::Words,
    loan_line::{LoanLine, Sight, lending_badge},
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{
        borrower::BorrowerKind,
        loan::{Condition, HandedOver, LendingState, Loan, LoanState, LoanStateName},
        programme::Programme,
    },
    store::{
        Tx,
        device::DeviceRow,
        document::{self, Document},
        loan, loan_due, loan_event,
        loan_event::Step,
        loan_list::{self, LoanSummary},
        programme, work_order,
    },
};

/// Everything about one loan, as read in one unit of work.
#[derive(Clone, Debug)]
pub(super) struct LoanRead {
    pub(super) summary: LoanSummary,
    pub(super) loan: Loan,
    pub(super) steps: Vec<Step>,
    pub(super) programme: Programme,
    /// Where its device is, if this is the device's newest loan.
    pub(super) device_at: Option<LendingState>,
    /// What an extension today would suggest.
    pub(super) next_due: Option<Date>,
    /// What was printed of it, newest first.
    pub(super) documents: Vec<Document>,
}

/// What the person may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one right")]
pub(super) struct Allowed {
    pub(super) hand_over: bool,
    pub(super) take_back: bool,
    pub(super) change: bool,
    pub(super) end: bool,
    pub(super) identity: bool,
}

impl Allowed {
    /// The rights of the person signed in over something of `site`.
    pub(super) fn of(signed_in: &SignedIn, site: Option<Uuid>) -> Self {
        let may = |action| signed_in.person.can(action, Object::OfSite(site)).is_allowed();
        Self {
            hand_over: may(Action::HandOver),
            take_back: may(Action::TakeBack),
            change: may(Action::ChangeLoan),
            end: may(Action::EndLoan),
            identity: may(Action::SeeIdentity),
        }
    }
}

/// Reads a loan that the person may see.
pub(super) async fn read(tx: &mut Tx, signed_in: &SignedIn, app: &App, id: &str) -> Result<LoanRead, Refusal> {
    require(signed_in.person.can(Action::SeeLoans, Object::OwnScope))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let scope = &signed_in.person.scope;
    let summary = loan_list::find(tx, scope, id).await?.ok_or(Refusal::NotFound)?;
    let loan = loan::find(tx, scope, id).await?.ok_or(Refusal::NotFound)?;
    let programme = programme::find(tx, loan.programme).await?.ok_or(Refusal::Broken)?;
    let newest = loan::newest_of_device(tx, loan.device).await? == Some(id);
    let device_at = if newest { loan::lending_state(tx, loan.device).await? } else { None };
    let due = summary.due.and_then(|due| due.tomorrow().ok());
    let next_due = match due {
        Some(start) => loan_due::suggested(tx, &programme, loan.site, start, &app.policy).await?,
        None => None,
    };
    let (steps, documents) = (loan_event::of_loan(tx, id).await?, document::of_loan(tx, id).await?);
    Ok(LoanRead { summary, loan, steps, programme, device_at, next_due, documents })
}

/// `GET /loans/{id}`
pub(super) async fn loan(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let read = read(&mut tx, &signed_in, &app, &id).await?;
    Ok(show(&signed_in, &visitor, read, None))
}

/// The page, with the signature's strokes where the person asked for them.
pub(super) fn show(signed_in: &SignedIn, visitor: &Visitor, read: LoanRead, signature: Option<String>) -> Response {
    let allowed = Allowed::of(signed_in, read.loan.site);
    let line = LoanLine::new(&read.summary, Sight::of(signed_in), visitor.words);
    let mut shell = visitor.shell(Section::Loans, visitor.words.with("loan-title", &line.device), signed_in);
    // Shown after a form as well: the way back is the page itself.
    shell.here = format!("/loans/{}", read.loan.id);
    shell::page(StatusCode::OK, &LoanPage::new(shell, read, line, allowed, signature))
}

/// A choice among accessories.
#[derive(Clone, Debug)]
pub(super) struct Accessory {
    pub(super) field: String,
    pub(super) name: String,
}

/// Accessories as check boxes: each has a field of its own, numbered as in the list.
pub(super) fn accessories(names: &[String]) -> Vec<Accessory> {
    let one = |(index, name): (usize, &String)| Accessory { field: format!("accessory-{index}"), name: name.clone() };
    names.iter().enumerate().map(one).collect()
}

/// The conditions that a desk chooses from: value, word, and whether it is the default.
pub(super) fn conditions(words: Words) -> Vec<(&'static str, String, bool)> {
    let one = |condition: &Condition| {
        (condition.as_str(), words.word("condition", condition.as_str()), *condition == Condition::Good)
    };
    Condition::ALL.iter().map(one).collect()
}

#[derive(Debug)]
struct Past {
    when: When,
    what: String,
    who: String,
    details: Vec<String>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one form of the page, shown or not")]
struct Acts {
    cancel: bool,
    hand_over: Option<String>,
    extend: Option<String>,
    take_back: Option<Vec<Accessory>>,
    lose: bool,
    steal: bool,
    write_off: bool,
    undo: bool,
    stock: bool,
}

impl Acts {
    fn any(&self) -> bool {
        let offered = [self.cancel, self.lose, self.steal, self.write_off, self.undo, self.stock];
        offered.contains(&true) || self.hand_over.is_some() || self.extend.is_some() || self.take_back.is_some()
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "loan.html")]
pub(super) struct LoanPage {
    shell: Shell,
    id: String,
    csrf: String,
    line: LoanLine,
    facts: Vec<Fact>,
    steps: Vec<Past>,
    acts: Acts,
    conditions: Vec<(&'static str, String, bool)>,
    drawn: bool,
    signature: Option<String>,
    documents: Vec<Line>,
    /// Who may sign an agreement, besides all, where one is offered.
    agreement: Option<Vec<(usize, String)>>,
    receipt: bool,
}

impl LoanPage {
    /// The page for what was read.
    pub(super) fn new(
        shell: Shell,
        read: LoanRead,
        line: LoanLine,
        allowed: Allowed,
        signature: Option<String>,
    ) -> Self {
        let words = shell.words;
        let agreement = agreement(&read, allowed, words);
        let drawn = read.loan.state.handed_over().and_then(|handed| handed.signature)
            == Some(crate::domain::loan::Signature::Drawn);
        Self {
            csrf: shell.person.as_ref().map_or_else(String::new, |person| person.csrf.clone()),
            id: read.loan.id.to_string(),
            facts: facts(&read, &line, words),
            acts: acts(&read, allowed),
            conditions: conditions(words),
            steps: read.steps.into_iter().map(|step| past(step, words)).collect(),
            drawn: drawn && allowed.identity && signature.is_none(),
            agreement,
            receipt: allowed.take_back && read.loan.state.name() == LoanStateName::Returned,
            documents: read.documents.iter().map(|document| Line::new(document, words)).collect(),
            signature,
            line,
            shell,
        }
    }
}

fn agreement(read: &LoanRead, allowed: Allowed, words: Words) -> Option<Vec<(usize, String)>> {
    let offered = allowed.hand_over && allowed.identity && read.loan.state.name() != LoanStateName::Cancelled;
    let person = read.summary.borrower_kind == BorrowerKind::Person;
    offered.then(|| if person { places(words) } else { Vec::new() })
}

fn facts(read: &LoanRead, line: &LoanLine, words: Words) -> Vec<Fact> {
    let hidden = || words.say("loan-not-shown");
    let moment = |key: &str, at| fact(words, key, Some(format::date_time(at, words)));
    let borrower = line.borrower.as_ref().map(|name| words.with_two("loan-borrower-named", name, &line.borrower_kind));
    let programme = line.programme.as_ref().zip(line.programme_name.as_ref());
    let programme = programme.map(|(code, name)| words.with_two("programme-named", code, name));
    let site = line.site.as_ref().map(|(name, uai)| words.with_two("site-named", name, uai));
    let mut facts = vec![
        fact(words, "loan-borrower", borrower.or_else(|| Some(hidden()))),
        fact(words, "loans-programme", programme.or_else(|| Some(hidden()))),
        fact(words, "devices-site", site.or_else(|| Some(words.say("no-site")))),
        moment("loan-reserved-at", read.loan.reserved_at),
    ];
    if let Some(HandedOver { at, extensions, accessories, signature, agreement_version, .. }) =
        read.loan.state.handed_over()
    {
        let list = |names: &[String]| Some(names.join(", ")).filter(|text| !text.is_empty());
        facts.push(moment("loan-handed-over-at", *at));
        facts.push(fact(words, "loans-due", line.due.clone().or_else(|| Some(words.say("loan-no-due")))));
        let allowed = i64::from(read.programme.renewals_allowed).to_string();
        let extended = words.with_two("loan-extended-of", &extensions.to_string(), &allowed);
        facts.push(fact(words, "loan-extensions", Some(extended)));
        facts.push(fact(words, "loan-accessories", list(accessories).or_else(|| Some(words.say("none")))));
        let signature = signature.map(|how| words.word("signature", how.as_str()));
        facts.push(fact(words, "loan-signature", signature.or_else(|| Some(words.say("loan-not-signed")))));
        let version = agreement_version.clone().or_else(|| Some(words.say("none")));
        facts.push(fact(words, "loan-agreement", version));
        if let LoanState::Returned(_, back) = &read.loan.state {
            facts.push(fact(words, "loan-condition", Some(words.word("condition", back.condition.as_str()))));
            facts.push(fact(words, "loan-missing", list(&back.missing).or_else(|| Some(words.say("none")))));
        }
        if let LoanState::Stolen(_, theft) = &read.loan.state {
            facts.push(fact(words, "loan-police-report", Some(theft.police_report.clone())));
        }
    }
    if let Some(at) = read.loan.state.ended_at() {
        facts.push(moment("loan-ended-at", at));
    }
    facts
}

fn acts(read: &LoanRead, allowed: Allowed) -> Acts {
    use LoanStateName::{HandedOver, Lost, Reserved, Returned, Stolen, WrittenOff};
    let state = read.loan.state.name();
    // An old loan says nothing about its device any more.
    let newest = read.device_at.is_some();
    let handed = read.loan.state.handed_over();
    let renewable = handed.is_some_and(|handed| {
        handed.due.is_some() && handed.extensions < read.programme.renewals_allowed && read.programme.open
    });
    let in_hands = newest && state == HandedOver;
    let returnable = newest && matches!(state, HandedOver | Lost | Stolen | WrittenOff);
    Acts {
        cancel: allowed.hand_over && state == Reserved,
        hand_over: (allowed.hand_over && state == Reserved).then(|| format!("/hand-over?code={}", read.loan.device)),
        extend: (allowed.change && in_hands && renewable)
            .then(|| read.next_due.map_or_else(String::new, |day| day.to_string())),
        take_back: (allowed.take_back && returnable)
            .then(|| accessories(&handed.map(|handed| handed.accessories.clone()).unwrap_or_default())),
        lose: allowed.change && in_hands,
        steal: allowed.change && newest && matches!(state, HandedOver | Lost),
        write_off: allowed.end && newest && matches!(state, HandedOver | Lost | Stolen),
        undo: allowed.take_back
            && state == Returned
            && read.device_at == Some(LendingState::Intake)
            && read.steps.last().is_some_and(|step| step.kind == "returned"),
        stock: allowed.take_back && read.device_at == Some(LendingState::Intake),
    }
}

fn past(step: Step, words: Words) -> Past {
    let day = |value: &Value| value.as_str().and_then(|text| text.parse::<Date>().ok());
    let list = |value: &Value| {
        let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
        Some(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    };
    let details = &step.details;
    let until = day(&details["due"]).or_else(|| day(&details["after"]));
    let told = [
        until.map(|day| words.with("loan-until", &format::civil_date(day, words))),
        details["condition"].as_str().map(|condition| words.word("condition", condition)),
        list(&details["accessories"]).map(|names| words.with("loan-with", &names)),
        list(&details["missing"]).map(|names| words.with("loan-without", &names)),
    ];
    Past {
        when: When::exact(step.at, words),
        what: words.word("step", &step.kind),
        who: step.actor,
        details: told.into_iter().flatten().collect(),
    }
}

/// A device's loans, on its page.
#[derive(Clone, Debug, Template)]
#[template(path = "loan_card.html")]
pub(super) struct LoanCard {
    words: Words,
    at: Badge,
    current: Option<LoanLine>,
    past: Vec<LoanLine>,
    hand_over: Option<String>,
    stock: Option<(String, String)>,
    work_order: Option<Uuid>,
}

impl askama::filters::HtmlSafe for LoanCard {}

/// What the card of a device shows to this person; nothing for those who may not see loans.
pub(super) async fn card(tx: &mut Tx, signed_in: &SignedIn, device: &DeviceRow) -> Result<Option<CardRead>, Refusal> {
    if !signed_in.person.can(Action::SeeLoans, Object::OwnScope).is_allowed() {
        return Ok(None);
    }
    Ok(Some(CardRead {
        device: device.id.to_string(),
        at: loan::lending_state(tx, device.id).await?.ok_or(Refusal::NotFound)?,
        loans: loan_list::of_device(tx, &signed_in.person.scope, device.id).await?,
        sight: Sight::of(signed_in),
        allowed: Allowed::of(signed_in, device.site),
        work_order: order_shown(tx, signed_in, device).await?,
    }))
}

/// The newest work order, for those who may see it.
async fn order_shown(tx: &mut Tx, signed_in: &SignedIn, device: &DeviceRow) -> Result<Option<Uuid>, Refusal> {
    if !signed_in.person.can(Action::SeeWorkOrders, Object::OwnScope).is_allowed() {
        return Ok(None);
    }
    let newest = work_order::newest_of_device(tx, &signed_in.person.scope, device.id).await?;
    Ok(newest.map(|order| order.id))
}

/// What the card is made from.
#[derive(Clone, Debug)]
pub(super) struct CardRead {
    pub(super) device: String,
    pub(super) at: LendingState,
    pub(super) loans: Vec<LoanSummary>,
    pub(super) sight: Sight,
    pub(super) allowed: Allowed,
    /// Its newest work order.
    pub(super) work_order: Option<Uuid>,
}

impl LoanCard {
    /// The card; `csrf` for its form.
    pub(super) fn new(read: CardRead, csrf: &str, words: Words) -> Self {
        let CardRead { device, at, loans, sight, allowed, work_order } = read;
        // What says where the device is stands first: everything but a return that was followed by stock.
        let speaks = |loan: &LoanSummary| !matches!(loan.state, LoanStateName::Cancelled | LoanStateName::Returned);
        let current = loans.first().filter(|loan| speaks(loan));
        let rest = if current.is_some() { loans.get(1..) } else { loans.get(..) };
        let line = |loan: &LoanSummary| LoanLine::new(loan, sight, words);
        let lendable = matches!(at, LendingState::InStock | LendingState::Reserved);
        Self {
            words,
            at: lending_badge(at, words),
            current: current.map(line),
            past: rest.unwrap_or_default().iter().map(line).collect(),
            hand_over: (allowed.hand_over && lendable).then(|| format!("/hand-over?code={device}")),
            stock: (allowed.take_back && at == LendingState::Intake)
                .then(|| (format!("/devices/{device}/stock"), csrf.to_owned())),
            work_order,
        }
    }
}
