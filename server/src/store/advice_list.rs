//! The list of devices by what they should become: filters, key-set pages, counts, and the facts of a fleet for trying
//! another policy. Shared by the console, the API and exports.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    Store, StoreError, Tx,
    clause::Clause,
    on,
    page::{Cursor, CursorKey, Page, Total},
    rows::{Cell, Rows, Type},
    value::{from_json, moment, optional_moment, parsed},
};
use crate::domain::{
    disposition::{Confidence, Disposition},
    fitness::Facts,
    grade::Grade,
    loan::LendingState,
    scope::Scope,
};

/// Rows on a page.
pub const PAGE_ROWS: usize = 50;
/// Where counting a filtered list stops.
pub const COUNT_CAP: i64 = 1_000;

/// What to list, by serial number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdviceQuery {
    /// Only this disposition.
    pub disposition: Option<Disposition>,
    /// Only this confidence.
    pub confidence: Option<Confidence>,
    /// Only devices that are there in their lending.
    pub lending: Option<LendingState>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Only devices of this programme, by its code. The caller makes sure that the reader may know its members.
    pub programme: Option<String>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdviceSummary {
    /// The device.
    pub device: DeviceId,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// Its label.
    pub asset_tag: Option<String>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The code of its programme; not for everybody to know.
    pub programme: Option<String>,
    /// The UAI code and the name of its site.
    pub site: Option<(String, String)>,
    /// Where it is in its lending.
    pub lending: LendingState,
    /// Its grade.
    pub grade: Option<Grade>,
    /// What it should become.
    pub disposition: Disposition,
    /// How sure that is.
    pub confidence: Confidence,
    /// What that costs, in whole euros.
    pub cost_euros: i64,
    /// What it is worth then, in whole euros.
    pub value_euros: i64,
    /// Months of use that are left at most.
    pub months_left: i64,
    /// The date of the evidence.
    pub evidence_at: Option<UtcMillis>,
    /// Since when it is this disposition.
    pub since: UtcMillis,
    /// The version of the policy that decided.
    pub policy_version: String,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    programme: Option<String>,
    uai: Option<String>,
    site_name: Option<String>,
    lending_state: String,
    grade: Option<String>,
    sort_serial: String,
    disposition: String,
    confidence: String,
    cost_euros: i64,
    value_euros: i64,
    months_left: i64,
    evidence_at: Option<i64>,
    since: i64,
    policy_version: String,
}

impl Raw {
    fn read(self) -> Result<AdviceSummary, StoreError> {
        Ok(AdviceSummary {
            device: DeviceId(self.id),
            serial_number: self.serial_number,
            asset_tag: self.asset_tag,
            manufacturer: self.manufacturer,
            model: self.model,
            programme: self.programme,
            site: self.uai.zip(self.site_name),
            lending: parsed("device.lending_state", &self.lending_state)?,
            grade: self.grade.map(|grade| parsed("device.grade", &grade)).transpose()?,
            disposition: parsed("advice.disposition", &self.disposition)?,
            confidence: parsed("advice.confidence", &self.confidence)?,
            cost_euros: self.cost_euros,
            value_euros: self.value_euros,
            months_left: self.months_left,
            evidence_at: optional_moment("advice.evidence_at", self.evidence_at)?,
            since: moment("advice.since", self.since)?,
            policy_version: self.policy_version,
        })
    }
}

const SUMMARY: &str = "SELECT d.id, d.serial_number, d.asset_tag, d.manufacturer, d.model, d.programme, s.uai, \
     s.name AS site_name, d.lending_state, d.grade, d.sort_serial, a.disposition, a.confidence, a.cost_euros, \
     a.value_euros, a.months_left, a.evidence_at, a.since, a.policy_version FROM advice a \
     JOIN device d ON d.id = a.device_id LEFT JOIN site s ON s.id = d.site_id WHERE ";

/// One page of the list.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &AdviceQuery) -> Result<Page<AdviceSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(SUMMARY);
    restrict(&mut clause, scope, query);
    if let Some(Cursor { key: CursorKey::Text(serial), id }) = &query.after {
        clause.sql(" AND (d.sort_serial, d.id) > (").value(serial.as_str()).sql(", ").value(*id).sql(")");
    }
    clause.sql(" ORDER BY d.sort_serial, d.id LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut rows: Vec<Raw> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next =
        rows.last().filter(|_| more).map(|row| Cursor { key: CursorKey::Text(row.sort_serial.clone()), id: row.id });
    let total = if query.after.is_none() && !more {
        Total::Exact(i64::try_from(rows.len()).unwrap_or(i64::MAX))
    } else {
        counted(tx, scope, query).await?
    };
    Ok(Page { rows: rows.into_iter().map(Raw::read).collect::<Result<_, _>>()?, next, total })
}

fn restrict(clause: &mut Clause, scope: &Scope, query: &AdviceQuery) {
    clause.sql(super::advice::ADVISED).within("d.site_id", scope);
    if let Some(disposition) = query.disposition {
        clause.sql(" AND a.disposition = ").value(disposition.as_str());
    }
    if let Some(confidence) = query.confidence {
        clause.sql(" AND a.confidence = ").value(confidence.as_str());
    }
    if let Some(lending) = query.lending {
        clause.sql(" AND d.lending_state = ").value(lending.as_str());
    }
    if let Some(site) = query.site {
        clause.sql(" AND d.site_id = ").value(site);
    }
    if let Some(programme) = &query.programme {
        clause.sql(" AND d.programme = ").value(programme.as_str());
    }
}

