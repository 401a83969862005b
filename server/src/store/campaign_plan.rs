//! Planning a campaign: what is chosen must be there, and what was planned stands in the audit's words.

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    campaign::{self, Campaign},
    programme, site,
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
    let known = |chosen: &[Uuid], ids: Vec<Uuid>| chosen.iter().all(|id| ids.contains(id));
    let programmes = programme::list(tx).await?.into_iter().map(|programme| programme.id).collect();
    let sites = site::list(tx, &Scope::Everything).await?.into_iter().map(|site| site.id).collect();
    if !known(&plan.choice.programmes, programmes) || !known(&plan.choice.sites, sites) {
        return Err(InvalidPlan::Choice.into());
    }
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
