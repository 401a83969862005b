//! Documents: the number, what it is about, and from which template it was made. The PDF itself is not kept.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{moment, parsed},
};
use crate::domain::{
    document::{DocumentKind, DocumentNumber},
    language::Language,
    loan::Loan,
    scope::Scope,
};

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A loan; the site that answers for it.
    Loan {
        /// The loan.
        loan: Uuid,
        /// Its site.
        site: Option<Uuid>,
    },
    /// A hand-over that is being prepared: the loan that begins with it takes the document over.
    HandOver {
        /// The device.
        device: Uuid,
        /// The borrower.
        borrower: Uuid,
        /// The site that would answer for the loan.
        site: Option<Uuid>,
    },
    /// A site, or all that its maker sees.
    Site(Option<Uuid>),
    /// The loans of a site in a return campaign.
    Campaign {
        /// The campaign.
        campaign: Uuid,
        /// The site.
        site: Uuid,
    },
    /// The erasure of a device's drives.
    Erasure {
        /// The device.
        device: Uuid,
        /// Its site then.
        site: Option<Uuid>,
    },
    /// A lot of donation.
    Lot(Uuid),
}

/// A document that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its number.
    pub number: DocumentNumber,
    /// What it is about.
    pub subject: Subject,
    /// The name of its template.
    pub template: String,
    /// The template's version.
    pub version: String,
    /// SHA-256 of the template with what it draws on.
    pub template_sha256: [u8; 32],
    /// SHA-256 of the PDF.
    pub pdf_sha256: [u8; 32],
    /// The language it speaks.
    pub language: Language,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: UtcMillis,
}

/// Longest name of a template with its version: what a loan keeps of its agreement.
pub const MAX_LABEL_CHARS: usize = super::lending::MAX_AGREEMENT_CHARS;

impl Document {
    /// What a loan keeps of the agreement that was signed: the template's name and its version.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.template, &self.version)
    }
}

/// What a loan keeps of a template: its name and its version.
#[must_use]
pub fn label(template: &str, version: &str) -> String {
    format!("{template} {version}").chars().take(MAX_LABEL_CHARS).collect()
}

#[derive(sqlx::FromRow)]
struct Raw {
    number: String,
    loan_id: Option<Uuid>,
    site_id: Option<Uuid>,
    device_id: Option<Uuid>,
    borrower_id: Option<Uuid>,
    campaign_id: Option<Uuid>,
    lot_id: Option<Uuid>,
    template: String,
    template_version: String,
    template_sha256: Vec<u8>,
    pdf_sha256: Vec<u8>,
    language: String,
    made_by: String,
    made_at: i64,
}

impl Raw {
    fn subject(&self) -> Subject {
        let site = self.site_id;
        if let Some(lot) = self.lot_id {
            return Subject::Lot(lot);
        }
        match (self.loan_id, self.device_id, self.borrower_id) {
            (Some(loan), ..) => Subject::Loan { loan, site },
            (None, Some(device), Some(borrower)) => Subject::HandOver { device, borrower, site },
            (None, Some(device), None) => Subject::Erasure { device, site },
            (None, ..) => match (self.campaign_id, site) {
                (Some(campaign), Some(site)) => Subject::Campaign { campaign, site },
                (None, _) | (_, None) => Subject::Site(site),
            },
        }
    }

    fn read(self) -> Result<Document, StoreError> {
        Ok(Document {
            number: parsed("document.number", &self.number)?,
            subject: self.subject(),
            template: self.template,
            version: self.template_version,
            template_sha256: hash("document.template_sha256", self.template_sha256)?,
            pdf_sha256: hash("document.pdf_sha256", self.pdf_sha256)?,
            language: parsed("document.language", &self.language)?,
            made_by: self.made_by,
            made_at: moment("document.made_at", self.made_at)?,
        })
    }
}

fn hash(what: &'static str, bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt { what, why: "not 32 bytes".to_owned() })
}

const SELECT: &str = "SELECT number, loan_id, site_id, device_id, borrower_id, campaign_id, lot_id, \
     template, template_version, template_sha256, pdf_sha256, language, made_by, made_at FROM document";
/// Documents of one loan that are shown.
const SHOWN: i64 = 100;

