//! Makes the open flags of devices say what rules found: raises, updates and clears them.
//!
//! The unit of work that changes a device's flags also changes the copies that lists use (`device.worst_severity`,
//! `device.open_flags`) and the totals, holding the device's lock, so that they agree at every moment.

use std::collections::HashMap;

use cartable_common::{DeviceId, UtcMillis};
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    counter::{Counter, Deltas},
    device,
    flag::severity,
    rows::{Cell, Rows, Type},
    value::{parsed, to_json},
    webhook,
};
use crate::domain::{
    flag::{Finding, FlagCode, Severity},
    rules::Unanswered,
    webhook::EventKind,
};

/// Which rules were considered: the flags of others are left as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Considered {
    /// All.
    All,
    /// Those that need no report: of contacts and clocks, and of loans.
    Contact,
    /// The same, and those of what earlier contacts left behind: silences that ended, machines that showed a device's key.
    Standing,
    /// Those of contacts and clocks, where the loan was not read.
    ContactAlone,
}

/// Whether the rule looks at the loan and at contacts, not at the report.
const fn joins_loan_and_contact(code: FlagCode) -> bool {
    matches!(
        code,
        FlagCode::LoanDueSoon
            | FlagCode::LoanOverdue
            | FlagCode::OverdueAlive
            | FlagCode::OverdueSilent
            | FlagCode::ReturnedInUse
            | FlagCode::StockInUse
            | FlagCode::MissingCheckedIn
            | FlagCode::CededReporting
            | FlagCode::BorrowerLeft
            | FlagCode::WarrantyEnding
            | FlagCode::StageOverdue
            | FlagCode::PartToOrder
            | FlagCode::ReadyUnassigned
    )
}

impl Considered {
    const fn covers(self, code: FlagCode) -> bool {
        match self {
            Self::All => true,
            Self::Contact => Self::ContactAlone.covers(code) || joins_loan_and_contact(code),
            Self::Standing => {
                Self::Contact.covers(code) || matches!(code, FlagCode::BackAgain | FlagCode::IdentityCloned)
            }
            Self::ContactAlone => matches!(
                code,
                FlagCode::Silent | FlagCode::NeverEnrolled | FlagCode::ClockWrong | FlagCode::AgentOutdated
            ),
        }
    }

    /// The findings of the rules considered.
    pub(crate) fn filter(self, mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.retain(|finding| self.covers(finding.code));
        findings
    }
}

/// What rules found about one device.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) device: Uuid,
    pub(crate) findings: Vec<Finding>,
    /// What did not answer: some flags stay without a finding.
    pub(crate) unanswered: Unanswered,
    pub(crate) considered: Considered,
    /// When: what is raised now stands since then.
    pub(crate) at: UtcMillis,
}

/// An open flag, as far as comparing with findings needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) id: Uuid,
    pub(crate) device: Uuid,
    pub(crate) code: FlagCode,
    pub(crate) subject: String,
    pub(crate) severity: Severity,
    evidence: String,
}

#[derive(sqlx::FromRow)]
struct RawOpen {
    id: Uuid,
    device_id: Uuid,
    code: String,
    subject: String,
    severity: i64,
    evidence: String,
}

/// The open flags of some devices.
pub(crate) async fn open_of_devices(tx: &mut Tx, devices: &[Uuid]) -> Result<Vec<Open>, StoreError> {
    let sql = "SELECT f.id, f.device_id, f.code, f.subject, f.severity, f.evidence \
               FROM {rows} JOIN flag f ON f.device_id = r.id WHERE f.cleared_at IS NULL";
    let raw: Vec<RawOpen> = Rows::of_ids(devices.iter().copied()).fetch(tx, sql).await?;
    raw.into_iter()
        .map(|raw| {
            Ok(Open {
                id: raw.id,
                device: raw.device_id,
                code: parsed("flag.code", &raw.code)?,
                subject: raw.subject,
                severity: severity(raw.severity)?,
                evidence: raw.evidence,
            })
        })
        .collect()
}

/// What to write so that a device's open flags say what was found.
#[derive(Debug, Default)]
struct Difference {
    raise: Vec<Finding>,
    update: Vec<(Uuid, Severity, Finding)>,
    clear: Vec<(Uuid, FlagCode)>,
    /// Open flags and the worst severity, once written.
    open: i64,
    worst: i64,
    at: i64,
}

impl Difference {
    const fn is_empty(&self) -> bool {
        self.raise.is_empty() && self.update.is_empty() && self.clear.is_empty()
    }

