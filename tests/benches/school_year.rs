//! A whole school year of the programme, 21,000 devices unless `--devices` says otherwise: how long recording, acts,
//! check-ins and sweeps take on each engine. It fails when a device ends elsewhere than it should.

use cartable_tests::{
    bench::{Figures, Options},
    school_year,
    stores::TestStore,
};
use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let figures = Figures::new("school_year", &options);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&options, figures))
}

async fn measure(options: &Options, figures: Figures) -> anyhow::Result<()> {
    for engine in ["sqlite", "postgres"].into_iter().filter(|engine| options.wants(engine)) {
        let test = if engine == "sqlite" { TestStore::sqlite().await? } else { TestStore::postgres().await? };
        let times = school_year::pass(&test.store, test.url(), options.devices()).await?;
        for (what, time) in times {
            figures.tell(&format!("{engine}, {} devices", options.devices()), what, "s", time.as_secs_f64())?;
        }
    }
    Ok(())
}
