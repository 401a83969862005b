//! Webhooks: who is told of which events, and the events on their way, written in the unit of work in which they happen.
//!
//! Where nobody is to be told, an event costs one look at an empty table.

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::{Rows, Type},
    value::{from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::{loan::Loan, timestamp, webhook::EventKind};

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) at: UtcMillis,
    /// No personal data: ids, codes, days.
    pub(crate) data: Value,
}

/// Writes what is to be told of `events`, for everybody who asked for them. They are made only if somebody did.
pub(crate) async fn tell(
    tx: &mut Tx,
    now: UtcMillis,
    events: impl FnOnce() -> Vec<Event> + Send,
) -> Result<(), StoreError> {
    let sql = "SELECT id, events FROM webhook WHERE disabled_at IS NULL";
    let asked: Vec<(Uuid, String)> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    if asked.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new([
        ("id", Type::Uuid),
        ("webhook_id", Type::Uuid),
        ("event", Type::Text),
        ("payload", Type::Text),
        ("at", Type::Int),
    ]);
    let events = events();
    for (webhook, wanted) in asked {
        let wanted: Vec<EventKind> = from_json("webhook.events", &wanted)?;
        for event in events.iter().filter(|event| wanted.is_empty() || wanted.contains(&event.kind)) {
            let payload = json!({ "type": event.kind, "timestamp": timestamp::rfc3339(event.at), "data": event.data });
            rows.push([
                Uuid::now_v7().into(),
                webhook.into(),
                event.kind.as_str().into(),
                payload.to_string().into(),
                now.get().into(),
            ]);
        }
    }
    let sql = "INSERT INTO webhook_delivery (id, webhook_id, event, payload, state, next_attempt_at, created_at) \
               SELECT id, webhook_id, event, payload, 'waiting', at, at FROM {rows}";
    rows.execute(tx, sql).await.map(drop)
}

/// Tells of a step that a loan has just taken.
pub(crate) async fn tell_loan(tx: &mut Tx, loan: &Loan, step: &str, now: UtcMillis) -> Result<(), StoreError> {
    tell(tx, now, || loan_event(loan, step, now).into_iter().collect()).await
}

/// What is to be told of a step that a loan has just taken; nothing of a step that has no event.
pub(crate) fn loan_event(loan: &Loan, step: &str, at: UtcMillis) -> Option<Event> {
    let handed = loan.state.handed_over();
    let data = json!({
        "loan": loan.id, "device": loan.device, "borrower": loan.borrower, "programme": loan.programme,
        "site": loan.site, "state": loan.state.name(),
        "due": handed.and_then(|handed| handed.due).map(|due| due.to_string()),
    });
    Some(Event { kind: EventKind::of_loan(step)?, at, data })
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Which one.
    pub id: Uuid,
    /// What people call it.
    pub label: String,
    /// Where it goes.
    pub url: String,
    /// Which events; none named is all.
    pub events: Vec<EventKind>,
    /// When it was added.
    pub created_at: UtcMillis,
    /// Since when it is not told any more.
    pub disabled_at: Option<UtcMillis>,
}

