//! The authority's intermediates and its root are changed under a fleet, each laptop with the real agent, server and operator
//! by the same clock: one in twenty sleeps through all of it for 399 days, as many sleep while the root is switched, the
//! others are open. Nobody misses a contact, and nobody needs a hand.

#![cfg(target_os = "linux")]

use cartable_agent::identity::certificates;
use cartable_common::trust::bundle_number;
use cartable_tests::{
    raw::Raw,
    year::{Laptop, Year},
};
use uuid::Uuid;

use crate::laptop::at_once;

const DEVICES: usize = 40;

/// One in twenty: shut after the first day, for a day less than a person would be asked about.
const SLEEPERS: usize = 2;
const LAST_DAY: i64 = 399;

/// Those that are shut from before the root is switched until some weeks after.
const NAPPERS: usize = 2;

/// A server that served for longer is started anew, as for its upkeep.
const UPKEEP_DAYS: i64 = 60;

struct Fleet {
    year: Year,
    /// Days since the first one.
    day: i64,
    awake: Vec<Laptop>,
    nappers: Vec<Laptop>,
    sleepers: Vec<Laptop>,
}

impl Fleet {
    /// Everybody is enrolled, and heard on the first day.
    async fn begin() -> Self {
        let mut year = Year::begin().await.unwrap();
        let mut awake: Vec<Laptop> = (0..DEVICES).map(|_| year.new_laptop().unwrap()).collect();
        for ran in at_once(&mut awake, |laptop| laptop.enrol(&year.clock).unwrap()) {
            assert_eq!(ran.code, Some(0), "{}", ran.words);
        }
        let mut fleet = Self { year, day: 0, awake, nappers: Vec::new(), sleepers: Vec::new() };
        fleet.awake_are_heard().await;
        fleet
    }

    /// Each laptop that is open makes one contact. It goes well, and the server heard it.
    async fn awake_are_heard(&mut self) {
        let Self { year, day, awake, .. } = self;
        for ran in at_once(awake, |laptop| laptop.once(&year.clock).unwrap()) {
            assert_eq!(ran.code, Some(0), "day {day}: {}", ran.words);
        }
        let since = year.now().get();
        let heard = year.number(&format!("SELECT count(*) FROM contact WHERE last_at >= {since}")).await.unwrap();
        assert_eq!(usize::try_from(heard).unwrap(), awake.len(), "day {day}");
    }

    /// It is that day.
    fn until(&mut self, day: i64) {
        let passed = day - self.day;
        self.year.pass_days(passed).unwrap();
        self.day = day;
        if passed > UPKEEP_DAYS {
            self.year.server_is_back().unwrap();
        }
    }

    /// What the operator's command gives, and what it says beside that.
    fn authority(&self, step: &str) -> (String, String) {
        let mut command = self.year.installation.command(&format!("authority {step}"));
        let output = self.year.clock.drive(&mut command).unwrap().output().unwrap();
        let [given, told] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{step}: {told}");
        (given, told)
    }

    /// The operator is told that everybody but `behind` holds the bundle of that number, and who they are.
    fn assert_held_but_by(&self, behind: &[Uuid], bundle: u32) {
        let (status, _) = self.authority("status");
        let counts = format!("devices\t{DEVICES}\nholders\t{}\n", DEVICES - behind.len());
        assert!(status.contains(&format!("bundle\t{bundle}\n")) && status.ends_with(&counts), "{status}");
        let (listed, _) = self.authority("sleepers");
        let mut named: Vec<Uuid> =
            listed.lines().map(|line| line.split('\t').next().unwrap().parse().unwrap()).collect();
        let mut behind = behind.to_vec();
        named.sort_unstable();
        behind.sort_unstable();
        assert_eq!(named, behind, "{listed}");
    }

    /// The operator makes these steps, each of which says how many know the newest roots, and starts the server anew.
    fn change(&mut self, steps: &[&str], behind: &[Uuid], bundle: u32) {
        self.assert_held_but_by(behind, bundle);
        let (holders, others) = (DEVICES - behind.len(), behind.len());
        let spread = format!("Trust bundle {bundle}: {holders} devices hold it, {others} do not");
        for step in steps {
            let (_, told) = self.authority(step);
            assert!(told.contains(&spread), "{step}: {told}");
        }
        self.year.server_is_back().unwrap();
    }

    /// Who slept is opened, comes back by itself and is awake from now on.
    fn opens(year: &Year, slept: &mut Vec<Laptop>, awake: &mut Vec<Laptop>) {
        for laptop in slept.iter_mut() {
            laptop.changes().unwrap();
            laptop.comes_back(&year.clock).unwrap();
        }
        awake.append(slept);
    }

    async fn count(&mut self, what: &str) -> usize {
        usize::try_from(self.year.number(&format!("SELECT count(*) FROM {what}")).await.unwrap()).unwrap()
    }

    /// Of those that are awake: which device each is, and by which key.
    fn identities(&self) -> Vec<(Uuid, Option<String>)> {
        self.awake.iter().map(|laptop| (laptop.device_id().unwrap(), laptop.public_key().unwrap())).collect()
    }

