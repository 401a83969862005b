//! What is forgotten, and what is kept less exactly. Reports say when a laptop is switched on; after a month nobody
//! needs the hour any more, so it is rounded to the day.
//!
//! Works through the fleet in chunks of devices, each a unit of work, and may be repeated at will.

use cartable_common::{UtcMillis, report::Hardware};
use uuid::Uuid;

use super::{
    StoreError, Tx, erasure_gap, on,
    rows::{Cell, Rows, Type},
    value::{from_json, moment, to_json},
};
use crate::domain::{flag::Evidence, month::Month};

/// Days after which moments of contact are known to the day only.
pub const EXACT_DAYS: i64 = 30;
/// Days for which a report's identifier is remembered, so that a repeat is recognised: agents keep reports for at most
/// 120 days.
pub const REPORT_DAYS: i64 = 400;
/// Days for which changes of a device's content are kept: a loan lasts up to four school years. Forgotten by the
/// month: a month goes when all of it is past its time.
pub const CHANGE_DAYS: i64 = 5 * 366;
/// Days for which a day's figures are kept; forgotten by the month too.
pub const DAILY_DAYS: i64 = 5 * 366;
/// Days for which cleared flags are kept.
pub const CLEARED_FLAG_DAYS: i64 = 5 * 366;
/// Days after which it is forgotten which machines showed a key that is not theirs, unless the key is still set aside: longer
/// than its certificate lives, and than a laptop may be away without a person being asked. After that the key, which ended
/// long ago, lets nobody ask for another.
pub const CLONED_KEY_DAYS: i64 = 400;
/// Days for which an agent's log is kept that somebody asked for.
pub const LOG_DAYS: i64 = 30;
/// Days for which check-ins per hour are kept.
pub const HOURLY_DAYS: i64 = 90;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Rows whose moments were rounded to the day.
    pub coarsened: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// Statements that round moments older than `$2` to the day, for the devices `{rows}`. `$at` columns are rounded
/// together, where any of them is not round yet.
const COARSEN: [&str; 17] = [
    "UPDATE contact SET last_at = last_at - last_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND last_at % 86400000 <> 0 AND last_at < {limit}",
    "UPDATE contact SET first_at = first_at - first_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND first_at % 86400000 <> 0 AND first_at < {limit}",
    "UPDATE report SET received_at = received_at - received_at % 86400000, \
     measured_at = measured_at - measured_at % 86400000 WHERE device_id IN (SELECT r.id FROM {rows}) \
     AND (received_at % 86400000 <> 0 OR measured_at % 86400000 <> 0) AND received_at < {limit}",
    "UPDATE health SET received_at = received_at - received_at % 86400000, \
     measured_at = measured_at - measured_at % 86400000 WHERE device_id IN (SELECT r.id FROM {rows}) \
     AND (received_at % 86400000 <> 0 OR measured_at % 86400000 <> 0) AND received_at < {limit}",
    "UPDATE health_change SET received_at = received_at - received_at % 86400000, \
     measured_at = measured_at - measured_at % 86400000 WHERE device_id IN (SELECT r.id FROM {rows}) \
     AND (received_at % 86400000 <> 0 OR measured_at % 86400000 <> 0) AND received_at < {limit}",
    "UPDATE drive_seen SET last_seen = last_seen - last_seen % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND last_seen % 86400000 <> 0 AND last_seen < {limit}",
    "UPDATE cloned_key SET last_at = last_at - last_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND last_at % 86400000 <> 0 AND last_at < {limit}",
    "UPDATE cloned_key SET first_at = first_at - first_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND first_at % 86400000 <> 0 AND first_at < {limit}",
    // A machine asks for another key when it is on.
    "UPDATE key_healing SET healed_at = healed_at - healed_at % 86400000 \
     WHERE enrolment_id IN (SELECT e.id FROM {rows} JOIN enrolment e ON e.device_id = r.id) \
     AND healed_at % 86400000 <> 0 AND healed_at < {limit}",
    // A laptop asks for its recovery when it is opened.
    "UPDATE recovery SET asked_at = asked_at - asked_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND asked_at % 86400000 <> 0 AND asked_at < {limit}",
    "UPDATE recovery SET decided_at = decided_at - decided_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND decided_at % 86400000 <> 0 AND decided_at < {limit}",
    "UPDATE recovery SET used_at = used_at - used_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND used_at % 86400000 <> 0 AND used_at < {limit}",
    // So does it fetch and answer orders.
    "UPDATE device_action SET told_at = told_at - told_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND told_at % 86400000 <> 0 AND told_at < {limit}",
    "UPDATE device_action SET answered_at = answered_at - answered_at % 86400000, \
     closed_at = closed_at - closed_at % 86400000 WHERE device_id IN (SELECT r.id FROM {rows}) \
     AND (answered_at % 86400000 <> 0 OR closed_at % 86400000 <> 0) AND answered_at < {limit}",
    // What a contact told stands open for as long as it lasts.
    "UPDATE flag SET since = since - since % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND since % 86400000 <> 0 AND since < {limit}",
    "UPDATE flag SET updated_at = updated_at - updated_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND updated_at % 86400000 <> 0 AND updated_at < {limit}",
    // A machine asks to be let in when it is on, also one that waits or was refused.
    "UPDATE enrolment SET created_at = created_at - created_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND created_at % 86400000 <> 0 AND created_at < {limit}",
];

