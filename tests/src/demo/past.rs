//! The past of a demonstration: what a fleet that has been in service for weeks would have left behind.
//!
//! A device that enrols today has no history, and no real device can be silent since October. So a new demonstration,
//! and nothing else, writes a past before its server first starts. It goes through the server's own ingest, with the
//! moments of receipt that it invents: contacts, changes, daily figures and flags are what the real code makes of them.
//! Of most live devices nothing but their enrolment is known: their first report comes over the network.

use anyhow::Context as _;
use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::CheckInRequest};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        enrolment::EnrolmentStatus,
        policy::{LivePolicy, Policy},
    },
    jobs::flag_sweep,
    pki::ProvenKey,
    store::{
        Store, Tx,
        audit::{self, NewAudit},
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment},
        ingest::{CheckIn, Ingest},
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::lending;
use crate::simulator::{
    Keyring, Machine, Roster,
    condition::{Contact, Exchange},
    device::envelope,
    random::Random,
};

/// How many weeks of reports a device has behind it.
const WEEKS: i64 = 8;

/// Live devices with a past: enough that every page has some; the others keep the start short.
const LIVE_WITH_PAST: usize = 250;

/// Check-ins that are handed to ingest at once.
const AT_ONCE: usize = 256;

/// The devices of a new fleet, and what those with a past have to say of it.
#[derive(Debug)]
pub struct Past<'a> {
    /// Every machine and the device that it is.
    pub placed: Vec<(&'a Machine, DeviceId)>,
    remembered: Vec<Remembered<'a>>,
}

/// Records the devices of a new fleet. `sites` are the ids of the roster's sites, in its order.
pub async fn write<'a>(
    store: &Store,
    roster: &'a Roster,
    keyring: &Keyring,
    sites: &[Uuid],
) -> anyhow::Result<Past<'a>> {
    let epoch = keyring.header().epoch;
    let (mut placed, mut remembered) = (Vec::new(), Vec::new());
    let mut live = 0;
    let mut tx = store.write().await?;
    for machine in &roster.machines {
        match machine.condition.contact {
            Contact::NeverEnrolled(days) => {
                let device = registered(machine, sites, None);
                device::insert(&mut tx, &device, epoch.plus_days(-i64::from(days))).await?;
                placed.push((machine, device.id));
            }
            Contact::NoAgent => {
                let device = NewDevice { status: DeviceStatus::Active, ..registered(machine, sites, None) };
                device::insert(&mut tx, &device, epoch.plus_days(-200)).await?;
                placed.push((machine, device.id));
            }
            Contact::Live | Contact::Silent(_) => {
                // A part can only be seen to have changed, and a laptop to be where it should not, where something was
                // known before. The others have just been enrolled, and are about to be heard from.
                let is_live = machine.condition.contact == Contact::Live;
                let telling =
                    machine.condition.exchange != Exchange::Nothing || lending::is_told_by_contacts(machine, epoch);
                let has_past = !is_live || live < LIVE_WITH_PAST || telling;
                let moments = Moments::of(machine, epoch);
                let began = if has_past { moments.began } else { epoch };
                let device = registered(machine, sites, Some(began));
                device::insert(&mut tx, &device, began).await?;
                let enrolment = enrolled(&mut tx, device.id, keyring, machine.index, began).await?;
                placed.push((machine, device.id));
                if has_past {
                    live += usize::from(is_live);
                    remembered.push(Remembered { machine, moments, device: device.id, enrolment });
                }
            }
        }
    }
    let noted = NewAudit {
        actor: "cargo demo",
        action: "demo.past",
        object_kind: "programme",
        object_id: "demo",
        details: serde_json::json!({ "devices": remembered.len(), "weeks": WEEKS, "invented": true }),
    };
    audit::append(&mut tx, noted, epoch).await?;
    tx.commit().await?;
    Ok(Past { placed, remembered })
}

