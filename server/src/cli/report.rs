//! `report`: the figures of a year as a PDF and a workbook.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::{DataArguments, print, serve::read_policy};
use crate::{
    clock,
    config::{Overrides, Settings},
    documents::Documents,
    domain::{
        figures::{FIRST_YEAR, Year},
        language::Language,
        paris,
    },
    exchange::figures::workbook,
    store::{Store, figures},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// The year, from 2021 to the present one.
    #[arg(long)]
    year: i16,
    /// Where to write cartable-YEAR-report.pdf and .xlsx; the directory is made if it is not there. Files of these names are
    /// replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The language: fr or en.
    #[arg(long, default_value = "fr")]
    language: Language,
    /// The policy of the rules, instead of policy.toml in the data directory.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let today = paris::date(clock::now());
    let year = Year::new(arguments.year, today).with_context(|| {
        format!("--year {}: there are figures from {FIRST_YEAR} to {}", arguments.year, today.year())
    })?;
    let overrides = Overrides {
        database: arguments.data.database.clone(),
        policy: arguments.policy.clone(),
        ..Overrides::default()
    };
    let settings = Settings::load(&arguments.data.data, overrides)?;
    let policy = read_policy(&settings)?;
    let documents = Documents::new(&settings.documents, settings.console_url.as_deref())?;
    let store = Store::open(&settings.database.0).await?;
    let mut tx = store.read().await?;
    let found = figures::of_year(&mut tx, year, &policy).await?;
    drop(tx);
    store.close().await;
    let pdf = documents.yearly_report(&found, arguments.language, today).await?;
    let book = workbook(&found, arguments.language, today)?;
    std::fs::create_dir_all(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    let mut lines = format!("figures\t{}\n", found.fingerprint());
    for (ending, bytes) in [("pdf", pdf), ("xlsx", book)] {
        let path = arguments.out.join(format!("cartable-{}-report.{ending}", year.number()));
        std::fs::write(&path, &bytes).with_context(|| path.display().to_string())?;
        lines.extend([&*path.to_string_lossy(), "\t", &HEXLOWER.encode(&Sha256::digest(&bytes)), "\n"]);
    }
    print(&lines)
}
