//! Requests to be let in that nobody decided about, and whose machines ask no more: they lapse. What a machine said of itself goes
//! with its request. A row in the audit stays, which names the request and the device that it was about, if it was about one. A
//! machine that is still there asks every hour, and waits on.
//!
//! Only what has a day of its last ask lapses ([`lapses_at`](crate::domain::approval::lapses_at)): what came with a token, named a
//! lost key, or showed another machine's.

use cartable_common::{UtcDay, UtcMillis};
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    audit::{self, NewAudit},
    enrolment::KeyHash,
    on,
};
use crate::domain::approval::{Source, WAITING_DAYS};

/// Most requests of one source that lapse in one unit of work: each has a row in the audit, for which others wait.
pub const AT_ONCE: i64 = 100;

/// One that lapsed: its id, why it waited, and its device.
type Lapsed = (Uuid, String, Option<Uuid>);

const NEWCOMERS: &str = "DELETE FROM newcomer WHERE state = 'waiting' AND id IN (SELECT n.id FROM newcomer n \
    WHERE n.state = 'waiting' AND n.asked_on <= $1 ORDER BY n.asked_on, n.id LIMIT $2{hold}) RETURNING id, waits_for, \
    COALESCE(listed_as, (SELECT v.device_id FROM enrolment v WHERE v.id = newcomer.vouched_by))";

const ENROLMENTS: &str = "DELETE FROM enrolment WHERE status = 'pending' AND id IN (SELECT e.id FROM enrolment e \
    WHERE e.status = 'pending' AND {asked_on} <= $1 ORDER BY e.asked_on, e.id LIMIT $2{hold}) \
    RETURNING id, COALESCE(waits_for, 'replacement'), device_id";

/// The day of the last ask of an enrolment `e` that waits; NULL where it does not lapse. Nothing refers to one that was never let
/// in; one that has a certificate was, before a database was restored.
pub(super) const ENROLMENT_ASKED_ON: &str =
    "CASE WHEN EXISTS (SELECT 1 FROM certificate c WHERE c.enrolment_id = e.id) THEN NULL ELSE e.asked_on END";

/// Whoever waits with this key asks again: from today on its request has as long as a new one. At most one write a day.
pub async fn asked(tx: &mut Tx, key: &KeyHash, now: UtcMillis) -> Result<(), StoreError> {
    let today = UtcDay::from(now).start().get();
    for sql in [
        "UPDATE newcomer SET asked_on = $2 WHERE spki_sha256 = $1 AND state = 'waiting' AND asked_on < $2",
        "UPDATE enrolment SET asked_on = $2 WHERE spki_sha256 = $1 AND status = 'pending' AND asked_on < $2",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(key.as_slice()).bind(today).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Ends requests that were last made [`WAITING_DAYS`] ago, of each source the oldest [`AT_ONCE`]; how many. What somebody decides
/// about at this moment is left to them.
pub async fn overdue(tx: &mut Tx, actor: &str, now: UtcMillis) -> Result<u64, StoreError> {
    let before = now.plus_days(-WAITING_DAYS).get();
    let mut count = 0;
    for (source, action, sql) in
        [(Source::Newcomer, "newcomer.lapse", NEWCOMERS), (Source::Enrolment, "enrolment.lapse", ENROLMENTS)]
    {
        let hold = match tx {
            Tx::Sqlite(_) => "",
            Tx::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        };
        let sql = sql.replace("{hold}", hold).replace("{asked_on}", ENROLMENT_ASKED_ON);
        let lapsed: Vec<Lapsed> =
            on!(tx, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(before).bind(AT_ONCE).fetch_all(c).await)?;
        for (id, waits_for, device) in lapsed {
            let (object_kind, object_id) = (source.as_str(), id.to_string());
            let details = json!({ "waits_for": waits_for, "device": device, "days": WAITING_DAYS });
            let entry = NewAudit { actor, action, object_kind, object_id: &object_id, details };
            audit::append(tx, entry, now).await?;
            count += 1;
        }
    }
    Ok(count)
}