/// Adds one. An address that is told already is a database error naming `url`.
pub async fn insert(tx: &mut Tx, webhook: &Webhook, sealed_secret: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO webhook (id, label, url, sealed_secret, events, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let events = to_json("webhook.events", &webhook.events)?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(webhook.id)
            .bind(webhook.label.as_str())
            .bind(webhook.url.as_str())
            .bind(sealed_secret)
            .bind(events)
            .bind(webhook.created_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Stops telling one; what waits for it is given up. False when it was stopped before, or does not exist.
pub async fn disable(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE webhook SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    let sql = "UPDATE webhook_delivery SET state = 'given_up', finished_at = $2, error = 'the webhook was disabled', \
               error_at = $2 WHERE webhook_id = $1 AND state = 'waiting'";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(drop))?;
    Ok(rows == 1)
}

#[derive(sqlx::FromRow)]
struct RawWebhook {
    id: Uuid,
    label: String,
    url: String,
    events: String,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl RawWebhook {
    fn read(self) -> Result<Webhook, StoreError> {
        Ok(Webhook {
            id: self.id,
            label: self.label,
            url: self.url,
            events: from_json("webhook.events", &self.events)?,
            created_at: moment("webhook.created_at", self.created_at)?,
            disabled_at: optional_moment("webhook.disabled_at", self.disabled_at)?,
        })
    }
}

/// How it goes with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub webhook: Webhook,
    /// Events that wait.
    pub waiting: i64,
    /// Events that were given up.
    pub given_up: i64,
    /// The last thing that went wrong, and when.
    pub last_error: Option<(UtcMillis, String)>,
}

/// All webhooks with how it goes, those that are told first, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<Standing>, StoreError> {
    let sql = "SELECT id, label, url, events, created_at, disabled_at FROM webhook \
               ORDER BY disabled_at IS NOT NULL, label, id";
    let all: Vec<RawWebhook> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let mut standings = Vec::with_capacity(all.len());
    for raw in all {
        let webhook = raw.read()?;
        let sql = "SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'given_up') \
                   FROM webhook_delivery WHERE webhook_id = $1 AND state <> 'delivered'";
        let (waiting, given_up): (i64, i64) = on!(tx, |c| sqlx::query_as(sql).bind(webhook.id).fetch_one(c).await)?;
        let sql = "SELECT error_at, error FROM webhook_delivery WHERE webhook_id = $1 AND error_at IS NOT NULL \
                   ORDER BY error_at DESC LIMIT 1";
        let last: Option<(i64, String)> = on!(tx, |c| sqlx::query_as(sql).bind(webhook.id).fetch_optional(c).await)?;
        let last_error = last
            .map(|(at, error)| Ok::<_, StoreError>((moment("webhook_delivery.error_at", at)?, error)))
            .transpose()?;
        standings.push(Standing { webhook, waiting, given_up, last_error });
    }
    Ok(standings)
}

/// An event to be told now.
#[derive(Clone, Debug)]
pub struct Due {
    /// Which delivery: its `webhook-id`.
    pub id: Uuid,
    /// Who is told.
    pub webhook: Uuid,
    /// Where.
    pub url: String,
    /// The signing secret, sealed for that webhook.
    pub sealed_secret: String,
    /// What is said.
    pub payload: String,
    /// How many attempts there were.
    pub attempts: i64,
    /// When it happened.
    pub created_at: UtcMillis,
    /// Of which kind.
    pub event: EventKind,
}

#[derive(sqlx::FromRow)]
struct RawDue {
    id: Uuid,
    url: String,
    sealed_secret: String,
    payload: String,
    attempts: i64,
    created_at: i64,
    event: String,
    next_attempt_at: i64,
}

/// The webhooks whose line may be worked on: told still, and the time of their oldest event has come. Events are told in
/// their order, so that one decides for all behind it.
pub async fn lines(tx: &mut Tx, now: UtcMillis) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT w.id FROM webhook w WHERE w.disabled_at IS NULL AND (SELECT d.next_attempt_at \
               FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.finished_at IS NULL \
               ORDER BY d.created_at, d.id LIMIT 1) <= $1 ORDER BY w.id";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(now.get()).fetch_all(c).await)?)
}

/// The oldest event that `webhook` was not told of, if its time has come and it is told still.
pub async fn next(tx: &mut Tx, webhook: Uuid, now: UtcMillis) -> Result<Option<Due>, StoreError> {
    let sql = "SELECT d.id, w.url, w.sealed_secret, d.payload, d.attempts, d.created_at, d.event, d.next_attempt_at \
               FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id \
               WHERE d.webhook_id = $1 AND d.finished_at IS NULL AND w.disabled_at IS NULL \
               ORDER BY d.created_at, d.id LIMIT 1";
    let raw: Option<RawDue> = on!(tx, |c| sqlx::query_as(sql).bind(webhook).fetch_optional(c).await)?;
    raw.filter(|raw| raw.next_attempt_at <= now.get())
        .map(|raw| {
            Ok(Due {
                id: raw.id,
                webhook,
                url: raw.url,
                sealed_secret: raw.sealed_secret,
                payload: raw.payload,
                attempts: raw.attempts,
                created_at: moment("webhook_delivery.created_at", raw.created_at)?,
                event: parsed("webhook_delivery.event", &raw.event)?,
            })
        })
        .transpose()
}

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// It was taken.
    Delivered,
    /// It is given up.
    GivenUp {
        /// Why.
        error: &'a str,
    },
}

