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
        timestamp::{self, rfc3339},
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
    /// The ids of requests, as `device waiting` shows them. A device that was revoked, set aside or released is in service again
    /// with that.
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
        print(&line(&asking))?;
    }
    store.close().await;
    Ok(())
}

/// One request, as `device waiting` lists it.
fn line(asking: &Asking) -> String {
    const NOTHING: &str = "-";
    let known = asking.known.as_ref();
    let device = known.map_or_else(|| NOTHING.to_owned(), |known| known.id.to_string());
    let status = known.map_or(NOTHING, |known| known.status.as_str());
    let (serial, model) = (asking.serial_number.as_deref(), asking.model.as_deref());
    let (serial, model) = (serial.unwrap_or_default(), model.unwrap_or_default());
    let (why, effect, since) = (asking.waits_for, asking.effect.code(), rfc3339(asking.since));
    let last_day = asking.last_asked_on.and_then(|day| timestamp::date(day.start().day_number()));
    let last_day = last_day.unwrap_or_else(|| NOTHING.to_owned());
    let lost = match &asking.lost_key_of {
        Some(known) => format!("\tlost key of {}", known.id),
        None => String::new(),
    };
    format!("{}\t{device}\t{serial}\t{model}\t{why}\t{effect}\t{status}\t{since}\t{last_day}{lost}\n", asking.id)
}

pub(super) async fn approve(approve: Approve) -> anyhow::Result<()> {
    let store = approve.data.open_store().await?;
    let mut ids: BTreeSet<Uuid> = approve.ids.into_iter().collect();
    if let Some(path) = &approve.serials {
        ids.extend(listed(&store, path).await?);
        anyhow::ensure!(!ids.is_empty(), "nobody was approved; see `cartable-server device waiting`");
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
    } else if asking.lifts().is_some() {
        Some("it would put a device back in service that somebody took out of it")
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
        Outcome::Approved(device) => {
            let lifted = match one.asked.as_ref().and_then(Asking::lifts) {
                Some(before) => format!(". The device was {before}: that is lifted, and it is in service again"),
                None => String::new(),
            };
            format!("{}: approved as {device}; it is let in when it asks next{lifted}", one.id)
        }
        Outcome::Refused => format!("{}: refused", one.id),
        Outcome::Already => format!("{}: somebody decided about it before", one.id),
        Outcome::Changed => format!("{}: it changed meanwhile", one.id),
        Outcome::Impossible(why) => format!("{}: it cannot be let in ({why})", one.id),
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{DeviceId, UtcDay, UtcMillis};

    use super::*;
    use crate::{
        domain::{
            approval::{LIFTED, Source},
            device::DeviceStatus,
        },
        store::approval_queue::Known,
    };

    /// A newcomer that is the device with that status.
    fn asking(status: DeviceStatus) -> Asking {
        let (device, since) = (DeviceId(Uuid::from_u128(2)), UtcMillis::new(1_796_000_000_000).unwrap());
        let known = Known {
            id: device,
            serial_number: Some("PF2CART7".to_owned()),
            asset_tag: None,
            status,
            archived: false,
            lending: None,
            last_contact_at: None,
        };
        Asking {
            id: Uuid::from_u128(1),
            source: Source::Newcomer,
            waits_for: WaitsFor::SpentToken,
            since,
            last_asked_on: Some(UtcDay::from(since.plus_days(2))),
            lapses_at: None,
            serial_number: Some("PF2CART7".to_owned()),
            manufacturer: None,
            model: Some("ThinkPad L480".to_owned()),
            token: None,
            by_lost_key: false,
            lost_key_of: None,
            site: None,
            site_name: None,
            effect: Effect::FirstKey(device),
            known: Some(known),
        }
    }

    #[test]
    fn a_request_is_listed_with_the_status_of_its_device_and_when_it_asked() {
        let listed = line(&asking(DeviceStatus::Revoked));
        let columns: Vec<&str> = listed.trim_end().split('\t').collect();
        let expected = ["spent_token", "first_key", "revoked", "2026-11-30T00:53:20.000Z", "2026-12-02"];
        assert_eq!(columns[4..], expected);
        let bare =
            Asking { known: None, effect: Effect::NewDevice, last_asked_on: None, ..asking(DeviceStatus::Active) };
        let columns = line(&bare);
        assert!(columns.contains("\tnew_device\t-\t") && columns.ends_with("Z\t-\n"), "{columns}");
    }

    #[test]
    fn no_list_puts_a_device_back_in_service_and_who_does_is_told() {
        assert_eq!(left_out(&asking(DeviceStatus::Pending), 1), None);
        let told_of = |status| {
            let asked = asking(status);
            let outcome = Outcome::Approved(DeviceId(Uuid::from_u128(2)));
            told(&Decided { id: asked.id, asked: Some(asked), outcome })
        };
        assert!(told_of(DeviceStatus::Pending).ends_with("when it asks next"));
        for status in LIFTED {
            let why = left_out(&asking(status), 1).unwrap();
            assert!(why.contains("back in service"), "{why}");
            let told = told_of(status);
            assert!(told.contains(&format!("was {status}: that is lifted")), "{told}");
        }
    }
}
