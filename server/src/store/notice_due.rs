//! The reminders that a programme's schedule asks for: which loans have one today, and to whom it goes.
//!
//! Asked about the same day again, it writes nothing more: each reminder has its key.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use jiff::{ToSpan as _, civil::Date};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    notice::{self, NewNotice},
    on, programme, setting,
    value::{day, day_number, moment, parsed},
};
use crate::domain::{
    borrower::BorrowerKind,
    notice::{Reason, Recipient},
    notice_schedule::{Calm, Step, due_step},
    paris,
    policy::Policy,
    programme::Programme,
    school_calendar::Zone,
};

/// Loans looked at in one unit of work.
const LOANS_AT_ONCE: i64 = 1_000;
/// A reminder may wait that long for a school day: its loan is looked at for so much longer.
const LONGEST_HOLIDAY: i64 = 90;
/// Where the day is kept for which everything was written.
const WRITTEN: &str = "notices_written";

/// Whether the reminders of `today` were written.
pub async fn is_written(tx: &mut Tx, today: Date) -> Result<bool, StoreError> {
    Ok(setting::get(tx, WRITTEN).await?.as_deref() == Some(&today.to_string()))
}

/// Remembers that the reminders of `today` were written.
pub async fn set_written(tx: &mut Tx, today: Date) -> Result<(), StoreError> {
    setting::set(tx, WRITTEN, &today.to_string()).await
}

/// The programmes that write to borrowers, closed ones among them: their loans still run.
pub async fn programmes(tx: &mut Tx) -> Result<Vec<Programme>, StoreError> {
    let mut all = programme::list(tx).await?;
    all.retain(|programme| !programme.notice_days.is_empty());
    Ok(all)
}

/// The place in a programme's loans, by due day, after which the next ones come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    due_day: i64,
    loan: Uuid,
}

/// What a run knows.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// The day.
    pub today: Date,
    /// The moment.
    pub now: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct RawLoan {
    id: Uuid,
    borrower_id: Uuid,
    site_id: Option<Uuid>,
    handed_over_at: i64,
    due_day: i64,
    kind: String,
    academic_zone: Option<String>,
}

/// Writes the reminders for some loans of `programme` after `after`; how many were new, and where to go on.
pub async fn write(
    tx: &mut Tx,
    run: Run<'_>,
    programme: &Programme,
    after: Option<Place>,
) -> Result<(u64, Option<Place>), StoreError> {
    let loans = candidates(tx, run, programme, after).await?;
    let more = i64::try_from(loans.len()).is_ok_and(|count| count == LOANS_AT_ONCE);
    let next = loans.last().filter(|_| more).map(|loan| Place { due_day: loan.due_day, loan: loan.id });
    let mut found: Vec<(RawLoan, Date, Step)> = Vec::new();
    for loan in loans {
        let zone: Option<Zone> =
            loan.academic_zone.as_deref().map(|zone| parsed("site.academic_zone", zone)).transpose()?;
        let due = day("loan.due_day", loan.due_day)?;
        let handed_over = paris::date(moment("loan.handed_over_at", loan.handed_over_at)?);
        let calm = Calm::new(run.policy, zone);
        if let Some(step) = due_step((handed_over, due), &programme.notice_days, run.today, &calm, run.policy) {
            found.push((loan, due, step));
        }
    }
    if found.is_empty() {
        return Ok((0, next));
    }
    let referents = referents(tx).await?;
    let mut notices = Vec::new();
    for (loan, due, step) in &found {
        let referents = loan.site_id.and_then(|site| referents.get(&site)).map_or(&[][..], Vec::as_slice);
        for recipient in recipients(loan, *step, referents)? {
            notices.push(NewNotice {
                recipient,
                site: loan.site_id,
                reason: Reason::LoanDue { loan: loan.id, due: *due, step: step.step },
                not_before: step.day,
                not_after: step.until,
            });
        }
    }
    Ok((notice::add_all(tx, &notices, run.now).await?, next))
}

/// Who is told: a person's family, and once it is overdue also the site's referents; for an institution the referents
/// alone, or itself where a site has none.
fn recipients(loan: &RawLoan, step: Step, referents: &[Uuid]) -> Result<Vec<Recipient>, StoreError> {
    let kind: BorrowerKind = parsed("borrower.kind", &loan.kind)?;
    let of_site = referents.iter().copied().map(Recipient::referent);
    let itself = Recipient::borrower(loan.borrower_id);
    Ok(match kind {
        BorrowerKind::Person if step.step > 0 => std::iter::once(itself).chain(of_site).collect(),
        BorrowerKind::Institution if !referents.is_empty() => of_site.collect(),
        BorrowerKind::Person | BorrowerKind::Institution => vec![itself],
    })
}

async fn candidates(
    tx: &mut Tx,
    run: Run<'_>,
    programme: &Programme,
    after: Option<Place>,
) -> Result<Vec<RawLoan>, StoreError> {
    let sql = "SELECT l.id, l.borrower_id, COALESCE(l.site_id, b.site_id) AS site_id, l.handed_over_at, l.due_day, \
               b.kind, s.academic_zone FROM loan l JOIN borrower b ON b.id = l.borrower_id \
               LEFT JOIN site s ON s.id = COALESCE(l.site_id, b.site_id) \
               WHERE l.programme_id = $1 AND l.state = 'handed_over' AND l.due_day BETWEEN $2 AND $3 \
               AND (l.due_day, l.id) > ($4, $5) ORDER BY l.due_day, l.id LIMIT $6";
    let steps = || programme.notice_days.iter().copied().map(i64::from);
    let (earliest, latest) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
    let reach = i64::from(run.policy.notices.catch_up_days) + LONGEST_HOLIDAY;
    let from = run.today.saturating_sub((latest + reach).days());
    let until = run.today.saturating_add(earliest.saturating_neg().days());
    let (due_day, loan) = after.map_or((i64::MIN, Uuid::nil()), |place| (place.due_day, place.loan));
    Ok(on!(tx, |c| {
        sqlx::query_as(sql)
            .bind(programme.id)
            .bind(day_number(from))
            .bind(day_number(until))
            .bind(due_day)
            .bind(loan)
            .bind(LOANS_AT_ONCE)
            .fetch_all(c)
            .await
    })?)
}

/// The referents of every site that has some.
async fn referents(tx: &mut Tx) -> Result<HashMap<Uuid, Vec<Uuid>>, StoreError> {
    let sql = "SELECT site_id, id FROM site_referent WHERE ended_at IS NULL ORDER BY site_id, id";
    let rows: Vec<(Uuid, Uuid)> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let mut referents: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (site, referent) in rows {
        referents.entry(site).or_default().push(referent);
    }
    Ok(referents)
}
