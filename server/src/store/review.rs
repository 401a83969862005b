//! Judges devices by what is stored of them: after a change by staff, and in sweeps, where time alone changes things.
//!
//! Ingest judges by what has just arrived; both end in `judgement::apply_all`.

use std::collections::HashMap;

use cartable_common::{DeviceId, UtcMillis, report::HealthReport};
use uuid::Uuid;

use super::{
    StoreError, Tx, cloned_key,
    counter::Deltas,
    device, erasure, flag, history,
    judgement::{self, Considered, Judged},
    lending_facts::{self, RawLending},
    rows::Rows,
    value::{from_json, moment, optional_moment, parsed},
    work_wanting,
};
use crate::domain::{
    clone::CloneFacts,
    device::DeviceStatus,
    drive::history::Level,
    facts::{Baseline, DeviceFacts, ErasureFacts, HealthFacts, LendingFacts, SilenceFacts, Zone},
    forecast::Kinds,
    loan::LendingState,
    policy::Policy,
    rules::{evaluate, unanswered},
};

/// Whether the erasure of a device's drives is asked about while it is there: what its last borrower left may be on them.
pub(super) const fn may_hold_what_was_left(state: LendingState) -> bool {
    matches!(state, LendingState::Intake | LendingState::InStock)
}

/// What is stored of one device, as far as rules ask.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) id: Uuid,
    status: DeviceStatus,
    archived: bool,
    created_at: UtcMillis,
    enrolled_at: Option<UtcMillis>,
    last_contact: Option<UtcMillis>,
    skew_millis: Option<i64>,
    agent_version: Option<String>,
    zone: Option<Zone>,
    lending: LendingFacts,
    baseline: Option<Baseline>,
    health: Option<(HealthReport, UtcMillis, UtcMillis)>,
    past: Vec<Level>,
    /// Read only of devices that came back.
    erasure: Option<ErasureFacts>,
    cloned: Option<CloneFacts>,
    silence: Option<SilenceFacts>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    status: String,
    archived_at: Option<i64>,
    created_at: i64,
    enrolled_at: Option<i64>,
    academic_zone: Option<String>,
    last_at: Option<i64>,
    skew_millis: Option<i64>,
    agent_version: Option<String>,
    baseline: Option<String>,
    report: Option<String>,
    measured_at: Option<i64>,
    received_at: Option<i64>,
    #[sqlx(flatten)]
    lending: RawLending,
}

impl Raw {
    fn read(self, lacking: &HashMap<Uuid, Kinds>) -> Result<Stored, StoreError> {
        let health = match (self.report, self.measured_at, self.received_at) {
            (Some(report), Some(measured), Some(received)) => Some((
                from_json("health.report", &report)?,
                moment("health.measured_at", measured)?,
                moment("health.received_at", received)?,
            )),
            _ => None,
        };
        Ok(Stored {
            id: self.id,
            status: parsed("device.status", &self.status)?,
            archived: self.archived_at.is_some(),
            created_at: moment("device.created_at", self.created_at)?,
            enrolled_at: optional_moment("device.enrolled_at", self.enrolled_at)?,
            last_contact: optional_moment("contact.last_at", self.last_at)?,
            skew_millis: self.skew_millis,
            agent_version: self.agent_version,
            zone: self.academic_zone.map(|zone| parsed("site.academic_zone", &zone)).transpose()?,
            lending: self.lending.read(lacking)?,
            baseline: self.baseline.map(|json| from_json("device.baseline", &json)).transpose()?,
            health,
            past: Vec::new(),
            erasure: None,
            cloned: None,
            silence: None,
        })
    }
}

