//! How far a campaign has come, per site: read from one row per site and day, whatever the number of loans.

use uuid::Uuid;

use super::{StoreError, Tx, clause::Clause, on};
use crate::domain::{campaign::ReturnState, scope::Scope};

/// What a loan that changes its state adds to each counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deltas([i64; 4]);

impl Deltas {
    pub(super) fn of(before: ReturnState, after: ReturnState) -> Self {
        let mut deltas = [0; 4];
        for (delta, state) in deltas.iter_mut().zip(ReturnState::ALL) {
            *delta = i64::from(*state == after) - i64::from(*state == before);
        }
        Self(deltas)
    }
}

pub(super) async fn shift(
    tx: &mut Tx,
    (campaign, site, day): (Uuid, Uuid, i64),
    Deltas([expected, returned, excused, ended]): Deltas,
) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_count SET expected = expected + $4, returned = returned + $5, excused = excused + $6, \
               ended = ended + $7 WHERE campaign_id = $1 AND site_id = $2 AND day = $3";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(campaign)
            .bind(site)
            .bind(day)
            .bind(expected)
            .bind(returned)
            .bind(excused)
            .bind(ended)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// How far a campaign has come at one site.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SiteProgress {
    /// The site.
    pub site_id: Uuid,
    /// Its name.
    pub site_name: String,
    /// Its UAI code.
    pub uai: String,
    /// Not back yet, overdue ones among them.
    pub expected: i64,
    /// Taken back.
    pub returned: i64,
    /// Not back although their day has passed.
    pub overdue: i64,
    /// Need not come.
    pub excused: i64,
    /// Lost, stolen, written off or ceded.
    pub ended: i64,
}

impl SiteProgress {
    /// The loans of the site that the campaign chose, whatever became of them.
    #[must_use]
    pub const fn places(&self) -> i64 {
        self.expected + self.returned + self.excused + self.ended
    }
}

/// How far a campaign has come at each site of `scope`; `today` is the civil day.
pub async fn progress(tx: &mut Tx, scope: &Scope, id: Uuid, today: i64) -> Result<Vec<SiteProgress>, StoreError> {
    let mut clause = Clause::new(
        "SELECT t.site_id, s.name AS site_name, s.uai, t.expected, t.returned, t.overdue, t.excused, t.ended FROM \
         (SELECT site_id, CAST(sum(expected) AS BIGINT) AS expected, CAST(sum(returned) AS BIGINT) AS returned, \
         CAST(sum(CASE WHEN day < ",
    );
    clause.value(today).sql(
        " THEN expected ELSE 0 END) AS BIGINT) AS overdue, CAST(sum(excused) AS BIGINT) AS excused, \
         CAST(sum(ended) AS BIGINT) AS ended FROM campaign_count WHERE campaign_id = ",
    );
    clause.value(id).within("site_id", scope);
    clause.sql(" GROUP BY site_id) t JOIN site s ON s.id = t.site_id ORDER BY s.sort_key, s.id");
    clause.rows(tx).await
}

/// A civil day as [`progress`] counts it.
#[must_use]
pub fn day_of(day: jiff::civil::Date) -> i64 {
    super::value::day_number(day)
}
