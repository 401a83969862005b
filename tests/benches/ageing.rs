//! Three years of a simulated fleet, 21,000 devices unless `--devices` says otherwise: each summer's advice compared with
//! what the simulator knows happened, beside three baselines. Prints the tables of docs/EVIDENCE.md.

use std::{io::Write as _, time::Instant};

use cartable_server::domain::policy::Policy;
use cartable_tests::{ageing_study, simulator::ageing::Ageing};
use clap::Parser;

/// What it can be told.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Devices of the fleet.
    #[arg(long, default_value_t = 21_000)]
    devices: usize,
    /// All draws follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long holders need a battery to last, in percent of the model's assumption.
    #[arg(long, default_value_t = 100)]
    battery_need_percent: u32,
    /// Another bound of the policy below which a battery is not lent again: to ask what it would change.
    #[arg(long)]
    relend_percent: Option<u32>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let ageing = Ageing { seed: options.seed, battery_need: f64::from(options.battery_need_percent) / 100.0 };
    let mut policy = Policy::default();
    policy.battery.relend_percent = options.relend_percent.unwrap_or(policy.battery.relend_percent);
    let begun = Instant::now();
    let study = ageing_study::run(options.devices, ageing, &policy);
    eprintln!("ageing: {:.1} s, seed {}", begun.elapsed().as_secs_f64(), options.seed);
    write!(std::io::stdout().lock(), "{}", study.told())?;
    Ok(())
}
