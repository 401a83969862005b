//! POST /v1/inventory: another system's agent, unmodified, speaks for its one device by a certificate of ours.
//!
//! GLPI Agent asks first (CONTACT, in JSON) and is told what to leave out, so that it never leaves the machine; then it sends
//! the rest. FusionInventory asks in XML (PROLOG), where nothing can be left out. Of either only what a report has a place
//! for is read, by the reader of imported files, and taken in as a check-in is. Whose machine it is says the certificate
//! alone: neither the headers nor the inventory's names decide.

mod answer;
mod body;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::Response,
};
use cartable_common::{
    Text,
    protocol::{CheckInRequest, KEY_CLONED, RefusalReason, ReportEnvelope},
};

use self::answer::{Answer, Teller};
use super::{
    DevicePort,
    check_in::{self, end_predecessors, unavailable},
    identity::DeviceIdentity,
    refusal::Refusal,
};
use crate::{
    domain::{
        enrolment::EnrolmentKind,
        foreign_agent::{self, InventoryRefused, OnRecord, Worth},
        language::Language,
        reading::{
            Reading, Unreadable,
            agents::{AgentInventory, Asked, asked},
        },
    },
    exchange::inventory::read_in_turn,
    store::{
        StoreError, brought_report,
        foreign_agent::{self as agents, Known},
        ingest::{CheckIn, IngestError},
    },
};

/// Where other systems' agents send to.
pub const PATH: &str = "/v1/inventory";

/// Answers a message of another system's agent, in its own terms.
pub(super) async fn take(State(port): State<DevicePort>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let teller = Teller::of(&parts.headers);
    match serve(&port, &parts, body).await {
        Ok(answer) => teller.answer(answer),
        Err(refusal) => teller.refusal(refusal),
    }
}

async fn serve(port: &DevicePort, parts: &Parts, body: Body) -> Result<Answer, Refusal> {
    let identity = DeviceIdentity::of(parts, port, EnrolmentKind::Foreign).await?;
    let message = body::read(&parts.headers, body).await?;
    let Some((wording, asked)) = asked(&String::from_utf8_lossy(&message)) else {
        return Err(no_inventory("This is neither a question nor an inventory of GLPI Agent or FusionInventory."));
    };
    match asked {
        Asked::Contact => Ok(Answer::Contact(wording)),
        Asked::Inventory => {
            take_inventory(port, &identity, message).await?;
            Ok(Answer::Taken(wording))
        }
        Asked::Other => Err(no_inventory("Nothing but inventories is taken here: switch the agent's other tasks off.")),
    }
}

/// Takes an inventory in. One whose facts are known already, or that lists changes alone, is a contact and adds no row.
async fn take_inventory(port: &DevicePort, identity: &DeviceIdentity, file: Vec<u8>) -> Result<(), Refusal> {
    let report_id = brought_report::id_of(&file, identity.device);
    let inventory = read(file).await?;
    let known = known(port, identity).await.map_err(|error| unavailable(&error))?;
    let on_record = OnRecord { serial: known.serial_number.as_deref(), manufacturer: known.manufacturer.as_deref() };
    let worth =
        foreign_agent::worth(&inventory, on_record, identity.arrived).map_err(|why| not_taken(identity, &why))?;
    settle(port, identity, &inventory, &known).await.map_err(|error| unavailable(&error))?;
    let AgentInventory { tool, version, report, .. } = inventory;
    let is_known = known.content_hash.as_deref() == Some(report.content_hash().to_string().as_str());
    let reports = match worth {
        Worth::Facts(made_at) if !is_known => {
            // Moments are never below zero.
            let sequence = u64::try_from(made_at.get()).unwrap_or_default();
            vec![ReportEnvelope { report_id, sequence, measured_at: made_at, report }]
        }
        Worth::Facts(_) | Worth::Contact => Vec::new(),
    };
    tracing::debug!(device = %identity.device, %tool, reports = reports.len(), "an inventory arrived");
    store(port, identity, version, reports).await
}

