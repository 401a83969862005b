//! The nightly sweep: all flags of a fleet and what each device should become, and the same for one device alone after
//! something about it changed. `--devices 1000000` for the large programme.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    clock,
    domain::{
        disposition::{Disposition, advise},
        policy::Policy,
        scope::Scope,
    },
    jobs::flag_sweep,
    store::{Store, advice, advice_list, review},
};
use cartable_tests::{
    bench::{
        Figures, Options,
        figure::{count, median, percentile},
        fleet, usage,
    },
    stores::TestStore,
};
use clap::Parser as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Devices looked at one by one.
const ALONE: i64 = 500;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let figures = Figures::new("sweep", &options);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    let devices = options.devices();
    for engine in ["sqlite", "postgres"].into_iter().filter(|engine| options.wants(engine)) {
        let test = if engine == "sqlite" { TestStore::sqlite().await? } else { TestStore::postgres().await? };
        figures.note(&format!("{engine}: filling the store with {devices} devices"));
        let now = clock::now();
        fleet::fill(&test.store, devices, now).await?;
        let case = |what: &str| format!("{engine}, {devices}: {what}");
        let policy = Policy::default();
        whole(&test.store, &policy, now, &case, figures).await?;
        alone(&test.store, &policy, now, &case, figures).await?;
    }
    Ok(())
}

/// The whole fleet: when everything is decided for the first time, on the next day, and when nothing is to be done.
async fn whole(
    store: &Store,
    policy: &Policy,
    now: UtcMillis,
    case: &impl Fn(&str) -> String,
    figures: Figures,
) -> anyhow::Result<()> {
    for (what, at) in [("first", now), ("next day", now.plus_days(1)), ("minutes later", now.plus_days(1))] {
        let begun = Instant::now();
        let swept = flag_sweep::run(store, policy, at, &CancellationToken::new()).await?;
        figures.tell(&case(what), "sweep", "s", begun.elapsed().as_secs_f64())?;
        figures.tell(&case(what), "devices judged", "", count(u64::try_from(swept.devices)?))?;
        // Of this process: the store's own work for SQLite, the server's half of it for PostgreSQL.
        for (figure, field) in [("resident memory", "VmRSS"), ("peak memory so far", "VmHWM")] {
            figures.tell(&case(what), figure, "KiB", count(usage::status(std::process::id(), field)?))?;
        }
    }
    let counts = advice_list::counts(&mut store.read().await?, &Scope::Everything).await?;
    for disposition in Disposition::ALL {
        let of = counts.iter().filter(|count| count.disposition == *disposition).map(|count| count.devices);
        figures.tell(&case("decided"), disposition.as_str(), "", count(u64::try_from(of.sum::<i64>())?))?;
    }
    Ok(())
}

/// One device after the other, each in its own unit of work.
async fn alone(
    store: &Store,
    policy: &Policy,
    now: UtcMillis,
    case: &impl Fn(&str) -> String,
    figures: Figures,
) -> anyhow::Result<()> {
    let facts = advice_list::facts(&mut store.read().await?, &Scope::Everything, Uuid::nil(), ALONE).await?;
    let (mut flags, mut kept, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (id, _) in &facts {
        let mut tx = store.write().await?;
        let begun = Instant::now();
        review::device(&mut tx, DeviceId(*id), policy, now).await?;
        flags.push(millis(begun.elapsed()));
        let begun = Instant::now();
        advice::decide(&mut tx, &[*id], policy, now).await?;
        kept.push(millis(begun.elapsed()));
        tx.commit().await?;
        let begun = Instant::now();
        let mut tx = store.read().await?;
        advice::of_device(&mut tx, DeviceId(*id), policy, now).await?.context("a device without advice")?;
        shown.push(millis(begun.elapsed()));
    }
    for (figure, times) in [("flags anew", flags), ("advice anew and kept", kept), ("advice anew for a page", shown)] {
        figures.tell(&case("one device"), &format!("{figure}, p50"), "ms", median(&times))?;
        figures.tell(&case("one device"), &format!("{figure}, p95"), "ms", percentile(&times, 95))?;
    }
    let begun = Instant::now();
    for (_, one) in &facts {
        std::hint::black_box(advise(one, policy, now));
    }
    let each = millis(begun.elapsed()) * 1e3 / count(u64::try_from(facts.len().max(1))?);
    figures.tell(&case("one device"), "the decision alone, mean", "µs", each)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
