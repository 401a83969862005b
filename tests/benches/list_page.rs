//! The list of devices: how long the query takes in the store, and the whole answer of the API and of the console's
//! page, with filters, sorts, search, count and 50 rows. `--devices 1000000` for the large programme.

use std::time::{Duration, Instant};

use cartable_server::{
    domain::{
        device::DeviceStatus,
        flag::{FlagCode, Severity},
        scope::Scope,
    },
    store::{
        Store,
        device_list::{self, DeviceQuery, DeviceSort, Direction},
    },
};
use cartable_tests::{
    bench::{
        Figures, Options,
        figure::{median, percentile},
        stage::{LOAD_CORE, Stage},
        usage,
    },
    harness::{
        Api, Binaries, Visitor,
        cartable::{LOGIN, PASSWORD},
    },
};
use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let figures = Figures::new("list_page", &options);
    // Built before this process, and with it the compiler, is held to one core.
    Binaries::find()?;
    usage::stay_on_core(LOAD_CORE);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    for engine in ["sqlite", "postgres"].into_iter().filter(|engine| options.wants(engine)) {
        figures.note(&format!("{engine}: filling the store with {} devices", options.devices()));
        let stage = Stage::set(engine, options.devices()).await?;
        let repeats = if options.quick { 20 } else { 200 };
        let case = |what: &str| format!("{engine}, {}: {what}", options.devices());
        in_store(&stage, repeats, &case, figures).await?;
        over_http(&stage, repeats, &case, figures).await?;
    }
    Ok(())
}

/// What people ask, named.
fn queries(stage: &Stage) -> Vec<(&'static str, DeviceQuery)> {
    let plain = DeviceQuery::default();
    let search = |words: &str| DeviceQuery { search: Some(words.to_owned()), ..plain.clone() };
    vec![
        ("all, by serial", plain.clone()),
        (
            "active with a drive failing, worst first",
            DeviceQuery {
                status: Some(DeviceStatus::Active),
                flag: Some(FlagCode::DriveFailing),
                sort: DeviceSort::Severity,
                direction: Direction::Descending,
                ..plain.clone()
            },
        ),
        (
            "warnings, by last contact",
            DeviceQuery { min_severity: Some(Severity::Warning), sort: DeviceSort::Contact, ..plain.clone() },
        ),
        (
            "one site, by model",
            DeviceQuery { site: stage.sites.first().copied(), sort: DeviceSort::Model, ..plain.clone() },
        ),
        ("search of a common word", search("lenovo")),
        ("search of two words", search("college thinkpad")),
        ("search that finds nothing", search("zzqx")),
    ]
}

async fn in_store(
    stage: &Stage,
    repeats: usize,
    case: &impl Fn(&str) -> String,
    figures: Figures,
) -> anyhow::Result<()> {
    let store = Store::open(&stage.database_url()).await?;
    for (name, query) in queries(stage) {
        let mut times = Vec::new();
        for _ in 0..repeats {
            let start = Instant::now();
            let mut tx = store.read().await?;
            device_list::list(&mut tx, &Scope::Everything, &query).await?;
            drop(tx);
            times.push(millis(start.elapsed()));
        }
        tell(figures, &case(&format!("store, {name}")), &times)?;
    }
    store.close().await;
    Ok(())
}

async fn over_http(
    stage: &Stage,
    repeats: usize,
    case: &impl Fn(&str) -> String,
    figures: Figures,
) -> anyhow::Result<()> {
    let server = stage.serve()?;
    let api = Api::new(server.console(), &stage.api_token)?;
    let visitor = Visitor::sign_in(server.console(), LOGIN, PASSWORD).await?;
    let asked = [
        ("all, by serial", "", ""),
        (
            "active with a drive failing, worst first",
            "?status=active&flag=drive_failing&sort=severity&order=descending",
            "?status=active&flag=drive_failing&sort=severity&order=desc",
        ),
        ("search of two words", "?search=college+thinkpad", "?q=college+thinkpad"),
    ];
    for (name, api_query, page_query) in asked {
        let (mut answers, mut pages) = (Vec::new(), Vec::new());
        for _ in 0..repeats {
            let start = Instant::now();
            api.get(&format!("/api/v1/devices{api_query}")).await?;
            answers.push(millis(start.elapsed()));
            let start = Instant::now();
            let page = visitor.get(&format!("/devices{page_query}")).await?;
            anyhow::ensure!(page.status.is_success(), "the page answered {}", page.status);
            pages.push(millis(start.elapsed()));
        }
        tell(figures, &case(&format!("API, {name}")), &answers)?;
        tell(figures, &case(&format!("page, {name}")), &pages)?;
    }
    Ok(())
}

fn tell(figures: Figures, case: &str, times: &[f64]) -> anyhow::Result<()> {
    figures.tell(case, "p50", "ms", median(times))?;
    figures.tell(case, "p95", "ms", percentile(times, 95))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
