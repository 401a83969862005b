//! A master image was put on thirty laptops by mistake with the agent's key in it, with real programs on all sides: the key is
//! set aside and told of once, each of the thirty ends as a device of its own, the original as the one that it was, and no
//! history holds what another machine measured.

#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::{
    DeviceId,
    protocol::{RENEW_PATH, RenewRequest},
};
use cartable_tests::{
    gateway_client::{Credentials, Port, SITE, UNCHANGED, csr},
    harness::stored,
    raw::Raw,
};
use rcgen::KeyPair;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    cloned::{arrived, known, spooled},
    laptop::{Laptop, at_once, restart, waiting},
};

const ORIGINAL: &str = "PF2ORIGINAL";

/// A trolley of laptops.
const COPIES: u64 = 30;

/// Those of them that were recorded before, as of a delivery whose list is known.
const LISTED: usize = 4;

/// A laptop, and what tells it from every other: two serial numbers, and how much memory it has.
struct Machine {
    laptop: Laptop,
    serial: String,
    drive: String,
    number: u64,
}

impl Machine {
    fn new(laptop: Laptop, serial: String, number: u64) -> Self {
        let drive = format!("S6DRIVE{number:02}");
        laptop.set_drive(&drive);
        let machine = Self { laptop, serial, drive, number };
        machine.set_gigabytes(4);
        machine
    }

    /// Its memory changes, to what no other has.
    fn set_gigabytes(&self, gigabytes: u64) {
        self.laptop.set_memory(gigabytes * 1_000_000 + self.number);
    }

    fn tells_it(&self) -> [&str; 2] {
        [&self.serial, &self.drive]
    }
}

struct Trolley {
    port: Port,
    original: Machine,
    copies: Vec<Machine>,
    /// What the image holds of the original: its enrolment, and the report that waited.
    image: Value,
    of_image: BTreeSet<Uuid>,
}

impl Trolley {
    /// An image is taken of `original` while a report waits in it for the server, and put on so many laptops.
    fn cloned(mut port: Port, original: Laptop, copies: u64) -> Self {
        let original = Machine::new(original, ORIGINAL.to_owned(), 0);
        original.laptop.contact_goes_well();
        port.server.kill();
        original.set_gigabytes(8);
        assert_eq!(original.laptop.contact().0, Some(1));
        let copied = |number| {
            let serial = format!("PF2COPY{number:02}");
            Machine::new(original.laptop.copied_to(&port, &serial), serial, number)
        };
        let copies = (1..=copies).map(copied).collect();
        restart(&mut port);
        let (image, of_image) = (original.laptop.enrolment(), spooled(&original.laptop));
        assert_eq!(of_image.len(), 1);
        Self { port, original, copies, image, of_image }
    }

    /// Records the first so many copies, as of a delivery, each with an agent awaited: serial number and id.
    fn record(&self, count: usize) -> BTreeMap<String, String> {
        let recorded = self.copies.iter().take(count).map(|copy| {
            let device = ["--serial", &copy.serial, "--kind", "laptop", "--site", SITE, "--agent"];
            let id = self.port.installation.run("device add", &device, "").unwrap();
            (copy.serial.clone(), id.trim().to_owned())
        });
        recorded.collect()
    }

    /// Every copy asks for a key of its own, waits, and keeps what it measured: gives that.
    fn copies_wait(&mut self) -> Vec<BTreeSet<Uuid>> {
        for (code, words) in at_once(&mut self.copies, |copy| copy.laptop.contact()) {
            assert_eq!(code, Some(4), "{words}");
        }
        let own: Vec<_> = self.copies.iter().map(|copy| &spooled(&copy.laptop) - &self.of_image).collect();
        assert!(own.iter().all(|reports| reports.len() == 1), "measured once, and kept: {own:?}");
        own
    }

    fn all_contacts_go_well(&mut self) {
        self.original.laptop.contact_goes_well();
        for (code, words) in at_once(&mut self.copies, |copy| copy.laptop.contact()) {
            assert_eq!(code, Some(0), "{words}");
        }
    }

    /// Nobody helps the original: it has another key, and is the device that it was.
    fn original_heals(&self, device: &str) {
        self.original.laptop.contact_goes_well();
        assert_ne!(self.original.laptop.enrolment()["key_pem"], self.image["key_pem"]);
        assert_eq!(self.original.laptop.device(), device);
        // The old key ends when the new one is used.
        self.original.laptop.contact_goes_well();
    }

