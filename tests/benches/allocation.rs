//! Who gets which device, for a whole programme: 20,000 needs against 21,000 devices in stock. How long proposing takes
//! with reading and keeping it, how long approving it takes.
//!
//! `--devices` changes the stock; there are 20 needs for 21 devices.

use std::time::Instant;

use anyhow::Context as _;
use cartable_common::UtcMillis;
use cartable_server::{
    auth::{Person, Role, account},
    clock,
    domain::{
        borrower::Reference,
        need::{Need, NeedReason, Reasons},
        policy::Policy,
        scope::Scope,
    },
    store::{Store, Tx, allocation, allocation_approval, lending::Clerk, need, programme},
};
use cartable_tests::{
    bench::{Figures, Options, figure::count, fleet},
    lending::individual,
    simulator::{Roster, programme::Programme},
    stores::TestStore,
};
use clap::Parser as _;
use uuid::Uuid;

/// Devices in stock unless `--devices` says otherwise.
const DEVICES: usize = 21_000;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let figures = Figures::new("allocation", &options);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    let devices = options.devices.unwrap_or(if options.quick { 2_100 } else { DEVICES });
    let needs = devices / 21 * 20;
    for engine in ["sqlite", "postgres"].into_iter().filter(|engine| options.wants(engine)) {
        let test = if engine == "sqlite" { TestStore::sqlite().await? } else { TestStore::postgres().await? };
        figures.note(&format!("{engine}: filling the store with {devices} devices and {needs} needs"));
        let programme = Season::set(&test.store, devices, needs).await?;
        let case = format!("{engine}, {needs} needs, {devices} devices");
        programme.pass(&test.store, &case, figures).await?;
    }
    Ok(())
}

/// A programme before the summer: what waits, what is in stock, and two people who decide.
struct Season {
    policy: Policy,
    proposer: Uuid,
    approver: Uuid,
}

impl Season {
    async fn set(store: &Store, devices: usize, needs: usize) -> anyhow::Result<Self> {
        let now = clock::now();
        let sites = fleet::fill(store, devices, now).await?;
        let (proposer, approver) = (person(store, "anne", now).await?, person(store, "marc", now).await?);
        let mut tx = store.write().await?;
        let mut programmes = Vec::new();
        for (kind, _) in Programme::SIZES {
            programmes.push((kind, add_programme(&mut tx, kind, now).await?));
        }
        let reasons = [None, Some(NeedReason::Ulis), Some(NeedReason::NoComputer), Some(NeedReason::Band2)];
        for (number, machine) in Roster::drawn(3, needs).machines.iter().enumerate() {
            let (_, programme) =
                programmes.iter().find(|(kind, _)| *kind == machine.programme).context("an unknown programme")?;
            let asked = Need {
                id: Uuid::now_v7(),
                site: sites[machine.site % sites.len()],
                programme: *programme,
                level: None,
                reasons: Reasons::new(reasons[number % reasons.len()])?,
                borrower: None,
                entered_at: now,
            };
            need::insert(&mut tx, &asked, "bench").await?;
        }
        tx.commit().await?;
        Ok(Self { policy: Policy::default(), proposer, approver })
    }

    async fn pass(&self, store: &Store, case: &str, figures: Figures) -> anyhow::Result<()> {
        let now = clock::now();
        let begun = Instant::now();
        let mut tx = store.write().await?;
        let id = allocation::propose(&mut tx, None, &self.policy, self.proposer, now).await?;
        tx.commit().await?;
        figures.tell(case, "propose", "s", begun.elapsed().as_secs_f64())?;
        let made = allocation::find(&mut store.read().await?, id).await?.context("the proposal is gone")?;
        figures.tell(case, "needs with a device", "", count(made.given.into()))?;
        let begun = Instant::now();
        let clerk = Clerk { actor: "marc", token: None, scope: &Scope::Everything, policy: &self.policy, now };
        let mut drawn = || {
            let mut random = [0; 8];
            random.copy_from_slice(&Uuid::new_v4().as_bytes()[..8]);
            Some(Reference::from_random(random))
        };
        let approved = allocation_approval::approve(store, id, self.approver, clerk, &mut drawn).await?;
        figures.tell(case, "approve", "s", begun.elapsed().as_secs_f64())?;
        figures.tell(case, "devices reserved", "", count(approved.reserved.into()))
    }
}

async fn person(store: &Store, login: &str, now: UtcMillis) -> anyhow::Result<Uuid> {
    let id = Uuid::new_v4();
    let person = Person {
        id,
        login: login.parse()?,
        display_name: login.to_owned(),
        role: Role::Administrator,
        scope: Scope::Everything,
        language: None,
    };
    account::create(store, "bench", person, "correct-cheval-pile-agrafe", now).await?;
    Ok(id)
}

async fn add_programme(tx: &mut Tx, kind: Programme, now: UtcMillis) -> anyhow::Result<Uuid> {
    let made = individual(kind.code())?;
    programme::put(tx, &made, now).await?;
    Ok(made.id)
}