    /// Everybody trusts what the server's authority is now, and nothing else; and has the one enrolment of the first day.
    async fn assert_everybody_trusts_only_the_new_root(&mut self, dropped: &str, bundle: u32) {
        let Self { year, awake, .. } = self;
        let newest = certificates(&year.installation.roots_pem().unwrap()).unwrap();
        assert!(!newest.contains(&certificates(dropped).unwrap()[0]));
        for laptop in awake.iter() {
            year.assert_one_identity(laptop).await.unwrap();
            let held = laptop.enrolment().unwrap().unwrap().roots_pem;
            assert_eq!((bundle_number(&held), certificates(&held).unwrap()), (bundle, newest.clone()));
        }
        let (status, _) = self.authority("status");
        assert_eq!(status.lines().filter(|line| line.starts_with("root\t")).count(), 1, "{status}");
    }

    /// No device is there twice, in the list that people read neither.
    async fn assert_nobody_is_listed_twice(&mut self) {
        assert_eq!(self.count("device").await, DEVICES);
        let listed = self.year.installation.run("export devices", &[], "").unwrap();
        for number in 1..=DEVICES {
            let serial = format!("PF2YEAR{number:04}");
            assert_eq!(listed.lines().filter(|line| line.contains(&serial)).count(), 1, "{serial}: {listed}");
        }
    }

    /// These recovered once, without a person, and go on with the history that they had.
    async fn assert_recovered(&mut self, slept: &[Uuid]) {
        let Self { year, awake, .. } = self;
        let mut raw = Raw::connect(&year.installation.database_url()).await.unwrap();
        let mut found = 0;
        for laptop in awake.iter().filter(|laptop| slept.contains(&laptop.device_id().unwrap())) {
            found += 1;
            assert_eq!(year.recoveries(laptop).await.unwrap(), 1);
            year.assert_delivered(laptop, &[]).await.unwrap();
            let device = raw.uuid(laptop.device_id().unwrap());
            let sql = format!("SELECT before FROM health_change WHERE device_id = {device} AND path LIKE 'memory%'");
            let first_day = laptop.memory_bytes() - 1024;
            assert_eq!(raw.texts(&sql).await.unwrap(), [first_day.to_string()], "what it was on the first day");
        }
        assert_eq!(found, slept.len());
        assert_eq!(self.count("recovery WHERE decided_by IS NULL").await, slept.len());
        assert_eq!(self.count("recovery").await, slept.len(), "nobody else had to");
    }
}

fn devices(laptops: &[Laptop]) -> Vec<Uuid> {
    laptops.iter().map(|laptop| laptop.device_id().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_follows_each_change_of_the_keys_and_who_slept_through_all_of_them_comes_back_by_itself() {
    let mut fleet = Fleet::begin().await;
    let (first_root, identities) = (fleet.year.installation.roots_pem().unwrap(), fleet.identities());
    let everybody = devices(&fleet.awake);
    fleet.sleepers = fleet.awake.split_off(DEVICES - SLEEPERS);
    let sleepers = devices(&fleet.sleepers);

    // Other intermediates: certificates under the earlier one go on.
    fleet.change(&["renew-devices", "renew-gateway"], &[], 1);
    fleet.until(10);
    fleet.awake_are_heard().await;
    assert_eq!(fleet.count("certificate").await, DEVICES);

    // Another root. At one contact an agent hears of it, at the next it says that it holds it.
    fleet.change(&["begin-root"], &[], 1);
    fleet.assert_held_but_by(&everybody, 2);
    fleet.nappers = fleet.awake.split_off(DEVICES - SLEEPERS - NAPPERS);
    for day in [20, 21] {
        fleet.until(day);
        fleet.awake_are_heard().await;
    }
    let asleep = [devices(&fleet.nappers), sleepers.clone()].concat();
    fleet.change(&["switch-root"], &asleep, 2);
    fleet.until(85);
    Fleet::opens(&fleet.year, &mut fleet.nappers, &mut fleet.awake);
    fleet.awake_are_heard().await;
    fleet.until(165);
    fleet.awake_are_heard().await;

    // 180 days after the switch nobody who is awake has a certificate of before: the old authority is dropped.
    fleet.until(201);
    fleet.change(&["drop-earlier", "retire-root"], &sleepers, 2);
    for day in [202, 203, 245, 325, LAST_DAY] {
        fleet.until(day);
        fleet.awake_are_heard().await;
    }
    fleet.assert_held_but_by(&sleepers, 3);
    assert_eq!(fleet.count("recovery").await, 0, "whoever was awake, or slept for some weeks, had a certificate");

    Fleet::opens(&fleet.year, &mut fleet.sleepers, &mut fleet.awake);
    fleet.awake_are_heard().await;
    fleet.assert_held_but_by(&[], 3);
    assert_eq!(fleet.identities(), identities, "everybody is who they were on the first day");
    fleet.assert_recovered(&sleepers).await;
    fleet.assert_everybody_trusts_only_the_new_root(&first_root, 3).await;
    fleet.assert_nobody_is_listed_twice().await;
}
