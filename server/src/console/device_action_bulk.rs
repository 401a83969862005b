//! One order to the laptops of a list: which order, how many would get it and why the others would not, then what became of
//! it. What the preview shows stands in the form that confirms it, and nothing else is done.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use cartable_common::DeviceId;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component,
    device_list::{self, optional},
    error::{Refusal, require},
    format,
    i18n::Words,
    loan_acts::clerk,
    once,
    shell::{self, Section, Shell},
    visitor::Visitor,
    waiting::chosen,
};
use crate::{
    app::App,
    auth::{CsrfForm, Object, Person, SignedIn},
    domain::{
        device_action::Kind,
        device_action_bulk::{BulkOrder, InvalidBulk, MOST_AT_ONCE, Tally},
    },
    store::device_action_bulk::{self, BulkError, Choice, Many, Seen},
};

/// The order that the address or the form asks for, as typed; without a kind none yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    pub(super) kind: String,
    pub(super) place: String,
    pub(super) due_by: String,
}

impl Wanted {
    /// The order, for somebody who may give it; or the key of what is wrong with it.
    fn read(&self, person: &Person) -> Result<Result<BulkOrder, &'static str>, Refusal> {
        let kind: Kind = self.kind.parse().map_err(|_| Refusal::Nonsense)?;
        require(person.can(kind.right(), Object::OwnScope))?;
        let due_by: Option<Date> = optional(&self.due_by)?;
        Ok(BulkOrder::new(kind, due_by, Some(&self.place)).map_err(|invalid| match invalid {
            InvalidBulk::Log => "orders-no-log",
            InvalidBulk::TooMuch => "orders-too-much",
            InvalidBulk::Place => "orders-place-wrong",
        }))
    }
}

/// The kinds that this person may order of many.
pub(super) fn offered(person: &Person) -> Vec<Kind> {
    let may = |kind: &Kind| kind.goes_to_many() && person.can(kind.right(), Object::OwnScope).is_allowed();
    Kind::ALL.iter().copied().filter(may).collect()
}

/// What the page shows besides its form.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// Nothing yet.
    Nothing,
    /// What is wrong with what was asked for.
    Problem(&'static str),
    /// What would become of each device; nothing was done.
    Preview(Vec<Seen>),
    /// What became of them.
    Given(Tally),
}

#[derive(Debug)]
struct Outcome {
    kind: String,
    means: String,
    summary: String,
    left: Vec<String>,
    /// Field and mark of each that would get it.
    fields: Vec<(String, String)>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "device_action_bulk.html")]
