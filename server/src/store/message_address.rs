//! Where a message goes: what is known of its recipient at the moment of sending. Who a borrower is comes sealed.

use uuid::Uuid;

use super::{StoreError, Tx, borrower, on, value::parsed};
use crate::domain::{
    borrower::BorrowerKind,
    language::Language,
    notice::{Recipient, RecipientKind},
    scope::Scope,
};

/// What is known of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A person who holds loans; who it is, sealed, for [`crate::vault::Vault::open_identity`]. The caller writes the
    /// reading into the audit.
    Sealed(String),
    /// Somebody whose address is no secret: a referent, a person who signs in.
    Plain(Vec<Post>),
    /// Nobody: the referent left, the account was disabled, the identity was erased.
    Gone,
}

/// An address, and the language that is read there.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// The address.
    pub email: String,
    /// The language.
    pub language: Language,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Post([redacted], {})", self.language.as_str())
    }
}

/// What is known of `recipient`.
pub async fn of(tx: &mut Tx, recipient: Recipient) -> Result<Known, StoreError> {
    let posts = match recipient.kind {
        RecipientKind::Borrower => return of_borrower(tx, recipient.id).await,
        RecipientKind::Referent => posts(tx, REFERENT, recipient.id).await?,
        RecipientKind::Person => posts(tx, PERSON, recipient.id).await?,
    };
    Ok(if posts.is_empty() { Known::Gone } else { Known::Plain(posts) })
}

const REFERENT: &str = "SELECT email, language FROM site_referent WHERE id = $1 AND ended_at IS NULL";
const OF_SITE: &str =
    "SELECT email, language FROM site_referent WHERE site_id = $1 AND ended_at IS NULL ORDER BY email";
const PERSON: &str = "SELECT email, COALESCE(language, 'fr') FROM person \
     WHERE id = $1 AND disabled_at IS NULL AND email IS NOT NULL";

async fn posts(tx: &mut Tx, sql: &'static str, id: Uuid) -> Result<Vec<Post>, StoreError> {
    let rows: Vec<(String, String)> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_all(c).await)?;
    rows.into_iter().map(|(email, language)| Ok(Post { email, language: parsed("language", &language)? })).collect()
}

async fn of_borrower(tx: &mut Tx, id: Uuid) -> Result<Known, StoreError> {
    if let Some(sealed) = borrower::sealed_identity(tx, &Scope::Everything, id).await? {
        return Ok(Known::Sealed(sealed));
    }
    let Some(found) = borrower::find(tx, &Scope::Everything, id).await? else { return Ok(Known::Gone) };
    // An institution without an address of its own is written to through whoever answers for its site.
    let posts = match (found.kind, found.site) {
        (BorrowerKind::Institution, Some(site)) => posts(tx, OF_SITE, site).await?,
        (BorrowerKind::Institution, None) | (BorrowerKind::Person, _) => Vec::new(),
    };
    Ok(if posts.is_empty() { Known::Gone } else { Known::Plain(posts) })
}

/// The referents who answer for a site now.
pub async fn referents(tx: &mut Tx, site: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT id FROM site_referent WHERE site_id = $1 AND ended_at IS NULL ORDER BY id";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(site).fetch_all(c).await)?)
}
