//! What a person says to requests to be let in: many in one unit of work, each with its row in the audit.
//!
//! A request that somebody else decided meanwhile is told and left alone, and so is one whose effect is another than the
//! preview showed.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::{DeviceId, EnrolmentId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    approval_queue::{self, Asking},
    audit::{self, NewAudit},
    device, enrolment,
    judgement::Considered,
    lending::Clerk,
    newcomer::{self, Newcomer},
    recovery, review,
};
use crate::domain::{
    approval::{Effect, Hindrance, LIFTED, MOST_AT_ONCE, Ruling, Source, WaitsFor},
    device::DeviceStatus,
    enrolment::Arrival,
};

/// Requests, each with the mark of the effect that a preview showed, if there was one.
pub type Chosen = BTreeMap<Uuid, Option<String>>;

impl Asking {
    /// What a preview keeps of what it showed.
    #[must_use]
    pub fn mark(&self) -> String {
        let said = [&self.serial_number, &self.manufacturer, &self.model, &self.token].map(Option::as_deref);
        let mark = match self.source {
            Source::Newcomer => self.effect.mark_of_newcomer(self.site, &said),
            Source::Enrolment | Source::Recovery => self.effect.mark(),
        };
        // A device that somebody revoked since it was shown is not put in service by who saw it in service.
        match self.lifts() {
            Some(status) => format!("{mark}:{status}"),
            None => mark,
        }
    }

    /// What letting it in takes back of what a person said of the device, where there is something.
    #[must_use]
    pub fn lifts(&self) -> Option<DeviceStatus> {
        let known = self.known.as_ref().filter(|known| self.effect.device() == Some(known.id))?;
        Some(known.status).filter(|status| LIFTED.contains(status))
    }

    /// Whether it would end the key of a device, or put one back in service, that it may have named only after it was first read:
    /// one that came with a cloned key waits under the name that it first gave.
    fn may_have_turned(&self) -> bool {
        let takes_a_place = matches!(self.effect, Effect::Replaces(_)) || self.lifts().is_some();
        takes_a_place && self.source == Source::Newcomer && self.waits_for != WaitsFor::ClonedKey
    }
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Which one.
    pub id: Uuid,
    /// As it stood; absent where it waits no more.
    pub asked: Option<Asking>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was let in, as this device.
    Approved(DeviceId),
    /// It was refused.
    Refused,
    /// Somebody decided about it before.
    Already,
    /// Its effect is not what the preview showed; nothing was done.
    Changed,
    /// It cannot be let in; nothing was done.
    Impossible(Hindrance),
}

