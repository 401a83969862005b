//! The list of devices: search, filters, key-set pages. Shared by the console and the API.
//!
//! Never OFFSET, never an unlimited count: a page is found through the index of its sort, from where the last one
//! ended; totals come from maintained counters when nothing but the status and the site filters, and stop at
//! [`COUNT_CAP`] otherwise.

use cartable_common::{Bytes, DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    device_asked::Asked,
    device_search::Search,
    page::{Cursor, CursorKey, Page, Total},
};
use crate::domain::{
    device::DeviceStatus,
    flag::{FlagCode, Severity},
    scope::Scope,
    verdict::Verdict,
};

pub use super::device_query::{Archived, DeviceQuery, DeviceSort, Direction};

/// Rows on a page.
pub const PAGE_ROWS: usize = 50;
/// Where counting a filtered list stops: beyond it the exact number helps nobody find a device.
pub const COUNT_CAP: i64 = 1_000;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSummary {
    /// The device.
    pub id: DeviceId,
    /// Where it stands with the server.
    pub status: DeviceStatus,
    /// Serial number, where it has one.
    pub serial_number: Option<String>,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Laptop, tablet…
    pub chassis: Option<String>,
    /// Label stuck on by staff.
    pub asset_tag: Option<String>,
    /// Its site.
    pub site: Option<SiteName>,
    /// When it was archived.
    pub archived_at: Option<UtcMillis>,
    /// Last contact, by the server's clock.
    pub last_contact_at: Option<UtcMillis>,
    /// Operating system as the agent named it.
    pub os_name: Option<String>,
    /// Its version.
    pub os_version: Option<String>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// Worst verdict of its drives; absent before the first report.
    pub drives: Option<Verdict>,
    /// Worst verdict of its batteries.
    pub batteries: Option<Verdict>,
    /// Worst open flag.
    pub worst_severity: Option<Severity>,
    /// Number of open flags.
    pub open_flags: i64,
    /// The open flags' codes, worst first, each once.
    pub flags: Vec<(FlagCode, Severity)>,
}

/// A site, as lists name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteName {
    /// The site.
    pub id: Uuid,
    /// UAI code.
    pub uai: String,
    /// Name.
    pub name: String,
    /// Town.
    pub commune: String,
}

/// One page of devices.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &DeviceQuery) -> Result<Page<DeviceSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    // A search that finds little is collected and sorted; one that finds much follows the index and soon has a page.
    let search = Search::of(tx, query.search.as_deref()).await?;
    let asked = Asked { scope, query, search: &search };
    let searched = if search.is_empty() { None } else { Some(asked.counted(tx).await?) };
    let few = search.collects() || matches!(searched, Some(Total::Exact(_))) && matches!(tx, Tx::Sqlite(_));
    let mut rows = select(tx, asked, limit + 1, if few { Walk::Sort } else { Walk::Index }).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.cursor(query.sort));
    let total = match searched {
        Some(total) => total,
        None => asked.total(tx, rows.len(), more).await?,
    };
    let mut summaries = rows.into_iter().map(Row::into_summary).collect::<Result<Vec<_>, _>>()?;
    add_flags(tx, &mut summaries).await?;
    Ok(Page { rows: summaries, next, total })
}

/// A page's rows. Devices that never made contact have no day: they stand in a part of their own, before all others
/// when the longest gone come first, after them otherwise.
async fn select(tx: &mut Tx, asked: Asked<'_>, limit: usize, walk: Walk) -> Result<Vec<Row>, StoreError> {
    let query = asked.query;
    if query.sort != DeviceSort::Contact {
        return part(tx, asked, (Part::Keyed, walk), query.after.as_ref(), limit).await;
    }
    let parts = match query.direction {
        Direction::Ascending => [Part::NeverSeen, Part::Keyed],
        Direction::Descending => [Part::Keyed, Part::NeverSeen],
    };
    let first = match &query.after {
        None => 0,
        Some(after) => parts.iter().position(|part| part.holds(after)).unwrap_or(0),
    };
    let mut rows = Vec::new();
    for (index, which) in parts.into_iter().enumerate().skip(first) {
        let after = query.after.as_ref().filter(|_| index == first);
        let missing = limit - rows.len();
        if missing > 0 {
            rows.extend(part(tx, asked, (which, walk), after, missing).await?);
        }
    }
    Ok(rows)
}

