//! `export`: writes a list as CSV or XLSX, as the console's exports do.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{authority::Role, language::Language, scope::Scope},
    exchange::{
        export::{Export, ExportKind, Filters},
        sheet::Sheet as _,
        write::Delimiter,
    },
    store::Store,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What: devices, loans, borrowers, needs, sites, programmes, flags, dispositions, notices (sent ones), tokens,
    /// allocations, campaigns, imports, audit, snipe-it or glpi.
    kind: ExportKind,
    #[command(flatten)]
    data: DataArguments,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// The file to write; CSV goes to standard output without it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Separates cells with semicolons, as Excel expects it in France.
    #[arg(long)]
    semicolon: bool,
    /// The language of headings: fr or en.
    #[arg(long, default_value = "fr")]
    language: Language,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Csv,
    Xlsx,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = arguments.data.open_store().await?;
    let export = Export {
        kind: arguments.kind,
        language: arguments.language,
        role: Role::Administrator,
        scope: Scope::Everything,
        filters: Filters::default(),
        now: clock::now(),
        // Codes, as the API gives them: the words of pages belong to the console.
        say: Arc::new(|_, code| code.to_owned()),
    };
    let outcome = match arguments.format {
        Format::Csv => csv(&arguments, &export, &store).await,
        Format::Xlsx => xlsx(&arguments, &export, &store).await,
    };
    store.close().await;
    outcome
}

async fn csv(arguments: &Arguments, export: &Export, store: &Store) -> anyhow::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let delimiter = if arguments.semicolon { Delimiter::Semicolon } else { Delimiter::Comma };
    let mut file = match &arguments.output {
        Some(path) => Some(tokio::fs::File::create(path).await.with_context(|| path.display().to_string())?),
        None => None,
    };
    let mut after = None;
    loop {
        let (text, next) = export.csv_piece(store, after, delimiter).await?;
        match &mut file {
            Some(file) => file.write_all(text.as_bytes()).await?,
            None => print(&text)?,
        }
        match next {
            Some(cursor) => after = Some(cursor),
            None => break,
        }
    }
    if let Some(mut file) = file {
        file.flush().await?;
    }
    Ok(())
}

async fn xlsx(arguments: &Arguments, export: &Export, store: &Store) -> anyhow::Result<()> {
    let path = arguments.output.as_ref().context("a workbook needs a file: --output FILE.xlsx")?;
    let mut book = export.workbook(store).await?;
    let shown = || path.display().to_string();
    let mut file = std::fs::File::create(path).with_context(shown)?;
    std::io::copy(&mut book, &mut file).with_context(shown)?;
    say(&format!("{}: written", path.display()));
    Ok(())
}
