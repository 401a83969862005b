//! `device`: what an operator decides about a device from the command line; the console does the same for people.

use anyhow::Context as _;
use cartable_common::DeviceId;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use uuid::Uuid;

use super::{DataArguments, device_action, device_action_bulk, device_approval, device_recovery, print, say};
use crate::{
    clock,
    domain::{
        device::DeviceStatus,
        device_record::{ContactExpected, Typed},
        loan::LendingState,
        programme::ProgrammeCode,
        scope::Scope,
        uai::UaiCode,
    },
    store::{
        Tx,
        audit::{self, COMMAND_LINE, NewAudit},
        device::{self, NewDevice},
        device_record::{self, Recorded},
        enrolment, loan, programme, site,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Device {
    /// Records a device that no agent has reported: a tablet, a machine that is only listed.
    Add(Box<Add>),
    /// Refuses a device from its next request on: lost, stolen or copied.
    Revoke(One),
    /// Sets a device aside: it may report, but gets nothing else.
    Quarantine(One),
    /// Puts a device (back) in service.
    Activate(One),
    /// Marks a device as having left the programme.
    Release(One),
    /// Lists machines that wait for approval: request, known device, serial number, model, reason, what approval does, that device's
    /// status (approval makes it active), since when (UTC), day of the last ask (UTC), whose lost key.
    #[command(visible_alias = "pending")]
    Waiting(DataArguments),
    /// Lets waiting machines in: the key of each becomes its device's only one.
    Approve(device_approval::Approve),
    /// Refuses waiting machines, with the keys that they have.
    Refuse(device_approval::Refuse),
    /// Lists recoveries that wait for a person: recovery, device, serial number, model, cause, last contact.
    Recoveries(DataArguments),
    /// Gives a waiting recovery its certificate: the laptop gets it when it asks next.
    ApproveRecovery(device_recovery::One),
    /// Refuses a waiting recovery for good: the laptop is enrolled again, with a new key.
    RefuseRecovery(device_recovery::One),
    /// Orders its agent to check_in, full_report, self_test, return_notice or send_log, and prints the order's id.
    Order(device_action::New),
    /// Orders the agents of many devices to check_in, full_report, self_test or return_notice; without --apply it only says how
    /// many would get it and why the others would not.
    OrderAll(Box<device_action_bulk::All>),
    /// Lists its last orders: order, kind, state, outcome, when, by whom.
    Orders(device_action::Of),
    /// Prints the log that its agent sent with an order: day, level, words.
    AgentLog(device_action::Log),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    data: DataArguments,
    /// Its serial number.
    #[arg(long, default_value = "")]
    serial: String,
    /// The label that staff stuck on it.
    #[arg(long, default_value = "")]
    asset_tag: String,
    /// laptop, tablet, desktop…
    #[arg(long)]
    kind: String,
    /// Its maker.
    #[arg(long, default_value = "")]
    manufacturer: String,
    /// Its model.
    #[arg(long, default_value = "")]
    model: String,
    /// UAI code of its site.
    #[arg(long, value_name = "UAI")]
    site: UaiCode,
    /// Code of the programme under which it is lent.
    #[arg(long)]
    programme: Option<ProgrammeCode>,
    /// The last day of the maker's warranty, such as 2028-08-31.
    #[arg(long, value_name = "DAY")]
    warranty: Option<Date>,
    /// An agent will be installed on it: it is flagged when that does not happen.
    #[arg(long)]
    agent: bool,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    data: DataArguments,
    /// The device's id.
    id: DeviceId,
}

pub(super) async fn run(command: Device) -> anyhow::Result<()> {
    match command {
        Device::Add(add) => self::add(*add).await,
        Device::Revoke(one) => set_status(one, DeviceStatus::Revoked).await,
        Device::Quarantine(one) => set_status(one, DeviceStatus::Quarantined).await,
        Device::Activate(one) => set_status(one, DeviceStatus::Active).await,
        Device::Release(one) => set_status(one, DeviceStatus::Released).await,
        Device::Waiting(data) => device_approval::waiting(&data).await,
        Device::Approve(approve) => device_approval::approve(approve).await,
        Device::Refuse(refuse) => device_approval::refuse(refuse).await,
        Device::Order(new) => device_action::order(new).await,
        Device::OrderAll(all) => device_action_bulk::order(*all).await,
        Device::Orders(of) => device_action::list(of).await,
        Device::AgentLog(log) => device_action::log(log).await,
        Device::Recoveries(data) => device_recovery::waiting(&data).await,
        Device::ApproveRecovery(one) => device_recovery::approve(one).await,
        Device::RefuseRecovery(one) => device_recovery::refuse(one).await,
    }
}

async fn add(add: Add) -> anyhow::Result<()> {
    let Add { serial, asset_tag, kind, manufacturer, model, .. } = &add;
    let described = Typed { serial, asset_tag, kind, manufacturer, model }.read()?;
    let store = add.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let site = site::find_by_uai(&mut tx, &Scope::Everything, &add.site).await?;
    let site = site.with_context(|| format!("no site has the UAI code {}", add.site))?;
    if let Some(code) = &add.programme {
        let known = programme::find_by_code(&mut tx, code).await?;
        anyhow::ensure!(known.is_some(), "no programme has the code {code}; see `cartable-server programme list`");
    }
    let known = enrolment::is_hardware_known(&mut tx, &described.hardware).await?;
    anyhow::ensure!(!known, "a device with the serial number {serial} is recorded already");
    let (contact_expected, status) = if add.agent {
        (ContactExpected::Agent, DeviceStatus::Pending)
    } else {
        (ContactExpected::None, DeviceStatus::Active)
    };
    let id = DeviceId(Uuid::now_v7());
    let new = NewDevice {
        id,
        status,
        hardware: described.hardware,
        asset_tag: described.asset_tag,
        programme: add.programme.as_ref().map(ToString::to_string),
        site: Some(site.id),
        enrolled_at: None,
    };
    let recorded = Recorded { contact_expected, warranty_until: add.warranty, grade: None };
    match device_record::insert(&mut tx, &new, recorded, now).await {
        Err(error) if error.is_duplicate_of("asset_tag") => {
            anyhow::bail!("another device has the asset tag {asset_tag}");
        }
        other => other?,
    }
    let details = serde_json::json!({"site": site.id, "contact_expected": contact_expected.as_str()});
    append(&mut tx, "device.create", "device", &id.to_string(), details).await?;
    tx.commit().await?;
    store.close().await;
    print(&format!("{id}\n"))
}

async fn set_status(one: One, status: DeviceStatus) -> anyhow::Result<()> {
    let store = one.data.open_store().await?;
    let mut tx = store.write().await?;
    // Revoked, its agent would no longer be told to leave; active, it would report what its new owner does.
    let given = loan::lending_state(&mut tx, one.id).await? == Some(LendingState::Ceded);
    anyhow::ensure!(!given, "{} was given away: its status does not change; sent back, it is recorded anew", one.id);
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
