//! How every document is made: its number is taken, the PDF set, the making recorded. What each kind says is read, and who
//! it is about opened under audit, in the files beside this one.
//!
//! Two units of work: the first reads, opens, writes down the reading and takes the number; the second records the
//! document that was made meanwhile. A document that could not be made leaves its number unused.

use cartable_common::UtcMillis;
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    Documents, TemplateError,
    data::{self, NoSuchHolder, Title},
};
use crate::{
    domain::{
        document::{DocumentKind, DocumentNumber},
        language::Language,
        paris,
        scope::Scope,
    },
    store::{
        Store, StoreError, Tx,
        audit::{self, NewAudit},
        document::{self, Document, Subject},
    },
    vault::{Vault, VaultError},
};

/// Who has a document made, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// The database.
    pub store: &'a Store,
    /// Opens who borrowers are.
    pub vault: &'a Vault,
    /// The person's login.
    pub actor: &'a str,
    /// The API token that was used, if one was.
    pub token: Option<Uuid>,
    /// The sites.
    pub scope: &'a Scope,
    /// Whether the person may see borrowers by their reference.
    pub borrowers: bool,
    /// Whether the person may see who borrowers are.
    pub identities: bool,
    /// Now.
    pub now: UtcMillis,
}

/// A document, and its PDF.
#[derive(Clone, Debug)]
pub struct Made {
    /// What was recorded.
    pub document: Document,
    /// The PDF.
    pub pdf: Vec<u8>,
}

/// Why a document is not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// There is no such thing, or it lies outside the person's sites.
    #[error("there is no such loan, device, borrower, campaign, lot or site, or it lies outside your sites")]
    NotFound,
    /// The signatory.
    #[error(transparent)]
    NoSuchHolder(#[from] NoSuchHolder),
    /// A receipt for a device that is still out, an agreement for a reservation that was dropped, letters of a campaign
    /// that does not run, the deed of a lot that is not approved.
    #[error("the loan's, the campaign's or the lot's state has no such document")]
    NotInState,
    /// A certificate for a device of which a drive is not proven erased.
    #[error("a drive of this device is not proven erased")]
    NotErased,
    /// Nothing to print.
    #[error("there is nothing to print")]
    Nothing,
    /// More than one document holds.
    #[error("more than {0} labels at once")]
    TooMany(usize),
    /// Too many documents are being made.
    #[error("too many documents are being made: try again in a moment")]
    Busy,
    /// The template took too long.
    #[error("the template took too long")]
    TooLong,
    /// The compiler failed.
    #[error("the document could not be made")]
    Broken,
    /// The template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Documents {
    /// Takes the number, has the document made, and records it.
    pub(super) async fn finish<T: Serialize>(
        &self,
        by: Maker<'_>,
        mut tx: Tx,
        plan: Plan,
        rest: impl FnOnce(DocumentNumber) -> T,
    ) -> Result<Made, MakeError> {
        let date = paris::date(by.now);
        let number = document::next_number(&mut tx, plan.kind, date.year()).await?;
        tx.commit().await?;
        let template = self.templates().of_kind(plan.kind, plan.agreement.as_deref()).ok_or(MakeError::Broken)?;
        let (language, owner) = (plan.language, plan.owner.as_deref());
        let title =
            Title { number, language, template, letterhead: self.letterhead(), owner, date, link: None, name: None };
        let (made, tx) = self.printed(by, title, (plan.subject, json!({})), rest(number)).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Prints a document and records it, with what else the audit says of it; gives the unit of work in which it is
    /// recorded.
    pub(super) async fn printed<T: Serialize>(
        &self,
        by: Maker<'_>,
        title: Title<'_>,
        (subject, mut details): (Subject, Value),
        rest: T,
    ) -> Result<(Made, Tx), MakeError> {
        let Title { number, language, template, .. } = title;
        let pdf = self.print(template, data::data(title, rest)).await?;
        let document = Document {
            number,
            subject,
            template: template.name.clone(),
            version: template.version.clone(),
            template_sha256: template.sha256,
            pdf_sha256: Sha256::digest(&pdf).into(),
            language,
            made_by: by.actor.to_owned(),
            made_at: by.now,
        };
        let mut tx = by.store.write().await?;
        document::insert(&mut tx, &document).await?;
        details["template"] = document.label().into();
        details["template_sha256"] = HEXLOWER.encode(&document.template_sha256).into();
        details["pdf_sha256"] = HEXLOWER.encode(&document.pdf_sha256).into();
        details["about"] = about(document.subject);
        record(&mut tx, by, "document.make", ("document", &number.to_string()), details).await?;
        Ok((Made { document, pdf }, tx))
    }
}

/// What is to be made.
pub(super) struct Plan {
    pub(super) kind: DocumentKind,
    pub(super) subject: Subject,
    pub(super) language: Language,
    pub(super) owner: Option<String>,
    /// The programme's own template of agreements.
    pub(super) agreement: Option<String>,
}

fn about(subject: Subject) -> Value {
    match subject {
        Subject::Loan { loan, .. } => json!({ "loan": loan }),
        Subject::HandOver { device, .. } | Subject::Erasure { device, .. } => json!({ "device": device }),
        Subject::Site(site) => json!({ "site": site }),
        Subject::Campaign { campaign, site } => json!({ "campaign": campaign, "site": site }),
        Subject::Lot(lot) => json!({ "lot": lot }),
    }
}

pub(super) async fn record(
    tx: &mut Tx,
    by: Maker<'_>,
    action: &str,
    (object_kind, object_id): (&str, &str),
    mut details: Value,
) -> Result<(), StoreError> {
    if let Some(token) = by.token {
        details["api_token"] = json!(token);
    }
    audit::append(tx, NewAudit { actor: by.actor, action, object_kind, object_id, details }, by.now).await?;
    Ok(())
}
