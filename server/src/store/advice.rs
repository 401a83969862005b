//! What devices should become: read anew for one device, kept for lists and counts.
//!
//! The kept rows are brought up to date by the flag sweep, some minutes after a report at most, and each names the
//! version of the policy under which it was decided.

use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    StoreError, Tx, history, on,
    rows::{Rows, Type},
    value::{day, from_json, moment, optional_moment, parsed, to_json},
};
use crate::domain::{
    disposition::{Advice, Disposition, advise, is_advised},
    drive::{self, history::Level},
    facts::HealthFacts,
    fitness::{BatteryRead, Day, Facts, facts::Machine},
    flag::FlagCode,
    grade::Grade,
    policy::Policy,
    verdict::Verdict,
};

/// Where a device is while something is to be advised about it.
pub(super) const ADVISED: &str =
    "d.archived_at IS NULL AND d.lending_state IN ('in_stock', 'reserved', 'lent', 'intake', 'refurbishment')";
/// The order that a device is on the bench with: it has one at most.
const ON_THE_BENCH: &str = "LEFT JOIN work_order w ON w.device_id = d.id AND w.stage <> 'closed'";
/// What staff found of it: on the bench, or when it was last graded.
const GRADE: &str = "COALESCE(w.grade, w.supported_grade, d.grade)";
/// What the desk noted at the last return, until somebody looked at the device since: at the bench, or to put it in stock.
const RETURNED: &str = "CASE WHEN d.lending_state IN ('intake', 'refurbishment') THEN (SELECT CASE \
    WHEN EXISTS (SELECT 1 FROM loan_event e WHERE e.loan_id = l.id AND e.kind = 'stocked') \
    OR EXISTS (SELECT 1 FROM work_order o JOIN work_inspection i ON i.order_id = o.id \
    WHERE o.device_id = d.id AND i.at >= l.ended_at) THEN NULL ELSE l.condition END \
    FROM loan l WHERE l.device_id = d.id AND l.state = 'returned' ORDER BY l.ended_at DESC, l.id DESC LIMIT 1) END";
/// The worst open flag about its drives: of the two codes, the first in the alphabet.
const DRIVE_FLAG: &str = "(SELECT MIN(f.code) FROM flag f WHERE f.device_id = d.id AND f.cleared_at IS NULL \
    AND f.code IN ('drive_failing', 'drive_worn'))";

/// What of a device an advice looked at, besides its report.
fn seen() -> String {
    format!(
        "d.lending_state || ':' || COALESCE({GRADE}, '') || ':' || COALESCE({RETURNED}, '') \
         || CASE WHEN w.battery_swollen = 1 THEN ':swollen' ELSE '' END"
    )
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    created_at: i64,
    warranty_until: Option<i64>,
    lending_state: String,
    grade: Option<String>,
    archived_at: Option<i64>,
    returned: Option<String>,
    swollen: i64,
    drive_flag: Option<String>,
    seen: String,
    report: Option<String>,
    measured_at: Option<i64>,
    received_at: Option<i64>,
    confirmed_at: Option<i64>,
}

impl Raw {
    fn read(self, past: &[Level], policy: &Policy) -> Result<Read, StoreError> {
        let machine = self.machine(past, policy)?;
        // Of a machine that never spoke, a swollen battery is a fault that staff saw.
        let grade = if self.swollen != 0 && machine.is_none() {
            Some(Grade::D)
        } else {
            self.grade.map(|grade| parsed("device.grade", &grade)).transpose()?
        };
        let facts = Facts {
            recorded_at: moment("device.created_at", self.created_at)?,
            warranty_until: self
                .warranty_until
                .map(|number| day("device.warranty_until", number).map(Day))
                .transpose()?,
            lending: parsed("device.lending_state", &self.lending_state)?,
            grade,
            returned: self.returned.map(|condition| parsed("loan.condition", &condition)).transpose()?,
            machine,
        };
        Ok(Read { id: self.id, in_service: self.archived_at.is_none(), seen: self.seen, facts })
    }

