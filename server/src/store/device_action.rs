//! Orders to agents: given by people, told to one enrolment, answered once. All of an order's life is rows of one table;
//! giving and answering each leave a row in the audit in the same unit of work.

use cartable_common::{
    ActionId, DeviceId, EnrolmentId, Text, UtcMillis,
    action::{
        ActionOrder, ActionOutcome, ActionResult, LogLine, MAX_ACTIONS, MAX_LOG_LINES, ReturnNotice, SelfTestAnswer,
    },
    limits::MAX_DRIVES,
};
use jiff::civil::Date;
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    Store, StoreError, Tx,
    audit::{self, NewAudit},
    device,
    device_action_facts::{self, Standing},
    donation_approval,
    lending::Clerk,
    on,
    value::{day, day_number, from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::device_action::{self, ActionState, Hindrance, Kind, Notice, Order};

/// Orders of one device that are shown, the newest first.
pub const LISTED: i64 = 50;

/// Who writes down what an agent answered.
const AGENT: &str = "job:actions";

/// An order and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRow {
    /// Which one.
    pub id: Uuid,
    /// The device.
    pub device: DeviceId,
    /// The enrolment that is told.
    pub enrolment: EnrolmentId,
    /// What is ordered.
    pub order: Order,
    /// Its place among the orders of the device.
    pub counter: i64,
    /// When it was given.
    pub ordered_at: UtcMillis,
    /// By whom.
    pub ordered_by: String,
    /// From when it is too late.
    pub expires_at: UtcMillis,
    /// When the laptop was first told.
    pub told_at: Option<UtcMillis>,
    /// What it answered, and when.
    pub answer: Option<(ActionOutcome, UtcMillis)>,
    /// Since when it is told no more: it was answered, its time was over, or what it was for was.
    pub closed_at: Option<UtcMillis>,
    /// What each drive answered.
    pub drives: Vec<SelfTestAnswer>,
    /// Whether a log came with it that is still kept.
    pub has_log: bool,
}

impl ActionRow {
    /// Where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: UtcMillis) -> ActionState {
        let over_at = self.closed_at.map_or(self.expires_at, |closed_at| closed_at.min(self.expires_at));
        device_action::state(self.told_at.is_some(), self.answer.is_some(), over_at, now)
    }

    /// As the agent reads it. A day is told as its noon in UTC: the same day everywhere in France but the far Pacific.
    #[must_use]
    pub fn wire(&self) -> ActionOrder {
        const NOON_MILLIS: i64 = UtcMillis::DAY / 2;
        let notice = self.order.notice().map(|notice| ReturnNotice {
            due_at: UtcMillis::default().plus_days(day_number(notice.due)).plus_millis(NOON_MILLIS),
            place: notice.place.clone(),
        });
        ActionOrder {
            action_id: ActionId(self.id),
            device_id: self.device,
            enrolment_id: self.enrolment,
            kind: self.order.kind().wire(),
            notice,
            counter: self.counter,
            issued_at: self.ordered_at,
            expires_at: self.expires_at,
        }
    }
}

#[derive(FromRow)]
struct Raw {
    id: Uuid,
    device_id: Uuid,
    enrolment_id: Uuid,
    kind: String,
    due_day: Option<i64>,
    place: Option<String>,
    counter: i64,
    ordered_at: i64,
    ordered_by: String,
    expires_at: i64,
    told_at: Option<i64>,
    outcome: Option<String>,
    answered_at: Option<i64>,
    closed_at: Option<i64>,
    drives: Option<String>,
    has_log: bool,
}

