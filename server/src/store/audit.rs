//! The audit: who changed what, when, in a chain of hashes. Appended in the transaction of the change itself.
//!
//! Each row's hash covers the row and the hash before it, and a setting keeps the head, so altering, deleting or
//! reordering rows breaks the chain, and cutting its end contradicts the head. Someone who may write to the database
//! could rewrite rows, hashes and head alike: only a head noted elsewhere ([`Head`], `cartable-server audit verify`)
//! shows that. Never holds borrowers' names, secrets or reports.

use cartable_common::{UtcDay, UtcMillis};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::{
    StoreError, Tx, on, setting,
    value::{moment, optional_moment},
};

/// Where the head of the chain is kept.
const HEAD_SETTING: &str = "audit_head";
/// Sets this chain's hashes apart from every other use of SHA-256; changes when the form of a row does.
const DOMAIN: &[u8] = b"cartable-audit-1";
/// Rows read at a time while verifying: memory stays small however long the chain is.
const VERIFY_PAGE: i64 = 1_000;

/// Who acts when nobody is signed in: the operator at the command line.
pub const COMMAND_LINE: &str = "command-line";

/// An act to be recorded.
#[derive(Clone, Debug)]
pub struct NewAudit<'a> {
    /// The login of the person, [`COMMAND_LINE`], or `job:` and its name.
    pub actor: &'a str,
    /// What was done: `enrolment_token.create`, `flag.acknowledge`.
    pub action: &'a str,
    /// What kind of thing it was done to: `device`, `person`.
    pub object_kind: &'a str,
    /// Which one.
    pub object_id: &'a str,
    /// Whatever else says what changed.
    pub details: serde_json::Value,
}

/// A recorded act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Its place in the chain, from 1.
    pub seq: i64,
    /// When; of what a laptop's contact did by itself the day, by its beginning.
    pub at: UtcMillis,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub object_kind: String,
    /// To which one.
    pub object_id: String,
    /// Whatever else says what changed, JSON.
    pub details: String,
}

/// The end of the chain at some moment: who knows it can tell later whether the rows up to it are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last row; 0 when there is none.
    pub seq: i64,
    /// Its hash; zeros when there is none.
    pub hash: [u8; 32],
}

impl Head {
    const EMPTY: Self = Self { seq: 0, hash: [0; 32] };
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, HEXLOWER.encode(&self.hash))
    }
}

/// A text that is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head of the audit is a number, a colon and 64 hexadecimal digits, as `audit verify` prints it")]
pub struct InvalidHead;

impl std::str::FromStr for Head {
    type Err = InvalidHead;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, hash) = text.trim().split_once(':').ok_or(InvalidHead)?;
        let hash = HEXLOWER.decode(hash.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        Ok(Self { seq: seq.parse().map_err(|_| InvalidHead)?, hash: hash.ok_or(InvalidHead)? })
    }
}

/// Appends an act and gives its place. Other writers of the audit wait until this unit of work ends, so append last.
pub async fn append(tx: &mut Tx, new: NewAudit<'_>, now: UtcMillis) -> Result<i64, StoreError> {
    let head = locked_head(tx).await?;
    let row = Audit {
        seq: head.seq + 1,
        at: now,
        actor: new.actor.to_owned(),
        action: new.action.to_owned(),
        object_kind: new.object_kind.to_owned(),
        object_id: new.object_id.to_owned(),
        details: new.details.to_string(),
    };
    let hash = hash(&head.hash, &row);
    let sql = "INSERT INTO audit (seq, at, actor, action, object_kind, object_id, details, previous_hash, hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let seq = row.seq;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(row.seq)
            .bind(row.at.get())
            .bind(row.actor.clone())
            .bind(row.action.clone())
            .bind(row.object_kind.clone())
            .bind(row.object_id.clone())
            .bind(row.details.clone())
            .bind(head.hash.to_vec())
            .bind(hash.to_vec())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    setting::set(tx, HEAD_SETTING, &Head { seq, hash }.to_string()).await?;
    Ok(seq)
}

/// [`append`] of what a laptop's contact did by itself: the audit forgets nothing, and such a moment tells that somebody was
/// at the computer, so that the day alone is recorded, by its beginning (UTC). Its neighbours in the chain keep their time.
pub async fn append_of_contact(tx: &mut Tx, new: NewAudit<'_>, now: UtcMillis) -> Result<i64, StoreError> {
    append(tx, new, UtcDay::from(now).start()).await
}

/// When the first act was recorded: nothing that this database holds is much older.
pub async fn first_at(tx: &mut Tx) -> Result<Option<UtcMillis>, StoreError> {
    let sql = "SELECT at FROM audit ORDER BY seq LIMIT 1";
    let at: Option<i64> = on!(tx, |c| sqlx::query_scalar(sql).fetch_optional(c).await)?;
    optional_moment("audit.at", at)
}

/// Acts, newest first, after (that is, older than) `after`.
pub async fn list(tx: &mut Tx, after: Option<i64>, limit: i64) -> Result<Vec<Audit>, StoreError> {
    let sql = "SELECT * FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
    let after = after.unwrap_or(i64::MAX);
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?;
    rows.into_iter().map(Row::into_audit).collect()
}

