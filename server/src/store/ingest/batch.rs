//! One unit of work for many check-ins: a handful of statements, each for all of them.
//!
//! The order of writing is the same in every unit of work, so that server processes do not wait for each other in a
//! circle: locks of the devices that bring reports, reports, current states and history, devices, flags, contacts,
//! the totals, which everybody shares, and last what strangers leave behind (rare: [`Strangers`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::{
    IngestError, Receipt,
    prepare::Prepared,
    reports::Reports,
    state::{self, Key, State, key},
    stranger::Strangers,
    takeover::{judge, take_over},
};
use crate::{
    domain::policy::Policy,
    store::{
        StoreError, Tx,
        contact::{self, HOUR_MILLIS, Heard, Hour},
        counter::Deltas,
        description, device,
        judgement::{self, Considered, Judged},
    },
};

/// Writes `batch` and tells what to answer to each, once `tx` is committed.
pub(super) async fn write(
    tx: &mut Tx,
    policy: &Policy,
    batch: &[&Prepared],
) -> Result<Vec<Result<Receipt, IngestError>>, StoreError> {
    let reporting: BTreeSet<Uuid> =
        batch.iter().filter(|one| !one.reports.is_empty()).map(|one| one.device.0).collect();
    let reporting: Vec<Uuid> = reporting.into_iter().collect();
    device::lock(tx, reporting.iter().copied()).await?;
    let mut states = state::of_batch(tx, batch).await?;
    let recorded = description::of_devices(tx, &reporting).await?;
    let strangers = Strangers::find(tx, batch, &states, &recorded).await?;
    let mut admitted = strangers.others(batch);
    admitted.retain(|one| states.get(&key(one)).is_some_and(State::is_in_service));
    let reports = Reports::remember(tx, &admitted).await?;
    state::read_lending(tx, &mut states, |device| reports.fresh.contains_key(&device)).await?;
    state::read_standing(tx, &mut states, |device| reports.fresh.contains_key(&device)).await?;
    let mut heard = heard(&admitted);
    let mut judged = take_over(tx, policy, &reports, recorded, &mut states, &mut heard).await?;
    judge_contacts(policy, &heard, &states, &mut judged);
    description::record_days(tx, new_days(&heard, &states)).await?;
    let mut deltas = Deltas::default();
    judgement::apply_all(tx, judged.into_values().collect(), &mut deltas).await?;
    contact::record(tx, heard.values()).await?;
    contact::count(tx, hours(&admitted, &reports)).await?;
    deltas.apply(tx).await?;
    let answer = |(one, away): (&Prepared, bool)| {
        if away { Err(IngestError::KeyCloned) } else { reports.answer(one, states.get(&key(one))) }
    };
    let answers = strangers.told(batch).map(answer).collect();
    strangers.record(tx, policy).await?;
    Ok(answers)
}

/// What the batch says of each device, in the order of their identifiers.
pub(super) fn heard(admitted: &[&Prepared]) -> BTreeMap<Uuid, Heard> {
    let mut heard: BTreeMap<Uuid, Heard> = BTreeMap::new();
    for one in admitted {
        let place = heard.entry(one.device.0).or_insert_with(|| Heard {
            device: one.device.0,
            enrolment: one.enrolment.0,
            first_at: one.received_at,
            last_at: one.received_at,
            check_ins: 0,
            skew_millis: one.skew_millis,
            agent_version: one.agent_version.clone(),
            content_hash: None,
        });
        place.check_ins += 1;
        place.first_at = place.first_at.min(one.received_at);
        if one.received_at >= place.last_at {
            place.last_at = one.received_at;
            place.enrolment = one.enrolment.0;
            place.skew_millis = one.skew_millis;
            place.agent_version.clone_from(&one.agent_version);
        }
    }
    heard
}

/// Judges the devices that brought nothing new by the rules that need no report. Most have no flag and get none: they
/// are left out.
fn judge_contacts(
    policy: &Policy,
    heard: &BTreeMap<Uuid, Heard>,
    states: &HashMap<Key, State>,
    judged: &mut BTreeMap<Uuid, Judged>,
) {
    for one in heard.values().filter(|one| !judged.contains_key(&one.device)).collect::<Vec<_>>() {
        let Some(state) = states.get(&(one.device, one.enrolment)) else { continue };
        let considered = if state.lending.is_some() { Considered::Contact } else { Considered::ContactAlone };
        let found = judge(policy, state, one, None, None, considered);
        if state.open_flags > 0 || !found.findings.is_empty() {
            judged.insert(one.device, found);
        }
    }
}

fn new_days(heard: &BTreeMap<Uuid, Heard>, states: &HashMap<Key, State>) -> impl Iterator<Item = (Uuid, i64)> {
    heard.values().filter_map(|one| {
        let day = one.last_at.day_number();
        let known = states.get(&(one.device, one.enrolment)).and_then(|state| state.last_contact_day);
        known.is_none_or(|known| known < day).then_some((one.device, day))
    })
}

fn hours(admitted: &[&Prepared], reports: &Reports<'_>) -> impl Iterator<Item = Hour> + use<> {
    let mut hours: BTreeMap<i64, Hour> = BTreeMap::new();
    let mut add = |at: cartable_common::UtcMillis, check_ins: i64, reports: i64| {
        let hour = at.get() / HOUR_MILLIS;
        let place = hours.entry(hour).or_insert(Hour { hour, check_ins: 0, reports: 0 });
        place.check_ins += check_ins;
        place.reports += reports;
    };
    for one in admitted {
        add(one.received_at, 1, 0);
    }
    for fresh in reports.fresh.values().flatten() {
        add(fresh.received_at, 0, 1);
    }
    hours.into_values()
}
