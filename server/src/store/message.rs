//! E-mails: waiting notices grouped by recipient, and which messages are to be tried now.
//!
//! How each attempt goes is [`super::message_attempt`].

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::{Rows, Type},
    value::{day_number, moment, parsed},
};
use crate::domain::{
    notice::{Quiet, Recipient},
    school_calendar::Zone,
};

/// Notices that are looked at in one unit of work.
const NOTICES_AT_ONCE: i64 = 5_000;

/// A recipient for whom notices wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub recipient: Recipient,
    /// On which days they may leave.
    pub quiet: Quiet,
    /// The site whose school days count.
    pub site: Option<Uuid>,
    /// Its zone.
    pub zone: Option<Zone>,
    notices: Vec<Uuid>,
}

#[derive(sqlx::FromRow)]
struct RawWaiting {
    id: Uuid,
    recipient_kind: String,
    recipient_id: Uuid,
    quiet: String,
    site_id: Option<Uuid>,
    academic_zone: Option<String>,
}

/// Drops the notices that waited beyond their time; how many.
pub async fn expire(tx: &mut Tx, today: Date) -> Result<u64, StoreError> {
    let sql = "UPDATE notice SET state = 'dropped', dropped_why = 'expired' \
               WHERE state = 'waiting' AND not_after_day < $1";
    let today = day_number(today);
    Ok(on!(tx, |c| sqlx::query(sql).bind(today).execute(c).await.map(|done| done.rows_affected()))?)
}

/// The recipients after `after` for whom something may leave from `today` on, some of them.
pub async fn waiting(tx: &mut Tx, after: Option<Recipient>, today: Date) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT n.id, n.recipient_kind, n.recipient_id, n.quiet, n.site_id, s.academic_zone \
               FROM notice n LEFT JOIN site s ON s.id = n.site_id \
               WHERE n.state = 'waiting' AND n.not_before_day <= $1 AND (n.recipient_kind, n.recipient_id) > ($2, $3) \
               ORDER BY n.recipient_kind, n.recipient_id LIMIT $4";
    let (kind, id) = after.map_or(("", Uuid::nil()), |after| (after.kind.as_str(), after.id));
    let today = day_number(today);
    let raw: Vec<RawWaiting> =
        on!(tx, |c| sqlx::query_as(sql).bind(today).bind(kind).bind(id).bind(NOTICES_AT_ONCE).fetch_all(c).await)?;
    let cut = i64::try_from(raw.len()).unwrap_or(i64::MAX) == NOTICES_AT_ONCE;
    let mut waiting: BTreeMap<(Recipient, Quiet), Waiting> = BTreeMap::new();
    for row in raw {
        let recipient = Recipient { kind: parsed("notice.recipient_kind", &row.recipient_kind)?, id: row.recipient_id };
        let quiet = parsed("notice.quiet", &row.quiet)?;
        let zone = row.academic_zone.map(|zone| parsed("site.academic_zone", &zone)).transpose()?;
        let new = Waiting { recipient, quiet, site: row.site_id, zone, notices: Vec::new() };
        waiting.entry((recipient, quiet)).or_insert(new).notices.push(row.id);
    }
    // The last recipient may have more than were read: it comes with the next ones, unless it is the only one.
    let last = waiting.keys().next_back().map(|(recipient, _)| *recipient);
    let recipients: BTreeSet<Recipient> = waiting.keys().map(|(recipient, _)| *recipient).collect();
    if let Some(last) = last.filter(|_| cut && recipients.len() > 1) {
        waiting.retain(|(recipient, _), _| *recipient != last);
    }
    Ok(waiting.into_values().collect())
}

#[derive(sqlx::FromRow)]
struct RawOpen {
    id: Uuid,
    recipient_kind: String,
    recipient_id: Uuid,
    quiet: String,
}

