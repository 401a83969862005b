//! The list of loans: by state, site, programme and due date; newest first, or soonest due first.

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    borrower::SOMEBODY,
    clause::Clause,
    device_list::{COUNT_CAP, PAGE_ROWS},
    page::{Cursor, CursorKey, Page, Total},
    programme,
    value::{day, day_number, from_json, moment, optional_moment, parsed},
};
use crate::domain::{
    authority::Role,
    borrower::{BorrowerKind, Reference},
    loan::{Condition, LoanStateName},
    scope::Scope,
    verdict::text_enum,
};

text_enum! {
    /// In which order.
    pub enum LoanSort {
        /// The newest first.
        Newest = "newest",
        /// The soonest due first; only devices that are in a borrower's hands until a day.
        Due = "due",
    }
}

/// A code by which loans are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanCode {
    text: String,
    borrowers: bool,
}

/// Longest code that is looked for, in characters; a serial number has at most 64.
pub const MAX_CODE_CHARS: usize = 100;

impl LoanCode {
    /// An asset tag, a serial number, or a borrower's reference, which finds nothing for those who may not know which
    /// borrower holds what; none where `text` cannot be one of these.
    #[must_use]
    pub fn new(text: &str, borrowers: bool) -> Option<Self> {
        let text = text.trim();
        // No stored text holds a NUL, and PostgreSQL refuses it even in a question.
        let may_be = !text.is_empty() && text.chars().count() <= MAX_CODE_CHARS && !text.contains('\0');
        may_be.then(|| Self { text: text.to_owned(), borrowers })
    }
}

/// What to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanQuery {
    /// Only loans of the device or of the borrower that this means.
    pub code: Option<LoanCode>,
    /// Only loans in this state.
    pub state: Option<LoanStateName>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Only this programme.
    pub programme: Option<Uuid>,
    /// Only devices handed over that are due before this day.
    pub due_before: Option<Date>,
    /// In which order.
    pub sort: LoanSort,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

impl Default for LoanQuery {
    fn default() -> Self {
        Self {
            code: None,
            state: None,
            site: None,
            programme: None,
            due_before: None,
            sort: LoanSort::Newest,
            after: None,
            limit: 0,
        }
    }
}

/// A loan with the names of what it joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanSummary {
    /// The loan.
    pub id: Uuid,
    /// Where it stands.
    pub state: LoanStateName,
    /// When it was reserved.
    pub reserved_at: UtcMillis,
    /// When the device was handed over.
    pub handed_over_at: Option<UtcMillis>,
    /// Until when.
    pub due: Option<Date>,
    /// When it ended.
    pub ended_at: Option<UtcMillis>,
    /// How the device came back.
    pub condition: Option<Condition>,
    /// What was missing then.
    pub missing: Vec<String>,
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
    /// The borrower's id.
    pub borrower: Uuid,
    /// What stands for the borrower.
    pub reference: Reference,
    /// A person or an institution.
    pub borrower_kind: BorrowerKind,
    /// The institution's name.
    pub institution_name: Option<String>,
    /// The programme.
    pub programme: Uuid,
    /// Its code.
    pub programme_code: String,
    /// Its name.
    pub programme_name: String,
    /// The roles that may see who is in it, besides administrators and programme managers.
    pub membership: Vec<Role>,
    /// The site that answers for the loan.
    pub site: Option<Uuid>,
    /// Its national code.
    pub site_uai: Option<String>,
    /// Its name.
    pub site_name: Option<String>,
}

/// LEFT, though each exists: so no planner begins anywhere but at the loans, in the order of their index.
const SELECT: &str = "SELECT l.id, l.state, l.reserved_at, l.handed_over_at, l.due_day, l.ended_at, l.condition, \
     l.missing_accessories, l.device_id, d.serial_number, d.asset_tag, d.manufacturer, d.model, l.borrower_id, \
     b.reference, b.kind AS borrower_kind, b.institution_name, l.programme_id, p.code AS programme_code, \
     p.name AS programme_name, p.membership_roles, l.site_id, s.uai AS site_uai, s.name AS site_name \
     FROM loan l LEFT JOIN device d ON d.id = l.device_id LEFT JOIN borrower b ON b.id = l.borrower_id \
     LEFT JOIN programme p ON p.id = l.programme_id LEFT JOIN site s ON s.id = l.site_id";

impl LoanSummary {
    /// Whether a person with this role may see under which programme the device is lent.
    #[must_use]
    pub fn shows_programme_to(&self, role: Role) -> bool {
        matches!(role, Role::Administrator | Role::ProgrammeManager) || self.membership.contains(&role)
    }
}

/// One page of loans.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &LoanQuery) -> Result<Page<LoanSummary>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(SELECT);
    restrict(&mut clause, scope, query);
    if let Some(Cursor { key: CursorKey::Number(number), id }) = &query.after {
        clause.sql(match query.sort {
            LoanSort::Newest => " AND (l.reserved_at, l.id) < (",
            LoanSort::Due => " AND (l.due_day, l.id) > (",
        });
        clause.value(*number).sql(", ").value(*id).sql(")");
    }
    clause.sql(match query.sort {
        LoanSort::Newest => " ORDER BY l.reserved_at DESC, l.id DESC LIMIT ",
        LoanSort::Due => " ORDER BY l.due_day, l.id LIMIT ",
    });
    clause.value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut rows: Vec<Row> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.cursor(query.sort));
    let total = total(tx, scope, query, rows.len(), more).await?;
    Ok(Page { rows: rows.into_iter().map(Row::read).collect::<Result<_, _>>()?, next, total })
}

