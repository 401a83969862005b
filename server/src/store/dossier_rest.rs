//! What is kept about a borrower besides its loans: needs, appointments of return campaigns, letters, drawn signatures.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{day, moment},
};
use crate::domain::timestamp::rfc3339;

type RawNeed = (Uuid, String, Option<String>, String, String, i64, String, Option<i64>, Option<Uuid>);

/// What was asked for it.
pub(super) async fn needs(tx: &mut Tx, borrower: Uuid) -> Result<Vec<Value>, StoreError> {
    let sql = "SELECT n.id, p.code, n.level, n.reasons, n.state, n.entered_at, n.entered_by, n.ended_at, n.loan_id \
               FROM need n JOIN programme p ON p.id = n.programme_id WHERE n.borrower_id = $1 ORDER BY n.entered_at, n.id";
    let rows: Vec<RawNeed> = on!(tx, |c| sqlx::query_as(sql).bind(borrower).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(id, programme, level, reasons, state, entered_at, by, ended_at, loan)| {
            let reasons: Value = serde_json::from_str(&reasons).unwrap_or(Value::String(reasons));
            let ended_at = ended_at.map(|at| moment("need.ended_at", at)).transpose()?.map(rfc3339);
            Ok(json!({ "need": id, "programme": programme, "level": level, "reasons": reasons, "state": state,
                "entered_at": rfc3339(moment("need.entered_at", entered_at)?), "by": by, "ended_at": ended_at,
                "loan": loan }))
        })
        .collect()
}

type RawPlace = (String, Uuid, String, i64, i64, i64, Option<String>, Option<String>);

/// When and where it was expected with its devices, and why not.
pub(super) async fn appointments(tx: &mut Tx, borrower: Uuid) -> Result<Vec<Value>, StoreError> {
    let sql = "SELECT c.name, k.loan_id, k.state, k.day, k.desk, k.slot, k.excuse, k.excused_by FROM campaign_loan k \
               JOIN campaign c ON c.id = k.campaign_id JOIN loan l ON l.id = k.loan_id WHERE l.borrower_id = $1 \
               ORDER BY k.day, k.desk, k.slot";
    let rows: Vec<RawPlace> = on!(tx, |c| sqlx::query_as(sql).bind(borrower).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(campaign, loan, state, on, desk, slot, excuse, by)| {
            Ok(json!({ "campaign": campaign, "loan": loan, "state": state,
                "day": day("campaign_loan.day", on)?.to_string(), "desk": desk, "slot": slot, "excuse": excuse,
                "excused_by": by }))
        })
        .collect()
}

type RawNotice = (String, String, i64, Option<Uuid>, Option<String>, Option<i64>, Option<String>);

/// What it was written, or was to be.
pub(super) async fn letters(tx: &mut Tx, borrower: Uuid) -> Result<Vec<Value>, StoreError> {
    let sql = "SELECT n.kind, n.state, n.created_at, n.loan_id, m.state, m.finished_at, m.mail_id FROM notice n \
               LEFT JOIN message m ON m.id = n.message_id \
               WHERE n.recipient_kind = 'borrower' AND n.recipient_id = $1 ORDER BY n.created_at, n.id";
    let rows: Vec<RawNotice> = on!(tx, |c| sqlx::query_as(sql).bind(borrower).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(kind, state, created_at, loan, message, finished_at, mail_id)| {
            let finished_at = finished_at.map(|at| moment("message.finished_at", at)).transpose()?.map(rfc3339);
            Ok(json!({ "about": kind, "state": state, "written_at": rfc3339(moment("notice.created_at", created_at)?),
                "loan": loan, "message": message, "message_finished_at": finished_at, "message_id": mail_id }))
        })
        .collect()
}

/// The signatures drawn under its loans' agreements, sealed, with their loans.
pub(super) async fn signatures(tx: &mut Tx, borrower: Uuid) -> Result<Vec<(Uuid, String)>, StoreError> {
    let sql = "SELECT s.loan_id, s.sealed FROM loan_signature s JOIN loan l ON l.id = s.loan_id WHERE l.borrower_id = $1 \
               ORDER BY s.loan_id";
    Ok(on!(tx, |c| sqlx::query_as(sql).bind(borrower).fetch_all(c).await)?)
}

/// When the last of its loans ended whose device was given away: such loans name it no more.
pub(super) async fn last_given(tx: &mut Tx, borrower: Uuid) -> Result<Option<String>, StoreError> {
    let sql = "SELECT last_loan_ended_at FROM borrower WHERE id = $1";
    let at: Option<i64> = on!(tx, |c| sqlx::query_scalar(sql).bind(borrower).fetch_one(c).await)?;
    Ok(at.map(|at| moment("borrower.last_loan_ended_at", at)).transpose()?.map(rfc3339))
}
