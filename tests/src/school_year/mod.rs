//! A school year of a whole programme, its clock turned by hand: hand-over in September, holidays, losses and thefts,
//! breakage, extensions, a return campaign in June that is planned, started, followed and closed. At each checkpoint every device has the flags that its fate calls
//! for and no other; at the end every device is accounted for, and so is every notice.

mod fate;
mod june;
mod stock;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use cartable_common::{DeviceId, MilliwattHours, UtcMillis, report::Battery};
use cartable_server::{
    domain::{
        erasure::{Method, hand::ByHand},
        loan::Condition,
        policy::Policy,
        scope::Scope,
    },
    jobs::{flag_sweep, notices::Writing},
    pki::MasterKey,
    store::{
        Store, Tx, counter, device,
        erasure_entry::{self, By},
        erasure_gap,
        lending::{Clerk, Handing, Lending, Wish},
    },
    vault::Vault,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{
    ToSpan as _,
    civil::{Date, date},
};
use tokio_util::sync::CancellationToken;

pub use fate::Fate;
use fate::{BREAKAGE, CAMPAIGN, CESSION, DUE, EXTENSION, LOSSES, REMINDERS, SEPTEMBER};
use stock::{Unit, stock};

use crate::{
    fleet::{RunningIngest, envelope, laptop},
    raw::Raw,
};

/// Acts in one unit of work.
const ACTS_AT_ONCE: usize = 100;
/// Check-ins that wait at once.
const CHECK_INS_AT_ONCE: usize = 256;
/// The day of hand-over.
const HAND_OVER: Date = date(2026, 9, 7);

/// How long each part of the year took.
pub type Times = BTreeMap<&'static str, Duration>;

/// The year while it goes on.
struct Year<'a> {
    store: &'a Store,
    url: &'a str,
    policy: Policy,
    units: Vec<Unit>,
    ingest: RunningIngest,
    times: Times,
    handed_over: usize,
    returned: usize,
}

/// Lets a year pass over `devices` devices in the empty `store` at `url`. An error tells where it went otherwise than
/// it should.
pub async fn pass(store: &Store, url: &str, devices: usize) -> anyhow::Result<Times> {
    let began = Instant::now();
    let units = stock(store, devices).await?;
    let mut times = Times::new();
    times.insert("recording", began.elapsed());
    let ingest = RunningIngest::start(store);
    let policy = Policy::default();
    let mut year = Year { store, url, policy, units, ingest, times, handed_over: 0, returned: 0 };
    year.autumn().await?;
    year.winter_and_spring().await?;
    year.summer().await?;
    year.accounts().await?;
    let Year { ingest, times, .. } = year;
    ingest.stop().await;
    Ok(times)
}

/// Ten in the morning in Paris, or eleven.
fn morning(day: Date) -> UtcMillis {
    let days = day.since(date(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()));
    UtcMillis::default().plus_millis(days * UtcMillis::DAY + 9 * 60 * 60 * 1000)
}

/// Writes down that the drive of a device was erased on `day`, and that a second person saw it.
async fn erase(tx: &mut Tx, device: DeviceId, (day, policy): (Date, &Policy)) -> anyhow::Result<()> {
    let now = morning(day);
    let row = device::find(tx, &Scope::Everything, device).await?.context("a device")?;
    for drive in erasure_gap::seen_of(tx, &row).await? {
        let entry = ByHand {
            drive: drive.key.to_string(),
            model: String::new(),
            method: Method::Overwrite,
            with: "nwipe".to_owned(),
            on: day,
        };
        let by = |login| By { login, now, policy };
        let (id, _) = erasure_entry::enter_by_hand(tx, &row, &entry.read(now)?, by("school")).await?;
        erasure_entry::witness(tx, &row, id, by("school-2")).await?;
    }
    Ok(())
}

/// What is done to a device's loan.
#[derive(Clone, Copy, Debug)]
enum Act {
    Lend,
    Extend,
    TakeBack(Condition),
    Lose,
    Steal,
    /// Erases its drive first.
    PutInStock,
}

