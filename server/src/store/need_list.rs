//! The list of needs: filters, key-set pages, and totals per site and programme. Shared by the console and the API.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    need::reasons,
    page::{Cursor, CursorKey, Page, Total},
    value::{moment, parsed},
};
use crate::domain::{
    authority::Role,
    borrower::Level,
    need::{NeedReason, NeedState, Reasons, shows_level, shows_programme},
    programme::Programme,
    scope::Scope,
};

/// Rows on a page.
pub const PAGE_ROWS: usize = 50;
/// Where counting stops when more than the state, the site and the programme filter.
pub const COUNT_CAP: i64 = 1_000;

/// What to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeedQuery {
    /// Only this state.
    pub state: Option<NeedState>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Only this programme.
    pub programme: Option<Uuid>,
    /// Only this level.
    pub level: Option<Level>,
    /// Only with this reason.
    pub reason: Option<NeedReason>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

impl NeedQuery {
    /// Whether somebody with this role may ask it: a filter by what the rows hide would tell it.
    #[must_use]
    pub fn may_be_asked_by(&self, role: Role, programmes: &[Programme]) -> bool {
        let shown = |id| shows_programme(role, programmes.iter().find(|programme| programme.id == id));
        self.programme.is_none_or(shown) && (self.level.is_none() || shows_level(role))
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedSummary {
    /// The need.
    pub id: Uuid,
    /// The site that asks.
    pub site: Uuid,
    /// Its UAI code.
    pub site_uai: String,
    /// Its name.
    pub site_name: String,
    /// Under which programme.
    pub programme: Uuid,
    /// The class level.
    pub level: Option<Level>,
    /// Why it may come before others.
    pub reasons: Reasons,
    /// For whom, where the site knows it.
    pub borrower: Option<(Uuid, String)>,
    /// What became of it.
    pub state: NeedState,
    /// Who entered it.
    pub entered_by: String,
    /// When.
    pub entered_at: UtcMillis,
    /// The loan that met it.
    pub loan: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    site_id: Uuid,
    uai: String,
    site_name: String,
    programme_id: Uuid,
    level: Option<String>,
    reasons: String,
    borrower_id: Option<Uuid>,
    reference: Option<String>,
    state: String,
    entered_by: String,
    entered_at: i64,
    loan_id: Option<Uuid>,
}

impl Raw {
    fn read(self) -> Result<NeedSummary, StoreError> {
        Ok(NeedSummary {
            id: self.id,
            site: self.site_id,
            site_uai: self.uai,
            site_name: self.site_name,
            programme: self.programme_id,
            level: self.level.map(|level| parsed("need.level", &level)).transpose()?,
            reasons: reasons(&self.reasons)?,
            borrower: self.borrower_id.zip(self.reference),
            state: parsed("need.state", &self.state)?,
            entered_by: self.entered_by,
            entered_at: moment("need.entered_at", self.entered_at)?,
            loan: self.loan_id,
        })
    }
}

const SUMMARY: &str = "SELECT n.id, n.site_id, s.uai, s.name AS site_name, n.programme_id, n.level, n.reasons, \
     n.borrower_id, b.reference, n.state, n.entered_by, n.entered_at, n.loan_id FROM (SELECT * FROM need WHERE 1 = 1";
const JOINS: &str = ") n JOIN site s ON s.id = n.site_id LEFT JOIN borrower b ON b.id = n.borrower_id \
     ORDER BY n.entered_at DESC, n.id DESC";

/// One page of needs.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &NeedQuery) -> Result<Page<NeedSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(SUMMARY);
    restrict(&mut clause, scope, query);
    if let Some(Cursor { key: CursorKey::Number(at), id }) = &query.after {
        clause.sql(" AND (entered_at, id) < (").value(*at).sql(", ").value(*id).sql(")");
    }
    clause.sql(" ORDER BY entered_at DESC, id DESC LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    clause.sql(JOINS);
    let mut rows: Vec<Raw> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| Cursor { key: CursorKey::Number(row.entered_at), id: row.id });
    let total = if query.after.is_none() && !more {
        Total::Exact(i64::try_from(rows.len()).unwrap_or(i64::MAX))
    } else {
        counted(tx, scope, query).await?
    };
    Ok(Page { rows: rows.into_iter().map(Raw::read).collect::<Result<_, _>>()?, next, total })
}

fn restrict(clause: &mut Clause, scope: &Scope, query: &NeedQuery) {
    clause.within("site_id", scope);
    if let Some(state) = query.state {
        clause.sql(" AND state = ").value(state.as_str());
    }
    if let Some(site) = query.site {
        clause.sql(" AND site_id = ").value(site);
    }
    if let Some(programme) = query.programme {
        clause.sql(" AND programme_id = ").value(programme);
    }
    if let Some(level) = query.level {
        clause.sql(" AND level = ").value(level.as_str());
    }
    if let Some(reason) = query.reason {
        // The codes stand in quotation marks in the stored list.
        clause.sql(" AND reasons LIKE ").value(format!("%\"{}\"%", reason.as_str().replace('_', "\\_")).as_str());
        clause.sql(r" ESCAPE '\'");
    }
}

async fn counted(tx: &mut Tx, scope: &Scope, query: &NeedQuery) -> Result<Total, StoreError> {
    let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM need WHERE 1 = 1");
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

/// How many needs a site has under a programme, by what became of them.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NeedTotal {
    /// The site.
    pub site_id: Uuid,
    /// Its name.
    pub site_name: String,
    /// The programme.
    pub programme_id: Uuid,
    /// Waiting.
    pub open: i64,
    /// With a device.
    pub met: i64,
    /// No longer asked for.
    pub withdrawn: i64,
}

/// The totals of each site and programme that `scope` covers and the query's site and programme leave, by site.
pub async fn totals(tx: &mut Tx, scope: &Scope, query: &NeedQuery) -> Result<Vec<NeedTotal>, StoreError> {
    let mut clause = Clause::new(
        "SELECT t.site_id, s.name AS site_name, t.programme_id, t.open, t.met, t.withdrawn FROM (SELECT site_id, \
         programme_id, sum(CASE WHEN state = 'open' THEN 1 ELSE 0 END) AS open, \
         sum(CASE WHEN state = 'met' THEN 1 ELSE 0 END) AS met, \
         sum(CASE WHEN state = 'withdrawn' THEN 1 ELSE 0 END) AS withdrawn FROM need WHERE 1 = 1",
    );
    let narrow = NeedQuery { site: query.site, programme: query.programme, ..NeedQuery::default() };
    restrict(&mut clause, scope, &narrow);
    clause.sql(
        " GROUP BY site_id, programme_id) t JOIN site s ON s.id = t.site_id ORDER BY s.sort_key, s.id, t.programme_id",
    );
    clause.rows(tx).await
}
