//! The program behind `cargo demo`; everything is in the library.

use cartable_tests::demo::{Arguments, run};
use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(Arguments::parse()).await
}
