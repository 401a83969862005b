//! The past of a demonstration: what a fleet that has been in service for weeks would have left behind.
//!
//! A device that enrols today has no history, and no real device can be silent since October. So a new demonstration,
//! and nothing else, writes a past before its server first starts. It goes through the server's own ingest, with the
//! moments of receipt that it invents: contacts, changes, daily figures and flags are what the real code makes of them.
//! Of most live devices nothing but their enrolment is known: their first report comes over the network.
//!
//! A past is a year long, in which batteries fade and drives wear ([`Lived`]). It has few contacts, and a contact without
//! news brings no report, as an agent's does: a newcomer waits while all of them are written.

use std::collections::HashSet;

use anyhow::Context as _;
use cartable_common::{ContentHash, DeviceId, EnrolmentId, UtcMillis, protocol::CheckInRequest};
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
    keyring::FleetHeader,
    lived::Lived,
    random::Random,
};

/// How many weeks before its last contact a device was in contact: a year, and closer together in the half of it that a
/// device's page draws.
const WEEKS_BACK: [i64; 9] = [52, 38, 25, 20, 15, 10, 6, 3, 0];

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
    lived: Lived,
}

/// What the machines of a fleet have lived through: those with a past, the same each time the fleet is started.
pub fn lived(roster: &Roster, header: FleetHeader) -> Lived {
    Lived::new(header.seed, header.epoch, with_past(roster, header.epoch))
}

/// The machines that have a past: those that fell silent, some live ones, and those that have something to tell.
fn with_past(roster: &Roster, epoch: UtcMillis) -> impl Iterator<Item = &Machine> {
    let mut live = 0;
    roster.machines.iter().filter(move |machine| match machine.condition.contact {
        Contact::NeverEnrolled(_) | Contact::NoAgent => false,
        Contact::Silent(_) => true,
        Contact::Live => {
            // A part can only be seen to have changed, and a laptop to be where it should not, where something was known
            // before. The others have just been enrolled, and are about to be heard from.
            let telling =
                machine.condition.exchange != Exchange::Nothing || lending::is_told_by_contacts(machine, epoch);
            let has_past = live < LIVE_WITH_PAST || telling;
            live += usize::from(has_past);
            has_past
        }
    })
}

/// Records the devices of a new fleet. `sites` are the ids of the roster's sites, in its order.
pub async fn write<'a>(
    store: &Store,
    roster: &'a Roster,
    keyring: &Keyring,
    sites: &[Uuid],
) -> anyhow::Result<Past<'a>> {
    let epoch = keyring.header().epoch;
    let lived = lived(roster, keyring.header());
    let with_past: HashSet<u64> = with_past(roster, epoch).map(|machine| machine.index).collect();
    let (mut placed, mut remembered) = (Vec::new(), Vec::new());
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
                let has_past = with_past.contains(&machine.index);
                let moments = Moments::of(machine, &lived, epoch);
                let began = if has_past { moments.began } else { epoch };
                let device = registered(machine, sites, Some(began));
                device::insert(&mut tx, &device, began).await?;
                let enrolment = enrolled(&mut tx, device.id, keyring, machine.index, began).await?;
                placed.push((machine, device.id));
                if has_past {
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
        details: serde_json::json!({ "devices": remembered.len(), "weeks": WEEKS_BACK[0], "invented": true }),
    };
    audit::append(&mut tx, noted, epoch).await?;
    tx.commit().await?;
    Ok(Past { placed, remembered, lived })
}

/// Hands the check-ins of the past to the server's own ingest, and lets the server's own sweep judge what time and loans
/// have changed since.
pub async fn replay(store: &Store, past: &Past<'_>, epoch: UtcMillis) -> anyhow::Result<()> {
    let tracker = TaskTracker::new();
    let over = CancellationToken::new();
    let ingest = Ingest::start(store.clone(), LivePolicy::new(Policy::default()), &tracker, over.clone());
    // In the order of time, as they would have come.
    let mut check_ins: Vec<CheckIn> = past.remembered.iter().flat_map(|one| one.check_ins(&past.lived)).collect();
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
    /// Its contacts; each brings a report where something is other than in the report before.
    fn check_ins(&self, lived: &Lived) -> Vec<CheckIn> {
        let mut life = lived.life(self.machine);
        let mut held: Option<ContentHash> = None;
        let contact = |&at: &UtcMillis| {
            let report = life.report(at);
            let content_hash = Some(report.content_hash());
            let own_clock = self.machine.own_clock(at);
            let news = held != content_hash;
            held = content_hash;
            let request = CheckInRequest {
                content_hash,
                reports: if news { vec![envelope(report, own_clock, at)] } else { Vec::new() },
                ..CheckInRequest::bare(cartable_agent::version(), own_clock)
            };
            CheckIn { device_id: self.device, enrolment_id: self.enrolment, received_at: at, request }
        };
        self.moments.contacts.iter().map(contact).collect()
    }
}

/// When a device was in contact.
#[derive(Debug)]
struct Moments {
    began: UtcMillis,
    contacts: Vec<UtcMillis>,
}

impl Moments {
    /// On some days of a year, at an hour of its own, until yesterday or until it fell silent; none before it was bought.
    fn of(machine: &Machine, lived: &Lived, epoch: UtcMillis) -> Self {
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
        let bought = lived.bought(machine).unwrap_or(i64::MIN);
        let contacts = WEEKS_BACK.iter().map(|weeks| moment(last + 7 * weeks));
        let contacts: Vec<UtcMillis> = contacts.filter(|at| at.day_number() >= bought).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_is_a_year_long_and_each_of_its_few_reports_brings_news() {
        let epoch = UtcMillis::new(1_795_521_600_000).unwrap();
        let roster = Roster::drawn(2021, 600);
        let lived = lived(&roster, FleetHeader { seed: 2021, devices: 600, epoch });
        let (device, enrolment) = (DeviceId(Uuid::nil()), EnrolmentId(Uuid::nil()));
        let mut whole_years = 0;
        for machine in with_past(&roster, epoch) {
            let one = Remembered { machine, moments: Moments::of(machine, &lived, epoch), device, enrolment };
            let check_ins = one.check_ins(&lived);
            assert!((1..=WEEKS_BACK.len()).contains(&check_ins.len()), "{} contacts", check_ins.len());
            assert_eq!(check_ins[0].request.reports.len(), 1, "the first one brings a report");
            for pair in check_ins.windows(2) {
                assert!(pair[0].received_at < pair[1].received_at);
                let news = pair[0].request.content_hash != pair[1].request.content_hash;
                assert_eq!(pair[1].request.reports.len(), usize::from(news));
            }
            let (first, last) = (check_ins[0].received_at, check_ins[check_ins.len() - 1].received_at);
            whole_years += usize::from(first < last.plus_days(-360));
        }
        assert!(whole_years > 250, "{whole_years} devices with a year behind them");
    }
}
