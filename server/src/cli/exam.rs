//! `exam`: orders, lists and calls off the times in which laptops make no contact.

use anyhow::Context as _;
use cartable_common::UtcMillis;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{
        exam::{ExamState, NewExam},
        paris,
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        exam::{self, CalledOff, ExamRow},
        site,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum ExamCommand {
    /// Orders an exam, says what it understood, and prints the id of each site's.
    Order(Order),
    /// Lists exams, those under way, those to come, those of the last 400 days: id, state, beginning and end (Paris), site or "all", label.
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
    #[arg(long, value_name = "TIME", value_parser = paris::typed)]
    from: UtcMillis,
    /// When it ends, in Paris, at most 12 hours later.
    #[arg(long, value_name = "TIME", value_parser = paris::typed)]
    to: UtcMillis,
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
    let new = NewExam::new(&order.label, order.from, order.to, now)?;
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
    let not_over = exam::list(&mut tx, &Scope::Everything, (None, 1), now).await?.rows;
    for (id, ordered) in &ordered {
        append(&mut tx, "exam.order", *id, exam::details(new.label(), ordered), now).await?;
    }
    tx.commit().await?;
    store.close().await;
    say(&understood(&new, &order.sites));
    for row in not_over.iter().filter(|row| is_beside(row, &new, &sites, now)) {
        let (id, from, to) = (row.id, paris::written(row.exam.begins_at), paris::written(row.exam.ends_at));
        say(&format!(
            "{id} has the same label, from {from} to {to}, and stays; if this one takes its place: exam end {id}"
        ));
    }
    for (id, _) in &ordered {
        print(&format!("{id}\n"))?;
    }
    if ordered.is_empty() {
        say("ordered before, for the same time with the same label");
    }
    Ok(())
}

/// What was ordered, in the words of who ordered it.
fn understood(new: &NewExam, sites: &[UaiCode]) -> String {
    let sites: Vec<&str> = sites.iter().map(UaiCode::as_str).collect();
    let sites = if sites.is_empty() { "all sites".to_owned() } else { sites.join(" ") };
    let (from, to) = (paris::written(new.begins_at()), paris::written(new.ends_at()));
    format!("{}: no contact from {from} to {to} (Paris), {sites}", new.label())
}

/// Whether `row` is another exam with the label of `new`, at a time and a site of it: most likely the one with the wrong end.
fn is_beside(row: &ExamRow, new: &NewExam, sites: &[Option<Uuid>], now: UtcMillis) -> bool {
    let is_same = (row.exam.begins_at, row.exam.ends_at) == (new.begins_at(), new.ends_at());
    let overlaps = row.exam.begins_at < new.ends_at() && new.begins_at() < row.exam.ends_at;
    let is_over = row.exam.state(now) == ExamState::Past;
    row.label == new.label() && sites.contains(&row.exam.site) && overlaps && !is_same && !is_over
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
            let (begins, ends) = (paris::written(row.exam.begins_at), paris::written(row.exam.ends_at));
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

async fn append(tx: &mut Tx, action: &str, id: Uuid, details: serde_json::Value, now: UtcMillis) -> anyhow::Result<()> {
    let object_id = id.to_string();
    audit::append(
        tx,
        NewAudit { actor: COMMAND_LINE, action, object_kind: "exam", object_id: &object_id, details },
        now,
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exam::Exam;

    fn at(time: &str) -> UtcMillis {
        paris::typed(&format!("2027-06-14T{time}")).unwrap()
    }

    #[test]
    fn an_order_says_what_it_understood() {
        let new = NewExam::new("Brevet blanc", at("08:00"), at("12:00"), at("07:00")).unwrap();
        let times = "Brevet blanc: no contact from 2027-06-14T08:00 to 2027-06-14T12:00 (Paris)";
        assert_eq!(understood(&new, &[]), format!("{times}, all sites"));
        let site: UaiCode = "0750655E".parse().unwrap();
        assert_eq!(understood(&new, &[site]), format!("{times}, 0750655E"));
    }

    #[test]
    fn an_exam_with_the_same_label_and_another_end_is_told() {
        let (site, now) = (Uuid::from_u128(1), at("07:00"));
        let new = NewExam::new("Brevet blanc", at("08:00"), at("12:00"), now).unwrap();
        let row = |label: &str, site: Option<Uuid>, (from, to): (&str, &str)| ExamRow {
            id: Uuid::nil(),
            label: label.to_owned(),
            exam: Exam { site, begins_at: at(from), ends_at: at(to) },
            site: None,
            created_by: "anne".to_owned(),
        };
        let beside = |row: &ExamRow| is_beside(row, &new, &[Some(site)], now);
        assert!(beside(&row("Brevet blanc", Some(site), ("08:00", "11:00"))));
        for other in [
            row("Brevet blanc", Some(site), ("08:00", "12:00")),
            row("Brevet blanc", Some(site), ("13:00", "17:00")),
            row("Brevet blanc", Some(site), ("06:00", "07:00")),
            row("Brevet blanc", None, ("08:00", "11:00")),
            row("Bac blanc", Some(site), ("08:00", "11:00")),
        ] {
            assert!(!beside(&other), "{other:?}");
        }
    }
}
