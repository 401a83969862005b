//! Documents of loans: their agreements, their receipts, and the list of what a site holds.

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use serde_json::json;
use uuid::Uuid;

use super::{
    Documents,
    data::{Agreement, Back, Device, Holder, Lent, Receipt, Row, Signatories, Site, SiteList},
    make::{Made, MakeError, Maker, Plan, record},
    people::{self, Person, drawing, taken_back_by},
};
use crate::{
    domain::{
        device::full_model,
        document::DocumentKind,
        language::Language,
        loan::{Loan, LoanState, LoanStateName},
        paris,
        scope::Scope,
    },
    store::{
        StoreError, Tx, borrower,
        device::{self, DeviceRow},
        document::Subject,
        loan,
        loan_list::{self, LoanQuery, LoanSort, LoanSummary},
        programme, site,
    },
};

/// Most loans on one list: about thirty pages.
const MOST_ROWS: usize = 1_000;

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

/// Whether a list shows borrowers' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// It does, to those who may see them.
    Shown,
    /// References alone.
    Hidden,
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
