//! `import-inventory`: takes in what other agents wrote of machines that ours cannot run on.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use cartable_common::UtcMillis;
use clap::Args;

use super::{DataArguments, print, say, told};
use crate::{
    clock,
    domain::{
        brought::BroughtRefused,
        device_record::{ContactExpected, Described},
        language::Language,
        policy::Policy,
        reading::{self, MOST_BYTES, Reading, agents::AgentInventory},
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Store, Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        brought_report::{self, Bringing, BroughtError, By, Taken},
        device_entry::{self, Entry},
        site,
    },
};

/// Each file is attributed to the device with its serial number and maker, in a unit of work of its own; what one file is
/// refused for keeps no other back. Of a file only what a report has a place for is read: hardware, system, space, batteries.
///
/// Exit status: 0 if every file was taken, now or before; 1 if one was refused, with the reason on standard error.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// What `fusioninventory-agent --local DIR` or `glpi-agent --local DIR` (with or without `--json`) wrote.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Records machines that no device is known for at this site, as devices without an agent.
    #[arg(long, value_name = "UAI")]
    record: Option<UaiCode>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let policy = arguments.data.policy()?;
    let store = arguments.data.open_store().await?;
    let mut refused = 0_usize;
    let bench = Bench { store: &store, policy: &policy, record: arguments.record.as_ref() };
    for file in &arguments.files {
        match bench.take(file, clock::now()).await {
            Ok(said) => print(&format!("{}\t{said}\n", file.display()))?,
            Err(error) => {
                refused += 1;
                say(&format!("{}: {}", file.display(), told(&error)));
            }
        }
    }
    store.close().await;
    match refused {
        0 => Ok(()),
        refused => bail!("{refused} of {} files were refused", arguments.files.len()),
    }
}

/// What every file needs.
struct Bench<'a> {
    store: &'a Store,
    policy: &'a Policy,
    /// Where machines are recorded that nobody knows.
    record: Option<&'a UaiCode>,
}

impl Bench<'_> {
    /// Takes one file in, and says what became of it.
    async fn take(&self, path: &Path, now: UtcMillis) -> anyhow::Result<String> {
        let bytes = read(path)?;
        let inventory = match reading::read(&bytes) {
            Ok(Reading::Agent(inventory)) => *inventory,
            Ok(Reading::Drive { .. } | Reading::Batteries(_) | Reading::Device(_) | Reading::Inventory(_)) => {
                bail!("this is no inventory of FusionInventory or GLPI Agent; `cartable-server assess` judges it")
            }
            Err(why) => bail!("{}", why.said().in_language(Language::English)),
        };
        let by = By { login: COMMAND_LINE, api_token: None };
        let bringing = Bringing { file: &bytes, inventory: &inventory, by, policy: self.policy, now };
        let mut tx = self.store.write().await?;
        let first = brought_report::take_in(&mut tx, &Scope::Everything, bringing).await;
        let (taken, recorded) = match (first, self.record) {
            (Err(BroughtError::Refused(BroughtRefused::Unknown(_))), Some(uai)) => {
                self.record(&mut tx, &inventory, uai, now).await?;
                (brought_report::take_in(&mut tx, &Scope::Everything, bringing).await?, true)
            }
            (taken, _) => (taken?, false),
        };
        tx.commit().await?;
        Ok(match taken {
            Taken::Already(device) => format!("{device}\timported before: nothing changed"),
            Taken::Stored(device) if recorded => format!("{device}\trecorded and imported"),
            Taken::Stored(device) => format!("{device}\timported"),
        })
    }

    /// Records the machine that an inventory is of.
    async fn record(
        &self,
        tx: &mut Tx,
        inventory: &AgentInventory,
        uai: &UaiCode,
        now: UtcMillis,
    ) -> anyhow::Result<()> {
        let site = site::find_by_uai(tx, &Scope::Everything, uai).await?;
        let site = site.with_context(|| format!("no site has the UAI code {uai}"))?;
        let entry = Entry {
            described: Described { hardware: inventory.report.hardware.clone(), asset_tag: None },
            site: Some(site.id),
            programme: None,
            warranty_until: None,
            grade: None,
            contact_expected: ContactExpected::None,
        };
        let (id, details) = device_entry::enter(tx, &Scope::Everything, entry, (self.policy, now)).await?;
        let act = NewAudit {
            actor: COMMAND_LINE,
            action: "device.create",
            object_kind: "device",
            object_id: &id.to_string(),
            details,
        };
        audit::append(tx, act, now).await?;
        Ok(())
    }
}

/// The bytes of a file; of one that is too large, enough for the reader to say so.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use crate::cli::commands;

    const PAGE: &str = include_str!("../../../docs/other-agents.md");

    #[test]
    fn the_page_shows_commands_as_they_are() {
        let shown: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("cartable")).collect();
        assert_eq!(shown.len(), 6, "{shown:?}");
        for line in shown {
            assert!(line.starts_with("cartable-server "), "{line}");
            let parsed = commands().try_get_matches_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }
}
