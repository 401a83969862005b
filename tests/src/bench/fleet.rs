//! A fleet in the store, written by the server's own functions: devices, enrolments, sites, a first report each.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::CheckInRequest};
use cartable_server::{
    domain::{device::DeviceStatus, enrolment::EnrolmentStatus},
    store::{
        Store,
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment},
        ingest::CheckIn,
        site::{self, NewSite},
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use crate::{
    fleet::RunningIngest,
    simulator::{Machine, Roster, device::envelope},
};

/// Devices in one unit of work.
const AT_ONCE: usize = 1_000;

/// Fills the store at `url` with `devices` devices of a lifelike fleet, each with its report of `now`. Gives their
/// sites.
pub async fn fill(store: &Store, devices: usize, now: UtcMillis) -> anyhow::Result<Vec<Uuid>> {
    let roster = Roster::drawn(1, devices);
    let sites = add_sites(store, &roster, now).await?;
    let running = RunningIngest::start(store);
    for machines in roster.machines.chunks(AT_ONCE) {
        let mut check_ins = Vec::with_capacity(machines.len());
        let mut tx = store.write().await?;
        for machine in machines {
            let (device, enrolment) = (DeviceId(Uuid::now_v7()), EnrolmentId(Uuid::now_v7()));
            device::insert(&mut tx, &registered(machine, device, &sites, now), now).await?;
            // A key that nobody has.
            let mut key = [0; 32];
            key[..16].copy_from_slice(enrolment.0.as_bytes());
            let new = NewEnrolment {
                id: enrolment,
                device,
                request: Uuid::new_v4(),
                key: &key,
                token: None,
                status: EnrolmentStatus::Active,
            };
            enrolment::insert(&mut tx, &new, now).await?;
            check_ins.push(check_in(machine, device, enrolment, now));
        }
        tx.commit().await?;
        stream::iter(check_ins)
            .map(|one| running.ingest.check_in(one))
            .buffered(AT_ONCE)
            .try_for_each(|_| async { Ok(()) })
            .await?;
    }
    running.stop().await;
    Ok(sites)
}

async fn add_sites(store: &Store, roster: &Roster, now: UtcMillis) -> anyhow::Result<Vec<Uuid>> {
    let mut tx = store.write().await?;
    let mut ids = Vec::new();
    for simulated in &roster.sites {
        let new = NewSite {
            uai: simulated.uai.parse()?,
            name: simulated.name.clone(),
            commune: simulated.commune.clone(),
            zone: simulated.zone.parse()?,
        };
        ids.push(site::put(&mut tx, &new, now).await?);
    }
    tx.commit().await?;
    Ok(ids)
}

fn registered(machine: &Machine, id: DeviceId, sites: &[Uuid], now: UtcMillis) -> NewDevice {
    NewDevice {
        id,
        status: DeviceStatus::Active,
        hardware: machine.hardware(),
        asset_tag: Some(machine.asset_tag.clone()),
        programme: Some(machine.programme.code().to_owned()),
        site: sites.get(machine.site).copied(),
        enrolled_at: Some(now),
    }
}

fn check_in(machine: &Machine, device_id: DeviceId, enrolment_id: EnrolmentId, now: UtcMillis) -> CheckIn {
    let report = machine.report(now, now);
    let request = CheckInRequest {
        content_hash: Some(report.content_hash()),
        reports: vec![envelope(report, now, now)],
        ..CheckInRequest::bare(cartable_agent::version(), now)
    };
    CheckIn { device_id, enrolment_id, received_at: now, request }
}