/// Takes the next number of that kind and year. A number whose document is not made in the end stays unused.
pub async fn next_number(tx: &mut Tx, kind: DocumentKind, year: i16) -> Result<DocumentNumber, StoreError> {
    let sql = "INSERT INTO document_number (kind, year, last) VALUES ($1, $2, 1) \
               ON CONFLICT (kind, year) DO UPDATE SET last = document_number.last + 1 RETURNING last";
    let last: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(kind.as_str()).bind(i64::from(year)).fetch_one(c).await)?;
    let why = format!("{last} is no number of a document");
    let serial = u32::try_from(last).map_err(|_| StoreError::Corrupt { what: "document_number.last", why })?;
    Ok(DocumentNumber { kind, year, serial })
}

/// Records a document that was made.
pub async fn insert(tx: &mut Tx, document: &Document) -> Result<(), StoreError> {
    let sql = "INSERT INTO document (number, kind, loan_id, site_id, device_id, borrower_id, template, \
               template_version, template_sha256, pdf_sha256, language, made_by, made_at, campaign_id, \
               lot_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let (loan, site, device, borrower, campaign) = match document.subject {
        Subject::Loan { loan, site } => (Some(loan), site, None, None, None),
        Subject::HandOver { device, borrower, site } => (None, site, Some(device), Some(borrower), None),
        Subject::Site(site) => (None, site, None, None, None),
        Subject::Campaign { campaign, site } => (None, Some(site), None, None, Some(campaign)),
        Subject::Erasure { device, site } => (None, site, Some(device), None, None),
        Subject::Lot(_) => (None, None, None, None, None),
    };
    let lot = if let Subject::Lot(lot) = document.subject { Some(lot) } else { None };
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(document.number.to_string())
            .bind(document.number.kind.as_str())
            .bind(loan)
            .bind(site)
            .bind(device)
            .bind(borrower)
            .bind(document.template.as_str())
            .bind(document.version.as_str())
            .bind(document.template_sha256.to_vec())
            .bind(document.pdf_sha256.to_vec())
            .bind(document.language.as_str())
            .bind(document.made_by.as_str())
            .bind(document.made_at.get())
            .bind(campaign)
            .bind(lot)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The document with that number, if `scope` covers its site.
pub async fn find(tx: &mut Tx, scope: &Scope, number: DocumentNumber) -> Result<Option<Document>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE number = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(number.to_string()).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(raw.site_id)).map(Raw::read).transpose()
}

/// The documents of a loan, newest first. The caller has found the loan within its scope.
pub async fn of_loan(tx: &mut Tx, loan: Uuid) -> Result<Vec<Document>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE loan_id = $1 ORDER BY made_at DESC, number DESC LIMIT $2"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(loan).bind(SHOWN).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// The documents of a lot, newest first.
pub async fn of_lot(tx: &mut Tx, lot: Uuid) -> Result<Vec<Document>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE lot_id = $1 ORDER BY made_at DESC, number DESC LIMIT $2"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(lot).bind(SHOWN).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// The documents of a borrower's loans, and those made for one that never began, oldest first.
pub async fn of_borrower(tx: &mut Tx, borrower: Uuid) -> Result<Vec<Document>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE borrower_id = $1 OR loan_id IN (SELECT id FROM loan WHERE borrower_id = $1) \
         ORDER BY made_at, number"
    ));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(borrower).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// How long before a hand-over its agreement may have been made, in days: printed for a meeting that was put off, not for
/// a loan of last year that came to nothing.
const PREPARED_DAYS: i64 = 30;

/// Gives the loan the agreements that were made while it was prepared, and the newest agreement that it has then.
pub(crate) async fn adopt(tx: &mut Tx, loan: &Loan) -> Result<Option<Document>, StoreError> {
    let handed_over = loan.state.handed_over().map_or(loan.reserved_at, |handed| handed.at);
    let since = handed_over.plus_days(-PREPARED_DAYS);
    let sql = "UPDATE document SET loan_id = $1, site_id = $4 WHERE loan_id IS NULL AND device_id = $2 \
               AND borrower_id = $3 AND kind = 'agreement' AND made_at >= $5";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(loan.id)
            .bind(loan.device.0)
            .bind(loan.borrower)
            .bind(loan.site)
            .bind(since.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    let made = of_loan(tx, loan.id).await?;
    Ok(made.into_iter().find(|document| document.number.kind == DocumentKind::Agreement))
}
