//! Messages as people look at them: what was sent to whom, what waits, what failed; and what people do about it.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    page::{Cursor, CursorKey},
    value::{moment, optional_moment, parsed},
};
use crate::domain::{
    notice::{Dropped, MessageState, NoticeKind, RecipientKind},
    scope::Scope,
};

/// A message in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Which one.
    pub id: Uuid,
    /// Its Message-ID, without angle brackets.
    pub mail_id: String,
    /// What kind of recipient.
    pub recipient: RecipientKind,
    /// What stands for it: a borrower's reference, a referent's or a person's name.
    pub named: Option<String>,
    /// The site's name.
    pub site: Option<String>,
    /// Where it stands.
    pub state: MessageState,
    /// How many attempts there were.
    pub attempts: i64,
    /// When the next one is, while it waits.
    pub next_attempt_at: Option<UtcMillis>,
    /// When it was made.
    pub created_at: UtcMillis,
    /// When it ended.
    pub finished_at: Option<UtcMillis>,
    /// What last went wrong, without addresses.
    pub error: Option<String>,
    /// How many notices are in it.
    pub notices: i64,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    mail_id: String,
    recipient_kind: String,
    named: Option<String>,
    site: Option<String>,
    site_id: Option<Uuid>,
    state: String,
    attempts: i64,
    next_attempt_at: i64,
    created_at: i64,
    finished_at: Option<i64>,
    error: Option<String>,
    notices: i64,
}

impl Raw {
    fn read(self) -> Result<MessageRow, StoreError> {
        let finished_at = optional_moment("message.finished_at", self.finished_at)?;
        let next = moment("message.next_attempt_at", self.next_attempt_at)?;
        Ok(MessageRow {
            id: self.id,
            mail_id: self.mail_id,
            recipient: parsed("message.recipient_kind", &self.recipient_kind)?,
            named: self.named,
            site: self.site,
            state: parsed("message.state", &self.state)?,
            attempts: self.attempts,
            next_attempt_at: finished_at.is_none().then_some(next),
            created_at: moment("message.created_at", self.created_at)?,
            finished_at,
            error: self.error,
            notices: self.notices,
        })
    }
}

const SELECT: &str = "SELECT m.id, m.mail_id, m.recipient_kind, COALESCE(b.reference, r.name, p.display_name) AS named, \
     s.name AS site, m.site_id, m.state, m.attempts, m.next_attempt_at, m.created_at, m.finished_at, m.error, \
     (SELECT count(*) FROM notice n WHERE n.message_id = m.id AND n.state = 'grouped') AS notices FROM message m \
     LEFT JOIN borrower b ON m.recipient_kind = 'borrower' AND b.id = m.recipient_id \
     LEFT JOIN site_referent r ON m.recipient_kind = 'referent' AND r.id = m.recipient_id \
     LEFT JOIN person p ON m.recipient_kind = 'person' AND p.id = m.recipient_id \
     LEFT JOIN site s ON s.id = m.site_id";

/// Messages in `state` within `scope`, newest first; one page of at most `limit`, and where the next one begins.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    state: MessageState,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<(Vec<MessageRow>, Option<Cursor>), StoreError> {
    let (at, id) = match after {
        Some(Cursor { key: CursorKey::Number(at), id }) => (*at, *id),
        _ => (i64::MAX, Uuid::max()),
    };
    let sites = match scope {
        Scope::Everything => String::new(),
        Scope::Sites(sites) if sites.is_empty() => return Ok((Vec::new(), None)),
        Scope::Sites(_) => " AND m.site_id IN (SELECT id FROM {sites})".to_owned(),
    };
    let sql = format!(
        "{SELECT} WHERE m.state = $1 AND (m.created_at, m.id) < ($2, $3){sites} \
         ORDER BY m.created_at DESC, m.id DESC LIMIT {}",
        i64::from(limit) + 1
    );
    let mut rows: Vec<Raw> = match scope {
        Scope::Everything => {
            let sql = sqlx::AssertSqlSafe(sql);
            on!(tx, |c| sqlx::query_as(sql).bind(state.as_str()).bind(at).bind(id).fetch_all(c).await)?
        }
        Scope::Sites(sites) => of_sites(tx, &sql, sites, (state, at, id)).await?,
    };
    let more = rows.len() > usize::from(limit);
    rows.truncate(usize::from(limit));
    let next = rows.last().filter(|_| more).map(|last| Cursor { key: CursorKey::Number(last.created_at), id: last.id });
    Ok((rows.into_iter().map(Raw::read).collect::<Result<_, _>>()?, next))
}

