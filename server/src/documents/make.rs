//! Reads what a document says, opens who it is about under audit, has it made, and records it.
//!
//! Two units of work: the first reads, opens, writes down the reading and takes the number; the second records the
//! document that was made meanwhile. A document that could not be made leaves its number unused.

use cartable_common::{DeviceId, UtcMillis};
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    Documents, TemplateError,
    data::{
        self, Agreement, Back, Device, Holder, Lent, NoSuchHolder, Receipt, Row, Signatories, Site, SiteList, Title,
    },
    people::{self, Person, drawing, taken_back_by},
};
use crate::{
    domain::{
        device::full_model,
        document::{DocumentKind, DocumentNumber},
        language::Language,
        loan::{Loan, LoanState, LoanStateName},
        paris,
        scope::Scope,
    },
    store::{
        Store, StoreError, Tx,
        audit::{self, NewAudit},
        borrower,
        device::{self, DeviceRow},
        document::{self, Document, Subject},
        loan,
        loan_list::{self, LoanQuery, LoanSort, LoanSummary},
        programme, site,
    },
    vault::{Vault, VaultError},
};

/// Most loans on one list: about thirty pages.
const MOST_ROWS: usize = 1_000;

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

/// A hand-over that is being prepared.
#[derive(Clone, Debug)]
pub struct HandOverWanted {
    /// The device.
    pub device: DeviceId,
    /// The borrower.
    pub borrower: Uuid,
    /// The programme.
    pub programme: Uuid,
    /// Until when.
    pub due: Option<Date>,
    /// What goes with it.
    pub accessories: Vec<String>,
}

impl Documents {
    /// The agreement of a loan.
    pub async fn agreement(&self, by: Maker<'_>, loan: Uuid, who: Signatories) -> Result<Made, MakeError> {
        let mut tx = by.store.write().await?;
        let (loan, summary) = lent(&mut tx, by, loan).await?;
        if matches!(loan.state, LoanState::Cancelled { .. }) {
            return Err(MakeError::NotInState);
        }
        let subject = Subject::Loan { loan: loan.id, site: loan.site };
        let person = Person::of_loan(&mut tx, by, loan.borrower).await?;
        let drawing = if by.identities { drawing(&mut tx, by, &loan).await? } else { None };
        let lent = Lent::of(&loan, drawing.as_ref());
        let device = device_of(&summary);
        self.make_agreement(by, tx, (subject, loan.programme), (lent, device, person), who).await
    }

    /// The agreement of a hand-over that is being prepared; of its reservation where there is one.
    pub async fn agreement_before(
        &self,
        by: Maker<'_>,
        wanted: HandOverWanted,
        who: Signatories,
    ) -> Result<Made, MakeError> {
        let mut tx = by.store.write().await?;
        let row = device::find(&mut tx, by.scope, wanted.device).await?.ok_or(MakeError::NotFound)?;
        let borrower = borrower::find(&mut tx, by.scope, wanted.borrower).await?.ok_or(MakeError::NotFound)?;
        let person = Person::open(&mut tx, by, borrower).await?;
        let open = loan::open_of_device(&mut tx, by.scope, wanted.device).await?;
        let site = row.site.or(person.borrower.site);
        let subject = match open.filter(|loan| loan.borrower == wanted.borrower) {
            Some(loan) => Subject::Loan { loan: loan.id, site: loan.site },
            None => Subject::HandOver { device: row.id.0, borrower: wanted.borrower, site },
        };
        let due = wanted.due.map(|due| due.to_string());
        let lent = Lent { due, accessories: wanted.accessories, ..Lent::default() };
        let device = device_named(row);
        self.make_agreement(by, tx, (subject, wanted.programme), (lent, device, person), who).await
    }

    async fn make_agreement(
        &self,
        by: Maker<'_>,
        mut tx: Tx,
        (subject, programme): (Subject, Uuid),
        (loan, device, person): (Lent, Device, Person),
        who: Signatories,
    ) -> Result<Made, MakeError> {
        let programme = programme::find(&mut tx, programme).await?.ok_or(MakeError::NotFound)?;
        let (signatories, guardians) = who.names(&person.borrower, person.identity.as_ref())?;
        let site = match subject {
            Subject::Loan { site, .. }
            | Subject::HandOver { site, .. }
            | Subject::Site(site)
            | Subject::Erasure { site, .. } => site,
            Subject::Campaign { site, .. } => Some(site),
            Subject::Lot(_) => None,
        };
        let rest = Agreement {
            loan,
            device,
            borrower: person.holder(),
            site: named_site(&mut tx, site).await?,
            guardians,
            signatories,
        };
        let plan = Plan {
            kind: DocumentKind::Agreement,
            subject,
            language: person.language(),
            owner: Some(programme.owner),
            agreement: Some(programme.agreement_template),
        };
        self.finish(by, tx, plan, |_| rest).await
    }

