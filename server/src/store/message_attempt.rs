//! Attempts to send a message: written down before they are made ([`begin`]) and again when they have ended ([`finish`]).
//!
//! A process that dies between the two leaves a message that is `sending`: it is tried again later, under the same
//! Message-ID. So a message is repeated at most where the mail server took it and nobody could write that down.

use std::collections::BTreeSet;

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    notice::RawReason,
    on,
    rows::{Rows, Type},
    value::{day, from_json, moment, parsed, to_json},
};
use crate::domain::{
    device::full_model,
    loan::LoanStateName,
    notice::{Dropped, LoanNow, MessageState, Reason, Recipient, dropped},
};

/// How long an attempt may take before another one may begin: well over the time limits of the mail connection.
const ATTEMPT_MILLIS: i64 = 10 * 60 * 1000;

/// What became of one address of a message, while others are still tried.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Delivery {
    /// A keyed hash of the address.
    pub address: String,
    /// Whether a mail server took it; else it refused for good.
    pub taken: bool,
}

/// A message that is about to be tried.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Which message.
    pub id: Uuid,
    /// Its Message-ID, without angle brackets.
    pub mail_id: String,
    /// To whom: of a family, the one whose message it was at first.
    pub recipient: Recipient,
    /// The site it belongs to.
    pub site: Option<Uuid>,
    /// How many attempts there were, this one among them.
    pub attempts: i64,
    /// When it was made.
    pub created_at: UtcMillis,
    /// What became of its addresses in earlier attempts.
    pub deliveries: Vec<Delivery>,
    /// What it says, by due day.
    pub lines: Vec<Line>,
}

/// One loan that a message speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The notice.
    pub notice: Uuid,
    /// Whom it is for: another than the message's recipient where a family's messages were joined.
    pub recipient: Uuid,
    /// Why it is written.
    pub reason: Reason,
    /// The loan's due day.
    pub due: Option<Date>,
    /// The device's label.
    pub asset_tag: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Maker and model.
    pub model: Option<String>,
    /// The borrower's reference.
    pub borrower: String,
    /// What was missing when it came back.
    pub missing: Vec<String>,
    loan: LoanNow,
    not_after: Date,
}

impl Attempt {
    /// Everybody whom its lines are for, the message's own recipient first.
    pub fn recipients(&self) -> Vec<Recipient> {
        let mut ids: Vec<Uuid> = self.lines.iter().map(|line| line.recipient).collect();
        ids.sort_by_key(|id| (*id != self.recipient.id, *id));
        ids.dedup();
        ids.into_iter().map(|id| Recipient { kind: self.recipient.kind, id }).collect()
    }
}

#[derive(sqlx::FromRow)]
struct RawMessage {
    mail_id: String,
    recipient_kind: String,
    recipient_id: Uuid,
    site_id: Option<Uuid>,
    attempts: i64,
    created_at: i64,
    deliveries: Option<String>,
}

/// Writes down that an attempt begins, leaves out what no longer holds, and gives what is to be said. `None` when
/// another process has it, when it is not its time, or when nothing in it holds: it is then cancelled.
pub async fn begin(tx: &mut Tx, id: Uuid, today: Date, now: UtcMillis) -> Result<Option<Attempt>, StoreError> {
    let sql = "UPDATE message SET state = 'sending', attempts = attempts + 1, next_attempt_at = $3 \
               WHERE id = $1 AND finished_at IS NULL AND next_attempt_at <= $2 \
               RETURNING mail_id, recipient_kind, recipient_id, site_id, attempts, created_at, deliveries";
    let until = now.plus_millis(ATTEMPT_MILLIS);
    let raw: Option<RawMessage> =
        on!(tx, |c| sqlx::query_as(sql).bind(id).bind(now.get()).bind(until.get()).fetch_optional(c).await)?;
    let Some(raw) = raw else { return Ok(None) };
    let lines = relevant(tx, id, today).await?;
    if lines.is_empty() {
        finish(tx, id, Outcome::Cancelled, now).await?;
        return Ok(None);
    }
    Ok(Some(Attempt {
        id,
        mail_id: raw.mail_id,
        recipient: Recipient { kind: parsed("message.recipient_kind", &raw.recipient_kind)?, id: raw.recipient_id },
        site: raw.site_id,
        attempts: raw.attempts,
        created_at: moment("message.created_at", raw.created_at)?,
        deliveries: raw.deliveries.map_or(Ok(Vec::new()), |json| from_json("message.deliveries", &json))?,
        lines,
    }))
}

#[derive(sqlx::FromRow)]
struct RawLine {
    id: Uuid,
    recipient_id: Uuid,
    #[sqlx(flatten)]
    reason: RawReason,
    not_after_day: i64,
    loan_state: String,
    loan_due_day: Option<i64>,
    missing_accessories: Option<String>,
    asset_tag: Option<String>,
    serial: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    reference: String,
}

impl RawLine {
    fn read(self) -> Result<Line, StoreError> {
        let due = self.loan_due_day.map(|number| day("loan.due_day", number)).transpose()?;
        let state: LoanStateName = parsed("loan.state", &self.loan_state)?;
        Ok(Line {
            notice: self.id,
            recipient: self.recipient_id,
            reason: self.reason.read()?,
            due,
            asset_tag: self.asset_tag,
            serial: self.serial,
            model: full_model(self.manufacturer.as_deref(), self.model.as_deref()),
            borrower: self.reference,
            missing: self
                .missing_accessories
                .map_or(Ok(Vec::new()), |json| from_json("loan.missing_accessories", &json))?,
            loan: LoanNow { state, due, expected: false },
            not_after: day("notice.not_after_day", self.not_after_day)?,
        })
    }
}

