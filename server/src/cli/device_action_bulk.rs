//! `device order-all`: one order to the agents of many devices. Without `--apply` it only says what would happen. Here no
//! form names each device and nobody waits for a page, so that there is no limit: a hundred are ordered at a time.

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;
use uuid::Uuid;

use super::{DataArguments, print};
use crate::{
    clock,
    domain::{
        device::DeviceStatus,
        device_action::Kind,
        device_action_bulk::{BulkOrder, Tally},
        flag::{FlagCode, Severity},
        policy::Policy,
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Store,
        audit::COMMAND_LINE,
        device_action_bulk::{self, Many},
        device_list::DeviceQuery,
        lending::Clerk,
        site,
    },
};

#[derive(Debug, Args)]
pub(super) struct All {
    #[command(flatten)]
    data: DataArguments,
    /// check_in, full_report, self_test or return_notice.
    kind: Kind,
    /// Only devices with these words in serial number, model, asset tag or site.
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only devices of this site.
    #[arg(long, value_name = "UAI")]
    site: Option<UaiCode>,
    /// Only devices of this status.
    #[arg(long)]
    status: Option<DeviceStatus>,
    /// Only devices with this flag open.
    #[arg(long, value_name = "CODE")]
    flag: Option<FlagCode>,
    /// Only devices whose worst open flag is at least info, warning or critical.
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
    /// Return notices for loans that are due until this day alone, such as 2027-07-02.
    #[arg(long, value_name = "DAY")]
    due_by: Option<Date>,
    /// Where return notices say to bring the laptops; the name of each one's site if absent.
    #[arg(long, value_name = "WORDS")]
    place: Option<String>,
    /// Only says what would happen: the default.
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// Orders.
    #[arg(long)]
    apply: bool,
}

pub(super) async fn order(all: All) -> anyhow::Result<()> {
    const EVERYWHERE: &Scope = &Scope::Everything;
    let order = BulkOrder::new(all.kind, all.due_by, all.place.as_deref())?;
    let store = all.data.open_store().await?;
    let query = DeviceQuery {
        search: all.search,
        status: all.status,
        site: site_of(&store, all.site.as_ref()).await?,
        flag: all.flag,
        min_severity: all.min_severity,
        ..DeviceQuery::default()
    };
    let policy = Policy::default();
    let by = Clerk { actor: COMMAND_LINE, token: None, scope: EVERYWHERE, policy: &policy, now: clock::now() };
    let many = Many { query: &query, order: &order };
    let (done, tally) = if all.apply {
        let tally = device_action_bulk::order_all(&store, by, many, usize::MAX).await?;
        (("ordered", "the laptop is told at its next contact"), tally)
    } else {
        let mut tx = store.read().await?;
        let seen = device_action_bulk::preview(&mut tx, by, many, usize::MAX).await?;
        (("would_order", "nothing is ordered without --apply"), device_action_bulk::tally(&seen))
    };
    store.close().await;
    tell(done, &tally)
}

async fn site_of(store: &Store, code: Option<&UaiCode>) -> anyhow::Result<Option<Uuid>> {
    let Some(code) = code else { return Ok(None) };
    let mut tx = store.read().await?;
    let found = site::find_by_uai(&mut tx, &Scope::Everything, code).await?;
    Ok(Some(found.with_context(|| format!("no site has the UAI code {code}"))?.id))
}

/// How many of which outcome: its name, how many, what it means.
fn tell((name, means): (&str, &str), tally: &Tally) -> anyhow::Result<()> {
    print(&format!("{name}\t{}\t{means}\n", tally.ordered))?;
    for (why, devices) in &tally.left_out {
        print(&format!("{why}\t{devices}\t{}\n", why.words()))?;
    }
    Ok(())
}
