//! The cells of the exports about the running of a fleet: enrolment tokens, proposals, campaigns, imports, the audit.

use super::{
    export::Export,
    sheet::{ROWS_AT_A_TIME, Rows},
};
use crate::{
    domain::{paris, timestamp::rfc3339},
    store::{
        StoreError, Tx, allocation, audit, campaign, enrolment_token, import,
        page::{Cursor, CursorKey},
        programme,
    },
};
use cartable_common::UtcMillis;
use uuid::Uuid;

/// A day and the time of it: in these lists the order within a day tells something.
fn minute(moment: Option<UtcMillis>) -> String {
    moment.map(|moment| paris::date_time(moment).strftime("%F %H:%M").to_string()).unwrap_or_default()
}

/// All tokens, as their page; never their secret, which nothing here knows.
pub(super) async fn tokens(one: &Export, tx: &mut Tx) -> Result<Rows, StoreError> {
    let found = enrolment_token::list(tx, &one.scope).await?;
    let shown = one.shown_programmes(tx).await?;
    let rows = found.into_iter().map(|token| {
        let state = (one.say)("token", token.state(one.now).as_str());
        vec![
            token.label,
            token.site_uai,
            token.site_name,
            token.programme.filter(|code| shown.contains(code)).unwrap_or_default(),
            state,
            token.used.to_string(),
            token.cap.to_string(),
            minute(Some(token.created_at)),
            minute(Some(token.expires_at)),
            token.created_by,
        ]
    });
    Ok((rows.collect(), None))
}

/// All proposals, of which their page lists the newest.
pub(super) async fn allocations(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let (found, next) = allocation::page(tx, after.as_ref(), ROWS_AT_A_TIME).await?;
    let programmes = programme::list(tx).await?;
    let name = |who: Option<allocation::Who>| who.map(|who| who.name).unwrap_or_default();
    let rows = found.into_iter().map(|row| {
        let programme = row.programme.and_then(|id| programmes.iter().find(|programme| programme.id == id));
        vec![
            minute(Some(row.proposed_at)),
            row.proposed_by.name,
            programme.map(|programme| programme.code.to_string()).unwrap_or_default(),
            (one.say)("allocation-state", row.state.as_str()),
            row.needs.to_string(),
            row.given.to_string(),
            name(row.adjusted_by),
            name(row.decided_by),
            minute(row.decided_at),
            row.id.to_string(),
        ]
    });
    Ok((rows.collect(), next))
}

/// All campaigns, of which their page lists the newest.
pub(super) async fn campaigns(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let (found, next) = campaign::page(tx, after.as_ref(), ROWS_AT_A_TIME).await?;
    let rows = found.into_iter().map(|campaign| {
        vec![
            campaign.name,
            (one.say)("campaign-state", campaign.state.as_str()),
            campaign.first.to_string(),
            campaign.last.to_string(),
            campaign.desks.desks.to_string(),
            campaign.desks.slots.to_string(),
            campaign.created_by,
            minute(Some(campaign.created_at)),
        ]
    });
    Ok((rows.collect(), next))
}

/// All imports, of which their page lists the newest: what files became, nothing of what they held.
pub(super) async fn imports(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let (found, next) = import::page(tx, after.as_ref(), ROWS_AT_A_TIME).await?;
    let rows = found.into_iter().map(|import| {
        vec![
            import.file_name,
            (one.say)("import-kind", import.kind.as_str()),
            (one.say)("import-state", import.state.as_str()),
            import.total.to_string(),
            import.counts.new.to_string(),
            import.counts.changed.to_string(),
            import.counts.same.to_string(),
            import.counts.bad.to_string(),
            import.created_by,
            minute(Some(import.created_at)),
            minute(import.finished_at),
        ]
    });
    Ok((rows.collect(), next))
}

/// The audit, newest first, with codes and details as they were recorded: what the chain's hashes stand for.
pub(super) async fn audit(tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let after = after.and_then(|cursor| match cursor.key {
        CursorKey::Number(seq) => Some(seq),
        CursorKey::Text(_) | CursorKey::Pair(..) | CursorKey::Absent => None,
    });
    let limit = i64::try_from(ROWS_AT_A_TIME).unwrap_or(i64::MAX);
    let acts = audit::list(tx, after, limit).await?;
    let full = acts.len() == ROWS_AT_A_TIME;
    let next = acts.last().filter(|_| full).map(|act| Cursor { key: CursorKey::Number(act.seq), id: Uuid::nil() });
    let rows = acts.into_iter().map(|act| {
        vec![act.seq.to_string(), rfc3339(act.at), act.actor, act.action, act.object_kind, act.object_id, act.details]
    });
    Ok((rows.collect(), next))
}
