//! One order to many devices: looked at first, then given a hundred at a time, each as a single order is.
//!
//! Each order has an id that comes from the form, so that a form that is sent twice orders once, also where the first time
//! came only half through. A device that is no longer as it was shown is left out.

use std::collections::BTreeSet;

use cartable_common::DeviceId;
use serde_json::json;
use uuid::Uuid;

use super::{
    Store, StoreError, Tx, device,
    device_action::{self, Ordered},
    device_action_facts::{self, Standing},
    device_asked,
    device_query::DeviceQuery,
    donation_approval,
    lending::Clerk,
    rows::Rows,
};
use crate::domain::{
    device_action::Order,
    device_action_bulk::{BulkOrder, IN_ONE_UNIT, LeftOut, Tally},
    paris,
};

/// What is ordered, and of which devices: those of a list, within the clerk's sites.
#[derive(Clone, Copy, Debug)]
pub struct Many<'a> {
    /// The list's filters; its sort and its page say nothing here.
    pub query: &'a DeviceQuery,
    /// The order.
    pub order: &'a BulkOrder,
}

/// A device, and what an order to it would be.
pub type Seen = (DeviceId, Result<Order, LeftOut>);

/// A device that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which one.
    pub device: DeviceId,
    /// The id of the order that it gets.
    pub id: Uuid,
    /// The mark of the order that was shown, if one was.
    pub shown: Option<String>,
}