    fn machine(&self, past: &[Level], policy: &Policy) -> Result<Option<Machine>, StoreError> {
        let (Some(report), Some(measured), Some(received)) = (&self.report, self.measured_at, self.received_at) else {
            return Ok(None);
        };
        let report = from_json("health.report", report)?;
        let health = HealthFacts {
            report: &report,
            measured_at: moment("health.measured_at", measured)?,
            received_at: moment("health.received_at", received)?,
            past,
        };
        let mut machine = Machine::of(&health, policy);
        // A check-in that changed nothing says that what was measured still holds.
        let confirmed = optional_moment("contact.last_at", self.confirmed_at)?;
        machine.evidence_at = confirmed.map_or(machine.evidence_at, |at| at.max(machine.evidence_at));
        // A drive that stopped answering is what its flag says, as long as that stands.
        if let Some(code) = &self.drive_flag {
            let code: FlagCode = parsed("flag.code", code)?;
            let stands = if code == FlagCode::DriveFailing { Verdict::Failing } else { Verdict::Worn };
            let mut drives = report.drives.iter();
            if drives.any(|one| drive::is_unread(one, past, health.history_until(), policy)) {
                machine.drives = machine.drives.worse(stands);
            }
        }
        if self.swollen != 0 {
            machine.battery = BatteryRead::Swollen;
        }
        Ok(Some(machine))
    }
}

struct Read {
    id: Uuid,
    in_service: bool,
    seen: String,
    facts: Facts,
}

async fn read(tx: &mut Tx, ids: &[Uuid], policy: &Policy, now: UtcMillis) -> Result<Vec<Read>, StoreError> {
    let seen = seen();
    let sql = format!(
        "SELECT d.id, d.created_at, d.warranty_until, d.lending_state, {GRADE} AS grade, d.archived_at, {seen} AS seen, \
         {RETURNED} AS returned, COALESCE(w.battery_swollen, 0) AS swollen, {DRIVE_FLAG} AS drive_flag, \
         h.report, h.measured_at, h.received_at, CASE WHEN c.content_hash = h.content_hash THEN c.last_at END \
         AS confirmed_at FROM {{rows}} JOIN device d ON d.id = r.id {ON_THE_BENCH} \
         LEFT JOIN health h ON h.device_id = d.id LEFT JOIN contact c ON c.device_id = d.id"
    );
    let raw: Vec<Raw> = Rows::of_ids(ids.iter().copied()).fetch(tx, &sql).await?;
    let past = history::drive_levels(tx, ids, now.plus_days(-history::days_looked_at(policy))).await?;
    let of = |id: &Uuid| past.get(id).map_or(&[][..], Vec::as_slice);
    raw.into_iter()
        .map(|raw| {
            let past = of(&raw.id);
            raw.read(past, policy)
        })
        .collect()
}

/// The advice about one device, from what is stored now; none for what is gone or archived. The caller has applied the
/// scope.
pub async fn of_device(
    tx: &mut Tx,
    id: DeviceId,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Option<Advice>, StoreError> {
    let found = read(tx, &[id.0], policy, now).await?.into_iter().next();
    Ok(found.filter(|one| one.in_service && is_advised(one.facts.lending)).map(|one| advise(&one.facts, policy, now)))
}

/// Devices after `after` whose kept advice is older than their evidence, the policy or the day; at most `limit`.
pub async fn stale(
    tx: &mut Tx,
    after: Uuid,
    policy: &Policy,
    now: UtcMillis,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let seen = seen();
    // By id, as the limit asks: by an index of the state, each part would sort the whole fleet anew.
    let advised = ADVISED.replace("d.lending_state", "(d.lending_state || '')");
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT d.id FROM device d {ON_THE_BENCH} LEFT JOIN advice a ON a.device_id = d.id \
         LEFT JOIN health h ON h.device_id = d.id WHERE d.id > $1 AND {advised} AND (a.device_id IS NULL \
         OR a.policy_version <> $2 OR a.decided_at < $3 OR a.seen <> {seen} OR h.received_at > a.decided_at) ORDER BY d.id LIMIT $4"
    ));
    let (version, today) = (policy.version(), now.day_number() * UtcMillis::DAY);
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(after).bind(version).bind(today).bind(limit).fetch_all(c).await)?)
}

/// Keeps the settings by which something is decided at `now`, if they are new; their version.
pub async fn note_version(tx: &mut Tx, policy: &Policy, now: UtcMillis) -> Result<String, StoreError> {
    let version = policy.version();
    let sql = "INSERT INTO policy_version (version, settings, first_used_at) VALUES ($1, $2, $3) \
               ON CONFLICT (version) DO NOTHING";
    let settings = policy.decisive();
    on!(tx, |c| sqlx::query(sql).bind(version.clone()).bind(settings).bind(now.get()).execute(c).await.map(drop))?;
    Ok(version)
}