/// Hands the check-ins of the past to the server's own ingest, and lets the server's own sweep judge what time and loans
/// have changed since.
pub async fn replay(store: &Store, past: &Past<'_>, epoch: UtcMillis) -> anyhow::Result<()> {
    let remembered = &past.remembered;
    let tracker = TaskTracker::new();
    let over = CancellationToken::new();
    let ingest = Ingest::start(store.clone(), LivePolicy::new(Policy::default()), &tracker, over.clone());
    let check_ins = remembered.iter().flat_map(|one| one.moments.contacts.iter().map(|&at| one.check_in(at, epoch)));
    // In the order of time, as they would have come.
    let mut check_ins: Vec<CheckIn> = check_ins.collect();
    check_ins.sort_by_key(|one| one.received_at);
    stream::iter(check_ins)
        .map(|one| ingest.check_in(one))
        .buffered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await
        .context("the past could not be written")?;
    over.cancel();
    tracker.close();
    tracker.wait().await;
    flag_sweep::run(store, &Policy::default(), epoch, &CancellationToken::new()).await?;
    Ok(())
}

/// A device with a past.
#[derive(Debug)]
struct Remembered<'a> {
    machine: &'a Machine,
    moments: Moments,
    device: DeviceId,
    enrolment: EnrolmentId,
}

impl Remembered<'_> {
    fn check_in(&self, at: UtcMillis, epoch: UtcMillis) -> CheckIn {
        let report = self.machine.report(at, epoch);
        let own_clock = self.machine.own_clock(at);
        let request = CheckInRequest {
            agent_version: cartable_agent::version(),
            sent_at: own_clock,
            content_hash: Some(report.content_hash()),
            reports: vec![envelope(report, own_clock, at)],
        };
        CheckIn { device_id: self.device, enrolment_id: self.enrolment, received_at: at, request }
    }
}

/// When a device was in contact.
#[derive(Debug)]
struct Moments {
    began: UtcMillis,
    contacts: Vec<UtcMillis>,
}

impl Moments {
    /// Once a week, at an hour of its own, until yesterday or until it fell silent.
    fn of(machine: &Machine, epoch: UtcMillis) -> Self {
        const HOUR: i64 = 60 * 60 * 1000;
        let last = match machine.condition.contact {
            Contact::Silent(days) => i64::from(days),
            Contact::Live | Contact::NeverEnrolled(_) | Contact::NoAgent => 1,
        };
        let mut random = Random::of(machine.index, "past", 0);
        let mut moment = |days: i64| {
            let part = i64::try_from(random.below(9 * HOUR.unsigned_abs())).unwrap_or_default();
            epoch.plus_days(-days).plus_millis(-part)
        };
        let contacts: Vec<UtcMillis> = (0..=WEEKS).rev().map(|week| moment(last + 7 * week)).collect();
        let began = contacts.first().map_or(epoch, |first| first.plus_millis(-HOUR));
        Self { began, contacts }
    }
}

fn registered(machine: &Machine, sites: &[Uuid], enrolled_at: Option<UtcMillis>) -> NewDevice {
    NewDevice {
        id: DeviceId(Uuid::now_v7()),
        status: if enrolled_at.is_some() { DeviceStatus::Active } else { DeviceStatus::Pending },
        hardware: machine.hardware(),
        asset_tag: Some(machine.asset_tag.clone()),
        programme: Some(machine.programme.code().to_owned()),
        site: sites.get(machine.site).copied(),
        enrolled_at,
    }
}

/// Registers the very key with which the simulated device will ask again: to the server it is an agent that lost its
/// certificate.
async fn enrolled(
    tx: &mut Tx,
    device: DeviceId,
    keyring: &Keyring,
    index: u64,
    at: UtcMillis,
) -> anyhow::Result<EnrolmentId> {
    let identity = keyring.identity(index)?;
    let key = ProvenKey::from_csr_pem(&identity.key()?.request_pem()?)?;
    let id = EnrolmentId(Uuid::now_v7());
    let new = NewEnrolment {
        id,
        device,
        request: identity.request_id,
        key: key.sha256(),
        token: None,
        status: EnrolmentStatus::Active,
    };
    enrolment::insert(tx, &new, at).await?;
    Ok(id)
}
