//! Programmes, borrowers and loans for tests: what each needs and nothing more.

use anyhow::Context as _;
use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        borrower::{Borrower, BorrowerKind, Level, Reference},
        document::{DocumentKind, DocumentNumber},
        erasure::certificate::{CertifiedDrive, FORM, Facts},
        language::Language,
        loan::{HandedOver, Loan, LoanState},
        paris,
        programme::{Programme, ProgrammeKind, Term},
        scope::Scope,
    },
    store::{
        Tx, borrower, device,
        document::{self, Document, Subject},
        erasure_certificate::{self, Certificate},
        programme,
    },
    vault::Vault,
};
use data_encoding::BASE64URL_NOPAD;
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

/// Records a certificate of erasure of a device as this installation would have signed it. Gives the path of its public
/// page, with the signature that the paper's code holds.
pub async fn signed_certificate(tx: &mut Tx, vault: &Vault, id: DeviceId, now: UtcMillis) -> anyhow::Result<String> {
    let found = device::find(tx, &Scope::Everything, id).await?.context("the device that a certificate is about")?;
    let subject = Subject::Erasure { device: id.0, site: found.site };
    let number = recorded(tx, DocumentKind::ErasureCertificate, subject, now).await?;
    let drive = CertifiedDrive {
        serial: "S649NX0T0001".into(),
        model: Some("Samsung SSD 980 500GB".into()),
        medium: "flash".into(),
        method: "nvme_sanitize_block".into(),
        level: "purge".into(),
        tool: "nvme-cli 2.3".into(),
        passes: 1,
        capacity_bytes: Some(500_107_862_016),
        bytes_erased: None,
        errors: 0,
        verification: "device_status".into(),
        started_at: "2026-11-29T20:24:04Z".into(),
        ended_at: "2026-11-29T20:26:41Z".into(),
        evidence_sha256: vec!["9f".repeat(32)],
    };
    let facts = Facts {
        form: FORM.into(),
        number: number.to_string(),
        made_on: paris::date(now).to_string(),
        device_serial: found.serial_number,
        device_label: found.asset_tag,
        device_model: found.model,
        demand: "leave".into(),
        drives: vec![drive],
        absent: vec!["WD-WCC7K1234567".into()],
    };
    let facts = facts.canonical();
    let signature = vault.sign_document(facts.as_bytes())?;
    let made = Certificate { number: number.to_string(), device: id, facts, signature, made_at: now };
    erasure_certificate::insert(tx, &made).await?;
    Ok(format!("/check/{number}?s={}", BASE64URL_NOPAD.encode(&signature)))
}