async fn of_sites(
    tx: &mut Tx,
    sql: &str,
    sites: &[Uuid],
    (state, at, id): (MessageState, i64, Uuid),
) -> Result<Vec<Raw>, StoreError> {
    Ok(match tx {
        Tx::Sqlite(connection) => {
            let list = serde_json::Value::from(sites.iter().map(|id| id.simple().to_string()).collect::<Vec<_>>());
            let inner = "(SELECT unhex(value) AS id FROM json_each($4)) AS r";
            let sql = sqlx::AssertSqlSafe(sql.replace("{sites}", inner));
            let query = sqlx::query_as(sql).bind(state.as_str()).bind(at).bind(id).bind(list.to_string());
            query.fetch_all(&mut **connection).await?
        }
        Tx::Postgres(connection) => {
            let sql = sqlx::AssertSqlSafe(sql.replace("{sites}", "UNNEST($4::uuid[]) AS r (id)"));
            let query = sqlx::query_as(sql).bind(state.as_str()).bind(at).bind(id).bind(sites.to_vec());
            query.fetch_all(&mut **connection).await?
        }
    })
}

/// One message within `scope`.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<MessageRow>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE m.id = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(raw.site_id)).map(Raw::read).transpose()
}

/// A notice of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// What it is about.
    pub kind: NoticeKind,
    /// The device's id.
    pub device: Option<Uuid>,
    /// The device's label, or its serial number.
    pub label: Option<String>,
    /// The due day, in days since 1970.
    pub due_day: Option<i64>,
    /// Why it never left.
    pub dropped: Option<Dropped>,
}

#[derive(sqlx::FromRow)]
struct RawNotice {
    kind: String,
    device_id: Option<Uuid>,
    label: Option<String>,
    due_day: Option<i64>,
    dropped_why: Option<String>,
}

/// The notices of a message; the caller has looked the message up within a scope.
pub async fn notices(tx: &mut Tx, message: Uuid) -> Result<Vec<NoticeRow>, StoreError> {
    let sql = "SELECT n.kind, l.device_id, COALESCE(d.asset_tag, d.serial_number) AS label, l.due_day, n.dropped_why \
               FROM notice n LEFT JOIN loan l ON l.id = n.loan_id LEFT JOIN device d ON d.id = l.device_id \
               WHERE n.message_id = $1 ORDER BY n.created_at, n.id";
    let rows: Vec<RawNotice> = on!(tx, |c| sqlx::query_as(sql).bind(message).fetch_all(c).await)?;
    rows.into_iter()
        .map(|raw| {
            Ok(NoticeRow {
                kind: parsed("notice.kind", &raw.kind)?,
                device: raw.device_id,
                label: raw.label,
                due_day: raw.due_day,
                dropped: raw.dropped_why.map(|why| parsed("notice.dropped_why", &why)).transpose()?,
            })
        })
        .collect()
}

/// Records that a message that was sent came back. False when it was not sent, or is not in `scope`.
pub async fn bounce(tx: &mut Tx, scope: &Scope, id: Uuid, why: &str, now: UtcMillis) -> Result<bool, StoreError> {
    if find(tx, scope, id).await?.is_none_or(|found| found.state != MessageState::Sent) {
        return Ok(false);
    }
    let sql = "UPDATE message SET state = 'bounced', error = $2, error_at = $3 WHERE id = $1 AND state = 'sent'";
    let rows = on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(why).bind(now.get()).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// Lets a message that failed or bounced be tried again, as if it were new, under its Message-ID. What no longer holds
/// in it will be left out. False when it did not fail, or is not in `scope`.
pub async fn send_again(tx: &mut Tx, scope: &Scope, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let failed = |state| matches!(state, MessageState::Failed | MessageState::Bounced);
    if find(tx, scope, id).await?.is_none_or(|found| !failed(found.state)) {
        return Ok(false);
    }
    let sql = "UPDATE message SET state = 'waiting', attempts = 0, finished_at = NULL, next_attempt_at = $2, \
               deliveries = NULL, created_at = $2 WHERE id = $1 AND state IN ('failed', 'bounced')";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// The message with that Message-ID.
pub async fn by_mail_id(tx: &mut Tx, mail_id: &str) -> Result<Option<Uuid>, StoreError> {
    let sql = "SELECT id FROM message WHERE mail_id = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(mail_id).fetch_optional(c).await)?)
}

/// How many messages are in `state`, counted up to `most`.
pub async fn count(tx: &mut Tx, state: MessageState, most: i64) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM message WHERE state = $1 LIMIT $2) AS counted";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(state.as_str()).bind(most).fetch_one(c).await)?)
}
