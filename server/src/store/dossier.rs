//! Everything that is kept about one borrower, for whoever asks for it (RGPD art. 15 and 20).

use serde_json::{Value, json};
use uuid::Uuid;

use super::{StoreError, Tx, audit, borrower, document, dossier_rest, loan, on, programme};
use crate::domain::{
    borrower::{Borrower, Identity, Level},
    loan::{Condition, Loan, LoanState, Signature},
    scope::Scope,
    timestamp::{date, rfc3339},
};

/// Acts that are given at most: far more than a loan of many years leaves.
const MOST_ACTS: i64 = 10_000;

/// Everything that is kept about one borrower; who it is, still sealed.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// Who it is, sealed.
    pub sealed: Option<String>,
    /// The signatures drawn under its loans' agreements, sealed, each with its loan.
    pub signatures: Vec<(Uuid, String)>,
    rest: Value,
}

impl Dossier {
    /// The whole, with what is sealed opened: who it is, and the strokes of each signature.
    #[must_use]
    pub fn with(self, identity: Option<&Identity>, signatures: &[(Uuid, String)]) -> Value {
        let mut whole = self.rest;
        whole["identity"] = json!(identity);
        let drawn = |(loan, strokes): &(Uuid, String)| json!({ "loan": loan, "strokes": strokes });
        whole["signatures"] = signatures.iter().map(drawn).collect();
        whole
    }
}

/// Reads everything about `borrower`, whatever the site of its loans.
pub async fn read(tx: &mut Tx, borrower: &Borrower) -> Result<Dossier, StoreError> {
    let all = Scope::Everything;
    let programmes = programme::list(tx).await?;
    let code = |id| programmes.iter().find(|one| one.id == id).map(|one| one.code.to_string());
    let mut loans = Vec::new();
    for loan in loan::all_of_borrower(tx, borrower.id).await? {
        let device = super::device::find(tx, &all, loan.device).await?;
        loans.push(json!({
            "loan": loan_json(&loan), "programme": code(loan.programme),
            "serial_number": device.as_ref().and_then(|device| device.serial_number.clone()),
            "asset_tag": device.and_then(|device| device.asset_tag),
        }));
    }
    let documents: Vec<Value> = document::of_borrower(tx, borrower.id)
        .await?
        .into_iter()
        .map(|one| {
            json!({ "number": one.number.to_string(), "kind": one.number.kind.as_str(), "template": one.label(),
                "made_at": rfc3339(one.made_at), "by": one.made_by })
        })
        .collect();
    let steps: Vec<Value> = borrower::steps(tx, borrower.id)
        .await?
        .into_iter()
        .map(|step| json!({ "loan": step.loan, "at": rfc3339(step.at), "step": step.kind, "by": step.actor }))
        .collect();
    let acts: Vec<Value> = audit::of_object(tx, "borrower", &borrower.id.to_string(), MOST_ACTS)
        .await?
        .into_iter()
        .map(|act| json!({ "at": rfc3339(act.at), "by": act.actor, "act": act.action }))
        .collect();
    let rest = json!({
        "borrower": {
            "id": borrower.id, "reference": borrower.reference.as_str(), "kind": borrower.kind.as_str(),
            "institution_name": borrower.institution_name, "site": site_name(tx, borrower.site).await?,
            "level": borrower.level.map(Level::as_str),
            "left_site_on": borrower.left_site_day.and_then(date),
            "recorded_at": rfc3339(borrower.created_at),
            "identity_erased_at": borrower.identity_erased_at.map(rfc3339),
            "last_loan_of_a_given_device_ended_at": dossier_rest::last_given(tx, borrower.id).await?,
        },
        "loans": loans, "loan_steps": steps, "documents": documents, "acts": acts,
        "needs": dossier_rest::needs(tx, borrower.id).await?,
        "appointments": dossier_rest::appointments(tx, borrower.id).await?,
        "letters": dossier_rest::letters(tx, borrower.id).await?,
    });
    let signatures = dossier_rest::signatures(tx, borrower.id).await?;
    Ok(Dossier { sealed: borrower::sealed_identity(tx, &all, borrower.id).await?, signatures, rest })
}

async fn site_name(tx: &mut Tx, site: Option<Uuid>) -> Result<Option<String>, StoreError> {
    let sql = "SELECT name FROM site WHERE id = $1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(site).fetch_optional(c).await)?)
}

fn loan_json(loan: &Loan) -> Value {
    let handed = loan.state.handed_over();
    let back = if let LoanState::Returned(_, back) = &loan.state { Some(back) } else { None };
    let police = if let LoanState::Stolen(_, theft) = &loan.state { Some(theft.police_report.as_str()) } else { None };
    json!({
        "id": loan.id, "state": loan.state.name().as_str(), "reserved_at": rfc3339(loan.reserved_at),
        "handed_over_at": handed.map(|handed| rfc3339(handed.at)),
        "due_on": handed.and_then(|handed| handed.due).map(|day| day.to_string()),
        "extensions": handed.map(|handed| handed.extensions),
        "accessories": handed.map(|handed| handed.accessories.clone()),
        "signature": handed.and_then(|handed| handed.signature).map(Signature::as_str),
        "agreement_version": handed.and_then(|handed| handed.agreement_version.clone()),
        "ended_at": loan.state.ended_at().map(rfc3339),
        "condition": back.map(|back| back.condition).map(Condition::as_str),
        "missing": back.map(|back| back.missing.clone()),
        "police_report": police,
    })
}