async fn store(
    port: &DevicePort,
    identity: &DeviceIdentity,
    version: Option<Text>,
    reports: Vec<ReportEnvelope>,
) -> Result<(), Refusal> {
    let request = CheckInRequest {
        agent_version: version.unwrap_or_else(|| Text::clean("")),
        // When it was sent by the machine's clock is not told: nothing is said of that clock.
        sent_at: identity.arrived,
        content_hash: None,
        disclosure_mark: None,
        trust_bundle: None,
        reports,
        action_results: Vec::new(),
    };
    let check_in = CheckIn {
        device_id: identity.device,
        enrolment_id: identity.enrolment,
        received_at: identity.arrived,
        request,
    };
    let receipt = port.ingest.check_in(check_in).await.map_err(|error| not_stored(&error))?;
    if receipt.refused.iter().any(|refused| refused.reason == RefusalReason::TooMany) {
        return Err(no_inventory("The inventory lists more than a machine has."));
    }
    Ok(())
}

async fn read(file: Vec<u8>) -> Result<AgentInventory, Refusal> {
    let read = read_in_turn(file).await.map_err(|error| {
        tracing::error!(%error, "an inventory could not be read");
        Refusal::internal()
    })?;
    match read {
        Ok(Reading::Agent(inventory)) => Ok(*inventory),
        Ok(Reading::Drive { .. } | Reading::Batteries(_) | Reading::Device(_) | Reading::Inventory(_)) => {
            Err(no_inventory("This is no inventory of GLPI Agent or FusionInventory."))
        }
        Err(why) => Err(unreadable(&why)),
    }
}

/// What is on record of the machine that asks.
async fn known(port: &DevicePort, identity: &DeviceIdentity) -> Result<Known, StoreError> {
    let mut tx = port.store.read().await?;
    let found = agents::known(&mut tx, identity.enrolment).await?;
    // The registry read it a moment ago, and none is ever removed.
    found.ok_or_else(|| StoreError::Corrupt { what: "enrolment", why: "it has disappeared".to_owned() })
}

/// The first use of a device's new certificate ends the old one; whose agent it is is remembered when that changes.
async fn settle(
    port: &DevicePort,
    identity: &DeviceIdentity,
    inventory: &AgentInventory,
    known: &Known,
) -> Result<(), StoreError> {
    if identity.has_predecessor {
        end_predecessors(port, identity).await?;
    }
    if known.foreign_tool.as_deref() != Some(inventory.tool.as_str()) {
        let mut tx = port.store.write().await?;
        agents::remember_tool(&mut tx, identity.enrolment, inventory.tool).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Our own agent makes another key where its one is copied; these cannot.
fn not_stored(error: &IngestError) -> Refusal {
    if matches!(error, IngestError::KeyCloned) {
        let detail = "This certificate was copied: another machine reports with it. Issue one for each machine.";
        return Refusal::new(StatusCode::FORBIDDEN, KEY_CLONED, "Certificate copied", detail);
    }
    check_in::refusal(error)
}

fn no_inventory(detail: &'static str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "inventory", "No inventory", detail)
}

fn unreadable(why: &Unreadable) -> Refusal {
    let detail = format!("The inventory cannot be read: {}.", why.said().in_language(Language::English));
    Refusal::new(StatusCode::BAD_REQUEST, "inventory", "Unreadable inventory", detail)
}

fn not_taken(identity: &DeviceIdentity, why: &InventoryRefused) -> Refusal {
    if let InventoryRefused::OtherMachine { .. } = why {
        tracing::warn!(device = %identity.device, "its certificate is used on another machine: was the file copied?");
    }
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "inventory-refused", "Inventory refused", format!("Refused: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_certificate_is_to_be_issued_anew_not_made_by_the_agent() {
        let told = not_stored(&IngestError::KeyCloned).detail();
        assert!(told.contains("each machine") && !told.contains("key"), "{told}");
    }
}
