//! Figures: a readable table, or one JSON line each.

use std::io::Write as _;

use clap::Parser;

/// What every benchmark can be told.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// One JSON line per figure on standard output.
    #[arg(long)]
    pub json: bool,
    /// A short look: fewer devices, shorter rounds.
    #[arg(long)]
    pub quick: bool,
    /// Devices in the store.
    #[arg(long)]
    pub devices: Option<usize>,
    /// Measured rounds; the median counts.
    #[arg(long)]
    pub rounds: Option<usize>,
    /// How long agents check in, where a benchmark watches them for a time.
    #[arg(long)]
    pub minutes: Option<u64>,
    /// Only this engine: sqlite or postgres.
    #[arg(long)]
    pub engine: Option<String>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Devices in the store.
    pub fn devices(&self) -> usize {
        self.devices.unwrap_or(if self.quick { 2_000 } else { 25_000 })
    }

    /// Measured rounds.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 }).max(1)
    }

    /// Whether `engine` is to be measured.
    pub fn wants(&self, engine: &str) -> bool {
        self.engine.as_deref().is_none_or(|wanted| wanted == engine)
    }
}

/// The figures of one benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    bench: &'static str,
    json: bool,
}

impl Figures {
    /// For the benchmark named `bench`.
    pub const fn new(bench: &'static str, options: &Options) -> Self {
        Self { bench, json: options.json }
    }

    /// Tells one figure.
    pub fn tell(&self, case: &str, figure: &str, unit: &str, value: f64) -> anyhow::Result<()> {
        // Three digits after the point are more than any of these measurements is worth.
        let value = (value * 1000.0).round() / 1000.0;
        let mut out = std::io::stdout().lock();
        if self.json {
            let line = serde_json::json!({
                "bench": self.bench, "case": case, "figure": figure, "unit": unit, "value": value,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{case:<34} {figure:<38} {value:>14} {unit}")?;
        }
        Ok(())
    }

    /// A word to whoever watches, on standard error.
    pub fn note(&self, what: &str) {
        eprintln!("{}: {what}", self.bench);
    }
}

/// The middle of `values`; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The value that `percent` of `values` do not exceed.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn count(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=20_u32).map(f64::from).rev().collect();
        assert!((median(&values) - 10.0).abs() < 1e-9);
        assert!((percentile(&values, 95) - 19.0).abs() < 1e-9);
        assert!((percentile(&[7.0], 95) - 7.0).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }
}
