//! Which borrowers nobody needs to know any more, and holding them while they are forgotten.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, on, rows::Rows};

/// When a borrower is no longer needed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The last loan ended before this moment,
    pub returned_before: UtcMillis,
    /// and what is known was entered or corrected before that end or before this moment; for those who never had a loan
    /// this one decides alone.
    pub entered_before: UtcMillis,
}

/// Everybody whose time is over, by id. Reads all loans: not for a unit of work that writes.
pub async fn due(tx: &mut Tx, terms: Terms) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT i.borrower_id FROM borrower_identity i LEFT JOIN (SELECT borrower_id, max(ended_at) AS last, \
               sum(CASE WHEN ended_at IS NULL THEN 1 ELSE 0 END) AS open FROM loan GROUP BY borrower_id) l \
               ON l.borrower_id = i.borrower_id \
               WHERE COALESCE(l.open, 0) = 0 AND ((l.last < $1 AND (i.updated_at <= l.last OR i.updated_at < $2)) \
               OR (l.last IS NULL AND i.updated_at < $2)) ORDER BY i.borrower_id";
    let Terms { returned_before, entered_before } = terms;
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(returned_before.get()).bind(entered_before.get()).fetch_all(c).await)?)
}

#[derive(sqlx::FromRow)]
struct Held {
    borrower_id: Uuid,
    updated_at: i64,
    last: Option<i64>,
    open: i64,
}

/// Those of `ids` whose time is over still. Until this unit of work ends nothing is lent to any of them and nothing
/// about them is corrected: since they were found something may have been. Everything is locked here, in the order of
/// the ids, so that nobody is waited for once the audit is held.
pub async fn hold(tx: &mut Tx, ids: &[Uuid], terms: Terms) -> Result<Vec<Uuid>, StoreError> {
    let rows = Rows::of_ids(ids.iter().copied());
    if let Tx::Postgres(_) = tx {
        let sql = "SELECT b.id FROM {rows} JOIN borrower b ON b.id = r.id ORDER BY b.id FOR UPDATE OF b";
        let _: Vec<(Uuid,)> = rows.fetch(tx, sql).await?;
        let sql = "SELECT i.borrower_id FROM {rows} JOIN borrower_identity i ON i.borrower_id = r.id \
                   ORDER BY i.borrower_id FOR UPDATE OF i";
        let _: Vec<(Uuid,)> = rows.fetch(tx, sql).await?;
    }
    let sql = "SELECT i.borrower_id, i.updated_at, max(l.ended_at) AS last, \
               count(*) FILTER (WHERE l.id IS NOT NULL AND l.ended_at IS NULL) AS open \
               FROM {rows} JOIN borrower_identity i ON i.borrower_id = r.id LEFT JOIN loan l ON l.borrower_id = r.id \
               GROUP BY i.borrower_id, i.updated_at ORDER BY i.borrower_id";
    let held: Vec<Held> = rows.fetch(tx, sql).await?;
    Ok(held.into_iter().filter(|one| one.is_over(terms)).map(|one| one.borrower_id).collect())
}

impl Held {
    const fn is_over(&self, terms: Terms) -> bool {
        let entered_long_ago = self.updated_at < terms.entered_before.get();
        self.open == 0
            && match self.last {
                Some(last) => last < terms.returned_before.get() && (self.updated_at <= last || entered_long_ago),
                None => entered_long_ago,
            }
    }
}