    /// The receipt of a loan whose device came back.
    pub async fn receipt(&self, by: Maker<'_>, loan: Uuid) -> Result<Made, MakeError> {
        let mut tx = by.store.write().await?;
        let (loan, summary) = lent(&mut tx, by, loan).await?;
        let LoanState::Returned(_, back) = &loan.state else { return Err(MakeError::NotInState) };
        let taken_by = taken_back_by(&mut tx, loan.id).await?;
        let back = Back::new(back, taken_by);
        let person = Person::of_loan(&mut tx, by, loan.borrower).await?;
        let drawing = if by.identities { drawing(&mut tx, by, &loan).await? } else { None };
        let programme = programme::find(&mut tx, loan.programme).await?.ok_or(MakeError::NotFound)?;
        let mut borrower = person.holder();
        if !by.borrowers && !by.identities {
            // The borrower keeps the paper; who took the device back at a workshop need not know whose it was.
            "–".clone_into(&mut borrower.reference);
            borrower.name = None;
        }
        let rest = Receipt {
            loan: Lent::of(&loan, drawing.as_ref()),
            device: device_of(&summary),
            borrower,
            site: named_site(&mut tx, loan.site).await?,
            returned: back,
        };
        let plan = Plan {
            kind: DocumentKind::Receipt,
            subject: Subject::Loan { loan: loan.id, site: loan.site },
            language: person.language(),
            owner: Some(programme.owner),
            agreement: None,
        };
        self.finish(by, tx, plan, |_| rest).await
    }

    /// The open loans of a site, soonest due first; with names where they are asked for and the person may see them.
    pub async fn site_list(
        &self,
        by: Maker<'_>,
        site: Uuid,
        language: Language,
        names: Names,
    ) -> Result<Made, MakeError> {
        let mut tx = by.store.write().await?;
        let found = site::find(&mut tx, by.scope, site).await?.ok_or(MakeError::NotFound)?;
        let (loans, more) = open_loans(&mut tx, by.scope, site).await?;
        let with_names = names == Names::Shown && by.identities;
        let holders = if by.borrowers { people::holders(&mut tx, by, &loans, with_names).await? } else { Vec::new() };
        let shown = holders.iter().filter(|_| with_names);
        let opened: Vec<String> = shown.map(|holder| holder.reference.clone()).collect();
        let holders = holders.into_iter().map(Some).chain(std::iter::repeat(None));
        let rows = loans.iter().zip(holders).map(|(loan, holder)| row(loan, holder, by.now)).collect();
        if !opened.is_empty() {
            let details = json!({ "opened": opened.len(), "shown": opened });
            record(&mut tx, by, "borrower.list_names", ("site", &site.to_string()), details).await?;
        }
        let site_named = Site { name: found.name, uai: found.uai, commune: found.commune };
        let rest = SiteList { site: site_named, borrowers: by.borrowers, more, rows };
        let plan = Plan {
            kind: DocumentKind::SiteList,
            subject: Subject::Site(Some(site)),
            language,
            owner: None,
            agreement: None,
        };
        self.finish(by, tx, plan, |_| rest).await
    }

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

/// Whether a list shows borrowers' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// It does, to those who may see them.
    Shown,
    /// References alone.
    Hidden,
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

async fn lent(tx: &mut Tx, by: Maker<'_>, id: Uuid) -> Result<(Loan, LoanSummary), MakeError> {
    let loan = loan::find(tx, by.scope, id).await?.ok_or(MakeError::NotFound)?;
    let summary = loan_list::find(tx, by.scope, id).await?.ok_or(MakeError::NotFound)?;
    Ok((loan, summary))
}

async fn named_site(tx: &mut Tx, site: Option<Uuid>) -> Result<Option<Site>, MakeError> {
    let Some(site) = site else { return Ok(None) };
    let found = site::find(tx, &Scope::Everything, site).await?;
    Ok(found.map(|row| Site { name: row.name, uai: row.uai, commune: row.commune }))
}

fn device_named(row: DeviceRow) -> Device {
    Device {
        asset_tag: row.asset_tag,
        serial: row.serial_number,
        model: full_model(row.manufacturer.as_deref(), row.model.as_deref()),
    }
}

fn device_of(loan: &LoanSummary) -> Device {
    Device {
        asset_tag: loan.asset_tag.clone(),
        serial: loan.serial_number.clone(),
        model: full_model(loan.manufacturer.as_deref(), loan.model.as_deref()),
    }
}

/// The devices that borrowers of a site hold, soonest due first, those without a due date after them; and whether there
/// are more.
async fn open_loans(tx: &mut Tx, scope: &Scope, site: Uuid) -> Result<(Vec<LoanSummary>, bool), StoreError> {
    let state = Some(LoanStateName::HandedOver);
    let query = LoanQuery { state, site: Some(site), limit: MOST_ROWS, sort: LoanSort::Due, ..LoanQuery::default() };
    let due = loan_list::list(tx, scope, &query).await?;
    let mut rows = due.rows;
    let all = loan_list::list(tx, scope, &LoanQuery { sort: LoanSort::Newest, ..query }).await?;
    rows.extend(all.rows.into_iter().filter(|loan| loan.due.is_none()));
    let more = due.next.is_some() || all.next.is_some() || rows.len() > MOST_ROWS;
    rows.truncate(MOST_ROWS);
    Ok((rows, more))
}

fn row(loan: &LoanSummary, borrower: Option<Holder>, now: UtcMillis) -> Row {
    Row {
        device: device_of(loan),
        borrower,
        handed_over: loan.handed_over_at.map(|at| paris::date(at).to_string()),
        due: loan.due.map(|due| due.to_string()),
        overdue: loan.due.is_some_and(|due| due < paris::date(now)),
    }
}
