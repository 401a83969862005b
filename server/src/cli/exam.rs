//! `exam`: orders, lists and calls off the times in which laptops make no contact.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::civil::DateTime;
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{exam::NewExam, paris, scope::Scope, timestamp::rfc3339, uai::UaiCode},
    store::{
        Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        exam::{self, CalledOff},
        site,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum ExamCommand {
    /// Orders an exam and prints the id of each site's.
    Order(Order),
    /// Lists exams, those under way, those to come, those of the last 400 days: id, state, beginning and end (UTC), site or "all", label.
    List(DataArguments),
    /// Ends an exam that has begun, removes one that has not.
    End(End),
}

#[derive(Debug, Args)]
pub(super) struct Order {
    #[command(flatten)]
    data: DataArguments,
    /// What people call it.
    #[arg(long)]
    label: String,
    /// When it begins, in Paris: 2027-06-14T08:00.
    #[arg(long, value_name = "TIME")]
    from: DateTime,
    /// When it ends, in Paris, at most 12 hours later.
    #[arg(long, value_name = "TIME")]
    to: DateTime,
    /// The UAI code of a site; several times for several. Without it, all sites.
    #[arg(long = "site", value_name = "UAI")]
    sites: Vec<UaiCode>,
}

#[derive(Debug, Args)]
pub(super) struct End {
    #[command(flatten)]
    data: DataArguments,
    /// The exam's id, as `exam list` shows it.
    id: Uuid,
}

pub(super) async fn run(command: ExamCommand) -> anyhow::Result<()> {
    match command {
        ExamCommand::Order(order) => self::order(order).await,
        ExamCommand::List(data) => list(&data).await,
        ExamCommand::End(end) => self::end(end).await,
    }
}

async fn order(order: Order) -> anyhow::Result<()> {
    let now = clock::now();
    let moment = |at: DateTime| paris::moment(at).with_context(|| format!("{at} lies outside the years 1970 to 9999"));
    let new = NewExam::new(&order.label, moment(order.from)?, moment(order.to)?, now)?;
    let store = order.data.open_store().await?;
    let mut tx = store.write().await?;
    let mut sites = Vec::with_capacity(order.sites.len());
    for uai in &order.sites {
        let found = site::find_by_uai(&mut tx, &Scope::Everything, uai).await?;
        sites.push(Some(found.with_context(|| format!("no site has the UAI code {uai}"))?.id));
    }
    sites.sort_unstable();
    sites.dedup();
    if sites.is_empty() {
        sites.push(None);
    }
    let ordered = exam::add(&mut tx, &new, &sites, COMMAND_LINE, now).await?;
    for (id, ordered) in &ordered {
        append(&mut tx, "exam.order", *id, exam::details(new.label(), ordered), now).await?;
    }
    tx.commit().await?;
    store.close().await;
    for (id, _) in &ordered {
        print(&format!("{id}\n"))?;
    }
    if ordered.is_empty() {
        say("ordered before, for the same time with the same label");
    }
    Ok(())
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let now = clock::now();
    let mut tx = store.read().await?;
    let mut after = None;
    loop {
        let page = exam::list(&mut tx, &Scope::Everything, (after.as_ref(), 0), now).await?;
        for row in &page.rows {
            let site = row.site.as_ref().map_or("all", |(_, uai)| uai.as_str());
            let (begins, ends) = (rfc3339(row.exam.begins_at), rfc3339(row.exam.ends_at));
            print(&format!("{}\t{}\t{begins}\t{ends}\t{site}\t{}\n", row.id, row.exam.state(now), row.label))?;
        }
        if page.next.is_none() {
            break;
        }
        after = page.next;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

async fn end(end: End) -> anyhow::Result<()> {
    let store = end.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let found = exam::find(&mut tx, &Scope::Everything, end.id).await?;
    let row = found.with_context(|| format!("no exam has the id {}; see `cartable-server exam list`", end.id))?;
    let (action, done) = match exam::call_off(&mut tx, &row, now).await? {
        CalledOff::Ended => ("exam.end", "ended: laptops that know the planned end keep to it"),
        CalledOff::Removed => ("exam.remove", "removed"),
        CalledOff::Over => anyhow::bail!("this exam is over already"),
    };
    append(&mut tx, action, end.id, exam::details(&row.label, &row.exam), now).await?;
    tx.commit().await?;
    store.close().await;
    say(done);
    Ok(())
}

async fn append(
    tx: &mut Tx,
    action: &str,
    id: Uuid,
    details: serde_json::Value,
    now: cartable_common::UtcMillis,
) -> anyhow::Result<()> {
    let object_id = id.to_string();
    audit::append(
        tx,
        NewAudit { actor: COMMAND_LINE, action, object_kind: "exam", object_id: &object_id, details },
        now,
    )
    .await?;
    Ok(())
}