pub(super) struct BulkPage {
    shell: Shell,
    csrf: String,
    once: String,
    /// The list that it is about.
    back: String,
    filter: Vec<(&'static str, String)>,
    wanted: Wanted,
    kinds: Vec<component::Choice>,
    /// Whether a return notice is among them.
    notices: bool,
    problem: Option<String>,
    outcome: Option<Outcome>,
}

impl BulkPage {
    /// The page for what is wanted of the devices that were asked for.
    pub(super) fn new(shell: Shell, asked: &device_list::Asked, wanted: Wanted, kinds: &[Kind], shown: Shown) -> Self {
        let words = shell.words;
        let choice = |kind: &Kind| component::Choice {
            value: kind.as_str().to_owned(),
            label: words.word("action-kind", kind.as_str()),
            selected: kind.as_str() == wanted.kind,
        };
        // What is done is told, and not asked for once more.
        let kinds: &[Kind] = if matches!(shown, Shown::Given(_)) { &[] } else { kinds };
        let (problem, outcome) = match shown {
            Shown::Nothing => (None, None),
            Shown::Problem(key) => (Some(words.say(key)), None),
            Shown::Preview(seen) => {
                let fields = seen.iter().filter_map(|(device, order)| {
                    order.as_ref().ok().map(|order| (format!("id-{device}"), order.mark()))
                });
                let tally = device_action_bulk::tally(&seen);
                (None, Some(Outcome::new("orders-would", &wanted, &tally, fields.collect(), words)))
            }
            Shown::Given(tally) => (None, Some(Outcome::new("orders-did", &wanted, &tally, Vec::new(), words))),
        };
        Self {
            csrf: shell.csrf(),
            once: once::mark(),
            back: asked.link("/devices"),
            filter: asked.fields(),
            kinds: kinds.iter().map(choice).collect(),
            notices: kinds.contains(&Kind::ReturnNotice),
            problem,
            outcome,
            wanted,
            shell,
        }
    }
}

impl Outcome {
    fn new(summary: &str, wanted: &Wanted, tally: &Tally, fields: Vec<(String, String)>, words: Words) -> Self {
        let number = |count: usize| format::number(i64::try_from(count).unwrap_or(i64::MAX), words.language);
        let left = tally.left_out.iter().map(|(why, count)| {
            words.with_two("orders-left-line", &number(*count), &words.word("left-out", why.as_str()))
        });
        Self {
            kind: words.word("action-kind", &wanted.kind),
            means: words.word("action-means", &wanted.kind),
            summary: words.with_two(summary, &number(tally.ordered), &number(tally.devices())),
            left: left.collect(),
            fields,
        }
    }
}

/// `GET /devices/orders`: which order, and once that is said, what would become of it.
pub(super) async fn page(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<device_list::Asked>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let kinds = offered(&signed_in.person);
    if kinds.is_empty() {
        return Err(Refusal::Forbidden);
    }
    let query = asked.query()?;
    let shown = if wanted.kind.is_empty() {
        Shown::Nothing
    } else {
        match wanted.read(&signed_in.person)? {
            Err(key) => Shown::Problem(key),
            Ok(order) => {
                let many = Many { query: &query, order: &order };
                let mut tx = app.store.read().await?;
                match device_action_bulk::preview(&mut tx, clerk(&app, &signed_in), many, MOST_AT_ONCE).await {
                    Ok(seen) => Shown::Preview(seen),
                    Err(BulkError::TooMany(_)) => Shown::Problem("orders-too-many"),
                    Err(BulkError::Store(error)) => return Err(error.into()),
                }
            }
        }
    };
    Ok(show(&signed_in, &visitor, &asked, wanted, shown))
}

fn show(signed_in: &SignedIn, visitor: &Visitor, asked: &device_list::Asked, wanted: Wanted, shown: Shown) -> Response {
    let is_wrong = matches!(shown, Shown::Problem(_));
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Devices, visitor.words.say("orders-many"), signed_in);
    shell::page(status, &BulkPage::new(shell, asked, wanted, &offered(&signed_in.person), shown))
}

/// The fields of the form, by name.
type Fields = BTreeMap<String, String>;

/// `POST /devices/orders`: gives what the preview showed. Sent twice, it finds its orders given and says so.
pub(super) async fn order(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<Fields>,
) -> Result<Response, Refusal> {
    let text = |name: &str| form.get(name).cloned().unwrap_or_default();
    let wanted = Wanted { kind: text("kind"), place: text("place"), due_by: text("due_by") };
    let order = wanted.read(&signed_in.person)?.map_err(Refusal::Told)?;
    let asked = device_list::Asked {
        q: text("q"),
        status: text("status"),
        flag: text("flag"),
        severity: text("severity"),
        site: text("site"),
        archived: text("archived"),
        ..device_list::Asked::default()
    };
    let query = asked.query()?;
    let mark = text("once");
    let choices: Vec<Choice> = chosen(&form, "id-")
        .into_iter()
        .map(|(device, shown)| Choice {
            device: DeviceId(device),
            id: id(&mark, &wanted, device, shown.as_deref()),
            shown,
        })
        .collect();
    if choices.is_empty() {
        return Err(Refusal::Told("orders-nobody"));
    }
    if choices.len() > MOST_AT_ONCE {
        return Err(Refusal::Told("orders-too-many"));
    }
    let press = once::id(&mark, &[]).unwrap_or_else(Uuid::now_v7);
    let many = Many { query: &query, order: &order };
    let tally = device_action_bulk::give(&app.store, clerk(&app, &signed_in), many, (press, &choices)).await?;
    Ok(show(&signed_in, &visitor, &asked, wanted, Shown::Given(tally)))
}

/// The id of the order that this form gives a device.
fn id(mark: &str, wanted: &Wanted, device: Uuid, shown: Option<&str>) -> Uuid {
    let device = device.to_string();
    once::id(mark, &[&wanted.kind, &device, shown.unwrap_or_default()]).unwrap_or_else(Uuid::now_v7)
}