    fn between(open: &[Open], judged: &Judged) -> Result<Self, StoreError> {
        let mut difference = Self { at: judged.at.get(), ..Self::default() };
        let mut wanted: HashMap<(FlagCode, &str), &Finding> = HashMap::new();
        for finding in &judged.findings {
            // Two findings of one rule about one part: the worse one stands.
            let place = wanted.entry((finding.code, finding.subject.as_str())).or_insert(finding);
            if finding.severity > place.severity {
                *place = finding;
            }
        }
        let kept = judged.unanswered.kept(open.iter().map(|flag| (flag.code, flag.subject.as_str())));
        let mut standing: Vec<Severity> = Vec::new();
        for flag in open {
            if !judged.considered.covers(flag.code) {
                standing.push(flag.severity);
            } else if let Some(finding) = wanted.remove(&(flag.code, flag.subject.as_str())) {
                standing.push(finding.severity);
                let same_words = || Ok::<_, StoreError>(evidence(finding)? == flag.evidence);
                // A clock that is wrong by another second with each check-in is no news.
                let news = judged.considered == Considered::All && !same_words()?;
                if finding.severity != flag.severity || news {
                    difference.update.push((flag.id, flag.severity, finding.clone()));
                }
            } else if kept.contains(&(flag.code, flag.subject.as_str())) {
                standing.push(flag.severity);
            } else {
                difference.clear.push((flag.id, flag.code));
            }
        }
        let mut raise: Vec<&Finding> = wanted.into_values().collect();
        raise.sort_by(|a, b| (a.code, &a.subject).cmp(&(b.code, &b.subject)));
        standing.extend(raise.iter().map(|finding| finding.severity));
        difference.raise = raise.into_iter().cloned().collect();
        difference.open = i64::try_from(standing.len()).unwrap_or(i64::MAX);
        difference.worst = standing.into_iter().max().map_or(0, i64::from);
        Ok(difference)
    }
}

fn evidence(finding: &Finding) -> Result<String, StoreError> {
    to_json("flag.evidence", &finding.evidence)
}

/// How many flags were raised and cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Raised.
    pub raised: usize,
    /// Cleared.
    pub cleared: usize,
}

/// Makes the open flags of one device say what all rules found, with its copies and totals.
pub async fn apply(tx: &mut Tx, id: DeviceId, findings: Vec<Finding>, now: UtcMillis) -> Result<Applied, StoreError> {
    let mut deltas = Deltas::default();
    let unanswered = Unanswered::default();
    let judged = Judged { device: id.0, findings, unanswered, considered: Considered::All, at: now };
    let applied = apply_all(tx, vec![judged], &mut deltas).await?;
    deltas.apply(tx).await?;
    Ok(applied)
}

/// Makes the open flags of some devices (each once) say what rules found. Totals are left in `deltas` for the end of
/// the unit of work.
pub(crate) async fn apply_all(tx: &mut Tx, judged: Vec<Judged>, deltas: &mut Deltas) -> Result<Applied, StoreError> {
    // Most devices need nothing: they are told apart without holding anything, and compared again under the lock.
    let changing = differences(tx, judged.iter()).await?;
    if changing.is_empty() {
        return Ok(Applied::default());
    }
    let judged: Vec<&Judged> = judged.iter().filter(|one| changing.contains_key(&one.device)).collect();
    device::lock(tx, judged.iter().map(|one| one.device)).await?;
    let changing = match tx {
        Tx::Sqlite(_) => changing,
        Tx::Postgres(_) => differences(tx, judged.into_iter()).await?,
    };
    write(tx, &changing).await?;
    announce(tx, &changing).await?;
    recount(tx, &changing, deltas).await?;
    Ok(Applied {
        raised: changing.values().map(|one| one.raise.len()).sum(),
        cleared: changing.values().map(|one| one.clear.len()).sum(),
    })
}

/// The devices among `judged` whose flags would change.
pub(crate) async fn changing(tx: &mut Tx, judged: &[Judged]) -> Result<Vec<Uuid>, StoreError> {
    Ok(differences(tx, judged.iter()).await?.into_keys().collect())
}

async fn differences<'a>(
    tx: &mut Tx,
    judged: impl Iterator<Item = &'a Judged> + Clone,
) -> Result<HashMap<Uuid, Difference>, StoreError> {
    let ids: Vec<Uuid> = judged.clone().map(|one| one.device).collect();
    let mut open: HashMap<Uuid, Vec<Open>> = HashMap::new();
    for flag in open_of_devices(tx, &ids).await? {
        open.entry(flag.device).or_default().push(flag);
    }
    let mut differences = HashMap::new();
    for one in judged {
        let difference = Difference::between(open.get(&one.device).map_or(&[], Vec::as_slice), one)?;
        if !difference.is_empty() {
            differences.insert(one.device, difference);
        }
    }
    Ok(differences)
}