/// One loan, if `scope` covers its site.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<LoanSummary>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" WHERE l.id = ").value(id).within("l.site_id", scope);
    clause.rows::<Row>(tx).await?.into_iter().next().map(Row::read).transpose()
}

/// The loans of a device that `scope` covers, newest first.
pub async fn of_device(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Vec<LoanSummary>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" WHERE l.device_id = ").value(id.0).within("l.site_id", scope);
    clause.sql(" ORDER BY l.reserved_at DESC, l.id DESC LIMIT ").value(HISTORY_SHOWN);
    clause.rows::<Row>(tx).await?.into_iter().map(Row::read).collect()
}

/// Some loans by their ids, in the order of the ids.
pub async fn of_ids(tx: &mut Tx, scope: &Scope, ids: &[Uuid]) -> Result<Vec<LoanSummary>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" WHERE l.id IN ").values(ids.iter().copied()).within("l.site_id", scope);
    let mut found: Vec<LoanSummary> =
        clause.rows::<Row>(tx).await?.into_iter().map(Row::read).collect::<Result<_, _>>()?;
    found.sort_by_key(|loan| ids.iter().position(|id| *id == loan.id));
    Ok(found)
}

/// Most loans of one device that are shown.
const HISTORY_SHOWN: i64 = 100;

fn restrict(clause: &mut Clause, scope: &Scope, query: &LoanQuery) {
    clause.sql(" WHERE l.id IS NOT NULL").within("l.site_id", scope);
    if let Some(code) = &query.code {
        of_code(clause, code);
    }
    if let Some(state) = query.state {
        clause.sql(" AND l.state = ").value(state.as_str());
    }
    if let Some(site) = query.site {
        clause.sql(" AND l.site_id = ").value(site);
    }
    if let Some(programme) = query.programme {
        clause.sql(" AND l.programme_id = ").value(programme);
    }
    if query.sort == LoanSort::Due || query.due_before.is_some() {
        // What the index `loan_due` holds; a reservation has no due date.
        clause.sql(" AND l.ended_at IS NULL AND l.due_day IS NOT NULL");
    }
    if let Some(before) = query.due_before {
        clause.sql(" AND l.due_day < ").value(day_number(before));
    }
}

/// By the indexes of what the code may be: a loan is found whatever the size of the list.
fn of_code(clause: &mut Clause, code: &LoanCode) {
    let text = code.text.as_str();
    clause.sql(
        " AND l.id IN (SELECT id FROM loan WHERE device_id IN (SELECT id FROM device WHERE lower(asset_tag) = lower(",
    );
    clause.value(text).sql(") UNION SELECT id FROM device WHERE lower(serial_number) = lower(").value(text).sql("))");
    if code.borrowers
        && let Ok(reference) = code.text.parse::<Reference>()
    {
        clause.sql(" UNION SELECT id FROM loan WHERE borrower_id IN (SELECT id FROM borrower WHERE ").sql(SOMEBODY);
        clause.sql(" AND reference = ").value(reference.to_string().as_str()).sql(")");
    }
    clause.sql(")");
}

async fn total(tx: &mut Tx, scope: &Scope, query: &LoanQuery, rows: usize, more: bool) -> Result<Total, StoreError> {
    if query.after.is_none() && !more {
        return Ok(Total::Exact(i64::try_from(rows).unwrap_or(i64::MAX)));
    }
    let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM loan l");
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    state: String,
    reserved_at: i64,
    handed_over_at: Option<i64>,
    due_day: Option<i64>,
    ended_at: Option<i64>,
    condition: Option<String>,
    missing_accessories: Option<String>,
    device_id: Uuid,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    borrower_id: Uuid,
    reference: String,
    borrower_kind: String,
    institution_name: Option<String>,
    programme_id: Uuid,
    programme_code: String,
    programme_name: String,
    membership_roles: String,
    site_id: Option<Uuid>,
    site_uai: Option<String>,
    site_name: Option<String>,
}

impl Row {
    fn cursor(&self, sort: LoanSort) -> Cursor {
        let key = match sort {
            LoanSort::Newest => self.reserved_at,
            LoanSort::Due => self.due_day.unwrap_or_default(),
        };
        Cursor { key: CursorKey::Number(key), id: self.id }
    }

    fn read(self) -> Result<LoanSummary, StoreError> {
        let missing = self.missing_accessories.as_deref();
        Ok(LoanSummary {
            id: self.id,
            state: parsed("loan.state", &self.state)?,
            reserved_at: moment("loan.reserved_at", self.reserved_at)?,
            handed_over_at: optional_moment("loan.handed_over_at", self.handed_over_at)?,
            due: self.due_day.map(|number| day("loan.due_day", number)).transpose()?,
            ended_at: optional_moment("loan.ended_at", self.ended_at)?,
            condition: self.condition.map(|text| parsed("loan.condition", &text)).transpose()?,
            missing: missing.map(|json| from_json("loan.missing_accessories", json)).transpose()?.unwrap_or_default(),
            device: DeviceId(self.device_id),
            serial_number: self.serial_number,
            asset_tag: self.asset_tag,
            manufacturer: self.manufacturer,
            model: self.model,
            borrower: self.borrower_id,
            reference: parsed("borrower.reference", &self.reference)?,
            borrower_kind: parsed("borrower.kind", &self.borrower_kind)?,
            institution_name: self.institution_name,
            programme: self.programme_id,
            programme_code: self.programme_code,
            programme_name: self.programme_name,
            membership: programme::membership(&self.membership_roles)?,
            site: self.site_id,
            site_uai: self.site_uai,
            site_name: self.site_name,
        })
    }
}