    /// One flag, of the device that the key is bound to, and one row in the audit: however many came, and however often.
    async fn assert_told_once(&self, device: &str, and: &str) {
        let mut raw = self.raw().await;
        let told = raw.texts("SELECT evidence FROM flag WHERE code = 'identity_cloned'").await.unwrap();
        let others = format!("on {} other machines", self.copies.len());
        assert!(told.len() == 1 && told[0].contains(&others), "{told:?}");
        let id = raw.uuid(device.parse::<DeviceId>().unwrap().0);
        let flags = format!("SELECT count(*) FROM flag WHERE code = 'identity_cloned' AND device_id = {id} AND {and}");
        assert_eq!(raw.number(&flags).await.unwrap(), 1, "{and}");
        let acts = "SELECT count(*) FROM audit WHERE action = 'enrolment.quarantine'";
        assert_eq!(raw.number(acts).await.unwrap(), 1);
    }

    /// A person lets all of them in with one command, having seen what becomes of each. A list of their serial numbers does
    /// not: whoever has a copy of a key may claim any.
    fn all_are_approved_by_id(&self, recorded: &BTreeMap<String, String>) {
        let lines = waiting(&self.port);
        for line in &lines {
            let (device, effect) = recorded.get(&line[2]).map_or(("-", "new_device"), |id| (id.as_str(), "first_key"));
            assert_eq!(line[1..6], [device, line[2].as_str(), "", "cloned_key", effect]);
        }
        let serials: BTreeSet<&str> = lines.iter().map(|line| line[2].as_str()).collect();
        assert_eq!((lines.len(), serials.len()), (self.copies.len(), self.copies.len()), "each waits once");

        let list = self.port.installation.directory().join("delivery.txt");
        let all: Vec<&str> = serials.into_iter().collect();
        std::fs::write(&list, all.join("\n")).unwrap();
        let nobody = self.port.installation.run("device approve", &["--serials", list.to_str().unwrap()], "");
        assert!(nobody.unwrap_err().to_string().contains("nobody was approved"));
        assert_eq!(waiting(&self.port), lines);

        let ids: Vec<&str> = lines.iter().map(|line| line[0].as_str()).collect();
        self.port.installation.run("device approve", &ids, "").unwrap();
        assert!(waiting(&self.port).is_empty());
    }

    /// Each laptop has a key of its own, and its device's history tells of that laptop alone.
    async fn assert_nothing_was_mixed(&self, machines: &[&Machine]) {
        let mut raw = self.raw().await;
        let (mut devices, mut keys) = (BTreeSet::new(), BTreeSet::from([self.image["key_pem"].to_string()]));
        for machine in machines {
            let device = machine.laptop.device();
            let id = raw.uuid(device.parse::<DeviceId>().unwrap().0);
            let sql = format!("SELECT before FROM health_change WHERE device_id = {id} AND before IS NOT NULL");
            let was = raw.texts(&sql).await.unwrap();
            let history = format!("{} {}", known(&self.port, &device).await, was.join(" "));
            for other in machines {
                let is_it = other.number == machine.number;
                for named in other.tells_it() {
                    assert_eq!(history.contains(named), is_it, "{}: {named}: {history}", machine.serial);
                }
            }
            assert!(machine.laptop.spooled().is_empty() && machine.laptop.kept("healing.json").is_none());
            keys.insert(machine.laptop.enrolment()["key_pem"].to_string());
            devices.insert(device);
        }
        assert_eq!((devices.len(), keys.len()), (machines.len(), machines.len() + 1));
        let mixed = "SELECT count(*) FROM health_change WHERE path NOT LIKE 'memory%'";
        assert_eq!(raw.number(mixed).await.unwrap(), 0, "only memory ever changed anywhere");
    }

    /// Whoever has the old key is told that it is another's, whatever is asked with it.
    async fn assert_the_old_key_opens_nothing(&self) {
        let key = KeyPair::from_pem(self.image["key_pem"].as_str().unwrap()).unwrap();
        let old = Credentials::of(self.image["grant"]["certificate_chain_pem"].as_str().unwrap(), &key);
        let renewal = serde_json::to_vec(&RenewRequest { csr_pem: csr(&key).unwrap() }).unwrap();
        let said = self.port.connect_as(&old).await.unwrap().check_in(UNCHANGED).await.unwrap();
        let renewed = self.port.connect_as(&old).await.unwrap().post(RENEW_PATH, &renewal).await.unwrap();
        for answer in [said, renewed] {
            assert_eq!(answer.outcome(), (403, "key-cloned".to_owned()));
        }
        let live = "enrolment WHERE status <> 'replaced'";
        let live = stored::count(&self.port.installation.database_url(), live).await.unwrap();
        assert_eq!(usize::try_from(live).unwrap(), self.devices().await, "a key for each device");
    }

