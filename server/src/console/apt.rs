//! The Debian repository of the agent, for everybody's apt: it holds nothing but the published program, and proves itself by
//! its signature, whichever way it comes.
//!
//! Whoever asks is unknown and may read as slowly as they like, so a package is in memory once, not once for each of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use tokio::sync::Mutex;

use super::error::Refusal;
use crate::{
    app::App,
    domain::update::repository,
    store::{agent_package, agent_publication},
};

/// A package never changes under its name.
const OF_A_PACKAGE: &str = "public, max-age=86400";
/// Indexes are asked for anew each time: an old one beside a new one is an error to apt.
const OF_AN_INDEX: &str = "no-cache";

/// Packages that somebody fetches now. Locked while one is read from the database, so that two who come at once share it.
static SENDING: Mutex<Sending> = Mutex::const_new(Sending(BTreeMap::new()));

/// Packages by their SHA-256, for as long as they are being sent.
struct Sending(BTreeMap<[u8; 32], Weak<Vec<u8>>>);

/// One that is being sent.
struct Sent(Arc<Vec<u8>>);

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Sending {
    fn find(&self, hash: &[u8; 32]) -> Option<Bytes> {
        self.0.get(hash).and_then(Weak::upgrade).map(|package| Bytes::from_owner(Sent(package)))
    }

    fn begin(&mut self, hash: [u8; 32], package: Vec<u8>) -> Bytes {
        self.0.retain(|_, sent| sent.strong_count() > 0);
        let package = Arc::new(package);
        self.0.insert(hash, Arc::downgrade(&package));
        Bytes::from_owner(Sent(package))
    }
}

/// `GET /apt/{*path}`
pub(super) async fn serve(State(app): State<App>, Path(path): Path<String>) -> Result<Response, Refusal> {
    if let Some((version, architecture)) = repository::in_pool(&path) {
        let package = package(&app, version, architecture).await?;
        return Ok(answer("application/vnd.debian.binary-package", OF_A_PACKAGE, package));
    }
    if !repository::is_index(&path) {
        return Err(Refusal::NotFound);
    }
    let mut tx = app.store.read().await?;
    let text = agent_publication::text(&mut tx, &path).await?.ok_or(Refusal::NotFound)?;
    Ok(answer("text/plain; charset=utf-8", OF_AN_INDEX, text))
}

async fn package(app: &App, version: &str, architecture: &str) -> Result<Bytes, Refusal> {
    // Before a connection to the database is taken: who waits here holds none.
    let mut sending = SENDING.lock().await;
    let mut tx = app.store.read().await?;
    // Asked each time: a halt counts at once.
    let hash = agent_package::deb_hash(&mut tx, version, architecture).await?.ok_or(Refusal::NotFound)?;
    if let Some(package) = sending.find(&hash) {
        return Ok(package);
    }
    let package = agent_package::deb(&mut tx, version, architecture).await?.ok_or(Refusal::NotFound)?;
    Ok(sending.begin(hash, package))
}

fn answer(content_type: &'static str, cached: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, cached)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_in_memory_once_however_many_fetch_it_and_not_afterwards() {
        let (mut sending, hash) = (Sending(BTreeMap::new()), [1; 32]);
        let first = sending.begin(hash, b"package".to_vec());
        let second = sending.find(&hash).unwrap();
        assert_eq!((&first[..], first.as_ptr()), (b"package".as_slice(), second.as_ptr()));
        drop(first);
        assert!(sending.find(&hash).is_some(), "one still reads");
        drop(second);
        assert!(sending.find(&hash).is_none());
        drop(sending.begin([2; 32], Vec::new()));
        assert_eq!(sending.0.len(), 1, "nothing is kept of what was sent");
    }
}