/// What a message still has to say, by due day; the rest is marked as dropped.
async fn relevant(tx: &mut Tx, message: Uuid, today: Date) -> Result<Vec<Line>, StoreError> {
    let sql = "SELECT n.id, n.recipient_id, n.kind, n.loan_id, n.due_day, n.step, n.details, n.not_after_day, l.state AS loan_state, \
               l.due_day AS loan_due_day, l.missing_accessories, d.asset_tag, d.serial_number AS serial, d.manufacturer, d.model, b.reference \
               FROM notice n JOIN loan l ON l.id = n.loan_id JOIN device d ON d.id = l.device_id \
               JOIN borrower b ON b.id = l.borrower_id WHERE n.message_id = $1 AND n.state = 'grouped'";
    let raw: Vec<RawLine> = on!(tx, |c| sqlx::query_as(sql).bind(message).fetch_all(c).await)?;
    let mut lines: Vec<Line> = raw.into_iter().map(RawLine::read).collect::<Result<_, _>>()?;
    let expected = expected(tx, &lines).await?;
    for line in &mut lines {
        line.loan.expected = campaign_loan(line).is_some_and(|place| expected.contains(&place));
    }
    // The latest reminder about a loan first: it stands for the earlier ones.
    let step = |line: &Line| if let Reason::LoanDue { step, .. } = line.reason { Some(step) } else { None };
    lines.sort_by_key(|line| (std::cmp::Reverse(step(line)), line.notice));
    let mut reminded = BTreeSet::new();
    let mut drop = Rows::new([("id", Type::Uuid), ("why", Type::Text)]);
    lines.retain(|line| {
        let why = dropped(&line.reason, line.loan, line.not_after, today).or_else(|| {
            let again = step(line).is_some() && !reminded.insert(line.reason.loan());
            again.then_some(Dropped::Superseded)
        });
        if let Some(why) = why {
            drop.push([line.notice.into(), why.as_str().into()]);
        }
        why.is_none()
    });
    let sql = "UPDATE notice SET state = 'dropped', dropped_why = r.why FROM {rows} WHERE notice.id = r.id";
    drop.execute(tx, sql).await?;
    lines.sort_by(|a, b| (a.due, &a.asset_tag, &a.serial, a.notice).cmp(&(b.due, &b.asset_tag, &b.serial, b.notice)));
    Ok(lines)
}

/// Campaign and loan of a campaign's letter.
const fn campaign_loan(line: &Line) -> Option<(Uuid, Uuid)> {
    if let Reason::Campaign { loan, letter } = &line.reason { Some((letter.campaign, *loan)) } else { None }
}

/// Which of the campaigns' letters ask for a loan that their campaign expects still.
async fn expected(tx: &mut Tx, lines: &[Line]) -> Result<BTreeSet<(Uuid, Uuid)>, StoreError> {
    let mut rows = Rows::new([("campaign_id", Type::Uuid), ("loan_id", Type::Uuid)]);
    lines.iter().filter_map(campaign_loan).for_each(|(campaign, loan)| rows.push([campaign.into(), loan.into()]));
    let sql = "SELECT p.campaign_id, p.loan_id FROM {rows} JOIN campaign_loan p ON p.campaign_id = r.campaign_id \
               AND p.loan_id = r.loan_id JOIN campaign c ON c.id = p.campaign_id \
               WHERE c.state = 'running' AND p.state = 'expected'";
    Ok(rows.fetch(tx, sql).await?.into_iter().collect())
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every address was taken, or those that were not are refused for good: `error` says how many.
    Sent {
        /// What went wrong with some addresses.
        error: Option<String>,
    },
    /// It surely did not leave; another attempt follows.
    Postponed {
        /// When.
        next: UtcMillis,
        /// Why.
        error: String,
        /// What became of its addresses.
        deliveries: Vec<Delivery>,
    },
    /// Nobody knows whether it left; another attempt follows, under the same Message-ID.
    InDoubt {
        /// When.
        next: UtcMillis,
        /// Why.
        error: String,
        /// What became of its addresses.
        deliveries: Vec<Delivery>,
    },
    /// It is given up.
    Failed {
        /// Why.
        error: String,
    },
    /// Nothing in it holds any more.
    Cancelled,
}

/// Writes down how an attempt ended. It must be the one that [`begin`] gave: a message that is finished stays so.
pub async fn finish(tx: &mut Tx, id: Uuid, outcome: Outcome, now: UtcMillis) -> Result<(), StoreError> {
    let (state, next, error, deliveries) = match outcome {
        Outcome::Sent { error } => (MessageState::Sent, None, error, None),
        Outcome::Postponed { next, error, deliveries } => {
            (MessageState::Waiting, Some(next), Some(error), Some(deliveries))
        }
        Outcome::InDoubt { next, error, deliveries } => {
            (MessageState::Sending, Some(next), Some(error), Some(deliveries))
        }
        Outcome::Failed { error } => (MessageState::Failed, None, Some(error), None),
        Outcome::Cancelled => (MessageState::Cancelled, None, None, None),
    };
    let sql = "UPDATE message SET state = $2, next_attempt_at = COALESCE($3, next_attempt_at), finished_at = $4, \
               error = COALESCE($5, error), error_at = CASE WHEN $5 IS NULL THEN error_at ELSE $6 END, deliveries = $7 \
               WHERE id = $1 AND finished_at IS NULL";
    let finished = next.is_none().then_some(now.get());
    let deliveries = deliveries.filter(|list| !list.is_empty());
    let deliveries = deliveries.map(|list| to_json("message.deliveries", &list)).transpose()?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(state.as_str())
            .bind(next.map(UtcMillis::get))
            .bind(finished)
            .bind(error)
            .bind(now.get())
            .bind(deliveries)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}