    async fn devices(&self) -> usize {
        let count = stored::count(&self.port.installation.database_url(), "device").await.unwrap();
        usize::try_from(count).unwrap()
    }

    async fn raw(&self) -> Raw {
        Raw::connect(&self.port.installation.database_url()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_copies_and_their_original_end_as_a_device_each_and_the_key_is_told_of_once() {
    let port = Port::start().unwrap();
    let original = Laptop::enrolled(&port, ORIGINAL);
    let mut trolley = Trolley::cloned(port, original, COPIES);
    let device = trolley.original.laptop.device();
    let recorded = trolley.record(LISTED);
    // The image once more, to be put on the original when all is over.
    let again = trolley.original.laptop.copied_to(&trolley.port, ORIGINAL);

    let own = trolley.copies_wait();
    trolley.assert_told_once(&device, "cleared_at IS NULL").await;
    assert_eq!(trolley.copies_wait(), own, "asked twice, nothing else is said or measured");
    trolley.original_heals(&device);
    trolley.assert_told_once(&device, "cleared_at IS NULL").await;
    assert_eq!(trolley.devices().await, 1 + LISTED, "who waits is no device");

    trolley.all_are_approved_by_id(&recorded);
    trolley.all_contacts_go_well();
    for (copy, own) in trolley.copies.iter().zip(&own) {
        let device = copy.laptop.device();
        assert!(recorded.get(&copy.serial).is_none_or(|id| *id == device), "{}: {device}", copy.serial);
        assert_eq!(arrived(&trolley.port, &device).await, *own, "{}: its own, and not the image's", copy.serial);
    }
    assert!(arrived(&trolley.port, &device).await.is_superset(&trolley.of_image));

    // From now on each is a laptop like any other.
    for machine in trolley.copies.iter().chain([&trolley.original]) {
        machine.set_gigabytes(16);
    }
    trolley.all_contacts_go_well();
    let machines: Vec<&Machine> = trolley.copies.iter().chain([&trolley.original]).collect();
    trolley.assert_nothing_was_mixed(&machines).await;
    trolley.assert_told_once(&device, "cleared_at IS NOT NULL").await;
    // Two of each, and that of the image.
    let reports = 2 * machines.len() + 1;
    let all = stored::reports(&trolley.port.installation.database_url()).await.unwrap();
    let different: BTreeSet<Uuid> = all.keys().map(|(_, report)| *report).collect();
    assert_eq!((all.len(), different.len()), (reports, reports));

    trolley.assert_the_old_key_opens_nothing().await;
    assert_eq!(again.contact().0, Some(4), "nor does it on the original itself");
    let lines = waiting(&trolley.port);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!([1, 2, 5].map(|column| lines[0][column].as_str()), [device.as_str(), ORIGINAL, "replaces"]);
    assert_eq!(trolley.devices().await, machines.len());
    trolley.port.installation.run("audit verify", &[], "").unwrap();
}

/// Agents that do not remember their machine speak before they ask, and are turned away. That speaks for those which are
/// recorded: they come in by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn recorded_copies_of_an_older_agents_image_need_no_person() {
    let port = Port::start().unwrap();
    let original = Laptop::enrolled(&port, ORIGINAL);
    let mut enrolment = original.enrolment();
    assert!(enrolment.as_object_mut().unwrap().remove("machine").is_some());
    original.set_enrolment(&enrolment);
    let mut trolley = Trolley::cloned(port, original, 3);
    let device = trolley.original.laptop.device();
    let recorded = trolley.record(2);

    let ran = at_once(&mut trolley.copies, |copy| copy.laptop.contact());
    assert_eq!(ran.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [Some(0), Some(0), Some(4)], "{ran:?}");
    trolley.original_heals(&device);
    trolley.assert_told_once(&device, "cleared_at IS NULL").await;
    for copy in &trolley.copies[..2] {
        assert_eq!(recorded[&copy.serial], copy.laptop.device());
        assert_eq!(arrived(&trolley.port, &copy.laptop.device()).await.len(), 1);
    }
    let machines: Vec<&Machine> = trolley.copies[..2].iter().chain([&trolley.original]).collect();
    trolley.assert_nothing_was_mixed(&machines).await;
    let lines = waiting(&trolley.port);
    assert!(lines.len() == 1 && lines[0][2] == trolley.copies[2].serial, "{lines:?}");
    trolley.assert_the_old_key_opens_nothing().await;
}
