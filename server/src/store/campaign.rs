//! Return campaigns: planned, started with a place and a letter for each loan, followed by what happens to the loans,
//! closed. Progress is read from counters that the same units of work keep.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    campaign_count::{Deltas, shift},
    campaign_letter::{self, Addressee, place_of},
    clause::Clause,
    device,
    notice::{self, NewNotice},
    on,
    page::{self, Cursor},
    rows::{Rows, Type},
    site,
    value::{day, day_number, from_json, moment, parsed, to_json},
};
use crate::domain::{
    borrower::Level,
    campaign::{CampaignState, Choice, Desks, Held, ReturnState, Slot, assign, days},
    loan::{Loan, LoanStateName},
    paris,
    policy::Policy,
    scope::Scope,
};

/// A campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Never given to another.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Which loans it takes back.
    pub choice: Choice,
    /// The first day on which devices come back.
    pub first: Date,
    /// The last one.
    pub last: Date,
    /// At each site that has none of its own.
    pub desks: Desks,
    /// Who planned it.
    pub created_by: String,
    /// When.
    pub created_at: UtcMillis,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    name: String,
    state: String,
    choice: String,
    first_day: i64,
    last_day: i64,
    desks: i64,
    slots: i64,
    created_by: String,
    created_at: i64,
}

