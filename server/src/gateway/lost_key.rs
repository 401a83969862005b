//! Machines that name a key that they lost in place of a token: they prove nothing, and each waits for a person, a few for one device.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis, machine::Likeness, protocol::EnrolRequest};
use uuid::Uuid;

use super::{
    enrol::{self, Decision, queue_full, useless_token},
    grant::GrantError,
    limits::LOST_KEYS_WAITING_PER_DEVICE,
};
use crate::{
    domain::{
        approval::{WaitsFor, Worth},
        enrolment::EnrolmentStatus,
    },
    pki::ProvenKey,
    store::{
        Tx, cloned_key, device,
        enrolment::{self, NewEnrolment},
        enrolment_token::{Admission, LostKey},
        lost_key,
        newcomer::Newcomer,
    },
};

/// Makes a machine wait that names a lost key, through the token that let that key in; one that waits already goes on as it did
/// where too many name a key of that device.
pub(super) async fn admit(
    tx: &mut Tx,
    (request, key, earlier): (&EnrolRequest, &ProvenKey, Option<Newcomer>),
    (admission, lost): (&Admission, LostKey),
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    // Hardware before device, as whoever decides takes them.
    enrolment::lock_asking(tx, &request.hardware).await?;
    device::lock(tx, [lost.device.0]).await?;
    if is_full(tx, key, lost.device).await? {
        let waits = earlier.map(|earlier| Decision::Pending(earlier.waits_for));
        return Ok(waits.unwrap_or_else(|| Decision::Refuse(queue_full("as this device"))));
    }
    let decision = enrol::admit(tx, (request, key, earlier), (admission, Worth::Spent), now).await?;
    lost_key::named(tx, key.sha256(), lost.enrolment).await?;
    Ok(decision)
}

/// Writes down that a machine waits for a person as `device`, whose key it says that its TPM lost and which no token let in.
/// Not where it says that it is another machine: it has shown no key, as a cloned one is shown, and no token speaks for it.
pub(super) async fn wait_as(
    tx: &mut Tx,
    (request, key, earlier): (&EnrolRequest, &ProvenKey, Option<Newcomer>),
    lost: LostKey,
    now: UtcMillis,
) -> Result<Decision, GrantError> {
    let device = lost.device;
    if let Some(earlier) = earlier {
        return Ok(Decision::Pending(earlier.waits_for));
    }
    device::lock(tx, [device.0]).await?;
    if cloned_key::whose_of_device(tx, device, &request.hardware).await? == Likeness::Other {
        return Ok(Decision::Refuse(useless_token()));
    }
    if is_full(tx, key, device).await? {
        return Ok(Decision::Refuse(queue_full("as this device")));
    }
    let new = NewEnrolment {
        id: EnrolmentId(Uuid::now_v7()),
        device,
        request: request.request_id,
        key: key.sha256(),
        token: None,
        status: EnrolmentStatus::Pending,
    };
    // It proved nothing: unlike a key that a restored database forgot, it was never let in, and lapses.
    enrolment::insert_waiting(tx, &new, WaitsFor::Replacement, now).await?;
    lost_key::named(tx, key.sha256(), lost.enrolment).await?;
    Ok(Decision::Pending(WaitsFor::Replacement))
}

/// Whether as many wait as may that name a lost key of `device`, which is held; `key` itself is not among them.
async fn is_full(tx: &mut Tx, key: &ProvenKey, device: DeviceId) -> Result<bool, GrantError> {
    let is_full = lost_key::waiting_beside(tx, device, key.sha256()).await? >= LOST_KEYS_WAITING_PER_DEVICE;
    if is_full {
        tracing::warn!(%device, "too many machines name a lost key of one device: was its disk copied?");
    }
    Ok(is_full)
}
