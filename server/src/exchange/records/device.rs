//! A chunk of devices: compared with those that its serial numbers and tags name, and written.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{ChunkFailed, Pass, Row, Write, decide, good, name_sites, reports, written};
use crate::{
    domain::{
        device::folded_code,
        import::device::{Around, DeviceRecord, KnownDevice, KnownDevices},
        loan::LendingState,
    },
    store::{Tx, import::RowReport, import_device, import_places, left_behind},
};

pub(super) async fn work(
    tx: &mut Tx,
    pass: &mut Pass<'_>,
    rows: &[Row<DeviceRecord>],
) -> Result<Vec<RowReport>, ChunkFailed> {
    let serials: Vec<&str> = good(rows).filter_map(|one| one.serial.value().map(String::as_str)).collect();
    let tags: Vec<&str> = good(rows).filter_map(|one| one.asset_tag.value().map(String::as_str)).collect();
    let devices = match pass.write {
        Write::Yes => import_device::held(tx, &serials, &tags).await?,
        Write::No => import_device::known(tx, serials.into_iter(), tags.into_iter()).await?,
    };
    let mut known = KnownDevices { devices, ..KnownDevices::default() };
    if good(rows).any(|one| one.site.value().is_some()) {
        known.sites = import_places::sites(tx).await?;
    }
    if good(rows).any(|one| one.programme.value().is_some()) {
        let programmes = import_places::programmes(tx).await?;
        known.programmes = programmes.into_iter().map(|(code, (_, open))| (code, open)).collect();
    }
    known.left_behind = left_behind::among(tx, said_in_stock(rows, &known)).await?;
    let index = Index::of(&known.devices);
    let mut outcomes = decide(rows, |one| one.decide(&index.around(one, &known), &mut pass.touched, Uuid::now_v7()));
    name_sites(&known.sites, &mut outcomes);
    if pass.write == Write::Yes {
        let before: HashMap<Uuid, &KnownDevice> = known.devices.iter().map(|device| (device.id, device)).collect();
        let changes: Vec<_> = written(&outcomes)
            .map(|(_, after)| import_device::Written { before: before.get(&after.id).copied(), after })
            .collect();
        import_device::write(tx, &changes, pass.now).await?;
    }
    Ok(reports(&outcomes))
}

/// The devices that a row says are in stock, and that are not there yet.
fn said_in_stock(rows: &[Row<DeviceRecord>], known: &KnownDevices) -> BTreeSet<Uuid> {
    let index = Index::of(&known.devices);
    good(rows)
        .filter(|one| one.says_in_stock())
        .flat_map(|one| index.around(one, known).devices)
        .filter(|device| device.lending != LendingState::InStock)
        .map(|device| device.id)
        .collect()
}

/// Known devices by their keys, so that a row is compared with the few that it may be about.
struct Index<'a> {
    by_serial: HashMap<String, Vec<&'a KnownDevice>>,
    by_tag: HashMap<String, &'a KnownDevice>,
}

impl<'a> Index<'a> {
    fn of(devices: &'a [KnownDevice]) -> Self {
        let mut index = Self { by_serial: HashMap::new(), by_tag: HashMap::new() };
        for device in devices {
            if let Some(serial) = &device.serial {
                index.by_serial.entry(folded_code(serial)).or_default().push(device);
            }
            if let Some(tag) = &device.asset_tag {
                index.by_tag.insert(folded_code(tag), device);
            }
        }
        index
    }

    fn around(&self, record: &DeviceRecord, known: &'a KnownDevices) -> Around<'a> {
        let mut devices: Vec<&KnownDevice> = Vec::new();
        if let Some(serial) = record.serial.value() {
            devices.extend(self.by_serial.get(&folded_code(serial)).into_iter().flatten());
        }
        if let Some(tagged) = record.asset_tag.value().and_then(|tag| self.by_tag.get(&folded_code(tag)))
            && devices.iter().all(|device| device.id != tagged.id)
        {
            devices.push(tagged);
        }
        Around { devices, sites: &known.sites, programmes: &known.programmes, left_behind: &known.left_behind }
    }
}
