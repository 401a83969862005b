//! Makes the newest reports current, with all that follows: history, description, figures, and a judgement by all rules.

use std::collections::{BTreeMap, HashMap};

use cartable_common::{DeviceId, report::HealthReport};
use uuid::Uuid;

use super::{
    current::{Fresh, succession},
    reports::Reports,
    state::{Key, State},
};
use crate::{
    domain::{
        drive::{self, history::Level},
        erasure::gap::SeenDrive,
        facts::{Baseline, DeviceFacts, HealthFacts},
        policy::Policy,
        rules::{evaluate, unanswered},
    },
    store::{
        StoreError, Tx,
        contact::Heard,
        description::{self, Description},
        drive_seen,
        health::{self, NewHealth, RawHealth},
        history::{self, NewChange, NewDay},
        judgement::{Considered, Judged},
        value::moment,
    },
};

/// What there is to write about the devices that brought new reports.
#[derive(Debug, Default)]
struct Outcome<'a> {
    current: Vec<NewHealth<'a>>,
    changes: Vec<NewChange>,
    drives: Vec<(DeviceId, SeenDrive)>,
    learned: Vec<Description>,
    judged: BTreeMap<Uuid, Judged>,
}

/// Writes what the new reports lead to, notes new content hashes in `states` and `heard`, and returns the judgements.
/// `recorded` describes the devices that brought reports.
pub(super) async fn take_over(
    tx: &mut Tx,
    policy: &Policy,
    reports: &Reports<'_>,
    recorded: Vec<Description>,
    states: &mut HashMap<Key, State>,
    heard: &mut BTreeMap<Uuid, Heard>,
) -> Result<BTreeMap<Uuid, Judged>, StoreError> {
    let devices: Vec<Uuid> = reports.fresh.keys().copied().collect();
    let before = health::of_devices(tx, &devices).await?;
    let before: HashMap<Uuid, RawHealth> = before.into_iter().map(|one| (one.device_id, one)).collect();
    let since = heard.values().map(|one| one.last_at).max().unwrap_or_default();
    let mut past = history::drive_levels(tx, &devices, since.plus_days(-history::days_looked_at(policy))).await?;
    let mut outcome = Outcome::default();
    for description in recorded {
        let id = description.id;
        let (Some(fresh), Some(heard)) = (reports.fresh.get(&id), heard.get_mut(&id)) else { continue };
        let Some(state) = states.get_mut(&(id, heard.enrolment)) else { continue };
        let before = Before { health: before.get(&id), past: past.remove(&id).unwrap_or_default() };
        outcome.follow(policy, fresh, before, description, state, heard)?;
    }
    health::set_current(tx, &outcome.current).await?;
    history::add_changes(tx, outcome.changes).await?;
    drive_seen::keep(tx, outcome.drives).await?;
    history::add_days(tx, days(reports)).await?;
    description::record(tx, outcome.learned).await?;
    Ok(outcome.judged)
}

/// What was stored of a device before its new reports.
struct Before<'b> {
    health: Option<&'b RawHealth>,
    /// What its drives counted.
    past: Vec<Level>,
}

impl<'a> Outcome<'a> {
    /// Works out what the new reports of one device lead to.
    fn follow(
        &mut self,
        policy: &Policy,
        fresh: &[Fresh<'a>],
        before: Before<'_>,
        mut description: Description,
        state: &mut State,
        heard: &mut Heard,
    ) -> Result<(), StoreError> {
        let unlearned = description.clone();
        if let Some(first) = fresh.iter().min_by_key(|one| one.report.sequence) {
            description.first_seen(first.enrolment, first.report.sequence, &first.report.report)?;
        }
        let Before { health: before, mut past } = before;
        let found = succession(before, fresh.to_vec())?;
        past.extend(found.changes.iter().flat_map(NewChange::levels));
        self.changes.extend(found.changes);
        self.drives.extend(found.drives);
        if let Some(newest) = found.current {
            description.learn(&newest.report.report.hardware);
            let facts = HealthFacts {
                report: &newest.report.report,
                measured_at: newest.report.measured_at,
                received_at: newest.received_at,
                past: &past,
            };
            let drive_verdict = drive::worst(facts.report, &past, facts.history_until(), policy);
            self.current.push(NewHealth { drive_verdict, ..newest.health() });
            let hash = newest.report.content_hash.to_string();
            heard.content_hash = Some(hash.clone());
            state.new_content_hash = Some(hash);
        }
        if found.current.is_some() || description != unlearned {
            let stored = if found.current.is_some() { None } else { before.map(RawHealth::report).transpose()? };
            let health = match (&found.current, before, &stored) {
                (Some(newest), _, _) => Some(HealthFacts {
                    report: &newest.report.report,
                    measured_at: newest.report.measured_at,
                    received_at: newest.received_at,
                    past: &past,
                }),
                (None, Some(before), Some(report)) => Some(of_stored(before, report, &past)?),
                _ => None,
            };
            let judged = judge(policy, state, heard, health, description.baseline()?.as_ref(), Considered::All);
            self.judged.insert(heard.device, judged);
        }
        if description != unlearned {
            self.learned.push(description);
        }
        Ok(())
    }
}

fn of_stored<'a>(
    before: &RawHealth,
    report: &'a HealthReport,
    past: &'a [Level],
) -> Result<HealthFacts<'a>, StoreError> {
    Ok(HealthFacts {
        report,
        measured_at: moment("health.measured_at", before.measured_at)?,
        received_at: moment("health.received_at", before.received_at)?,
        past,
    })
}

/// Judges a device that has just been heard of.
pub(super) fn judge(
    policy: &Policy,
    state: &State,
    heard: &Heard,
    health: Option<HealthFacts<'_>>,
    baseline: Option<&Baseline>,
    considered: Considered,
) -> Judged {
    let facts = DeviceFacts {
        status: state.status,
        archived: state.archived,
        created_at: state.created_at,
        enrolled_at: state.enrolled_at,
        last_contact: Some(heard.last_at),
        skew_millis: Some(heard.skew_millis),
        agent_version: Some(&heard.agent_version),
        // Only silence asks for the zone, and this device is not silent.
        zone: None,
        health,
        baseline,
        lending: state.lending,
        erasure: state.erasure.as_ref(),
        cloned: state.cloned,
        silence: state.silence,
    };
    let findings = considered.filter(evaluate(&facts, policy, heard.last_at));
    let unanswered = unanswered(&facts, policy, heard.last_at);
    Judged { device: heard.device, findings, unanswered, considered, at: heard.last_at }
}

/// The figures of the days that new reports speak of; of several on a day, the last measured.
fn days<'a>(reports: &Reports<'a>) -> impl Iterator<Item = NewDay> + use<'a> {
    let mut days: BTreeMap<(Uuid, i64), Fresh<'a>> = BTreeMap::new();
    for fresh in reports.fresh.values().flatten() {
        let place = days.entry((fresh.device, fresh.report.estimated_at.day_number())).or_insert(*fresh);
        if fresh.report.estimated_at >= place.report.estimated_at {
            *place = *fresh;
        }
    }
    days.into_values().map(|fresh| NewDay {
        device: fresh.device,
        measured_at: fresh.report.estimated_at,
        figures: fresh.report.figures,
    })
}
