//! Check-ins from machines that are not the one their key is bound to. They are turned away whole: nothing they measured
//! enters the device's state or history, and nothing is acknowledged, so that their agents keep it.
//!
//! An unchanged check-in carries a hash alone. A clone's hash is not what the server holds, so its agent sends the whole
//! report within the same contact; under a key that is known to be cloned, a hash that is not held is enough to be turned
//! away.

use std::collections::{BTreeSet, HashMap};

use cartable_common::{
    DeviceId, EnrolmentId, UtcMillis,
    machine::{Likeness, is_named},
    report::Hardware,
};
use uuid::Uuid;

use super::{
    prepare::{Prepared, PreparedReport},
    state::{Key, State, key},
};
use crate::{
    domain::{clone::whose, policy::Policy},
    store::{
        StoreError, Tx,
        cloned_key::{self, Stranger, Through},
        description::Description,
        judgement::Considered,
        report, review,
    },
};

/// The check-ins of a batch that are turned away.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// For each check-in of the batch, in its order.
    turned_away: Vec<bool>,
    /// Who they are, as far as they said.
    seen: Vec<Stranger>,
}

impl Strangers {
    /// Finds them. Reads nothing unless a report names another machine than the device's record does, or a key is set
    /// aside.
    pub(super) async fn find(
        tx: &mut Tx,
        batch: &[&Prepared],
        states: &HashMap<Key, State>,
        recorded: &[Description],
    ) -> Result<Self, StoreError> {
        let held = batch.iter().filter(|one| states.get(&key(one)).is_some_and(|state| state.key_is_held));
        let held: Vec<Uuid> = held.map(|one| one.enrolment.0).collect();
        let cloned = cloned_key::of_enrolments(tx, &held).await?;
        let mut bound: HashMap<Uuid, Vec<Hardware>> =
            recorded.iter().map(|one| (one.id, vec![one.hardware()])).collect();
        let mut found = Self::default();
        for one in batch {
            let state = states.get(&key(one)).filter(|state| state.is_in_service());
            let is_cloned = cloned.contains(&one.enrolment.0);
            let away = match state {
                None => false,
                Some(state) if one.reports.is_empty() => is_cloned && !is_held(one, state),
                Some(_) => {
                    let known = bound.entry(one.device.0).or_default();
                    found.comes_from_another(tx, one, known, is_cloned).await?
                }
            };
            found.turned_away.push(away);
        }
        Ok(found)
    }

    /// Whether the reports of `one` come from another machine. Under a cloned key they must say that they do not. The first
    /// that does is enough: however many machines a check-in invents, one is written down.
    async fn comes_from_another(
        &mut self,
        tx: &mut Tx,
        one: &Prepared,
        bound: &mut Vec<Hardware>,
        is_cloned: bool,
    ) -> Result<bool, StoreError> {
        let mut away = false;
        for report in &one.reports {
            let hardware = &report.report.hardware;
            let mut likeness = whose(bound, hardware);
            if likeness == Likeness::Other && is_of_before(tx, one, report).await? {
                likeness = Likeness::Same;
            }
            match likeness {
                Likeness::Unknown if is_cloned => away = true,
                // The first report of a machine that was unknown until now binds those after it in this batch.
                Likeness::Unknown if is_named(hardware) => bound.push(hardware.clone()),
                Likeness::Same | Likeness::Unknown => {}
                Likeness::Other => {
                    self.note(one, hardware);
                    return Ok(true);
                }
            }
        }
        Ok(away)
    }

    fn note(&mut self, one: &Prepared, hardware: &Hardware) {
        let (enrolment, device, at) = (one.enrolment, one.device, one.received_at);
        let stranger = Stranger { enrolment, device, hardware: hardware.clone(), through: Through::CheckIn, at };
        let again = |known: &Stranger| (known.enrolment, &known.hardware) == (stranger.enrolment, &stranger.hardware);
        if !self.seen.iter().any(again) {
            self.seen.push(stranger);
        }
    }

    /// The check-ins that are not turned away.
    pub(super) fn others<'a>(&self, batch: &[&'a Prepared]) -> Vec<&'a Prepared> {
        batch.iter().zip(&self.turned_away).filter(|(_, away)| !**away).map(|(one, _)| *one).collect()
    }

    /// Each check-in, and whether it is turned away.
    pub(super) fn told<'a>(&self, batch: &[&'a Prepared]) -> impl Iterator<Item = (&'a Prepared, bool)> {
        batch.iter().copied().zip(self.turned_away.iter().copied())
    }

    /// Writes down who came, sets their keys aside, judges the devices of which there is news and says so in the audit: last
    /// in the unit of work.
    pub(super) async fn record(self, tx: &mut Tx, policy: &Policy) -> Result<(), StoreError> {
        let mut held: Vec<(EnrolmentId, DeviceId, UtcMillis)> = Vec::new();
        let mut devices: BTreeSet<Uuid> = BTreeSet::new();
        for stranger in &self.seen {
            let noted = cloned_key::seen(tx, stranger, policy).await?;
            if noted.held {
                held.push((stranger.enrolment, stranger.device, stranger.at));
            }
            if noted.held || noted.is_news {
                devices.insert(stranger.device.0);
            }
        }
        let devices: Vec<Uuid> = devices.into_iter().collect();
        let latest = self.seen.iter().map(|stranger| stranger.at).max();
        let Some(now) = latest.filter(|_| !devices.is_empty()) else { return Ok(()) };
        review::devices(tx, &devices, Considered::All, policy, now).await?;
        for (enrolment, device, at) in held {
            tracing::warn!(%device, %enrolment, "another machine shows this device's key: the key is set aside");
            cloned_key::tell(tx, enrolment, device, at).await?;
        }
        Ok(())
    }
}

/// Whether a report that does not fit the record is the device's all the same: staff may have corrected the record, and what
/// the device showed last is the device too; and a repeat of what is stored is no news, whatever became of the record since.
async fn is_of_before(tx: &mut Tx, one: &Prepared, report: &PreparedReport) -> Result<bool, StoreError> {
    if cloned_key::whose_of_device(tx, one.device, &report.report.hardware).await? == Likeness::Same {
        return Ok(true);
    }
    let stored = report::stored(tx, std::iter::once((one.device.0, report.id.0))).await?;
    Ok(stored.iter().any(|known| known.body_hash == report.body_hash.to_string()))
}

/// Whether it says that it has the content which is held for the device.
fn is_held(one: &Prepared, state: &State) -> bool {
    one.content_hash.is_some_and(|said| state.content_hash.as_deref() == Some(said.to_string().as_str()))
}