impl TryFrom<Raw> for ActionRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let due = raw.due_day.map(|number| day("device_action.due_day", number)).transpose()?;
        let notice = due.zip(raw.place).map(|(due, place)| Notice { due, place: Text::clean(&place) });
        let answered_at = optional_moment("device_action.answered_at", raw.answered_at)?;
        let outcome = raw.outcome.as_deref().map(outcome);
        let drives = raw.drives.map(|json| from_json("device_action.drives", &json)).transpose()?;
        Ok(Self {
            id: raw.id,
            device: DeviceId(raw.device_id),
            enrolment: EnrolmentId(raw.enrolment_id),
            order: Order::stored(parsed("device_action.kind", &raw.kind)?, notice),
            counter: raw.counter,
            ordered_at: moment("device_action.ordered_at", raw.ordered_at)?,
            ordered_by: raw.ordered_by,
            expires_at: moment("device_action.expires_at", raw.expires_at)?,
            told_at: optional_moment("device_action.told_at", raw.told_at)?,
            answer: outcome.zip(answered_at),
            closed_at: optional_moment("device_action.closed_at", raw.closed_at)?,
            drives: drives.unwrap_or_default(),
            has_log: raw.has_log,
        })
    }
}

/// An outcome as it is stored; the table holds none that this version does not know but as `unknown`.
fn outcome(text: &str) -> ActionOutcome {
    ActionOutcome::ALL.iter().copied().find(|outcome| outcome.as_str() == text).unwrap_or_default()
}

const COLUMNS: &str = "SELECT id, device_id, enrolment_id, kind, due_day, place, counter, ordered_at, ordered_by, \
    expires_at, told_at, outcome, answered_at, closed_at, drives, log IS NOT NULL AS has_log FROM device_action";

/// Whether an order may still be told: a return notice only while its device is lent until the day that it names.
const HOLDS: &str = "(kind <> 'return_notice' OR due_day = (SELECT l.due_day FROM loan l \
    WHERE l.device_id = device_action.device_id AND l.ended_at IS NULL AND l.state = 'handed_over'))";

/// What became of giving an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It waits for the laptop, under this id.
    Given(Uuid),
    /// It was not given.
    Hindered(Hindrance),
    /// There is no such device in the clerk's sites.
    Unknown,
}

/// Gives an order, for the person whom the caller found allowed to.
pub async fn order(tx: &mut Tx, device: DeviceId, order: &Order, by: Clerk<'_>) -> Result<Ordered, StoreError> {
    device::lock(tx, [device.0]).await?;
    if device::find(tx, by.scope, device).await?.is_none() {
        return Ok(Ordered::Unknown);
    }
    let standing = device_action_facts::of(tx, &[device.0], by.now).await?.remove(&device.0);
    let Some(standing) = standing else { return Ok(Ordered::Unknown) };
    let ordered = give(tx, (device, Uuid::now_v7()), &standing, order, by).await?;
    if let Ordered::Given(id) = ordered {
        record(tx, (device, id), order, by).await?;
    }
    Ok(ordered)
}

/// [`order`] under this id and without its row in the audit, which the caller appends with [`record`] before the unit of
/// work ends: where many are given in one, their rows come last. The caller locked the device, found it within the clerk's
/// sites, and read after that how it stands.
pub(super) async fn give(
    tx: &mut Tx,
    (device, id): (DeviceId, Uuid),
    standing: &Standing,
    order: &Order,
    by: Clerk<'_>,
) -> Result<Ordered, StoreError> {
    let Standing { facts, enrolment, .. } = standing;
    close_past(tx, device, (*enrolment, facts.due), by.now).await?;
    if let Err(hindrance) = device_action::may_order(order, facts) {
        return Ok(Ordered::Hindered(hindrance));
    }
    let Some(enrolment) = *enrolment else { return Ok(Ordered::Hindered(Hindrance::NoAgent)) };
    insert(tx, (device, enrolment), (id, order), by).await?;
    Ok(Ordered::Given(id))
}

/// Writes an order that was given into the audit.
pub(super) async fn record(
    tx: &mut Tx,
    (device, id): (DeviceId, Uuid),
    order: &Order,
    by: Clerk<'_>,
) -> Result<(), StoreError> {
    let kind = order.kind();
    let mut details = json!({ "device": device, "kind": kind, "expires_at": expires_at(kind, by.now).get() });
    if let Some(notice) = order.notice() {
        details["due"] = json!(notice.due.to_string());
    }
    donation_approval::record(tx, "device_action.order", ("device_action", id), details, by).await
}

