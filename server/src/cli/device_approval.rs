//! `device waiting`, `device approve`, `device refuse`: machines that ask to be let in, one or many at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{
        approval::{Effect, MOST_AT_ONCE, Ruling, WaitsFor},
        device::folded_code,
        scope::Scope,
    },
    store::{
        Store,
        approval::{self, Chosen, Decided, Outcome},
        approval_queue::{self, Asking, QueueQuery},
        audit::COMMAND_LINE,
        lending::Clerk,
    },
};

/// Longest list of serial numbers that is read, in bytes: some hundred thousand of them.
const MAX_LIST_BYTES: u64 = 4 << 20;

#[derive(Debug, Args)]
pub(super) struct Approve {
    #[command(flatten)]
    data: DataArguments,
    /// The ids of requests, as `device waiting` shows them.
    #[arg(required_unless_present = "serials")]
    ids: Vec<Uuid>,
    /// A file with one serial number a line: those of its machines that wait are approved, but for those that a person looks at
    /// and approves by id, which are told.
    #[arg(long, value_name = "FILE")]
    serials: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Refuse {
    #[command(flatten)]
    data: DataArguments,
    /// The ids of requests, as `device waiting` shows them.
    #[arg(required = true)]
    ids: Vec<Uuid>,
    /// Why; stands in the audit.
    #[arg(long, default_value = "refused at the command line")]
    reason: String,
}

pub(super) async fn waiting(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    for asking in all(&store).await? {
        let device = asking.known.map_or_else(|| "-".to_owned(), |known| known.id.to_string());
        let (serial, model) = (asking.serial_number.unwrap_or_default(), asking.model.unwrap_or_default());
        let (why, effect) = (asking.waits_for, asking.effect.code());
        let lost = match asking.lost_key_of {
            Some(known) => format!("\tlost key of {}", known.id),
            None => String::new(),
        };
        print(&format!("{}\t{device}\t{serial}\t{model}\t{why}\t{effect}{lost}\n", asking.id))?;
    }
    store.close().await;
    Ok(())
}

pub(super) async fn approve(approve: Approve) -> anyhow::Result<()> {
    let store = approve.data.open_store().await?;
    let mut ids: BTreeSet<Uuid> = approve.ids.into_iter().collect();
    if let Some(path) = &approve.serials {
        ids.extend(listed(&store, path).await?);
    }
    decide(&approve.data, &store, Ruling::Approve, None, &ids).await?;
    store.close().await;
    Ok(())
}

pub(super) async fn refuse(refuse: Refuse) -> anyhow::Result<()> {
    let store = refuse.data.open_store().await?;
    let ids: BTreeSet<Uuid> = refuse.ids.into_iter().collect();
    decide(&refuse.data, &store, Ruling::Refuse, Some(&refuse.reason), &ids).await?;
    store.close().await;
    Ok(())
}

/// Everything that waits, oldest first.
async fn all(store: &Store) -> anyhow::Result<Vec<Asking>> {
    let (mut all, mut query) = (Vec::new(), QueueQuery::default());
    let mut tx = store.read().await?;
    loop {
        let page = approval_queue::list(&mut tx, &Scope::Everything, &query).await?;
        all.extend(page.rows);
        if page.next.is_none() {
            return Ok(all);
        }
        query.after = page.next;
    }
}

/// Why a list of serial numbers does not approve a request, whose serial number is that of so many `claims`: whoever has a lent
/// laptop may claim any, and is looked at by id.
fn left_out(asking: &Asking, claims: usize) -> Option<&'static str> {
    if asking.waits_for == WaitsFor::ClonedKey {
        Some("it showed the key of another machine")
    } else if asking.by_lost_key {
        Some("it names a lost key, which proves nothing")
    } else if matches!(asking.effect, Effect::Replaces(_)) {
        Some("it would replace the key of a device")
    } else if claims > 1 {
        Some("another request claims its serial number")
    } else {
        None
    }
}

/// The requests of machines whose serial number stands in the file; says which are left out and why, and how many of its lines
/// wait for nobody.
async fn listed(store: &Store, path: &Path) -> anyhow::Result<Vec<Uuid>> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| shown.to_string())?.len();
    anyhow::ensure!(size <= MAX_LIST_BYTES, "{shown}: a list has at most {MAX_LIST_BYTES} bytes");
    let text = std::fs::read_to_string(path).with_context(|| shown.to_string())?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let mut serials: BTreeSet<String> = lines.filter(|line| !line.is_empty()).map(folded_code).collect();
    anyhow::ensure!(!serials.is_empty(), "{shown} holds no serial number: write one a line");
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let asked = all(store).await?;
    let serial_of = |asking: &Asking| asking.serial_number.as_deref().map(folded_code).unwrap_or_default();
    let mut claims: BTreeMap<String, usize> = BTreeMap::new();
    for asking in &asked {
        *claims.entry(serial_of(asking)).or_default() += 1;
    }
    for asking in &asked {
        let serial = serial_of(asking);
        if !serials.contains(&serial) {
            continue;
        }
        let claims = claims.get(&serial).copied().unwrap_or_default();
        match left_out(asking, claims) {
            Some(why) => say(&format!("{}: left out, {why}; look at the machine, and approve it by its id", asking.id)),
            None => found.push(asking.id),
        }
        seen.insert(serial);
    }
    serials.retain(|serial| !seen.contains(serial));
    if !serials.is_empty() {
        say(&format!("{} serial number(s) of the list wait for nobody", serials.len()));
    }
    Ok(found)
}

/// Decides about all of them, so many in one unit of work, and tells of each what became of it. An error where one was not
/// decided as it was wanted: what was done before it stays.
async fn decide(
    data: &DataArguments,
    store: &Store,
    ruling: Ruling,
    reason: Option<&str>,
    ids: &BTreeSet<Uuid>,
) -> anyhow::Result<()> {
    let policy = data.policy()?;
    let scope = Scope::Everything;
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let mut left = 0_usize;
    for some in ids.chunks(MOST_AT_ONCE) {
        let chosen: Chosen = some.iter().map(|id| (*id, None)).collect();
        let by = Clerk { actor: COMMAND_LINE, token: None, scope: &scope, policy: &policy, now: clock::now() };
        let mut tx = store.write().await?;
        let decided = approval::decide(&mut tx, by, ruling, reason, &chosen)
            .await
            .context("nothing was decided; see `cartable-server device waiting`")?;
        tx.commit().await?;
        left += decided.iter().filter(|one| !one.outcome.is_done()).count();
        for one in &decided {
            say(&told(one));
        }
    }
    anyhow::ensure!(left == 0, "{left} request(s) were not decided; see `cartable-server device waiting`");
    Ok(())
}

fn told(one: &Decided) -> String {
    match one.outcome {
        Outcome::Approved(device) => format!("{}: approved as {device}; it is let in when it asks next", one.id),
        Outcome::Refused => format!("{}: refused", one.id),
        Outcome::Already => format!("{}: somebody decided about it before", one.id),
        Outcome::Changed => format!("{}: it changed meanwhile", one.id),
        Outcome::Impossible(why) => format!("{}: it cannot be let in ({why})", one.id),
    }
}