/// Statements that round the measurements of days: the day itself is the key.
const COARSEN_DAYS: &str = "UPDATE health_daily SET measured_at = measured_at - measured_at % 86400000 \
     WHERE device_id IN (SELECT r.id FROM {rows}) AND measured_at % 86400000 <> 0 AND measured_at < {limit}";

/// Of rows of `cloned_key`: the key is not set aside any more.
const KEY_ENDED: &str = "NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.id = cloned_key.enrolment_id \
     AND e.status = 'quarantined')";

/// Rounds old moments of these devices to the day and deletes what is past its time.
pub async fn devices(tx: &mut Tx, ids: &[Uuid], now: UtcMillis) -> Result<Retained, StoreError> {
    let rows = Rows::of_ids(ids.iter().copied());
    let before = |days: i64| now.plus_days(-days).get().to_string();
    let mut done = Retained::default();
    erasure_gap::mark_used(tx, &rows).await?;
    for sql in COARSEN.into_iter().chain([COARSEN_DAYS]) {
        done.coarsened += rows.execute(tx, &sql.replace("{limit}", &before(EXACT_DAYS))).await?;
    }
    let forget_logs = format!(
        "UPDATE device_action SET log = NULL WHERE device_id IN (SELECT r.id FROM {{rows}}) AND log IS NOT NULL \
         AND answered_at < {}",
        before(LOG_DAYS)
    );
    done.coarsened += rows.execute(tx, &forget_logs).await?;
    done.coarsened += flags(tx, &rows, now).await?;
    let delete = |table: &str, condition: &str| {
        format!("DELETE FROM {table} WHERE device_id IN (SELECT r.id FROM {{rows}}) AND {condition}")
    };
    let (first_change, first_day) = (first_month(now, CHANGE_DAYS), first_month(now, DAILY_DAYS));
    erasure_gap::keep_history(tx, Some(&rows), first_change.first_millis()).await?;
    for sql in [
        delete("report", &format!("received_at < {}", before(REPORT_DAYS))),
        delete("health_change", &format!("received_at < {}", first_change.first_millis())),
        delete("health_daily", &format!("day < {}", first_day.first_day())),
        delete("flag", &format!("cleared_at < {}", before(CLEARED_FLAG_DAYS))),
        delete("cloned_key", &format!("last_at < {} AND {KEY_ENDED}", before(CLONED_KEY_DAYS))),
    ] {
        done.deleted += rows.execute(tx, &sql).await?;
    }
    Ok(done)
}

