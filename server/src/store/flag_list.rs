//! The list of open flags of the whole programme: what needs a person, worst and newest first.

use std::collections::HashMap;

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    device_list::{COUNT_CAP, PAGE_ROWS, parsed, severity},
    page::{Cursor, CursorKey, Page, Total},
    rows::Rows,
};
use crate::domain::{
    flag::{Evidence, FlagCode, Severity},
    scope::Scope,
};

/// Which open flags, by what staff said about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    /// Neither acknowledged nor snoozed: they wait for a person.
    #[default]
    Waiting,
    /// Acknowledged.
    Acknowledged,
    /// Snoozed until later.
    Snoozed,
    /// All open ones.
    All,
}

impl Handling {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Acknowledged, Self::Snoozed, Self::All];

    /// The name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::All => "all",
        }
    }

    /// The value of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|handling| handling.as_str() == name)
    }
}

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagQuery {
    /// By what staff said.
    pub handling: Handling,
    /// Only this code.
    pub code: Option<FlagCode>,
    /// Only this severity or worse.
    pub min_severity: Option<Severity>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagSummary {
    /// The flag.
    pub id: Uuid,
    /// The device it stands on.
    pub device_id: DeviceId,
    /// Which rule speaks.
    pub code: FlagCode,
    /// How much it needs a person.
    pub severity: Severity,
    /// Since when.
    pub since: UtcMillis,
    /// Why.
    pub evidence: Evidence,
    /// When it was acknowledged.
    pub acknowledged_at: Option<UtcMillis>,
    /// By whom.
    pub acknowledged_by: Option<String>,
    /// Until when it is snoozed.
    pub snoozed_until: Option<UtcMillis>,
    /// The device's serial number.
    pub serial_number: Option<String>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its label.
    pub asset_tag: Option<String>,
    /// The name of its site.
    pub site_name: Option<String>,
    /// The site's town.
    pub commune: Option<String>,
}

/// One page of open flags.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    query: &FlagQuery,
    now: UtcMillis,
) -> Result<Page<FlagSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(
        "SELECT f.id, f.device_id, f.code, f.severity, f.since, f.evidence, f.acknowledged_at, f.acknowledged_by, \
         f.snoozed_until, d.serial_number, d.manufacturer, d.model, d.asset_tag, s.name AS site_name, s.commune \
         FROM flag f JOIN device d ON d.id = f.device_id LEFT JOIN site s ON s.id = d.site_id",
    );
    restrict(&mut clause, scope, query, now);
    if let Some(Cursor { key: CursorKey::Pair(severity, since), id }) = &query.after {
        clause.sql(" AND (f.severity, f.since, f.id) < (").value(*severity).sql(", ").value(*since);
        clause.sql(", ").value(*id).sql(")");
    }
    clause.sql(" ORDER BY f.severity DESC, f.since DESC, f.id DESC LIMIT ");
    clause.value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut rows: Vec<Row> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(Row::cursor);
    let total = total(tx, scope, query, now, rows.len(), more).await?;
    Ok(Page { rows: rows.into_iter().map(Row::into_summary).collect::<Result<_, _>>()?, next, total })
}

fn restrict(clause: &mut Clause, scope: &Scope, query: &FlagQuery, now: UtcMillis) {
    clause
        .sql(" WHERE f.cleared_at IS NULL AND (d.archived_at IS NULL OR f.code = 'ceded_reporting')")
        .within("d.site_id", scope);
    match query.handling {
        Handling::Waiting => {
            clause.sql(" AND f.acknowledged_at IS NULL AND COALESCE(f.snoozed_until, 0) <= ").value(now.get());
        }
        Handling::Acknowledged => {
            clause.sql(" AND f.acknowledged_at IS NOT NULL");
        }
        Handling::Snoozed => {
            clause.sql(" AND f.snoozed_until > ").value(now.get());
        }
        Handling::All => {}
    }
    if let Some(code) = query.code {
        clause.sql(" AND f.code = ").value(code.as_str());
    }
    if let Some(severity) = query.min_severity {
        clause.sql(" AND f.severity >= ").value(i64::from(severity));
    }
    if let Some(site) = query.site {
        clause.sql(" AND d.site_id = ").value(site);
    }
}

async fn total(
    tx: &mut Tx,
    scope: &Scope,
    query: &FlagQuery,
    now: UtcMillis,
    rows: usize,
    more: bool,
) -> Result<Total, StoreError> {
    if query.after.is_none() && !more {
        return Ok(Total::Exact(i64::try_from(rows).unwrap_or(i64::MAX)));
    }
    let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM flag f JOIN device d ON d.id = f.device_id");
    restrict(&mut clause, scope, query, now);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    device_id: Uuid,
    code: String,
    severity: i64,
    since: i64,
    evidence: String,
    acknowledged_at: Option<i64>,
    acknowledged_by: Option<String>,
    snoozed_until: Option<i64>,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    asset_tag: Option<String>,
    site_name: Option<String>,
    commune: Option<String>,
}

/// The codes of the open flags of devices, worst first, each once. The caller has found the devices within its scope.
pub async fn open_codes(
    tx: &mut Tx,
    devices: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<FlagCode>>, StoreError> {
    let sql = "SELECT f.device_id, f.code FROM {rows} JOIN flag f ON f.device_id = r.id WHERE f.cleared_at IS NULL \
               ORDER BY f.severity DESC, f.code";
    let mut codes: HashMap<Uuid, Vec<FlagCode>> = HashMap::new();
    let rows = Rows::of_ids(devices);
    if rows.is_empty() {
        return Ok(codes);
    }
    let found: Vec<(Uuid, String)> = rows.fetch(tx, sql).await?;
    for (device, code) in found {
        let (code, known) = (parsed("flag code", &code)?, codes.entry(device).or_default());
        if !known.contains(&code) {
            known.push(code);
        }
    }
    Ok(codes)
}

impl Row {
    fn cursor(&self) -> Cursor {
        Cursor { key: CursorKey::Pair(self.severity, self.since), id: self.id }
    }

    fn into_summary(self) -> Result<FlagSummary, StoreError> {
        let evidence = serde_json::from_str(&self.evidence)
            .map_err(|error| StoreError::Corrupt { what: "evidence", why: error.to_string() })?;
        Ok(FlagSummary {
            id: self.id,
            device_id: DeviceId(self.device_id),
            code: parsed("flag code", &self.code)?,
            severity: severity(self.severity)?,
            since: UtcMillis::new(self.since).unwrap_or_default(),
            evidence,
            acknowledged_at: self.acknowledged_at.and_then(UtcMillis::new),
            acknowledged_by: self.acknowledged_by,
            snoozed_until: self.snoozed_until.and_then(UtcMillis::new),
            serial_number: self.serial_number,
            manufacturer: self.manufacturer,
            model: self.model,
            asset_tag: self.asset_tag,
            site_name: self.site_name,
            commune: self.commune,
        })
    }
}
