//! `device order`, `device orders` and `device agent-log`: what an operator orders of an agent, and what it answered.

use anyhow::Context as _;
use cartable_common::DeviceId;
use clap::Args;
use jiff::civil::Date;
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{
        device_action::{Kind, Order},
        paris,
        policy::Policy,
        scope::Scope,
        timestamp::rfc3339,
    },
    store::{
        audit::COMMAND_LINE,
        device,
        device_action::{self, Ordered},
        lending::Clerk,
    },
};

#[derive(Debug, Args)]
pub(super) struct New {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    id: DeviceId,
    /// check_in, full_report, self_test, return_notice or send_log.
    kind: Kind,
    /// The last day of a return notice, such as 2027-07-02.
    #[arg(long, value_name = "DAY")]
    due: Option<Date>,
    /// Where a return notice says to bring the laptop.
    #[arg(long, value_name = "WORDS")]
    place: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Of {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    id: DeviceId,
}

#[derive(Debug, Args)]
pub(super) struct Log {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    id: DeviceId,
    /// The order's id, as `device orders` shows it.
    order: Uuid,
}

pub(super) async fn order(new: New) -> anyhow::Result<()> {
    const EVERYWHERE: &Scope = &Scope::Everything;
    let now = clock::now();
    let order = Order::new(new.kind, new.due, new.place.as_deref(), paris::date(now))?;
    let store = new.data.open_store().await?;
    let mut tx = store.write().await?;
    let policy = Policy::default();
    let by = Clerk { actor: COMMAND_LINE, token: None, scope: EVERYWHERE, policy: &policy, now };
    let id = match device_action::order(&mut tx, new.id, &order, by).await? {
        Ordered::Given(id) => id,
        Ordered::Hindered(why) => anyhow::bail!("not ordered: {}", why.words()),
        Ordered::Unknown => anyhow::bail!("no device has the id {}", new.id),
    };
    tx.commit().await?;
    store.close().await;
    say("the laptop is told at its next contact");
    print(&format!("{id}\n"))
}

pub(super) async fn list(of: Of) -> anyhow::Result<()> {
    let store = of.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.read().await?;
    let found = device::find(&mut tx, &Scope::Everything, of.id).await?;
    found.with_context(|| format!("no device has the id {}", of.id))?;
    for row in device_action::of_device(&mut tx, of.id).await? {
        let outcome = row.answer.map_or("", |(outcome, _)| outcome.as_str());
        let (kind, state, ordered_at) = (row.order.kind(), row.state(now), rfc3339(row.ordered_at));
        print(&format!("{}\t{kind}\t{state}\t{outcome}\t{ordered_at}\t{}\n", row.id, row.ordered_by))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

pub(super) async fn log(Log { data, id, order }: Log) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    let lines = device_action::log(&mut tx, id, order).await?;
    let lines = lines.with_context(|| format!("no log came with the order {order}, or it is older than 30 days"))?;
    for line in lines {
        let day = line.at.map_or_else(String::new, |day| paris::date(day.start()).to_string());
        print(&format!("{day}\t{}\t{}\n", line.level, line.words))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}
