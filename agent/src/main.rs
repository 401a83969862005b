//! The agent's program: parses the command line and starts a runtime of one thread.
//!
//! On Windows the service manager starts the service in a thread of its own, and what WMI says is read in a process of
//! its own: neither has this runtime.

use std::process::ExitCode;

use cartable_agent::{cli, service};
use clap::Parser as _;

fn main() -> anyhow::Result<ExitCode> {
    let cli = cli::Cli::parse();
    #[cfg(windows)]
    let cli = match cli.run_without_runtime() {
        Ok(code) => return Ok(code),
        Err(cli) => cli,
    };
    let runtime = service::runtime()?;
    Ok(runtime.block_on(cli::run(cli)))
}