impl Outcome {
    /// Whether it is as it was wanted.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Approved(_) | Self::Refused)
    }

    /// Its code, for catalogues and scripts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Refused => "refused",
            Self::Already => "already",
            Self::Changed => "changed",
            Self::Impossible(_) => "impossible",
        }
    }

    /// The codes of all of them.
    pub const CODES: [&'static str; 5] = ["approved", "refused", "already", "changed", "impossible"];
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// One of them does not exist, or is a site's that the clerk does not see. The unit of work is to be given up.
    #[error("there is no request with this id among those you see")]
    Unknown,
    /// More than [`MOST_AT_ONCE`].
    #[error("at most {MOST_AT_ONCE} requests are decided at once")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides about all of `chosen`, oldest id first, for the person whom the caller found allowed to. `reason` goes to the
/// audit. Dropping the unit of work instead of committing it makes this a preview that says exactly what would happen.
pub async fn decide(
    tx: &mut Tx,
    by: Clerk<'_>,
    ruling: Ruling,
    reason: Option<&str>,
    chosen: &Chosen,
) -> Result<Vec<Decided>, DecideError> {
    if chosen.len() > MOST_AT_ONCE {
        return Err(DecideError::TooMany);
    }
    let newcomers = hold(tx, by, chosen).await?;
    let mut decided = Vec::with_capacity(chosen.len());
    let mut touched = BTreeSet::new();
    for (id, shown) in chosen {
        let asked = approval_queue::find(tx, by.scope, *id).await?;
        let outcome = match &asked {
            None => Outcome::Already,
            Some(asked) => match ruling {
                Ruling::Refuse => refuse(tx, asked, by).await?,
                Ruling::Approve => approve(tx, asked, (newcomers.get(id), shown.as_deref()), &touched, by).await?,
            },
        };
        if let Outcome::Approved(device) = outcome {
            touched.insert(device.0);
        }
        decided.push(Decided { id: *id, asked, outcome });
    }
    // Of a device whose key is on other machines too it is told how many of them still wait.
    let bound = newcomers.values().filter_map(|one| one.shown).map(|shown| shown.device.0);
    touched.extend(bound);
    let devices: Vec<Uuid> = touched.into_iter().collect();
    if !devices.is_empty() {
        review::devices(tx, &devices, Considered::All, by.policy, by.now).await?;
    }
    for one in &decided {
        record(tx, by, one, reason).await?;
    }
    Ok(decided)
}

/// Holds back everybody else who decides about one of these, enrols the same hardware or changes its device; in one order
/// each, so that two units of work never wait for each other in a circle.
async fn hold(tx: &mut Tx, by: Clerk<'_>, chosen: &Chosen) -> Result<BTreeMap<Uuid, Newcomer>, DecideError> {
    let (mut newcomers, mut devices) = (BTreeMap::new(), Vec::new());
    for id in chosen.keys() {
        if !approval_queue::is_known(tx, by.scope, *id).await? {
            return Err(DecideError::Unknown);
        }
        newcomer::lock(tx, *id).await?;
        enrolment::lock(tx, EnrolmentId(*id)).await?;
        if let Some(found) = newcomer::find(tx, *id).await? {
            newcomers.insert(*id, found);
        }
    }
    let mut asking: Vec<&Newcomer> = newcomers.values().collect();
    asking.sort_by_key(|one| {
        let hardware = &one.hardware;
        // As the locks take them.
        let serial = hardware.serial_number.get().map(|serial| serial.as_str().to_lowercase());
        (serial, hardware.system_uuid.get().map(ToString::to_string))
    });
    for one in asking {
        enrolment::lock_asking(tx, &one.hardware).await?;
    }
    devices.extend(newcomers.values().filter_map(|one| one.shown).map(|shown| shown.device.0));
    for id in chosen.keys() {
        let asked = approval_queue::find(tx, by.scope, *id).await?;
        devices.extend(asked.and_then(|asked| asked.known).map(|known| known.id.0));
    }
    device::lock(tx, devices).await?;
    Ok(newcomers)
}

async fn refuse(tx: &mut Tx, asked: &Asking, by: Clerk<'_>) -> Result<Outcome, StoreError> {
    let done = match asked.source {
        Source::Enrolment => enrolment::refuse(tx, EnrolmentId(asked.id), by.now).await?,
        Source::Newcomer => newcomer::refuse(tx, asked.id, by.now).await?,
        Source::Recovery => recovery::rule(tx, asked.id, Ruling::Refuse, by).await?,
    };
    Ok(if done { Outcome::Refused } else { Outcome::Already })
}

async fn approve(
    tx: &mut Tx,
    asked: &Asking,
    (newcomer, shown): (Option<&Newcomer>, Option<&str>),
    touched: &BTreeSet<Uuid>,
    by: Clerk<'_>,
) -> Result<Outcome, StoreError> {
    let known = asked.effect.device();
    let effect = if known.is_some_and(|id| touched.contains(&id.0)) {
        Effect::Impossible(Hindrance::Twice)
    } else {
        asked.effect
    };
    if let Effect::Impossible(hindrance) = effect {
        return Ok(Outcome::Impossible(hindrance));
    }
    // Without a mark nobody says what was looked at, and a machine that waits under a token may have said meanwhile that it is a
    // device with a key: only somebody who saw that lets it take the key's place.
    let is_shown = shown.map_or(!asked.may_have_turned(), |shown| shown == asked.mark());
    if !is_shown {
        return Ok(Outcome::Changed);
    }
    let device = match (asked.source, newcomer) {
        (Source::Enrolment | Source::Recovery, _) => known,
        (Source::Newcomer, Some(newcomer)) => {
            let arrival = known.map_or(Arrival::NewDevice, Arrival::Replacement);
            newcomer::approve(tx, newcomer, &arrival, by.now).await?
        }
        (Source::Newcomer, None) => None,
    };
    let Some(device) = device else { return Ok(Outcome::Already) };
    let done = match asked.source {
        Source::Enrolment => enrolment::approve(tx, EnrolmentId(asked.id), by.now).await?,
        Source::Recovery => recovery::rule(tx, asked.id, Ruling::Approve, by).await?,
        Source::Newcomer => true,
    };
    Ok(if done { Outcome::Approved(device) } else { Outcome::Already })
}

/// The row of one decision in the audit; of what was not done, none.
async fn record(tx: &mut Tx, by: Clerk<'_>, decided: &Decided, reason: Option<&str>) -> Result<(), StoreError> {
    let Some(asked) = &decided.asked else { return Ok(()) };
    let mut details = json!({ "waits_for": asked.waits_for });
    // A refused newcomer may be anybody's own machine, and nothing can be taken out of the chain: its id names it as long as
    // it is known what it was.
    if (asked.source, decided.outcome) != (Source::Newcomer, Outcome::Refused) {
        details["serial"] = json!(asked.serial_number);
        if asked.waits_for == WaitsFor::ClonedKey {
            // The device may be called otherwise now.
            details["serial_before"] = json!(asked.known.as_ref().and_then(|known| known.serial_number.as_deref()));
        }
    }
    let action = match (asked.source, decided.outcome) {
        (Source::Enrolment, Outcome::Approved(_)) => "enrolment.approve",
        (Source::Enrolment, Outcome::Refused) => "enrolment.refuse",
        (Source::Newcomer, Outcome::Approved(_)) => "newcomer.approve",
        (Source::Newcomer, Outcome::Refused) => "newcomer.refuse",
        (Source::Recovery, Outcome::Approved(_)) => "recovery.approve",
        (Source::Recovery, Outcome::Refused) => "recovery.refuse",
        (_, Outcome::Already | Outcome::Changed | Outcome::Impossible(_)) => return Ok(()),
    };
    let device = if let Outcome::Approved(device) = decided.outcome { Some(device) } else { asked.effect.device() };
    details["device"] = json!(device);
    details["reason"] = reason.map_or(Value::Null, Value::from);
    if let Some(token) = by.token {
        details["api_token"] = json!(token);
    }
    let (object_kind, object_id) = (asked.source.as_str(), asked.id.to_string());
    let entry = NewAudit { actor: by.actor, action, object_kind, object_id: &object_id, details };
    audit::append(tx, entry, by.now).await?;
    if let (Outcome::Approved(device), Some(before)) = (decided.outcome, asked.lifts()) {
        record_lifted(tx, by, device, before).await?;
    }
    Ok(())
}

/// The row in the audit of a device that an approval put back in service, beside that of the approval: as that of any other change
/// of its status. Nothing where it was in service, or had not been yet.
pub async fn record_lifted(
    tx: &mut Tx,
    by: Clerk<'_>,
    device: DeviceId,
    before: DeviceStatus,
) -> Result<(), StoreError> {
    if !LIFTED.contains(&before) {
        return Ok(());
    }
    let mut details =
        json!({ "before": before.as_str(), "after": DeviceStatus::Active.as_str(), "because": "approved" });
    if let Some(token) = by.token {
        details["api_token"] = json!(token);
    }
    let (action, object_id) = ("device.set_status", device.to_string());
    let entry = NewAudit { actor: by.actor, action, object_kind: "device", object_id: &object_id, details };
    audit::append(tx, entry, by.now).await?;
    Ok(())
}