/// How SQLite finds a page: along the sort's index, or through all rows and sorted after (three times faster at
/// 25,000 devices when few match). PostgreSQL's planner chooses by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    Index,
    Sort,
}

/// A part of a list that one index gives in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Keyed,
    NeverSeen,
}

impl Part {
    fn holds(self, cursor: &Cursor) -> bool {
        (cursor.key == CursorKey::Absent) == (self == Self::NeverSeen)
    }
}

const SUMMARY: &str = "SELECT d.id, d.status, d.serial_number, d.manufacturer, d.model, d.chassis, d.asset_tag, \
    d.archived_at, d.last_contact_day, d.worst_severity, d.open_flags, d.sort_serial, d.sort_model, d.sort_site, \
    s.id AS site_id, s.uai, s.name AS site_name, s.commune, c.last_at, \
    h.os_name, h.os_version, h.memory_bytes, h.drive_verdict, h.battery_verdict FROM (SELECT * FROM device";
const JOINS: &str = ") d LEFT JOIN site s ON s.id = d.site_id LEFT JOIN contact c ON c.device_id = d.id \
    LEFT JOIN health h ON h.device_id = d.id";

async fn part(
    tx: &mut Tx,
    asked: Asked<'_>,
    (part, walk): (Part, Walk),
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let query = asked.query;
    let mut clause = Clause::new(SUMMARY);
    asked.restrict(&mut clause);
    if query.sort == DeviceSort::Contact {
        clause.sql(if part == Part::Keyed {
            " AND last_contact_day IS NOT NULL"
        } else {
            " AND last_contact_day IS NULL"
        });
    }
    let column = if part == Part::Keyed { Some(query.sort.column()) } else { None };
    if let Some(after) = after {
        follow(&mut clause, column, query.direction, after);
    }
    order(&mut clause, column, "id", query.direction, walk);
    clause.sql(" LIMIT ").value(i64::try_from(limit).unwrap_or(i64::MAX)).sql(JOINS);
    order(&mut clause, column, "d.id", query.direction, Walk::Index);
    clause.rows(tx).await
}

/// ` AND (column, id) > (…)`: what comes after the last row of the page before.
fn follow(clause: &mut Clause, column: Option<&'static str>, direction: Direction, after: &Cursor) {
    let comparison = if direction == Direction::Ascending { " > " } else { " < " };
    match (column, &after.key) {
        (Some(column), CursorKey::Text(text)) => {
            clause.sql(" AND (").sql(column).sql(", id)").sql(comparison).sql("(").value(text.as_str());
        }
        (Some(column), CursorKey::Number(number)) => {
            clause.sql(" AND (").sql(column).sql(", id)").sql(comparison).sql("(").value(*number);
        }
        (None, _) | (_, CursorKey::Absent | CursorKey::Pair(..)) => {
            clause.sql(" AND id").sql(comparison).value(after.id);
            return;
        }
    }
    clause.sql(", ").value(after.id).sql(")");
}

fn order(clause: &mut Clause, column: Option<&'static str>, id: &'static str, direction: Direction, walk: Walk) {
    let way = if direction == Direction::Ascending { " ASC" } else { " DESC" };
    clause.sql(" ORDER BY ");
    if let Some(column) = column {
        if walk == Walk::Sort {
            // SQLite's way to say: not through the index.
            clause.sql("+");
        }
        clause.sql(column).sql(way).sql(", ");
    }
    clause.sql(id).sql(way);
}