fn whole(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

impl Raw {
    fn read(self) -> Result<Campaign, StoreError> {
        Ok(Campaign {
            id: self.id,
            name: self.name,
            state: parsed("campaign.state", &self.state)?,
            choice: from_json("campaign.choice", &self.choice)?,
            first: day("campaign.first_day", self.first_day)?,
            last: day("campaign.last_day", self.last_day)?,
            desks: Desks { desks: whole(self.desks), slots: whole(self.slots) },
            created_by: self.created_by,
            created_at: moment("campaign.created_at", self.created_at)?,
        })
    }
}

const SELECT: &str = "SELECT id, name, state, choice, first_day, last_day, desks, slots, created_by, created_at \
     FROM campaign WHERE 1 = 1";

/// Most campaigns that are listed.
const LISTED: usize = 200;

/// Plans a campaign. Its state is planned, whatever it says.
pub async fn insert(tx: &mut Tx, campaign: &Campaign) -> Result<(), StoreError> {
    let sql = "INSERT INTO campaign (id, name, state, choice, first_day, last_day, desks, slots, created_by, created_at) \
               VALUES ($1, $2, 'planned', $3, $4, $5, $6, $7, $8, $9)";
    let choice = to_json("campaign.choice", &campaign.choice)?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(campaign.id)
            .bind(&campaign.name)
            .bind(choice)
            .bind(day_number(campaign.first))
            .bind(day_number(campaign.last))
            .bind(i64::from(campaign.desks.desks))
            .bind(i64::from(campaign.desks.slots))
            .bind(&campaign.created_by)
            .bind(campaign.created_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The newest campaigns, newest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<Campaign>, StoreError> {
    Ok(page(tx, None, LISTED).await?.0)
}

/// A page of all campaigns, newest first, for what holds every one of them.
pub async fn page(
    tx: &mut Tx,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<(Vec<Campaign>, Option<Cursor>), StoreError> {
    let mut clause = Clause::new(SELECT);
    page::older(&mut clause, " AND (created_at, id) < (", after);
    clause.sql(" ORDER BY created_at DESC, id DESC LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read);
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    let next = page::cut(&mut rows, limit, |row| Cursor::newest(row.created_at, row.id));
    Ok((rows, next))
}

/// The campaign with that id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Campaign>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" AND id = ").value(id);
    clause.rows::<Raw>(tx).await?.pop().map(Raw::read).transpose()
}

/// Holds a planned campaign against a start until this unit of work ends. False when it is not planned any more.
pub(super) async fn hold_planned(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    // An update of nothing.
    let sql = "UPDATE campaign SET name = name WHERE id = $1 AND state = 'planned'";
    let held = on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(held > 0)
}

/// Gives one site desks of its own. False when the campaign is not planned any more.
pub async fn set_desks(tx: &mut Tx, id: Uuid, site: Uuid, desks: Desks) -> Result<bool, StoreError> {
    if !hold_planned(tx, id).await? {
        return Ok(false);
    }
    let sql = "INSERT INTO campaign_desk (campaign_id, site_id, desks, slots) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (campaign_id, site_id) DO UPDATE SET desks = excluded.desks, slots = excluded.slots";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(site)
            .bind(i64::from(desks.desks))
            .bind(i64::from(desks.slots))
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(true)
}

/// Why a campaign does not start. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartRefused {
    /// It runs already, or is over.
    #[error("the campaign is not planned any more")]
    NotPlanned,
    /// Nothing is lent that it would take back, or other campaigns expect all of it.
    #[error("no loan is chosen that no other running campaign expects")]
    NoLoans,
    /// Its window is over: nobody could come.
    #[error("the campaign's last day is past: plan other days first")]
    Past,
    /// A site has too few places.
    #[error("{site} lacks {missing} places in the window")]
    TooFew {
        /// The site's name.
        site: String,
        /// How many places.
        missing: usize,
    },
}

/// Why starting failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot start as it is.
    #[error(transparent)]
    Refused(#[from] StartRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Starts a campaign: each chosen loan gets its place, and its borrower a letter. A loan that another running campaign
/// expects stays with that one: nobody is given two appointments for one device. Gives the number of loans.
pub async fn start(tx: &mut Tx, id: Uuid, policy: &Policy, now: UtcMillis) -> Result<usize, StartError> {
    let sql = "UPDATE campaign SET state = 'running', started_at = $2, letters = 1, written_day = $3 \
               WHERE id = $1 AND state = 'planned'";
    let today = day_number(paris::date(now));
    let rows = on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(now.get()).bind(today).execute(c).await.map(|done| done.rows_affected())
    })
    .map_err(StoreError::from)?;
    let campaign = find(tx, id).await?.filter(|_| rows == 1).ok_or(StartRefused::NotPlanned)?;
    if campaign.last < paris::date(now) {
        return Err(StartRefused::Past.into());
    }
    let mut by_site: BTreeMap<Uuid, Vec<Held>> = BTreeMap::new();
    for held in held_loans(tx, &campaign).await? {
        by_site.entry(held.site).or_default().push(held);
    }
    if by_site.is_empty() {
        return Err(StartRefused::NoLoans.into());
    }
    let (placed, names) = place(tx, &campaign, by_site, policy).await?;
    write(tx, &campaign, &placed).await?;
    let name = |held: &Held| names.get(&held.site).map_or("", String::as_str);
    let letters: Vec<NewNotice> =
        placed.iter().map(|(held, slot)| letter(&campaign, (held, name(held)), *slot, now)).collect();
    notice::add_all(tx, &letters, now).await?;
    Ok(placed.len())
}

async fn place(
    tx: &mut Tx,
    campaign: &Campaign,
    by_site: BTreeMap<Uuid, Vec<Held>>,
    policy: &Policy,
) -> Result<(Vec<(Held, Slot)>, BTreeMap<Uuid, String>), StartError> {
    let own = own_desks(tx, campaign.id).await?;
    let (mut placed, mut names) = (Vec::new(), BTreeMap::new());
    for (id, held) in by_site {
        let Some(site) = site::find(tx, &Scope::Everything, id).await? else { continue };
        let desks = own.get(&id).copied().unwrap_or(campaign.desks);
        let window = days(campaign.first, campaign.last, site.zone, &policy.calendar.closures);
        let here = assign(held, &window, desks);
        placed.extend(here.map_err(|missing| StartRefused::TooFew { site: site.name.clone(), missing })?);
        names.insert(id, site.name);
    }
    Ok((placed, names))
}

/// The sites with desks of their own.
pub async fn own_desks(tx: &mut Tx, id: Uuid) -> Result<BTreeMap<Uuid, Desks>, StoreError> {
    let mut clause = Clause::new("SELECT site_id, desks, slots FROM campaign_desk WHERE campaign_id = ");
    let rows: Vec<(Uuid, i64, i64)> = clause.value(id).rows(tx).await?;
    Ok(rows
        .into_iter()
        .map(|(site, desks, slots)| (site, Desks { desks: whole(desks), slots: whole(slots) }))
        .collect())
}

#[derive(sqlx::FromRow)]
struct RawHeld {
    id: Uuid,
    device_id: Uuid,
    borrower_id: Uuid,
    reference: String,
    programme_id: Uuid,
    site_id: Uuid,
    level: Option<String>,
    left_site_day: Option<i64>,
}

/// The loans that the campaign takes back, their devices held until the unit of work ends: a return beside it on
/// PostgreSQL is either seen here or follows the campaign that has begun.
async fn held_loans(tx: &mut Tx, campaign: &Campaign) -> Result<Vec<Held>, StoreError> {
    let chosen = |loans: Vec<(Uuid, Held)>| loans.into_iter().filter(|(_, held)| campaign.choice.takes(held));
    let devices: BTreeSet<Uuid> = chosen(open_loans(tx).await?).map(|(device, _)| device).collect();
    device::lock(tx, devices.iter().copied()).await?;
    // Handed over since the first look: not held, so not of this campaign.
    let still = chosen(open_loans(tx).await?).filter(|(device, _)| devices.contains(device));
    Ok(still.map(|(_, held)| held).collect())
}

/// Every loan that is with its borrower, that a site answers for and that no campaign expects, with its device.
async fn open_loans(tx: &mut Tx) -> Result<Vec<(Uuid, Held)>, StoreError> {
    let clause = Clause::new(
        "SELECT l.id, l.device_id, l.borrower_id, b.reference, l.programme_id, COALESCE(l.site_id, b.site_id) AS site_id, b.level, \
         b.left_site_day FROM loan l JOIN borrower b ON b.id = l.borrower_id \
         WHERE l.ended_at IS NULL AND l.state = 'handed_over' AND COALESCE(l.site_id, b.site_id) IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM campaign_loan p JOIN campaign c ON c.id = p.campaign_id \
         WHERE p.loan_id = l.id AND p.state = 'expected' AND c.state = 'running')",
    );
    let read = |raw: RawHeld| {
        let held = Held {
            loan: raw.id,
            borrower: raw.borrower_id,
            reference: raw.reference,
            programme: raw.programme_id,
            site: raw.site_id,
            level: raw.level.map(|level| parsed::<Level>("borrower.level", &level)).transpose()?,
            left_site: raw.left_site_day.is_some(),
        };
        Ok((raw.device_id, held))
    };
    clause.rows::<RawHeld>(tx).await?.into_iter().map(read).collect()
}

async fn write(tx: &mut Tx, campaign: &Campaign, placed: &[(Held, Slot)]) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("campaign_id", Type::Uuid),
        ("loan_id", Type::Uuid),
        ("site_id", Type::Uuid),
        ("day", Type::Int),
        ("desk", Type::Int),
        ("slot", Type::Int),
    ]);
    for (held, slot) in placed {
        rows.push([
            campaign.id.into(),
            held.loan.into(),
            held.site.into(),
            day_number(slot.day).into(),
            i64::from(slot.desk).into(),
            i64::from(slot.slot).into(),
        ]);
    }
    let sql = "INSERT INTO campaign_loan (campaign_id, loan_id, site_id, state, day, desk, slot) \
               SELECT r.campaign_id, r.loan_id, r.site_id, 'expected', r.day, r.desk, r.slot FROM {rows}";
    rows.execute(tx, sql).await?;
    let sql = "INSERT INTO campaign_count (campaign_id, site_id, day, expected, returned, excused, ended) \
               SELECT campaign_id, site_id, day, count(*), 0, 0, 0 FROM campaign_loan WHERE campaign_id = $1 \
               GROUP BY campaign_id, site_id, day";
    on!(tx, |c| sqlx::query(sql).bind(campaign.id).execute(c).await.map(drop))?;
    Ok(())
}

