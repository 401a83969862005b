//! `device`: what an operator decides about a device from the command line; the console does the same for people.

use anyhow::Context as _;
use cartable_common::{DeviceId, EnrolmentId};
use clap::{Args, Subcommand};

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{device::DeviceStatus, scope::Scope},
    store::{
        Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        device, enrolment,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Device {
    /// Refuses a device from its next request on: lost, stolen or copied.
    Revoke(One),
    /// Sets a device aside: it may report, but gets nothing else.
    Quarantine(One),
    /// Puts a device (back) in service.
    Activate(One),
    /// Marks a device as having left the programme.
    Release(One),
    /// Lists enrolments that wait for approval: enrolment, device, serial number, model.
    Pending(DataArguments),
    /// Approves a waiting enrolment: its key becomes the device's only one.
    Approve(Approve),
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    id: DeviceId,
}

#[derive(Debug, Args)]
pub(super) struct Approve {
    #[command(flatten)]
    data: DataArguments,
    /// The enrolment's id, as `device pending` shows it.
    id: EnrolmentId,
}

pub(super) async fn run(command: Device) -> anyhow::Result<()> {
    match command {
        Device::Revoke(one) => set_status(one, DeviceStatus::Revoked).await,
        Device::Quarantine(one) => set_status(one, DeviceStatus::Quarantined).await,
        Device::Activate(one) => set_status(one, DeviceStatus::Active).await,
        Device::Release(one) => set_status(one, DeviceStatus::Released).await,
        Device::Pending(data) => pending(&data).await,
        Device::Approve(approve) => self::approve(approve).await,
    }
}

async fn set_status(one: One, status: DeviceStatus) -> anyhow::Result<()> {
    let store = one.data.open_store().await?;
    let mut tx = store.write().await?;
    let before = device::set_status(&mut tx, &Scope::Everything, one.id, status)
        .await?
        .with_context(|| format!("no device has the id {}", one.id))?;
    let details = serde_json::json!({"before": before.as_str(), "after": status.as_str()});
    append(&mut tx, "device.set_status", "device", &one.id.to_string(), details).await?;
    tx.commit().await?;
    store.close().await;
    say(&format!("{}: {status} (was {before})", one.id));
    Ok(())
}

async fn pending(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    for waiting in enrolment::pending(&mut tx, &Scope::Everything).await? {
        let (serial, model) = (waiting.serial_number.unwrap_or_default(), waiting.model.unwrap_or_default());
        print(&format!("{}\t{}\t{serial}\t{model}\n", waiting.enrolment, waiting.device))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

async fn approve(approve: Approve) -> anyhow::Result<()> {
    let store = approve.data.open_store().await?;
    let mut tx = store.write().await?;
    let done = enrolment::approve(&mut tx, approve.id, clock::now()).await?;
    anyhow::ensure!(done, "no enrolment waits under the id {}; see `cartable-server device pending`", approve.id);
    append(&mut tx, "enrolment.approve", "enrolment", &approve.id.to_string(), serde_json::json!({})).await?;
    tx.commit().await?;
    store.close().await;
    say("approved; the laptop is let in when it asks next");
    Ok(())
}

async fn append(
    tx: &mut Tx,
    action: &str,
    object_kind: &str,
    object_id: &str,
    details: serde_json::Value,
) -> anyhow::Result<()> {
    audit::append(tx, NewAudit { actor: COMMAND_LINE, action, object_kind, object_id, details }, clock::now()).await?;
    Ok(())
}
