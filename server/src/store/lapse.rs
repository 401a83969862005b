//! Requests to be let in that nobody decided about in time: they lapse. What a machine said of itself goes with its request. A
//! row in the audit stays, which names the request and the device that it was about, if it was about one; a machine that is
//! still there asks anew.
//!
//! Only what came with a token or showed another machine's key lapses ([`lapses_at`](crate::domain::approval::lapses_at)).

use cartable_common::UtcMillis;
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    audit::{self, NewAudit},
    on,
};
use crate::domain::approval::{Source, WAITING_DAYS};

/// Most requests of one source that lapse in one unit of work: each has a row in the audit, for which others wait.
pub const AT_ONCE: i64 = 100;

/// One that lapsed: its id, why it waited, and its device.
type Lapsed = (Uuid, String, Option<Uuid>);

const NEWCOMERS: &str = "DELETE FROM newcomer WHERE state = 'waiting' AND id IN (SELECT n.id FROM newcomer n \
    WHERE n.state = 'waiting' AND n.created_at <= $1 ORDER BY n.created_at, n.id LIMIT $2{hold}) \
    RETURNING id, waits_for, listed_as";

/// Nothing refers to an enrolment that was never let in. One that has a certificate was, before a database was restored.
const ENROLMENTS: &str = "DELETE FROM enrolment WHERE status = 'pending' AND id IN (SELECT e.id FROM enrolment e \
    WHERE e.status = 'pending' AND e.token_id IS NOT NULL AND e.created_at <= $1 \
    AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.enrolment_id = e.id) \
    ORDER BY e.created_at, e.id LIMIT $2{hold}) RETURNING id, COALESCE(waits_for, 'replacement'), device_id";

/// Ends requests that have waited for [`WAITING_DAYS`], of each source the oldest [`AT_ONCE`]; how many. What somebody decides
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
        let sql = sql.replace("{hold}", hold);
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