/// The enrolment of our agent that speaks for a device: the one that is told. Another system's agent takes no orders.
pub async fn speaks_for(tx: &mut Tx, device: DeviceId) -> Result<Option<EnrolmentId>, StoreError> {
    let sql = "SELECT id FROM enrolment WHERE device_id = $1 AND status = 'active' AND kind = 'agent' \
               ORDER BY id DESC LIMIT 1";
    let found: Option<Uuid> = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).fetch_optional(c).await)?;
    Ok(found.map(EnrolmentId))
}

/// Closes what the device is told no more: what is over, what an earlier enrolment was to be told, and notices of another
/// day than the one until which it is lent. While no agent speaks, or the device is not lent, nothing is known to be past.
async fn close_past(
    tx: &mut Tx,
    device: DeviceId,
    (enrolment, due): (Option<EnrolmentId>, Option<Date>),
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql = "UPDATE device_action SET closed_at = $2 WHERE device_id = $1 AND closed_at IS NULL \
               AND (expires_at <= $2 OR enrolment_id <> $3 OR due_day <> $4)";
    on!(tx, |c| sqlx::query(sql)
        .bind(device.0)
        .bind(now.get())
        .bind(enrolment.map(|enrolment| enrolment.0))
        .bind(due.map(day_number))
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Closes the return notice that waits for a device, for its loan is over; which one that was.
pub(super) async fn withdraw_notice(tx: &mut Tx, device: DeviceId, now: UtcMillis) -> Result<Option<Uuid>, StoreError> {
    let sql = "UPDATE device_action SET closed_at = $2 WHERE device_id = $1 AND kind = 'return_notice' \
               AND closed_at IS NULL RETURNING id";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).bind(now.get()).fetch_optional(c).await)?)
}

async fn insert(
    tx: &mut Tx,
    (device, enrolment): (DeviceId, EnrolmentId),
    (id, order): (Uuid, &Order),
    by: Clerk<'_>,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO device_action (id, device_id, enrolment_id, kind, due_day, place, counter, ordered_at, \
        ordered_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let sql = "SELECT max(counter) FROM device_action WHERE device_id = $1";
    let last: Option<i64> = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).fetch_one(c).await)?;
    let kind = order.kind();
    on!(tx, |c| sqlx::query(SQL)
        .bind(id)
        .bind(device.0)
        .bind(enrolment.0)
        .bind(kind.as_str())
        .bind(order.notice().map(|notice| day_number(notice.due)))
        .bind(order.notice().map(|notice| notice.place.as_str()))
        .bind(device_action::next_counter(last, by.now))
        .bind(by.now.get())
        .bind(by.actor)
        .bind(expires_at(kind, by.now).get())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// From when an order that is given now is too late.
fn expires_at(kind: Kind, now: UtcMillis) -> UtcMillis {
    now.plus_days(kind.lives_for_days())
}

/// The orders of a device, the newest first, at most [`LISTED`]. The caller found the device within somebody's sites.
pub async fn of_device(tx: &mut Tx, device: DeviceId) -> Result<Vec<ActionRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE device_id = $1 ORDER BY counter DESC LIMIT $2");
    let sql = sqlx::AssertSqlSafe(sql);
    let rows: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(device.0).bind(LISTED).fetch_all(c).await)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The log that came with an order of that device, if one did and it is still kept.
pub async fn log(tx: &mut Tx, device: DeviceId, id: Uuid) -> Result<Option<Vec<LogLine>>, StoreError> {
    let sql = "SELECT log FROM device_action WHERE device_id = $1 AND id = $2 AND log IS NOT NULL";
    let found: Option<String> = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).bind(id).fetch_optional(c).await)?;
    found.map(|json| from_json("device_action.log", &json)).transpose()
}