/// Writes down how telling of an event ended.
pub async fn told(tx: &mut Tx, id: Uuid, told: Told<'_>, now: UtcMillis) -> Result<(), StoreError> {
    let (state, error) = match told {
        Told::Delivered => ("delivered", None),
        Told::GivenUp { error } => ("given_up", Some(error)),
    };
    let sql = "UPDATE webhook_delivery SET state = $2, attempts = attempts + 1, finished_at = $3, \
               error = COALESCE($4, error), error_at = CASE WHEN $4 IS NULL THEN error_at ELSE $3 END \
               WHERE id = $1 AND finished_at IS NULL";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(state).bind(now.get()).bind(error).execute(c).await.map(drop))?;
    Ok(())
}

/// How a line is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutOff<'a> {
    /// The event that could not be told: it was tried once more. None when it was given up, and only the rest waits.
    pub tried: Option<Uuid>,
    /// When the line is tried again.
    pub next: UtcMillis,
    /// Events from before are given up.
    pub given_up_before: UtcMillis,
    /// Why.
    pub error: &'a str,
}

/// Puts off everything that waits for `webhook`, in one statement for what is given up and one for the rest, however
/// long the line is; how many were given up, and how many wait.
pub async fn put_off(tx: &mut Tx, webhook: Uuid, how: PutOff<'_>, now: UtcMillis) -> Result<(u64, u64), StoreError> {
    let PutOff { tried, next, given_up_before, error } = how;
    let tried = tried.unwrap_or_default();
    let sql = "UPDATE webhook_delivery SET state = 'given_up', finished_at = $3, error = $4, error_at = $3, \
               attempts = attempts + CASE WHEN id = $5 THEN 1 ELSE 0 END \
               WHERE webhook_id = $1 AND finished_at IS NULL AND created_at < $2";
    let given_up = on!(tx, |c| {
        let query = sqlx::query(sql).bind(webhook).bind(given_up_before.get()).bind(now.get()).bind(error).bind(tried);
        query.execute(c).await.map(|done| done.rows_affected())
    })?;
    let sql = "UPDATE webhook_delivery SET next_attempt_at = $2, error = $4, error_at = $3, \
               attempts = attempts + CASE WHEN id = $5 THEN 1 ELSE 0 END WHERE webhook_id = $1 AND finished_at IS NULL";
    let later = on!(tx, |c| {
        let query = sqlx::query(sql).bind(webhook).bind(next.get()).bind(now.get()).bind(error).bind(tried);
        query.execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok((given_up, later))
}

/// Gives up what waits for webhooks that are told no more: an event may be written while its webhook is disabled. How
/// many.
pub async fn give_up_disabled(tx: &mut Tx, now: UtcMillis) -> Result<u64, StoreError> {
    let sql = "UPDATE webhook_delivery SET state = 'given_up', finished_at = $1, error = 'the webhook was disabled', \
               error_at = $1 WHERE finished_at IS NULL \
               AND webhook_id IN (SELECT id FROM webhook WHERE disabled_at IS NOT NULL)";
    Ok(on!(tx, |c| sqlx::query(sql).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?)
}

/// Forgets deliveries that ended before `before`; how many.
pub async fn forget(tx: &mut Tx, before: UtcMillis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM webhook_delivery WHERE finished_at < $1";
    Ok(on!(tx, |c| sqlx::query(sql).bind(before.get()).execute(c).await.map(|done| done.rows_affected()))?)
}