/// Puts the notices of each of `groups` into one message: one that waits already, or a new one whose Message-ID ends in
/// `@host`. Gives the number of messages that are new.
pub async fn group(tx: &mut Tx, groups: &[Waiting], host: &str, now: UtcMillis) -> Result<u64, StoreError> {
    let mut open = open_messages(tx, groups).await?;
    let mut messages = Rows::new([
        ("id", Type::Uuid),
        ("mail_id", Type::Text),
        ("recipient_kind", Type::Text),
        ("recipient_id", Type::Uuid),
        ("site_id", Type::Uuid),
        ("quiet", Type::Text),
        ("at", Type::Int),
    ]);
    let mut notices = Rows::new([("id", Type::Uuid), ("message_id", Type::Uuid)]);
    for group in groups {
        let message = *open.entry((group.recipient, group.quiet)).or_insert_with(|| {
            let id = Uuid::now_v7();
            messages.push([
                id.into(),
                format!("{}@{host}", Uuid::new_v4().simple()).into(),
                group.recipient.kind.as_str().into(),
                group.recipient.id.into(),
                group.site.into(),
                group.quiet.as_str().into(),
                now.get().into(),
            ]);
            id
        });
        for notice in &group.notices {
            notices.push([(*notice).into(), message.into()]);
        }
    }
    let sql = "INSERT INTO message (id, mail_id, recipient_kind, recipient_id, site_id, quiet, state, next_attempt_at, \
               created_at) SELECT id, mail_id, recipient_kind, recipient_id, site_id, quiet, 'waiting', at, at FROM {rows}";
    let new = messages.execute(tx, sql).await?;
    let sql = "UPDATE notice SET state = 'grouped', message_id = r.message_id FROM {rows} \
               WHERE notice.id = r.id AND notice.state = 'waiting'";
    notices.execute(tx, sql).await?;
    Ok(new)
}

/// Messages that wait for one of these recipients and that no address has taken: what comes later joins them. They are
/// held until this unit of work ends: one that is being tried by now is not among them, and none begins to be tried
/// before what joins it is there.
async fn open_messages(tx: &mut Tx, groups: &[Waiting]) -> Result<BTreeMap<(Recipient, Quiet), Uuid>, StoreError> {
    // On SQLite a unit of work that writes is alone already.
    let held = if matches!(tx, Tx::Postgres(_)) { " FOR UPDATE OF m" } else { "" };
    let sql = format!(
        "SELECT m.id, m.recipient_kind, m.recipient_id, m.quiet FROM {{rows}} JOIN message m ON m.recipient_id = r.id \
         WHERE m.state = 'waiting' AND m.deliveries IS NULL ORDER BY m.id{held}"
    );
    let recipients: BTreeSet<Uuid> = groups.iter().map(|group| group.recipient.id).collect();
    let raw: Vec<RawOpen> = Rows::of_ids(recipients).fetch(tx, &sql).await?;
    raw.into_iter()
        .map(|raw| {
            let recipient =
                Recipient { kind: parsed("message.recipient_kind", &raw.recipient_kind)?, id: raw.recipient_id };
            Ok(((recipient, parsed("message.quiet", &raw.quiet)?), raw.id))
        })
        .collect()
}

/// A message whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which one.
    pub id: Uuid,
    /// On which days it may leave.
    pub quiet: Quiet,
    /// The zone whose school days count.
    pub zone: Option<Zone>,
    /// The moment by which it was due.
    at: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct RawDue {
    id: Uuid,
    quiet: String,
    academic_zone: Option<String>,
    next_attempt_at: i64,
}

/// Messages whose time has come, some of those after `after`.
pub async fn due(tx: &mut Tx, after: Option<Due>, now: UtcMillis) -> Result<Vec<Due>, StoreError> {
    const AT_ONCE: i64 = 500;
    let sql = "SELECT m.id, m.quiet, s.academic_zone, m.next_attempt_at FROM message m \
               LEFT JOIN site s ON s.id = m.site_id \
               WHERE m.finished_at IS NULL AND m.next_attempt_at <= $1 AND (m.next_attempt_at, m.id) > ($2, $3) \
               ORDER BY m.next_attempt_at, m.id LIMIT $4";
    let (at, id) = after.map_or((-1, Uuid::nil()), |after| (after.at.get(), after.id));
    let raw: Vec<RawDue> =
        on!(tx, |c| sqlx::query_as(sql).bind(now.get()).bind(at).bind(id).bind(AT_ONCE).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            Ok(Due {
                id: raw.id,
                quiet: parsed("message.quiet", &raw.quiet)?,
                zone: raw.academic_zone.map(|zone| parsed("site.academic_zone", &zone)).transpose()?,
                at: moment("message.next_attempt_at", raw.next_attempt_at)?,
            })
        })
        .collect()
}

/// Forgets notices and messages that ended before `before`; how many messages.
pub async fn forget(tx: &mut Tx, before: UtcMillis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM notice WHERE created_at < $1 AND (state = 'dropped' OR message_id IN \
               (SELECT id FROM message WHERE finished_at < $1))";
    on!(tx, |c| sqlx::query(sql).bind(before.get()).execute(c).await.map(drop))?;
    let sql = "DELETE FROM message WHERE finished_at < $1 AND NOT EXISTS \
               (SELECT 1 FROM notice WHERE notice.message_id = message.id)";
    Ok(on!(tx, |c| sqlx::query(sql).bind(before.get()).execute(c).await.map(|done| done.rows_affected()))?)
}
