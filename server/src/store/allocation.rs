//! Proposals of who gets which device: made from what waits and what is in stock, kept line by line, decided once.
//!
//! Adjusting is in `allocation_adjust`, approving in `allocation_approval`, reading lines in `allocation_line`.

use cartable_common::{DeviceId, UtcMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    need::reasons,
    on,
    page::{self, Cursor},
    rows::{Cell, Rows, Type},
    value::{from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::{
    allocation::{Asked, Given, InStock, Part, Proposal, SiteShare, Stock, propose as decide},
    policy::{AllocationPolicy, Policy},
    verdict::text_enum,
};

text_enum! {
    /// Where a proposal stands.
    pub enum AllocationState {
        /// Waits for a second person.
        Draft = "draft",
        /// Approved: its devices are reserved.
        Approved = "approved",
        /// Given up.
        Dropped = "dropped",
    }
}

text_enum! {
    /// Where a line of a proposal stands.
    pub enum LineState {
        /// A device is proposed.
        Proposed = "proposed",
        /// There is no device for it.
        Unmet = "unmet",
        /// Somebody took its device away, with a reason.
        Dropped = "dropped",
        /// Approved, and its device is reserved.
        Reserved = "reserved",
        /// Approved, but its device could no longer be reserved.
        Refused = "refused",
    }
}

/// A person as a proposal names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub id: Uuid,
    /// What others call it.
    pub name: String,
}

/// A proposal, without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationRow {
    /// Never given to another.
    pub id: Uuid,
    /// Where it stands.
    pub state: AllocationState,
    /// Only needs of this programme.
    pub programme: Option<Uuid>,
    /// Who proposed it.
    pub proposed_by: Who,
    /// When.
    pub proposed_at: UtcMillis,
    /// Who last changed a line.
    pub adjusted_by: Option<Who>,
    /// Who approved it or gave it up.
    pub decided_by: Option<Who>,
    /// When.
    pub decided_at: Option<UtcMillis>,
    /// What the stock was.
    pub stock: Stock,
    /// How many needs it had.
    pub needs: u32,
    /// How many of them had a device when it was proposed.
    pub given: u32,
}

/// What is kept beside the lines: what there was, and by which policy it was ranked.
#[derive(Debug, Serialize, Deserialize)]
struct Terms {
    stock: Stock,
    needs: u32,
    given: u32,
    policy: String,
}

/// What a line's explanation holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What the score is made of.
    pub parts: Vec<Part>,
    /// Whether it came early because each site is served a share first.
    pub by_floor: bool,
    /// Why this device.
    pub given: Option<Given>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    state: String,
    programme_id: Option<Uuid>,
    proposed_by: Uuid,
    proposer: String,
    proposed_at: i64,
    adjusted_by: Option<Uuid>,
    adjuster: Option<String>,
    decided_by: Option<Uuid>,
    decider: Option<String>,
    decided_at: Option<i64>,
    terms: String,
}

impl Raw {
    fn read(self) -> Result<AllocationRow, StoreError> {
        let terms: Terms = from_json("allocation.terms", &self.terms)?;
        let who = |id: Option<Uuid>, name: Option<String>| Some(Who { id: id?, name: name? });
        Ok(AllocationRow {
            id: self.id,
            state: parsed("allocation.state", &self.state)?,
            programme: self.programme_id,
            proposed_by: Who { id: self.proposed_by, name: self.proposer },
            proposed_at: moment("allocation.proposed_at", self.proposed_at)?,
            adjusted_by: who(self.adjusted_by, self.adjuster),
            decided_by: who(self.decided_by, self.decider),
            decided_at: optional_moment("allocation.decided_at", self.decided_at)?,
            stock: terms.stock,
            needs: terms.needs,
            given: terms.given,
        })
    }
}

const SELECT: &str = "SELECT a.id, a.state, a.programme_id, a.proposed_by, p.display_name AS proposer, a.proposed_at, \
     a.adjusted_by, j.display_name AS adjuster, a.decided_by, e.display_name AS decider, a.decided_at, a.terms \
     FROM allocation a JOIN person p ON p.id = a.proposed_by LEFT JOIN person j ON j.id = a.adjusted_by \
     LEFT JOIN person e ON e.id = a.decided_by WHERE 1 = 1";

/// Most proposals that are listed: those of a school year.
pub const LISTED: usize = 200;

/// The newest proposals, newest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<AllocationRow>, StoreError> {
    Ok(page(tx, None, LISTED).await?.0)
}

