//! The steps of loans, in order; and how a loan was before its return, so that a return can be undone.

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{from_json, moment, optional_moment, parsed},
};
use crate::domain::loan::{HandedOver, Loan, LoanState, LoanStateName, Theft};

/// A step that a loan took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place, from 1.
    pub number: i64,
    /// When.
    pub at: UtcMillis,
    /// Which: a state's name, `extended`, `return_undone` or `stocked`.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// What else there is to know.
    pub details: Value,
}

#[derive(sqlx::FromRow)]
struct Raw {
    number: i64,
    at: i64,
    kind: String,
    actor: String,
    details: String,
}

/// Every kind of step, in the order of a loan's life.
pub const KINDS: [&str; 11] = [
    "reserved",
    "cancelled",
    "handed_over",
    "extended",
    "returned",
    "return_undone",
    "stocked",
    "lost",
    "stolen",
    "written_off",
    "ceded",
];

/// The steps of a loan, first to last. The caller has found the loan within its scope.
pub async fn of_loan(tx: &mut Tx, loan: Uuid) -> Result<Vec<Step>, StoreError> {
    let sql = "SELECT number, at, kind, actor, details FROM loan_event WHERE loan_id = $1 ORDER BY number";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(loan).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            Ok(Step {
                number: raw.number,
                at: moment("loan_event.at", raw.at)?,
                kind: raw.kind,
                actor: raw.actor,
                details: from_json("loan_event.details", &raw.details)?,
            })
        })
        .collect()
}

/// The loans that a person took back last and whose return still stands, newest first.
pub async fn taken_back_by(tx: &mut Tx, actor: &str, since: UtcMillis, most: i64) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT e.loan_id FROM loan_event e JOIN loan l ON l.id = e.loan_id \
               WHERE e.actor = $1 AND e.kind = 'returned' AND e.at >= $2 AND l.state = 'returned' \
               AND l.ended_at = e.at ORDER BY e.at DESC, e.loan_id LIMIT $3";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(actor).bind(since.get()).bind(most).fetch_all(c).await)?)
}

/// What a return's event keeps of how the loan stood before.
pub(crate) fn before(loan: &Loan) -> Value {
    let police_report =
        if let LoanState::Stolen(_, theft) = &loan.state { Some(theft.police_report.as_str()) } else { None };
    json!({
        "from": loan.state.name().as_str(),
        "ended_at": loan.state.ended_at().map(UtcMillis::get),
        "police_report": police_report,
    })
}

/// The state that [`before`] told of.
pub(crate) fn state_before(details: &Value, handed: HandedOver) -> Result<LoanState, StoreError> {
    let text = |name: &str| details[name].as_str().unwrap_or_default();
    let ended = optional_moment("loan_event.details", details["ended_at"].as_i64())?.unwrap_or(handed.at);
    let name: LoanStateName = parsed("loan_event.details", text("from"))?;
    Ok(match name {
        LoanStateName::HandedOver => LoanState::HandedOver(handed),
        LoanStateName::Lost => LoanState::Lost(handed, ended),
        LoanStateName::Stolen => {
            LoanState::Stolen(handed, Theft { at: ended, police_report: text("police_report").to_owned() })
        }
        LoanStateName::WrittenOff => LoanState::WrittenOff(handed, ended),
        LoanStateName::Reserved | LoanStateName::Cancelled | LoanStateName::Returned | LoanStateName::Ceded => {
            let why = format!("nothing is taken back from {name}");
            return Err(StoreError::Corrupt { what: "loan_event.details", why });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::webhook::EventKind;

    #[test]
    fn every_step_but_one_has_its_event() {
        for state in LoanStateName::ALL {
            assert!(KINDS.contains(&state.as_str()), "{state}");
        }
        for kind in KINDS {
            // The loan ended with the return; what happens to the device afterwards is not its story.
            assert_eq!(EventKind::of_loan(kind).is_some(), kind != "stocked", "{kind}");
        }
        assert_eq!(EventKind::of_loan("return_undone"), Some(EventKind::LoanReturnUndone));
        assert_eq!(EventKind::of_loan("raised"), None);
    }
}