#[derive(sqlx::FromRow)]
struct FlagRow {
    device_id: Uuid,
    code: String,
    severity: i64,
}

async fn add_flags(tx: &mut Tx, summaries: &mut [DeviceSummary]) -> Result<(), StoreError> {
    if summaries.iter().all(|summary| summary.open_flags == 0) {
        return Ok(());
    }
    let mut clause =
        Clause::new("SELECT device_id, code, severity FROM flag WHERE cleared_at IS NULL AND device_id IN ");
    clause.values(summaries.iter().filter(|summary| summary.open_flags > 0).map(|summary| summary.id.0));
    clause.sql(" ORDER BY severity DESC, code");
    let flags: Vec<FlagRow> = clause.rows(tx).await?;
    for flag in flags {
        let (code, severity): (FlagCode, _) = (parsed("flag code", &flag.code)?, severity(flag.severity)?);
        if let Some(summary) = summaries.iter_mut().find(|summary| summary.id.0 == flag.device_id)
            && summary.flags.iter().all(|(known, _)| *known != code)
        {
            summary.flags.push((code, severity));
        }
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    status: String,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    chassis: Option<String>,
    asset_tag: Option<String>,
    archived_at: Option<i64>,
    last_contact_day: Option<i64>,
    worst_severity: i64,
    open_flags: i64,
    sort_serial: String,
    sort_model: String,
    sort_site: String,
    site_id: Option<Uuid>,
    uai: Option<String>,
    site_name: Option<String>,
    commune: Option<String>,
    last_at: Option<i64>,
    os_name: Option<String>,
    os_version: Option<String>,
    memory_bytes: Option<i64>,
    drive_verdict: Option<String>,
    battery_verdict: Option<String>,
}

impl Row {
    fn cursor(&self, sort: DeviceSort) -> Cursor {
        let key = match sort {
            DeviceSort::Serial => CursorKey::Text(self.sort_serial.clone()),
            DeviceSort::Model => CursorKey::Text(self.sort_model.clone()),
            DeviceSort::Site => CursorKey::Text(self.sort_site.clone()),
            DeviceSort::Severity => CursorKey::Number(self.worst_severity),
            DeviceSort::Contact => self.last_contact_day.map_or(CursorKey::Absent, CursorKey::Number),
        };
        Cursor { key, id: self.id }
    }

    fn into_summary(self) -> Result<DeviceSummary, StoreError> {
        let site = self.site_id.map(|id| SiteName {
            id,
            uai: self.uai.unwrap_or_default(),
            name: self.site_name.unwrap_or_default(),
            commune: self.commune.unwrap_or_default(),
        });
        Ok(DeviceSummary {
            id: DeviceId(self.id),
            status: parsed("device status", &self.status)?,
            serial_number: self.serial_number,
            manufacturer: self.manufacturer,
            model: self.model,
            chassis: self.chassis,
            asset_tag: self.asset_tag,
            site,
            archived_at: self.archived_at.and_then(UtcMillis::new),
            last_contact_at: self.last_at.and_then(UtcMillis::new),
            os_name: self.os_name,
            os_version: self.os_version,
            memory: self.memory_bytes.and_then(|bytes| u64::try_from(bytes).ok()).and_then(Bytes::new),
            drives: self.drive_verdict.as_deref().map(|text| parsed("drive verdict", text)).transpose()?,
            batteries: self.battery_verdict.as_deref().map(|text| parsed("battery verdict", text)).transpose()?,
            worst_severity: if self.worst_severity == 0 { None } else { Some(severity(self.worst_severity)?) },
            open_flags: self.open_flags,
            flags: Vec::new(),
        })
    }
}

/// A stored text as the enumeration that wrote it.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Corrupt { what, why: error.to_string() })
}

/// A stored number as the severity it stands for.
pub(super) fn severity(number: i64) -> Result<Severity, StoreError> {
    Severity::try_from(number).map_err(|error| StoreError::Corrupt { what: "severity", why: error.to_string() })
}
