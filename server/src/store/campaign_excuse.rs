//! Loans that need not come back in a campaign: excused with a reason, and expected again when that was wrong.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    campaign::RawPlace,
    campaign_count::{Deltas, shift},
    clause::Clause,
    on,
};
use crate::domain::{campaign::ReturnState, scope::Scope};

/// Excuses a loan of `scope` that is expected in a running campaign, with a reason. False when there is none.
pub async fn excuse(
    tx: &mut Tx,
    scope: &Scope,
    (campaign, loan): (Uuid, Uuid),
    (reason, by): (&str, &str),
    now: UtcMillis,
) -> Result<bool, StoreError> {
    let Some(place) = held(tx, scope, (campaign, loan), ReturnState::Expected).await? else { return Ok(false) };
    let sql = "UPDATE campaign_loan SET state = 'excused', excuse = $3, excused_by = $4, changed_at = $5 \
               WHERE campaign_id = $1 AND loan_id = $2";
    on!(tx, |c| {
        sqlx::query(sql).bind(campaign).bind(loan).bind(reason).bind(by).bind(now.get()).execute(c).await.map(drop)
    })?;
    let deltas = Deltas::of(ReturnState::Expected, ReturnState::Excused);
    shift(tx, (campaign, place.site_id, place.day), deltas).await?;
    Ok(true)
}

/// Expects a loan of `scope` again that is excused from a running campaign, at the place that it had. False when there
/// is none.
pub async fn undo(tx: &mut Tx, scope: &Scope, (campaign, loan): (Uuid, Uuid)) -> Result<bool, StoreError> {
    let Some(place) = held(tx, scope, (campaign, loan), ReturnState::Excused).await? else { return Ok(false) };
    let sql = "UPDATE campaign_loan SET state = 'expected', excuse = NULL, excused_by = NULL, changed_at = NULL \
               WHERE campaign_id = $1 AND loan_id = $2";
    on!(tx, |c| sqlx::query(sql).bind(campaign).bind(loan).execute(c).await.map(drop))?;
    let deltas = Deltas::of(ReturnState::Excused, ReturnState::Expected);
    shift(tx, (campaign, place.site_id, place.day), deltas).await?;
    Ok(true)
}

/// The place of a loan in that state in a running campaign. Its device is held, so that nobody takes it back in
/// between.
async fn held(
    tx: &mut Tx,
    scope: &Scope,
    (campaign, loan): (Uuid, Uuid),
    state: ReturnState,
) -> Result<Option<RawPlace>, StoreError> {
    if super::loan::find_for_update(tx, &Scope::Everything, loan).await?.is_none() {
        return Ok(None);
    }
    let mut clause = Clause::new(
        "SELECT l.campaign_id, l.site_id, l.state, l.day FROM campaign_loan l JOIN campaign c ON c.id = l.campaign_id \
         WHERE c.state = 'running' AND l.campaign_id = ",
    );
    clause.value(campaign).sql(" AND l.loan_id = ").value(loan).sql(" AND l.state = ").value(state.as_str());
    clause.within("l.site_id", scope);
    Ok(clause.rows(tx).await?.pop())
}