/// The first letter: where and when.
fn letter(campaign: &Campaign, (held, site): (&Held, &str), slot: Slot, now: UtcMillis) -> NewNotice {
    let to = Addressee { borrower: held.borrower, site: held.site, loan: held.loan };
    let place = place_of(site, slot.desk, slot.slot);
    campaign_letter::letter(campaign, 1, &to, (slot.day, place), paris::date(now))
}

/// Closes a campaign. False when it does not run.
pub async fn close(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE campaign SET state = 'closed', closed_at = $2 WHERE id = $1 AND state = 'running'";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

#[derive(sqlx::FromRow)]
pub(super) struct RawPlace {
    pub(super) campaign_id: Uuid,
    pub(super) site_id: Uuid,
    pub(super) state: String,
    pub(super) day: i64,
}

/// Follows a loan that came to another state, in every campaign that runs. The loan's device is held.
pub(crate) async fn follow(tx: &mut Tx, loan: &Loan, now: UtcMillis) -> Result<(), StoreError> {
    let name = loan.state.name();
    if matches!(name, LoanStateName::Reserved | LoanStateName::Cancelled) {
        return Ok(());
    }
    let mut clause = Clause::new(
        "SELECT l.campaign_id, l.site_id, l.state, l.day FROM campaign_loan l JOIN campaign c ON c.id = l.campaign_id \
         WHERE c.state = 'running' AND l.loan_id = ",
    );
    for place in clause.value(loan.id).rows::<RawPlace>(tx).await? {
        let before: ReturnState = parsed("campaign_loan.state", &place.state)?;
        let Some(after) = before.after(name) else { continue };
        let sql = "UPDATE campaign_loan SET state = $3, changed_at = $4 WHERE campaign_id = $1 AND loan_id = $2";
        let changed_at = (after != ReturnState::Expected).then_some(now.get());
        on!(tx, |c| {
            sqlx::query(sql)
                .bind(place.campaign_id)
                .bind(loan.id)
                .bind(after.as_str())
                .bind(changed_at)
                .execute(c)
                .await
                .map(drop)
        })?;
        shift(tx, (place.campaign_id, place.site_id, place.day), Deltas::of(before, after)).await?;
    }
    Ok(())
}
