//! The people a document speaks of: who borrowers are, opened under audit, what they drew, and who took a device back.

use serde_json::json;
use uuid::Uuid;

use super::{
    data::Holder,
    make::{MakeError, Maker, record},
};
use crate::{
    domain::{
        borrower::{Borrower, BorrowerKind, Identity, IdentityLanguage},
        language::Language,
        loan::{Loan, Signature},
        scope::Scope,
        signature::Drawing,
    },
    store::{Tx, borrower, loan_event, loan_list::LoanSummary, loan_signature, person},
};

/// A borrower, and who it is where that was opened.
pub(super) struct Person {
    pub(super) borrower: Borrower,
    pub(super) identity: Option<Identity>,
}

impl Person {
    /// The borrower of a loan that the person may see: its reference is known wherever its own site lies, who it is is
    /// opened within the person's sites alone.
    pub(super) async fn of_loan(tx: &mut Tx, by: Maker<'_>, id: Uuid) -> Result<Self, MakeError> {
        let borrower = borrower::find(tx, &Scope::Everything, id).await?.ok_or(MakeError::NotFound)?;
        Self::open(tx, by, borrower).await
    }

    /// Opens who a borrower is, with the audit row of the reading.
    pub(super) async fn open(tx: &mut Tx, by: Maker<'_>, borrower: Borrower) -> Result<Self, MakeError> {
        let id = borrower.id;
        let sealed = match borrower.kind {
            BorrowerKind::Person if by.identities => borrower::sealed_identity(tx, by.scope, id).await?,
            BorrowerKind::Person | BorrowerKind::Institution => None,
        };
        let identity = sealed.map(|sealed| by.vault.open_identity(id, &sealed)).transpose()?;
        if identity.is_some() {
            let details = json!({ "for": "document" });
            record(tx, by, "borrower.see_identity", ("borrower", &id.to_string()), details).await?;
        }
        Ok(Self { borrower, identity })
    }

    pub(super) fn holder(&self) -> Holder {
        Holder::new(&self.borrower, self.identity.as_ref())
    }

    pub(super) fn language(&self) -> Language {
        let chosen = self.identity.as_ref().and_then(|identity| identity.language);
        chosen.map_or(Language::French, |language: IdentityLanguage| language.into())
    }
}

/// The borrowers of `loans`, in their order; with `names`, who they are, of those within the person's sites. The caller
/// writes down the reading.
pub(super) async fn holders(
    tx: &mut Tx,
    by: Maker<'_>,
    loans: &[LoanSummary],
    names: bool,
) -> Result<Vec<Holder>, MakeError> {
    let wanted = loans.iter().filter(|_| names).map(|loan| loan.borrower);
    let sealed = borrower::sealed_identities_of(tx, by.scope, wanted).await?;
    let holder = |loan: &LoanSummary| {
        let sealed = sealed.get(&loan.borrower);
        let identity = sealed.map(|sealed| by.vault.open_identity(loan.borrower, sealed)).transpose()?;
        let (name, class) = identity.map(|identity| (Some(identity.name), identity.class)).unwrap_or_default();
        Ok(Holder {
            reference: loan.reference.to_string(),
            kind: loan.borrower_kind.as_str(),
            name: name.or_else(|| loan.institution_name.clone()),
            class,
        })
    };
    loans.iter().map(holder).collect()
}

/// The signature that was drawn under a loan's agreement; opening it leaves its audit row.
pub(super) async fn drawing(tx: &mut Tx, by: Maker<'_>, loan: &Loan) -> Result<Option<Drawing>, MakeError> {
    if loan.state.handed_over().and_then(|handed| handed.signature) != Some(Signature::Drawn) {
        return Ok(None);
    }
    let Some(sealed) = loan_signature::sealed(tx, loan.id).await? else { return Ok(None) };
    let opened = by.vault.open("signature", loan.id, &sealed)?;
    let details = json!({ "for": "document" });
    record(tx, by, "loan.see_signature", ("loan", &loan.id.to_string()), details).await?;
    Ok(String::from_utf8_lossy(&opened).parse().ok())
}

/// Who took the device of a loan back, as others call it.
pub(super) async fn taken_back_by(tx: &mut Tx, loan: Uuid) -> Result<String, MakeError> {
    let steps = loan_event::of_loan(tx, loan).await?;
    let Some(step) = steps.into_iter().rev().find(|step| step.kind == "returned") else { return Ok("–".to_owned()) };
    let account = match step.actor.parse() {
        Ok(login) => person::by_login(tx, &login).await?,
        Err(_) => None,
    };
    Ok(account.map_or(step.actor, |account| account.person.display_name))
}