impl Year<'_> {
    async fn autumn(&mut self) -> anyhow::Result<()> {
        self.act(HAND_OVER, Act::Lend, Fate::is_lent).await?;
        self.contacts(date(2026, 9, 17)).await?;
        self.check(date(2026, 9, 18)).await?;
        self.contacts(date(2026, 10, 16)).await?;
        self.check(date(2026, 11, 2)).await?;
        self.act(LOSSES, Act::Lose, |fate| matches!(fate, Fate::Lost | Fate::LostHeard)).await?;
        self.act(LOSSES, Act::Steal, |fate| matches!(fate, Fate::Stolen | Fate::StolenHeard)).await?;
        self.act(BREAKAGE, Act::TakeBack(Condition::NotWorking), |fate| fate == Fate::Broken).await?;
        self.contacts(date(2026, 12, 10)).await?;
        self.check(date(2026, 12, 11)).await
    }

    async fn winter_and_spring(&mut self) -> anyhow::Result<()> {
        self.contacts(date(2026, 12, 18)).await?;
        self.check(date(2027, 1, 3)).await?;
        let given = |fate| matches!(fate, Fate::Given | Fate::GivenHeard);
        self.act(CESSION, Act::TakeBack(Condition::Worn), given).await?;
        self.contacts(date(2027, 3, 25)).await?;
        self.check(date(2027, 3, 26)).await?;
        self.act(EXTENSION, Act::Extend, |fate| fate == Fate::Extended).await?;
        self.contacts(date(2027, 6, 10)).await?;
        self.check(date(2027, 6, 14)).await?;
        self.reminders(HAND_OVER, CAMPAIGN).await
    }

    async fn summer(&mut self) -> anyhow::Result<()> {
        let campaign = self.begin_campaign().await?;
        self.follow_campaign(campaign).await?;
        self.contacts(date(2027, 7, 1)).await?;
        self.check(date(2027, 7, 5)).await?;
        self.close_campaign(campaign).await?;
        self.check(date(2027, 8, 31)).await?;
        self.reminders(june::AGAIN, SEPTEMBER).await?;
        self.act(SEPTEMBER, Act::TakeBack(Condition::Worn), Fate::returns_late).await?;
        self.act(SEPTEMBER, Act::Lose, |fate| fate == Fate::Silent).await?;
        self.act(SEPTEMBER, Act::PutInStock, |fate| fate.returns_in_june() || fate.returns_late()).await?;
        self.check(date(2027, 9, 6)).await?;
        self.reminders(SEPTEMBER, date(2027, 10, 1)).await
    }

    /// Lets the server's own job write the reminders of each day from `from` to the day before `until`, as nothing else
    /// happens on them. Without a mail server they wait in the outbox.
    async fn reminders(&mut self, from: Date, until: Date) -> anyhow::Result<()> {
        let began = Instant::now();
        let vault = Vault::new(&MasterKey::of([7; 32]));
        for day in from.series(1.day()).take_while(|day| *day < until) {
            let clock = || morning(day);
            let writing =
                Writing { store: self.store, vault: &vault, mailer: None, policy: &self.policy, clock: &clock };
            writing.run(&CancellationToken::new()).await?;
        }
        self.took("reminders", began);
        Ok(())
    }

    async fn act(&mut self, day: Date, act: Act, to: impl Fn(Fate) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        let chosen: Vec<usize> = (0..self.units.len()).filter(|place| to(self.units[*place].fate)).collect();
        let clerk =
            Clerk { actor: "school", token: None, scope: &Scope::Everything, policy: &self.policy, now: morning(day) };
        for part in chosen.chunks(ACTS_AT_ONCE) {
            let mut lending = Lending::begin(self.store, clerk).await?;
            for place in part {
                let unit = &mut self.units[*place];
                let id = unit.loan;
                let loan = match act {
                    Act::Lend => {
                        let Unit { borrower, programme, .. } = *unit;
                        let wish = Wish { device: unit.enrolled.device, borrower, programme };
                        let handing = Handing { accessories: vec!["chargeur".to_owned()], ..Handing::default() };
                        lending.lend(wish, handing).await?
                    }
                    Act::Extend => lending.extend(id, date(2028, 6, 30)).await?,
                    Act::TakeBack(condition) => lending.take_back(id, condition, Vec::new()).await?,
                    Act::Lose => lending.lose(id).await?,
                    Act::Steal => lending.steal(id, "PV 2026/1117").await?,
                    Act::PutInStock => {
                        erase(lending.tx(), unit.enrolled.device, (day, &self.policy)).await?;
                        lending.put_in_stock(unit.enrolled.device).await?;
                        continue;
                    }
                };
                unit.loan = loan.id;
            }
            lending.commit().await?;
        }
        match act {
            Act::Lend => self.handed_over += chosen.len(),
            Act::TakeBack(_) => self.returned += chosen.len(),
            Act::Extend | Act::Lose | Act::Steal | Act::PutInStock => {}
        }
        self.took("acts", began);
        Ok(())
    }

    /// Everybody who is at school and switched on checks in once on `day`.
    async fn contacts(&mut self, day: Date) -> anyhow::Result<()> {
        let began = Instant::now();
        let at = morning(day);
        let mut check_ins = vec![];
        for unit in self.units.iter_mut().filter(|unit| unit.fate.speaks_on(day)) {
            let mut report = laptop(50);
            let worn = unit.fate == Fate::Worn && day > date(2027, 6, 1);
            let battery = Battery {
                full_milliwatt_hours: MilliwattHours::new(if worn { 31_000 } else { 43_000 }),
                design_milliwatt_hours: MilliwattHours::new(45_000),
                ..Battery::default()
            };
            report.batteries.push(battery);
            // As agents do: the report only when it says something new.
            let news = unit.reports == 0 || worn && unit.reports == 1;
            unit.reports += u64::from(news);
            let reports = if news { vec![envelope(unit.reports, at, report)] } else { Vec::new() };
            check_ins.push(unit.enrolled.check_in(at, reports));
        }
        let ingest = &self.ingest.ingest;
        stream::iter(check_ins)
            .map(|one| ingest.check_in(one))
            .buffer_unordered(CHECK_INS_AT_ONCE)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        self.took("check-ins", began);
        Ok(())
    }

    /// Lets the server's own sweep judge the fleet on `day`, and compares every device with its fate.
    async fn check(&mut self, day: Date) -> anyhow::Result<()> {
        let began = Instant::now();
        flag_sweep::run(self.store, &self.policy, morning(day), &CancellationToken::new()).await?;
        self.took("sweeps", began);
        let mut expected: Vec<String> = self
            .units
            .iter()
            .flat_map(|unit| unit.fate.flags_on(day).into_iter().map(|code| format!("{} {code}", unit.name)))
            .collect();
        let sql = "SELECT d.asset_tag || ' ' || f.code FROM flag f JOIN device d ON d.id = f.device_id \
                   WHERE f.cleared_at IS NULL";
        let mut found = Raw::connect(self.url).await?.texts(sql).await?;
        expected.sort();
        found.sort();
        let missing: Vec<&String> = expected.iter().filter(|one| found.binary_search(one).is_err()).take(5).collect();
        let unexpected: Vec<&String> =
            found.iter().filter(|one| expected.binary_search(one).is_err()).take(5).collect();
        ensure!(expected == found, "{day}: missing {missing:?}, not expected {unexpected:?}, of {}", expected.len());
        self.counters_agree(day, &expected).await
    }

    /// The totals that lists show are those of the flags that stand.
    async fn counters_agree(&self, day: Date, expected: &[String]) -> anyhow::Result<()> {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for line in expected {
            *counts.entry(line.split(' ').nth(1).unwrap_or_default()).or_default() += 1;
        }
        let mut tx = self.store.read().await?;
        let totals = counter::totals(&mut tx, &Scope::Everything).await?;
        let found: BTreeMap<&str, i64> = totals
            .iter()
            .filter(|total| total.name == "flag_code" && total.value != 0)
            .map(|total| (total.key.as_str(), total.value))
            .collect();
        ensure!(found == counts, "{day}: counters {found:?}, flags {counts:?}");
        Ok(())
    }

    /// Every device is where its fate put it, in one pair of hands at most; each hand-over and return was confirmed once.
    async fn accounts(&mut self) -> anyhow::Result<()> {
        let mut raw = Raw::connect(self.url).await?;
        let mut expected: Vec<String> =
            self.units.iter().map(|unit| format!("{} {}", unit.name, unit.fate.ends_in())).collect();
        let mut found = raw.texts("SELECT asset_tag || ' ' || lending_state FROM device").await?;
        expected.sort();
        found.sort();
        ensure!(expected == found, "a device is not where it should be");
        let kept = self.units.iter().filter(|unit| matches!(unit.fate, Fate::Extended | Fate::Staff)).count();
        let reminded = |step: i32, who: &str| {
            format!(
                "SELECT COUNT(*) FROM notice WHERE kind = 'loan_due' AND step = {step} AND recipient_kind = '{who}'"
            )
        };
        for (step, family, referent) in REMINDERS {
            let count = |to: fn(Fate) -> bool| self.units.iter().filter(|unit| to(unit.fate)).count();
            expect(&mut raw, &reminded(step, "borrower"), count(family)).await?;
            expect(&mut raw, &reminded(step, "referent"), count(referent)).await?;
        }
        let steps = REMINDERS.map(|(step, ..)| step.to_string()).join(", ");
        expect(&mut raw, &format!("SELECT COUNT(*) FROM notice WHERE kind = 'loan_due' AND step NOT IN ({steps})"), 0)
            .await?;
        let counts = [
            ("SELECT COUNT(*) FROM loan", self.handed_over),
            ("SELECT COUNT(*) FROM loan WHERE ended_at IS NULL", kept),
            ("SELECT COUNT(*) FROM notice WHERE kind = 'handed_over'", self.handed_over),
            ("SELECT COUNT(*) FROM notice WHERE kind = 'returned'", self.returned),
        ];
        for (sql, wanted) in counts {
            expect(&mut raw, sql, wanted).await?;
        }
        let due = "SELECT COUNT(*) FROM loan l JOIN programme p ON p.id = l.programme_id WHERE l.state = 'returned' \
                   AND l.due_day IS NULL AND p.kind <> 'gift'";
        let due = raw.number(due).await?;
        ensure!(due == 0, "{due} pupils' loans had no due date, instead of {DUE}");
        Ok(())
    }

    fn took(&mut self, what: &'static str, began: Instant) {
        *self.times.entry(what).or_default() += began.elapsed();
    }
}

async fn expect(raw: &mut Raw, sql: &str, wanted: usize) -> anyhow::Result<()> {
    let found = raw.number(sql).await?;
    ensure!(usize::try_from(found)? == wanted, "{sql}: {found} instead of {wanted}");
    Ok(())
}
