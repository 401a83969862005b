//! Notices on their way into the outbox: written in the unit of work of their reason, each once.
//!
//! Whoever has a reason to write to somebody calls [`add`]; the e-mails follow from the rows ([`super::message`]).

use cartable_common::UtcMillis;
use jiff::{ToSpan as _, civil::Date};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::{Cell, Rows, Type},
    value::{day, day_number, from_json, parsed, to_json},
};
use crate::domain::{
    loan::{Loan, LoanStateName},
    notice::{CampaignLetter, NoticeKind, Reason, Recipient},
    paris,
};

/// A notice to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// Who is written to.
    pub recipient: Recipient,
    /// The site whose school days count and whose people may see it.
    pub site: Option<Uuid>,
    /// Why.
    pub reason: Reason,
    /// The first day on which it leaves.
    pub not_before: Date,
    /// The last day on which it still means something; after it, it is dropped.
    pub not_after: Date,
}

/// Writes a notice. False when the same one was written before.
pub async fn add(tx: &mut Tx, notice: &NewNotice, now: UtcMillis) -> Result<bool, StoreError> {
    Ok(add_all(tx, std::slice::from_ref(notice), now).await? == 1)
}

/// Writes many notices in one statement; tells how many were new.
pub async fn add_all(tx: &mut Tx, notices: &[NewNotice], now: UtcMillis) -> Result<u64, StoreError> {
    let sql = "INSERT INTO notice (id, dedupe_key, kind, recipient_kind, recipient_id, site_id, loan_id, due_day, \
               step, quiet, not_before_day, not_after_day, details, state, created_at) \
               SELECT id, dedupe_key, kind, recipient_kind, recipient_id, site_id, loan_id, due_day, step, quiet, \
               not_before_day, not_after_day, details, 'waiting', created_at FROM {rows} WHERE true \
               ON CONFLICT (dedupe_key) DO NOTHING";
    let mut rows = Rows::new([
        ("id", Type::Uuid),
        ("dedupe_key", Type::Text),
        ("kind", Type::Text),
        ("recipient_kind", Type::Text),
        ("recipient_id", Type::Uuid),
        ("site_id", Type::Uuid),
        ("loan_id", Type::Uuid),
        ("due_day", Type::Int),
        ("step", Type::Int),
        ("quiet", Type::Text),
        ("not_before_day", Type::Int),
        ("not_after_day", Type::Int),
        ("details", Type::Text),
        ("created_at", Type::Int),
    ]);
    let today = paris::date(now);
    for notice in notices {
        let reason = &notice.reason;
        let (due, step, details) = columns(reason)?;
        rows.push([
            Uuid::now_v7().into(),
            reason.dedupe_key(notice.recipient, today).into(),
            reason.kind().as_str().into(),
            notice.recipient.kind.as_str().into(),
            notice.recipient.id.into(),
            notice.site.into(),
            reason.loan().into(),
            due,
            step,
            reason.quiet().as_str().into(),
            day_number(notice.not_before).into(),
            day_number(notice.not_after).into(),
            details.into(),
            now.get().into(),
        ]);
    }
    rows.execute(tx, sql).await
}

/// The columns of a reason: due day, step, details.
fn columns(reason: &Reason) -> Result<(Cell, Cell, String), StoreError> {
    Ok(match reason {
        Reason::LoanDue { due, step, .. } => (day_number(*due).into(), i64::from(*step).into(), "{}".to_owned()),
        Reason::Campaign { letter, .. } => (Cell::Null, Cell::Null, to_json("notice.details", letter)?),
        Reason::HandedOver { .. } | Reason::Returned { .. } | Reason::Unreachable { .. } => {
            (Cell::Null, Cell::Null, "{}".to_owned())
        }
    })
}

/// A reason as it is stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct RawReason {
    pub(crate) kind: String,
    pub(crate) loan_id: Option<Uuid>,
    pub(crate) due_day: Option<i64>,
    pub(crate) step: Option<i64>,
    pub(crate) details: String,
}

impl RawReason {
    pub(crate) fn read(&self) -> Result<Reason, StoreError> {
        let absent = |what| StoreError::Corrupt { what, why: format!("absent from a notice of kind {}", self.kind) };
        let loan = self.loan_id.ok_or_else(|| absent("notice.loan_id"))?;
        Ok(match parsed("notice.kind", &self.kind)? {
            NoticeKind::LoanDue => Reason::LoanDue {
                loan,
                due: day("notice.due_day", self.due_day.ok_or_else(|| absent("notice.due_day"))?)?,
                step: self.step.and_then(|step| i32::try_from(step).ok()).ok_or_else(|| absent("notice.step"))?,
            },
            NoticeKind::Campaign => {
                let letter: CampaignLetter = from_json("notice.details", &self.details)?;
                Reason::Campaign { loan, letter }
            }
            NoticeKind::HandedOver => Reason::HandedOver { loan },
            NoticeKind::Returned => Reason::Returned { loan },
            NoticeKind::Unreachable => Reason::Unreachable { loan },
        })
    }
}

/// How long a confirmation still means something: a desk's work of last week surprises nobody.
const CONFIRMATION_DAYS: i64 = 7;

/// Writes the confirmation of a hand-over or a return, if that is the `step` that `loan` has just taken (an extension is
/// another). Called by the store with each step that a person takes with a loan: what a file brings in is confirmed to nobody.
pub(crate) async fn confirm(tx: &mut Tx, loan: &Loan, step: &str, now: UtcMillis) -> Result<(), StoreError> {
    let state = loan.state.name();
    if step != state.as_str() {
        return Ok(());
    }
    let happened = match state {
        LoanStateName::HandedOver => loan.state.handed_over().map(|handed| handed.at),
        LoanStateName::Returned => loan.state.ended_at(),
        LoanStateName::Reserved
        | LoanStateName::Cancelled
        | LoanStateName::Lost
        | LoanStateName::Stolen
        | LoanStateName::WrittenOff
        | LoanStateName::Ceded => None,
    };
    let Some(at) = happened else { return Ok(()) };
    let reason = if state == LoanStateName::Returned {
        Reason::Returned { loan: loan.id }
    } else {
        Reason::HandedOver { loan: loan.id }
    };
    let today = paris::date(at);
    let notice = NewNotice {
        recipient: Recipient::borrower(loan.borrower),
        site: loan.site,
        reason,
        not_before: today,
        not_after: today.checked_add(CONFIRMATION_DAYS.days()).unwrap_or(Date::MAX),
    };
    add(tx, &notice, now).await.map(drop)
}

/// How many notices wait to be put into a message.
pub async fn waiting(tx: &mut Tx) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM notice WHERE state = 'waiting'";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).fetch_one(c).await)?)
}
