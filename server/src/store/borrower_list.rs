//! The list of borrowers, by reference: who they are stands nowhere in it.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    borrower::SOMEBODY,
    clause::{Clause, containing},
    device_list::{SiteName, parsed},
    page::{Cursor, CursorKey, Page, Total},
};
use crate::domain::{
    borrower::{BorrowerKind, Level, Reference},
    scope::Scope,
};

/// Rows on a page unless something else is asked for.
const PAGE_ROWS: usize = 50;
/// Counting stops there: a total beyond it says "more than".
const COUNT_CAP: i64 = 10_000;

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BorrowerQuery {
    /// Only the one with this reference.
    pub reference: Option<Reference>,
    /// Only institutions whose name holds this.
    pub institution: Option<String>,
    /// Only persons, or only institutions.
    pub kind: Option<BorrowerKind>,
    /// Only those of this site.
    pub site: Option<Uuid>,
    /// Only those of this class level.
    pub level: Option<Level>,
    /// Only those who hold a device now.
    pub holding: bool,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; 50 when zero.
    pub limit: usize,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BorrowerSummary {
    /// The borrower.
    pub id: Uuid,
    /// What stands for it.
    pub reference: Reference,
    /// A person or an institution.
    pub kind: BorrowerKind,
    /// An institution's name.
    pub institution_name: Option<String>,
    /// The site it belongs to.
    pub site: Option<SiteName>,
    /// A person's class level.
    pub level: Option<Level>,
    /// The day on which the person left the site.
    pub left_site_day: Option<i64>,
    /// How many devices it holds, or has set aside.
    pub open_loans: i64,
    /// Whether who it is is known.
    pub identity_known: bool,
    /// When who it was was erased.
    pub identity_erased_at: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    reference: String,
    kind: String,
    institution_name: Option<String>,
    level: Option<String>,
    left_site_day: Option<i64>,
    identity_erased_at: Option<i64>,
    site_id: Option<Uuid>,
    uai: Option<String>,
    site_name: Option<String>,
    commune: Option<String>,
    open_loans: i64,
    identities: i64,
}

impl Row {
    fn read(self) -> Result<BorrowerSummary, StoreError> {
        let site = self.site_id.map(|id| SiteName {
            id,
            uai: self.uai.unwrap_or_default(),
            name: self.site_name.unwrap_or_default(),
            commune: self.commune.unwrap_or_default(),
        });
        Ok(BorrowerSummary {
            id: self.id,
            reference: parsed("borrower.reference", &self.reference)?,
            kind: parsed("borrower.kind", &self.kind)?,
            institution_name: self.institution_name,
            site,
            level: self.level.as_deref().map(|level| parsed("borrower.level", level)).transpose()?,
            left_site_day: self.left_site_day,
            open_loans: self.open_loans,
            identity_known: self.identities > 0,
            identity_erased_at: self.identity_erased_at.and_then(UtcMillis::new),
        })
    }
}

const SUMMARY: &str = "SELECT b.id, b.reference, b.kind, b.institution_name, b.level, b.left_site_day, \
    b.identity_erased_at, s.id AS site_id, s.uai, s.name AS site_name, s.commune, \
    (SELECT count(*) FROM loan l WHERE l.borrower_id = b.id AND l.ended_at IS NULL) AS open_loans, \
    (SELECT count(*) FROM borrower_identity i WHERE i.borrower_id = b.id) AS identities \
    FROM (SELECT * FROM borrower";

/// One page of borrowers.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &BorrowerQuery) -> Result<Page<BorrowerSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(SUMMARY);
    restrict(&mut clause, scope, query);
    if let Some(Cursor { key: CursorKey::Text(reference), .. }) = &query.after {
        clause.sql(" AND reference > ").value(reference.as_str());
    }
    clause.sql(" ORDER BY reference LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    clause.sql(") b LEFT JOIN site s ON s.id = b.site_id ORDER BY b.reference");
    let mut rows: Vec<Row> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more);
    let next = next.map(|row| Cursor { key: CursorKey::Text(row.reference.clone()), id: row.id });
    let total = if query.after.is_none() && !more {
        Total::Exact(i64::try_from(rows.len()).unwrap_or(i64::MAX))
    } else {
        counted(tx, scope, query).await?
    };
    Ok(Page { rows: rows.into_iter().map(Row::read).collect::<Result<_, _>>()?, next, total })
}

async fn counted(tx: &mut Tx, scope: &Scope, query: &BorrowerQuery) -> Result<Total, StoreError> {
    let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM borrower");
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

fn restrict(clause: &mut Clause, scope: &Scope, query: &BorrowerQuery) {
    clause.sql(" WHERE ").sql(SOMEBODY).within("site_id", scope);
    if let Some(reference) = &query.reference {
        clause.sql(" AND reference = ").value(reference.as_str());
    }
    if let Some(name) = &query.institution {
        clause.sql(" AND lower(institution_name) LIKE ").value(containing(&name.to_lowercase()).as_str());
        clause.sql(r" ESCAPE '\'");
    }
    if let Some(kind) = query.kind {
        clause.sql(" AND kind = ").value(kind.as_str());
    }
    if let Some(site) = query.site {
        clause.sql(" AND site_id = ").value(site);
    }
    if let Some(level) = query.level {
        clause.sql(" AND level = ").value(level.as_str());
    }
    if query.holding {
        clause.sql(" AND id IN (SELECT borrower_id FROM loan WHERE ended_at IS NULL)");
    }
}