/// The first month of a history that is kept for `days`.
pub(super) fn first_month(now: UtcMillis, days: i64) -> Month {
    Month::of(now.plus_days(-days))
}

#[derive(sqlx::FromRow)]
struct Past {
    id: Uuid,
    since: i64,
    updated_at: i64,
    cleared_at: i64,
    evidence: String,
}

/// Rounds the moments of flags that were cleared long ago, with those in their evidence: a flag is cleared by a contact. The
/// evidence of open ones follows its source, which is rounded.
async fn flags(tx: &mut Tx, devices: &Rows<1>, now: UtcMillis) -> Result<u64, StoreError> {
    let limit = now.plus_days(-EXACT_DAYS).get();
    let sql = format!(
        "SELECT f.id, f.since, f.updated_at, f.cleared_at, f.evidence FROM {{rows}} \
         JOIN flag f ON f.device_id = r.id WHERE f.cleared_at < {limit} AND f.cleared_at % 86400000 <> 0"
    );
    let cleared: Vec<Past> = devices.fetch(tx, &sql).await?;
    let mut rows = Rows::new([
        ("id", Type::Uuid),
        ("since", Type::Int),
        ("updated_at", Type::Int),
        ("cleared_at", Type::Int),
        ("evidence", Type::Text),
    ]);
    for flag in cleared {
        let mut evidence: Evidence = from_json("flag.evidence", &flag.evidence)?;
        evidence.evidence_at = evidence.evidence_at.map(|at| moment("flag.evidence", round(at.get()))).transpose()?;
        rows.push([
            flag.id.into(),
            round(flag.since).into(),
            round(flag.updated_at).into(),
            round(flag.cleared_at).into(),
            Cell::from(to_json("flag.evidence", &evidence)?),
        ]);
    }
    let sql = "UPDATE flag SET since = r.since, updated_at = r.updated_at, cleared_at = r.cleared_at, \
               evidence = r.evidence FROM {rows} WHERE flag.id = r.id";
    rows.execute(tx, sql).await
}

const fn round(millis: i64) -> i64 {
    millis - millis % UtcMillis::DAY
}

/// Rounds the moments of newcomers, which are no device yet, and forgets what a refused one said of itself: it may be
/// anybody's own machine. Its key stays, and stays refused. Of one that was let in with another machine's key the device's
/// record says it. How many rows that changed.
pub async fn newcomers(tx: &mut Tx, now: UtcMillis) -> Result<u64, StoreError> {
    let limit = now.plus_days(-EXACT_DAYS).get();
    let mut changed = 0;
    for sql in [
        "UPDATE newcomer SET created_at = created_at - created_at % 86400000 \
         WHERE created_at % 86400000 <> 0 AND created_at < $1",
        "UPDATE newcomer SET decided_at = decided_at - decided_at % 86400000 \
         WHERE decided_at % 86400000 <> 0 AND decided_at < $1",
    ] {
        changed += on!(tx, |c| sqlx::query(sql).bind(limit).execute(c).await.map(|done| done.rows_affected()))?;
    }
    let nothing = to_json("newcomer.hardware", &Hardware::default())?;
    let sql = "UPDATE newcomer SET hardware = $2 WHERE (state = 'refused' OR state = 'approved' AND vouched_by IS NOT NULL) \
               AND decided_at < $1 AND hardware <> $2";
    changed += on!(tx, |c| sqlx::query(sql)
        .bind(limit)
        .bind(nothing.as_str())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(changed)
}

/// Deletes old totals of the whole fleet.
pub async fn totals(tx: &mut Tx, now: UtcMillis) -> Result<u64, StoreError> {
    let hour = now.plus_days(-HOURLY_DAYS).get() / super::contact::HOUR_MILLIS;
    let sql = "DELETE FROM contact_hourly WHERE hour < $1";
    Ok(on!(tx, |c| sqlx::query(sql).bind(hour).execute(c).await.map(|done| done.rows_affected()))?)
}