impl Stored {
    /// Judges the device; only the codes of `considered` are meant to be used.
    pub(crate) fn judge(&self, considered: Considered, policy: &Policy, now: UtcMillis) -> Judged {
        let facts = DeviceFacts {
            status: self.status,
            archived: self.archived,
            created_at: self.created_at,
            enrolled_at: self.enrolled_at,
            last_contact: self.last_contact,
            skew_millis: self.skew_millis,
            agent_version: self.agent_version.as_deref(),
            zone: self.zone,
            health: self.health.as_ref().map(|(report, measured_at, received_at)| HealthFacts {
                report,
                measured_at: *measured_at,
                received_at: *received_at,
                past: &self.past,
            }),
            baseline: self.baseline.as_ref(),
            lending: Some(self.lending),
            erasure: self.erasure.as_ref(),
            cloned: self.cloned,
            silence: self.silence,
        };
        let findings = considered.filter(evaluate(&facts, policy, now));
        Judged { device: self.id, findings, unanswered: unanswered(&facts, policy, now), considered, at: now }
    }
}

const COLUMNS: &str = "d.id, d.status, d.archived_at, d.created_at, d.enrolled_at, s.academic_zone, c.last_at, \
     c.skew_millis, c.agent_version";
const WITH_HEALTH: &str = "d.baseline, h.report, h.measured_at, h.received_at";
const WITHOUT_HEALTH: &str = "NULL AS baseline, NULL AS report, CAST(NULL AS BIGINT) AS measured_at, \
     CAST(NULL AS BIGINT) AS received_at";

/// What is stored of some devices; the report and baseline only where all rules are considered.
pub(crate) async fn stored(
    tx: &mut Tx,
    ids: &[Uuid],
    considered: Considered,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Stored>, StoreError> {
    let (health, join) = match considered {
        Considered::All => (WITH_HEALTH, "LEFT JOIN health h ON h.device_id = d.id"),
        Considered::Standing | Considered::Contact | Considered::ContactAlone => (WITHOUT_HEALTH, ""),
    };
    let sql = format!(
        "SELECT {COLUMNS}, {health}, {lent} FROM {{rows}} JOIN device d ON d.id = r.id \
         LEFT JOIN site s ON s.id = d.site_id LEFT JOIN contact c ON c.device_id = d.id {join} {loan}",
        lent = lending_facts::COLUMNS,
        loan = lending_facts::JOIN,
    );
    let raw: Vec<Raw> = Rows::of_ids(ids.iter().copied()).fetch(tx, &sql).await?;
    let lacking = work_wanting::lacking(tx, raw.iter().filter_map(|raw| raw.lending.wanting_order())).await?;
    let mut found: Vec<Stored> = raw.into_iter().map(|raw| raw.read(&lacking)).collect::<Result<_, _>>()?;
    if considered == Considered::All {
        let since = now.plus_days(-history::days_looked_at(policy));
        let mut past = history::drive_levels(tx, ids, since).await?;
        let back = |one: &&Stored| may_hold_what_was_left(one.lending.state);
        let returned: Vec<Uuid> = found.iter().filter(back).map(|one| one.id).collect();
        let mut recorded = erasure::facts_of(tx, &returned).await?;
        for one in &mut found {
            one.past = past.remove(&one.id).unwrap_or_default();
            one.erasure = recorded.remove(&one.id);
        }
    }
    if matches!(considered, Considered::All | Considered::Standing) {
        let cloned = cloned_key::facts_of(tx, ids).await?;
        let silences = flag::silences_of(tx, ids).await?;
        for one in &mut found {
            one.cloned = cloned.get(&one.id).copied();
            one.silence = silences.get(&one.id).copied();
        }
    }
    Ok(found)
}

/// Judges one device anew and writes what follows.
pub async fn device(tx: &mut Tx, id: DeviceId, policy: &Policy, now: UtcMillis) -> Result<(), StoreError> {
    devices(tx, &[id.0], Considered::All, policy, now).await.map(drop)
}

/// Judges some devices anew and writes what follows; tells how many flags were raised and cleared.
pub(crate) async fn devices(
    tx: &mut Tx,
    ids: &[Uuid],
    considered: Considered,
    policy: &Policy,
    now: UtcMillis,
) -> Result<judgement::Applied, StoreError> {
    device::lock(tx, ids.iter().copied()).await?;
    let judged =
        stored(tx, ids, considered, policy, now).await?.iter().map(|one| one.judge(considered, policy, now)).collect();
    let mut deltas = Deltas::default();
    let applied = judgement::apply_all(tx, judged, &mut deltas).await?;
    deltas.apply(tx).await?;
    Ok(applied)
}
