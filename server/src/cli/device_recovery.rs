//! `device recoveries`, `approve-recovery` and `refuse-recovery`: laptops whose certificate has ended and that may not get
//! another by themselves.

use anyhow::Context as _;
use clap::Args;
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{approval::Ruling, paris, policy::Policy, scope::Scope},
    store::{audit::COMMAND_LINE, lending::Clerk, recovery},
};

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    data: DataArguments,
    /// The recovery's id, as `device recoveries` shows it.
    id: Uuid,
}

pub(super) async fn waiting(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    for waiting in recovery::waiting(&mut tx, &Scope::Everything).await? {
        let recovery::Waiting { id, device, cause, .. } = waiting;
        let (serial, model) = (waiting.serial_number.unwrap_or_default(), waiting.model.unwrap_or_default());
        let last = waiting.last_contact.map_or_else(|| "never".to_owned(), |at| paris::date(at).to_string());
        print(&format!("{id}\t{device}\t{serial}\t{model}\t{cause}\t{last}\n"))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

pub(super) async fn approve(one: One) -> anyhow::Result<()> {
    decide(one, Ruling::Approve).await?;
    say("approved; the laptop gets its certificate when it asks next");
    Ok(())
}

pub(super) async fn refuse(one: One) -> anyhow::Result<()> {
    decide(one, Ruling::Refuse).await?;
    say("refused; the laptop is enrolled again with `cartable-agent enrol --new-key`");
    Ok(())
}

async fn decide(One { data, id }: One, ruling: Ruling) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.write().await?;
    let done = recovery::decide(&mut tx, id, ruling, operator(&Policy::default())).await?;
    done.with_context(|| format!("no recovery waits under the id {id}; see `cartable-server device recoveries`"))?;
    tx.commit().await?;
    store.close().await;
    Ok(())
}

/// The operator at the command line, who judges by `policy` where what is done leads to that.
pub(super) fn operator(policy: &Policy) -> Clerk<'_> {
    const EVERYWHERE: &Scope = &Scope::Everything;
    Clerk { actor: COMMAND_LINE, token: None, scope: EVERYWHERE, policy, now: clock::now() }
}