/// What an enrolment is to be told at `now`, the oldest first, at most [`MAX_ACTIONS`]; a return notice while its loan runs
/// until that day. That it is told is written down, and what is over is closed; where neither changes, nothing is written.
pub async fn tell(store: &Store, enrolment: EnrolmentId, now: UtcMillis) -> Result<Vec<ActionRow>, StoreError> {
    let mut tx = store.read().await?;
    let sql = format!(
        "{COLUMNS} WHERE enrolment_id = $1 AND closed_at IS NULL AND (expires_at <= $2 OR {HOLDS}) ORDER BY counter"
    );
    let sql = sqlx::AssertSqlSafe(sql);
    let rows: Vec<Raw> = on!(&mut tx, |c| sqlx::query_as(sql).bind(enrolment.0).bind(now.get()).fetch_all(c).await)?;
    drop(tx);
    let mut rows = rows.into_iter().map(TryInto::try_into).collect::<Result<Vec<ActionRow>, _>>()?;
    if rows.iter().any(|row| row.told_at.is_none() || row.expires_at <= now) {
        let mut tx = store.write().await?;
        for change in [
            format!(
                "told_at = $2 WHERE enrolment_id = $1 AND closed_at IS NULL AND told_at IS NULL \
                AND expires_at > $2 AND {HOLDS}"
            ),
            "closed_at = $2 WHERE enrolment_id = $1 AND closed_at IS NULL AND expires_at <= $2".to_owned(),
        ] {
            let sql = sqlx::AssertSqlSafe(format!("UPDATE device_action SET {change}"));
            on!(&mut tx, |c| sqlx::query(sql).bind(enrolment.0).bind(now.get()).execute(c).await.map(drop))?;
        }
        tx.commit().await?;
    }
    rows.retain(|row| row.expires_at > now);
    rows.truncate(MAX_ACTIONS);
    Ok(rows)
}

/// Takes what an enrolment answered, and gives what it may forget: all of it, since an answer to something that nobody
/// ordered, or that was answered before, changes nothing.
pub async fn answer(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    results: &[ActionResult],
    now: UtcMillis,
) -> Result<Vec<ActionId>, StoreError> {
    let mut told = Vec::with_capacity(results.len().min(MAX_ACTIONS));
    for result in results.iter().take(MAX_ACTIONS) {
        if let Some((device, kind)) = close(tx, enrolment, result, now).await? {
            let details = json!({ "device": device, "kind": kind, "outcome": result.outcome });
            let object_id = result.action_id.to_string();
            let (action, object_kind) = ("device_action.answer", "device_action");
            let act = NewAudit { actor: AGENT, action, object_kind, object_id: &object_id, details };
            audit::append_of_contact(tx, act, now).await?;
        }
        told.push(result.action_id);
    }
    Ok(told)
}

/// Writes an answer down, once; the device and the kind where it was an answer to something.
async fn close(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    result: &ActionResult,
    now: UtcMillis,
) -> Result<Option<(DeviceId, Kind)>, StoreError> {
    const SQL: &str = "UPDATE device_action SET outcome = $3, answered_at = $4, closed_at = COALESCE(closed_at, $4), \
        told_at = COALESCE(told_at, $4), drives = $5, log = CASE WHEN kind = 'send_log' THEN $6 END \
        WHERE id = $1 AND enrolment_id = $2 AND answered_at IS NULL RETURNING device_id, kind";
    let drives: Vec<_> = result.drives.iter().take(MAX_DRIVES).collect();
    let lines: Vec<_> = result.log.iter().take(MAX_LOG_LINES).collect();
    let drives = (!drives.is_empty()).then(|| to_json("device_action.drives", &drives)).transpose()?;
    let log = (!lines.is_empty()).then(|| to_json("device_action.log", &lines)).transpose()?;
    let closed: Option<(Uuid, String)> = on!(tx, |c| sqlx::query_as(SQL)
        .bind(result.action_id.0)
        .bind(enrolment.0)
        .bind(result.outcome.as_str())
        .bind(now.get())
        .bind(drives)
        .bind(log)
        .fetch_optional(c)
        .await)?;
    closed.map(|(device, kind)| Ok((DeviceId(device), parsed("device_action.kind", &kind)?))).transpose()
}