async fn write(tx: &mut Tx, changing: &HashMap<Uuid, Difference>) -> Result<(), StoreError> {
    let mut raised = Rows::new([
        ("id", Type::Uuid),
        ("device_id", Type::Uuid),
        ("code", Type::Text),
        ("subject", Type::Text),
        ("severity", Type::Int),
        ("evidence", Type::Text),
        ("at", Type::Int),
    ]);
    let mut updated =
        Rows::new([("id", Type::Uuid), ("severity", Type::Int), ("evidence", Type::Text), ("at", Type::Int)]);
    let mut cleared = Rows::new([("id", Type::Uuid), ("at", Type::Int)]);
    for (device, difference) in changing {
        let at = difference.at;
        for finding in &difference.raise {
            raised.push([
                Uuid::new_v4().into(),
                (*device).into(),
                finding.code.as_str().into(),
                finding.subject.as_str().into(),
                i64::from(finding.severity).into(),
                evidence(finding)?.into(),
                at.into(),
            ]);
        }
        for (id, _, finding) in &difference.update {
            updated.push([(*id).into(), i64::from(finding.severity).into(), evidence(finding)?.into(), at.into()]);
        }
        for (id, _) in &difference.clear {
            cleared.push([(*id).into(), at.into()]);
        }
    }
    // Cleared first: the same rule may speak of another part of the device now.
    cleared.execute(tx, "UPDATE flag SET cleared_at = r.at FROM {rows} WHERE flag.id = r.id").await?;
    let sql = "UPDATE flag SET severity = r.severity, evidence = r.evidence, updated_at = r.at, \
               acknowledged_at = CASE WHEN r.severity > flag.severity THEN NULL ELSE acknowledged_at END, \
               snoozed_until = CASE WHEN r.severity > flag.severity THEN NULL ELSE snoozed_until END \
               FROM {rows} WHERE flag.id = r.id";
    updated.execute(tx, sql).await?;
    let sql = "INSERT INTO flag (id, device_id, code, subject, severity, since, evidence, updated_at) \
               SELECT id, device_id, code, subject, severity, at, evidence, at FROM {rows}";
    raised.execute(tx, sql).await?;
    Ok(())
}

/// Tells whoever asked for it what was raised and cleared.
async fn announce(tx: &mut Tx, changing: &HashMap<Uuid, Difference>) -> Result<(), StoreError> {
    let latest = changing.values().map(|one| one.at).max().and_then(UtcMillis::new).unwrap_or_default();
    webhook::tell(tx, latest, || {
        let mut events = Vec::new();
        for (device, one) in changing {
            let at = UtcMillis::new(one.at).unwrap_or_default();
            let event = |kind, data| webhook::Event { kind, at, data };
            events.extend(one.raise.iter().map(|finding| {
                let (code, severity) = (finding.code.as_str(), finding.severity.as_str());
                event(EventKind::FlagRaised, json!({ "device": device, "code": code, "severity": severity }))
            }));
            events.extend(one.clear.iter().map(|(id, code)| {
                event(EventKind::FlagCleared, json!({ "device": device, "flag": id, "code": code.as_str() }))
            }));
        }
        events
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Copies {
    id: Uuid,
    site_id: Option<Uuid>,
    worst_severity: i64,
}

/// Brings the copies in `device` up to date, and notes what that does to the totals.
async fn recount(tx: &mut Tx, changing: &HashMap<Uuid, Difference>, deltas: &mut Deltas) -> Result<(), StoreError> {
    let sql = "SELECT d.id, d.site_id, d.worst_severity FROM {rows} JOIN device d ON d.id = r.id";
    let before: Vec<Copies> = Rows::of_ids(changing.keys().copied()).fetch(tx, sql).await?;
    let mut rows = Rows::new([("id", Type::Uuid), ("open", Type::Int), ("worst", Type::Int)]);
    for device in before {
        let Some(difference) = changing.get(&device.id) else { continue };
        deltas.severity(device.worst_severity, difference.worst, device.site_id);
        for finding in &difference.raise {
            deltas.add(Counter::Flag(finding.code), device.site_id, 1);
        }
        for (_, code) in &difference.clear {
            deltas.add(Counter::Flag(*code), device.site_id, -1);
        }
        rows.push([Cell::from(device.id), difference.open.into(), difference.worst.into()]);
    }
    let sql = "UPDATE device SET open_flags = r.open, worst_severity = r.worst FROM {rows} WHERE device.id = r.id \
               AND (open_flags <> r.open OR worst_severity <> r.worst)";
    rows.execute(tx, sql).await?;
    Ok(())
}
