//! What is known of the devices of a batch before it is written: read once for all, by key.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::prepare::Prepared;
use crate::{
    domain::{
        clone::CloneFacts,
        device::DeviceStatus,
        facts::{ErasureFacts, LendingFacts, SilenceFacts},
        loan::LendingState,
    },
    store::{
        StoreError, Tx, cloned_key, erasure, flag, lending_facts,
        review::may_hold_what_was_left,
        rows::{Rows, Type},
        value::{moment, optional_moment, parsed},
    },
};

/// A device and the enrolment that speaks for it.
pub(super) type Key = (Uuid, Uuid);

pub(super) const fn key(one: &Prepared) -> Key {
    (one.device.0, one.enrolment.0)
}

/// What is known of a device before and while its check-in is written.
#[derive(Debug)]
pub(super) struct State {
    pub(super) status: DeviceStatus,
    pub(super) enrolment_serves: bool,
    /// Whether the key is set aside.
    pub(super) key_is_held: bool,
    pub(super) archived: bool,
    pub(super) created_at: UtcMillis,
    pub(super) enrolled_at: Option<UtcMillis>,
    pub(super) last_contact_day: Option<i64>,
    pub(super) open_flags: i64,
    pub(super) place: LendingState,
    /// Read only where a contact may tell something about the loan: see [`read_lending`].
    pub(super) lending: Option<LendingFacts>,
    /// Read only of devices that came back and bring a report.
    pub(super) erasure: Option<ErasureFacts>,
    /// Both read only of devices with flags that bring a report: one of them may be about this.
    pub(super) cloned: Option<CloneFacts>,
    pub(super) silence: Option<SilenceFacts>,
    pub(super) content_hash: Option<String>,
    /// Set when a report of this batch became current.
    pub(super) new_content_hash: Option<String>,
}

#[derive(sqlx::FromRow)]
struct RawState {
    device_id: Uuid,
    enrolment_id: Uuid,
    status: String,
    enrolment_status: Option<String>,
    archived_at: Option<i64>,
    created_at: i64,
    enrolled_at: Option<i64>,
    last_contact_day: Option<i64>,
    open_flags: i64,
    lending_state: String,
    content_hash: Option<String>,
}

impl State {
    fn read(raw: RawState) -> Result<(Key, Self), StoreError> {
        let state = Self {
            status: parsed("device.status", &raw.status)?,
            enrolment_serves: matches!(raw.enrolment_status.as_deref(), Some("active" | "quarantined")),
            key_is_held: raw.enrolment_status.as_deref() == Some("quarantined"),
            archived: raw.archived_at.is_some(),
            created_at: moment("device.created_at", raw.created_at)?,
            enrolled_at: optional_moment("device.enrolled_at", raw.enrolled_at)?,
            last_contact_day: raw.last_contact_day,
            open_flags: raw.open_flags,
            place: parsed("device.lending_state", &raw.lending_state)?,
            lending: None,
            erasure: None,
            cloned: None,
            silence: None,
            content_hash: raw.content_hash,
            new_content_hash: None,
        };
        Ok(((raw.device_id, raw.enrolment_id), state))
    }

    /// The gateway has read this too; it is read again here because a person may have changed it meanwhile.
    pub(super) const fn is_in_service(&self) -> bool {
        matches!(self.status, DeviceStatus::Active | DeviceStatus::Quarantined) && self.enrolment_serves
    }
}

impl State {
    /// Whether a contact alone may raise or clear a flag about the loan. A lent device without a flag has none that a
    /// contact clears; what is in stock is left to the sweep, so that nothing is read for it with each contact.
    const fn contact_tells(&self) -> bool {
        match self.place {
            LendingState::Lent => self.open_flags > 0,
            LendingState::Intake | LendingState::Lost | LendingState::Stolen | LendingState::Ceded => true,
            LendingState::InStock
            | LendingState::Reserved
            | LendingState::Refurbishment
            | LendingState::SetAside
            | LendingState::WrittenOff => false,
        }
    }
}

/// Reads the loans of the devices that bring reports, and of those whose contact may tell something about theirs.
pub(super) async fn read_lending(
    tx: &mut Tx,
    states: &mut HashMap<Key, State>,
    reporting: impl Fn(Uuid) -> bool,
) -> Result<(), StoreError> {
    let mut ids: Vec<Uuid> = states
        .iter()
        .filter(|((device, _), state)| state.contact_tells() || reporting(*device))
        .map(|((device, _), _)| *device)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let found = lending_facts::of_devices(tx, &ids).await?;
    let back = |((device, _), state): &(&Key, &mut State)| may_hold_what_was_left(state.place) && reporting(*device);
    let ids: Vec<Uuid> = states.iter_mut().filter(|one| back(one)).map(|((device, _), _)| *device).collect();
    let recorded = erasure::facts_of(tx, &ids).await?;
    for ((device, _), state) in states {
        state.lending = found.get(device).copied();
        state.erasure = recorded.get(device).cloned();
    }
    Ok(())
}

/// Reads what earlier contacts left behind, of the devices that bring reports and have flags.
pub(super) async fn read_standing(
    tx: &mut Tx,
    states: &mut HashMap<Key, State>,
    reporting: impl Fn(Uuid) -> bool,
) -> Result<(), StoreError> {
    let told = |((device, _), state): &(&Key, &mut State)| state.open_flags > 0 && reporting(*device);
    let mut ids: Vec<Uuid> = states.iter_mut().filter(|one| told(one)).map(|((device, _), _)| *device).collect();
    ids.sort_unstable();
    ids.dedup();
    let cloned = cloned_key::facts_of(tx, &ids).await?;
    let silences = flag::silences_of(tx, &ids).await?;
    for ((device, _), state) in states {
        state.cloned = cloned.get(device).copied();
        state.silence = silences.get(device).copied();
    }
    Ok(())
}

pub(super) async fn of_batch(tx: &mut Tx, batch: &[&Prepared]) -> Result<HashMap<Key, State>, StoreError> {
    let mut keys: Vec<Key> = batch.iter().map(|one| key(one)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut rows = Rows::new([("device_id", Type::Uuid), ("enrolment_id", Type::Uuid)]);
    for (device, enrolment) in keys {
        rows.push([device.into(), enrolment.into()]);
    }
    let sql = "SELECT r.device_id, r.enrolment_id, d.status, e.status AS enrolment_status, d.archived_at, \
               d.created_at, d.enrolled_at, d.last_contact_day, d.open_flags, d.lending_state, c.content_hash FROM {rows} \
               JOIN device d ON d.id = r.device_id \
               LEFT JOIN enrolment e ON e.id = r.enrolment_id AND e.device_id = r.device_id \
               LEFT JOIN contact c ON c.device_id = r.device_id";
    let raw: Vec<RawState> = rows.fetch(tx, sql).await?;
    raw.into_iter().map(State::read).collect()
}