/// Acts on one thing, newest first.
pub async fn of_object(tx: &mut Tx, kind: &str, id: &str, limit: i64) -> Result<Vec<Audit>, StoreError> {
    let sql = "SELECT * FROM audit WHERE object_kind = $1 AND object_id = $2 ORDER BY seq DESC LIMIT $3";
    let (kind, id) = (kind.to_owned(), id.to_owned());
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(sql).bind(kind).bind(id).bind(limit).fetch_all(c).await)?;
    rows.into_iter().map(Row::into_audit).collect()
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Every row is as it was appended, and the last one is the head.
    Intact(Head),
    /// The chain is broken.
    Broken {
        /// At which place.
        seq: i64,
        /// How.
        what: Break,
    },
}

/// How a chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A place in the middle is empty.
    #[error("the row is missing: it was deleted or given another number")]
    Missing,
    /// The row does not give its hash.
    #[error("the row was altered, or moved from another place")]
    Altered,
    /// The chain ends before its head.
    #[error("the chain ends before its recorded head: rows at its end were deleted")]
    Truncated,
    /// The chain goes on behind its head.
    #[error("the chain does not end at its recorded head: rows were added by something else than this program")]
    Overlong,
    /// The head is not what was noted.
    #[error("the row is not the one that was noted: the chain was rewritten")]
    Rewritten,
}

/// Recomputes the whole chain, and compares it with `noted`, a head that was kept elsewhere.
pub async fn verify(tx: &mut Tx, noted: Option<Head>) -> Result<Verification, StoreError> {
    let recorded = recorded_head(tx).await?;
    let mut head = Head::EMPTY;
    loop {
        let sql = "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(sql).bind(head.seq).bind(VERIFY_PAGE).fetch_all(c).await)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            match follow(head, row) {
                Ok(next) => head = next,
                Err((seq, what)) => return Ok(Verification::Broken { seq, what }),
            }
            if noted.is_some_and(|noted| noted.seq == head.seq && noted.hash != head.hash) {
                return Ok(Verification::Broken { seq: head.seq, what: Break::Rewritten });
            }
        }
    }
    let last = head.seq;
    Ok(if recorded.seq > last || noted.is_some_and(|noted| noted.seq > last) {
        Verification::Broken { seq: last + 1, what: Break::Truncated }
    } else if recorded.seq < last {
        Verification::Broken { seq: recorded.seq + 1, what: Break::Overlong }
    } else if recorded.hash == head.hash {
        Verification::Intact(head)
    } else {
        Verification::Broken { seq: last, what: Break::Rewritten }
    })
}

/// The head after `row`, if it follows `head`.
fn follow(head: Head, row: Row) -> Result<Head, (i64, Break)> {
    let expected = head.seq + 1;
    if row.seq != expected {
        return Err((expected, Break::Missing));
    }
    let (previous, stored) = (row.previous_hash.clone(), row.hash.clone());
    let row = row.into_audit().map_err(|_| (expected, Break::Altered))?;
    let hash = hash(&head.hash, &row);
    if previous != head.hash || stored != hash {
        return Err((expected, Break::Altered));
    }
    Ok(Head { seq: expected, hash })
}

/// The head, held until this unit of work ends: two writers never follow the same row.
async fn locked_head(tx: &mut Tx) -> Result<Head, StoreError> {
    if let Tx::Postgres(connection) = tx {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        let empty = Head::EMPTY.to_string();
        sqlx::query(sql).bind(HEAD_SETTING).bind(empty).execute(&mut **connection).await?;
        let sql = "SELECT 1 FROM setting WHERE name = $1 FOR UPDATE";
        sqlx::query(sql).bind(HEAD_SETTING).execute(&mut **connection).await?;
    }
    recorded_head(tx).await
}

async fn recorded_head(tx: &mut Tx) -> Result<Head, StoreError> {
    match setting::get(tx, HEAD_SETTING).await? {
        None => Ok(Head::EMPTY),
        Some(text) => text
            .parse()
            .map_err(|error: InvalidHead| StoreError::Corrupt { what: "head of the audit", why: error.to_string() }),
    }
}

/// SHA-256 over the chain's domain, the hash before, and every field; texts with their length, so that no two rows
/// can be written as the same bytes.
fn hash(previous: &[u8; 32], row: &Audit) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(previous);
    hasher.update(row.seq.to_be_bytes());
    hasher.update(row.at.get().to_be_bytes());
    for text in [&row.actor, &row.action, &row.object_kind, &row.object_id, &row.details] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    object_kind: String,
    object_id: String,
    details: String,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl Row {
    fn into_audit(self) -> Result<Audit, StoreError> {
        Ok(Audit {
            seq: self.seq,
            at: moment("audit", self.at)?,
            actor: self.actor,
            action: self.action,
            object_kind: self.object_kind,
            object_id: self.object_id,
            details: self.details,
        })
    }
}
