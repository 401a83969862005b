//! The forecast held against simulated years: what came beside the bands. Prints the table of docs/forecast.md.

use std::{io::Write as _, time::Instant};

use cartable_tests::calibration::{self, Trial};
use clap::Parser;

/// What it can be told.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Worlds that are played.
    #[arg(long, default_value_t = 40)]
    worlds: u64,
    /// The first of them: none of those that were looked at while the forecast was written.
    #[arg(long, default_value_t = Trial::default().seeds.start)]
    first: u64,
    /// Loans of each year.
    #[arg(long, default_value_t = Trial::default().devices)]
    devices: usize,
    /// Futures that each forecast plays.
    #[arg(long, default_value_t = Trial::default().runs)]
    runs: u32,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let seeds = options.first..options.first.saturating_add(options.worlds);
    let trial = Trial { seeds, devices: options.devices, runs: options.runs };
    let begun = Instant::now();
    let calibration = calibration::run(&trial);
    eprintln!("forecast: {:.1} s, worlds {:?}", begun.elapsed().as_secs_f64(), trial.seeds);
    write!(std::io::stdout().lock(), "{}", calibration.told())?;
    Ok(())
}
