//! The loans of a campaign in one state, each with its device's last word: who still has what, and when it last spoke.

use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    flag_list,
    page::{Cursor, CursorKey, Page, Total},
    value::{day, parsed},
};
use crate::domain::{
    borrower::Level,
    campaign::{ReturnState, Slot},
    device_record::ContactExpected,
    flag::FlagCode,
    scope::Scope,
};

/// Rows on a page.
pub const PAGE_ROWS: usize = 50;
/// Desk and slot in one number of a cursor: a desk has at most 1,000 slots.
const DESK: i64 = 10_000;

/// What to list, by site and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnQuery {
    /// In this state.
    pub state: ReturnState,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

/// A loan in a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnRow {
    /// The loan.
    pub loan: Uuid,
    /// The site.
    pub site: Uuid,
    /// Its UAI code.
    pub site_uai: String,
    /// Its name.
    pub site_name: String,
    /// What stands for the borrower.
    pub reference: String,
    /// The borrower's level.
    pub level: Option<Level>,
    /// The device.
    pub device: Uuid,
    /// Serial number.
    pub serial: Option<String>,
    /// Label stuck on by staff.
    pub asset_tag: Option<String>,
    /// When and where it comes.
    pub slot: Slot,
    /// When the loan is due.
    pub due: Option<Date>,
    /// The day on which the device last made contact.
    pub last_contact_day: Option<i64>,
    /// Whether it is expected to make contact at all.
    pub contact_expected: ContactExpected,
    /// How many flags are open on it.
    pub open_flags: i64,
    /// The device's open flags, worst first, each once.
    pub flags: Vec<FlagCode>,
    /// Why it is excused.
    pub excuse: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    loan_id: Uuid,
    site_id: Uuid,
    uai: String,
    site_name: String,
    reference: String,
    level: Option<String>,
    device_id: Uuid,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    day: i64,
    desk: i64,
    slot: i64,
    due_day: Option<i64>,
    last_contact_day: Option<i64>,
    contact_expected: String,
    open_flags: i64,
    excuse: Option<String>,
}

impl Raw {
    fn cursor(&self) -> Cursor {
        Cursor { key: CursorKey::Pair(self.day, self.desk * DESK + self.slot), id: self.site_id }
    }

    fn read(self) -> Result<ReturnRow, StoreError> {
        let whole = |number: i64| u32::try_from(number).unwrap_or_default();
        let slot = Slot { day: day("campaign_loan.day", self.day)?, desk: whole(self.desk), slot: whole(self.slot) };
        Ok(ReturnRow {
            loan: self.loan_id,
            site: self.site_id,
            site_uai: self.uai,
            site_name: self.site_name,
            reference: self.reference,
            level: self.level.map(|level| parsed("borrower.level", &level)).transpose()?,
            device: self.device_id,
            serial: self.serial_number,
            asset_tag: self.asset_tag,
            slot,
            due: self.due_day.map(|number| day("loan.due_day", number)).transpose()?,
            last_contact_day: self.last_contact_day,
            contact_expected: parsed("device.contact_expected", &self.contact_expected)?,
            open_flags: self.open_flags,
            flags: Vec::new(),
            excuse: self.excuse,
        })
    }
}

/// One page of a campaign's loans in one state.
pub async fn list(tx: &mut Tx, scope: &Scope, id: Uuid, query: &ReturnQuery) -> Result<Page<ReturnRow>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = Clause::new(
        "SELECT p.loan_id, p.site_id, s.uai, s.name AS site_name, b.reference, b.level, l.device_id, d.serial_number, \
         d.asset_tag, p.day, p.desk, p.slot, l.due_day, d.last_contact_day, d.contact_expected, d.open_flags, \
         p.excuse \
         FROM (SELECT * FROM campaign_loan",
    );
    restrict(&mut clause, scope, id, query);
    if let Some(Cursor { key: CursorKey::Pair(day, place), id: site }) = &query.after {
        clause.sql(" AND (site_id, day, desk, slot) > (").value(*site).sql(", ").value(*day);
        clause.sql(", ").value(place / DESK).sql(", ").value(place % DESK).sql(")");
    }
    clause.sql(" ORDER BY site_id, day, desk, slot LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    clause.sql(
        ") p JOIN loan l ON l.id = p.loan_id JOIN device d ON d.id = l.device_id JOIN borrower b ON b.id = l.borrower_id \
         JOIN site s ON s.id = p.site_id ORDER BY p.site_id, p.day, p.desk, p.slot",
    );
    let mut rows: Vec<Raw> = clause.rows(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(Raw::cursor);
    let mut count = Clause::new("SELECT count(*) FROM campaign_loan");
    restrict(&mut count, scope, id, query);
    let total = Total::Exact(count.number(tx).await?);
    let mut rows = rows.into_iter().map(Raw::read).collect::<Result<Vec<_>, _>>()?;
    let flagged = rows.iter().filter(|row| row.open_flags > 0).map(|row| row.device);
    let flags = flag_list::open_codes(tx, flagged).await?;
    for row in &mut rows {
        row.flags = flags.get(&row.device).cloned().unwrap_or_default();
    }
    Ok(Page { rows, next, total })
}

fn restrict(clause: &mut Clause, scope: &Scope, id: Uuid, query: &ReturnQuery) {
    clause.sql(" WHERE campaign_id = ").value(id).sql(" AND state = ").value(query.state.as_str());
    if let Some(site) = query.site {
        clause.sql(" AND site_id = ").value(site);
    }
    clause.within("site_id", scope);
}
