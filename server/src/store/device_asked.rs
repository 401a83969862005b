//! Which devices a list is asked for: its filters as SQL, how many they find, and which, for those who act on all of them.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    device_list::COUNT_CAP,
    device_query::{Archived, DeviceQuery},
    device_search::Search,
    page::Total,
};
use crate::domain::scope::Scope;

/// The devices of a whole list, whatever its sort and its page, lowest id first; at most `most`.
pub(super) async fn ids(tx: &mut Tx, scope: &Scope, query: &DeviceQuery, most: usize) -> Result<Vec<Uuid>, StoreError> {
    let search = Search::of(tx, query.search.as_deref()).await?;
    let mut clause = Clause::new("SELECT id FROM device");
    Asked { scope, query, search: &search }.restrict(&mut clause);
    clause.sql(" ORDER BY id LIMIT ").value(i64::try_from(most).unwrap_or(i64::MAX));
    let rows: Vec<(Uuid,)> = clause.rows(tx).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Those of `among` that are in the list.
pub(super) async fn of(
    tx: &mut Tx,
    scope: &Scope,
    query: &DeviceQuery,
    among: &[Uuid],
) -> Result<Vec<Uuid>, StoreError> {
    let search = Search::of(tx, query.search.as_deref()).await?;
    let mut clause = Clause::new("SELECT id FROM device");
    Asked { scope, query, search: &search }.restrict(&mut clause);
    clause.sql(" AND id IN ").values(among.iter().copied());
    let rows: Vec<(Uuid,)> = clause.rows(tx).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What is listed: for whom, which, and how the words of its search are found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) scope: &'a Scope,
    pub(super) query: &'a DeviceQuery,
    pub(super) search: &'a Search,
}

impl Asked<'_> {
    /// The WHERE of the list, without the page.
    pub(super) fn restrict(self, clause: &mut Clause) {
        let query = self.query;
        clause.sql(match query.archived {
            Archived::Exclude => " WHERE archived_at IS NULL",
            Archived::Only => " WHERE archived_at IS NOT NULL",
            Archived::Include => " WHERE 1 = 1",
        });
        clause.within("site_id", self.scope);
        if let Some(status) = query.status {
            clause.sql(" AND status = ").value(status.as_str());
        }
        if let Some(site) = query.site {
            clause.sql(" AND site_id = ").value(site);
        }
        if let Some(severity) = query.min_severity {
            clause.sql(" AND worst_severity >= ").value(i64::from(severity));
        }
        if let Some(code) = query.flag {
            clause.sql(" AND id IN (SELECT device_id FROM flag WHERE cleared_at IS NULL AND code = ");
            clause.value(code.as_str()).sql(")");
        }
        self.search.restrict(clause);
    }

    /// How many devices the whole list has, where nothing is searched.
    pub(super) async fn total(self, tx: &mut Tx, rows: usize, more: bool) -> Result<Total, StoreError> {
        let query = self.query;
        if query.after.is_none() && !more {
            return Ok(Total::Exact(i64::try_from(rows).unwrap_or(i64::MAX)));
        }
        if query.flag.is_none() && query.min_severity.is_none() && query.archived == Archived::Exclude {
            return Ok(Total::Exact(self.kept_count(tx).await?));
        }
        self.counted(tx).await
    }

    /// How many rows match, up to the cap.
    pub(super) async fn counted(self, tx: &mut Tx) -> Result<Total, StoreError> {
        let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM device");
        self.restrict(&mut clause);
        clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
        let count = clause.number(tx).await?;
        Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
    }

    async fn kept_count(self, tx: &mut Tx) -> Result<i64, StoreError> {
        let mut clause =
            Clause::new("SELECT CAST(COALESCE(SUM(value), 0) AS BIGINT) FROM counter WHERE name = 'device_status'");
        clause.within("site_id", self.scope);
        match self.query.status {
            Some(status) => clause.sql(" AND key = ").value(status.as_str()),
            None => clause.sql(" AND key <> 'archived'"),
        };
        if let Some(site) = self.query.site {
            clause.sql(" AND site_id = ").value(site);
        }
        clause.number(tx).await
    }
}
