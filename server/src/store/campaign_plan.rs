//! Planning a campaign, planning it otherwise and giving it up while nobody was told of it: what is chosen must be there,
//! and what was planned stands in the audit's words.

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    campaign::{self, Campaign},
    on, programme, site,
    value::{day_number, to_json},
};
use crate::domain::{
    campaign::{CampaignState, InvalidPlan, Plan},
    scope::Scope,
};

/// Why nothing was planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It makes no sense.
    #[error(transparent)]
    Refused(#[from] InvalidPlan),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Plans a campaign. The caller writes the audit in the same unit of work.
pub async fn plan(tx: &mut Tx, plan: Plan, by: &str, now: UtcMillis) -> Result<Campaign, PlanError> {
    check(tx, &plan).await?;
    let planned = Campaign {
        id: Uuid::now_v7(),
        name: plan.name,
        state: CampaignState::Planned,
        choice: plan.choice,
        first: plan.first,
        last: plan.last,
        desks: plan.desks,
        created_by: by.to_owned(),
        created_at: now,
    };
    campaign::insert(tx, &planned).await?;
    Ok(planned)
}

/// Plans a campaign otherwise; its sites keep desks of their own. None when it is not planned any more. The caller
/// writes the audit in the same unit of work.
pub async fn change(tx: &mut Tx, id: Uuid, plan: Plan) -> Result<Option<Campaign>, PlanError> {
    check(tx, &plan).await?;
    let sql = "UPDATE campaign SET name = $2, choice = $3, first_day = $4, last_day = $5, desks = $6, slots = $7 \
               WHERE id = $1 AND state = 'planned'";
    let choice = to_json("campaign.choice", &plan.choice)?;
    let changed = on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(&plan.name)
            .bind(choice)
            .bind(day_number(plan.first))
            .bind(day_number(plan.last))
            .bind(i64::from(plan.desks.desks))
            .bind(i64::from(plan.desks.slots))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })
    .map_err(StoreError::from)?;
    Ok(if changed == 1 { campaign::find(tx, id).await? } else { None })
}

/// Gives a campaign up that nobody was told of: nothing of it stays but the audit, which the caller writes in the same
/// unit of work. False when it is not planned any more.
pub async fn drop_planned(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    if !campaign::hold_planned(tx, id).await? {
        return Ok(false);
    }
    on!(tx, |c| sqlx::query("DELETE FROM campaign_desk WHERE campaign_id = $1").bind(id).execute(c).await.map(drop))?;
    on!(tx, |c| sqlx::query("DELETE FROM campaign WHERE id = $1").bind(id).execute(c).await.map(drop))?;
    Ok(true)
}

/// Whether what is chosen exists.
async fn check(tx: &mut Tx, plan: &Plan) -> Result<(), PlanError> {
    let known = |chosen: &[Uuid], ids: Vec<Uuid>| chosen.iter().all(|id| ids.contains(id));
    let programmes = programme::list(tx).await?.into_iter().map(|programme| programme.id).collect();
    let sites = site::list(tx, &Scope::Everything).await?.into_iter().map(|site| site.id).collect();
    if !known(&plan.choice.programmes, programmes) || !known(&plan.choice.sites, sites) {
        return Err(InvalidPlan::Choice.into());
    }
    Ok(())
}

/// What the audit says of it. Not the programmes and levels that were chosen: with the campaign's list of loans they would
/// tell its readers who is in them.
#[must_use]
pub fn details(planned: &Campaign) -> Value {
    json!({
        "name": planned.name,
        "first": planned.first.to_string(),
        "last": planned.last.to_string(),
        "choice": { "sites": planned.choice.sites, "leaving": planned.choice.leaving },
        "desks": planned.desks.desks,
        "slots": planned.desks.slots,
    })
}
