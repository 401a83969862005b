//! Messages to borrowers who are one family: brothers and sisters whose letters go to the same addresses get one.
//!
//! A message is joined into another before anything of it was tried, so that no letter has left under its Message-ID;
//! from then on the one that is kept is sent, and repeated, under its own. Which borrowers are a family is found by the
//! caller, who alone can open who they are: no address and no hash of one is kept.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::{Rows, Type},
    value::parsed,
};
use crate::domain::{notice::Quiet, school_calendar::Zone};

/// What several borrowers' messages that wait have in common: only such may be one letter, for the site decides on which
/// days it leaves and whose people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// The site.
    pub site: Option<Uuid>,
    /// Its zone.
    pub zone: Option<Zone>,
    /// On which days they may leave.
    pub quiet: Quiet,
}

/// Due, to a person, and never tried: one that was given up once and is to be sent again keeps its own Message-ID.
const UNTRIED: &str = "m.finished_at IS NULL AND m.next_attempt_at <= $1 AND m.recipient_kind = 'borrower' \
     AND m.state = 'waiting' AND m.attempts = 0 AND m.error IS NULL";

#[derive(sqlx::FromRow)]
struct RawNeighbours {
    site_id: Option<Uuid>,
    academic_zone: Option<String>,
    quiet: String,
}

/// Where more than one message waits for its first attempt.
pub async fn neighbours(tx: &mut Tx, now: UtcMillis) -> Result<Vec<Neighbours>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT m.site_id, s.academic_zone, m.quiet FROM message m \
         JOIN borrower_identity i ON i.borrower_id = m.recipient_id LEFT JOIN site s ON s.id = m.site_id \
         WHERE {UNTRIED} GROUP BY m.site_id, s.academic_zone, m.quiet HAVING count(*) > 1"
    ));
    let raw: Vec<RawNeighbours> = on!(tx, |c| sqlx::query_as(sql).bind(now.get()).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            Ok(Neighbours {
                site: raw.site_id,
                zone: raw.academic_zone.map(|zone| parsed("site.academic_zone", &zone)).transpose()?,
                quiet: parsed("message.quiet", &raw.quiet)?,
            })
        })
        .collect()
}

/// A message that waits for its first attempt, and who its recipient is, sealed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Untried {
    /// The message.
    pub id: Uuid,
    /// The borrower.
    pub borrower: Uuid,
    /// For [`crate::vault::Vault::open_identity`]. The caller writes the reading into the audit.
    pub sealed: String,
}

/// The messages of `at`, oldest first; none of them begins to be tried before this unit of work ends.
pub async fn untried(tx: &mut Tx, at: Neighbours, now: UtcMillis) -> Result<Vec<Untried>, StoreError> {
    // On SQLite a unit of work that writes is alone already.
    let (same, held) = match tx {
        Tx::Sqlite(_) => ("IS", ""),
        Tx::Postgres(_) => ("IS NOT DISTINCT FROM", " FOR UPDATE OF m"),
    };
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT m.id, m.recipient_id AS borrower, i.sealed FROM message m \
         JOIN borrower_identity i ON i.borrower_id = m.recipient_id \
         WHERE {UNTRIED} AND m.site_id {same} $2 AND m.quiet = $3 ORDER BY m.id{held}"
    ));
    let quiet = at.quiet.as_str();
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(now.get()).bind(at.site).bind(quiet).fetch_all(c).await)?)
}

/// Joins messages into others: each pair is the one that goes and the one that is kept. Both were given by [`untried`] in
/// this unit of work.
pub async fn join(tx: &mut Tx, pairs: &[(Uuid, Uuid)]) -> Result<(), StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("kept", Type::Uuid)]);
    for (gone, kept) in pairs {
        rows.push([(*gone).into(), (*kept).into()]);
    }
    let sql = "UPDATE notice SET message_id = r.kept FROM {rows} WHERE notice.message_id = r.id";
    rows.execute(tx, sql).await?;
    rows.execute(tx, "DELETE FROM message WHERE id IN (SELECT r.id FROM {rows})").await.map(drop)
}

/// Takes what is about `borrowers` out of a message: their letters no longer go where the others' do. It waits anew.
pub async fn part(tx: &mut Tx, message: Uuid, borrowers: &[Uuid]) -> Result<(), StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("message_id", Type::Uuid)]);
    for borrower in borrowers {
        rows.push([(*borrower).into(), message.into()]);
    }
    let sql = "UPDATE notice SET state = 'waiting', message_id = NULL FROM {rows} \
               WHERE notice.message_id = r.message_id AND notice.recipient_id = r.id AND notice.state = 'grouped'";
    rows.execute(tx, sql).await.map(drop)
}
