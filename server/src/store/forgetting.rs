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
    let sql = sqlx::AssertSqlSafe(terms.rule("borrower b", "loan o"));
    Ok(on!(tx, |c| sqlx::query_scalar(sql).fetch_all(c).await)?)
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
    let sql = terms.rule("{rows} JOIN borrower b ON b.id = r.id", "{rows} JOIN loan o ON o.borrower_id = r.id");
    let held: Vec<(Uuid,)> = rows.fetch(tx, &sql).await?;
    Ok(held.into_iter().map(|(id,)| id).collect())
}

impl Terms {
    /// The rule as one statement over the borrowers `b` and their loans `o`: who holds nothing, of whom something is kept
    /// that leads to a person (a name, the hash of the school's number, the class level, the day of leaving, a drawn
    /// signature), and whose time is over. A loan of a device that was given away names its borrower no more; when it
    /// ended stands with the borrower. The two moments are numbers of ours, so they may stand in the text.
    fn rule(self, borrowers: &str, loans: &str) -> String {
        let (returned, entered) = (self.returned_before.get(), self.entered_before.get());
        let known_since = "COALESCE(i.updated_at, b.created_at)";
        let last =
            "CASE WHEN l.last IS NULL OR b.last_loan_ended_at > l.last THEN b.last_loan_ended_at ELSE l.last END";
        format!(
            "SELECT b.id FROM {borrowers} LEFT JOIN borrower_identity i ON i.borrower_id = b.id \
             LEFT JOIN (SELECT o.borrower_id, max(o.ended_at) AS last, \
             sum(CASE WHEN o.ended_at IS NULL THEN 1 ELSE 0 END) AS held, count(s.loan_id) AS signed \
             FROM {loans} LEFT JOIN loan_signature s ON s.loan_id = o.id GROUP BY o.borrower_id) l \
             ON l.borrower_id = b.id WHERE b.kind = 'person' AND (i.borrower_id IS NOT NULL \
             OR b.natural_key_hash IS NOT NULL OR b.level IS NOT NULL OR b.left_site_day IS NOT NULL OR l.signed > 0) \
             AND COALESCE(l.held, 0) = 0 AND (({last} < {returned} AND ({known_since} <= {last} \
             OR {known_since} < {entered})) OR ({last} IS NULL AND {known_since} < {entered})) ORDER BY b.id"
        )
    }
}