/// A page of all proposals, newest first, for what holds every one of them.
pub async fn page(
    tx: &mut Tx,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<(Vec<AllocationRow>, Option<Cursor>), StoreError> {
    let mut clause = Clause::new(SELECT);
    page::older(&mut clause, " AND (a.proposed_at, a.id) < (", after);
    clause.sql(" ORDER BY a.proposed_at DESC, a.id DESC LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let rows = clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read);
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    let next = page::cut(&mut rows, limit, |row| Cursor::newest(row.proposed_at, row.id));
    Ok((rows, next))
}

/// The proposal with that id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<AllocationRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" AND a.id = ").value(id);
    clause.rows::<Raw>(tx).await?.pop().map(Raw::read).transpose()
}

/// Whether this person may not approve it: nobody approves what they proposed, or changed a line of.
pub async fn is_own(tx: &mut Tx, row: &AllocationRow, person: Uuid) -> Result<bool, StoreError> {
    if row.proposed_by.id == person {
        return Ok(true);
    }
    let mut clause = Clause::new("SELECT count(*) FROM allocation_adjuster WHERE allocation_id = ");
    Ok(clause.value(row.id).sql(" AND person_id = ").value(person).number(tx).await? > 0)
}

/// Holds the proposal until this unit of work ends, and gives it as it then is.
pub(super) async fn locked(tx: &mut Tx, id: Uuid) -> Result<Option<AllocationRow>, StoreError> {
    if matches!(tx, Tx::Postgres(_)) {
        let sql = "SELECT id FROM allocation WHERE id = $1 FOR UPDATE";
        let _: Option<Uuid> = on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?;
    }
    find(tx, id).await
}

/// Proposes who gets which device, and keeps the proposal.
pub async fn propose(
    tx: &mut Tx,
    programme: Option<Uuid>,
    policy: &Policy,
    by: Uuid,
    now: UtcMillis,
) -> Result<Uuid, StoreError> {
    let needs = waiting(tx, programme).await?;
    let stock = in_stock(tx, None).await?;
    let proposal = decide(&needs, &stock, &policy.allocation);
    insert(tx, programme, &proposal, &policy.allocation, by, now).await
}

#[derive(sqlx::FromRow)]
struct RawNeed {
    id: Uuid,
    site_id: Uuid,
    programme_id: Uuid,
    reasons: String,
    entered_at: i64,
}

async fn waiting(tx: &mut Tx, programme: Option<Uuid>) -> Result<Vec<Asked>, StoreError> {
    let mut clause = Clause::new(
        "SELECT n.id, n.site_id, n.programme_id, n.reasons, n.entered_at FROM need n \
         JOIN programme p ON p.id = n.programme_id WHERE n.state = 'open' AND p.closed_at IS NULL",
    );
    if let Some(programme) = programme {
        clause.sql(" AND n.programme_id = ").value(programme);
    }
    let read = |raw: RawNeed| {
        Ok(Asked {
            need: raw.id,
            site: raw.site_id,
            programme: raw.programme_id,
            reasons: reasons(&raw.reasons)?,
            entered_at: moment("need.entered_at", raw.entered_at)?,
        })
    };
    clause.rows::<RawNeed>(tx).await?.into_iter().map(read).collect()
}

#[derive(sqlx::FromRow)]
struct RawStock {
    id: Uuid,
    site_id: Option<Uuid>,
    programme: Option<String>,
    programme_id: Option<Uuid>,
    grade: Option<String>,
    contact_expected: String,
    drive_verdict: Option<String>,
    battery: Option<i64>,
}

/// Devices in stock and in service: all, or those of `some`.
pub(super) async fn in_stock(tx: &mut Tx, some: Option<&[Uuid]>) -> Result<Vec<InStock>, StoreError> {
    const HEAD: &str = "SELECT d.id, d.site_id, d.programme, p.id AS programme_id, d.grade, d.contact_expected, \
        h.drive_verdict, (SELECT y.battery_health_percent FROM health_daily y WHERE y.device_id = d.id \
        AND y.battery_health_percent IS NOT NULL ORDER BY y.day DESC LIMIT 1) AS battery FROM device d \
        LEFT JOIN programme p ON p.code = upper(d.programme) LEFT JOIN health h ON h.device_id = d.id ";
    const REST: &str = "d.lending_state = 'in_stock' AND d.archived_at IS NULL \
        AND d.status NOT IN ('revoked', 'quarantined', 'released') AND NOT EXISTS (SELECT 1 FROM donation_line n \
        WHERE n.device_id = d.id AND n.state <> 'dropped')";
    let rows: Vec<RawStock> = match some {
        None => Clause::new(HEAD).sql("WHERE ").sql(REST).rows(tx).await?,
        Some(ids) => {
            // Not joined: SQLite would begin at the stock and read the ids anew for each of its devices.
            let sql = format!("{HEAD} WHERE d.id IN (SELECT r.id FROM {{rows}}) AND {REST}");
            Rows::of_ids(ids.iter().copied()).fetch(tx, &sql).await?
        }
    };
    let read = |raw: RawStock| {
        Ok(InStock {
            device: DeviceId(raw.id),
            site: raw.site_id,
            // A code that no programme has keeps its device from every need: nobody knows what it is for.
            programme: raw.programme.map(|_| raw.programme_id.unwrap_or_default()),
            grade: raw.grade.map(|grade| parsed("device.grade", &grade)).transpose()?,
            reports: raw.contact_expected == "agent",
            drive: raw.drive_verdict.map(|verdict| parsed("health.drive_verdict", &verdict)).transpose()?,
            battery: raw.battery.and_then(|percent| u32::try_from(percent).ok()),
        })
    };
    rows.into_iter().map(read).collect()
}

async fn insert(
    tx: &mut Tx,
    programme: Option<Uuid>,
    proposal: &Proposal,
    policy: &AllocationPolicy,
    by: Uuid,
    now: UtcMillis,
) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let terms = Terms {
        stock: proposal.stock.clone(),
        needs: count(proposal.lines.len()),
        given: count(proposal.lines.iter().filter(|line| line.outcome.is_ok()).count()),
        policy: format!("{policy:?}"),
    };
    let terms = to_json("allocation.terms", &terms)?;
    let sql = "INSERT INTO allocation (id, state, programme_id, proposed_by, proposed_at, terms) \
               VALUES ($1, 'draft', $2, $3, $4, $5)";
    on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(programme).bind(by).bind(now.get()).bind(terms).execute(c).await.map(drop)
    })?;
    let mut rows = Rows::new([
        ("allocation_id", Type::Uuid),
        ("rank", Type::Int),
        ("need_id", Type::Uuid),
        ("site_id", Type::Uuid),
        ("state", Type::Text),
        ("score", Type::Int),
        ("explanation", Type::Text),
        ("device_id", Type::Uuid),
        ("cause", Type::Text),
    ]);
    for line in &proposal.lines {
        let given = line.outcome.ok();
        let explanation = Explanation { parts: line.parts.clone(), by_floor: line.by_floor, given };
        let state = if given.is_some() { LineState::Proposed } else { LineState::Unmet };
        rows.push([
            id.into(),
            i64::from(line.rank).into(),
            line.need.into(),
            line.site.into(),
            state.as_str().into(),
            i64::from(line.score).into(),
            to_json("allocation_line.explanation", &explanation)?.into(),
            given.map_or(Cell::Null, |given| given.device.0.into()),
            line.outcome.err().map_or(Cell::Null, |cause| cause.as_str().into()),
        ]);
    }
    let sql = "INSERT INTO allocation_line (allocation_id, rank, need_id, site_id, state, score, explanation, \
               device_id, cause) SELECT r.allocation_id, r.rank, r.need_id, r.site_id, r.state, r.score, \
               r.explanation, r.device_id, r.cause FROM {rows}";
    rows.execute(tx, sql).await?;
    Ok(id)
}