async fn counted(tx: &mut Tx, scope: &Scope, query: &AdviceQuery) -> Result<Total, StoreError> {
    let mut clause =
        Clause::new("SELECT count(*) FROM (SELECT 1 FROM advice a JOIN device d ON d.id = a.device_id WHERE ");
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

/// How many devices should become what, of one site and one programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The site's id and name.
    pub site: Option<(Uuid, String)>,
    /// The code of the programme; not for everybody to know.
    pub programme: Option<String>,
    /// What they should become.
    pub disposition: Disposition,
    /// How many.
    pub devices: i64,
    /// What that costs for all of them, in whole euros.
    pub cost_euros: i64,
}

#[derive(sqlx::FromRow)]
struct RawCount {
    site_id: Option<Uuid>,
    site_name: Option<String>,
    programme: Option<String>,
    disposition: String,
    devices: i64,
    cost_euros: i64,
}

/// All counts within `scope`, by site, as the last sweep kept them.
pub async fn counts(tx: &mut Tx, scope: &Scope) -> Result<Vec<Count>, StoreError> {
    let mut clause = Clause::new(
        "SELECT t.site_id, s.name AS site_name, t.programme, t.disposition, t.devices, t.cost_euros \
         FROM advice_count t LEFT JOIN site s ON s.id = t.site_id WHERE true",
    );
    clause.within("t.site_id", scope).sql(" ORDER BY s.sort_key, t.site_id, t.programme, t.disposition");
    let raw: Vec<RawCount> = clause.rows(tx).await?;
    raw.into_iter()
        .map(|one| {
            Ok(Count {
                site: one.site_id.zip(one.site_name),
                programme: one.programme,
                disposition: parsed("advice.disposition", &one.disposition)?,
                devices: one.devices,
                cost_euros: one.cost_euros,
            })
        })
        .collect()
}

/// The facts that advice rests on, of `limit` devices after `after`, by id.
pub async fn facts(tx: &mut Tx, scope: &Scope, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Facts)>, StoreError> {
    let mut clause =
        Clause::new("SELECT a.device_id, a.facts FROM advice a JOIN device d ON d.id = a.device_id WHERE ");
    clause.sql(super::advice::ADVISED).within("d.site_id", scope);
    clause.sql(" AND a.device_id > ").value(after).sql(" ORDER BY a.device_id LIMIT ").value(limit);
    let raw: Vec<(Uuid, String)> = clause.rows(tx).await?;
    raw.into_iter().map(|(id, json)| Ok((id, from_json("advice.facts", &json)?))).collect()
}

/// When the oldest kept decision within `scope` was made, as the last sweep found it; none where there is none.
pub async fn oldest(tx: &mut Tx, scope: &Scope) -> Result<Option<UtcMillis>, StoreError> {
    let mut clause = Clause::new("SELECT COALESCE(MIN(t.oldest_at), 0) FROM advice_count t WHERE true");
    clause.within("t.site_id", scope);
    let millis = clause.number(tx).await?;
    optional_moment("advice_count.oldest_at", Some(millis).filter(|millis| *millis > 0))
}

#[derive(sqlx::FromRow)]
struct Counted {
    site_id: Option<Uuid>,
    programme: Option<String>,
    disposition: String,
    devices: i64,
    cost_euros: i64,
    oldest_at: i64,
}

/// Counts the fleet anew and keeps what it found. The counting is on a reading unit of work, which holds nobody up.
pub async fn recount(store: &Store) -> Result<(), StoreError> {
    let mut clause = Clause::new(
        "SELECT d.site_id, d.programme, a.disposition, count(*) AS devices, \
         CAST(SUM(a.cost_euros) AS BIGINT) AS cost_euros, MIN(a.decided_at) AS oldest_at \
         FROM advice a JOIN device d ON d.id = a.device_id WHERE ",
    );
    clause.sql(super::advice::ADVISED).sql(" GROUP BY d.site_id, d.programme, a.disposition");
    let mut tx = store.read().await?;
    let counted: Vec<Counted> = clause.rows(&mut tx).await?;
    drop(tx);
    let mut rows = Rows::new([
        ("site_id", Type::Uuid),
        ("programme", Type::Text),
        ("disposition", Type::Text),
        ("devices", Type::Int),
        ("cost_euros", Type::Int),
        ("oldest_at", Type::Int),
    ]);
    for one in counted {
        rows.push([
            Cell::from(one.site_id),
            Cell::from(one.programme),
            one.disposition.into(),
            one.devices.into(),
            one.cost_euros.into(),
            one.oldest_at.into(),
        ]);
    }
    let mut tx = store.write().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM advice_count").execute(c).await.map(drop))?;
    let sql = "INSERT INTO advice_count (site_id, programme, disposition, devices, cost_euros, oldest_at) \
               SELECT site_id, programme, disposition, devices, cost_euros, oldest_at FROM {rows}";
    rows.execute(&mut tx, sql).await?;
    tx.commit().await
}
