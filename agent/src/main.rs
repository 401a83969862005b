//! The agent's program: parses the command line and starts a runtime of one thread.

use std::{process::ExitCode, time::Duration};

use cartable_agent::cli;
use clap::Parser as _;

fn main() -> anyhow::Result<ExitCode> {
    let cli = cli::Cli::parse();
    // The only other thread looks names up, and ends at once afterwards.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_millis(1))
        .build()?;
    Ok(runtime.block_on(cli::run(cli)))
}