/// Why nothing was looked at or ordered.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The filters find more than this many.
    #[error("the filters find more than {0} devices: narrow them, by site for example")]
    TooMany(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What would become of each device that the filters find, where they are `most` at most.
pub async fn preview(tx: &mut Tx, by: Clerk<'_>, many: Many<'_>, most: usize) -> Result<Vec<Seen>, BulkError> {
    let ids = device_asked::ids(tx, by.scope, many.query, most.saturating_add(1)).await?;
    if ids.len() > most {
        return Err(BulkError::TooMany(most));
    }
    let standings = device_action_facts::of(tx, &ids, by.now).await?;
    let today = paris::date(by.now);
    let seen = ids.into_iter().filter_map(|id| {
        let Standing { facts, site, .. } = standings.get(&id)?;
        Some((DeviceId(id), many.order.of(facts, site.as_deref(), today)))
    });
    Ok(seen.collect())
}

/// How many would get it, and why the others would not.
#[must_use]
pub fn tally(seen: &[Seen]) -> Tally {
    let mut tally = Tally::default();
    tally.extend(seen.iter().map(|(_, outcome)| outcome.as_ref().map(|_| ()).map_err(|why| *why)));
    tally
}

/// Looks at what the filters find and orders it at once, for scripts: nobody saw a preview that it could be held against.
pub async fn order_all(store: &Store, by: Clerk<'_>, many: Many<'_>, most: usize) -> Result<Tally, BulkError> {
    let mut tx = store.read().await?;
    let seen = preview(&mut tx, by, many, most).await?;
    drop(tx);
    let (mut choices, mut left) = (Vec::new(), Vec::new());
    for (device, outcome) in seen {
        match outcome {
            Ok(order) => choices.push(Choice { device, id: Uuid::now_v7(), shown: Some(order.mark()) }),
            Err(why) => left.push(Err(why)),
        }
    }
    let mut tally = give(store, by, many, (Uuid::now_v7(), &choices)).await?;
    tally.extend(left);
    Ok(tally)
}

/// Gives the order to those of `choices` that are still as they were shown, for the person whom the caller found allowed
/// to: [`IN_ONE_UNIT`] in one unit of work, each with its row in the audit, and one row of all until then, under `press`: a
/// server that stops half way leaves it, and the last one tells the whole.
pub async fn give(
    store: &Store,
    by: Clerk<'_>,
    many: Many<'_>,
    (press, choices): (Uuid, &[Choice]),
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    // Lowest id first, as devices are locked.
    let mut choices: Vec<&Choice> = choices.iter().collect();
    choices.sort_by_key(|choice| choice.device.0);
    for some in choices.chunks(IN_ONE_UNIT) {
        let mut tx = store.write().await?;
        tally.extend(unit(&mut tx, by, many, some).await?);
        if tally.ordered > 0 {
            record(&mut tx, by, many, (press, choices.len(), &tally)).await?;
        }
        tx.commit().await?;
    }
    Ok(tally)
}

/// One unit of work.
async fn unit(
    tx: &mut Tx,
    by: Clerk<'_>,
    many: Many<'_>,
    choices: &[&Choice],
) -> Result<Vec<Result<(), LeftOut>>, StoreError> {
    let ids: Vec<Uuid> = choices.iter().map(|choice| choice.device.0).collect();
    device::lock(tx, ids.iter().copied()).await?;
    let listed: BTreeSet<Uuid> = device_asked::of(tx, by.scope, many.query, &ids).await?.into_iter().collect();
    let before = given_before(tx, choices).await?;
    let mut standings = device_action_facts::of(tx, &ids, by.now).await?;
    let (mut outcomes, mut given) = (Vec::with_capacity(choices.len()), Vec::new());
    for choice in choices {
        if before.contains(&choice.id) {
            outcomes.push(Err(LeftOut::Before));
            continue;
        }
        let standing = standings.get_mut(&choice.device.0).filter(|_| listed.contains(&choice.device.0));
        let Some(standing) = standing else {
            outcomes.push(Err(LeftOut::Changed));
            continue;
        };
        outcomes.push(match as_shown(choice, standing, many.order, by) {
            Err(why) => Err(why),
            Ok(order) => match device_action::give(tx, (choice.device, choice.id), standing, &order, by).await? {
                Ordered::Given(id) => {
                    // Named twice, it gets one.
                    standing.facts.waiting.push(order.kind());
                    given.push((choice.device, id, order));
                    Ok(())
                }
                Ordered::Hindered(hindrance) => Err(hindrance.into()),
                Ordered::Unknown => Err(LeftOut::Changed),
            },
        });
    }
    // Whoever else writes to the audit waits from the first row on.
    for (device, id, order) in &given {
        device_action::record(tx, (*device, *id), order, by).await?;
    }
    Ok(outcomes)
}

/// The order to a device, where it is still the one that was shown.
fn as_shown(choice: &Choice, standing: &Standing, order: &BulkOrder, by: Clerk<'_>) -> Result<Order, LeftOut> {
    let Standing { facts, site, .. } = standing;
    let order = order.of(facts, site.as_deref(), paris::date(by.now))?;
    let is_as_shown = choice.shown.as_ref().is_none_or(|shown| *shown == order.mark());
    if is_as_shown { Ok(order) } else { Err(LeftOut::Changed) }
}

/// Those of the orders that were given when the same form was sent before.
async fn given_before(tx: &mut Tx, choices: &[&Choice]) -> Result<BTreeSet<Uuid>, StoreError> {
    let sql = "SELECT a.id FROM {rows} JOIN device_action a ON a.id = r.id";
    let found: Vec<(Uuid,)> = Rows::of_ids(choices.iter().map(|choice| choice.id)).fetch(tx, sql).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The row of the whole until now. Not what was searched for: somebody may have typed a name, and the audit cannot forget it.
async fn record(
    tx: &mut Tx,
    by: Clerk<'_>,
    many: Many<'_>,
    (press, chosen, tally): (Uuid, usize, &Tally),
) -> Result<(), StoreError> {
    let left_out: usize = tally.left_out.values().sum();
    let details = json!({
        "kind": many.order.kind(), "count": chosen, "given": tally.ordered, "left_out": left_out, "site": many.query.site,
    });
    donation_approval::record(tx, "device_action.order_many", ("device_actions", press), details, by).await
}
