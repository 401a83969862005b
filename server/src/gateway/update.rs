//! Updates of agents that update themselves: whose turn it is, the signed manifest, and packages part by part.
//!
//! What is handed on here proves itself to the agent by the key that was pinned at its installation: this server cannot
//! make a release, only offer one or not.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use cartable_common::{
    AgentVersion, UtcMillis,
    update::{MAX_PACKAGE_BYTES, UPDATE_PART_BYTES},
};
use data_encoding::HEXLOWER;

use super::{
    DevicePort,
    identity::{self, DeviceIdentity},
    recent::Recent,
    refusal::Refusal,
};
use crate::{
    domain::update::{Stage, offered, publication::SIGNED_MANIFEST},
    random,
    store::{Store, StoreError, agent_package, agent_publication},
};

/// The releases that are offered to somebody. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Stages {
    store: Store,
    known: Recent<Stage>,
}

impl Stages {
    /// None yet.
    pub(super) fn new(store: Store) -> Self {
        Self { store, known: Recent::nothing("releases") }
    }

    /// The release that this device should have instead of the version that it told, at `now`. A version that cannot be read
    /// is offered nothing.
    pub(super) async fn offer(&self, identity: &DeviceIdentity, running: &str, now: UtcMillis) -> Option<AgentVersion> {
        if !identity.is_full {
            return None;
        }
        let running = running.parse().ok()?;
        let stages: Arc<[Stage]> = self.known.near(now, self.read()).await;
        offered(&stages, identity.device, identity.site, running)
    }

    async fn read(&self) -> Result<Vec<Stage>, StoreError> {
        let mut tx = self.store.read().await?;
        agent_package::stages(&mut tx).await
    }
}

/// `GET /v1/update/manifest`
pub(super) async fn manifest(State(port): State<DevicePort>, identity: DeviceIdentity) -> Result<Response, Refusal> {
    may_update(&identity)?;
    let text = read_manifest(&port.store).await.map_err(|error| unavailable(&error))?;
    let text = text.ok_or_else(|| nothing("Nothing is published."))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `GET /v1/update/files/{sha256}/{from}`: the part of the package that begins after so many bytes; nothing after its end.
pub(super) async fn file(
    State(port): State<DevicePort>,
    identity: DeviceIdentity,
    Path((sha256, from)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    may_update(&identity)?;
    let sha256 = HEXLOWER.decode(sha256.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some((sha256, from)) = sha256.zip(from.parse().ok().filter(|from: &u32| *from <= MAX_PACKAGE_BYTES)) else {
        return Err(nothing("A part is named by the package's SHA-256 in hexadecimal and the bytes before it."));
    };
    let bytes = read_part(&port.store, &sha256, from).await.map_err(|error| unavailable(&error))?;
    let bytes = bytes.ok_or_else(|| nothing("This package is not offered."))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// One that is set aside, or whose key waits, is not changed.
fn may_update(identity: &DeviceIdentity) -> Result<(), Refusal> {
    if identity.is_full { Ok(()) } else { Err(identity::set_aside()) }
}

async fn read_manifest(store: &Store) -> Result<Option<String>, StoreError> {
    let mut tx = store.read().await?;
    agent_publication::text(&mut tx, SIGNED_MANIFEST).await
}

async fn read_part(store: &Store, sha256: &[u8; 32], from: u32) -> Result<Option<Vec<u8>>, StoreError> {
    let mut tx = store.read().await?;
    let bytes = u32::try_from(UPDATE_PART_BYTES).unwrap_or(u32::MAX);
    agent_package::part(&mut tx, sha256, from, bytes).await
}

fn nothing(detail: &'static str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no-update", "No update", detail)
}

fn unavailable(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the database refused");
    Refusal::unavailable(random::spread())
}
