//! `import`: takes a CSV or XLSX file in. Without `--apply` it only says what would happen.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    config::{Overrides, Settings},
    domain::import::{Blanks, ImportState, Kind, OnError, OutcomeName, fault::Fault, field::Field, mapping::Mapping},
    exchange::{
        bad_rows::{self, BadRows},
        ledger::{self, Brought},
        limits::MAX_WHOLE_ROWS,
        run::{self, Begun, GoOn, RunError, Runner},
        write::Delimiter,
    },
    pki::MasterKey,
    store::{
        Store,
        audit::COMMAND_LINE,
        import::{self, Import},
    },
    vault::Vault,
};

/// How often, and how long each time, a process that may have died is waited for: longer than it is believed alive.
const WAITS: u32 = 25;
const WAIT: Duration = Duration::from_secs(2);
/// Bad rows that are printed; all of them go to the file of `--bad`.
const PRINTED: i64 = 50;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What the file lists.
    #[arg(value_enum)]
    kind: KindArgument,
    /// The file: CSV or XLSX.
    file: PathBuf,
    #[command(flatten)]
    data: DataArguments,
    /// The file with the key that seals personal data at rest.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Only says what would happen: the default.
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// Writes.
    #[arg(long)]
    apply: bool,
    /// What happens with bad rows: nothing is written, or they are left out.
    #[arg(long, value_enum, default_value_t = OnErrorArgument::Stop)]
    on_error: OnErrorArgument,
    /// A blank cell erases what is stored; otherwise it says nothing.
    #[arg(long)]
    erase_blanks: bool,
    /// What a column holds, such as `Remarque=model`; `Remarque=` leaves it out. Repeatable.
    #[arg(long, value_name = "HEADING=FIELD")]
    map: Vec<String>,
    /// Writes the bad rows here, to be corrected and imported again.
    #[arg(long, value_name = "FILE")]
    bad: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArgument {
    Devices,
    Sites,
    Borrowers,
    Loans,
    Needs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnErrorArgument {
    Stop,
    Skip,
}

impl From<KindArgument> for Kind {
    fn from(kind: KindArgument) -> Self {
        match kind {
            KindArgument::Devices => Self::Devices,
            KindArgument::Sites => Self::Sites,
            KindArgument::Borrowers => Self::Borrowers,
            KindArgument::Loans => Self::Loans,
            KindArgument::Needs => Self::Needs,
        }
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let overrides = Overrides {
        database: arguments.data.database.clone(),
        key_file: arguments.key_file.clone(),
        ..Overrides::default()
    };
    let settings = Settings::load(&arguments.data.data, overrides)?;
    let vault = Vault::new(&MasterKey::find(settings.key_file.as_deref())?);
    let store = Store::open(&settings.database.0).await?;
    let outcome = import_file(&arguments, &store, &vault).await;
    store.close().await;
    outcome
}

async fn import_file(arguments: &Arguments, store: &Store, vault: &Vault) -> anyhow::Result<()> {
    let shown = arguments.file.display().to_string();
    let bytes = tokio::fs::read(&arguments.file).await.with_context(|| shown.clone())?;
    let import = match interrupted(arguments, store, &bytes).await? {
        Some(import) => {
            say(&format!("{shown}: was interrupted after {} of {} rows; going on", import.done, import.total));
            import
        }
        None => start(arguments, store, vault, bytes).await.with_context(|| shown.clone())?,
    };
    let import = work(store, vault, import.id).await.with_context(|| shown.clone())?;
    tell(arguments, store, vault, &import).await?;
    match import.state {
        ImportState::Refused => {
            anyhow::bail!("{} bad rows: nothing was written (see --on-error skip)", import.counts.bad)
        }
        ImportState::Failed => anyhow::bail!("{}", import.failure.unwrap_or_default()),
        ImportState::Mapping
        | ImportState::Checking
        | ImportState::Checked
        | ImportState::Applying
        | ImportState::Done => Ok(()),
    }
}

/// Works on it to its end; waits for a process that held it and may have died.
async fn work(store: &Store, vault: &Vault, id: Uuid) -> anyhow::Result<Import> {
    let runner = Runner::new(store.clone(), vault.clone());
    for _ in 0..WAITS {
        let ran = runner.run(id, |import| {
            say(&format!("{} of {} rows", import.done, import.total));
            GoOn::Yes
        });
        match ran.await {
            Err(RunError::NotOurs) => {
                let mut tx = store.read().await?;
                let import = import::find(&mut tx, id).await?.context("the import was deleted")?;
                drop(tx);
                if !matches!(import.state, ImportState::Checking | ImportState::Applying) {
                    return Ok(import);
                }
                say("another process works on it, or died a moment ago: waiting");
                tokio::time::sleep(WAIT).await;
            }
            other => return Ok(other?),
        }
    }
    anyhow::bail!("another process works on this import; see the console for how far it has come")
}

/// The import of the same file that a process did not bring to its end.
async fn interrupted(arguments: &Arguments, store: &Store, bytes: &[u8]) -> anyhow::Result<Option<Import>> {
    if !arguments.apply {
        return Ok(None);
    }
    let mut tx = store.read().await?;
    let hash = ledger::content_hash(bytes);
    Ok(import::interrupted(&mut tx, arguments.kind.into(), &hash, COMMAND_LINE).await?)
}

async fn start(arguments: &Arguments, store: &Store, vault: &Vault, bytes: Vec<u8>) -> anyhow::Result<Import> {
    let name = arguments.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let now = clock::now();
    let brought = Brought { kind: arguments.kind.into(), name: &name, by: COMMAND_LINE };
    let import = ledger::take_in(store, vault, &brought, bytes, now).await?;
    let headings = ledger::preview(store, vault, import.id).await?.headings;
    let mapping = mapped(import.mapping.clone(), &headings, &arguments.map)?;
    mapping.check(import.kind).with_context(|| format!("the columns are {headings:?}"))?;
    for (heading, field) in headings.iter().zip(&mapping.columns) {
        say(&format!("column {heading:?}: {}", field.map_or("not imported", Field::as_str)));
    }
    let asked = import::Asked {
        mapping: &mapping,
        blanks: if arguments.erase_blanks { Blanks::Erase } else { Blanks::Keep },
        on_error: match arguments.on_error {
            OnErrorArgument::Stop => OnError::Stop,
            OnErrorArgument::Skip => OnError::Skip,
        },
        state: if arguments.apply { ImportState::Applying } else { ImportState::Checking },
    };
    let mut tx = store.write().await?;
    match run::begin(&mut tx, &import, &asked, COMMAND_LINE, now).await? {
        Begun::Yes => {}
        Begun::Busy => anyhow::bail!("another process works on it"),
        Begun::TooLong => {
            anyhow::bail!("more than {MAX_WHOLE_ROWS} rows are not written all or nothing: use --on-error skip")
        }
    }
    tx.commit().await?;
    ledger::remember(store, &headings, import.kind, &mapping, now).await?;
    Ok(import)
}

/// The mapping with what `--map` says.
fn mapped(mut mapping: Mapping, headings: &[String], said: &[String]) -> anyhow::Result<Mapping> {
    for one in said {
        let (heading, field) = one.rsplit_once('=').with_context(|| format!("{one:?}: write HEADING=FIELD"))?;
        let column = headings.iter().position(|known| known == heading.trim());
        let column = column.with_context(|| format!("{heading:?} is no column; they are {headings:?}"))?;
        let field = field.trim();
        mapping.columns[column] = if field.is_empty() {
            None
        } else {
            let names = || Field::ALL.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ");
            Some(field.parse().map_err(|_| anyhow::anyhow!("{field:?} is no field; they are {}", names()))?)
        };
    }
    Ok(mapping)
}

async fn tell(arguments: &Arguments, store: &Store, vault: &Vault, import: &Import) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    let all = import::rows(&mut tx, import.id, Some(OutcomeName::Bad), 0, i64::MAX).await?;
    drop(tx);
    for report in all.iter().take(usize::try_from(PRINTED).unwrap_or(usize::MAX)) {
        for fault in bad_rows::faults(report) {
            print(&format!("line {}: {}\n", report.line, words(&fault)))?;
        }
    }
    if import.counts.bad > PRINTED {
        print(&format!("… and {} more bad rows\n", import.counts.bad - PRINTED))?;
    }
    let counts = import.counts;
    let verb = if import.state == ImportState::Done { "written" } else { "not written" };
    print(&format!(
        "{verb}: {} new, {} changed, {} the same, {} bad\n",
        counts.new, counts.changed, counts.same, counts.bad
    ))?;
    if import.state == ImportState::Done && counts.new + counts.changed == 0 {
        print("nothing changed: everything was stored already\n")?;
    }
    if let Some(path) = &arguments.bad {
        let table = ledger::find(store, vault, import.id).await?;
        let file = BadRows::of(table, Delimiter::Semicolon);
        let text = file.head(["Cartable: line", "Cartable: reason"]) + &file.page(&all, words);
        tokio::fs::write(path, text).await.with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// A reason in words; docs/import.md says what to do about each.
fn words(fault: &Fault) -> String {
    let reason = fault.reason.as_str().replace('_', " ");
    let column = fault.column.as_ref().map(|column| format!("column {column:?}: ")).unwrap_or_default();
    let value = fault.value.as_ref().map(|value| format!(" ({value})")).unwrap_or_default();
    format!("{column}{reason}{value}")
}
