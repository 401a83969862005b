//! Programmes, borrowers and loans for tests: what each needs and nothing more.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        borrower::{Borrower, BorrowerKind, Level, Reference},
        document::{DocumentKind, DocumentNumber},
        language::Language,
        loan::{HandedOver, Loan, LoanState},
        paris,
        programme::{Programme, ProgrammeKind, Term},
    },
    store::{
        Tx, borrower,
        document::{self, Document, Subject},
        erasure_certificate::{self, Certificate},
        programme,
    },
};
use uuid::Uuid;

/// A programme that lends to pupils until the end of the school year and writes to nobody.
pub fn individual(code: &str) -> anyhow::Result<Programme> {
    Ok(Programme {
        id: Uuid::now_v7(),
        code: code.parse()?,
        name: "Dispositif".into(),
        kind: ProgrammeKind::IndividualLoan,
        term: Term::SchoolYearEnd,
        renewals_allowed: 2,
        accessories: vec!["chargeur".into()],
        owner: "Département".into(),
        agreement_template: "agreement".into(),
        membership: vec![],
        notice_days: vec![],
        open: true,
    })
}

/// Records an [`individual`] programme with a code that no other has.
pub async fn programme(tx: &mut Tx, now: UtcMillis) -> anyhow::Result<Programme> {
    let made = individual(&Uuid::new_v4().simple().to_string()[..12])?;
    programme::put(tx, &made, now).await?;
    Ok(made)
}

/// A borrower of that site: a pupil of cinquième.
pub fn pupil(site: Option<Uuid>, now: UtcMillis) -> Borrower {
    let id = Uuid::new_v4();
    let mut random = [0; 8];
    random.copy_from_slice(&id.as_bytes()[8..]);
    random[0] ^= id.as_bytes()[0];
    Borrower {
        id,
        reference: Reference::from_random(random),
        kind: BorrowerKind::Person,
        institution_name: None,
        site,
        level: Some(Level::Cinquieme),
        left_site_day: None,
        created_at: now,
        identity_erased_at: None,
    }
}

/// Records a [`pupil`].
pub async fn borrower(tx: &mut Tx, site: Option<Uuid>, now: UtcMillis) -> anyhow::Result<Borrower> {
    let made = pupil(site, now);
    borrower::insert(tx, &made, None).await?;
    Ok(made)
}

/// What was handed over at `at`, until the day of `due`.
pub fn handed(at: UtcMillis, due: Option<UtcMillis>) -> HandedOver {
    HandedOver {
        at,
        due: due.map(paris::date),
        extensions: 0,
        accessories: vec!["chargeur".into()],
        signature: None,
        agreement_version: None,
    }
}

/// A loan in `state`.
pub fn loan_of(
    device: DeviceId,
    borrower: &Borrower,
    programme: &Programme,
    reserved_at: UtcMillis,
    state: LoanState,
) -> Loan {
    let (borrower, site) = (borrower.id, borrower.site);
    Loan { id: Uuid::now_v7(), device, borrower, programme: programme.id, site, reserved_at, state }
}

/// Records a document as if it had been made; gives its number.
pub async fn recorded(
    tx: &mut Tx,
    kind: DocumentKind,
    subject: Subject,
    now: UtcMillis,
) -> anyhow::Result<DocumentNumber> {
    let number = document::next_number(tx, kind, paris::date(now).year()).await?;
    let made = Document {
        number,
        subject,
        template: kind.as_str().into(),
        version: "1".into(),
        template_sha256: [1; 32],
        pdf_sha256: [2; 32],
        language: Language::French,
        made_by: "test".into(),
        made_at: now,
    };
    document::insert(tx, &made).await?;
    Ok(number)
}

/// Records an agreement of the loan.
pub async fn recorded_agreement(
    tx: &mut Tx,
    loan: Uuid,
    site: Option<Uuid>,
    now: UtcMillis,
) -> anyhow::Result<DocumentNumber> {
    recorded(tx, DocumentKind::Agreement, Subject::Loan { loan, site }, now).await
}

/// Records a certificate of erasure of a device, whose signature is none.
pub async fn recorded_certificate(
    tx: &mut Tx,
    device: DeviceId,
    site: Uuid,
    now: UtcMillis,
) -> anyhow::Result<DocumentNumber> {
    let subject = Subject::Erasure { device: device.0, site: Some(site) };
    let number = recorded(tx, DocumentKind::ErasureCertificate, subject, now).await?;
    let facts = "{}".to_owned();
    let certificate = Certificate { number: number.to_string(), device, facts, signature: [3; 64], made_at: now };
    erasure_certificate::insert(tx, &certificate).await?;
    Ok(number)
}