#[derive(sqlx::FromRow)]
struct RawShare {
    site_id: Uuid,
    needs: i64,
    met: i64,
    score: i64,
}

/// How a proposal, as it is now, treats each site.
pub async fn fairness(tx: &mut Tx, id: Uuid) -> Result<Vec<SiteShare>, StoreError> {
    let mut clause = Clause::new(
        "SELECT site_id, count(*) AS needs, \
         sum(CASE WHEN state IN ('proposed', 'reserved') THEN 1 ELSE 0 END) AS met, \
         CAST(sum(score) AS BIGINT) AS score FROM allocation_line WHERE allocation_id = ",
    );
    clause.value(id).sql(" GROUP BY site_id ORDER BY site_id");
    let whole = |number: i64| u32::try_from(number).unwrap_or_default();
    let share = |raw: RawShare| {
        SiteShare::of(raw.site_id, whole(raw.needs), whole(raw.met), u64::try_from(raw.score).unwrap_or_default())
    };
    Ok(clause.rows::<RawShare>(tx).await?.into_iter().map(share).collect())
}

/// Gives a proposal up. False when it is no draft.
pub async fn drop_proposal(tx: &mut Tx, id: Uuid, by: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE allocation SET state = 'dropped', decided_by = $2, decided_at = $3 \
               WHERE id = $1 AND state = 'draft'";
    let rows = on!(tx, |c| {
        sqlx::query(sql).bind(id).bind(by).bind(now.get()).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}