/// Decides anew about these devices and keeps it; how many now have another disposition than before, or their first.
pub async fn decide(tx: &mut Tx, ids: &[Uuid], policy: &Policy, now: UtcMillis) -> Result<usize, StoreError> {
    let read = read(tx, ids, policy, now).await?;
    if read.is_empty() {
        return Ok(0);
    }
    let version = note_version(tx, policy, now).await?;
    let sql = "SELECT a.device_id, a.disposition FROM {rows} JOIN advice a ON a.device_id = r.id";
    let before: Vec<(Uuid, String)> = Rows::of_ids(ids.iter().copied()).fetch(tx, sql).await?;
    let mut changed = 0;
    let mut rows = Rows::new([
        ("device_id", Type::Uuid),
        ("disposition", Type::Text),
        ("confidence", Type::Text),
        ("cost_euros", Type::Int),
        ("value_euros", Type::Int),
        ("months_left", Type::Int),
        ("evidence_at", Type::Int),
        ("at", Type::Int),
        ("policy_version", Type::Text),
        ("seen", Type::Text),
        ("facts", Type::Text),
    ]);
    for one in read {
        let advice = advise(&one.facts, policy, now);
        let disposition = advice.disposition.as_str();
        changed += usize::from(!before.iter().any(|(id, was)| *id == one.id && was == disposition));
        rows.push([
            one.id.into(),
            disposition.into(),
            advice.confidence.as_str().into(),
            i64::from(advice.cost.euros).into(),
            i64::from(advice.value_euros).into(),
            i64::from(advice.remaining.months).into(),
            advice.evidence_at.map(UtcMillis::get).into(),
            now.get().into(),
            version.as_str().into(),
            one.seen.into(),
            to_json("advice.facts", &one.facts)?.into(),
        ]);
    }
    let sql = "INSERT INTO advice (device_id, disposition, confidence, cost_euros, value_euros, months_left, \
               evidence_at, since, decided_at, policy_version, seen, facts) SELECT device_id, disposition, confidence, \
               cost_euros, value_euros, months_left, evidence_at, at, at, policy_version, seen, facts FROM {rows} \
               WHERE true ON CONFLICT (device_id) DO UPDATE SET since = CASE WHEN advice.disposition = \
               excluded.disposition THEN advice.since ELSE excluded.since END, disposition = excluded.disposition, \
               confidence = excluded.confidence, cost_euros = excluded.cost_euros, value_euros = excluded.value_euros, \
               months_left = excluded.months_left, evidence_at = excluded.evidence_at, decided_at = excluded.decided_at, \
               policy_version = excluded.policy_version, seen = excluded.seen, facts = excluded.facts";
    rows.execute(tx, sql).await?;
    Ok(changed)
}

/// The kept decision about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it should become.
    pub disposition: Disposition,
    /// Since when.
    pub since: UtcMillis,
    /// When it was last decided.
    pub decided_at: UtcMillis,
    /// Under which version of the policy.
    pub policy_version: String,
}

/// The kept decision about a device; none before the first sweep. The caller has applied the scope.
pub async fn kept(tx: &mut Tx, id: DeviceId) -> Result<Option<Kept>, StoreError> {
    let sql = "SELECT disposition, since, decided_at, policy_version FROM advice WHERE device_id = $1";
    let row: Option<(String, i64, i64, String)> = on!(tx, |c| sqlx::query_as(sql).bind(id.0).fetch_optional(c).await)?;
    row.map(|(disposition, since, decided_at, policy_version)| {
        Ok(Kept {
            disposition: parsed("advice.disposition", &disposition)?,
            since: moment("advice.since", since)?,
            decided_at: moment("advice.decided_at", decided_at)?,
            policy_version,
        })
    })
    .transpose()
}

/// The settings of a version and when it was first used.
pub async fn policy_version(tx: &mut Tx, version: &str) -> Result<Option<(String, UtcMillis)>, StoreError> {
    let sql = "SELECT settings, first_used_at FROM policy_version WHERE version = $1";
    let row: Option<(String, i64)> = on!(tx, |c| sqlx::query_as(sql).bind(version.to_owned()).fetch_optional(c).await)?;
    row.map(|(settings, at)| Ok((settings, moment("policy_version.first_used_at", at)?))).transpose()
}
