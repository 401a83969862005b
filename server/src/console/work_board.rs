//! The board of refurbishment: orders by stage, those that stand too long marked, and those that were closed last.

use askama::Template;
use cartable_common::UtcMillis;

use super::{
    component::{Badge, Tone, When},
    device_list::{device_name, model_name},
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        policy::RefurbishmentPolicy,
        work_order::{Disposition, Position, Stage},
    },
    store::work_order_list::{Column, OrderSummary},
};

/// Days that an order has been where it is, and whether that is longer than its stage may take.
pub(super) fn age(order: &OrderSummary, policy: &RefurbishmentPolicy, now: UtcMillis) -> (i64, bool) {
    let days = now.millis_since(order.since).max(0) / UtcMillis::DAY;
    let over = order.position.stage().is_some_and(|stage| days > i64::from(policy.limit(stage).0));
    (days, over)
}

/// Where an order is, as a badge.
pub(super) fn stage_badge(position: Position, words: Words) -> Badge {
    match position {
        Position::Open(Stage::Quarantine) => Badge::new(Tone::Critical, words.word("work-stage", "quarantine")),
        Position::Open(stage) => Badge::new(Tone::Info, words.word("work-stage", stage.as_str())),
        Position::Closed(disposition) => {
            let tone = if disposition == Disposition::Relend { Tone::Good } else { Tone::Plain };
            Badge::new(tone, words.word("work-disposition", disposition.as_str()))
        }
    }
}

#[derive(Debug)]
struct Card {
    href: String,
    name: String,
    model: String,
    age: String,
    over: Option<Badge>,
}

fn card(order: &OrderSummary, policy: &RefurbishmentPolicy, now: UtcMillis, words: Words) -> Card {
    let (days, over) = age(order, policy, now);
    Card {
        href: format!("/work-orders/{}", order.id),
        name: device_name(order.serial_number.as_deref(), order.asset_tag.as_deref(), order.device),
        model: model_name(order.manufacturer.as_deref(), order.model.as_deref(), words),
        age: words.count("work-days", days),
        over: over.then(|| Badge::new(Tone::Warning, words.say("work-over"))),
    }
}

#[derive(Debug)]
struct BoardColumn {
    id: &'static str,
    name: String,
    count: String,
    limit: String,
    cards: Vec<Card>,
    more: Option<String>,
}

#[derive(Debug)]
struct ClosedLine {
    href: String,
    name: String,
    model: String,
    what: Badge,
    grade: String,
    when: When,
}

/// The board.
#[derive(Debug, Template)]
#[template(path = "work_orders.html")]
pub(super) struct BoardPage {
    shell: Shell,
    may_act: bool,
    code: String,
    problem: Option<String>,
    columns: Vec<BoardColumn>,
    closed: Vec<ClosedLine>,
}

impl BoardPage {
    /// The page for these columns and the orders that were closed last.
    pub(super) fn new(
        shell: Shell,
        (columns, closed): (&[Column], &[OrderSummary]),
        policy: &RefurbishmentPolicy,
        (may_act, code, problem): (bool, String, Option<String>),
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let column = |column: &Column| {
            let hidden = column.count - i64::try_from(column.orders.len()).unwrap_or(column.count);
            BoardColumn {
                id: column.stage.as_str(),
                name: words.word("work-stage", column.stage.as_str()),
                count: format::number(column.count, words.language),
                limit: words.count("work-limit", policy.limit(column.stage).0.into()),
                cards: column.orders.iter().map(|order| card(order, policy, now, words)).collect(),
                more: (hidden > 0).then(|| words.count("work-more", hidden)),
            }
        };
        let done = |order: &OrderSummary| ClosedLine {
            href: format!("/work-orders/{}", order.id),
            name: device_name(order.serial_number.as_deref(), order.asset_tag.as_deref(), order.device),
            model: model_name(order.manufacturer.as_deref(), order.model.as_deref(), words),
            what: stage_badge(order.position, words),
            grade: order.grade.map_or_else(String::new, |grade| grade.to_string()),
            when: When::relative(order.since, now, words),
        };
        Self {
            may_act,
            code,
            problem,
            columns: columns.iter().map(column).collect(),
            closed: closed.iter().map(done).collect(),
            shell,
        }
    }
}
